//! Session guarantees against every order of the versions of a key.

use super::draws::{Dice, MUTANTS, Shape, all, cases, random, renamed};
use crate::history::Status;
use crate::register::ValueId;
use crate::session::order::{Kind, Rules, judge};
use crate::session::{Action, SessionOp, explain};

const SHAPE: Shape = Shape {
    ops: 9,
    processes: 3,
    keys: 1,
};

fn rules() -> Vec<Rules> {
    let mut rules = vec![Rules::ALL];
    for kind in Kind::ALL {
        rules.push(Rules::of(kind, false));
        rules.push(Rules::of(kind, true));
    }
    rules
}

/// The operations that count, and since when each value was in effect.
struct Twin<'a> {
    ops: &'a [SessionOp],
    rules: Rules,
}

impl Twin<'_> {
    fn write(&self, value: ValueId) -> Option<&SessionOp> {
        self.ops
            .iter()
            .find(|op| op.action == Action::Write(value) && op.status != Status::Fail)
    }

    fn sound_reads(&self) -> Vec<(usize, &SessionOp)> {
        let sound = |op: &SessionOp| match op.action {
            Action::Read(ValueId::INITIAL) => self.rules.initial,
            Action::Read(value) => self.write(value).is_some_and(|w| w.call <= op.ret),
            Action::Write(_) => false,
        };
        let all = self.ops.iter().enumerate();
        all.filter(|(_, op)| op.status == Status::Ok && sound(op))
            .collect()
    }

    fn known_writes(&self) -> Vec<(usize, &SessionOp)> {
        let reads = self.sound_reads();
        let known = |op: &SessionOp| match op.action {
            Action::Write(value) => {
                op.status == Status::Ok
                    || op.status == Status::Info
                        && reads.iter().any(|(_, read)| read.action.value() == value)
            }
            Action::Read(_) => false,
        };
        self.ops
            .iter()
            .enumerate()
            .filter(|(_, op)| known(op))
            .collect()
    }

    fn in_effect(&self, write: &SessionOp) -> u64 {
        let reads = self.sound_reads();
        let ends = reads
            .iter()
            .filter(|(_, read)| read.action.value() == write.action.value());
        ends.map(|(_, read)| read.ret)
            .chain([write.ret])
            .min()
            .expect("its own end")
    }

    /// Versions that must not be newer than others: the older one, the newer one, the kind, and the operations.
    fn demands(&self) -> Vec<(ValueId, ValueId, Kind, usize, usize)> {
        let (reads, writes) = (self.sound_reads(), self.known_writes());
        let acked: Vec<_> = writes
            .iter()
            .filter(|(_, w)| w.status == Status::Ok)
            .copied()
            .collect();
        let mut found = Vec::new();
        let before = |a: (usize, &SessionOp), b: (usize, &SessionOp)| {
            a.1.process == b.1.process && a.0 < b.0 && a.1.ret <= b.1.call
        };
        for &later in reads.iter().chain(&writes) {
            let is_read = matches!(later.1.action, Action::Read(_));
            let kinds = if is_read {
                (Kind::MonotonicReads, Kind::ReadYourWrites)
            } else {
                (Kind::WritesFollowReads, Kind::MonotonicWrites)
            };
            for &read in reads.iter().filter(|&&read| before(read, later)) {
                found.push((read, later, kinds.0));
            }
            // Of its own writes a session must see the last one.
            let own = acked.iter().filter(|&&write| before(write, later));
            let own: Vec<_> = own.copied().collect();
            let last = own.iter().map(|(at, _)| *at).max();
            for &write in &own {
                if kinds.1 == Kind::MonotonicWrites || Some(write.0) == last {
                    found.push((write, later, kinds.1));
                }
            }
        }
        let demand = |(a, b, kind): ((usize, &SessionOp), (usize, &SessionOp), Kind)| {
            (a.1.action.value(), b.1.action.value(), kind, a.0, b.0)
        };
        let mut found: Vec<_> = found.into_iter().map(demand).collect();
        found.retain(|demand| self.rules.kinds.contains(&demand.2));
        found
    }

    fn order(&self) -> Vec<(ValueId, ValueId)> {
        let mut order = Vec::new();
        for (_, b) in self.known_writes() {
            if self.rules.initial {
                order.push((ValueId::INITIAL, b.action.value()));
            }
            for (_, a) in self.known_writes() {
                if self.rules.real_time && self.in_effect(a) < b.call {
                    order.push((a.action.value(), b.action.value()));
                }
            }
        }
        order
    }

    /// Whether some order of the versions satisfies everything.
    fn satisfiable(&self) -> bool {
        let mut versions: Vec<ValueId> = self
            .known_writes()
            .iter()
            .map(|(_, w)| w.action.value())
            .collect();
        versions.push(ValueId::INITIAL);
        let demands: Vec<_> = self
            .demands()
            .iter()
            .map(|d| (d.0, d.1))
            .chain(self.order())
            .collect();
        permute(&mut versions, 0, &|order| {
            let at = |value| order.iter().position(|&v| v == value).expect("a version");
            demands.iter().all(|&(a, b)| at(a) <= at(b))
        })
    }

    /// Whether versions are tied up with each other in a cycle, for each pair of values.
    fn tied(&self) -> impl Fn(ValueId, ValueId) -> bool {
        let n = self
            .ops
            .iter()
            .map(|op| op.action.value().0 as usize + 1)
            .max()
            .unwrap_or(1);
        let mut reach = vec![vec![false; n]; n];
        for (a, b) in self
            .demands()
            .iter()
            .map(|d| (d.0, d.1))
            .chain(self.order())
        {
            reach[a.0 as usize][b.0 as usize] |= a != b;
        }
        for via in 0..n {
            for a in 0..n {
                for b in 0..n {
                    reach[a][b] |= reach[a][via] && reach[via][b];
                }
            }
        }
        move |a, b| reach[a.0 as usize][b.0 as usize] && reach[b.0 as usize][a.0 as usize]
    }

    /// Pairs of neighbours that lie on a cycle and go against the order in which their writes began.
    fn violations(&self) -> Vec<(usize, usize)> {
        let (demands, tied) = (self.demands(), self.tied());
        let began = |value: ValueId| {
            self.ops
                .iter()
                .position(|op| op.action == Action::Write(value))
                .map_or(0, |at| at + 1)
        };
        let mut neighbours = demands.clone();
        neighbours.retain(|d| {
            !demands
                .iter()
                .any(|e| (e.2, e.4) == (d.2, d.4) && e.3 > d.3)
        });
        let mut own = neighbours.clone();
        own.retain(|d| self.rules.own.contains(&d.2) && d.0 != d.1 && tied(d.0, d.1));
        let mut found: Vec<(usize, usize)> = neighbours
            .iter()
            .filter(|d| began(d.1) < began(d.0) && tied(d.0, d.1))
            .filter(|d| own.iter().any(|o| o.0 == d.0 || tied(o.0, d.0)))
            .map(|d| (d.4, d.3))
            .collect();
        found.sort_unstable();
        found
    }
}

