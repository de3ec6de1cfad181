//! Unavailability: a key that could not be read or written although enough replicas were within reach.
//!
//! Time is cut into *intervals* at every moment at which a fault begins, has taken, begins to heal or is long enough over (see `reach.rs`). An operation
//! is *eligible* if it lies within one interval, its coordinator was not touched by a fault, and the coordinator could reach
//! enough other nodes for the level asked for. A key is unavailable if, in one interval, its eligible reads (or writes)
//! are many, spread over some time, and none succeeded while some other eligible operation did. If none at all
//! succeeded, the whole store is unavailable, which takes more operations to say; so it does to say that nothing could be read (or written)
//! of a store where no single key was asked for often enough. It measures no latency; the measures
//! count outcomes in and out of faults, and the longest time without a success.

mod measures;
mod reach;

use std::collections::BTreeMap;

use crate::contract::Access;
use crate::contract::reach::Need;
use crate::finding::{Checker, Finding};
use crate::guarantee::Guarantee;
use crate::history::{Function, History, Index, KeyId, Level, LevelName, Nanos, Operation};
use crate::witness::{Amount, Anomaly, Measure, Part, Witness};
use reach::{Out, Reach};

/// Eligible operations without a success that make a key unavailable.
const ATTEMPTS_MIN: usize = 5;

/// Eligible operations without a success that make the whole store unavailable, or unavailable for reads or for writes.
const ATTEMPTS_MIN_STORE: usize = 20;

/// Shortest time over which these must be spread, ns.
const SPREAD_NS_MIN: u64 = 300_000_000;

/// The judge of [`Guarantee::Availability`].
#[derive(Clone, Copy, Debug)]
pub struct Availability;

/// Eligible operations of one kind on one key in one interval, or all of one interval. Only those that a witness shows are kept.
#[derive(Default)]
struct Attempts {
    first: Vec<usize>,
    last: Option<usize>,
    count: usize,
    succeeded: bool,
}

impl Attempts {
    fn add(&mut self, at: usize, succeeded: bool) {
        if self.first.len() < ATTEMPTS_MIN_STORE && !self.succeeded {
            self.first.push(at);
        }
        self.last = Some(at);
        self.count += 1;
        self.succeeded |= succeeded;
    }
}

/// What some attempts are about.
#[derive(Clone, Copy)]
struct Span {
    /// So many of them are needed to say something.
    attempts_min: usize,
    /// Of one key, or of all.
    key: Option<KeyId>,
    /// An operation that did succeed meanwhile.
    success: Option<usize>,
}

/// All eligible operations of one interval.
#[derive(Default)]
struct Interval {
    /// By key, then reads (`false`) before writes (`true`).
    attempts: BTreeMap<(KeyId, bool), Attempts>,
    /// Of all keys, by kind.
    kinds: BTreeMap<bool, Attempts>,
    all: Attempts,
    success: Option<usize>,
}

impl Checker for Availability {
    fn guarantee(&self) -> Guarantee {
        Guarantee::Availability
    }

    fn check(&self, history: &History, _index: &Index) -> Finding {
        let mut finding = Finding::new(self.guarantee(), "operations");
        for interval in intervals(history) {
            finding.judged += interval.all.count as u64;
            self.check_interval(history, &interval, &mut finding);
        }
        measures::measure(history, &mut finding);
        finding
    }
}

impl Availability {
    fn check_interval(self, history: &History, interval: &Interval, finding: &mut Finding) {
        let Some(success) = interval.success else {
            let whole = Span {
                attempts_min: ATTEMPTS_MIN_STORE,
                key: None,
                success: None,
            };
            self.check_attempts(history, &interval.all, whole, finding);
            return;
        };
        let success = Some(success);
        for (writes, of_kind) in &interval.kinds {
            let before = finding.seen;
            let keys = interval.attempts.iter();
            for ((key, _), attempts) in keys.filter(|((_, kind), _)| kind == writes) {
                if !attempts.succeeded {
                    let one = Span {
                        attempts_min: ATTEMPTS_MIN,
                        key: Some(*key),
                        success,
                    };
                    self.check_attempts(history, attempts, one, finding);
                }
            }
            // Too thinly spread over keys to say so of any of them.
            if finding.seen == before && !of_kind.succeeded {
                let all = Span {
                    attempts_min: ATTEMPTS_MIN_STORE,
                    key: None,
                    success,
                };
                self.check_attempts(history, of_kind, all, finding);
            }
        }
    }

