//! All traces of so many operations: every order of their invocations and ends, times whether each is an acknowledged write, a
//! write of unknown outcome or a read, times what the reads return.
//!
//! A write of unknown outcome has an end in the order like any other; it only means nothing. No two times are equal:
//! ties are left to random traces.

use crate::history::Status;
use crate::register::trace::{Action, RegisterOp, Trace, ValueId};

/// When each operation begins and ends.
type Spans = [(u64, u64)];

/// Calls a function with every trace of `count` operations, and says how many there are.
pub(crate) fn for_each_trace(count: usize, visit: &mut dyn FnMut(&Trace)) -> u64 {
    let mut visited = 0;
    spans(&mut vec![None; 2 * count], 0, &mut |spans| {
        kinds(spans, &mut Vec::new(), &mut |trace| {
            visited += 1;
            visit(trace);
        });
    });
    visited
}

/// Every way to match the places of a row in pairs of beginning and end, in the order of the beginnings.
fn spans(owner: &mut Vec<Option<usize>>, next: usize, found: &mut dyn FnMut(&Spans)) {
    let Some(call) = owner.iter().position(Option::is_none) else {
        let place = |operation, from_end: bool| {
            let mut places = (0..).zip(&*owner).filter(|(_, o)| **o == Some(operation));
            let place = if from_end {
                places.last()
            } else {
                places.next()
            };
            place.map_or(0, |(at, _)| at)
        };
        let all: Vec<(u64, u64)> = (0..next)
            .map(|operation| (place(operation, false), place(operation, true)))
            .collect();
        found(&all);
        return;
    };
    owner[call] = Some(next);
    for ret in call + 1..owner.len() {
        if owner[ret].is_none() {
            owner[ret] = Some(next);
            spans(owner, next + 1, found);
            owner[ret] = None;
        }
    }
    owner[call] = None;
}

/// Every choice of kinds for these spans.
fn kinds(spans: &Spans, chosen: &mut Vec<u8>, found: &mut dyn FnMut(&Trace)) {
    if chosen.len() < spans.len() {
        for kind in 0..3 {
            chosen.push(kind);
            kinds(spans, chosen, found);
            chosen.pop();
        }
        return;
    }
    let mut written = 0;
    let mut ops = Vec::new();
    for ((place, &kind), &(call, ret)) in (0..).zip(&*chosen).zip(spans) {
        let (action, status) = match kind {
            0 | 1 => {
                written += 1;
                let status = if kind == 0 { Status::Ok } else { Status::Info };
                (Action::Write(ValueId(written)), status)
            }
            _ => (Action::Read(ValueId::INITIAL), Status::Ok),
        };
        ops.push(RegisterOp {
            call,
            ret: if kind == 1 { Trace::NEVER } else { ret },
            action,
            status,
            place,
        });
    }
    let mut trace = Trace {
        ops,
        values: written + 1,
    };
    values(&mut trace, 0, found);
}

/// Every choice of values for the reads from here on.
fn values(trace: &mut Trace, from: usize, found: &mut dyn FnMut(&Trace)) {
    let read = (from..trace.ops.len()).find(|&at| matches!(trace.ops[at].action, Action::Read(_)));
    let Some(read) = read else {
        found(trace);
        return;
    };
    for value in 0..trace.values {
        trace.ops[read].action = Action::Read(ValueId(value));
        values(trace, read + 1, found);
    }
}
