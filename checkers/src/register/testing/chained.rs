//! The chain judge against brute force: all traces of three operations with compare-and-sets, and many random ones.

use super::exhaustive::for_each_trace;
use super::{Dice, brute, cases, part, random};
use crate::history::Status;
use crate::register::certificate::verify;
use crate::register::chains::judge;
use crate::register::trace::{Action, Trace, ValueId};
use crate::register::zones::{Answer, Unfit};

/// What came of a trace.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Good,
    Bad,
    Unfit,
}

/// Judges a trace both ways; every proof must prove it.
fn agree(trace: &Trace) -> Outcome {
    let truth = brute::is_linearizable(trace);
    match judge(trace) {
        Ok(Answer::Linearizable(order)) => {
            assert!(truth, "{trace:?}");
            assert_eq!(verify(trace, &order), Ok(()), "{trace:?}");
            Outcome::Good
        }
        Ok(Answer::Violated(violations)) => {
            assert!(!truth, "{trace:?}");
            assert!(!violations.kept.is_empty(), "{trace:?}");
            for violation in &violations.kept {
                let part = part(trace, &violation.support(trace));
                assert!(!brute::is_linearizable(&part), "{trace:?}\n{violation:?}");
                let tale = violation.tell(trace, &|place| format!("v{place}"));
                assert!(tale.however.starts_with("However"), "{}", tale.however);
                let Ok(Answer::Violated(again)) = judge(&part) else {
                    panic!("{trace:?}\n{violation:?}");
                };
                let same = again
                    .kept
                    .iter()
                    .any(|other| other.kind() == violation.kind());
                assert!(same, "{trace:?}\n{violation:?}\n{again:?}");
            }
            Outcome::Bad
        }
        Err(unfit) => {
            assert_eq!(unfit, Unfit::FailedCas, "{trace:?}");
            let is_failed = trace
                .ops
                .iter()
                .any(|op| matches!(op.action, Action::Cas { .. }) && op.status == Status::Fail);
            assert!(is_failed, "{trace:?}");
            Outcome::Unfit
        }
    }
}

/// Every way to make some of the writes of a trace compare-and-sets.
fn for_each_choice(trace: &Trace, from: usize, visit: &mut dyn FnMut(&Trace)) {
    let write =
        (from..trace.ops.len()).find(|&at| matches!(trace.ops[at].action, Action::Write(_)));
    let Some(at) = write else {
        visit(trace);
        return;
    };
    for_each_choice(trace, at + 1, visit);
    let Action::Write(new) = trace.ops[at].action else {
        return;
    };
    let mut changed = trace.clone();
    for expected in (0..trace.values).map(ValueId) {
        changed.ops[at].action = Action::Cas { expected, new };
        for_each_choice(&changed, at + 1, visit);
        if changed.ops[at].status == Status::Ok {
            changed.ops[at].status = Status::Fail;
            for_each_choice(&changed, at + 1, visit);
            changed.ops[at].status = Status::Ok;
        }
    }
}

/// Without failed ones the chains decide everything.
fn has_failed(trace: &Trace) -> bool {
    trace.ops.iter().any(|op| op.status == Status::Fail)
}

#[test]
fn all_small_traces() {
    let (mut visited, mut unfit) = (0_u64, 0_u64);
    // Four operations are 2 million traces: only when asked for.
    let most = if cases(0) > 0 { 4 } else { 3 };
    for count in 1..=most {
        for_each_trace(count, &mut |trace| {
            for_each_choice(trace, 0, &mut |trace| {
                visited += 1;
                let outcome = agree(trace);
                unfit += u64::from(outcome == Outcome::Unfit);
                assert!(outcome != Outcome::Unfit || has_failed(trace));
            });
        });
    }
    println!("{visited} traces with compare-and-sets: 0 disagreements, {unfit} left to the search");
    assert!(
        visited > 10_000 && unfit < visited / 10,
        "{unfit} of {visited}"
    );
}

#[test]
fn random_traces() {
    let mut dice = Dice(2);
    let (mut good, mut bad, cases) = (0, 0, cases(20_000));
    for _ in 0..cases {
        match agree(&random::trace_of_sets(&mut dice)) {
            Outcome::Good => good += 1,
            Outcome::Bad => bad += 1,
            Outcome::Unfit => {}
        }
    }
    println!(
        "{cases} random traces with compare-and-sets: {good} linearizable, {bad} not, 0 disagreements"
    );
    assert!(
        good > cases / 5 && bad > cases / 5 && good + bad > cases * 9 / 10,
        "{good} {bad}"
    );
}
