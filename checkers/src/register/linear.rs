//! The one way from a trace to a decision: the cheapest judge that can judge it exactly.
//!
//! Values that are all different go to the zones. Values that repeat only in writes that nobody read are told apart first, which
//! changes nothing for anybody. What is left needs a search. What nobody decided is [`Judgement::Undecided`], never
//! linearizable.

use super::certificate::Order;
use super::chains;
use super::frontier::{self, Budget};
use super::minimise::minimise;
use super::trace::{Action, RegisterOp, Trace, ValueId};
use super::violation::{Kind, Proof, Violations};
use super::zones::{self, Answer, Unfit};
use crate::history::Status;

/// Who decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// The zones of unique values: O(n).
    Zones,
    /// The chains of compare-and-sets with unique new values: O(n).
    Chains,
    /// The search for values that repeat.
    Frontier,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Algorithm; 3] = [Algorithm::Zones, Algorithm::Chains, Algorithm::Frontier];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Zones => "zones",
            Algorithm::Chains => "chains",
            Algorithm::Frontier => "frontier",
        }
    }
}

/// What came of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It is linearizable, in this order.
    Linearizable(Order),
    /// It is not.
    Violated(Violations),
    /// Nobody knows, for this reason.
    Undecided(String),
}

/// A decision, and what it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Who decided, or gave up.
    pub algorithm: Algorithm,
    /// How many operations were judged.
    pub operations: u64,
    /// Steps that it took: passes over operations, or configurations of a search.
    pub steps: u64,
    /// What came of it.
    pub judgement: Judgement,
}

/// Decides whether a trace is linearizable.
pub fn decide(trace: &Trace) -> Decision {
    decide_within(trace, Budget::default())
}

/// As [`decide`], with what a search may spend.
pub fn decide_within(trace: &Trace, budget: Budget) -> Decision {
    let (algorithm, answer) = judge_cheaply(trace);
    match answer {
        Ok(answer) => decided(trace, algorithm, answer),
        Err(Unfit::Malformed) => Decision {
            algorithm,
            operations: trace.ops.len() as u64,
            steps: 0,
            judgement: Judgement::Undecided(MALFORMED.to_owned()),
        },
        Err(Unfit::ValuesRepeat) => match told_apart(trace) {
            Some(apart) => decide_within(&apart, budget),
            None => search(trace, budget),
        },
        Err(Unfit::FailedCas | Unfit::CompareAndSet) => search(trace, budget),
    }
}

const MALFORMED: &str =
    "operations are not in the order of their invocations, or end before they begin";

fn decided(trace: &Trace, algorithm: Algorithm, answer: Answer) -> Decision {
    let operations = trace.ops.len() as u64;
    Decision {
        algorithm,
        operations,
        steps: operations,
        judgement: match answer {
            Answer::Linearizable(order) => Judgement::Linearizable(order),
            Answer::Violated(violations) => Judgement::Violated(violations),
        },
    }
}

fn search(trace: &Trace, budget: Budget) -> Decision {
    let (answer, effort) = frontier::search(trace, budget);
    Decision {
        algorithm: Algorithm::Frontier,
        operations: trace.ops.len() as u64,
        steps: effort.steps,
        judgement: match answer {
            frontier::Answer::Linearizable(order) => Judgement::Linearizable(order),
            frontier::Answer::Violated(last) => Judgement::Violated(dead_end(trace, last, budget)),
            frontier::Answer::Undecided(undecided) => Judgement::Undecided(undecided.why()),
        },
    }
}

/// The fewest operations that show why no order gets past the end of one. If they have all writes of their values, and no
/// value repeats among them, a cheaper judge says more about them.
fn dead_end(trace: &Trace, last: usize, budget: Budget) -> Violations {
    let found = minimise(trace, last, budget);
    let places = with_refused(trace, &found.operations);
    let part = Trace {
        ops: places.iter().map(|&at| trace.ops[at as usize]).collect(),
        values: trace.values,
    };
    if found.others == 0
        && let Ok(Answer::Violated(mut violations)) = judge_cheaply(&part).1
    {
        let whole = |at: &mut u32| *at = places.get(*at as usize).copied().unwrap_or(*at);
        for violation in &mut violations.kept {
            violation.proof.for_each_place(whole);
        }
        return violations;
    }
    let mut violations = Violations::default();
    let calls = part.ops.iter().map(|op| op.call);
    let at = calls.max().unwrap_or(0);
    violations.see(at, Kind::NoOrder, || Proof::NoOrder(found));
    violations
}

/// Some operations, with the refused writes of values that they read and nobody else wrote: such a read is no phantom.
fn with_refused(trace: &Trace, places: &[u32]) -> Vec<u32> {
    let mut all = places.to_vec();
    let writers = trace.writers();
    let is_unwritten = |value: ValueId| writers.get(value.0 as usize).is_some_and(Option::is_none);
    for &at in places {
        let Action::Read(value) = trace.ops[at as usize].action else {
            continue;
        };
        if value == ValueId::INITIAL || !is_unwritten(value) {
            continue;
        }
        let refused =
            |op: &RegisterOp| op.action == Action::Write(value) && op.status == Status::Fail;
        all.extend(
            (0..)
                .zip(&trace.ops)
                .find(|(_, op)| refused(op))
                .map(|(at, _)| at),
        );
    }
    all.sort_unstable();
    all.dedup();
    all
}

