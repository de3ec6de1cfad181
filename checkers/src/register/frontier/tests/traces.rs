//! Traces whose values repeat: random ones, random ones that a register has answered, and all small ones.

use crate::history::Status;
use crate::register::testing::Dice;
use crate::register::trace::{Action, RegisterOp, Trace, ValueId};

/// What random traces are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mix {
    pub(crate) operations: u64,
    pub(crate) values: u64,
    /// Shares, percent.
    pub(crate) swaps: u64,
    pub(crate) unknown: u64,
    pub(crate) failed: u64,
    /// Moments are below this: few mean many ties.
    pub(crate) moments: u64,
    /// The longest span, moments.
    pub(crate) span: u64,
}

impl Mix {
    pub(crate) fn random(dice: &mut Dice) -> Mix {
        let operations = 1 + dice.below(9);
        Mix {
            operations,
            values: 2 + dice.below(3),
            swaps: one_of(dice, &[0, 30, 60]),
            unknown: one_of(dice, &[0, 15, 40]),
            failed: one_of(dice, &[0, 0, 15, 40]),
            moments: one_of(dice, &[2 * operations, 4 * operations, 1000]),
            span: 1 + dice.below(3 * operations),
        }
    }
}

fn value(dice: &mut Dice, values: u64) -> ValueId {
    ValueId(u32::try_from(dice.below(values)).expect("few values"))
}

fn one_of(dice: &mut Dice, numbers: &[u64]) -> u64 {
    let place = usize::try_from(dice.below(numbers.len() as u64));
    numbers[place.expect("few numbers")]
}

/// A trace without any origin: answers are drawn, too.
pub(crate) fn drawn(dice: &mut Dice, mix: Mix) -> Trace {
    let ops = (0..mix.operations).map(|_| {
        let call = dice.below(mix.moments);
        let ret = call + dice.below(mix.span * (1 + mix.moments / 100));
        let (action, status) = asked(dice, mix);
        RegisterOp {
            call,
            ret,
            action,
            status,
            place: 0,
        }
    });
    numbered(ops.collect())
}

fn asked(dice: &mut Dice, mix: Mix) -> (Action, Status) {
    let status = |dice: &mut Dice| {
        if dice.percent(mix.unknown) {
            Status::Info
        } else {
            Status::Ok
        }
    };
    if dice.percent(mix.swaps) {
        let (expected, new) = (value(dice, mix.values), value(dice, mix.values));
        let action = Action::Cas { expected, new };
        if dice.percent(mix.failed) {
            return (action, Status::Fail);
        }
        return (action, status(dice));
    }
    let value = value(dice, mix.values);
    if dice.percent(50) {
        (Action::Read(value), Status::Ok)
    } else if dice.percent(mix.failed / 4) {
        (Action::Write(value), Status::Fail)
    } else {
        (Action::Write(value), status(dice))
    }
}

/// A trace that a register has answered, one operation at a time, each at a moment within its span; of those of unknown outcome some
/// take effect late and some never. Sometimes one answer is then changed.
pub(crate) fn simulated(dice: &mut Dice, mix: Mix) -> Trace {
    let mut drafts: Vec<(u64, RegisterOp)> = Vec::new();
    for _ in 0..mix.operations {
        let (action, status) = asked(dice, mix);
        let call = dice.below(mix.moments);
        let span = dice.below(mix.span);
        let takes = match status {
            Status::Info if dice.percent(40) => u64::MAX,
            Status::Info => call + dice.below(3 * mix.moments),
            _ => call + dice.below(span + 1),
        };
        drafts.push((
            takes,
            RegisterOp {
                call,
                ret: call + span,
                action,
                status,
                place: 0,
            },
        ));
    }
    drafts.sort_by_key(|(takes, _)| *takes);
    let mut held = ValueId::INITIAL;
    for (takes, op) in &mut drafts {
        match &mut op.action {
            _ if *takes == u64::MAX => {}
            Action::Read(seen) => *seen = held,
            Action::Write(_) if op.status == Status::Fail => {}
            Action::Write(new) => held = *new,
            Action::Cas { expected, new } => match op.status {
                Status::Info if *expected != held => {}
                Status::Info => held = *new,
                _ if *expected == held => {
                    op.status = Status::Ok;
                    held = *new;
                }
                _ => op.status = Status::Fail,
            },
        }
    }
    if dice.percent(50) {
        let changed = usize::try_from(dice.below(mix.operations)).expect("a place");
        let other = value(dice, mix.values);
        match &mut drafts[changed].1.action {
            Action::Read(value) | Action::Write(value) => *value = other,
            Action::Cas { new, .. } => *new = other,
        }
    }
    numbered(drafts.into_iter().map(|(_, op)| op).collect())
}

/// The trace of operations whose places are not given yet.
pub(crate) fn numbered(mut ops: Vec<RegisterOp>) -> Trace {
    ops.sort_by_key(|op| op.call);
    for (place, op) in (0_u32..).zip(&mut ops) {
        op.place = place;
    }
    Trace::of(ops)
}

/// A trace in few lines, for messages.
pub(crate) fn told(trace: &Trace) -> String {
    let line = |op: &RegisterOp| {
        let (call, ret) = (op.call, op.ret);
        format!("  {call} to {ret}: {:?} {:?}\n", op.action, op.status)
    };
    let lines: String = trace.ops.iter().map(line).collect();
    lines.replace("ValueId", "")
}

/// Calls `judge` with every trace of so many operations: every order of calls and returns, every action with values below `values`. The second
/// of two calls in a row is never that of an operation that could have been the first: numbers are given in the order of calls.
pub(crate) fn all_traces(
    operations: usize,
    values: u32,
    actions: &[(Action, Status)],
    judge: &mut impl FnMut(&Trace),
) {
    let mut ops = Vec::new();
    extend(
        operations,
        values,
        actions,
        &mut ops,
        0,
        &mut Vec::new(),
        judge,
    );
}

fn extend(
    operations: usize,
    values: u32,
    actions: &[(Action, Status)],
    ops: &mut Vec<RegisterOp>,
    now: u64,
    open: &mut Vec<usize>,
    judge: &mut impl FnMut(&Trace),
) {
    if ops.len() == operations && open.is_empty() {
        judge(&Trace {
            ops: ops.clone(),
            values,
        });
        return;
    }
    if ops.len() < operations {
        for &(action, status) in actions {
            ops.push(RegisterOp {
                call: now,
                ret: Trace::NEVER,
                action,
                status,
                place: u32::try_from(ops.len()).expect("few"),
            });
            let waits = status != Status::Info;
            if waits {
                open.push(ops.len() - 1);
            }
            extend(operations, values, actions, ops, now + 1, open, judge);
            if waits {
                open.pop();
            }
            ops.pop();
        }
    }
    for place in 0..open.len() {
        let op = open.remove(place);
        ops[op].ret = now;
        extend(operations, values, actions, ops, now + 1, open, judge);
        ops[op].ret = Trace::NEVER;
        open.insert(place, op);
    }
}
