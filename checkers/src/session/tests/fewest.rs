//! Witnesses against every smaller part of the history that they are drawn from, and what no witness can do without.

use super::draws::{Dice, Shape, cases, random};
use crate::history::Status;
use crate::register::ValueId;
use crate::session::causal::{self, Model, Pattern, STEPS_MAX};
use crate::session::order::{Kind, Rules, judge};
use crate::session::{Action, SessionOp, explain};

/// The size of the smallest part of a history that is broken.
fn fewest(ops: &[SessionOp], broken: &dyn Fn(&[SessionOp]) -> bool) -> usize {
    let mut parts: Vec<u32> = (0..1 << ops.len()).collect();
    parts.sort_unstable_by_key(|part| part.count_ones());
    let part = |bits: u32| -> Vec<SessionOp> {
        let chosen = (0..)
            .zip(ops)
            .filter(|&(at, _): &(u32, _)| bits >> at & 1 == 1);
        chosen.map(|(_, op)| *op).collect()
    };
    let broken_parts = parts.into_iter().map(part).find(|part| broken(part));
    broken_parts.expect("the whole is broken").len()
}

/// How the shortest witnesses of histories compare with the fewest operations there are.
#[derive(Default)]
struct Tally {
    /// By the number of operations.
    sizes: [u64; 12],
    longer: u64,
}

impl Tally {
    fn count(&mut self, shortest: usize, least: usize, ops: &[SessionOp]) {
        self.sizes[least] += 1;
        self.longer += u64::from(shortest > least);
        assert!(
            shortest >= least,
            "{shortest} are a witness, but not {least}: {ops:#?}"
        );
    }

    /// A cheapest way is looked for, not every way: now and then another one shares more operations.
    fn settle(&self) {
        let all: u64 = self.sizes.iter().sum();
        println!(
            "{} of {all} shortest witnesses are longer than need be",
            self.longer
        );
        assert!(
            self.sizes[2..=5].iter().all(|&size| size > 0),
            "{:?}",
            self.sizes
        );
        assert!(
            self.longer * 500 <= all,
            "{} of {all} are longer than need be",
            self.longer
        );
    }
}

fn silent(_: usize) -> String {
    String::new()
}

fn is_broken(ops: &[SessionOp], rules: &Rules) -> bool {
    !judge(ops, rules).violations.is_empty()
}

/// What is wrong but for values from nowhere, which every part without a write has.
fn bad(ops: &[SessionOp], model: Model) -> Vec<causal::Bad> {
    let mut bad = causal::judge(ops, model, STEPS_MAX)
        .expect("few sessions")
        .bad;
    bad.retain(|bad| bad.pattern != Pattern::ThinAirRead);
    bad
}

#[test]
fn the_shortest_witness_of_a_session_guarantee_is_as_short_as_any() {
    let mut dice = Dice(77);
    let mut tally = Tally::default();
    for case in 0..cases() / 10 {
        let ops = random(
            &mut dice,
            Shape {
                ops: 11,
                processes: 4,
                keys: 1,
            },
        );
        let kind = Kind::ALL[usize::try_from(case % 4).expect("small")];
        for rules in [Rules::ALL, Rules::of(kind, case % 8 < 4)] {
            let violations = judge(&ops, &rules).violations.into_iter();
            let tales = violations.filter_map(|v| explain(&ops, &rules, v, &silent));
            let Some(shortest) = tales.map(|tale| tale.lets.len()).min() else {
                continue;
            };
            let least = fewest(&ops, &|part| is_broken(part, &rules));
            tally.count(shortest, least, &ops);
        }
    }
    tally.settle();
}

#[test]
fn the_shortest_witness_of_causality_is_as_short_as_any() {
    let mut dice = Dice(78);
    let mut tally = Tally::default();
    for case in 0..cases() / 10 {
        let ops = random(
            &mut dice,
            Shape {
                ops: 11,
                processes: 4,
                keys: 2,
            },
        );
        let model = if case % 2 == 0 {
            Model::Causal
        } else {
            Model::Convergent
        };
        let found = bad(&ops, model);
        // A read that comes before what it returned hides what else is wrong with its session.
        if found.is_empty() || found.iter().any(|bad| bad.pattern == Pattern::CyclicCo) {
            continue;
        }
        let tales = found
            .iter()
            .filter_map(|&bad| causal::explain(&ops, model, bad, &silent));
        let shortest = tales.map(|tale| tale.lets.len()).min().expect("a tale");
        let least = fewest(&ops, &|part| !bad(part, model).is_empty());
        tally.count(shortest, least, &ops);
    }
    tally.settle();
}

/// Each of some clients reads what the one before it wrote, and replaces it; the last client reads the last value and then the first.
fn chain(clients: u32) -> Vec<SessionOp> {
    let write = |process, value| (process, Action::Write(ValueId(value)));
    let read = |process, value| (process, Action::Read(ValueId(value)));
    let mut all = vec![write(0, 1)];
    for client in 1..=clients {
        all.extend([read(client, client), write(client, client + 1)]);
    }
    let last = clients + 1;
    all.extend([read(last, last), read(last, 1)]);
    let ops = (0..).zip(all).map(|(place, (process, action))| SessionOp {
        process,
        key: 0,
        action,
        call: u64::from(place) * 2,
        ret: u64::from(place) * 2 + 1,
        status: Status::Ok,
        place,
    });
    ops.collect()
}

/// Why a witness may have more than six operations: each client between the first write and the last one takes two, and without any of
/// them nothing connects what is left.
#[test]
fn what_runs_through_many_clients_has_no_shorter_proof() {
    for clients in 1..=4 {
        let ops = chain(clients);
        let rules = Rules::of(Kind::WritesFollowReads, false);
        assert_eq!(ops.len(), 3 + 2 * clients as usize);
        assert_eq!(fewest(&ops, &|part| is_broken(part, &rules)), ops.len());
        for model in [Model::Causal, Model::Convergent] {
            let least = fewest(&ops, &|part| !bad(part, model).is_empty());
            assert_eq!(least, ops.len(), "{model:?}");
        }
    }
}
