//! What is wrong with a trace that is not linearizable: the operations that prove it, and the words for them.
//!
//! A violation names operations by their places in [`Trace::ops`]; it holds however many other operations there were.
//! Who finds them is in `naming.rs` and `chains.rs`.

use super::no_order::NoOrder;
use super::trace::{Action, RegisterOp, Trace, ValueId};
use super::words::Teller;
use crate::tale::Tale;

/// Violations that are kept; all of them are counted.
pub const VIOLATIONS_KEPT_MAX: usize = 20;

/// The kind of a violation, in the order of telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A read of a value that nobody wrote.
    Phantom,
    /// A read of a value whose write certainly did not happen.
    FailedWrite,
    /// A read of a value before its write began.
    Future,
    /// A read of a value that an acknowledged write had replaced before the read began.
    StaleRead,
    /// Two values of which each would have to come before the other, although no single read is stale.
    Inversion,
    /// Two compare-and-sets that both replaced the same value.
    DoubleSuccess,
    /// Compare-and-sets of which each would have to come after another one.
    Circle,
    /// Values that follow from each other by compare-and-sets, seen in another order.
    Chain,
    /// A compare-and-set that failed although the expected value was there all the time.
    FalseFailure,
    /// Operations that fit into no order, as a search found.
    NoOrder,
}

impl Kind {
    /// All of them, in the order of telling.
    pub const ALL: [Kind; 10] = [
        Kind::Phantom,
        Kind::FailedWrite,
        Kind::Future,
        Kind::StaleRead,
        Kind::Inversion,
        Kind::DoubleSuccess,
        Kind::Circle,
        Kind::Chain,
        Kind::FalseFailure,
        Kind::NoOrder,
    ];

    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Phantom => "phantom",
            Kind::FailedWrite => "failed-write-visible",
            Kind::Future => "read-from-the-future",
            Kind::StaleRead => "stale-read",
            Kind::Inversion => "inversion",
            Kind::DoubleSuccess => "double-success",
            Kind::Circle => "circle-of-compare-and-sets",
            Kind::Chain => "chain-out-of-order",
            Kind::FalseFailure => "false-failure",
            Kind::NoOrder => "no-order",
        }
    }
}

/// One of the two proofs of a conflict: `first` had finished before `then` began, so its value came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Before {
    /// An operation of the value that came first; none for the initial value, which is there from the beginning.
    pub first: Option<u32>,
    /// An operation of the other value, which began later.
    pub then: u32,
}

impl Before {
    fn both(&self) -> [Option<u32>; 2] {
        [self.first, Some(self.then)]
    }
}

/// Operations that prove a violation, as places in [`Trace::ops`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// The read of a value that nobody wrote.
    Phantom {
        /// The read.
        read: u32,
    },
    /// A failed write and a read of its value.
    FailedWrite {
        /// The write.
        write: u32,
        /// The read.
        read: u32,
    },
    /// A read that had ended before the write of its value began.
    Future {
        /// The write.
        write: u32,
        /// The read.
        read: u32,
    },
    /// A read whose value had been replaced.
    StaleRead {
        /// The write of the value read; none for the initial value.
        older: Option<u32>,
        /// An acknowledged write that began after that and ended before the read began.
        newer: u32,
        /// The read.
        read: u32,
    },
    /// Two values of which each would have to come before the other.
    Inversion {
        /// Writes of the two values; none for the initial value.
        writes: [Option<u32>; 2],
        /// The first value before the second.
        there: Before,
        /// And the second before the first.
        back: Before,
    },
    /// Two compare-and-sets that both replaced the same value.
    DoubleSuccess {
        /// The write of that value; none for the initial value.
        write: Option<u32>,
        /// The two.
        sets: [u32; 2],
    },
    /// Compare-and-sets that each expect what another of them wrote.
    Circle {
        /// All of them, each expecting what the one before it wrote.
        sets: Vec<u32>,
    },
    /// Two chains of compare-and-sets, of which each would have to come before the other; or one that was seen backwards.
    Chain {
        /// The writes that each chain begins with, as far as they matter.
        writes: Vec<u32>,
        /// The compare-and-sets between the values that were seen.
        sets: Vec<u32>,
        /// What finished before what.
        seen: Vec<Before>,
    },
    /// A compare-and-set that failed although the expected value was there all the time.
    FalseFailure {
        /// The write of the expected value; none for the initial value.
        write: Option<u32>,
        /// An operation that proves that it was there when the compare-and-set began; none for the initial value.
        since: Option<u32>,
        /// The compare-and-set.
        set: u32,
        /// An operation that proves that it was there when the compare-and-set had ended.
        until: u32,
    },
    /// Operations that fit into no order.
    NoOrder(NoOrder),
}

