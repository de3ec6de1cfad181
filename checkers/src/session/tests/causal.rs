//! Causality against the transitive closure of its definition.

use std::collections::BTreeSet;

use super::draws::{Dice, MUTANTS, Shape, all, cases, random, renamed};
use crate::history::Status;
use crate::register::ValueId;
use crate::session::causal::{Bad, Model, Pattern, STEPS_MAX, explain, judge};
use crate::session::{Action, SessionOp};

const SHAPE: Shape = Shape {
    ops: 10,
    processes: 4,
    keys: 2,
};

type Matrix = Vec<Vec<bool>>;

fn closed(mut reach: Matrix) -> Matrix {
    for via in 0..reach.len() {
        for a in 0..reach.len() {
            for b in 0..reach.len() {
                reach[a][b] |= reach[a][via] && reach[via][b];
            }
        }
    }
    reach
}

struct Twin<'a> {
    ops: &'a [SessionOp],
    left_out: Vec<usize>,
}

impl Twin<'_> {
    fn source(&self, read: usize) -> Option<usize> {
        let read = &self.ops[read];
        self.ops.iter().position(|op| {
            op.key == read.key
                && op.action == Action::Write(read.action.value())
                && op.status != Status::Fail
        })
    }

    fn reads(&self) -> Vec<usize> {
        let is_read = |at: &usize| {
            let op = &self.ops[*at];
            matches!(op.action, Action::Read(_))
                && op.status == Status::Ok
                && !self.left_out.contains(at)
        };
        (0..self.ops.len()).filter(is_read).collect()
    }

    fn writes(&self, key: u32) -> Vec<usize> {
        let is_write = |at: &usize| {
            let op = &self.ops[*at];
            let read = || {
                self.reads()
                    .into_iter()
                    .any(|read| self.source(read) == Some(*at))
            };
            let happened = op.status == Status::Ok || op.status == Status::Info && read();
            op.key == key && matches!(op.action, Action::Write(_)) && happened
        };
        (0..self.ops.len()).filter(is_write).collect()
    }

    fn causal(&self) -> Matrix {
        let n = self.ops.len();
        let mut co = vec![vec![false; n]; n];
        let keys: BTreeSet<u32> = self.ops.iter().map(|op| op.key).collect();
        let mut all: Vec<usize> = keys
            .into_iter()
            .flat_map(|key| self.writes(key))
            .chain(self.reads())
            .collect();
        all.sort_unstable();
        for &a in &all {
            for &b in all.iter().filter(|&&b| b > a) {
                co[a][b] |=
                    self.ops[a].process == self.ops[b].process && self.ops[a].status == Status::Ok;
            }
        }
        for read in self.reads() {
            if let Some(write) = self.source(read) {
                co[write][read] = true;
            }
        }
        closed(co)
    }

    fn is_initial(&self, read: usize) -> bool {
        self.ops[read].action == Action::Read(ValueId::INITIAL)
    }

    /// Reads that cannot be explained, with the worst of what is wrong with each.
    fn bad(mut self, model: Model) -> Vec<(usize, Pattern)> {
        let mut bad = Vec::new();
        let thin: Vec<usize> = self.reads();
        let thin: Vec<usize> = thin
            .into_iter()
            .filter(|&r| !self.is_initial(r) && self.source(r).is_none())
            .collect();
        bad.extend(thin.iter().map(|&read| (read, Pattern::ThinAirRead)));
        self.left_out.extend(thin);
        let co = self.causal();
        let mut tangled = self.reads();
        tangled.retain(|&read| self.source(read).is_some_and(|write| co[read][write]));
        bad.extend(tangled.iter().map(|&read| (read, Pattern::CyclicCo)));
        self.left_out.extend(tangled);
        let co = self.causal();
        let mut both = co.clone();
        let mut implied = Vec::new();
        for read in self.reads() {
            let source = self.source(read);
            let known: Vec<usize> = self
                .writes(self.ops[read].key)
                .into_iter()
                .filter(|&w| co[w][read] && Some(w) != source)
                .collect();
            let Some(source) = source else {
                if !known.is_empty() {
                    bad.push((read, Pattern::WriteCoInitRead));
                }
                continue;
            };
            if known.iter().any(|&w| co[source][w]) {
                bad.push((read, Pattern::WriteCoRead));
            }
            for w in known {
                both[w][source] = true;
                implied.push((read, w, source));
            }
        }
        if model == Model::Convergent {
            let (both, ranks) = (closed(both), self.ranks(&co));
            for (read, w, source) in implied {
                // Of the writes that are tied up, it is the one known that began later in the order of work.
                if both[source][w] && ranks[w] > ranks[source] && !bad.iter().any(|b| b.0 == read) {
                    bad.push((read, Pattern::CyclicCf));
                }
            }
        }
        bad.sort_unstable();
        bad
    }

    /// Where each operation stands if always the earliest is done of those that know nothing undone.
    fn ranks(&self, co: &Matrix) -> Vec<usize> {
        let time = |at: usize| match self.ops[at].action {
            Action::Read(_) => (self.ops[at].ret, at),
            Action::Write(_) => (self.ops[at].call, at),
        };
        let mut undone: Vec<usize> = self
            .writes(0)
            .into_iter()
            .chain(self.writes(1))
            .chain(self.reads())
            .collect();
        let mut ranks = vec![0; self.ops.len()];
        for rank in 0..undone.len() {
            let ready = undone
                .iter()
                .copied()
                .filter(|&at| !undone.iter().any(|&other| co[other][at]));
            let next = ready.min_by_key(|&at| time(at)).expect("no cycle");
            ranks[next] = rank;
            undone.retain(|&at| at != next);
        }
        ranks
    }
}

