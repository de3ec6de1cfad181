//! The fewest operations of a trace that is not linearizable which already show it.
//!
//! Leaving operations out may hide a violation, and it may also make one up: a read whose write is gone looks like a lie. So not every part of
//! a trace is a proof. A part is *closed* if, for every operation r in it that needs the register to hold some value, it has every write y of such a
//! value, unless y certainly was not the one that r saw: y began after r had ended, or some acknowledged change z of the part began after y had
//! ended and ended before r began.
//!
//! A closed part of a linearizable trace is linearizable. Take an order of the whole and strike out what is not in the part (and an
//! unknown compare-and-set after everything that must be explained). For each r that is left, let y be the last change before r in the
//! whole order. It gave what r needs. Were y not in the part, then y began before r ended, so some z came between y and r, and y was not
//! the last. So y is left, and since everything between y and r changed nothing, r still finds what it needs; before any change it finds the
//! initial value, as it did. Hence a closed part that is not linearizable proves that the whole is not.

use super::frontier::{Answer, Budget, search};
use super::no_order::NoOrder;
use super::trace::{Action, RegisterOp, Trace, ValueId};
use crate::history::Status;

/// Operations of the first part that is tried.
const FIRST_WINDOW: usize = 8;

/// The fewest operations, found by leaving out one after the other, that show why nothing passes the end of the operation at a
/// place in [`Trace::ops`]. If the budget does not suffice, they are more than necessary.
pub fn minimise(trace: &Trace, died: usize, budget: Budget) -> NoOrder {
    let mut shrinker = Shrinker {
        trace,
        changes: Changes::of(trace),
        budget,
    };
    let whole: Vec<u32> = (0_u32..).take(trace.ops.len()).collect();
    let start = shrinker.window(died).unwrap_or(whole);
    let oldest_first = shrinker.shrink(start.clone(), false);
    let newest_first = shrinker.shrink(start, true);
    let operations = if newest_first.len() < oldest_first.len() {
        newest_first
    } else {
        oldest_first
    };
    let others = shrinker.others(&operations);
    NoOrder { operations, others }
}

/// Whether a part, as ascending places in [`Trace::ops`], is closed: then it is a proof if it is not linearizable.
#[cfg(test)]
pub(super) fn is_closed(trace: &Trace, part: &[u32]) -> bool {
    let shrinker = Shrinker {
        trace,
        changes: Changes::of(trace),
        budget: Budget::default(),
    };
    shrinker.close(part.to_vec()).len() == part.len()
}

/// What an operation needs the register to hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Value(ValueId),
    OtherThan(ValueId),
}

impl Need {
    fn of(op: &RegisterOp) -> Option<Need> {
        match (op.action, op.status) {
            (Action::Read(value), Status::Ok) => Some(Need::Value(value)),
            (Action::Read(_) | Action::Write(_), _) => None,
            (Action::Cas { expected, .. }, Status::Fail) => Some(Need::OtherThan(expected)),
            (Action::Cas { expected, .. }, _) => Some(Need::Value(expected)),
        }
    }

    fn is_met_by(self, value: ValueId) -> bool {
        match self {
            Need::Value(needed) => value == needed,
            Need::OtherThan(refused) => value != refused,
        }
    }
}

/// The value that an operation leaves behind, if it changes anything.
fn change(op: &RegisterOp) -> Option<ValueId> {
    match (op.action, op.status) {
        (Action::Write(value), Status::Ok | Status::Info) => Some(value),
        (Action::Cas { expected, new }, Status::Ok | Status::Info) if expected != new => Some(new),
        _ => None,
    }
}

/// All changes of a trace in the order of their calls, with the latest end so far.
struct Changes {
    list: Vec<(u32, u64)>,
}

impl Changes {
    fn of(trace: &Trace) -> Changes {
        let mut latest = 0;
        let changes = (0_u32..)
            .zip(&trace.ops)
            .filter(|(_, op)| change(op).is_some());
        let list = changes.map(|(place, op)| {
            latest = latest.max(op.end());
            (place, latest)
        });
        Changes {
            list: list.collect(),
        }
    }

    /// Those that began no later than `until` and did not end before `from`, newest first.
    fn between(&self, trace: &Trace, from: u64, until: u64) -> impl Iterator<Item = u32> {
        let begun = self
            .list
            .partition_point(|(place, _)| trace.ops[*place as usize].call <= until);
        let alive = self.list[..begun]
            .iter()
            .rev()
            .take_while(move |(_, latest)| *latest >= from);
        alive
            .map(|(place, _)| *place)
            .filter(move |place| trace.ops[*place as usize].end() >= from)
    }
}

