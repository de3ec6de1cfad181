//! Exposed versions against every pair of operations of a session.

use super::draws::{Dice, Shape, cases, random};
use crate::history::Status;
use crate::register::ValueId;
use crate::session::exposed::{Report, judge};
use crate::session::order::Kind;
use crate::session::{Action, SessionOp};

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