/// Whether some order of the rest passes.
fn permute(versions: &mut Vec<ValueId>, from: usize, pass: &impl Fn(&[ValueId]) -> bool) -> bool {
    if from == versions.len() {
        return pass(versions);
    }
    for at in from..versions.len() {
        versions.swap(from, at);
        let found = permute(versions, from + 1, pass);
        versions.swap(from, at);
        if found {
            return true;
        }
    }
    false
}

/// How much there is to judge, and how much is wrong.
pub(crate) fn tally(ops: &[SessionOp], rules: Rules) -> (u64, u64) {
    let twin = Twin { ops, rules };
    let demands = twin.demands();
    if !demands.iter().any(|demand| rules.own.contains(&demand.2)) {
        return (0, 0);
    }
    let mut reads: Vec<(Kind, usize)> = demands
        .iter()
        .filter(|demand| matches!(ops[demand.4].action, Action::Read(_)))
        .map(|demand| (demand.2, demand.4))
        .collect();
    reads.sort_unstable();
    reads.dedup();
    (reads.len() as u64, twin.violations().len() as u64)
}

fn agree(ops: &[SessionOp], rules: Rules) {
    let report = judge(ops, &rules);
    let twin = Twin { ops, rules };
    let found: Vec<(usize, usize)> = report
        .violations
        .iter()
        .map(|v| (v.later as usize, v.earlier as usize))
        .collect();
    assert_eq!(found, twin.violations(), "{rules:?} of {ops:#?}");
    let possible = twin.satisfiable();
    if rules.own == rules.kinds {
        assert_eq!(found.is_empty(), possible, "{rules:?} of {ops:#?}");
    } else if possible {
        assert!(found.is_empty(), "{rules:?} of {ops:#?}");
    }
}

