//! Operations that no order explains, in words: what the times say, how many orders that leaves, and where the best of them breaks.

use super::trace::{Action, RegisterOp, Trace, ValueId};
use crate::history::Status;
use crate::tale::Tale;

/// Orders that are counted; beyond that, they are only said to be many.
const ORDERS_MAX: u64 = 10_000;
/// Steps in the search for the order that gets furthest.
const STEPS_MAX: u64 = 100_000;
/// Operations that are told one by one.
const OPERATIONS_TOLD_MAX: usize = 12;

/// Operations of which no order gives every one its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct NoOrder {
    /// The operations, as ascending places in [`Trace::ops`]. Alone, they are not linearizable either.
    pub operations: Vec<u32>,
    /// Writes of the values in question that are not among them because nobody among them can have seen them: they had been replaced
    /// by then, or began later.
    pub others: u64,
}

impl NoOrder {
    /// What is wrong, in words. `value` tells the value that the operation at a place (see [`RegisterOp::place`]) wrote or returned.
    pub fn tell(&self, trace: &Trace, value: &dyn Fn(usize) -> String) -> Tale {
        let ops = self.ops(trace);
        if ops.len() > OPERATIONS_TOLD_MAX {
            return too_many(&ops);
        }
        let lets = ops.iter().map(|op| op.place as usize).collect();
        let teller = Teller { ops, value };
        let (then, however) = if let [only] = teller.ops.as_slice() {
            teller.alone(only)
        } else {
            let mut then = teller.sources(self.others);
            then.extend(teller.times());
            then.extend(teller.unknowns());
            (then, teller.however())
        };
        Tale {
            lets,
            then,
            however,
        }
    }

    fn ops(&self, trace: &Trace) -> Vec<RegisterOp> {
        let known = self
            .operations
            .iter()
            .filter_map(|&at| trace.ops.get(at as usize));
        known.copied().collect()
    }
}

/// When no small part was found in the steps that were allowed.
fn too_many(ops: &[RegisterOp]) -> Tale {
    let last = ops
        .iter()
        .filter(|op| op.is_ok())
        .max_by_key(|op| (op.ret, op.place));
    let count = ops.len();
    Tale {
        lets: last.iter().map(|op| op.place as usize).collect(),
        then: vec![format!(
            "{count} operations up to the end of A were tried in every order that their times allow."
        )],
        however: "However, no order gives each of them its answer: a contradiction. A smaller part that shows it \
                  was not found in the steps allowed."
            .to_owned(),
    }
}

struct Teller<'a> {
    ops: Vec<RegisterOp>,
    value: &'a dyn Fn(usize) -> String,
}

/// How far orders get, and how many there are.
#[derive(Default)]
struct Search {
    orders: u64,
    first: Vec<usize>,
    steps: u64,
    order: Vec<usize>,
    furthest: Vec<usize>,
}

