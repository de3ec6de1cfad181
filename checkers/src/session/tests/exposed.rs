//! Exposed versions against every pair of operations of a session.

use super::draws::{Dice, Shape, cases, random};
use crate::guarantee::Guarantee;
use crate::history::{Evidence, History, Stamp, Status};
use crate::register::ValueId;
use crate::session::claims;
use crate::session::exposed::{Report, judge};
use crate::session::order::Kind;
use crate::session::{Action, SessionOp};
use crate::statistics::Rate;
use crate::testing::draw;
use crate::verdict::Ruling;
use crate::witness::Amount;

const SHAPE: Shape = Shape {
    ops: 12,
    processes: 3,
    keys: 1,
};

fn is_read(op: &SessionOp) -> bool {
    matches!(op.action, Action::Read(_))
}

/// Operations with a version each, or none.
fn drawn(dice: &mut Dice) -> (Vec<SessionOp>, Vec<Option<u64>>) {
    let ops = random(dice, SHAPE);
    let versions = ops
        .iter()
        .map(|op| {
            let told = dice.below(8) > 0 && op.action != Action::Read(ValueId::INITIAL);
            told.then(|| dice.below(5))
        })
        .collect();
    (ops, versions)
}

/// Which operations break what, by all pairs.
fn broken(ops: &[SessionOp], versions: &[Option<u64>]) -> Vec<(usize, Kind)> {
    let counts = |at: usize| {
        let told = versions[at].is_some() || ops[at].action == Action::Read(ValueId::INITIAL);
        ops[at].status == Status::Ok && told
    };
    let mut broken = Vec::new();
    for later in 0..ops.len() {
        for earlier in 0..later {
            let (a, b) = (&ops[earlier], &ops[later]);
            if a.process != b.process || !counts(earlier) || !counts(later) {
                continue;
            }
            let kind = match (is_read(a), is_read(b)) {
                (true, true) => Kind::MonotonicReads,
                (false, true) => Kind::ReadYourWrites,
                (true, false) => Kind::WritesFollowReads,
                (false, false) => Kind::MonotonicWrites,
            };
            let is_older = if is_read(b) {
                versions[later] < versions[earlier]
            } else {
                versions[later] <= versions[earlier]
            };
            if is_older {
                broken.push((later, kind));
            }
        }
    }
    broken.sort_unstable();
    broken.dedup();
    broken
}

fn found(report: &Report) -> Vec<(usize, Kind)> {
    let all = report.violations.iter();
    let mut found: Vec<(usize, Kind)> = all.map(|v| (v.later as usize, v.kind)).collect();
    found.sort_unstable();
    found
}

#[test]
fn random_histories_are_judged_as_by_all_pairs() {
    let mut dice = Dice(7);
    let mut seen = [0_u64; 4];
    for _ in 0..cases() {
        let (ops, versions) = drawn(&mut dice);
        let report = judge(&ops, &versions);
        assert_eq!(
            found(&report),
            broken(&ops, &versions),
            "{ops:#?} {versions:?}"
        );
        for (_, kind) in found(&report) {
            seen[kind as usize] += 1;
        }
    }
    assert!(seen.iter().all(|&seen| seen > 100), "{seen:?}");
}

/// A history of two clients whose every answer claims a stamp.
fn claimed(stamps: [i64; 4]) -> History {
    let mut history = draw(
        "
        c1: |-w k 1-|           |-w k 2-|
        c2:           |-r k 1-|           |-r k 2-|
        ",
    );
    for (operation, wall_ns) in history.operations.iter_mut().zip(stamps) {
        operation.set_evidence(Some(&Evidence {
            version: Some(Stamp {
                wall_ns,
                node: "n1".to_owned(),
            }),
            ..Evidence::default()
        }));
    }
    history
}

#[test]
fn a_row_tells_what_nodes_claim_and_does_not_rule_by_it() {
    let told = |history: &History, guarantee| {
        let verdict = crate::judge(history);
        let row = verdict.row(guarantee).expect("a row").clone();
        let told = row.finding.measures.into_iter();
        let told = told.filter(|measure| measure.name == claims::MEASURE);
        let told: Vec<Amount> = told.map(|measure| measure.amount).collect();
        (row.ruling, row.finding.seen, told)
    };
    for (stamps, writes, reads) in [
        ([1, 1, 2, 2], 0, 0),
        ([2, 2, 1, 1], 1, 1),
        ([1, 1, 1, 1], 1, 0),
    ] {
        let history = claimed(stamps);
        let rate = |older| vec![Amount::Rate(Rate::new(older, 1))];
        let found = told(&history, Guarantee::MonotonicReads);
        assert_eq!(found, (Ruling::NotSeen, 0, rate(reads)), "{stamps:?}");
        let (_, seen, found) = told(&history, Guarantee::MonotonicWrites);
        assert_eq!((seen, found), (0, rate(writes)), "{stamps:?}");
    }
    let mut silent = claimed([2, 2, 1, 1]);
    for operation in &mut silent.operations {
        operation.set_evidence(None);
    }
    let found = told(&silent, Guarantee::MonotonicReads);
    assert_eq!(found, (Ruling::NotSeen, 0, Vec::new()));
}

#[test]
fn judges_with_a_defect_are_found_out() {
    type Mutant = fn(&mut SessionOp, &mut Option<u64>);
    let mutants: [Mutant; 3] = [
        |op, _| {
            if op.status == Status::Info {
                op.status = Status::Ok;
            }
        },
        |_, version| *version = version.map(|version| version / 2),
        |op, _| op.process = 0,
    ];
    for (number, spoil) in mutants.into_iter().enumerate() {
        let mut dice = Dice(8);
        let killed = (0..2_000).any(|_| {
            let (ops, versions) = drawn(&mut dice);
            let (mut spoiled, mut worse) = (ops.clone(), versions.clone());
            for (op, version) in spoiled.iter_mut().zip(&mut worse) {
                spoil(op, version);
            }
            judge(&ops, &versions).violations != judge(&spoiled, &worse).violations
        });
        assert!(killed, "nothing tells mutant {number}");
    }
}
