//! Violations of a register in words: what follows from the operations, and what was seen instead.
//!
//! It knows letters and values, no names and no clocks: those belong to whoever knows the history.

use super::trace::{Action, Trace, ValueId};
use super::violation::{Before, Proof};
use crate::tale::Tale;

/// Words for the operations of one violation.
pub(super) struct Teller<'a> {
    pub(super) trace: &'a Trace,
    pub(super) operations: Vec<u32>,
    pub(super) value: &'a dyn Fn(usize) -> String,
}

impl Teller<'_> {
    pub(super) fn story(&self, proof: &Proof) -> (Vec<String>, String) {
        match proof {
            &Proof::Phantom { read } if self.is_set(read) => (
                vec!["Nobody ever wrote the value that it expected.".to_owned()],
                format!(
                    "However, {} replaced that value: a value from nowhere.",
                    self.letter(read)
                ),
            ),
            &Proof::Phantom { read } => {
                let (a, found) = (self.letter(read), self.value(read));
                (
                    vec![format!("Nobody ever wrote {found} to this key.")],
                    format!("However, {a} returned {found}: a value from nowhere."),
                )
            }
            &Proof::FailedWrite { write, read } => {
                let (a, b, failed) = (self.letter(write), self.letter(read), self.value(write));
                (
                    vec![format!(
                        "{a} failed, which says that {failed} was never written."
                    )],
                    format!(
                        "However, {b} {} {failed}: the failure was not true.",
                        self.saw(read)
                    ),
                )
            }
            &Proof::Future { write, read } => {
                let (a, b, found) = (self.letter(write), self.letter(read), self.value(read));
                (
                    vec![
                        format!("Only {a} wrote {found}."),
                        format!("{b} finished before {a} began, so it cannot have seen it."),
                    ],
                    format!("However, {b} returned {found}: a value from the future."),
                )
            }
            &Proof::StaleRead { older, newer, read } => self.stale_read(older, newer, read),
            &Proof::Inversion { there, back, .. } => self.inversion(there, back),
            &Proof::DoubleSuccess { sets, .. } => self.double_success(sets),
            Proof::Circle { sets } => self.circle(sets),
            Proof::Chain { sets, seen, .. } => self.chain(sets, seen),
            &Proof::FalseFailure {
                since, set, until, ..
            } => self.false_failure(since, set, until),
            Proof::NoOrder(found) => {
                let tale = found.tell(self.trace, self.value);
                (tale.then, tale.however)
            }
        }
    }

    fn double_success(&self, [one, other]: [u32; 2]) -> (Vec<String>, String) {
        let (a, b, found) = (self.letter(one), self.letter(other), self.expected(one));
        let then = format!(
            "{a} replaced {found} by {}, and {found} was written only once, so it was gone for good.",
            self.value(one)
        );
        let however = format!(
            "However, {b} replaced {found} as well, by {}: only one of them can have succeeded.",
            self.value(other)
        );
        (vec![then], however)
    }

    fn circle(&self, sets: &[u32]) -> (Vec<String>, String) {
        let then = sets.iter().map(|&at| self.replaced(at)).collect();
        let however = "However, each of them had to come after another of them: none can have been the first.";
        (then, however.to_owned())
    }

    fn chain(&self, sets: &[u32], seen: &[Before]) -> (Vec<String>, String) {
        let mut then = vec![
            "Every value was written only once, so the key held it during one stretch of time, and a compare-and-set \
             follows at once on the value that it expected."
                .to_owned(),
        ];
        then.extend(sets.iter().map(|&at| self.replaced(at)));
        let mut told = seen.iter().map(|before| {
            let first = before.first.map_or("that".to_owned(), |at| self.did(at));
            format!("{first} and finished before {}", self.began(before.then))
        });
        let last = told.next_back().unwrap_or_default();
        then.extend(told.map(|text| format!("{text}.")));
        (
            then,
            format!("However, {last}: no order has room for all of that."),
        )
    }

    fn false_failure(&self, since: Option<u32>, set: u32, until: u32) -> (Vec<String>, String) {
        let (x, found) = (self.letter(set), self.expected(set));
        let there = match since {
            Some(at) => format!(
                "{} had finished before {x} began, so {found} was in the key by then.",
                self.letter(at)
            ),
            None => format!("The key held {found} in the beginning."),
        };
        let still = format!(
            "{} needed {found} and began after {x} had finished, so {found} was still there.",
            self.letter(until)
        );
        let however = format!(
            "However, {x} expected {found} and failed, as if something else had been there."
        );
        (vec![there, still], however)
    }

    /// Such as `C replaced 2 by 3.`
    fn replaced(&self, at: u32) -> String {
        format!(
            "{} replaced {} by {}.",
            self.letter(at),
            self.expected(at),
            self.value(at)
        )
    }

    /// The value that a compare-and-set expected, as the operation that wrote it tells it.
    fn expected(&self, at: u32) -> String {
        let op = |at: u32| self.trace.ops.get(at as usize);
        let Some(Action::Cas { expected, .. }) = op(at).map(|op| op.action) else {
            return self.value(at);
        };
        let is_about = |other: &&u32| {
            op(**other).is_some_and(|op| {
                op.action == Action::Read(expected) || op.written() == Some(expected)
            })
        };
        match self.operations.iter().find(is_about) {
            Some(&other) => self.value(other),
            None if expected == ValueId::INITIAL => "the initial value".to_owned(),
            None => "the value that it expected".to_owned(),
        }
    }

    fn is_set(&self, at: u32) -> bool {
        let op = self.trace.ops.get(at as usize);
        op.is_some_and(|op| matches!(op.action, Action::Cas { .. }))
    }

    /// What a reader, or a compare-and-set that succeeded, did with a value.
    fn saw(&self, at: u32) -> &'static str {
        if self.is_set(at) {
            "replaced"
        } else {
            "returned"
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

    pub(super) fn place(&self, at: u32) -> usize {
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
