//! The rules of the judges by name, so that the tests can leave out one at a time and see that it is missed.

/// A rule that a judge would be wrong without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Operations at the same time are concurrent.
    EqualTimesAreConcurrent,
    /// An add of unknown outcome never returned.
    UnknownNeverReturned,
    /// An acknowledged element that no read has comes after everything.
    UnseenComeLast,
    /// A set must hold the smaller one, whatever their sizes.
    SmallerSetsAreSubsets,
    /// Of several attempts, the first to begin may have added the element.
    FirstAttemptAdds,
    /// A refused add did not happen.
    RefusedDidNotHappen,
    /// A read comes after the adds of all it has.
    ReadsFollowTheirAdds,
    /// A read that has returned binds all reads to come.
    ReadsBind,
    /// An element becomes known by the first read that has it, if that is sooner than the acknowledgement.
    ReadsMakeKnown,
    /// What a read returned before the first attempt to add it does not count as its presence.
    PresenceNeedsAnAttempt,
    /// A read that completed before the first attempt to add an element does not count as its absence.
    AbsenceNeedsAnAttempt,
    /// A read that was under way at the first attempt to add an element may miss it.
    ReadsUnderWayCount,
    /// An element must be known before it can be lost.
    LostWereKnown,
    /// Of an element, the last read that lacks it counts.
    LastAbsenceCounts,
    /// What is acknowledged only after a read began may be missing from it.
    TooLateIsNotLost,
    /// The read that returned last is the final one.
    LastToReturnIsFinal,
}

/// The rules that a judge keeps.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rules {
    without: Option<Rule>,
}

impl Rules {
    /// All of them.
    pub(super) const ALL: Rules = Rules { without: None };

    /// All but one: a judge that is wrong.
    #[cfg(test)]
    pub(super) fn without(rule: Rule) -> Rules {
        Rules {
            without: Some(rule),
        }
    }

    /// Whether a rule is kept.
    pub(super) fn keep(self, rule: Rule) -> bool {
        self.without != Some(rule)
    }
}
