//! Rules of the chains, each left out or bent once: random traces must tell every such judge from the right one.
//!
//! As with the zones, the judge is written once more, plainly and with switches, so that the real one carries none. Here
//! a compare-and-set that failed says what was there instead, so it is a read, and no trace needs a search.

use super::{Dice, brute, cases, random};
use crate::history::Status;
use crate::register::chains;
use crate::register::trace::{Action, RegisterOp, Trace, ValueId};

/// A rule that is bent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutant {
    None,
    /// Two compare-and-sets may replace the same value.
    DoubleSuccess,
    /// What was expected need not have been written.
    ExpectedFromNowhere,
    /// Compare-and-sets may go round in a circle.
    Circle,
    /// A compare-and-set is as good as a write: it follows on nothing.
    SetIsWrite,
    /// What a compare-and-set wrote may be read before it begins.
    NoFutureOfSets,
    /// A compare-and-set of unknown outcome that nobody saw was done, at some time.
    UnseenSetIsDone,
    /// A compare-and-set of unknown outcome that nobody saw was done as soon as it began.
    UnseenSetIsDoneAtOnce,
    /// A compare-and-set of unknown outcome was not done, whoever saw it.
    SeenSetIsDropped,
    /// A compare-and-set of unknown outcome that somebody saw ends as soon as it begins.
    SeenSetEndsAtOnce,
    /// Only reads see what was written, and compare-and-sets do not.
    OnlyReadsSee,
    /// The values of a chain may be seen in any order.
    NoOrderWithin,
    /// Each value of a chain is compared only with the one that it replaced.
    NeighboursWithin,
    /// A chain is no longer than its first value.
    FirstValueOnly,
    /// Only the initial value itself comes first, and not the chain that begins with it.
    InitialChainNotFirst,
    /// A compare-and-set may fail because the value was the expected one.
    FailedOnExpected,
}

const MUTANTS: [Mutant; 15] = [
    Mutant::DoubleSuccess,
    Mutant::ExpectedFromNowhere,
    Mutant::Circle,
    Mutant::SetIsWrite,
    Mutant::NoFutureOfSets,
    Mutant::UnseenSetIsDone,
    Mutant::UnseenSetIsDoneAtOnce,
    Mutant::SeenSetIsDropped,
    Mutant::SeenSetEndsAtOnce,
    Mutant::OnlyReadsSee,
    Mutant::NoOrderWithin,
    Mutant::NeighboursWithin,
    Mutant::FirstValueOnly,
    Mutant::InitialChainNotFirst,
    Mutant::FailedOnExpected,
];

/// A trace whose failed compare-and-sets say what was there.
struct Case {
    /// The trace, in which each of them is a read of that.
    trace: Trace,
    /// What each of them expected, and what it says was there.
    refusals: Vec<(ValueId, ValueId)>,
}

impl Case {
    /// Whether one of them failed although it found what it expected.
    fn denies_itself(&self) -> bool {
        let mut refusals = self.refusals.iter();
        refusals.any(|(expected, found)| expected == found)
    }
}

/// A random case. A refusal mostly names what was written last before it began, true or not.
fn case(dice: &mut Dice) -> Case {
    let mut trace = random::trace_of_sets(dice);
    let mut refusals = Vec::new();
    let mut last = ValueId::INITIAL;
    for op in &mut trace.ops {
        last = op.written().unwrap_or(last);
        let Action::Cas { expected, .. } = op.action else {
            continue;
        };
        if op.status == Status::Fail {
            let any = dice.below(u64::from(trace.values));
            let found = if dice.percent(70) {
                last
            } else {
                ValueId(u32::try_from(any).expect("small"))
            };
            refusals.push((expected, found));
            (op.action, op.status) = (Action::Read(found), Status::Ok);
        }
    }
    Case { trace, refusals }
}

/// What brute force says. A refusal that contradicts itself fits no order, as a read of what nobody writes.
fn truth(case: &Case) -> bool {
    let mut trace = case.trace.clone();
    if case.denies_itself() {
        let nowhere = ValueId(trace.values);
        let call = trace.ops.last().map_or(0, |op| op.call);
        trace.values += 1;
        trace.ops.push(RegisterOp {
            call,
            ret: Trace::NEVER - 1,
            action: Action::Read(nowhere),
            status: Status::Ok,
            place: 0,
        });
    }
    brute::is_linearizable(&trace)
}