impl Teller<'_> {
    /// One operation that cannot have found what it says, whatever the others did.
    fn alone(&self, op: &RegisterOp) -> (Vec<String>, String) {
        let (needed, found) = match op.action {
            Action::Read(value) | Action::Write(value) => (value, "returned"),
            Action::Cas { expected, .. } => (expected, "found"),
        };
        let text = self.text(needed);
        if op.status == Status::Fail {
            let then = format!("Nobody had begun to write anything but {text} when A ended.");
            return (
                vec![then],
                format!("However, A did not find {text}: a contradiction."),
            );
        }
        let then = format!("Nobody had begun to write {text} when A ended.");
        (
            vec![then],
            format!("However, A {found} {text}: a contradiction."),
        )
    }

    /// Who finished before whom, without what follows from the rest.
    fn times(&self) -> Vec<String> {
        let before = |a: usize, b: usize| self.ops[a].precedes(&self.ops[b]);
        let all = 0..self.ops.len();
        let direct = |a: usize, b: usize| {
            before(a, b)
                && !all
                    .clone()
                    .any(|between| before(a, between) && before(between, b))
        };
        let mut groups: Vec<(Vec<String>, Vec<String>)> = Vec::new();
        for later in all.clone() {
            let letters = all.clone().filter(|&earlier| direct(earlier, later));
            let earlier: Vec<String> = letters.map(|at| Tale::letter(at).to_string()).collect();
            let later = Tale::letter(later).to_string();
            match groups.iter_mut().find(|(others, _)| *others == earlier) {
                Some((_, group)) => group.push(later),
                None => groups.push((earlier, vec![later])),
            }
        }
        groups.retain(|(earlier, _)| !earlier.is_empty());
        let tell = |(earlier, later): &(Vec<String>, Vec<String>)| {
            let (first, then) = (listed(earlier, "and"), listed(later, "and"));
            format!("{first} finished before {then} began.")
        };
        let mut told: Vec<String> = groups.iter().map(tell).collect();
        if told.is_empty() && self.ops.len() > 1 {
            told.push("They overlap in time, so any order of them is possible.".to_owned());
        }
        told
    }

    fn unknowns(&self) -> Option<String> {
        let unknown: Vec<String> = (0..self.ops.len())
            .filter(|&at| self.ops[at].status == Status::Info)
            .map(|at| Tale::letter(at).to_string())
            .collect();
        let it = if unknown.len() > 1 { "each" } else { "it" };
        (!unknown.is_empty()).then(|| {
            format!(
                "Nobody knows what became of {}: {it} may have taken effect at any time after it began, or never.",
                listed(&unknown, "and")
            )
        })
    }

    /// Who wrote what somebody needs.
    fn sources(&self, others: u64) -> Vec<String> {
        let needed = self
            .ops
            .iter()
            .filter_map(|op| match (op.action, op.status) {
                (Action::Read(value), _) => Some(value),
                (Action::Cas { expected, .. }, status) if status != Status::Fail => Some(expected),
                _ => None,
            });
        let mut values: Vec<ValueId> = needed.collect();
        values.sort_unstable();
        values.dedup();
        let mut told: Vec<String> = values
            .iter()
            .map(|value| self.source(*value, others))
            .collect();
        let all: Vec<String> = values.into_iter().map(|value| self.text(value)).collect();
        let all = listed(&all, "or");
        if others > 0 {
            let (they, were, have) = match others {
                1 => ("1 more operation".to_owned(), "it was", "it changes"),
                _ => (
                    format!("{others} more operations"),
                    "each was",
                    "they change",
                ),
            };
            told.push(format!(
                "{they} wrote {all}, but {were} replaced before or began too late, so {have} nothing here."
            ));
        }
        told
    }

    fn source(&self, value: ValueId, others: u64) -> String {
        let writers: Vec<String> = (0..self.ops.len())
            .filter(|&at| match self.ops[at].action {
                Action::Write(new) | Action::Cas { new, .. } => new == value,
                Action::Read(_) => false,
            })
            .map(|at| Tale::letter(at).to_string())
            .collect();
        let text = self.text(value);
        let only = if others == 0 { "Only " } else { "" };
        match (writers.is_empty(), value == ValueId::INITIAL) {
            (true, true) => format!("The key held {text} in the beginning."),
            (true, false) => format!("Nobody had begun to write {text} by then."),
            (false, true) => format!(
                "The key held {text} in the beginning, and {} wrote it.",
                listed(&writers, "and")
            ),
            (false, false) => format!("{only}{} wrote {text}.", listed(&writers, "and")),
        }
    }

    fn however(&self) -> String {
        let mut search = Search::default();
        self.count(&mut search);
        search.order.clear();
        self.advance(&mut search, ValueId::INITIAL);
        let stuck = self.stuck(&search.furthest);
        let named = |order: &[usize]| {
            let letters: Vec<String> = order
                .iter()
                .map(|&at| Tale::letter(at).to_string())
                .collect();
            letters.join(", ")
        };
        if search.orders <= 1 {
            let only = named(&search.first);
            return format!(
                "However, that leaves only the order {only}, in which {stuck}: a contradiction."
            );
        }
        let none = match search.orders {
            ORDERS_MAX.. => "no order that these times allow works".to_owned(),
            orders => format!("none of the {orders} orders that these times allow works"),
        };
        if search.furthest.is_empty() {
            return format!("However, {none}: already at the beginning {stuck}.");
        }
        let best = named(&search.furthest);
        format!("However, {none}: the best begins with {best}, and then {stuck}.")
    }

    /// Why an order cannot go on.
    fn stuck(&self, order: &[usize]) -> String {
        let held = order.iter().fold(ValueId::INITIAL, |value, &at| {
            step(value, &self.ops[at]).unwrap_or(value)
        });
        let must = |at: &usize| self.ops[*at].status != Status::Info;
        let next = self.next(order).into_iter().filter(must);
        let all: Vec<String> = next.map(|at| self.mismatch(at, held)).collect();
        listed(&all, "and")
    }

    /// Such as `C finds 4 and not 3`.
    fn mismatch(&self, at: usize, held: ValueId) -> String {
        let (letter, found) = (Tale::letter(at), self.text(held));
        match (self.ops[at].action, self.ops[at].status) {
            (Action::Read(value), _) => {
                format!("{letter} would find {found} and not {}", self.text(value))
            }
            (Action::Cas { .. }, Status::Fail) => {
                format!("{letter} would find {found}, but it found something else")
            }
            (Action::Cas { expected, .. }, _) => {
                format!(
                    "{letter} would find {found} and not {}",
                    self.text(expected)
                )
            }
            (Action::Write(_), _) => format!("{letter} does not fit"),
        }
    }

    /// The text of a value: that of an operation with it.
    fn text(&self, value: ValueId) -> String {
        let with = self.ops.iter().find(|op| match op.action {
            Action::Read(seen) => seen == value,
            Action::Write(new) | Action::Cas { new, .. } => new == value,
        });
        match with {
            Some(op) => (self.value)(op.place as usize),
            None if value == ValueId::INITIAL => "what was there in the beginning".to_owned(),
            None => "what it needs".to_owned(),
        }
    }

    /// Who may be next after some operations: nobody that is left had finished before it began.
    fn next(&self, order: &[usize]) -> Vec<usize> {
        let left: Vec<usize> = (0..self.ops.len())
            .filter(|at| !order.contains(at))
            .collect();
        let is_first = |at: &usize| {
            !left
                .iter()
                .any(|&other| self.ops[other].precedes(&self.ops[*at]))
        };
        left.iter().copied().filter(is_first).collect()
    }

    fn is_complete(&self, order: &[usize]) -> bool {
        (0..self.ops.len()).all(|at| self.ops[at].status == Status::Info || order.contains(&at))
    }

    /// Counts the orders that the times allow, whatever the answers.
    fn count(&self, search: &mut Search) {
        if self.is_complete(&search.order) {
            search.orders += 1;
            if search.orders == 1 {
                search.first.clone_from(&search.order);
            }
        }
        for at in self.next(&search.order) {
            if search.orders >= ORDERS_MAX {
                return;
            }
            search.order.push(at);
            self.count(search);
            search.order.pop();
        }
    }

    /// Follows the orders in which every operation gets its answer.
    fn advance(&self, search: &mut Search, value: ValueId) {
        if search.order.len() > search.furthest.len() {
            search.furthest.clone_from(&search.order);
        }
        search.steps += 1;
        for at in self.next(&search.order) {
            if search.steps >= STEPS_MAX {
                return;
            }
            if let Some(next) = step(value, &self.ops[at]) {
                search.order.push(at);
                self.advance(search, next);
                search.order.pop();
            }
        }
    }
}

