//! One key of a stream: what its reads are, one by one.
//!
//! Written values must be integers that ascend on their key in the order in which clients ask, as all workloads of ours write them. Then
//! whether a value is new, and whether one that can no longer be read was ever asked for, needs no memory of the values. A key on which
//! they do not ascend is not judged.

use super::hold::{Ask, Datum, Held};
use crate::history::Status;
use crate::register::stream::{Explained, RegisterStream, Sight};
use crate::register::violation::Kind;

/// Why a key is not judged at all.
pub(super) use crate::missing::NO_INTEGER;
pub(crate) const NOT_ASCENDING: &str =
    "keys whose values do not ascend: whether one repeats, only the whole history tells";
pub(crate) const NO_REGISTER: &str = "keys with siblings or sets, which a stream does not know";
pub(crate) const FOREIGN: &str = "keys with operations that a stream does not know";
pub(crate) const TOO_LONG: &str = "keys with an operation that took longer than a stream can wait";
/// Why a key on which nothing is wrong is not linearizable for certain.
pub(crate) const DELETES: &str =
    "keys with deletes: a read of nothing may mean any of them, which a stream does not try";

/// What a read carries from its beginning to its end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Begun {
    sight: Sight,
    deletes: u64,
    after_ack: bool,
    after_read: bool,
}

/// How many reads of a key were what.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) reads: u64,
    /// Reads that began after a write was acknowledged, and that could have missed it.
    pub(super) after_ack: u64,
    /// Reads that began after another had returned.
    pub(super) after_read: u64,
    pub(super) phantom: u64,
    pub(super) failed: u64,
    pub(super) stale: u64,
    pub(super) older: u64,
    pub(super) flip: u64,
    pub(super) conflict: u64,
}

/// What is wrong with a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) kind: Kind,
    /// The order of two values, with regard to when their writes began, is broken, and not only linearizability.
    pub(super) older: bool,
    pub(super) flip: bool,
    /// It proves that its key is not linearizable.
    pub(super) convicts: bool,
}

/// Deletes of a key.
#[derive(Clone, Copy, Debug, Default)]
struct Deletes {
    begun: u64,
    /// Begun and not ended; those of unknown outcome never end.
    open: u64,
    ended: Option<u64>,
}

/// One key of a stream.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyStream {
    register: RegisterStream,
    written_max: Option<i64>,
    /// Values that were refused, ascending as all values are.
    refused: Vec<i64>,
    deletes: Deletes,
    was_read: bool,
    /// Operations begun.
    pub(super) operations: u64,
    pub(super) counts: Counts,
    pub(super) unjudged: Option<&'static str>,
}

impl KeyStream {
    /// An operation begins. Its outcome is known, unless it is unknown for ever.
    pub(super) fn begins(&mut self, held: &Held) -> Begun {
        let mut begun = Begun::default();
        self.operations += 1;
        let status = held.status.unwrap_or(Status::Info);
        match (held.ask, held.value) {
            (Ask::Write, Datum::Int(value)) => self.write_begins(value, status, held.call),
            (Ask::Write, _) => self.give_up(NO_INTEGER),
            (Ask::Delete, _) if status != Status::Fail => {
                self.deletes.begun += 1;
                self.deletes.open += 1;
            }
            (Ask::Read, value) if status == Status::Ok => {
                begun.after_ack = self.register.has_acked();
                begun.after_read = self.was_read;
                begun.deletes = self.deletes.begun;
                begun.sight = match value {
                    Datum::Int(value) => self.register.read_begins(name(value), held.call),
                    Datum::Nothing if self.deletes.open == 0 => {
                        self.register.initial_read_begins(self.deletes.ended)
                    }
                    Datum::Nothing | Datum::Other => Sight::default(),
                };
            }
            (Ask::Delete | Ask::Read, _) => {}
        }
        begun
    }