    /// None of these succeeded.
    fn check_attempts(
        self,
        history: &History,
        attempts: &Attempts,
        span: Span,
        finding: &mut Finding,
    ) {
        let Span {
            attempts_min,
            key,
            success,
        } = span;
        let (Some(&first), Some(last)) = (attempts.first.first(), attempts.last) else {
            return;
        };
        let call = |at: usize| history.operations[at].call;
        let spread = call(last).since(call(first));
        if attempts.count < attempts_min || spread.0 < SPREAD_NS_MIN {
            return;
        }
        finding.see(call(first), || {
            let shown = attempts.first.iter().copied();
            let shown = shown.take(attempts_min - 1).chain([last]);
            let witness = shown.fold(Witness::default(), |w, at| w.with(Part::Attempt, at));
            Anomaly {
                guarantee: self.guarantee(),
                at: call(first),
                key: key.map(|key| history.key_name(key).to_owned()),
                witness: witness.with_some(Part::Success, success),
                details: vec![
                    Measure::new("attempts", Amount::Count(attempts.count as u64)),
                    Measure::new("spread", Amount::Ns(spread.0)),
                ],
                tale: None,
            }
        });
    }
}

/// The eligible operations, by interval.
fn intervals(history: &History) -> Vec<Interval> {
    let reach = Reach::of(history);
    let mut intervals: BTreeMap<usize, Interval> = BTreeMap::new();
    for (at, operation) in history.operations.iter().enumerate() {
        let Some(place) = eligible_in(history, &reach, operation) else {
            continue;
        };
        let interval = intervals.entry(place).or_default();
        let kind = (operation.key, operation.is_write());
        let attempts = interval.attempts.entry(kind).or_default();
        attempts.add(at, operation.is_ok());
        let of_kind = interval.kinds.entry(operation.is_write()).or_default();
        of_kind.add(at, operation.is_ok());
        interval.all.add(at, operation.is_ok());
        if operation.is_ok() {
            interval.success.get_or_insert(at);
        }
    }
    intervals.into_values().collect()
}

/// The interval in which an operation should have succeeded, if there is one.
fn eligible_in(history: &History, reach: &Reach, operation: &Operation) -> Option<usize> {
    if operation.f == Function::Census {
        return None;
    }
    let completed: Nanos = operation.completed()?;
    let interval = reach.interval(operation.call, completed)?;
    let coordinator = operation.node()?;
    let out = reach.unreachable(interval, coordinator)?;
    let header = &history.header;
    let quorum = header.quorum;
    let configured = if operation.is_write() {
        quorum.w
    } else {
        quorum.r
    };
    let level = operation.level().unwrap_or(Level::Count(configured));
    let met = match level {
        Level::Count(count) if header.settings.is_plain() && !header.is_dotted() => {
            out.total() <= quorum.n.checked_sub(count)?
        }
        _ => is_within_reach(history, operation, history.node_name(coordinator), out),
    };
    met.then_some(interval)
}

