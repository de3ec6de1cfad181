//! Puts one thing wrong into a synthetic history, at the first occasion after its middle at which it is certain to be wrong.
//!
//! It watches what the clients see and asks one read to lie. It needs the memory of one key only.

use super::Corruption;

/// A value far above any that is written, and exact in every JSON reader.
const PHANTOM: i64 = 4_000_000_000_000_000;

/// What a read returns instead of what it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lie {
    /// This value.
    Value(i64),
    /// The value that the next write of its key will carry, as things are when the read ends.
    NextWritten,
}

/// How far the corruption has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Waiting for the occasion.
    Waiting,
    /// This value was in effect by this time.
    InEffect { key: u32, value: i64, by: u64 },
    /// A read of this key that begins after this time may return the value.
    Armed { key: u32, value: i64, after: u64 },
    /// This write will be refused.
    Refusing { key: u32, value: i64 },
    /// Done.
    Over,
}

/// A value that a key has held, as far as inversions go.
#[derive(Clone, Copy, Debug)]
struct Held {
    value: i64,
    /// When its write began; none if that is too long ago to matter.
    call: Option<u64>,
    /// When some client knew that it was in effect.
    known: Option<u64>,
    acked: bool,
}

#[derive(Debug)]
pub(super) struct Corrupter {
    corruption: Corruption,
    from_operation: u64,
    due: bool,
    stage: Stage,
    shown_at: Option<u64>,
    /// The key that is watched for an inversion, the values that it holds and held before, and the latest beginning of a write that was acknowledged.
    watched: Option<u32>,
    held: Option<Held>,
    held_before: Option<Held>,
    acked_call_max: u64,
}

impl Corrupter {
    pub(super) fn new(corruption: Corruption, operations: u64) -> Corrupter {
        Corrupter {
            corruption,
            from_operation: operations / 2,
            due: false,
            stage: Stage::Waiting,
            shown_at: None,
            watched: None,
            held: None,
            held_before: None,
            acked_call_max: 0,
        }
    }

    pub(super) fn shown_at(&self) -> Option<u64> {
        self.shown_at
    }

    pub(super) fn shows(&mut self, index: u64) {
        self.shown_at.get_or_insert(index);
    }

    /// A read begins: whether it will lie. `operation` counts from 1.
    pub(super) fn read_begins(&mut self, operation: u64, key: u32, now: u64) -> Option<Lie> {
        self.due |= operation > self.from_operation;
        match (self.corruption, self.stage) {
            (
                _,
                Stage::Armed {
                    key: armed,
                    value,
                    after,
                },
            ) if armed == key && after < now => {
                self.stage = Stage::Over;
                Some(Lie::Value(value))
            }
            (Corruption::Phantom, Stage::Waiting) if self.due => {
                self.stage = Stage::Over;
                Some(Lie::Value(PHANTOM))
            }
            (Corruption::Future, Stage::Waiting) if self.due => {
                self.stage = Stage::Over;
                Some(Lie::NextWritten)
            }
            _ => None,
        }
    }

    /// A write begins: whether it must be refused.
    pub(super) fn write_begins(
        &mut self,
        operation: u64,
        key: u32,
        value: i64,
        refused: bool,
    ) -> bool {
        self.due |= operation > self.from_operation;
        if !self.due || self.stage != Stage::Waiting {
            return false;
        }
        match self.corruption {
            Corruption::FailedWrite => {
                self.stage = Stage::Refusing { key, value };
                true
            }
            Corruption::Inversion if self.watched.is_none() && !refused => {
                self.watched = Some(key);
                false
            }
            _ => false,
        }
    }

    /// A write takes effect. Where no beginning is given, the write is not used for an inversion.
    pub(super) fn takes_effect(&mut self, key: u32, value: i64, call: Option<u64>) {
        if self.watched != Some(key) {
            return;
        }
        self.held_before = self.held.replace(Held {
            value,
            call,
            known: None,
            acked: false,
        });
        self.disarm();
    }

    /// A write was acknowledged.
    pub(super) fn write_ends(&mut self, key: u32, value: i64, call: u64, now: u64) {
        match (self.corruption, self.stage) {
            (Corruption::StaleRead, Stage::Waiting) if self.due => {
                self.stage = Stage::InEffect {
                    key,
                    value,
                    by: now,
                };
            }
            (Corruption::StaleRead, Stage::InEffect { key: of, value, by })
                if of == key && by < call =>
            {
                self.stage = Stage::Armed {
                    key,
                    value,
                    after: now,
                };
            }
            _ => {}
        }
        if self.watched == Some(key) {
            self.acked_call_max = self.acked_call_max.max(call);
            for held in self.held.iter_mut().chain(&mut self.held_before) {
                if held.value == value {
                    held.acked = true;
                    held.known.get_or_insert(now);
                }
            }
            self.disarm();
        }
    }

    /// A write was refused.
    pub(super) fn refusal_ends(&mut self, key: u32, value: i64, now: u64) {
        if self.stage == (Stage::Refusing { key, value }) {
            self.stage = Stage::Armed {
                key,
                value,
                after: now,
            };
        }
    }

    /// A read returned. If it is the first to show a write that is still under way, the next read may go back behind it.
    pub(super) fn read_ends(&mut self, key: u32, found: Option<i64>, call: u64, now: u64) {
        if self.watched != Some(key) {
            return;
        }
        for held in self.held.iter_mut().chain(&mut self.held_before) {
            if Some(held.value) == found {
                held.known.get_or_insert(now);
            }
        }
        let (Some(held), Some(before)) = (self.held, self.held_before) else {
            return;
        };
        let Some(known) = before.known else { return };
        let under_way = !held.acked && held.call.is_some_and(|began| known < began);
        let not_stale = self.acked_call_max <= known;
        let shown = Some(held.value) == found && known < call;
        if self.stage == Stage::Waiting && shown && under_way && not_stale {
            self.stage = Stage::Armed {
                key,
                value: before.value,
                after: now,
            };
        }
    }

    /// What was armed for an inversion would now be a stale read, or nothing at all.
    fn disarm(&mut self) {
        if self.corruption == Corruption::Inversion && matches!(self.stage, Stage::Armed { .. }) {
            self.stage = Stage::Waiting;
        }
    }
}
