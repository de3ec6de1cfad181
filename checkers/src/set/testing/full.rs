//! The judge of elements against Jepsen's definitions carried out event by event, without any of its short cuts.

use std::collections::{BTreeMap, BTreeSet};

use super::cases;
use super::exhaustive;
use super::random::{Draft, Rng, Shape, drafts, history, logged};
use crate::history::Status;
use crate::set::full::{FullOptions, full, judge};
use crate::set::rule::{Rule, Rules};
use crate::set::{Element, SetFull, SetHistory, Validity};

const SHAPES: [Shape; 3] = [
    Shape {
        operations: 9,
        elements: 3,
        times: 10,
        again: false,
    },
    Shape {
        operations: 14,
        elements: 4,
        times: 30,
        again: false,
    },
    Shape {
        operations: 10,
        elements: 2,
        times: 8,
        again: true,
    },
];

fn random(seed: u64) -> SetHistory {
    let drafts = random_drafts(seed);
    if seed.is_multiple_of(2) {
        logged(&drafts, &mut Rng::new(seed))
    } else {
        history(&drafts)
    }
}

fn random_drafts(seed: u64) -> Vec<Draft> {
    let shape = SHAPES[usize::try_from(seed % 3).expect("small")];
    let mut drafts = drafts(&mut Rng::new(seed), shape);
    // Some in ns, some around 1 ms, so that rounding shows.
    let unit = [1, 400_000, 3_000_000][usize::try_from(seed / 3 % 3).expect("small")];
    for draft in &mut drafts {
        draft.call *= unit;
        draft.ret *= unit;
    }
    drafts
}

/// An invocation or a completion: position, time, operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Moment {
    position: u64,
    ns: u64,
}

#[derive(Clone, Debug, Default)]
struct State {
    known: Option<Moment>,
    last_present: Option<Moment>,
    last_absent: Option<Moment>,
}

/// What the definitions say.
#[derive(Debug, Default, PartialEq, Eq)]
struct Expected {
    stable: Vec<Element>,
    lost: Vec<Element>,
    never_read: Vec<Element>,
    stale: Vec<Element>,
    stable_ns: Vec<u64>,
    lost_ns: Vec<u64>,
    stale_ms: usize,
    duplicated: BTreeMap<Element, u64>,
    unexpected: BTreeSet<Element>,
    future: BTreeSet<Element>,
    refused: BTreeSet<Element>,
}

/// Every event in the order of the log; every element at every read.
fn expected(history: &SetHistory) -> Expected {
    let mut events: Vec<(u64, bool, usize)> = Vec::new();
    let adds = history.adds().len();
    for (at, add) in history.adds().iter().enumerate() {
        events.push((add.invoked, false, at));
        if add.status == Status::Ok {
            events.push((add.completed, true, at));
        }
    }
    for (at, read) in history.reads().iter().enumerate() {
        events.push((read.completed, true, adds + at));
    }
    events.sort_unstable();
    let mut states: BTreeMap<u32, State> = BTreeMap::new();
    let mut expected = Expected::default();
    for (position, completes, at) in events {
        match history.adds().get(at) {
            Some(add) if completes => {
                let known = Moment {
                    position,
                    ns: add.ret,
                };
                states
                    .entry(add.element)
                    .or_default()
                    .known
                    .get_or_insert(known);
            }
            Some(add) => {
                states.entry(add.element).or_default();
            }
            None => complete(history, at - adds, &mut states, &mut expected),
        }
    }
    for (&element, state) in &states {
        conclude(history.names().of(element), state, &mut expected);
    }
    for list in [
        &mut expected.stable,
        &mut expected.lost,
        &mut expected.never_read,
        &mut expected.stale,
    ] {
        list.sort();
    }
    expected.stable_ns.sort_unstable();
    expected.lost_ns.sort_unstable();
    expected
}

