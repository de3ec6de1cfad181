//! From our own histories to the operations of sessions.
//!
//! Reads that the order of events cannot explain are left out, for they are violations of their own kind; so are reads of nothing once a delete
//! may have happened, because nobody can tell which nothing they mean. A delete is a write that nobody can be seen to read.

use crate::history::index::{KeyIndex, Read, Source, Write};
use crate::history::{History, Index, KeyId, Status};
use crate::register::ValueId;

use super::trace::{Action, SessionOp};

/// Processes of a history by dense numbers.
pub(super) struct Processes(Vec<u64>);

impl Processes {
    pub(super) fn of(history: &History) -> Processes {
        let processes = || history.operations.iter().map(|op| op.process);
        let end = processes().max().map_or(0, |most| most.saturating_add(1));
        if end <= history.operations.len() as u64 {
            let mut is_there = vec![false; usize::try_from(end).unwrap_or(0)];
            for process in processes() {
                is_there[usize::try_from(process).unwrap_or(0)] = true;
            }
            let numbered = (0..).zip(is_there);
            let all = numbered.filter(|(_, is_there)| *is_there);
            return Processes(all.map(|(process, _)| process).collect());
        }
        let mut all: Vec<u64> = processes().collect();
        all.sort_unstable();
        all.dedup();
        Processes(all)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn number(&self, process: u64) -> u32 {
        let dense = usize::try_from(process).ok();
        // Mostly the processes are numbered from 0 already.
        let at = match dense.filter(|&at| self.0.get(at) == Some(&process)) {
            Some(at) => at,
            None => self.0.partition_point(|&other| other < process),
        };
        u32::try_from(at).unwrap_or(u32::MAX)
    }
}

/// The operations of one key, in the order of their invocations.
pub(super) fn of_key(
    history: &History,
    processes: &Processes,
    key: KeyId,
    index: &KeyIndex,
) -> Vec<SessionOp> {
    let mut ops = Vec::with_capacity(index.writes.len() + index.reads.len());
    let mut writes = (1..).zip(&index.writes).peekable();
    let op =
        |at: usize, action, call: crate::history::Nanos, ret: crate::history::Nanos, status| {
            SessionOp {
                process: processes.number(history.operations[at].process),
                key: key.0,
                action,
                call: call.0,
                ret: ret.0,
                status,
                place: u32::try_from(at).unwrap_or(u32::MAX),
            }
        };
    let written = |(value, write): (u32, &Write)| {
        let action = Action::Write(ValueId(value));
        op(
            write.operation(),
            action,
            write.call,
            write.ret,
            write.status,
        )
    };
    for read in &index.reads {
        while let Some(next) = writes.next_if(|(_, write)| write.operation() < read.operation()) {
            ops.push(written(next));
        }
        if let Some(value) = value(read) {
            ops.push(op(
                read.operation(),
                Action::Read(value),
                read.call,
                read.ret,
                Status::Ok,
            ));
        }
    }
    ops.extend(writes.map(written));
    ops.retain(|op| op.status != Status::Fail);
    ops
}

/// What a read is known to have returned.
fn value(read: &Read) -> Option<ValueId> {
    match read.source() {
        Source::Written(at) => u32::try_from(at + 1).ok().map(ValueId),
        Source::Nothing if read.origin().is_none() => Some(ValueId::INITIAL),
        Source::Nothing | Source::Refused(_) | Source::Future(_) | Source::Nobody => None,
    }
}

/// The operations of all keys whose values can be mapped, in the order of their invocations.
pub(super) fn of_all(history: &History, index: &Index) -> Vec<SessionOp> {
    let processes = Processes::of(history);
    let mut ops: Vec<SessionOp> = Vec::with_capacity(history.operations.len());
    for (key, at) in index.mapped() {
        ops.extend(of_key(history, &processes, key, at));
    }
    ops.sort_unstable_by_key(|op| op.place);
    ops
}
