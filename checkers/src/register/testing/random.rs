//! Random small traces of unique values: half from a register that was played, with late writes of unknown outcome and now and then
//! a wrong answer, half from dice alone. With ties, failed writes and values from nowhere.

use super::Dice;
use crate::history::Status;
use crate::register::trace::{Action, RegisterOp, Trace, ValueId};

/// A random trace of one to ten operations.
pub(crate) fn trace(dice: &mut Dice) -> Trace {
    let count = 1 + dice.below(10);
    let mut trace = if dice.percent(50) {
        played(dice, count)
    } else {
        thrown(dice, count)
    };
    if dice.percent(40) {
        // Coarse clocks make ties.
        let grain = 2 + dice.below(4);
        for op in &mut trace.ops {
            op.call /= grain;
            if op.ret != Trace::NEVER {
                op.ret /= grain;
            }
        }
    }
    let values = trace.values;
    Trace {
        values,
        ..Trace::of(trace.ops)
    }
}

/// What a write comes to: mostly acknowledged.
fn outcome(dice: &mut Dice) -> Status {
    match dice.below(20) {
        0..=4 => Status::Info,
        5 => Status::Fail,
        _ => Status::Ok,
    }
}

fn thrown(dice: &mut Dice, count: u64) -> Trace {
    let mut ops = Vec::new();
    let mut written = 0;
    let width = 3 * count;
    for place in 0..count {
        let call = dice.below(width);
        let ret = call + dice.below(width);
        let (action, status) = if dice.percent(50) {
            written += 1;
            (Action::Write(ValueId(written)), outcome(dice))
        } else {
            (Action::Read(ValueId::INITIAL), Status::Ok)
        };
        ops.push(operation(place, (call, ret), action, status));
    }
    // One more value than was written.
    for op in &mut ops {
        if let Action::Read(value) = &mut op.action {
            let bound = u64::from(written) + u64::from(dice.percent(3)) + 1;
            value.0 = u32::try_from(dice.below(bound)).expect("small");
        }
    }
    Trace {
        ops,
        values: written + 2,
    }
}

/// Every operation takes effect at a moment within its span; a write of unknown outcome at any moment after, or never.
fn played(dice: &mut Dice, count: u64) -> Trace {
    let mut steps = Vec::new();
    let mut written = 0;
    let width = 3 * count;
    for place in 0..count {
        let call = dice.below(width);
        let length = dice.below(8);
        let (action, status) = if dice.percent(50) {
            written += 1;
            (Action::Write(ValueId(written)), outcome(dice))
        } else {
            (Action::Read(ValueId::INITIAL), Status::Ok)
        };
        let delay = if status == Status::Info {
            dice.below(width)
        } else {
            dice.below(length + 1)
        };
        let op = operation(place, (call, call + length), action, status);
        steps.push((call + delay, dice.next(), op));
    }
    steps.sort_by_key(|&(moment, order, _)| (moment, order));
    let mut state = vec![ValueId::INITIAL];
    let mut ops = Vec::new();
    for (_, _, mut op) in steps {
        let happens = op.status == Status::Ok || (op.status == Status::Info && dice.percent(70));
        match &mut op.action {
            Action::Write(value) if happens => state.push(*value),
            Action::Read(value) => {
                // Now and then what was there before.
                let back = usize::from(dice.percent(15)).min(state.len() - 1);
                *value = state[state.len() - 1 - back];
            }
            _ => {}
        }
        ops.push(op);
    }
    Trace {
        ops,
        values: written + 1,
    }
}

fn operation(place: u64, (call, ret): (u64, u64), action: Action, status: Status) -> RegisterOp {
    RegisterOp {
        call,
        ret: if status == Status::Info {
            Trace::NEVER
        } else {
            ret
        },
        action,
        status,
        place: u32::try_from(place).expect("small"),
    }
}

/// A random trace of one to eight operations with compare-and-sets among them.
pub(crate) fn trace_of_sets(dice: &mut Dice) -> Trace {
    let count = 1 + dice.below(8);
    let mut trace = if dice.percent(60) {
        played_sets(dice, count)
    } else {
        thrown_sets(dice, count)
    };
    if dice.percent(40) {
        let grain = 2 + dice.below(4);
        for op in &mut trace.ops {
            op.call /= grain;
            if op.ret != Trace::NEVER {
                op.ret /= grain;
            }
        }
    }
    let values = trace.values;
    Trace {
        values,
        ..Trace::of(trace.ops)
    }
}

fn thrown_sets(dice: &mut Dice, count: u64) -> Trace {
    let mut trace = thrown(dice, count);
    let bound = u64::from(trace.values);
    for op in &mut trace.ops {
        if let Action::Write(new) = op.action
            && dice.percent(60)
        {
            let expected = ValueId(u32::try_from(dice.below(bound)).expect("small"));
            op.action = Action::Cas { expected, new };
        }
    }
    trace
}

fn played_sets(dice: &mut Dice, count: u64) -> Trace {
    let width = 3 * count;
    let mut moments: Vec<u64> = (0..count).map(|_| dice.below(width)).collect();
    moments.sort_unstable();
    let mut state = vec![ValueId::INITIAL];
    let mut ops = Vec::new();
    let mut written = 0;
    for (place, moment) in (0..).zip(moments) {
        let call = moment.saturating_sub(dice.below(5));
        let span = (call, moment + dice.below(5));
        let back = usize::from(dice.percent(12)).min(state.len() - 1);
        let now = state[state.len() - 1 - back];
        let kind = dice.below(10);
        if kind < 4 {
            ops.push(operation(place, span, Action::Read(now), Status::Ok));
            continue;
        }
        written += 1;
        let new = ValueId(written);
        let (action, mut status) = if kind < 6 {
            (Action::Write(new), Status::Ok)
        } else {
            let guess = u32::try_from(dice.below(u64::from(written))).expect("small");
            let expected = if dice.percent(70) {
                now
            } else {
                ValueId(guess)
            };
            let status = if expected == now {
                Status::Ok
            } else {
                Status::Fail
            };
            (Action::Cas { expected, new }, status)
        };
        let happens = status == Status::Ok && (dice.percent(80) || kind < 6);
        if dice.percent(25) || (status == Status::Ok && !happens) {
            status = Status::Info;
        }
        if happens {
            state.push(new);
        }
        ops.push(operation(place, span, action, status));
    }
    Trace {
        ops,
        values: written + 1,
    }
}
