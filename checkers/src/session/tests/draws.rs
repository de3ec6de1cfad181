//! Small operations of sessions: random ones, and all there are of a size.
//!
//! They are full of what makes judges go wrong: equal times, unknown outcomes, refusals, values from nowhere and from the future.

use crate::history::Status;
use crate::register::ValueId;
use crate::session::{Action, SessionOp};

/// Random histories per judge when nobody asks for another number.
const CASES: u64 = 20_000;

/// How many random histories are tried.
pub(super) fn cases() -> u64 {
    option_env!("QUORATE_CASES").map_or(CASES, |cases| cases.parse().expect("a number"))
}

/// `SplitMix64`.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    pub(super) fn small(&mut self, end: u32) -> u32 {
        u32::try_from(self.below(u64::from(end))).expect("small")
    }
}

/// What a random history is made of.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) ops: u64,
    pub(super) processes: u32,
    pub(super) keys: u32,
}

/// A random history: each process does one thing after another, at times that often coincide.
pub(super) fn random(dice: &mut Dice, shape: Shape) -> Vec<SessionOp> {
    let n = 1 + dice.below(shape.ops);
    let mut clocks = vec![0_u64; shape.processes as usize];
    let mut ops: Vec<SessionOp> = Vec::new();
    for _ in 0..n {
        let process = dice.small(shape.processes);
        let clock = &mut clocks[process as usize];
        let call = *clock + dice.below(3);
        let ret = call + dice.below(4);
        *clock = ret;
        let status = match dice.below(12) {
            0 => Status::Fail,
            1 | 2 => Status::Info,
            _ => Status::Ok,
        };
        ops.push(SessionOp {
            process,
            key: dice.small(shape.keys),
            action: Action::Read(ValueId::INITIAL),
            call,
            ret: if status == Status::Info {
                SessionOp::NEVER
            } else {
                ret
            },
            status,
            place: 0,
        });
    }
    ops.sort_by_key(|op| op.call);
    for at in 0..ops.len() {
        if dice.below(2) == 0 {
            let key = ops[at].key;
            let written = ops.iter().filter(|op| op.key == key);
            let written = written
                .filter(|op| matches!(op.action, Action::Write(_)))
                .count();
            ops[at].action = Action::Write(ValueId(u32::try_from(written + 1).expect("small")));
        }
    }
    fill(&mut ops, |op, written| {
        // Now and then a value from nowhere.
        let nowhere = u32::from(dice.below(40) == 0);
        let _ = op;
        dice.small(written + 1 + nowhere)
    });
    ops
}

/// Sets places, and what the reads return: a number up to that of the writes of their key.
fn fill(ops: &mut [SessionOp], mut returned: impl FnMut(&SessionOp, u32) -> u32) {
    let all = ops.to_vec();
    for (place, op) in (0..).zip(ops) {
        op.place = place;
        if matches!(op.action, Action::Read(_)) {
            let written = all
                .iter()
                .filter(|other| other.key == op.key && matches!(other.action, Action::Write(_)))
                .count();
            op.action = Action::Read(ValueId(returned(
                op,
                u32::try_from(written).expect("small"),
            )));
        }
    }
}

/// All histories of so many operations of up to three sessions on so many keys, as a log without times, up to the names of the sessions.
pub(super) fn all(n: usize, keys: u32, mut each: impl FnMut(&[SessionOp])) {
    let mut ops = Vec::new();
    extend(n, keys, &mut ops, &mut each);
}

fn extend(n: usize, keys: u32, ops: &mut Vec<SessionOp>, each: &mut impl FnMut(&[SessionOp])) {
    if ops.len() == n {
        assign(ops, 0, each);
        return;
    }
    let new = ops.iter().map(|op| op.process + 1).max().unwrap_or(0);
    for process in 0..=new.min(2) {
        for key in 0..keys {
            for what in 0..3 {
                let written = ops
                    .iter()
                    .filter(|op| op.key == key && matches!(op.action, Action::Write(_)))
                    .count();
                let value = ValueId(u32::try_from(written + 1).expect("small"));
                let unknown = what == 2;
                ops.push(SessionOp {
                    process,
                    key,
                    action: if what == 0 {
                        Action::Read(ValueId::INITIAL)
                    } else {
                        Action::Write(value)
                    },
                    call: 0,
                    ret: if unknown { SessionOp::NEVER } else { 0 },
                    status: if unknown { Status::Info } else { Status::Ok },
                    place: u32::try_from(ops.len()).expect("small"),
                });
                extend(n, keys, ops, each);
                ops.pop();
            }
        }
    }
}

/// Lets the reads from a position on return every value there is.
fn assign(ops: &mut Vec<SessionOp>, from: usize, each: &mut impl FnMut(&[SessionOp])) {
    let Some(at) = (from..ops.len()).find(|&at| matches!(ops[at].action, Action::Read(_))) else {
        each(ops);
        return;
    };
    let key = ops[at].key;
    let writes = ops
        .iter()
        .filter(|op| op.key == key && matches!(op.action, Action::Write(_)))
        .count();
    for value in 0..=u32::try_from(writes).expect("small") {
        ops[at].action = Action::Read(ValueId(value));
        assign(ops, at + 1, each);
    }
    ops[at].action = Action::Read(ValueId::INITIAL);
}

/// Judges with a defect, as what they take a history for.
type Mutant = (&'static str, fn(&mut SessionOp));

pub(super) const MUTANTS: [Mutant; 5] = [
    ("takes unknown for acknowledged", |op| {
        if op.status == Status::Info {
            (op.status, op.ret) = (Status::Ok, op.call);
        }
    }),
    ("believes in writes that failed", |op| {
        if op.status == Status::Fail && matches!(op.action, Action::Write(_)) {
            op.status = Status::Ok;
        }
    }),
    ("believes reads that failed", |op| {
        if matches!(op.action, Action::Read(_)) && op.ret != SessionOp::NEVER {
            op.status = Status::Ok;
        }
    }),
    ("takes writes that touch for one after the other", |op| {
        op.ret = op.ret.saturating_sub(1).max(op.call);
    }),
    ("takes all sessions for one", |op| op.process = 0),
];

/// The same history under other names and at other times: nothing that is found may depend on those.
pub(super) fn renamed(ops: &[SessionOp]) -> Vec<SessionOp> {
    let largest = ops.iter().map(|op| op.action.value().0).max().unwrap_or(0);
    let other = |value: ValueId| match value {
        ValueId::INITIAL => value,
        ValueId(value) => ValueId(largest + 1 - value),
    };
    let later = |time: u64| {
        if time == SessionOp::NEVER {
            time
        } else {
            time * 7 + 1_000_000
        }
    };
    let rename = |op: &SessionOp| SessionOp {
        process: 9 - op.process,
        key: 3 - op.key,
        action: match op.action {
            Action::Read(value) => Action::Read(other(value)),
            Action::Write(value) => Action::Write(other(value)),
        },
        call: later(op.call),
        ret: later(op.ret),
        ..*op
    };
    ops.iter().map(rename).collect()
}