/// The same where more than numbers of replicas counts.
fn is_within_reach(
    history: &History,
    operation: &Operation,
    coordinator: &str,
    out: Out<'_>,
) -> bool {
    let header = &history.header;
    let access = if operation.is_write() {
        Access::Write
    } else {
        Access::Read
    };
    let writes = history.operations.iter().filter(|op| op.is_write());
    let bytes = |op: &Operation| history.key_name(op.key).len() + op.value.to_string().len();
    // Only a hint is measured by what was written, and few operations can do with one.
    let written = match operation.level() {
        Some(Level::Named(LevelName::Any)) => writes.map(|op| bytes(op) as u64).sum(),
        _ => 0,
    };
    let need = Need::of(header, access, operation.level(), coordinator, written);
    need.is_met(out.total(), |centre| {
        let nodes = header.settings.data_centres.get(centre);
        let named = |name: &String| out.contains(&history.nodes, name);
        let nodes = nodes.map_or(&[][..], |centre| centre.nodes.as_slice());
        let count = nodes.iter().filter(|name| named(name)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{draw, tally};

    /// Clients of a drawing have no coordinators: each gets the node with its number, modulo the number of nodes.
    fn check(drawing: &str) -> (u64, u64) {
        let mut history = draw(drawing);
        for operation in &mut history.operations {
            let node = u32::try_from((operation.process + 2) % 3).expect("one of three");
            operation.set_node(Some(crate::history::NodeIndex(node)));
        }
        tally(&history, Guarantee::Availability)
    }

    #[test]
    fn a_key_that_nobody_can_write_while_others_are_fine() {
        let drawing = "
            c1: |w k 1! |w k 2! |w k 3! |w k 4! |w k 5!
            c2:   |-w j 1-|";
        assert_eq!(check(drawing), (6, 1));
    }

    #[test]
    fn four_refusals_are_not_enough_and_one_success_is_too_much() {
        let drawing = "
            c1: |w k 1! |w k 2! |w k 3! |w k 4!
            c2:   |-w j 1-|";
        assert_eq!(check(drawing), (5, 0));
        let drawing = "
            c1: |w k 1! |w k 2! |w k 3! |w k 4! |w k 5| |w k 6!
            c2:   |-w j 1-|";
        assert_eq!(check(drawing), (7, 0));
    }

    #[test]
    fn refusals_must_be_spread_over_300_ms() {
        let drawing = "
            c1: |w k 1!
            c2: |w k 2!
            c3: |w k 3!
            c4: |w k 4!
            c5:    |w k 5!
            c6: |w j 6|";
        assert_eq!(check(drawing), (6, 1));
        assert_eq!(check(&drawing.replace("   |w k 5!", "  |w k 5!")), (6, 0));
    }

    #[test]
    fn a_store_where_nothing_succeeds() {
        let row = "|r k 1!|r k 1!|r k 1!|r k 1!|r k 1!|r k 1!|r k 1!|r k 1!|r k 1!|r k 1!";
        let drawing = format!("c1: {row}\nc2: {row}");
        assert_eq!(check(&drawing), (20, 1));
        assert_eq!(check(&format!("c1: {row}")), (10, 0));
    }

    /// No key is read often enough to say so of it, but nothing at all can be read, while writes are fine.
    #[test]
    fn a_store_of_which_nothing_can_be_read() {
        let rows = |reads: usize| {
            let read = |number: usize| format!("|r k{} 1!", number % 10);
            let row: String = (0..reads).map(read).collect();
            format!("c1: {row}\nc2: {row}\nc3: |w j 1|")
        };
        assert_eq!(check(&rows(10)), (21, 1));
        assert_eq!(check(&rows(9)), (19, 0));
        let one_succeeds = rows(10).replacen("|r k9 1!", "|r k9 1|", 1);
        assert_eq!(check(&one_succeeds), (21, 0));
    }

    #[test]
    fn a_coordinator_that_cannot_reach_a_quorum_may_refuse() {
        let drawing = "
            fault kill n2 n3: |-
            c1:                  |w k 1! |w k 2! |w k 3! |w k 4! |w k 5!
            c2: |-w j 1-|";
        assert_eq!(check(drawing), (1, 0));
    }

    #[test]
    fn nothing_is_blamed_while_the_ring_changes_and_no_coordinator_that_is_gone_for_good() {
        let refused = "|w k 1! |w k 2! |w k 3! |w k 4! |w k 5!";
        let during = format!(
            "
            fault ring n3: |-------------------------------------------|
            c1:              {refused}
            c2: |-w j 1-|"
        );
        assert_eq!(check(&during), (1, 0));
        // The change is over after 100 ms, and so is the time in which it counts after another second.
        let after = format!(
            "
            fault ring n3: |-|
            c2:                            {refused}
            c1:                             |w j 7|"
        );
        assert_eq!(check(&after), (6, 1));
        let mut history = draw(&after);
        history.faults[0].gone = vec!["n1".to_owned()];
        for operation in &mut history.operations {
            let node = u32::try_from((operation.process + 2) % 3).expect("one of three");
            operation.set_node(Some(crate::history::NodeIndex(node)));
        }
        assert_eq!(tally(&history, Guarantee::Availability), (5, 0));
    }

    #[test]
    fn what_succeeds_after_the_heal_does_not_excuse_what_failed_before_it() {
        let drawing = "
            fault kill n3: |------------------------------------------|
            c1:               |w k 1! |w k 2! |w k 3! |w k 4! |w k 5!    |w k 6|
            c2:                 |-w j 7-|";
        assert_eq!(check(drawing), (7, 1));
    }

    #[test]
    fn one_node_less_is_no_excuse() {
        let drawing = "
            fault kill n3: |-
            c1:                  |w k 1! |w k 2! |w k 3! |w k 4! |w k 5! |w j 6|
            c3:                  |w k 8! |w k 9!";
        assert_eq!(check(drawing), (6, 1));
    }
}
