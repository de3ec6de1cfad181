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
use crate::exposure::Exposure;
use crate::session::rows::Survey;
use crate::witness::{Part, Witness};

/// Since when a value was in effect. `None`, before all times, for the initial value.
pub type InEffect = Option<Nanos>;

/// A write or delete of a key.
#[derive(Clone, Copy, Debug)]
pub struct Write {
    /// Its place in [`History::operations`].
    pub operation: usize,
    /// When it was invoked.
    pub call: Nanos,
    /// When it completed, or never.
    pub ret: Nanos,
    /// How it ended.
    pub status: Status,
    /// The value written; none for a delete.
    pub value: Option<i64>,
    /// When it was in effect at the latest; [`Nanos::NEVER`] if nobody knows that it ever was.
    pub in_effect: Nanos,
    /// The first ok read that returned it, by completion.
    pub first_read: Option<FirstRead>,
}

impl Write {
    /// Whether it was acknowledged.
    pub fn is_acked(&self) -> bool {
        self.status == Status::Ok
    }

    /// Whether it is a delete.
    pub fn is_delete(&self) -> bool {
        self.value.is_none()
    }

    /// The read without which nobody would know that it was in effect so soon.
    pub fn shown_by(&self) -> Option<usize> {
        self.first_read
            .filter(|read| read.ret < self.ret)
            .map(|read| read.operation)
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

/// An ok read, or an ok answer of one replica in the census.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    /// Its place in [`History::operations`].
    pub operation: usize,
    /// When it was invoked.
    pub call: Nanos,
    /// When it completed.
    pub ret: Nanos,
    /// Where its value comes from.
    pub source: Source,
    /// Since when that value was in effect; for nothing, by the most lenient candidate.
    pub in_effect: InEffect,
    /// The write or delete behind [`Read::in_effect`], as a place in [`KeyIndex::writes`]; none for the initial value.
    pub origin: Option<usize>,
}

/// A delete, with the latest end of all deletes that began no later.
#[derive(Clone, Copy, Debug)]
struct DeleteSoFar {
    call: Nanos,
    ret_max: Nanos,
    write: usize,
}

/// All that happened to one key.
#[derive(Clone, Debug, Default)]
pub struct KeyIndex {
    /// Writes and deletes, refused ones included, in the order of their invocations.
    pub writes: Vec<Write>,
    /// Places in [`KeyIndex::writes`] of the acknowledged ones, in the order of their invocations.
    pub acked: Vec<usize>,
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
        self.reads.iter().filter(|read| read.source.is_sound())
    }

    /// Acknowledged writes and deletes, in the order of their invocations.
    pub fn acked_writes(&self) -> impl DoubleEndedIterator<Item = &Write> + Clone {
        self.acked.iter().map(|&at| &self.writes[at])
    }

    /// Whether some delete may explain that nothing was read.
    pub fn has_delete(&self) -> bool {
        !self.deletes.is_empty()
    }

    /// Adds to a witness what proves since when the value of a read was in effect.
    pub(crate) fn trace(&self, witness: Witness, read: &Read) -> Witness {
        let Some(origin) = read.origin.map(|at| &self.writes[at]) else {
            return witness;
        };
        witness
            .with(Part::Older, origin.operation)
            .with_some(Part::OlderShown, origin.shown_by())
    }