/// The operations that happened, as far as anybody can tell.
fn effective(trace: &Trace, mutant: Mutant) -> Vec<RegisterOp> {
    let is_set = |op: &RegisterOp| matches!(op.action, Action::Cas { .. });
    let is_kept = |op: &RegisterOp| {
        let always = [Mutant::UnseenSetIsDone, Mutant::UnseenSetIsDoneAtOnce].contains(&mutant);
        op.is_ok() || (op.status == Status::Info && is_set(op) && always)
    };
    let mut kept: Vec<bool> = trace.ops.iter().map(is_kept).collect();
    let seen = loop {
        let here = || trace.ops.iter().zip(&kept).filter(|(_, kept)| **kept);
        let seen = here().filter_map(|(op, _)| match op.action {
            Action::Read(value) => Some(value),
            Action::Cas { expected, .. } if mutant != Mutant::OnlyReadsSee => Some(expected),
            _ => None,
        });
        let seen: Vec<ValueId> = seen.collect();
        let is_seen = |op: &RegisterOp| {
            let dropped = mutant == Mutant::SeenSetIsDropped && is_set(op);
            let seen = op.written().is_some_and(|value| seen.contains(&value));
            op.status == Status::Info && seen && !dropped
        };
        let new = (0..kept.len()).find(|&at| !kept[at] && is_seen(&trace.ops[at]));
        match new {
            Some(at) => kept[at] = true,
            None => break seen,
        }
    };
    let ops = trace.ops.iter().zip(kept).filter(|(_, kept)| *kept);
    let mut ops: Vec<RegisterOp> = ops.map(|(op, _)| *op).collect();
    for op in &mut ops {
        let is_seen = op.written().is_some_and(|value| seen.contains(&value));
        let at_once = match mutant {
            Mutant::UnseenSetIsDoneAtOnce => !is_seen,
            Mutant::SeenSetEndsAtOnce => is_seen,
            _ => false,
        };
        if at_once && op.status == Status::Info && is_set(op) {
            (op.ret, op.status) = (op.call, Status::Ok);
        }
    }
    ops
}

/// A zone of a value or of a chain: first end and last beginning, on a line that has room before the first moment.
#[derive(Clone, Copy)]
struct Zone {
    first_end: i128,
    last_call: i128,
}

impl Zone {
    const EMPTY: Zone = Zone {
        first_end: i128::MAX,
        last_call: -1,
    };

    fn add(&mut self, other: Zone) {
        self.first_end = self.first_end.min(other.first_end);
        self.last_call = self.last_call.max(other.last_call);
    }
}

/// The operations of one value.
struct Cluster {
    zone: Zone,
    /// What had to be there before, if it came by compare-and-set.
    expected: Option<usize>,
}

/// The operations by value; none if something was read or expected that cannot have been there.
fn clusters(ops: &[RegisterOp], values: u32, mutant: Mutant) -> Option<Vec<Cluster>> {
    let write_of = |value: ValueId| ops.iter().find(|op| op.written() == Some(value));
    let is_there = |value: ValueId| value == ValueId::INITIAL || write_of(value).is_some();
    let mut clusters: Vec<Cluster> = Vec::new();
    for value in (0..values).map(ValueId) {
        let write = write_of(value);
        let mut cluster = Cluster {
            zone: Zone::EMPTY,
            expected: None,
        };
        for op in ops {
            let is_read = op.action == Action::Read(value);
            let is_set = write.is_some_and(|write| matches!(write.action, Action::Cas { .. }));
            let is_early = is_read && write.is_some_and(|write| op.end() < write.call);
            let may_be_early = is_set && mutant == Mutant::NoFutureOfSets;
            if is_read && (!is_there(value) || is_early && !may_be_early) {
                return None;
            }
            if is_read || op.written() == Some(value) {
                cluster.zone.add(Zone {
                    first_end: match op.end() {
                        Trace::NEVER => i128::MAX,
                        end => end.into(),
                    },
                    last_call: op.call.into(),
                });
            }
        }
        if let Some(RegisterOp { action, .. }) = write
            && let Action::Cas { expected, .. } = *action
            && mutant != Mutant::SetIsWrite
        {
            if !is_there(expected) && mutant != Mutant::ExpectedFromNowhere {
                return None;
            }
            cluster.expected = Some(expected.0 as usize);
        }
        clusters.push(cluster);
    }
    Some(clusters)
}

