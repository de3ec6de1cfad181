//! Views of a history per key, built once, so that every checker is a sweep over sorted lists.
//!
//! It maps each value that was read to the write that wrote it, which is possible because workloads write every value
//! once per key. It judges nothing, but settles one question for all judges: *since when was a value in effect?*
//!
//! A write is in effect by the end of its own operation, or by the end of the first read that returned it, if that was
//! sooner. The second half matters: with synchronised clocks a value that was read before another write began has the
//! smaller stamp, even when its own client never heard back.

use std::sync::OnceLock;

use super::event::{Nanos, Value};
use super::operation::{Function, History, KeyId, Operation, Status};
use super::writers::Writers;
use crate::executor::{Executor, Sequential};
use crate::exposure::Exposure;
use crate::missing;
use crate::multivalue::keys::Keys;
use crate::session::claims::Claims;
use crate::session::rows::Survey;
use crate::sweep::{ByEnd, Span};
use crate::witness::{Part, Witness};

/// Keys are settled in so many shares for each hand of an executor, because keys differ in size.
const SHARES_PER_HAND: usize = 16;

/// Since when a value was in effect. `None`, before all times, for the initial value.
pub type InEffect = Option<Nanos>;

/// No place, or nobody.
const NONE: u32 = u32::MAX;

/// A write or delete of a key.
#[derive(Clone, Copy, Debug)]
pub struct Write {
    /// When it was invoked.
    pub call: Nanos,
    /// When it completed, or never.
    pub ret: Nanos,
    /// When the first ok read of its value completed, if there is one.
    first_ret: Nanos,
    first_read: u32,
    operation: u32,
    /// How it ended.
    pub status: Status,
    is_delete: bool,
}

impl Write {
    /// Its place in [`History::operations`].
    pub fn operation(&self) -> usize {
        self.operation as usize
    }

    /// Whether it was acknowledged.
    pub fn is_acked(&self) -> bool {
        self.status == Status::Ok
    }

    /// Whether it is a delete.
    pub fn is_delete(&self) -> bool {
        self.is_delete
    }

    /// When it was in effect at the latest; [`Nanos::NEVER`] if nobody knows that it ever was.
    pub fn in_effect(&self) -> Nanos {
        match (self.status, self.first_read) {
            (Status::Fail, _) => Nanos::NEVER,
            (_, NONE) => self.ret,
            (..) => self.ret.min(self.first_ret),
        }
    }

    /// The first ok read that returned it, by completion.
    pub fn first_read(&self) -> Option<FirstRead> {
        (self.first_read != NONE).then_some(FirstRead {
            ret: self.first_ret,
            operation: self.first_read as usize,
        })
    }

    /// The read without which nobody would know that it was in effect so soon.
    pub fn shown_by(&self) -> Option<usize> {
        self.first_read()
            .filter(|read| read.ret < self.ret)
            .map(|read| read.operation)
    }

    fn show(&mut self, read: &Read) {
        if self.first_read == NONE || read.ret < self.first_ret {
            (self.first_ret, self.first_read) = (read.ret, read.operation);
        }
    }
}

/// The read of a value that was the first to complete.
#[derive(Clone, Copy, Debug)]
pub struct FirstRead {
    /// When it completed.
    pub ret: Nanos,
    /// Its place in [`History::operations`].
    pub operation: usize,
}

/// Where a value that was read comes from. Numbers are places in [`KeyIndex::writes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A write that may have happened.
    Written(usize),
    /// Nothing was there: the initial value, or some delete. Nobody can tell which.
    Nothing,
    /// A write that was refused.
    Refused(usize),
    /// A write that had not begun when the read ended.
    Future(usize),
    /// Nobody wrote it.
    Nobody,
}

impl Source {
    /// Whether the order of events explains how the value could be read at all. Judges of order use only such
    /// reads; the others are violations of their own kind.
    pub fn is_sound(self) -> bool {
        matches!(self, Source::Written(_) | Source::Nothing)
    }
}

/// What is behind a value that was read; the write itself is beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Written,
    Nothing,
    Refused,
    Future,
    Nobody,
}

/// An ok read, or an ok answer of one replica in the census.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    /// When it was invoked.
    pub call: Nanos,
    /// When it completed.
    pub ret: Nanos,
    /// Since when the value was in effect, if it is not the initial one.
    since: Nanos,
    operation: u32,
    /// The write or delete behind the value, as a place in [`KeyIndex::writes`].
    write: u32,
    kind: Kind,
}

impl Read {
    /// Its place in [`History::operations`].
    pub fn operation(&self) -> usize {
        self.operation as usize
    }

    /// Where its value comes from.
    pub fn source(&self) -> Source {
        let write = self.write as usize;
        match self.kind {
            Kind::Written => Source::Written(write),
            Kind::Nothing => Source::Nothing,
            Kind::Refused => Source::Refused(write),
            Kind::Future => Source::Future(write),
            Kind::Nobody => Source::Nobody,
        }
    }

