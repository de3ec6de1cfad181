//! What a judge of sets may find, and the fewest operations that prove it.
//!
//! A violation is data: what was found, in which operations, about which elements. Its words are in `words.rs`.

use serde::Serialize;

use super::names::Element;

/// Violations that a result keeps of each kind; it counts all of them.
pub const VIOLATIONS_KEPT_MAX: usize = 20;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A read returned an element that nobody ever tried to add. Operations: the read.
    Phantom,
    /// A read returned an element whose add was refused. Operations: the add, the read.
    FailedAddSeen,
    /// A read returned an element before the first attempt to add it. Operations: the read, the add.
    FromTheFuture,
    /// A read returned an element more than once. Operations: the read.
    Duplicate,
    /// An acknowledged element is not in a read that began later. Operations: the add, the read.
    Missed,
    /// An element that had been read is not in a read that began later. Operations: the add, the read that has it, the one that lacks it.
    Vanished,
    /// Of two reads, each has an element that the other lacks. Operations: the two adds, the two reads.
    NotAChain,
    /// A read has the later of two elements without the earlier one. Operations: the adds in their order, the read.
    OutOfOrder,
    /// A known element is in no read that began after some moment. Operations: the add, the read that made it known (unless the
    /// acknowledgement did), the last read.
    Lost,
    /// A known element was missing, and came back. Operations: the add, the read that made it known (unless the acknowledgement did),
    /// the last read without it, a later read with it.
    Stale,
}

impl Kind {
    /// The name in files and reports.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Phantom => "phantom",
            Kind::FailedAddSeen => "failed-add-seen",
            Kind::FromTheFuture => "from-the-future",
            Kind::Duplicate => "duplicate",
            Kind::Missed => "missed",
            Kind::Vanished => "vanished",
            Kind::NotAChain => "not-a-chain",
            Kind::OutOfOrder => "out-of-order",
            Kind::Lost => "lost",
            Kind::Stale => "stale",
        }
    }
}

/// One violation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Violation {
    /// What was found.
    pub kind: Kind,
    /// The elements in question: one, or two where an order of two is.
    pub elements: Vec<Element>,
    /// Places of the operations that prove it, as [`Kind`] lists them.
    pub operations: Vec<usize>,
    /// When it showed, ns: the invocation of the read that convicts.
    pub at_ns: u64,
    /// How often a duplicate was returned; how long a lost or stale element was known, ns, when it was last missed. Otherwise 0.
    pub amount: u64,
}

/// Violations of one judge: all are counted, the first of each kind are kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Docket {
    kept: Vec<Violation>,
}

impl Docket {
    /// Keeps a violation if it is among the first of its kind. It is built only if it is kept.
    pub(super) fn see(&mut self, kind: Kind, at_ns: u64, build: impl FnOnce() -> Violation) {
        let place = self
            .kept
            .partition_point(|kept| (kept.kind, kept.at_ns) <= (kind, at_ns));
        let first = self.kept.partition_point(|kept| kept.kind < kind);
        if place - first >= VIOLATIONS_KEPT_MAX {
            return;
        }
        self.kept.insert(place, build());
        let beyond = self.kept.partition_point(|kept| kept.kind <= kind);
        if beyond - first > VIOLATIONS_KEPT_MAX {
            self.kept.remove(beyond - 1);
        }
    }

    /// The fewest operations first; of as many, the earliest.
    pub(super) fn close(mut self) -> Vec<Violation> {
        self.kept
            .sort_by_key(|kept| (kept.operations.len(), kept.at_ns, kept.kind));
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(kind: Kind, at_ns: u64, operations: usize) -> Violation {
        Violation {
            kind,
            elements: vec![Element::Int(1)],
            operations: vec![0; operations],
            at_ns,
            amount: 0,
        }
    }

    #[test]
    fn the_first_of_each_kind_are_kept_and_the_smallest_is_told_first() {
        let mut docket = Docket::default();
        for at in (0..50).rev() {
            docket.see(Kind::Vanished, at, || violation(Kind::Vanished, at, 3));
        }
        for at in 100..150 {
            docket.see(Kind::Missed, at, || violation(Kind::Missed, at, 2));
        }
        let kept = docket.close();
        let told: Vec<(Kind, u64)> = kept.iter().map(|one| (one.kind, one.at_ns)).collect();
        let missed = (100..120).map(|at| (Kind::Missed, at));
        let expected: Vec<(Kind, u64)> = missed
            .chain((0..20).map(|at| (Kind::Vanished, at)))
            .collect();
        assert_eq!(told, expected);
    }
}