struct Shrinker<'a> {
    trace: &'a Trace,
    changes: Changes,
    budget: Budget,
}

impl Shrinker<'_> {
    fn op(&self, place: u32) -> &RegisterOp {
        &self.trace.ops[place as usize]
    }

    /// The smallest of some windows before the end of an operation that is a proof.
    fn window(&mut self, died: usize) -> Option<Vec<u32>> {
        let end = self.trace.ops.get(died)?.end();
        let died = u32::try_from(died).ok()?;
        let before: Vec<u32> = (0_u32..)
            .zip(&self.trace.ops)
            .filter(|(place, op)| {
                *place == died || (op.call <= end && (op.end() <= end || change(op).is_some()))
            })
            .map(|(place, _)| place)
            .collect();
        let mut size = FIRST_WINDOW;
        loop {
            let from = before.len().saturating_sub(size);
            let mut part = before[from..].to_vec();
            if from > 0 && !part.contains(&died) {
                part.insert(0, died);
            }
            let part = self.close(part);
            if self.is_proof(&part)? {
                return Some(part);
            }
            if from == 0 {
                return None;
            }
            size = size.saturating_mul(2);
        }
    }

    /// Leaves out as much as possible: first halves, then quarters, at last single operations.
    fn shrink(&mut self, mut part: Vec<u32>, newest_first: bool) -> Vec<u32> {
        let mut size = part.len() / 2;
        while size > 0 {
            let mut at = 0;
            let mut shrunk = false;
            while at < part.len() {
                let rest = self.without(&part, at, size, newest_first);
                match self.is_smaller_proof(&rest, &part) {
                    None => return part,
                    Some(true) => (part, shrunk) = (rest, true),
                    Some(false) => at += size,
                }
            }
            if size > 1 || !shrunk {
                size /= 2;
            }
        }
        part
    }

    fn without(&self, part: &[u32], at: usize, size: usize, newest_first: bool) -> Vec<u32> {
        let end = part.len().min(at + size);
        let gap = if newest_first {
            part.len() - end..part.len() - at
        } else {
            at..end
        };
        let rest = (0..).zip(part).filter(|(place, _)| !gap.contains(place));
        self.close(rest.map(|(_, op)| *op).collect())
    }

    fn is_smaller_proof(&mut self, rest: &[u32], part: &[u32]) -> Option<bool> {
        if rest.len() < part.len() {
            self.is_proof(rest)
        } else {
            Some(false)
        }
    }

    /// Whether a closed part is not linearizable; none if the budget is spent.
    fn is_proof(&mut self, part: &[u32]) -> Option<bool> {
        let ops = part.iter().map(|&place| *self.op(place)).collect();
        let trace = Trace {
            ops,
            values: self.trace.values,
        };
        let (answer, effort) = search(&trace, self.budget);
        // Every attempt costs something, so that the budget always ends.
        self.budget.steps = self
            .budget
            .steps
            .saturating_sub(effort.steps.max(part.len() as u64));
        match answer {
            Answer::Violated(_) => Some(true),
            Answer::Linearizable(_) => Some(false),
            Answer::Undecided(_) => None,
        }
    }

    /// The smallest closed part that has a part in it, and for every value that somebody in it needs a write, if there is any.
    fn close(&self, mut part: Vec<u32>) -> Vec<u32> {
        loop {
            let mut missing = self.missing(&part);
            if missing.is_empty() {
                return part;
            }
            part.append(&mut missing);
            part.sort_unstable();
            part.dedup();
        }
    }

    fn missing(&self, part: &[u32]) -> Vec<u32> {
        let mut missing = Vec::new();
        for need in self.needs(part) {
            let mut candidates = self
                .changes
                .between(self.trace, need.replaced, need.until)
                .filter(|&place| change(self.op(place)).is_some_and(|v| need.need.is_met_by(v)))
                .filter(|&place| place != need.place)
                .peekable();
            let has = |place: &u32| part.binary_search(place).is_ok();
            if candidates.peek().is_some() {
                missing.extend(candidates.filter(|place| !has(place)));
            } else if let Some(last) = self.last_write(&need)
                && !has(&last)
            {
                missing.push(last);
            }
        }
        missing
    }

    /// The last write of what an operation needs, although it was replaced: to tell where the value once came from.
    fn last_write(&self, need: &Needy) -> Option<u32> {
        if need.need.is_met_by(ValueId::INITIAL) {
            return None;
        }
        let meets = |place: &u32| change(self.op(*place)).is_some_and(|v| need.need.is_met_by(v));
        self.changes
            .between(self.trace, 0, need.until)
            .find(meets)
            .filter(|place| *place != need.place)
    }

    /// Those of a part that need something.
    fn needs(&self, part: &[u32]) -> Vec<Needy> {
        let ops = || part.iter().map(|&place| self.op(place));
        let last_end = ops()
            .filter(|op| op.status != Status::Info)
            .map(RegisterOp::end)
            .max();
        let needy = |&place: &u32| {
            let op = self.op(place);
            let replaced = ops()
                .filter(|other| other.is_ok() && change(other).is_some() && other.precedes(op))
                .map(|other| other.call)
                .max();
            Some(Needy {
                place,
                need: Need::of(op)?,
                until: op.end().min(last_end.unwrap_or(0)),
                replaced: replaced.unwrap_or(0),
            })
        };
        part.iter().filter_map(needy).collect()
    }

    /// How many writes of needed values are left out because they cannot have been meant.
    fn others(&self, part: &[u32]) -> u64 {
        let needs = self.needs(part);
        let meant = |place: &u32| {
            let value = change(self.op(*place));
            let met =
                |needy: &Needy| matches!(needy.need, Need::Value(needed) if value == Some(needed));
            part.binary_search(place).is_err() && needs.iter().any(met)
        };
        let all = self.changes.list.iter().map(|(place, _)| place);
        all.filter(|place| meant(place)).count() as u64
    }
}