impl Proof {
    /// The kind of violation that it proves.
    pub fn kind(&self) -> Kind {
        match self {
            Proof::Phantom { .. } => Kind::Phantom,
            Proof::FailedWrite { .. } => Kind::FailedWrite,
            Proof::Future { .. } => Kind::Future,
            Proof::StaleRead { .. } => Kind::StaleRead,
            Proof::Inversion { .. } => Kind::Inversion,
            Proof::DoubleSuccess { .. } => Kind::DoubleSuccess,
            Proof::Circle { .. } => Kind::Circle,
            Proof::Chain { .. } => Kind::Chain,
            Proof::FalseFailure { .. } => Kind::FalseFailure,
            Proof::NoOrder(_) => Kind::NoOrder,
        }
    }

    /// The operations that prove it, each once, as places in [`Trace::ops`], in the order of their letters.
    pub fn operations(&self) -> Vec<u32> {
        let some = |all: &[Option<u32>]| all.iter().flatten().copied().collect::<Vec<u32>>();
        let mut all = match self {
            &Proof::Phantom { read } => vec![read],
            &(Proof::FailedWrite { write, read } | Proof::Future { write, read }) => {
                vec![write, read]
            }
            &Proof::StaleRead { older, newer, read } => some(&[older, Some(newer), Some(read)]),
            Proof::Inversion {
                writes,
                there,
                back,
            } => [some(writes), some(&there.both()), some(&back.both())].concat(),
            &Proof::DoubleSuccess { write, sets } => some(&[write, Some(sets[0]), Some(sets[1])]),
            Proof::Circle { sets } => sets.clone(),
            Proof::Chain { writes, sets, seen } => {
                let seen = seen.iter().flat_map(Before::both).flatten();
                writes.iter().chain(sets).copied().chain(seen).collect()
            }
            &Proof::FalseFailure {
                write,
                since,
                set,
                until,
            } => some(&[write, since, Some(set), Some(until)]),
            Proof::NoOrder(found) => found.operations.clone(),
        };
        if self.kind() >= Kind::Inversion {
            // Operations stand in the order of their invocations in a trace, and so do their letters.
            all.sort_unstable();
            all.dedup();
        }
        all
    }
}

impl Proof {
    /// Gives every operation another place.
    pub(super) fn for_each_place(&mut self, mut change: impl FnMut(&mut u32)) {
        let change_before = |before: &mut Before, change: &mut dyn FnMut(&mut u32)| {
            before.first.iter_mut().for_each(&mut *change);
            change(&mut before.then);
        };
        match self {
            Proof::Phantom { read } => change(read),
            Proof::FailedWrite { write, read } | Proof::Future { write, read } => {
                [write, read].into_iter().for_each(change);
            }
            Proof::StaleRead { older, newer, read } => {
                older.iter_mut().chain([newer, read]).for_each(change);
            }
            Proof::Inversion {
                writes,
                there,
                back,
            } => {
                writes.iter_mut().flatten().for_each(&mut change);
                change_before(there, &mut change);
                change_before(back, &mut change);
            }
            Proof::DoubleSuccess { write, sets } => {
                write.iter_mut().chain(sets).for_each(change);
            }
            Proof::Circle { sets } => sets.iter_mut().for_each(change),
            Proof::Chain { writes, sets, seen } => {
                writes.iter_mut().chain(sets).for_each(&mut change);
                for before in seen {
                    change_before(before, &mut change);
                }
            }
            Proof::FalseFailure {
                write,
                since,
                set,
                until,
            } => {
                let optional = write.iter_mut().chain(since);
                optional.chain([set, until]).for_each(change);
            }
            Proof::NoOrder(found) => found.operations.iter_mut().for_each(change),
        }
    }
}