    /// Since when that value was in effect; for nothing, by the most lenient candidate.
    pub fn in_effect(&self) -> InEffect {
        let initial = self.kind == Kind::Nothing && self.write == NONE;
        (!initial).then_some(self.since)
    }

    /// The write or delete behind [`Read::in_effect`], as a place in [`KeyIndex::writes`]; none for the initial value.
    pub fn origin(&self) -> Option<usize> {
        let explained = matches!(self.kind, Kind::Written | Kind::Nothing);
        (explained && self.write != NONE).then_some(self.write as usize)
    }

    fn come_from(&mut self, source: Source) {
        let place = |at: usize| u32::try_from(at).unwrap_or(NONE);
        (self.kind, self.write) = match source {
            Source::Written(at) => (Kind::Written, place(at)),
            Source::Nothing => (Kind::Nothing, NONE),
            Source::Refused(at) => (Kind::Refused, place(at)),
            Source::Future(at) => (Kind::Future, place(at)),
            Source::Nobody => (Kind::Nobody, NONE),
        };
    }
}

/// A delete, with the latest end of all deletes that began no later.
#[derive(Clone, Copy, Debug)]
struct DeleteSoFar {
    call: Nanos,
    ret_max: Nanos,
    write: u32,
}

/// All that happened to one key.
#[derive(Clone, Debug, Default)]
pub struct KeyIndex {
    /// Writes and deletes, refused ones included, in the order of their invocations.
    pub writes: Vec<Write>,
    /// Places in [`KeyIndex::writes`] of the acknowledged ones, in the order of their invocations.
    pub acked: Vec<u32>,
    /// Ok reads in the order of their invocations.
    pub reads: Vec<Read>,
    /// The census: the last ok answer of each replica.
    pub census: Vec<Read>,
    /// Why values of this key cannot be mapped to writes, if they cannot.
    pub unmapped: Option<&'static str>,
    deletes: Vec<DeleteSoFar>,
}

impl KeyIndex {
    /// Reads that the order of events can explain, in the order of their invocations.
    pub fn sound_reads(&self) -> impl DoubleEndedIterator<Item = &Read> + Clone {
        self.reads.iter().filter(|read| read.source().is_sound())
    }

    /// Acknowledged writes and deletes, in the order of their invocations.
    pub fn acked_writes(&self) -> impl DoubleEndedIterator<Item = &Write> + Clone {
        self.acked.iter().map(|&at| &self.writes[at as usize])
    }

    /// Acknowledged writes and deletes in the order of their ends.
    pub(crate) fn acked_by_end(&self) -> ByEnd<impl Iterator<Item = Span>> {
        ByEnd::of(self.acked.iter().map(|&place| {
            let write = &self.writes[place as usize];
            Span {
                call: write.call,
                end: write.ret,
                place,
            }
        }))
    }

    /// Whether some delete may explain that nothing was read.
    pub fn has_delete(&self) -> bool {
        !self.deletes.is_empty()
    }

    /// Adds to a witness what proves since when the value of a read was in effect.
    pub(crate) fn trace(&self, witness: Witness, read: &Read) -> Witness {
        let Some(origin) = read.origin().map(|at| &self.writes[at]) else {
            return witness;
        };
        witness
            .with(Part::Older, origin.operation())
            .with_some(Part::OlderShown, origin.shown_by())
    }

    /// Since when nothing may have been there for a reader whose read ended at `ret`: the latest end of all deletes
    /// that had begun. Any of them may be the one, so the most lenient is assumed, which can hide an anomaly
    /// but never invent one.
    fn nothing_since(&self, ret: Nanos) -> Option<DeleteSoFar> {
        let begun = self.deletes.partition_point(|delete| delete.call <= ret);
        begun.checked_sub(1).map(|at| self.deletes[at])
    }
}

/// Views of a history per key.
#[derive(Clone, Debug)]
pub struct Index {
    /// One per key, in the order of [`History::keys`].
    pub keys: Vec<KeyIndex>,
    /// What the run was exposed to.
    pub exposure: Exposure,
    /// What sessions saw, once somebody asked: six rows of the verdict share it.
    pub(crate) sessions: OnceLock<Survey>,
    /// The same by what the nodes claim, once somebody asked.
    pub(crate) claims: OnceLock<Claims>,
    /// Keys with several values at once, or with sets, once somebody asked.
    pub(crate) multivalue: OnceLock<Keys>,
}

impl Index {
    /// Builds the views of a history.
    pub fn of(history: &History) -> Index {
        Index::with(history, &Sequential)
    }

