//! What the tests of registers share: traces written down or drawn at random, all small traces, and judges by brute force.

mod bent_chains;
pub(crate) mod brute;
mod chained;
pub(crate) mod exhaustive;
mod mutants;
pub(crate) mod random;
mod streamed;
mod truth;

use super::trace::{Action, RegisterOp, Trace, ValueId};
use crate::history::Status;

/// A number of cases: the quick one, unless `QUORATE_CASES` was set when the tests were built.
pub(crate) fn cases(quick: u64) -> u64 {
    option_env!("QUORATE_CASES").map_or(quick, |asked| asked.parse().expect("a number of cases"))
}

/// Traces as text.
pub(crate) struct TraceBuilder;

impl TraceBuilder {
    /// Operations such as `w1[0,1] r1[2,3] c1>2[4,5]`: action, call, end; `?` for an unknown outcome, `!` for a failure.
    pub(crate) fn parse(text: &str) -> Trace {
        Trace::of((0..).zip(text.split_whitespace()).map(operation).collect())
    }
}

fn operation((place, text): (u32, &str)) -> RegisterOp {
    let (what, times) = text.split_once('[').expect("a call");
    let (span, end) = times.split_once(']').expect("an end");
    let (call, ret) = span.split_once(',').expect("two times");
    let status = match end {
        "?" => Status::Info,
        "!" => Status::Fail,
        _ => Status::Ok,
    };
    let value = |text: &str| ValueId(text.parse().expect("a value"));
    let action = match what.split_at(1) {
        ("r", v) => Action::Read(value(v)),
        ("w", v) => Action::Write(value(v)),
        (_, pair) => {
            let (expected, new) = pair.split_once('>').expect("two values");
            Action::Cas {
                expected: value(expected),
                new: value(new),
            }
        }
    };
    RegisterOp {
        call: call.parse().expect("a time"),
        ret: match status {
            Status::Info => Trace::NEVER,
            _ => ret.parse().expect("a time"),
        },
        action,
        status,
        place,
    }
}

/// The trace of some of the operations.
pub(crate) fn part(trace: &Trace, operations: &[u32]) -> Trace {
    let mut operations = operations.to_vec();
    operations.sort_unstable();
    let ops = operations.iter().map(|&at| trace.ops[at as usize]);
    Trace {
        ops: ops.collect(),
        values: trace.values,
    }
}

/// The numbers behind random traces (`SplitMix64`).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below a bound.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// True so many times in a hundred.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}
