//! The rules of the search that are easy to get wrong, as switches, so that tests can get each of them wrong on purpose.

/// What a search believes. [`Exact`] is right; every other choice is a mutant of the tests.
pub(super) trait Rules {
    /// Using more operations of unknown outcome counts as better.
    const MORE_SPENT_IS_BETTER: bool = false;
    /// A used write counts as better than one that may still be used.
    const USED_COVERS_HIDDEN: bool = false;
    /// Whether a read has been satisfied is not compared.
    const IGNORE_READS: bool = false;
    /// A compare-and-set hides writes as a blind write does.
    const SWAPS_HIDE: bool = false;
    /// No write is ever hidden.
    const NOTHING_HIDES: bool = false;
    /// A hidden write that returns is forgotten although its value is wanted.
    const NO_LAST_CHANCE: bool = false;
    /// A value counts as settled one event too early.
    const SETTLE_EARLY: bool = false;
    /// An operation of unknown outcome may be used again and again.
    const UNKNOWN_FOREVER: bool = false;
    /// A failed compare-and-set is content with any value.
    const REFUSALS_CONTENT: bool = false;
    /// Of equal writes the last to return is used first.
    const LATEST_FIRST: bool = false;
    /// A settled value is covered by any other even if a failed compare-and-set looks on.
    const SETTLED_ALWAYS_COVERED: bool = false;
}

/// The rules as they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exact;

impl Rules for Exact {}
