//! Judges of stale reads and of inversions with a defect: random histories must tell each of them from the right one.
//!
//! A defect is what such a judge takes a history for, so the real judges carry no switches. Their brute-force twins are the
//! referees: a history of which a defective judge tells more than there is counts as a false alarm, one of which it tells
//! less as missed.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::random::{Drawn, any_history};
use super::{tally, twin};
use crate::guarantee::Guarantee;
use crate::history::{Function, History, Nanos, Operation, Status, Value};
use crate::register::testing::cases;

/// A defect, and what it makes of a history.
type Mutant = (&'static str, fn(&mut History));

/// Defects of both judges.
const COMMON: [Mutant; 6] = [
    ("takes unknown for acknowledged", |history| {
        each(history, |op| {
            if op.is_write() && op.status == Status::Info {
                (op.status, op.ret) = (Status::Ok, op.call);
            }
        });
    }),
    ("believes in writes that failed", |history| {
        each(history, |op| {
            if op.is_write() && op.status == Status::Fail {
                op.status = Status::Ok;
            }
        });
    }),
    ("takes acknowledged for unknown", |history| {
        each(history, |op| {
            if op.is_write() && op.is_ok() {
                (op.status, op.ret) = (Status::Info, Nanos::NEVER);
            }
        });
    }),
    ("takes what touches for one after the other", |history| {
        each(history, |op| {
            if op.ret != Nanos::NEVER {
                op.ret = Nanos(op.ret.0.saturating_sub(1).max(op.call.0));
            }
        });
    }),
    ("knows no deletes", |history| {
        each(history, |op| {
            if op.f == Function::Delete {
                op.status = Status::Fail;
            }
        });
    }),
    ("passes over reads of nothing", |history| {
        each(history, |op| {
            if op.f == Function::Read && op.value == Value::Nil {
                op.status = Status::Fail;
            }
        });
    }),
];

/// Defects that only the judge of inversions can have.
const OF_INVERSIONS: [Mutant; 1] = [("trusts clocks that are off", |history| {
    history.faults.clear();
})];

fn each(history: &mut History, change: impl Fn(&mut Operation)) {
    history.operations.iter_mut().for_each(change);
}

/// Counts, for each defect, the random histories that show it.
fn tell(guarantee: Guarantee, mutants: &[Mutant]) {
    let mut runner = TestRunner::deterministic();
    let mut false_alarms = vec![0_u64; mutants.len()];
    let mut missed = vec![0_u64; mutants.len()];
    let cases = cases(2_000);
    for _ in 0..cases {
        let tree = any_history().new_tree(&mut runner).expect("a history");
        let Drawn(history) = tree.current();
        let (judged, truth, _) = twin::tally(&history, guarantee);
        assert_eq!(tally(&history, guarantee), (judged, truth));
        for (at, (_, spoil)) in mutants.iter().enumerate() {
            let mut spoiled = history.clone();
            spoil(&mut spoiled);
            let (_, seen) = tally(&spoiled, guarantee);
            false_alarms[at] += u64::from(seen > truth);
            missed[at] += u64::from(seen < truth);
        }
    }
    for (at, (name, _)) in mutants.iter().enumerate() {
        let (alarms, missed) = (false_alarms[at], missed[at]);
        println!("{guarantee}: {name}: {alarms} false alarms, {missed} missed, of {cases}");
        assert!(alarms + missed > 0, "nothing tells a judge that {name}");
    }
}

#[test]
fn stale_reads() {
    tell(Guarantee::FreshReads, &COMMON);
}

#[test]
fn inversions() {
    tell(
        Guarantee::NoInversion,
        &[COMMON.as_slice(), &OF_INVERSIONS].concat(),
    );
}
