//! Levels in the words of plans and nodes, and in those of histories. They mean the same; the two sides share no type.

use quorate_checkers::history;
use quorate_node::config::Level;

use super::Plan;

/// Every name, on either side.
const NAMES: [(Level, history::LevelName); 9] = [
    (Level::Any, history::LevelName::Any),
    (Level::One, history::LevelName::One),
    (Level::Two, history::LevelName::Two),
    (Level::Three, history::LevelName::Three),
    (Level::Quorum, history::LevelName::Quorum),
    (Level::All, history::LevelName::All),
    (Level::LocalOne, history::LevelName::LocalOne),
    (Level::LocalQuorum, history::LevelName::LocalQuorum),
    (Level::EachQuorum, history::LevelName::EachQuorum),
];

impl Plan {
    /// The levels that operations ask for if nothing else is said: those of reads, and those of writes and deletes.
    pub(crate) fn levels(&self) -> (Level, Level) {
        let store = &self.store;
        (
            self.load.read_level.unwrap_or(Level::Count(store.r)),
            self.load.write_level.unwrap_or(Level::Count(store.w)),
        )
    }
}

/// A level as a history tells it.
pub(crate) fn told_level(level: Level) -> history::Level {
    let named = NAMES.into_iter().find(|(name, _)| *name == level);
    match (level, named) {
        (_, Some((_, name))) => history::Level::Named(name),
        (Level::Count(count), None) => history::Level::Count(count.into()),
        // Every name is above, as a test shows.
        (_, None) => history::Level::Count(0),
    }
}

/// The level that an operation of a history asked for.
pub(crate) fn asked_level(level: history::Level) -> Level {
    match level {
        history::Level::Count(count) => Level::Count(u16::try_from(count).unwrap_or(u16::MAX)),
        history::Level::Named(name) => {
            let told = NAMES.into_iter().find(|(_, told)| *told == name);
            told.map_or(Level::All, |(level, _)| level)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_the_same_names_on_both_sides() {
        for level in Level::NAMED.into_iter().chain([Level::Count(2)]) {
            let told = told_level(level);
            assert_eq!(told.to_string(), level.to_string());
            assert_eq!(asked_level(told), level);
        }
        assert_eq!(history::LevelName::ALL.len(), Level::NAMED.len());
    }
}
