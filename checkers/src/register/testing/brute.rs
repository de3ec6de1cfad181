//! Linearizability straight from its definition, twice: by trying every operation that may come next, and by trying every order.
//!
//! Slow on purpose, for at most some dozen operations, and written apart from the judges. Failed compare-and-sets mean that
//! another value than the expected one was there.

use crate::history::Status;
use crate::register::trace::{Action, RegisterOp, Trace, ValueId};

/// Operations that have to be part of an order, and operations that may be.
fn candidates(trace: &Trace) -> Vec<(RegisterOp, bool)> {
    let chosen = trace
        .ops
        .iter()
        .filter_map(|op| match (op.action, op.status) {
            (_, Status::Ok) | (Action::Cas { .. }, Status::Fail) => Some((*op, true)),
            (Action::Write(_) | Action::Cas { .. }, Status::Info) => Some((*op, false)),
            _ => None,
        });
    chosen.collect()
}

fn ends_before(op: &RegisterOp, later: &RegisterOp) -> bool {
    op.status != Status::Info && op.ret < later.call
}

/// What the register holds afterwards, if the operation is possible.
fn apply(state: ValueId, op: &RegisterOp) -> Option<ValueId> {
    match op.action {
        Action::Read(value) => (value == state).then_some(state),
        Action::Write(value) => Some(value),
        Action::Cas { expected, .. } if op.status == Status::Fail => {
            (expected != state).then_some(state)
        }
        Action::Cas { expected, new } => (expected == state).then_some(new),
    }
}

/// Wing and Gong's search: whatever is first must not begin after something else has ended.
pub(crate) fn is_linearizable(trace: &Trace) -> bool {
    let ops = candidates(trace);
    assert!(ops.len() <= 20, "too many operations for brute force");
    let mut seen = vec![false; (trace.values.max(1) as usize) << ops.len()];
    search(&ops, trace.values.max(1), 0, ValueId::INITIAL, &mut seen)
}

fn search(
    ops: &[(RegisterOp, bool)],
    values: u32,
    done: u32,
    state: ValueId,
    seen: &mut [bool],
) -> bool {
    let is_open = |at: usize| done & (1 << at) == 0;
    if (0..ops.len()).all(|at| !is_open(at) || !ops[at].1) {
        return true;
    }
    let mark = &mut seen[(done as usize) * (values as usize) + state.0 as usize];
    if std::mem::replace(mark, true) {
        return false;
    }
    (0..ops.len()).any(|at| {
        let is_minimal = (0..ops.len()).all(|other| {
            !is_open(other) || !ops[other].1 || !ends_before(&ops[other].0, &ops[at].0)
        });
        is_open(at)
            && is_minimal
            && apply(state, &ops[at].0)
                .is_some_and(|next| search(ops, values, done | (1 << at), next, seen))
    })
}

/// Every order of every choice of operations, each checked as a whole.
pub(crate) fn some_order_works(trace: &Trace) -> bool {
    let ops = candidates(trace);
    assert!(ops.len() <= 6, "too many operations to try every order");
    extend(&ops, &mut Vec::new())
}

fn extend(ops: &[(RegisterOp, bool)], order: &mut Vec<usize>) -> bool {
    if (0..ops.len()).all(|at| !ops[at].1 || order.contains(&at)) && works(ops, order) {
        return true;
    }
    (0..ops.len()).any(|at| {
        if order.contains(&at) {
            return false;
        }
        order.push(at);
        let found = extend(ops, order);
        order.pop();
        found
    })
}

fn works(ops: &[(RegisterOp, bool)], order: &[usize]) -> bool {
    let in_time = order.iter().enumerate().all(|(place, &one)| {
        order[..place]
            .iter()
            .all(|&ahead| !ends_before(&ops[one].0, &ops[ahead].0))
    });
    let mut state = Some(ValueId::INITIAL);
    for &at in order {
        state = state.and_then(|state| apply(state, &ops[at].0));
    }
    in_time && state.is_some()
}
