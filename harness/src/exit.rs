//! Exit codes, and which of several wins.

use std::process::ExitCode;

/// What a command ends with. Ordered: the later one wins, so that an unknown never hides a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Every promise kept, every canary sang.
    Kept,
    /// Interrupted; what was done is saved and judged.
    Interrupted,
    /// Nothing ran.
    NothingRan,
    /// Too little evidence.
    Undecided,
    /// A canary stayed silent.
    SilentCanary,
    /// A promise was broken.
    Broken,
    /// The command cannot be understood or carried out as given.
    Usage,
    /// Our own failure; the history is saved if there was one.
    HarnessFailure,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Exit::Kept => 0,
            Exit::Broken => 1,
            Exit::Usage => 2,
            Exit::Undecided => 3,
            Exit::NothingRan => 4,
            Exit::SilentCanary => 5,
            Exit::HarnessFailure => 70,
            Exit::Interrupted => 130,
        }
    }

    /// The worse of the two.
    #[must_use]
    pub fn worst(self, other: Exit) -> Exit {
        self.max(other)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn the_worst_wins_in_the_documented_order() {
        let order = [70, 1, 5, 3, 4, 0];
        let exits = [
            Exit::HarnessFailure,
            Exit::Broken,
            Exit::SilentCanary,
            Exit::Undecided,
            Exit::NothingRan,
            Exit::Kept,
        ];
        assert_eq!(exits.map(Exit::code), order.map(|code: u8| code));
        assert!(
            exits
                .windows(2)
                .all(|pair| pair[1].worst(pair[0]) == pair[0])
        );
    }
}