/// A read completes: it says something about every element that was attempted before.
fn complete(
    history: &SetHistory,
    at: usize,
    states: &mut BTreeMap<u32, State>,
    expected: &mut Expected,
) {
    let read = &history.reads()[at];
    let list = history.elements(read);
    let invoked = Moment {
        position: read.invoked,
        ns: read.call,
    };
    let completed = Moment {
        position: read.completed,
        ns: read.ret,
    };
    for (&element, state) in states.iter_mut() {
        if list.contains(&element) {
            state.known.get_or_insert(completed);
            state.last_present = state.last_present.max(Some(invoked));
            let refused =
                |add: &&crate::set::Add| add.element == element && add.status != Status::Fail;
            if !history.adds().iter().any(|add| refused(&add)) {
                expected.refused.insert(history.names().of(element));
            }
        } else {
            state.last_absent = state.last_absent.max(Some(invoked));
        }
    }
    for &element in list {
        let name = history.names().of(element);
        let times = list.iter().filter(|&&other| other == element).count() as u64;
        if times > 1 {
            let most = expected.duplicated.entry(name.clone()).or_default();
            *most = times.max(*most);
        }
        match history
            .adds()
            .iter()
            .filter(|add| add.element == element)
            .map(|add| add.call)
            .min()
        {
            None => {
                expected.unexpected.insert(name);
            }
            Some(call) if read.ret < call => {
                expected.future.insert(name);
            }
            Some(_) => {}
        }
    }
}

fn conclude(name: Element, state: &State, expected: &mut Expected) {
    let State {
        known,
        last_present,
        last_absent,
    } = state.clone();
    let latency = |end: Option<Moment>| {
        let end = end.map_or(0, |end| end.ns + 1);
        known.map_or(0, |known| end.saturating_sub(known.ns))
    };
    if last_present > last_absent {
        let ns = latency(last_absent);
        expected.stable_ns.push(ns);
        expected.stale_ms += usize::from(ns >= 1_000_000);
        // The log may know of an order where the times are equal.
        let missed = last_absent.is_some_and(|absent| {
            known < Some(absent) || known.is_some_and(|known| known.ns < absent.ns)
        });
        if ns > 0 && missed {
            expected.stale.push(name.clone());
        }
        expected.stable.push(name);
    } else if known.is_some() && last_absent > last_present && last_absent > known {
        expected.lost_ns.push(latency(last_present));
        expected.lost.push(name);
    } else {
        expected.never_read.push(name);
    }
}

fn found(history: &SetHistory, rules: Rules) -> (Expected, SetFull) {
    let result = judge(history, FullOptions { linearizable: true }, rules);
    let (fates, _) = crate::set::fate::fates(history, rules);
    let of = |outcome| {
        let all = (0..)
            .zip(&fates)
            .filter(move |(_, fate)| fate.outcome == outcome);
        let (ids, mut ns): (Vec<u32>, Vec<u64>) =
            all.map(|(id, fate)| (id, fate.latency_ns)).unzip();
        ns.sort_unstable();
        (history.names().sorted(ids), ns)
    };
    let (stable, stable_ns) = of(crate::set::fate::Outcome::Stable);
    let (_, lost_ns) = of(crate::set::fate::Outcome::Lost);
    let stale_ms = stable_ns.iter().filter(|&&ns| ns >= 1_000_000).count();
    let found = Expected {
        stable,
        lost: result.lost.clone(),
        never_read: result.never_read.clone(),
        stale: result.stale.clone(),
        stable_ns,
        lost_ns,
        stale_ms,
        duplicated: result
            .duplicated
            .iter()
            .map(|one| (one.element.clone(), one.times))
            .collect(),
        unexpected: result.unexpected.iter().cloned().collect(),
        future: result.from_the_future.iter().cloned().collect(),
        refused: result.failed_add_seen.iter().cloned().collect(),
    };
    (found, result)
}

