//! The operations of sessions as plain numbers: the input of every judge in this room.
//!
//! A session is what one process does, one operation after another, whichever coordinators it asks. Ids are dense; the
//! value 0 of each key is what it held before anything was written, and every other value is written once per key at most.
//! It judges nothing.

use crate::history::Status;
use crate::register::ValueId;

/// What an operation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A read that returned a value.
    Read(ValueId),
    /// A write; also a delete, as a write of a value that nobody can be seen to read.
    Write(ValueId),
}

impl Action {
    /// The value read or written.
    pub fn value(self) -> ValueId {
        match self {
            Action::Read(value) | Action::Write(value) => value,
        }
    }
}

/// One operation of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionOp {
    /// The session: processes by dense ids.
    pub process: u32,
    /// The key, by a dense id.
    pub key: u32,
    /// What was done.
    pub action: Action,
    /// When it was invoked, ns.
    pub call: u64,
    /// When it completed, ns; [`SessionOp::NEVER`] if its outcome is unknown.
    pub ret: u64,
    /// How it ended. Only ok reads count, and writes that did not fail.
    pub status: Status,
    /// Its place in the list that it was made from, for witnesses.
    pub place: u32,
}

impl SessionOp {
    /// Later than every real time.
    pub const NEVER: u64 = u64::MAX;

    /// Whether it is a write that may have happened.
    pub(super) fn is_live_write(&self) -> bool {
        matches!(self.action, Action::Write(_)) && self.status != Status::Fail
    }

    /// Whether it is a read that counts.
    pub(super) fn is_ok_read(&self) -> bool {
        matches!(self.action, Action::Read(_)) && self.status == Status::Ok
    }
}

/// The same operations with the smallest possible ids, in the same order. Judges keep tables by id, so ids of a small part of a large
/// history, or ids that are not dense at all, are renumbered first.
pub(super) fn renumbered(ops: &[SessionOp]) -> Vec<SessionOp> {
    let ranks = |of: &dyn Fn(&SessionOp) -> u32| {
        let mut all: Vec<u32> = ops.iter().map(of).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let rank = |all: &[u32], id: u32| {
        u32::try_from(all.partition_point(|&other| other < id)).unwrap_or(u32::MAX)
    };
    let (processes, keys) = (ranks(&|op| op.process), ranks(&|op| op.key));
    let mut values: Vec<(u32, u32)> = ops
        .iter()
        .map(|op| (op.key, op.action.value().0))
        .filter(|&(_, value)| value > 0)
        .collect();
    values.sort_unstable();
    values.dedup();
    let value = |key: u32, value: ValueId| {
        let first = values.partition_point(|&(other, _)| other < key);
        let at = values.partition_point(|&other| other < (key, value.0));
        match value {
            ValueId::INITIAL => value,
            _ => ValueId(u32::try_from(at - first + 1).unwrap_or(u32::MAX)),
        }
    };
    let renumber = |op: &SessionOp| SessionOp {
        process: rank(&processes, op.process),
        key: rank(&keys, op.key),
        action: match op.action {
            Action::Read(read) => Action::Read(value(op.key, read)),
            Action::Write(written) => Action::Write(value(op.key, written)),
        },
        ..*op
    };
    ops.iter().map(renumber).collect()
}

/// Whether tables by id would be far larger than the operations.
pub(super) fn is_sparse(ops: &[SessionOp]) -> bool {
    let largest = ops
        .iter()
        .map(|op| op.process.max(op.key).max(op.action.value().0));
    largest.max().unwrap_or(0) as usize > 16 + 2 * ops.len()
}