fn judge_cheaply(trace: &Trace) -> (Algorithm, Result<Answer, Unfit>) {
    match zones::judge(trace) {
        Err(Unfit::CompareAndSet) => (Algorithm::Chains, chains::judge(trace)),
        answer => (Algorithm::Zones, answer),
    }
}

/// The same trace with a value of its own for every blind write of a value that no operation needs; none if all such writes
/// have one already. A write that nobody sees may as well write anything.
fn told_apart(trace: &Trace) -> Option<Trace> {
    let mut is_needed = vec![false; trace.values as usize];
    let mut writers = vec![0_u32; trace.values as usize];
    for op in &trace.ops {
        match op.action {
            Action::Read(value) if op.is_ok() => is_needed[value.0 as usize] = true,
            Action::Read(_) => {}
            Action::Write(value) => writers[value.0 as usize] += 1,
            Action::Cas { expected, new } => {
                is_needed[expected.0 as usize] = true;
                writers[new.0 as usize] += 1;
            }
        }
    }
    writers[ValueId::INITIAL.0 as usize] += 1;
    let mut values = trace.values;
    let apart = |op: &RegisterOp| match op.action {
        Action::Write(value) if !is_needed[value.0 as usize] && writers[value.0 as usize] > 1 => {
            let own = ValueId(values);
            values = values.saturating_add(1);
            RegisterOp {
                action: Action::Write(own),
                ..*op
            }
        }
        _ => *op,
    };
    let ops = trace.ops.iter().map(apart).collect();
    (values > trace.values).then_some(Trace { ops, values })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::testing::TraceBuilder;

    fn outcome(text: &str) -> (Algorithm, Option<bool>) {
        let decision = decide(&TraceBuilder::parse(text));
        let answer = match decision.judgement {
            Judgement::Linearizable(_) => Some(true),
            Judgement::Violated(_) => Some(false),
            Judgement::Undecided(_) => None,
        };
        (decision.algorithm, answer)
    }

    #[test]
    fn the_cheapest_judge_that_can_decides() {
        assert_eq!(outcome("w1[0,1] r1[2,3]"), (Algorithm::Zones, Some(true)));
        assert_eq!(outcome("w1[0,1] r0[2,3]"), (Algorithm::Zones, Some(false)));
    }

    #[test]
    fn equal_values_that_nobody_reads_are_no_repetition() {
        assert_eq!(
            outcome("w0[0,1] w1[2,3] w0[4,5] r1[3,4]"),
            (Algorithm::Zones, Some(true))
        );
        assert_eq!(
            outcome("w2[0,1] w1[2,3] w2[4,5] r1[6,7]"),
            (Algorithm::Zones, Some(false))
        );
    }

    #[test]
    fn values_that_repeat_need_a_search() {
        let good = "w1[0,1] w1[2,3] w2[4,5] r1[4,6] r2[8,9]";
        assert_eq!(outcome(good), (Algorithm::Frontier, Some(true)));
        let bad = "w1[0,1] w1[2,3] w2[4,5] r1[6,7]";
        assert_eq!(outcome(bad), (Algorithm::Frontier, Some(false)));
        let failed = "w1[0,1] c1>2[2,5]! w3[9,10]? r1[12,13] c3>4[14,15]";
        assert_eq!(outcome(failed), (Algorithm::Chains, Some(false)));
    }

    #[test]
    fn a_search_without_steps_decides_nothing() {
        let trace = TraceBuilder::parse("w1[0,1] w1[2,3] w2[4,5] r1[4,6] r2[8,9]");
        let decision = decide_within(&trace, Budget { steps: 0, bytes: 0 });
        assert!(matches!(decision.judgement, Judgement::Undecided(_)));
    }

    #[test]
    fn what_is_no_trace_is_not_decided() {
        let mut trace = TraceBuilder::parse("w1[0,1] w2[2,3]");
        trace.ops.swap(0, 1);
        let judgement = decide(&trace).judgement;
        assert_eq!(judgement, Judgement::Undecided(MALFORMED.to_owned()));
    }

    #[test]
    fn what_a_search_finds_of_a_refused_write_is_no_phantom() {
        let kind = |text: &str| match decide(&TraceBuilder::parse(text)) {
            Decision {
                algorithm: Algorithm::Frontier,
                judgement: Judgement::Violated(violations),
                ..
            } => violations.kept[0].kind(),
            other => panic!("expected a violation found by a search, not {other:?}"),
        };
        let repeating = "w1[0,1] r1[2,3] w1[4,5] w2[6,7]";
        assert_eq!(kind(&format!("{repeating}! r2[8,9]")), Kind::FailedWrite);
        assert_eq!(kind(&format!("{repeating} r3[8,9]")), Kind::Phantom);
    }
}