#[test]
fn every_small_history_is_judged_as_by_trying_every_order() {
    let largest = if option_env!("QUORATE_CASES").is_some() {
        5
    } else {
        4
    };
    let mut tried = 0_u64;
    for n in 0..=largest {
        all(n, 1, |ops| {
            tried += 1;
            for rules in [
                Rules::ALL,
                Rules::of(Kind::MonotonicReads, true),
                Rules::of(Kind::MonotonicWrites, true),
            ] {
                agree(ops, rules);
            }
        });
    }
    println!("{tried} histories of up to {largest} operations");
    assert!(tried > 1_000, "{tried}");
}

#[test]
fn random_histories_are_judged_as_by_trying_every_order() {
    let mut dice = Dice(1);
    let mut broken = vec![0; rules().len()];
    for case in 0..cases() {
        let ops = random(&mut dice, SHAPE);
        let at = usize::try_from(case).expect("a number") % broken.len();
        let rules = rules()[at];
        agree(&ops, rules);
        broken[at] += u64::from(!judge(&ops, &rules).violations.is_empty());
    }
    assert!(
        broken.iter().all(|&broken| broken > 0),
        "some rule is never broken: {broken:?}"
    );
}

#[test]
fn names_and_times_change_nothing() {
    let mut dice = Dice(9);
    for _ in 0..cases() / 10 {
        let ops = random(&mut dice, SHAPE);
        for rules in rules() {
            assert_eq!(
                judge(&ops, &rules),
                judge(&renamed(&ops), &rules),
                "{ops:#?}"
            );
        }
    }
}

#[test]
fn witnesses_are_few_and_are_judged_alone_as_they_are_together() {
    let mut dice = Dice(2);
    for _ in 0..cases() / 20 {
        let ops = random(&mut dice, Shape { ops: 25, ..SHAPE });
        for rules in rules() {
            for violation in judge(&ops, &rules).violations.into_iter().take(2) {
                let value = |place: usize| format!("v{place}");
                let tale =
                    explain(&ops, &rules, violation, &value).expect("a violation has a tale");
                assert!(tale.however.starts_with("However"), "{tale:?}");
                let alone: Vec<SessionOp> = tale.lets.iter().map(|&at| ops[at]).collect();
                for at in 0..alone.len() {
                    let mut fewer = alone.clone();
                    fewer.remove(at);
                    assert_eq!(
                        judge(&fewer, &rules).violations,
                        [],
                        "without {at}: {tale:#?}"
                    );
                }
                let again = judge(&alone, &rules);
                let again = explain(&alone, &rules, again.violations[0], &value);
                assert_eq!(again, Some(tale), "{rules:?} {alone:#?}");
            }
        }
    }
}

#[test]
fn judges_with_a_defect_are_found_out() {
    for (name, spoil) in MUTANTS {
        let mut dice = Dice(3);
        let killed = (0..5_000).any(|_| {
            let ops = random(&mut dice, SHAPE);
            let mut spoiled = ops.clone();
            spoiled.iter_mut().for_each(spoil);
            rules()
                .into_iter()
                .any(|rules| judge(&ops, &rules) != judge(&spoiled, &rules))
        });
        assert!(killed, "nothing tells a judge that {name}");
    }
}
