//! The one way from a trace to a decision: the cheapest judge that can judge it exactly.
//!
//! Values that are all different go to the zones. Values that repeat only in writes that nobody read are told apart first, which
//! changes nothing for anybody. What is left needs a search. What nobody decided is [`Judgement::Undecided`], never
//! linearizable.

use super::certificate::Order;
use super::chains;
use super::trace::{Action, RegisterOp, Trace, ValueId};
use super::violation::Violations;
use super::zones::{self, Answer, Unfit};

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
    let (algorithm, answer) = match zones::judge(trace) {
        Err(Unfit::CompareAndSet) => (Algorithm::Chains, chains::judge(trace)),
        answer => (Algorithm::Zones, answer),
    };
    match answer {
        Ok(answer) => decided(trace, algorithm, answer),
        Err(Unfit::Malformed) => undecided(trace, MALFORMED),
        Err(Unfit::ValuesRepeat) => match told_apart(trace) {
            Some(apart) => decide(&apart),
            None => search(trace),
        },
        Err(Unfit::FailedCas | Unfit::CompareAndSet) => search(trace),
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

fn search(trace: &Trace) -> Decision {
    undecided(trace, "values repeat")
}

fn undecided(trace: &Trace, why: &str) -> Decision {
    Decision {
        algorithm: Algorithm::Frontier,
        operations: trace.ops.len() as u64,
        steps: 0,
        judgement: Judgement::Undecided(why.to_owned()),
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
    fn what_is_no_trace_is_not_decided() {
        let mut trace = TraceBuilder::parse("w1[0,1] w2[2,3]");
        trace.ops.swap(0, 1);
        let judgement = decide(&trace).judgement;
        assert_eq!(judgement, Judgement::Undecided(MALFORMED.to_owned()));
    }
}
