//! The levels that operations asked for, each once: what the contract has to hold for, beside what is configured.

use crate::history::{Function, Header, History, Level, LevelName, Operation};

/// Reads or writes; a delete is a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// What some operations asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Their level; none = the configured one, or what is claimed instead.
    pub(crate) level: Option<Level>,
    /// The data centre that a local level was about.
    pub(crate) centre: Option<usize>,
}

/// The level that is configured, or claimed.
pub(crate) const CONFIGURED: Asked = Asked {
    level: None,
    centre: None,
};

/// The different levels that acknowledged operations asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    reads: Vec<Asked>,
    writes: Vec<Asked>,
}

/// The level of an operation that does not say, or says just this.
pub(crate) fn configured(header: &Header, access: Access) -> Level {
    let (count, name) = match access {
        Access::Read => (header.quorum.r, header.settings.read_level),
        Access::Write => (header.quorum.w, header.settings.write_level),
    };
    name.map_or(Level::Count(count), Level::Named)
}

impl Levels {
    /// The levels found in a history.
    pub(crate) fn of(history: &History) -> Levels {
        let mut levels = Levels::default();
        let counts = |op: &&Operation| op.is_ok() && op.f != Function::Census;
        for op in history.operations.iter().filter(counts) {
            let access = if op.is_write() {
                Access::Write
            } else {
                Access::Read
            };
            let node = op.node().map(|node| history.node_name(node));
            levels.meet(&history.header, access, op.level(), node);
        }
        levels
    }

    /// Notes what an acknowledged operation asked for, of this coordinator.
    pub(crate) fn meet(
        &mut self,
        header: &Header,
        access: Access,
        level: Option<Level>,
        node: Option<&str>,
    ) {
        let configured = configured(header, access);
        let is_local = |level: Level| level.name().is_some_and(LevelName::is_local);
        let asked = Asked {
            level: level.filter(|level| *level != configured),
            centre: node
                .filter(|_| is_local(level.unwrap_or(configured)))
                .and_then(|node| header.settings.centre_of(node)),
        };
        let levels = match access {
            Access::Read => &mut self.reads,
            Access::Write => &mut self.writes,
        };
        if !levels.contains(&asked) {
            levels.push(asked);
        }
    }

    /// What operations of this kind asked for; the configured level if there were none.
    pub(crate) fn of_access(&self, access: Access) -> &[Asked] {
        let asked = match access {
            Access::Read => &self.reads,
            Access::Write => &self.writes,
        };
        if asked.is_empty() {
            &[CONFIGURED]
        } else {
            asked
        }
    }
}