/// The verdict by Jepsen's rules, and by them without its defects.
fn verdicts(expected: &Expected, linearizable: bool) -> (Validity, Validity) {
    let verdict = |wrong: bool, stale: usize| {
        if !expected.lost.is_empty() || wrong {
            Validity::Invalid
        } else if expected.stable.is_empty() {
            Validity::Unknown
        } else if linearizable && stale > 0 {
            Validity::Invalid
        } else {
            Validity::Valid
        }
    };
    let clean = expected.duplicated.is_empty()
        && expected.unexpected.is_empty()
        && expected.future.is_empty()
        && expected.refused.is_empty();
    (
        verdict(!clean, expected.stale.len()),
        verdict(false, expected.stale_ms),
    )
}

#[test]
fn agrees_with_the_definitions() {
    let mut seen = [0_u64; 4];
    for seed in 0..cases(20_000) {
        let history = random(seed);
        let expected = expected(&history);
        let (found, _) = found(&history, Rules::ALL);
        assert_eq!(found, expected, "seed {seed}: {history:#?}");
        for linearizable in [false, true] {
            let result = full(&history, FullOptions { linearizable });
            let (ours, theirs) = verdicts(&expected, linearizable);
            assert_eq!(result.valid, ours, "seed {seed}: {history:#?}");
            let says = result
                .jepsen_would_say
                .as_ref()
                .map_or(ours, |says| says.valid);
            assert_eq!(says, theirs, "seed {seed}: {history:#?}");
            assert!(
                result
                    .jepsen_would_say
                    .is_none_or(|says| !says.because.is_empty())
            );
        }
        seen[0] += expected.stable.len() as u64;
        seen[1] += expected.stale.len() as u64;
        seen[2] += expected.lost.len() as u64;
        seen[3] += expected.never_read.len() as u64;
    }
    println!("set-full: {seen:?} stable, stale, lost, never read; 0 disagreements");
    assert!(seen.iter().all(|&seen| seen > 500), "{seen:?}");
}

#[test]
fn agrees_on_all_small_histories() {
    let counts = [1, 2, 3].map(|n| {
        exhaustive::all(n, &mut |drafts| {
            let history = history(drafts);
            let (found, _) = found(&history, Rules::ALL);
            assert_eq!(found, expected(&history), "{drafts:#?}");
        })
    });
    println!("set-full: {counts:?} histories of 1 to 3 operations, 0 disagreements");
    assert_eq!(counts, [5, 80, 2_296]);
}

#[test]
fn every_rule_is_needed() {
    let needed = [
        Rule::ReadsMakeKnown,
        Rule::PresenceNeedsAnAttempt,
        Rule::AbsenceNeedsAnAttempt,
        Rule::ReadsUnderWayCount,
        Rule::LostWereKnown,
        Rule::LastAbsenceCounts,
    ];
    for rule in needed {
        let killed = (0..20_000).find(|&seed| {
            let history = random(seed);
            found(&history, Rules::without(rule)).0 != expected(&history)
        });
        println!("without {rule:?}: caught by history {killed:?}");
        assert!(killed.is_some(), "nothing depends on {rule:?}");
    }
}

#[test]
fn every_violation_is_proven_by_its_operations_alone() {
    let mut proven = BTreeMap::new();
    for seed in 0..cases(20_000) / 10 {
        let history = random(seed);
        let options = FullOptions { linearizable: true };
        for violation in full(&history, options).violations {
            let alone = history.excerpt(&violation.operations, &violation.elements);
            assert_eq!(
                alone.adds().len() + alone.reads().len(),
                violation.operations.len()
            );
            let again = full(&alone, options).violations;
            assert!(
                again.contains(&violation),
                "seed {seed}: {violation:?} not in {again:?}"
            );
            *proven.entry(violation.kind).or_insert(0_u64) += 1;
        }
    }
    println!("set-full: {proven:?}");
    assert_eq!(proven.len(), 6, "{proven:?}");
}
