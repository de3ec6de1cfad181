//! The zone judge against brute force: all small traces, many random ones, and every certificate and witness by itself.

use super::exhaustive::for_each_trace;
use super::{Dice, brute, cases, part, random};
use crate::register::certificate::verify;
use crate::register::trace::Trace;
use crate::register::zones::{Answer, judge};

/// Judges a trace both ways; every proof must prove it.
fn agree(trace: &Trace) -> bool {
    let truth = brute::is_linearizable(trace);
    match judge(trace).expect("values are unique") {
        Answer::Linearizable(order) => {
            assert!(truth, "{trace:?}");
            assert_eq!(verify(trace, &order), Ok(()), "{trace:?}");
        }
        Answer::Violated(violations) => {
            assert!(!truth, "{trace:?}");
            assert!(!violations.kept.is_empty(), "{trace:?}");
            for violation in &violations.kept {
                let operations = violation.operations();
                assert!(operations.len() <= 6, "{trace:?}");
                let part = part(trace, &operations);
                assert!(!brute::is_linearizable(&part), "{trace:?}\n{violation:?}");
                let Ok(Answer::Violated(again)) = judge(&part) else {
                    panic!("{trace:?}\n{violation:?}");
                };
                let first = &again.kept[0];
                assert_eq!((first.at, first.kind()), (violation.at, violation.kind()));
                assert_eq!(first.operations().len(), operations.len(), "{trace:?}");
            }
        }
    }
    truth
}

#[test]
fn all_small_traces() {
    for (count, expected) in [(1, 3), (2, 39), (3, 1_035), (4, 44_625)] {
        let visited = for_each_trace(count, &mut |trace| {
            agree(trace);
        });
        assert_eq!(visited, expected);
    }
}

/// Only when asked for, with any number: 2.8 million traces.
#[test]
fn all_traces_of_five() {
    if option_env!("QUORATE_CASES").is_some() {
        let mut good = 0_u64;
        let visited = for_each_trace(5, &mut |trace| good += u64::from(agree(trace)));
        assert_eq!(visited, 2_790_585);
        println!("{visited} traces of five operations: {good} linearizable, 0 disagreements");
    }
}

#[test]
fn random_traces() {
    let mut dice = Dice(1);
    let (mut good, cases) = (0, cases(20_000));
    for case in 0..cases {
        let trace = random::trace(&mut dice);
        let truth = agree(&trace);
        good += u64::from(truth);
        if case % 2 == 0 && trace.ops.len() <= 5 {
            assert_eq!(brute::some_order_works(&trace), truth, "{trace:?}");
        }
    }
    println!("{cases} random traces: {good} linearizable, 0 disagreements");
    // A suite in which nothing or everything is wrong would test little.
    assert!(cases / 5 < good && good < cases - cases / 5, "{good}");
}
