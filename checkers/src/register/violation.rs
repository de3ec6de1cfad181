//! What is wrong with a trace that is not linearizable: the operations that prove it, and the words for them.
//!
//! A violation names operations by their places in [`Trace::ops`]; it holds however many other operations there were.
//! Who finds them is in `naming.rs` and `chains.rs`.

use super::trace::{Action, Trace};
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
}

impl Kind {
    /// All of them, in the order of telling.
    pub const ALL: [Kind; 5] = [
        Kind::Phantom,
        Kind::FailedWrite,
        Kind::Future,
        Kind::StaleRead,
        Kind::Inversion,
    ];

    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Phantom => "phantom",
            Kind::FailedWrite => "failed-write-visible",
            Kind::Future => "read-from-the-future",
            Kind::StaleRead => "stale-read",
            Kind::Inversion => "inversion",
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
        match self.proof {
            Proof::Phantom { .. } => Kind::Phantom,
            Proof::FailedWrite { .. } => Kind::FailedWrite,
            Proof::Future { .. } => Kind::Future,
            Proof::StaleRead { .. } => Kind::StaleRead,
            Proof::Inversion { .. } => Kind::Inversion,
        }
    }

    /// The operations that prove it, each once, as places in [`Trace::ops`], in the order of their letters.
    pub fn operations(&self) -> Vec<u32> {
        let some = |all: &[Option<u32>]| all.iter().flatten().copied().collect::<Vec<u32>>();
        let mut all = match self.proof {
            Proof::Phantom { read } => vec![read],
            Proof::FailedWrite { write, read } | Proof::Future { write, read } => vec![write, read],
            Proof::StaleRead { older, newer, read } => some(&[older, Some(newer), Some(read)]),
            Proof::Inversion {
                writes,
                there,
                back,
            } => some(&[
                writes[0],
                writes[1],
                there.first,
                Some(there.then),
                back.first,
                Some(back.then),
            ]),
        };
        if self.kind() == Kind::Inversion {
            // Operations stand in the order of their invocations in a trace, and so do their letters.
            all.sort_unstable();
            all.dedup();
        }
        all
    }

    /// The violation in words. `value` tells the value that the operation at a place (see
    /// [`RegisterOp::place`](super::RegisterOp)) wrote or returned.
    pub fn tell(&self, trace: &Trace, value: &dyn Fn(usize) -> String) -> Tale {
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

/// Words for the operations of one violation.
struct Teller<'a> {
    trace: &'a Trace,
    operations: Vec<u32>,
    value: &'a dyn Fn(usize) -> String,
}

impl Teller<'_> {
    fn story(&self, proof: &Proof) -> (Vec<String>, String) {
        match *proof {
            Proof::Phantom { read } => {
                let (a, found) = (self.letter(read), self.value(read));
                (
                    vec![format!("Nobody ever wrote {found} to this key.")],
                    format!("However, {a} returned {found}: a value from nowhere."),
                )
            }
            Proof::FailedWrite { write, read } => {
                let (a, b, found) = (self.letter(write), self.letter(read), self.value(read));
                (
                    vec![format!(
                        "{a} failed, which says that {found} was never written."
                    )],
                    format!("However, {b} returned {found}: the failure was not true."),
                )
            }
            Proof::Future { write, read } => {
                let (a, b, found) = (self.letter(write), self.letter(read), self.value(read));
                (
                    vec![
                        format!("Only {a} wrote {found}."),
                        format!("{b} finished before {a} began, so it cannot have seen it."),
                    ],
                    format!("However, {b} returned {found}: a value from the future."),
                )
            }
            Proof::StaleRead { older, newer, read } => self.stale_read(older, newer, read),
            Proof::Inversion { there, back, .. } => self.inversion(there, back),
        }
    }

    fn stale_read(&self, older: Option<u32>, newer: u32, read: u32) -> (Vec<String>, String) {
        let (b, c) = (self.letter(newer), self.letter(read));
        let (new, found) = (self.value(newer), self.value(read));
        let replaced = match older.map(|older| self.letter(older)) {
            Some(a) => format!("{a} finished before {b} began, so {new} replaced {found}."),
            None => format!("The key held {found} in the beginning; {b} replaced it by {new}."),
        };
        let late = format!(
            "{b} finished before {c} began, so {c} had to return {new} or something newer."
        );
        (
            vec![replaced, late],
            format!("However, {c} returned {found}: a contradiction."),
        )
    }

    fn inversion(&self, there: Before, back: Before) -> (Vec<String>, String) {
        let (x, y) = (self.value(back.then), self.value(there.then));
        let (Some(first), Some(again)) = (there.first, back.first) else {
            return self.back_to_the_beginning(there, back);
        };
        let once = format!(
            "{x} and {y} were each written only once, so the key held each of them during one stretch of time."
        );
        let came_first = format!(
            "{} and finished before {}, so {x} came before {y}.",
            self.did(first),
            self.began(there.then)
        );
        let however = format!(
            "However, {} and finished before {}, so {y} came before {x}: a contradiction.",
            self.did(again),
            self.began(back.then)
        );
        (vec![once, came_first], however)
    }

    /// One of the two is the initial value, which is there before all others.
    fn back_to_the_beginning(&self, there: Before, back: Before) -> (Vec<String>, String) {
        let (shown, read) = match (there.first, back.first) {
            (Some(shown), _) => (shown, there.then),
            (None, shown) => (shown.unwrap_or(there.then), back.then),
        };
        let (found, reader) = (self.value(read), self.letter(read));
        let then = vec![
            format!("The key held {found} only in the beginning, until something was written."),
            format!(
                "{} and finished before {reader} began, so {reader} could not find {found} any more.",
                self.did(shown)
            ),
        ];
        let however = format!("However, {reader} returned {found}: it went back in time.");
        (then, however)
    }

    /// Such as `A wrote 312`.
    fn did(&self, at: u32) -> String {
        format!("{} {} {}", self.letter(at), self.verb(at), self.value(at))
    }

    /// Such as `B, which returned 313, began`.
    fn began(&self, at: u32) -> String {
        let (letter, verb, value) = (self.letter(at), self.verb(at), self.value(at));
        format!("{letter}, which {verb} {value}, began")
    }

    fn verb(&self, at: u32) -> &'static str {
        match self.trace.ops.get(at as usize).map(|op| op.action) {
            Some(Action::Read(_)) => "returned",
            _ => "wrote",
        }
    }

    fn place(&self, at: u32) -> usize {
        let op = self.trace.ops.get(at as usize);
        op.map_or(0, |op| op.place as usize)
    }

    fn value(&self, at: u32) -> String {
        (self.value)(self.place(at))
    }

    fn letter(&self, at: u32) -> char {
        let position = self.operations.iter().position(|&other| other == at);
        Tale::letter(position.unwrap_or(0))
    }
}
