//! Stores that keep siblings: every read returns the set of values that no later write has replaced.
//!
//! A write *replaces* what its writer had read (its context), and what those values had replaced; two writes that did not
//! read each other are siblings, and both must stay. Nothing here is about last-write-wins, and no clock but that of the clients counts.
//! Contexts are those that requests named, else what the session last read of the key.

mod past;
mod tell;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::history::Status;
use past::Past;

pub use tell::tell;

/// What an operation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A read that returned these values; none if there was nothing.
    Read(Vec<u32>),
    /// A write, or a delete.
    Write {
        /// The value, unique on its key; none for a delete.
        value: Option<u32>,
        /// The values that the request said it had read; none if it said nothing.
        context: Option<Vec<u32>>,
    },
}

/// One operation on one key of a store that keeps siblings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiblingOp {
    /// The session.
    pub process: u32,
    /// The key, by a dense id.
    pub key: u32,
    /// What was done.
    pub action: Action,
    /// When it was invoked, ns.
    pub call: u64,
    /// When it completed, ns; `u64::MAX` if its outcome is unknown.
    pub ret: u64,
    /// How it ended. Only ok reads count, and writes that did not fail.
    pub status: Status,
    /// Its place in the list that it was made from.
    pub place: u32,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An acknowledged value is not at the final read, and nobody who may have written had read it.
    AcknowledgedValueDropped,
    /// A read returned neither a value that was acknowledged before it began nor anything that replaced it.
    StaleRead,
    /// A read returned neither a value that a read before it had returned nor anything that replaced it.
    Inversion,
    /// A read returned a value that an acknowledged delete had replaced before the read began.
    ResurrectedDelete,
    /// A read returned a value that an acknowledged write had replaced before the read began: siblings that were resolved
    /// are kept, and become ever more.
    SiblingExplosion,
}

/// One violation. Numbers are positions in the list of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Violation {
    /// What it is.
    pub kind: Kind,
    /// The read that convicts; none for a dropped value if a census was given.
    pub read: Option<u32>,
    /// The write whose value is missing, or is there although it was replaced.
    pub write: u32,
    /// For an inversion the read that had returned the value; for what came back, the write or delete that had replaced it.
    pub because: Option<u32>,
}

/// What came of one key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Reads that were judged.
    pub reads: u64,
    /// Acknowledged values that were looked for at the end; 0 if there was no final read.
    pub acknowledged: u64,
    /// All that is wrong, in the order of kinds and of the list.
    pub violations: Vec<Violation>,
    /// The most siblings that a read returned.
    pub siblings_max: u64,
    /// Reads that returned more siblings than there are clients who wrote them. Contexts that are blind to the
    /// client's own writes do that too, so it is only counted.
    pub crowded_reads: u64,
}

/// Judges the operations of one key, in the order of their invocations. `census` is what all replicas together hold in the end; without
/// it the last read after everything else counts as the end.
pub fn judge(ops: &[SiblingOp], census: Option<&[u32]>) -> Report {
    let past = Past::of(ops);
    let mut report = Report::default();
    for (at, values) in reads(ops) {
        report.reads += 1;
        report.siblings_max = report.siblings_max.max(values.len() as u64);
        let mut clients: Vec<u32> = values
            .iter()
            .filter_map(|&value| Some(ops[past.writer(value)? as usize].process))
            .collect();
        let written = clients.len();
        clients.sort_unstable();
        clients.dedup();
        report.crowded_reads += u64::from(written > clients.len());
        debug_assert!(ops.get(at as usize).is_some());
    }
    report.violations = past::in_time(ops, &past);
    let last = reads(ops)
        .filter(|&(at, _)| {
            let read = &ops[at as usize];
            let acked = ops
                .iter()
                .filter(|op| is_write(op) && op.status == Status::Ok);
            acked.clone().all(|write| write.ret < read.call)
        })
        .last();
    let end = match census {
        Some(values) => Some((None, values)),
        None => last.map(|(at, values)| (Some(at), values)),
    };
    if let Some((read, values)) = end {
        let replaced = past.ever_replaced(ops);
        for (at, op) in (0..).zip(ops) {
            let Action::Write {
                value: Some(value), ..
            } = op.action
            else {
                continue;
            };
            if op.status != Status::Ok {
                continue;
            }
            report.acknowledged += 1;
            if !values.contains(&value) && !replaced[at as usize] {
                let kind = Kind::AcknowledgedValueDropped;
                report.violations.push(Violation {
                    kind,
                    read,
                    write: at,
                    because: None,
                });
            }
        }
    }
    report.violations.sort_unstable();
    report
}

/// The ok reads with their positions.
fn reads(ops: &[SiblingOp]) -> impl Iterator<Item = (u32, &[u32])> {
    (0..).zip(ops).filter_map(|(at, op)| match &op.action {
        Action::Read(values) if op.status == Status::Ok => Some((at, values.as_slice())),
        _ => None,
    })
}

fn is_write(op: &SiblingOp) -> bool {
    matches!(op.action, Action::Write { .. })
}