    /// As [`Index::of`], with as many keys at once as the executor can.
    pub fn with(history: &History, executor: &impl Executor) -> Index {
        let mut keys = vec![KeyIndex::default(); history.keys.len()];
        for (at, operation) in (0..NONE).zip(&history.operations) {
            let key = &mut keys[operation.key.0 as usize];
            match (operation.f, operation.status) {
                (Function::Write | Function::Delete, _) => key.add_write(at, operation),
                (Function::Read, Status::Ok) => key.reads.push(unmapped_read(at, operation)),
                // An answer without a replica's name cannot be told from a second answer of another one.
                (Function::Census, Status::Ok) if operation.node().is_some() => {
                    key.census.push(unmapped_read(at, operation));
                }
                // Reads that failed or are unknown constrain nothing.
                _ => {}
            }
        }
        for (id, key) in (0..).map(KeyId).zip(&mut keys) {
            if history.is_foreign(id) {
                key.unmapped = Some(missing::OTHER_KIND);
            }
        }
        let share = keys
            .len()
            .div_ceil(executor.width() * SHARES_PER_HAND)
            .max(1);
        executor.map(keys.chunks_mut(share).collect(), |keys| {
            for key in keys {
                key.settle(history);
            }
        });
        Index {
            keys,
            exposure: Exposure::of_history(history),
            sessions: OnceLock::new(),
            claims: OnceLock::new(),
            multivalue: OnceLock::new(),
        }
    }

    /// The keys whose values map to writes, with their ids.
    pub fn mapped(&self) -> impl Iterator<Item = (KeyId, &KeyIndex)> {
        (0..)
            .map(KeyId)
            .zip(&self.keys)
            .filter(|(_, key)| key.unmapped.is_none())
    }
}

fn unmapped_read(at: u32, operation: &Operation) -> Read {
    Read {
        call: operation.call,
        ret: operation.ret,
        since: Nanos::NEVER,
        operation: at,
        write: NONE,
        kind: Kind::Nobody,
    }
}

impl KeyIndex {
    fn add_write(&mut self, at: u32, operation: &Operation) {
        let is_delete = operation.f == Function::Delete;
        if !is_delete && !matches!(operation.value, Value::Int(_)) {
            self.unmapped = Some(missing::NO_INTEGER);
            return;
        }
        // There are no more writes than operations.
        let place = u32::try_from(self.writes.len()).unwrap_or(NONE);
        if operation.is_ok() {
            self.acked.push(place);
        }
        if is_delete && operation.status != Status::Fail {
            let so_far = self
                .deletes
                .last()
                .filter(|last| last.ret_max >= operation.ret);
            let (ret_max, write) =
                so_far.map_or((operation.ret, place), |last| (last.ret_max, last.write));
            self.deletes.push(DeleteSoFar {
                call: operation.call,
                ret_max,
                write,
            });
        }
        self.writes.push(Write {
            call: operation.call,
            ret: operation.ret,
            first_ret: Nanos::NEVER,
            first_read: NONE,
            operation: at,
            status: operation.status,
            is_delete,
        });
    }

    /// Maps every value read to its write, then settles since when each was in effect.
    fn settle(&mut self, history: &History) {
        self.keep_last_answers(history);
        let written = (0..NONE).zip(&self.writes).filter_map(|(at, write)| {
            match history.operations[write.operation()].value {
                Value::Int(value) if !write.is_delete => Some((value, at)),
                _ => None,
            }
        });
        let Some(writers) = Writers::of(written) else {
            self.unmapped.get_or_insert(missing::WRITTEN_TWICE);
            return;
        };
        if self.unmapped.is_some() {
            return;
        }
        let mut reads = std::mem::take(&mut self.reads);
        for read in &mut reads {
            let source = self.source(&writers, read, history);
            read.come_from(source);
            if let Source::Written(at) = source {
                self.writes[at].show(read);
            }
        }
        let mut census = std::mem::take(&mut self.census);
        for read in &mut census {
            read.come_from(self.source(&writers, read, history));
        }
        for read in reads.iter_mut().chain(&mut census) {
            match read.source() {
                Source::Written(at) => read.since = self.writes[at].in_effect(),
                Source::Nothing => {
                    if let Some(delete) = self.nothing_since(read.ret) {
                        (read.since, read.write) = (delete.ret_max, delete.write);
                    }
                }
                Source::Refused(_) | Source::Future(_) | Source::Nobody => {}
            }
        }
        self.reads = reads;
        self.census = census;
    }

    /// A replica that was asked again counts with its last answer.
    fn keep_last_answers(&mut self, history: &History) {
        let node = |read: &Read| history.operations[read.operation()].node();
        self.census
            .sort_by_key(|read| (node(read), std::cmp::Reverse(read.operation())));
        self.census.dedup_by_key(|read| node(read));
        self.census.sort_by_key(Read::operation);
    }

    fn source(&self, writers: &Writers, read: &Read, history: &History) -> Source {
        let value = match history.operations[read.operation()].value {
            Value::Nil => return Source::Nothing,
            Value::Int(value) => value,
            // Only integers were written, so this one was not.
            Value::Json(_) => return Source::Nobody,
        };
        let Some(at) = writers.find(value) else {
            return Source::Nobody;
        };
        let write = &self.writes[at];
        match write.status {
            Status::Fail => Source::Refused(at),
            _ if read.ret < write.call => Source::Future(at),
            _ => Source::Written(at),
        }
    }
}