/// How much is wrong.
pub(crate) fn tally(ops: &[SessionOp], model: Model) -> u64 {
    Twin {
        ops,
        left_out: Vec::new(),
    }
    .bad(model)
    .len() as u64
}

fn found(ops: &[SessionOp], model: Model) -> Vec<(usize, Pattern)> {
    let report = judge(ops, model, STEPS_MAX).expect("few sessions");
    report
        .bad
        .iter()
        .map(|bad| (bad.read as usize, bad.pattern))
        .collect()
}

fn agree(ops: &[SessionOp], model: Model) {
    let expected = Twin {
        ops,
        left_out: Vec::new(),
    }
    .bad(model);
    assert_eq!(found(ops, model), expected, "{model:?} {ops:#?}");
}

/// Spreads times out, so that no two are equal.
fn spread(ops: &mut [SessionOp]) {
    for (at, op) in (0_u64..).zip(ops.iter_mut()) {
        op.call = op.call * 1000 + at * 10;
        if op.ret != SessionOp::NEVER {
            op.ret = op.ret * 1000 + at * 10 + 5;
        }
    }
    ops.sort_by_key(|op| op.call);
}

#[test]
fn random_histories_are_judged_as_by_the_closure() {
    let mut dice = Dice(4);
    let mut seen = [0_u64; 5];
    for case in 0..cases() {
        let mut ops = random(&mut dice, SHAPE);
        if case % 2 == 0 {
            spread(&mut ops);
        }
        let model = if case % 4 < 2 {
            Model::Causal
        } else {
            Model::Convergent
        };
        agree(&ops, model);
        for (_, pattern) in found(&ops, Model::Convergent) {
            seen[pattern as usize] += 1;
        }
    }
    assert!(
        seen.iter().all(|&seen| seen > 10),
        "some pattern is hardly ever seen: {seen:?}"
    );
}

#[test]
fn every_small_history_is_judged_as_by_the_closure() {
    let largest = if option_env!("QUORATE_CASES").is_some() {
        4
    } else {
        3
    };
    for n in 0..=largest {
        all(n, 2, |ops| {
            agree(ops, Model::Causal);
            agree(ops, Model::Convergent);
        });
    }
}

#[test]
fn names_and_times_change_nothing() {
    let mut dice = Dice(10);
    for _ in 0..cases() / 4 {
        let ops = random(&mut dice, SHAPE);
        for model in [Model::Causal, Model::Convergent] {
            assert_eq!(found(&ops, model), found(&renamed(&ops), model), "{ops:#?}");
        }
    }
}

#[test]
fn witnesses_are_few_and_are_judged_alone_as_they_are_together() {
    let mut dice = Dice(5);
    for case in 0..cases() / 20 {
        let mut ops = random(&mut dice, Shape { ops: 25, ..SHAPE });
        if case % 2 == 0 {
            spread(&mut ops);
        }
        for (place, op) in (0..).zip(&mut ops) {
            op.place = place;
        }
        for model in [Model::Causal, Model::Convergent] {
            let bad = judge(&ops, model, STEPS_MAX).expect("few sessions").bad;
            for bad in bad.into_iter().take(2) {
                let value = |place: usize| format!("v{place}");
                let tale = explain(&ops, model, bad, &value).expect("a violation has a tale");
                let alone: Vec<SessionOp> = tale.lets.iter().map(|&at| ops[at]).collect();
                for at in 0..alone.len() {
                    let mut fewer = alone.clone();
                    fewer.remove(at);
                    // A read whose write is left out is another violation.
                    let mut left = found(&fewer, model);
                    left.retain(|(_, pattern)| *pattern != Pattern::ThinAirRead);
                    assert_eq!(left, [], "without {at}: {tale:#?}");
                }
                let again: Bad = judge(&alone, model, STEPS_MAX).expect("few").bad[0];
                assert_eq!(
                    explain(&alone, model, again, &value),
                    Some(tale),
                    "{alone:#?}"
                );
            }
        }
    }
}

#[test]
fn judges_with_a_defect_are_found_out() {
    for (name, spoil) in MUTANTS
        .into_iter()
        .filter(|(name, _)| !name.contains("touch"))
    {
        let mut dice = Dice(6);
        let killed = (0..5_000).any(|_| {
            let ops = random(&mut dice, SHAPE);
            let mut spoiled = ops.clone();
            spoiled.iter_mut().for_each(spoil);
            found(&ops, Model::Convergent) != found(&spoiled, Model::Convergent)
        });
        assert!(killed, "nothing tells a judge that {name}");
    }
}
