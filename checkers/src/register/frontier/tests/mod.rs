//! The search against brute force: random traces, all small traces, and mutants that must be found out.
//!
//! `QUORATE_CASES=1000000 cargo test --release -p quorate-checkers frontier` asks for more of the random ones.

mod mutants;
pub(crate) mod traces;

use super::{Answer, Budget, Limit, search};
use crate::history::Status;
use crate::register::testing::brute::is_linearizable;
use crate::register::testing::{Dice, cases};
use crate::register::trace::{Action, RegisterOp, Trace, ValueId};
use crate::register::verify;
use traces::{Mix, drawn, numbered, simulated, told};

/// Random traces that every run of the tests judges.
const CASES: u64 = 20_000;

/// The trace of a seed.
pub(crate) fn random(seed: u64) -> Trace {
    let mut dice = Dice(seed);
    let mix = Mix::random(&mut dice);
    if dice.percent(50) {
        drawn(&mut dice, mix)
    } else {
        simulated(&mut dice, mix)
    }
}

fn agrees(trace: &Trace) -> bool {
    let (answer, _) = search(trace, Budget::default());
    match answer {
        Answer::Linearizable(order) => is_linearizable(trace) && verify(trace, &order).is_ok(),
        Answer::Violated(_) => !is_linearizable(trace),
        Answer::Undecided(_) => false,
    }
}

#[test]
fn random_traces() {
    let cases = cases(CASES);
    let mut valid = 0;
    for seed in 0..cases {
        let trace = random(seed);
        assert!(agrees(&trace), "seed {seed}:\n{}", told(&trace));
        valid += u64::from(is_linearizable(&trace));
    }
    // Both kinds are well represented.
    assert!(
        valid > cases / 5 && valid < cases * 4 / 5,
        "{valid} of {cases}"
    );
}

/// All that can be asked about two values.
fn actions() -> Vec<(Action, Status)> {
    let (a, b) = (ValueId(0), ValueId(1));
    let mut all = Vec::new();
    for value in [a, b] {
        all.push((Action::Read(value), Status::Ok));
        all.push((Action::Write(value), Status::Ok));
        all.push((Action::Write(value), Status::Info));
    }
    for (expected, new) in [(a, b), (b, a)] {
        for status in [Status::Ok, Status::Info, Status::Fail] {
            all.push((Action::Cas { expected, new }, status));
        }
    }
    all
}

fn all_agree(operations: usize, actions: &[(Action, Status)]) -> u64 {
    let mut judged = 0;
    traces::all_traces(operations, 2, actions, &mut |trace| {
        judged += 1;
        assert!(agrees(trace), "{}", told(trace));
    });
    judged
}

#[test]
fn all_small_traces() {
    assert_eq!(all_agree(1, &actions()), 12);
    assert_eq!(all_agree(2, &actions()), 304);
    assert_eq!(all_agree(3, &actions()), 12_352);
    let blind = &actions()[..6];
    if cases(CASES) > CASES {
        assert_eq!(all_agree(4, blind), 43_536);
    }
}

fn op(call: u64, ret: u64, action: Action) -> RegisterOp {
    RegisterOp {
        call,
        ret,
        action,
        status: Status::Ok,
        place: 0,
    }
}

fn write(value: u32) -> Action {
    Action::Write(ValueId(value))
}

fn read(value: u32) -> Action {
    Action::Read(ValueId(value))
}

#[test]
fn times_at_the_ends_of_the_scale_are_times() {
    let max = u64::MAX;
    let touching = numbered(vec![
        op(max, max, write(1)),
        op(max, max, read(1)),
        op(0, max, read(0)),
    ]);
    assert!(agrees(&touching));
    // A span that ends before it begins counts as a moment.
    let torn = numbered(vec![op(5, 1, write(1)), op(6, 7, read(0))]);
    let (answer, _) = search(&torn, Budget::default());
    assert_eq!(answer, Answer::Violated(1));
}

/// The write of 2 hides right before that of 0, which changes nothing either and yet makes room for the compare-and-set.
#[test]
fn a_write_of_what_is_there_hides_another() {
    let swap = |expected, new| Action::Cas {
        expected: ValueId(expected),
        new: ValueId(new),
    };
    let hiding = numbered(vec![
        op(0, 2, swap(0, 3)),
        op(1, 5, write(2)),
        op(2, 8, write(0)),
        op(14, 17, swap(3, 2)),
    ]);
    assert!(agrees(&hiding) && is_linearizable(&hiding));
}

#[test]
fn many_operations_in_flight_at_once() {
    for width in [60, 100, 200, 400, 1_500, 5_000] {
        let mut ops: Vec<RegisterOp> = (0..width)
            .map(|n| op(0, 10 + u64::from(n), write(1 + n % 3)))
            .collect();
        ops.push(op(20_000, 20_001, read(2)));
        let valid = numbered(ops.clone());
        let (answer, _) = search(&valid, Budget::default());
        assert!(
            matches!(answer, Answer::Linearizable(order) if verify(&valid, &order).is_ok()),
            "{width}"
        );
        let ops_before = ops.len();
        ops.push(op(20_002, 20_003, read(3)));
        let (answer, _) = search(&numbered(ops), Budget::default());
        assert_eq!(answer, Answer::Violated(ops_before), "{width}");
    }
}

#[test]
fn what_is_too_much_is_said_to_be_undecided() {
    let mut dice = Dice(1);
    let mix = Mix {
        operations: 400,
        values: 5,
        swaps: 0,
        unknown: 20,
        failed: 0,
        moments: 4_000,
        span: 300,
    };
    let hard = simulated(&mut dice, mix);
    let few = Budget {
        steps: 50,
        ..Budget::default()
    };
    let (answer, effort) = search(&hard, few);
    let Answer::Undecided(undecided) = answer else {
        panic!("50 steps cannot suffice")
    };
    assert_eq!((undecided.limit, undecided.effort), (Limit::Steps, effort));
    assert!(
        undecided.why().starts_with("values repeat, and "),
        "{}",
        undecided.why()
    );
    let small = Budget {
        bytes: 1_000,
        ..Budget::default()
    };
    let (answer, _) = search(&hard, small);
    assert!(matches!(answer, Answer::Undecided(undecided) if undecided.limit == Limit::Bytes));
    let crowd: Vec<RegisterOp> = (0..9_000).map(|n| op(0, 1 + n, write(1))).collect();
    let (answer, _) = search(&numbered(crowd), Budget::default());
    assert!(matches!(answer, Answer::Undecided(undecided) if undecided.limit == Limit::Width));
}
