//! Brute-force twins of the rows about sessions and causality: histories to plain operations once more, operation by operation.
//!
//! What is wrong among plain operations is counted by the twins in `session/tests`, from the definitions.

use crate::exposure::Exposure;
use crate::guarantee::Guarantee;
use crate::history::{Function, History, Operation, Status, Value};
use crate::register::ValueId;
use crate::session::causal::Model;
use crate::session::order::{Kind, Rules};
use crate::session::tests::{causal, order};
use crate::session::{Action, SessionOp};

/// How much was judged and seen, and whether something was skipped; none for other guarantees.
pub(super) fn tally(history: &History, guarantee: Guarantee) -> Option<(u64, u64, bool)> {
    let kind = match guarantee {
        Guarantee::ReadYourWrites => Kind::ReadYourWrites,
        Guarantee::MonotonicReads => Kind::MonotonicReads,
        Guarantee::MonotonicWrites => Kind::MonotonicWrites,
        Guarantee::WritesFollowReads => Kind::WritesFollowReads,
        Guarantee::CausalConsistency => return Some(causal_tally(history, Model::Causal)),
        Guarantee::CausalConvergence => return Some(causal_tally(history, Model::Convergent)),
        _ => return None,
    };
    // Own writes are missed in real time, like any others.
    let real_time = kind == Kind::ReadYourWrites || Exposure::of_history(history).is_synchronised();
    let rules = Rules::of(kind, real_time);
    let (mut judged, mut seen, mut skipped) = (0, 0, false);
    for key in 0..history.keys.len() {
        let Some(ops) = operations(history, key) else {
            skipped = true;
            continue;
        };
        let (more_judged, more_seen) = order::tally(&ops, rules);
        judged += more_judged;
        seen += more_seen;
    }
    Some((judged, seen, skipped))
}

fn causal_tally(history: &History, model: Model) -> (u64, u64, bool) {
    let mut all = Vec::new();
    let mut skipped = false;
    for key in 0..history.keys.len() {
        match operations(history, key) {
            Some(ops) => all.extend(ops),
            None => skipped = true,
        }
    }
    all.sort_by_key(|op| op.place);
    let reads = all
        .iter()
        .filter(|op| matches!(op.action, Action::Read(_)))
        .count();
    (reads as u64, causal::tally(&all, model), skipped)
}

/// The operations of a key that count; none if its values cannot be mapped.
fn operations(history: &History, key: usize) -> Option<Vec<SessionOp>> {
    let all: Vec<(usize, &Operation)> = history
        .operations
        .iter()
        .enumerate()
        .filter(|(_, op)| op.key.0 as usize == key)
        .collect();
    let written = |value: &Value| {
        let found = all
            .iter()
            .filter(|(_, op)| op.f == Function::Write && op.value == *value);
        found.collect::<Vec<_>>()
    };
    let writes = all.iter().filter(|(_, op)| op.f == Function::Write);
    for (_, write) in writes {
        if !matches!(write.value, Value::Int(_)) || written(&write.value).len() > 1 {
            return None;
        }
    }
    let mut processes: Vec<u64> = history.operations.iter().map(|op| op.process).collect();
    processes.sort_unstable();
    processes.dedup();
    let mut ops = Vec::new();
    for (at, op) in &all {
        let id = |at: usize| ValueId(u32::try_from(at + 1).expect("few"));
        let action = match (op.f, op.status) {
            (Function::Write | Function::Delete, Status::Ok | Status::Info) => {
                Action::Write(id(*at))
            }
            (Function::Read, Status::Ok) if op.value == Value::Nil => {
                let deleted = all.iter().any(|(_, other)| {
                    other.f == Function::Delete
                        && other.status != Status::Fail
                        && other.call <= op.ret
                });
                if deleted {
                    continue;
                }
                Action::Read(ValueId::INITIAL)
            }
            (Function::Read, Status::Ok) => match written(&op.value).first() {
                Some((write, w)) if w.status != Status::Fail && w.call <= op.ret => {
                    Action::Read(id(*write))
                }
                _ => continue,
            },
            _ => continue,
        };
        ops.push(SessionOp {
            process: u32::try_from(processes.iter().position(|&p| p == op.process)?).expect("few"),
            key: u32::try_from(key).expect("few"),
            action,
            call: op.call.0,
            ret: op.ret.0,
            status: op.status,
            place: u32::try_from(*at).expect("few"),
        });
    }
    Some(ops)
}