/// What the register holds after an operation, if it fits.
fn step(value: ValueId, op: &RegisterOp) -> Option<ValueId> {
    match (op.action, op.status) {
        (Action::Read(seen), _) => (seen == value).then_some(value),
        (Action::Write(new), _) => Some(new),
        (Action::Cas { expected, .. }, Status::Fail) => (expected != value).then_some(value),
        (Action::Cas { expected, new }, _) => (expected == value).then_some(new),
    }
}

/// Such as `A, B and C`.
fn listed(names: &[String], last: &str) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::frontier::{Answer, Budget, search};
    use crate::register::minimise;
    use crate::register::testing::TraceBuilder;

    fn told(text: &str) -> String {
        let trace = TraceBuilder::parse(text);
        let Answer::Violated(died) = search(&trace, Budget::default()).0 else {
            panic!("it is linearizable")
        };
        let value = |place: usize| match trace.ops[place].action {
            Action::Read(ValueId(value)) | Action::Write(ValueId(value)) => value.to_string(),
            Action::Cas { new, .. } => new.0.to_string(),
        };
        let tale = minimise(&trace, died, Budget::default()).tell(&trace, &value);
        format!(
            "{:?}\n{}\n{}",
            tale.lets,
            tale.then.join("\n"),
            tale.however
        )
    }

    fn is_told(trace: &str, lines: &[&str]) {
        assert_eq!(told(trace), lines.join("\n"));
    }

    #[test]
    fn one_order_is_left() {
        is_told(
            "w3[0,1] w4[2,3] w3[4,5] w4[6,7] r3[8,9]",
            &[
                "[2, 3, 4]",
                "A wrote 3.",
                "1 more operation wrote 3, but it was replaced before or began too late, so it changes nothing here.",
                "A finished before B began.",
                "B finished before C began.",
                "However, that leaves only the order A, B, C, in which C would find 4 and not 3: a contradiction.",
            ],
        );
        is_told(
            "w1[0,1] c1>2[2,3]!",
            &[
                "[0, 1]",
                "A finished before B began.",
                "However, that leaves only the order A, B, in which B would find 1, but it found something else: a contradiction.",
            ],
        );
    }

    #[test]
    fn several_orders_are_left() {
        is_told(
            "w1[0,1] w2[2,9] w1[3,8] r1[10,11] r2[12,13] r1[14,15]",
            &[
                "[1, 2, 3, 4]",
                "B wrote 1.",
                "A wrote 2.",
                "1 more operation wrote 1 or 2, but it was replaced before or began too late, so it changes nothing here.",
                "A and B finished before C began.",
                "C finished before D began.",
                "However, none of the 2 orders that these times allow works: the best begins with A, B, C, and then D would find 1 and not 2.",
            ],
        );
        is_told(
            "w1[0,1] c1>2[2,9] c1>3[3,8]",
            &[
                "[0, 1, 2]",
                "Only A wrote 1.",
                "A finished before B and C began.",
                "However, none of the 2 orders that these times allow works: the best begins with A, B, and then C would find 2 and not 1.",
            ],
        );
    }

    #[test]
    fn outcomes_are_unknown() {
        is_told(
            "w1[0,1] c1>2[2,9]? c2>1[3,9]? w3[8,9] r3[10,11] r2[12,13] r3[14,15]",
            &[
                "[0, 1, 2, 3, 5]",
                "Only A and C wrote 1.",
                "Only B wrote 2.",
                "A finished before B, C and D began.",
                "D finished before E began.",
                "Nobody knows what became of B and C: each may have taken effect at any time after it began, or never.",
                "However, none of the 19 orders that these times allow works: the best begins with A, B, C, D, and then E would find 3 and not 2.",
            ],
        );
    }

    #[test]
    fn nobody_wrote_it() {
        is_told(
            "w1[0,1] r3[4,5] w3[6,7]",
            &[
                "[1]",
                "Nobody had begun to write 3 when A ended.",
                "However, A returned 3: a contradiction.",
            ],
        );
        is_told(
            "w1[0,1] w2[2,3]? r0[4,5]",
            &[
                "[0, 2]",
                "The key held 0 in the beginning.",
                "A finished before B began.",
                "However, that leaves only the order A, B, in which B would find 1 and not 0: a contradiction.",
            ],
        );
    }
}