/// One violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When it showed: the invocation of the last operation that it takes to prove it.
    pub at: u64,
    /// The operations that prove it.
    pub proof: Proof,
}

impl Violation {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        self.proof.kind()
    }

    /// The operations that prove it, each once, as places in [`Trace::ops`], in the order of their letters.
    pub fn operations(&self) -> Vec<u32> {
        self.proof.operations()
    }

    /// The operations that prove it, all that their compare-and-sets lead back to, and what proves that those of unknown
    /// outcome happened: judged alone, they show the same.
    pub fn support(&self, trace: &Trace) -> Vec<u32> {
        let mut all = self.operations();
        let sets = |op: &RegisterOp| matches!(op.action, Action::Cas { .. });
        if !all
            .iter()
            .any(|&at| trace.ops.get(at as usize).is_some_and(sets))
        {
            return all;
        }
        let (writers, seen_by) = (trace.writers(), trace.seen_by());
        let about = |list: &[Option<u32>], value: ValueId| list.get(value.0 as usize).copied()?;
        let mut next = 0;
        while let Some(op) = all.get(next).and_then(|&at| trace.ops.get(at as usize)) {
            next += 1;
            let expected = match op.action {
                Action::Cas { expected, .. } => about(&writers, expected),
                _ => None,
            };
            let unknown = op.written().filter(|_| !op.is_ok());
            let shown = unknown.and_then(|value| about(&seen_by, value));
            for at in [expected, shown].into_iter().flatten() {
                if !all.contains(&at) {
                    all.push(at);
                }
            }
        }
        all.sort_unstable();
        all
    }

    /// The violation in words. `value` tells the value that the operation at a place (see
    /// [`RegisterOp::place`](super::RegisterOp)) wrote or returned.
    pub fn tell(&self, trace: &Trace, value: &dyn Fn(usize) -> String) -> Tale {
        if let Proof::NoOrder(found) = &self.proof {
            return found.tell(trace, value);
        }
        let teller = Teller {
            trace,
            operations: self.operations(),
            value,
        };
        let (then, however) = teller.story(&self.proof);
        let lets = teller.operations.iter().map(|&at| teller.place(at));
        Tale {
            lets: lets.collect(),
            then,
            however,
        }
    }
}

/// The violations of a trace: how many of each kind, and the first of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violations {
    /// How many there are of each kind, in the order of [`Kind::ALL`].
    pub counts: [u64; Kind::ALL.len()],
    /// The first of them, earliest first.
    pub kept: Vec<Violation>,
}

impl Violations {
    /// How many there are of a kind.
    pub fn count(&self, kind: Kind) -> u64 {
        self.counts[kind as usize]
    }

    /// Counts a violation, and keeps it if it is among the first. Its proof is built only if it is kept.
    pub(super) fn see(&mut self, at: u64, kind: Kind, proof: impl FnOnce() -> Proof) {
        self.counts[kind as usize] += 1;
        if self.kept.len() == VIOLATIONS_KEPT_MAX && self.kept.last().is_some_and(|v| v.at < at) {
            return;
        }
        let proof = proof();
        let place = self
            .kept
            .partition_point(|kept| (kept.at, kept.kind(), &kept.proof) <= (at, kind, &proof));
        if place < VIOLATIONS_KEPT_MAX {
            self.kept.truncate(VIOLATIONS_KEPT_MAX - 1);
            self.kept.insert(place, Violation { at, proof });
        }
    }
}