/// An operation that needs something.
struct Needy {
    place: u32,
    need: Need,
    /// Changes that began later cannot have given it.
    until: u64,
    /// Changes that ended before were replaced by then.
    replaced: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::frontier::tests::random;
    use crate::register::testing::brute::is_linearizable;
    use crate::register::testing::{Dice, TraceBuilder, cases, part};

    /// The fewest operations of a trace that is not linearizable.
    fn minimal(trace: &Trace) -> Option<NoOrder> {
        match search(trace, Budget::default()).0 {
            Answer::Violated(died) => Some(minimise(trace, died, Budget::default())),
            _ => None,
        }
    }

    #[test]
    fn a_closed_part_that_is_not_linearizable_proves_that_the_whole_is_not() {
        let (mut proofs, mut closed) = (0, 0);
        for seed in 0..cases(5_000) {
            let trace = random(seed);
            let shrinker = Shrinker {
                trace: &trace,
                changes: Changes::of(&trace),
                budget: Budget::default(),
            };
            let mut dice = Dice(seed);
            let some = (0_u32..).take(trace.ops.len()).filter(|_| dice.percent(60));
            let chosen = shrinker.close(some.collect());
            if !is_linearizable(&part(&trace, &chosen)) {
                assert!(
                    !is_linearizable(&trace),
                    "seed {seed}: {chosen:?} of {trace:?}"
                );
                proofs += 1;
            }
            closed += u64::from(chosen.len() < trace.ops.len());
        }
        assert!(proofs > 500 && closed > 1_000, "{proofs} {closed}");
    }

    #[test]
    fn nothing_more_can_be_left_out() {
        let mut judged = 0;
        for seed in 0..cases(3_000) {
            let trace = random(seed);
            let Some(found) = minimal(&trace) else {
                continue;
            };
            judged += 1;
            let shown = part(&trace, &found.operations);
            assert!(
                !is_linearizable(&shown),
                "seed {seed}: {found:?} of {trace:?}"
            );
            assert!(is_closed(&trace, &found.operations), "seed {seed}");
            for left_out in &found.operations {
                let rest = found.operations.iter().filter(|op| *op != left_out);
                let rest: Vec<u32> = rest.copied().collect();
                assert!(
                    !is_closed(&trace, &rest) || is_linearizable(&part(&trace, &rest)),
                    "seed {seed}: {left_out} is not needed in {found:?} of {trace:?}"
                );
            }
        }
        assert!(judged > 500, "{judged}");
    }

    #[test]
    fn old_writes_of_the_same_value_are_left_out() {
        let text = "w3[0,1] w4[2,3] w3[4,5] r3[6,7] w4[8,9] r4[10,11] w3[12,13] w4[14,15] r4[16,17] r3[18,19] r4[20,21]";
        let found = minimal(&TraceBuilder::parse(text)).expect("not linearizable");
        // The last write of 3, the write of 4 after it, and the read that returns 3.
        assert_eq!(found.operations, [6, 7, 9]);
        assert_eq!(found.others, 2);
    }
}
