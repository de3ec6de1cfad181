//! The brute-force twin of linearizability: Wing and Gong's search over the operations of a key, as they stand in the history.

use std::collections::BTreeSet;

use crate::history::{Function, History, Operation, Status, Value};

/// How much was judged, how much was seen, and whether something was skipped.
pub(super) fn tally(history: &History) -> (u64, u64, bool) {
    let (mut judged, mut seen, mut skipped) = (0, 0, false);
    for key in 0..history.keys.len() {
        let ops = history.operations.iter();
        let ops: Vec<&Operation> = ops.filter(|op| op.key.0 as usize == key).collect();
        let is_foreign =
            |op: &&Operation| op.f == Function::Write && !matches!(op.value, Value::Int(_));
        if ops.iter().any(is_foreign) {
            skipped = true;
            continue;
        }
        let is_read = |op: &&Operation| op.f == Function::Read && op.is_ok();
        judged += u64::from(ops.iter().any(is_read));
        seen += u64::from(!is_linearizable(&ops));
    }
    (judged, seen, skipped)
}

/// What the key holds after an operation; none if it cannot happen now.
fn apply(state: &Value, op: &Operation) -> Option<Value> {
    match op.f {
        Function::Write => Some(op.value.clone()),
        Function::Delete => Some(Value::Nil),
        _ => (op.value == *state).then(|| state.clone()),
    }
}

fn is_linearizable(ops: &[&Operation]) -> bool {
    let reads: Vec<&Value> = ops
        .iter()
        .filter(|op| op.f == Function::Read && op.is_ok())
        .map(|op| &op.value)
        .collect();
    let is_wanted = |op: &Operation| match op.f {
        Function::Write => reads.contains(&&op.value),
        _ => reads.contains(&&Value::Nil),
    };
    // What failed did not happen, and what nobody knows of need not have.
    let ops: Vec<&Operation> = ops
        .iter()
        .copied()
        .filter(|op| match op.status {
            Status::Ok => op.f != Function::Census,
            Status::Fail => false,
            Status::Info => op.is_write() && is_wanted(op),
        })
        .collect();
    assert!(ops.len() <= 64, "too many operations for brute force");
    search(&ops, 0, &Value::Nil, &mut BTreeSet::new())
}

fn search(
    ops: &[&Operation],
    done: u64,
    state: &Value,
    tried: &mut BTreeSet<(u64, String)>,
) -> bool {
    let open: Vec<usize> = (0..ops.len()).filter(|at| done & (1 << at) == 0).collect();
    if open.iter().all(|&at| !ops[at].is_ok()) {
        return true;
    }
    if !tried.insert((done, state.to_string())) {
        return false;
    }
    open.iter().any(|&at| {
        let waits = |&other: &usize| ops[other].is_ok() && ops[other].precedes(ops[at]);
        !open.iter().any(waits)
            && apply(state, ops[at]).is_some_and(|next| search(ops, done | (1 << at), &next, tried))
    })
}
