//! Violations of session guarantees, as operations and sentences.
//!
//! A cycle of versions is told edge by edge, and what convicts comes last. It knows no names: places and letters only.

use crate::register::ValueId;
use crate::tale::Tale;

use super::graph::{Edge, NONE};
use super::order::{Because, Kind, Knots, Rules, Violation, goes_back, judge};
use super::scan::{Pair, Writes};
use super::shrink::shrunk;
use super::trace::{SessionOp, is_sparse, renumbered};

/// The fewest operations that show a violation of one key, in the order of their invocations.
///
/// The knots of the key may be large, so callers with several violations of one key keep them.
pub(super) fn witness(
    ops: &[SessionOp],
    writes: &Writes,
    knots: &Knots,
    violation: Violation,
    rules: &Rules,
) -> Vec<SessionOp> {
    let cycle = knots.cycle(ops, violation).unwrap_or_default();
    let mut positions = vec![violation.earlier, violation.later];
    for edge in &cycle {
        if let Because::Session(pair) = edge.tag {
            positions.extend([pair.earlier, pair.later]);
        }
        for value in [edge.from, edge.to] {
            if let Some(write) = writes.happened(ops, ValueId(value)) {
                positions.push(write.at);
                positions.extend(Some(write.first_read).filter(|&read| read != NONE));
            }
        }
    }
    let broken = |some: &[SessionOp]| !judge(some, rules).violations.is_empty();
    shrunk(ops, positions, broken)
}

/// Finds the fewest operations that show a violation of [`judge`], and tells it. `value` says what the operation at a
/// place wrote or read.
pub fn explain(
    ops: &[SessionOp],
    rules: &Rules,
    violation: Violation,
    value: &dyn Fn(usize) -> String,
) -> Option<Tale> {
    let ops = if is_sparse(ops) {
        renumbered(ops)
    } else {
        ops.to_vec()
    };
    let writes = Writes::of(&ops);
    let knots = Knots::of(&ops, &writes, rules);
    tell(
        &witness(&ops, &writes, &knots, violation, rules),
        rules,
        value,
    )
}

/// Tells the first violation among the operations of one key; none if there is none.
pub(super) fn tell(
    ops: &[SessionOp],
    rules: &Rules,
    value: &dyn Fn(usize) -> String,
) -> Option<Tale> {
    let violation = *judge(ops, rules).violations.first()?;
    let writes = Writes::of(ops);
    let mut cycle = Knots::of(ops, &writes, rules).cycle(ops, violation)?;
    // What convicts is told last: a pair that goes against the order in which its writes began.
    let convicts = cycle.iter().position(|edge| match edge.tag {
        Because::Session(pair) => goes_back(ops, &writes, pair),
        _ => false,
    })?;
    cycle.rotate_left(convicts + 1);
    let teller = Teller {
        ops,
        writes: &writes,
        value,
    };
    let (last, others) = cycle.split_last()?;
    let Because::Session(convicts) = last.tag else {
        return None;
    };
    let mut then = Vec::new();
    let mut older = None;
    for edge in others {
        match edge.tag {
            Because::Session(pair) => then.push(teller.pair(pair)),
            Because::Initial => then.push(teller.initial(edge)),
            Because::Ends => older = Some(edge.from),
            Because::Passes => {}
            Because::Begins => {
                then.extend(older.take().map(|older| teller.real_time(older, edge.to)));
            }
        }
    }
    Some(Tale {
        lets: ops.iter().map(|op| op.place as usize).collect(),
        then,
        however: teller.convicts(convicts),
    })
}

struct Teller<'a> {
    ops: &'a [SessionOp],
    writes: &'a Writes,
    value: &'a dyn Fn(usize) -> String,
}

impl Teller<'_> {
    fn letter(at: u32) -> char {
        Tale::letter(at as usize)
    }

    /// What an operation wrote or read.
    fn value(&self, at: u32) -> String {
        self.ops
            .get(at as usize)
            .map_or_else(String::new, |op| (self.value)(op.place as usize))
    }

    fn write(&self, value: u32) -> u32 {
        let write = self.writes.happened(self.ops, ValueId(value));
        write.map_or(0, |write| write.at)
    }

    fn initial(&self, edge: &Edge<Because>) -> String {
        let write = self.write(edge.to);
        format!(
            "Nothing is what the key held in the beginning; {} replaced that.",
            Self::letter(write)
        )
    }

    fn real_time(&self, older: u32, newer: u32) -> String {
        let (older, newer) = (self.write(older), self.write(newer));
        let (a, b) = (Self::letter(older), Self::letter(newer));
        let (before, after) = (self.value(older), self.value(newer));
        let value = self.ops[older as usize].action.value();
        let shown = self
            .writes
            .happened(self.ops, value)
            .map_or(NONE, |write| write.first_read);
        if self.ops[older as usize].ret < self.ops[newer as usize].call || shown == NONE {
            return format!("{a} finished before {b} began, so {after} replaced {before}.");
        }
        format!(
            "{} had returned {before} before {b} began, so {before} was in effect by then, and {after} replaced {before}.",
            Self::letter(shown)
        )
    }

    /// What follows from two operations of one session.
    fn pair(&self, pair: Pair) -> String {
        let (a, b) = (Self::letter(pair.earlier), Self::letter(pair.later));
        let (before, after) = (self.value(pair.earlier), self.value(pair.later));
        match pair.kind {
            Kind::ReadYourWrites => format!(
                "The client of {a} wrote {before} and then read {after} in {b}, so {after} is the newer of the two."
            ),
            Kind::MonotonicReads => format!(
                "One client read {before} in {a} and then {after} in {b}, so {after} is the newer of the two."
            ),
            Kind::MonotonicWrites => format!(
                "One client wrote {before} in {a} and then {after} in {b}, so {after} replaced {before}."
            ),
            Kind::WritesFollowReads => format!(
                "The client of {b} had read {before} in {a} before it wrote {after}, so {after} replaced {before}."
            ),
        }
    }

    fn convicts(&self, pair: Pair) -> String {
        let (a, b) = (Self::letter(pair.earlier), Self::letter(pair.later));
        let (before, after) = (self.value(pair.earlier), self.value(pair.later));
        match pair.kind {
            Kind::ReadYourWrites => format!(
                "However, the client that had written {before} in {a} then read {after} in {b}: it did not see its own write."
            ),
            Kind::MonotonicReads => format!(
                "However, one client read {before} in {a} and then {after} in {b}: it went back to the older version."
            ),
            Kind::MonotonicWrites => format!(
                "However, one client wrote {before} in {a} and then {after} in {b}: the later write came out the older."
            ),
            Kind::WritesFollowReads => format!(
                "However, the client of {b} had read {before} in {a} before it wrote {after}: its write came out older than what \
                 it had read."
            ),
        }
    }
}