    fn write_begins(&mut self, value: i64, status: Status, now: u64) {
        if self.written_max >= Some(value) {
            self.give_up(NOT_ASCENDING);
            return;
        }
        self.written_max = Some(value);
        if status == Status::Fail {
            self.refused.push(value);
        } else if !self.register.write_begins(name(value), now) {
            self.give_up(NOT_ASCENDING);
        }
    }

    /// An operation that happened ends; what is wrong with it, if it is a read and something is.
    pub(super) fn ends(&mut self, held: &Held, begun: Begun, now: u64) -> Option<Wrong> {
        match (held.ask, held.value) {
            (Ask::Write, Datum::Int(value)) => {
                self.register.write_ends(name(value), held.call, now);
                None
            }
            (Ask::Write, _) => None,
            (Ask::Delete, _) => {
                self.deletes.open = self.deletes.open.saturating_sub(1);
                self.deletes.ended = self.deletes.ended.max(Some(now));
                self.register.replaced(held.call);
                None
            }
            (Ask::Read, value) => self.read_ends(value, held.call, begun, now),
        }
    }

    fn read_ends(&mut self, value: Datum, call: u64, begun: Begun, now: u64) -> Option<Wrong> {
        self.counts.reads += 1;
        let mut sight = begun.sight;
        match value {
            Datum::Other => {
                self.counts.phantom += 1;
                return Some(wrong(Kind::Phantom));
            }
            Datum::Nothing => {
                self.register.initial_read_ends(call);
                if begun.deletes != self.deletes.begun {
                    sight = Sight::default();
                }
            }
            Datum::Int(value) => {
                if self.register.read_ends(name(value), call, now, sight) == Explained::No {
                    if self.refused.binary_search(&value).is_ok() {
                        self.counts.failed += 1;
                        return Some(wrong(Kind::FailedWrite));
                    }
                    if Some(value) > self.written_max {
                        self.counts.phantom += 1;
                        return Some(wrong(Kind::Phantom));
                    }
                    // It was asked for, and can no longer be read.
                    sight.stale = true;
                    self.register.stale_read_ends(name(value), call);
                }
            }
        }
        self.was_read = true;
        self.counts.after_ack += u64::from(begun.after_ack);
        self.counts.after_read += u64::from(begun.after_read);
        self.counts.stale += u64::from(sight.stale);
        self.counts.older += u64::from(sight.older || sight.flip);
        self.counts.flip += u64::from(sight.flip);
        let convicts = sight.convicts() && (value != Datum::Nothing || self.deletes.begun == 0);
        self.counts.conflict += u64::from(convicts);
        (sight.stale || sight.conflict || sight.older || sight.flip).then_some(Wrong {
            kind: if sight.stale {
                Kind::StaleRead
            } else {
                Kind::Inversion
            },
            older: sight.older,
            flip: sight.flip,
            convicts,
        })
    }

    /// The key cannot be judged.
    pub(super) fn give_up(&mut self, why: &'static str) {
        self.unjudged.get_or_insert(why);
    }

    /// Whether the key is linearizable; why nobody knows, if nobody does.
    pub(super) fn is_linearizable(&self) -> Result<bool, &'static str> {
        if let Some(why) = self.unjudged {
            return Err(why);
        }
        let wrong = self.counts.phantom + self.counts.failed + self.counts.conflict;
        if wrong == 0 && self.deletes.begun > 0 {
            return Err(DELETES);
        }
        Ok(wrong == 0)
    }

    /// The memory that it takes beside its own size, bytes.
    pub(super) fn bytes(&self) -> usize {
        self.register.live().1 + self.refused.capacity() * size_of::<i64>()
    }
}

fn wrong(kind: Kind) -> Wrong {
    Wrong {
        kind,
        older: false,
        flip: false,
        convicts: true,
    }
}

/// Values by their bits.
fn name(value: i64) -> u64 {
    value.cast_unsigned()
}
