//! The streaming judge against brute force and against the zones: all small traces, many random ones, and mutants that must be caught.

use super::exhaustive::for_each_trace;
use super::{Dice, brute, cases, random};
use crate::history::Status;
use crate::register::stream::{Explained, RegisterStream, Sight};
use crate::register::trace::{Action, RegisterOp, Trace, ValueId};
use crate::register::zones;

/// A mistake that a streaming judge, or whoever feeds it, could make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutant {
    UnknownWritesEnd,
    InitialValueIgnored,
    FutureAllowed,
    TiesAreOrdered,
    FailedWritesHappen,
    ConflictsIgnored,
    UnknownWritesDropped,
}

const MUTANTS: [Mutant; 7] = [
    Mutant::UnknownWritesEnd,
    Mutant::InitialValueIgnored,
    Mutant::FutureAllowed,
    Mutant::TiesAreOrdered,
    Mutant::FailedWritesHappen,
    Mutant::ConflictsIgnored,
    Mutant::UnknownWritesDropped,
];

/// Beginnings and ends in the order in which a stream must be fed.
fn moments(trace: &Trace, mutant: Option<Mutant>) -> Vec<(u64, bool, RegisterOp)> {
    let mut moments = Vec::new();
    for op in &trace.ops {
        let happened = match op.status {
            Status::Ok => true,
            Status::Fail => mutant == Some(Mutant::FailedWritesHappen),
            Status::Info => mutant != Some(Mutant::UnknownWritesDropped),
        };
        if !happened {
            continue;
        }
        moments.push((op.call, false, *op));
        if op.status != Status::Info {
            moments.push((op.ret, true, *op));
        } else if mutant == Some(Mutant::UnknownWritesEnd) {
            moments.push((op.call, true, *op));
        }
    }
    let ends_first = mutant == Some(Mutant::TiesAreOrdered);
    // A moment's operation must not end before it begins.
    moments.sort_by_key(|&(time, ends, op)| (time, ends != (ends_first && op.call < op.end())));
    moments
}

/// Whether the stream finds a trace to be wrong.
fn convicts(trace: &Trace, mutant: Option<Mutant>) -> bool {
    let mut stream = RegisterStream::default();
    let mut sights = vec![Sight::default(); trace.ops.len()];
    let mut convicted = false;
    for (now, ends, op) in moments(trace, mutant) {
        let sight = &mut sights[op.place as usize];
        match (op.action, ends) {
            (Action::Read(ValueId::INITIAL), false) => {
                let seen = stream.initial_read_begins(None);
                convicted |= seen.convicts() && mutant != Some(Mutant::InitialValueIgnored);
            }
            (Action::Read(ValueId::INITIAL), true) => {}
            (Action::Read(value), false) => {
                *sight = stream.read_begins(value.0.into(), now);
                let seen = match mutant {
                    Some(Mutant::ConflictsIgnored) => sight.stale,
                    _ => sight.convicts(),
                };
                convicted |= seen;
            }
            (Action::Read(value), true) => {
                let explained = stream.read_ends(value.0.into(), op.call, now, *sight);
                convicted |= explained == Explained::No && mutant != Some(Mutant::FutureAllowed);
            }
            (Action::Write(value), false) => {
                assert!(
                    stream.write_begins(value.0.into(), now),
                    "values are unique"
                );
            }
            (Action::Write(value), true) => stream.write_ends(value.0.into(), op.call, now),
            (Action::Cas { .. }, _) => panic!("not for streams"),
        }
    }
    convicted
}

/// Numbers places anew, because random traces sort their operations.
fn placed(trace: &Trace) -> Trace {
    let mut trace = trace.clone();
    for (place, op) in (0..).zip(&mut trace.ops) {
        op.place = place;
    }
    trace
}

fn agree(trace: &Trace) -> bool {
    let trace = placed(trace);
    let truth = brute::is_linearizable(&trace);
    assert_eq!(!convicts(&trace, None), truth, "{trace:?}");
    let zones = zones::judge(&trace).expect("values are unique");
    assert_eq!(zones.is_linearizable(), truth, "{trace:?}");
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

/// Only when asked for, with any number.
#[test]
fn all_traces_of_five() {
    if option_env!("QUORATE_CASES").is_some() {
        let visited = for_each_trace(5, &mut |trace| {
            agree(trace);
        });
        println!("{visited} traces of five operations, streamed: 0 disagreements");
    }
}

#[test]
fn random_traces() {
    let mut dice = Dice(2);
    let (mut good, cases) = (0, cases(20_000));
    for _ in 0..cases {
        good += u64::from(agree(&random::trace(&mut dice)));
    }
    println!("{cases} random traces, streamed: {good} linearizable, 0 disagreements");
    assert!(cases / 5 < good && good < cases - cases / 5, "{good}");
}

#[test]
fn every_mutant_is_caught() {
    for mutant in MUTANTS {
        let mut dice = Dice(3);
        let wrong = (0..20_000)
            .filter(|_| {
                let trace = placed(&random::trace(&mut dice));
                convicts(&trace, Some(mutant)) == brute::is_linearizable(&trace)
            })
            .count();
        println!("{mutant:?}: wrong about {wrong} of 20000");
        assert!(wrong > 0, "{mutant:?} survived");
    }
}

/// However long the stream, it holds what is under way.
#[test]
fn memory_is_that_of_what_is_under_way() {
    let mut stream = RegisterStream::default();
    let (mut most, mut convicted) = (0, false);
    for value in 1..200_000_u64 {
        let now = value * 10;
        assert!(stream.write_begins(value, now));
        let sight = stream.read_begins(value.saturating_sub(5).max(1), now + 1);
        convicted |= sight.convicts();
        stream.read_ends(value.saturating_sub(5).max(1), now + 1, now + 2, sight);
        if value > 8 {
            stream.write_ends(value - 8, (value - 8) * 10, now + 3);
        }
        most = most.max(stream.live().0);
    }
    assert!(!convicted);
    assert!(most < 20, "{most} values");
    assert!(stream.live().1 < 4_096, "{} bytes", stream.live().1);
}