    /// Since when nothing may have been there for a reader whose read ended at `ret`: the latest end of all deletes
    /// that had begun. Any of them may be the one, so the most lenient is assumed, which can hide an anomaly
    /// but never invent one.
    fn nothing_since(&self, ret: Nanos) -> (InEffect, Option<usize>) {
        let begun = self.deletes.partition_point(|delete| delete.call <= ret);
        let last = begun.checked_sub(1).map(|at| self.deletes[at]);
        (
            last.map(|delete| delete.ret_max),
            last.map(|delete| delete.write),
        )
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
}

impl Index {
    /// Builds the views of a history.
    pub fn of(history: &History) -> Index {
        let mut keys = vec![KeyIndex::default(); history.keys.len()];
        for (at, operation) in history.operations.iter().enumerate() {
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
        for key in &mut keys {
            key.settle(history);
        }
        Index {
            keys,
            exposure: Exposure::of_history(history),
            sessions: OnceLock::new(),
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

fn unmapped_read(at: usize, operation: &Operation) -> Read {
    Read {
        operation: at,
        call: operation.call,
        ret: operation.ret,
        source: Source::Nobody,
        in_effect: None,
        origin: None,
    }
}

impl KeyIndex {
    fn add_write(&mut self, at: usize, operation: &Operation) {
        let value = match (operation.f, &operation.value) {
            (Function::Delete, _) => None,
            (_, Value::Int(value)) => Some(*value),
            _ => {
                self.unmapped = Some("keys with a written value that is no integer");
                return;
            }
        };
        if operation.is_ok() {
            self.acked.push(self.writes.len());
        }
        if value.is_none() && operation.status != Status::Fail {
            let so_far = self
                .deletes
                .last()
                .filter(|last| last.ret_max >= operation.ret);
            let (ret_max, write) = so_far.map_or((operation.ret, self.writes.len()), |last| {
                (last.ret_max, last.write)
            });
            self.deletes.push(DeleteSoFar {
                call: operation.call,
                ret_max,
                write,
            });
        }
        self.writes.push(Write {
            operation: at,
            call: operation.call,
            ret: operation.ret,
            status: operation.status,
            value,
            in_effect: if operation.status == Status::Fail {
                Nanos::NEVER
            } else {
                operation.ret
            },
            first_read: None,
        });
    }

    /// Maps every value read to its write, then settles since when each was in effect.
    fn settle(&mut self, history: &History) {
        self.keep_last_answers(history);
        let mut writers: Vec<(i64, usize)> = (0..)
            .zip(&self.writes)
            .filter_map(|(at, write)| write.value.map(|value| (value, at)))
            .collect();
        writers.sort_unstable();
        if writers.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            self.unmapped
                .get_or_insert("keys on which a value was written twice");
        }
        if self.unmapped.is_some() {
            return;
        }
        let mut reads = std::mem::take(&mut self.reads);
        for read in &mut reads {
            read.source = self.source(&writers, read, history);
            if let Source::Written(at) = read.source {
                let write = &mut self.writes[at];
                write.in_effect = write.in_effect.min(read.ret);
                if write.first_read.is_none_or(|first| read.ret < first.ret) {
                    write.first_read = Some(FirstRead {
                        ret: read.ret,
                        operation: read.operation,
                    });
                }
            }
        }
        let mut census = std::mem::take(&mut self.census);
        for read in &mut census {
            read.source = self.source(&writers, read, history);
        }
        for read in reads.iter_mut().chain(&mut census) {
            (read.in_effect, read.origin) = match read.source {
                Source::Written(at) => (Some(self.writes[at].in_effect), Some(at)),
                Source::Nothing => self.nothing_since(read.ret),
                Source::Refused(_) | Source::Future(_) | Source::Nobody => {
                    (Some(Nanos::NEVER), None)
                }
            };
        }
        self.reads = reads;
        self.census = census;
    }

    /// A replica that was asked again counts with its last answer.
    fn keep_last_answers(&mut self, history: &History) {
        let node = |read: &Read| history.operations[read.operation].node();
        self.census
            .sort_by_key(|read| (node(read), std::cmp::Reverse(read.operation)));
        self.census.dedup_by_key(|read| node(read));
        self.census.sort_by_key(|read| read.operation);
    }

    fn source(&self, writers: &[(i64, usize)], read: &Read, history: &History) -> Source {
        let value = match history.operations[read.operation].value {
            Value::Nil => return Source::Nothing,
            Value::Int(value) => value,
            // Only integers were written, so this one was not.
            Value::Json(_) => return Source::Nobody,
        };
        let Ok(found) = writers.binary_search_by_key(&value, |&(value, _)| value) else {
            return Source::Nobody;
        };
        let at = writers[found].1;
        let write = &self.writes[at];
        match write.status {
            Status::Fail => Source::Refused(at),
            _ if read.ret < write.call => Source::Future(at),
            _ => Source::Written(at),
        }
    }
}