/// What a value replaced, what that had replaced, and so on; none if it goes round in a circle.
fn ahead(clusters: &[Cluster], value: usize) -> Option<Vec<usize>> {
    let mut ahead = Vec::new();
    let mut at = value;
    while let Some(expected) = clusters[at].expected {
        if expected == value || ahead.contains(&expected) {
            return None;
        }
        ahead.push(expected);
        at = expected;
    }
    Some(ahead)
}

fn is_linearizable(case: &Case, mutant: Mutant) -> bool {
    if case.denies_itself() && mutant != Mutant::FailedOnExpected {
        return false;
    }
    let ops = effective(&case.trace, mutant);
    let Some(clusters) = clusters(&ops, case.trace.values, mutant) else {
        return false;
    };
    let replaced: Vec<usize> = clusters.iter().filter_map(|one| one.expected).collect();
    let twice = (0..clusters.len()).any(|at| replaced.iter().filter(|&&one| one == at).count() > 1);
    if twice && mutant != Mutant::DoubleSuccess {
        return false;
    }
    let mut chains = vec![Zone::EMPTY; clusters.len()];
    for (value, cluster) in clusters.iter().enumerate() {
        let ahead = match ahead(&clusters, value) {
            Some(ahead) => ahead,
            None if mutant == Mutant::Circle => Vec::new(),
            None => return false,
        };
        let compared = match mutant {
            Mutant::NoOrderWithin => 0,
            Mutant::NeighboursWithin => 1,
            _ => ahead.len(),
        };
        let is_broken = |&other: &usize| cluster.zone.first_end < clusters[other].zone.last_call;
        if ahead.iter().take(compared).any(is_broken) {
            return false;
        }
        let root = ahead.last().copied().unwrap_or(value);
        if root == value || mutant != Mutant::FirstValueOnly {
            chains[root].add(cluster.zone);
        }
    }
    if mutant == Mutant::InitialChainNotFirst {
        // The initial value by itself, before everything; the rest of its chain wherever it fits.
        let own = clusters[0].zone;
        let mut others = clusters[1..].iter();
        if others.any(|other| other.zone.first_end < own.last_call) {
            return false;
        }
    } else if chains[0].last_call >= 0 {
        chains[0].first_end = -1;
    }
    fit(&chains)
}

/// Whether no two chains must each come before the other.
fn fit(chains: &[Zone]) -> bool {
    let before = |a: &Zone, b: &Zone| a.first_end < b.last_call;
    let pairs = (0..chains.len()).flat_map(|a| (0..a).map(move |b| (&chains[a], &chains[b])));
    pairs
        .into_iter()
        .all(|(a, b)| !(before(a, b) && before(b, a)))
}

#[test]
fn random_traces_tell_every_bent_rule_from_the_right_one() {
    let mut dice = Dice(3);
    let mut false_alarms = [0_u64; MUTANTS.len()];
    let mut missed = [0_u64; MUTANTS.len()];
    let cases = cases(20_000);
    for _ in 0..cases {
        let case = case(&mut dice);
        let truth = truth(&case);
        let trace = &case.trace;
        assert_eq!(is_linearizable(&case, Mutant::None), truth, "{trace:?}");
        if !case.denies_itself() {
            let answer = chains::judge(trace).expect("unique values, and no failures");
            assert_eq!(answer.is_linearizable(), truth, "{trace:?}");
        }
        for (at, &mutant) in MUTANTS.iter().enumerate() {
            let answer = is_linearizable(&case, mutant);
            false_alarms[at] += u64::from(truth && !answer);
            missed[at] += u64::from(!truth && answer);
        }
    }
    for (at, mutant) in MUTANTS.iter().enumerate() {
        let (alarms, missed) = (false_alarms[at], missed[at]);
        println!("{mutant:?}: {alarms} false alarms, {missed} missed, of {cases}");
        assert!(alarms + missed > 0, "{mutant:?} lives");
    }
}
