//! Rules of the zones, each left out or bent once: random traces must tell every such judge from the right one.
//!
//! The judge here is written once more, plainly and with switches, so that the real one carries none. Without a switch it
//! agrees with brute force on everything; with any of them it must not.

use super::{Dice, brute, cases, random};
use crate::history::Status;
use crate::register::trace::{Action, RegisterOp, Trace};

/// A rule that is bent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutant {
    None,
    /// A write of unknown outcome ends as soon as it begins.
    InfoEndsAtOnce,
    /// A write of unknown outcome that nobody saw ends as soon as it begins.
    UnseenInfoEndsAtOnce,
    /// The initial value takes part in nothing.
    NoInitialValue,
    /// Reads may come before the write of their value.
    NoFuture,
    /// Equal times are in order.
    NotStrict,
    /// Only neighbours by first end are compared.
    NeighboursOnly,
    /// Failed writes were done.
    FailedIsDone,
    /// Failed writes were done, as far as reads of them go.
    FailedMayBeRead,
    /// Only zones that are longer than a moment are compared.
    ForwardOnly,
}

const MUTANTS: [Mutant; 9] = [
    Mutant::InfoEndsAtOnce,
    Mutant::UnseenInfoEndsAtOnce,
    Mutant::NoInitialValue,
    Mutant::NoFuture,
    Mutant::NotStrict,
    Mutant::NeighboursOnly,
    Mutant::FailedIsDone,
    Mutant::FailedMayBeRead,
    Mutant::ForwardOnly,
];

/// A zone: first end and last beginning, on a line that has room before the first moment.
#[derive(Clone, Copy)]
struct Zone {
    first_end: i128,
    last_call: i128,
}

const FOREVER: i128 = i128::MAX;

/// When an operation ends.
fn end(op: &RegisterOp, is_seen: bool, mutant: Mutant) -> i128 {
    let at_once =
        mutant == Mutant::InfoEndsAtOnce || (mutant == Mutant::UnseenInfoEndsAtOnce && !is_seen);
    match op.status {
        Status::Info if at_once => i128::from(op.call),
        Status::Info => FOREVER,
        _ => i128::from(op.ret),
    }
}

fn is_linearizable(trace: &Trace, mutant: Mutant) -> bool {
    let mut zones = Vec::new();
    for value in 0..trace.values {
        let reads: Vec<&RegisterOp> = trace
            .ops
            .iter()
            .filter(|op| matches!(op.action, Action::Read(read) if read.0 == value))
            .collect();
        let may_be = |op: &&RegisterOp| match mutant {
            Mutant::FailedIsDone => true,
            Mutant::FailedMayBeRead => op.status != Status::Fail || !reads.is_empty(),
            _ => op.status != Status::Fail,
        };
        let write = trace
            .ops
            .iter()
            .filter(|op| matches!(op.action, Action::Write(written) if written.0 == value))
            .find(may_be);
        let mut zone = match write {
            Some(write) => Zone {
                first_end: end(write, !reads.is_empty(), mutant),
                last_call: write.call.into(),
            },
            None if value > 0 && !reads.is_empty() => return false,
            None if value > 0 || reads.is_empty() || mutant == Mutant::NoInitialValue => continue,
            None => Zone {
                first_end: -1,
                last_call: -1,
            },
        };
        for read in reads {
            let is_early = write.is_some_and(|write| read.ret < write.call);
            if is_early && mutant != Mutant::NoFuture {
                return false;
            }
            zone.first_end = zone.first_end.min(read.ret.into());
            zone.last_call = zone.last_call.max(read.call.into());
        }
        zones.push(zone);
    }
    fit(&mut zones, mutant)
}

/// Whether no two zones must each come before the other.
fn fit(zones: &mut [Zone], mutant: Mutant) -> bool {
    zones.sort_by_key(|zone| (zone.first_end, zone.last_call));
    let before = |a: Zone, b: Zone| match mutant {
        Mutant::NotStrict => a.first_end <= b.last_call,
        _ => a.first_end < b.last_call,
    };
    let is_compared = |zone: Zone| mutant != Mutant::ForwardOnly || zone.first_end < zone.last_call;
    (0..zones.len()).all(|at| {
        let reach = if mutant == Mutant::NeighboursOnly {
            1
        } else {
            zones.len()
        };
        let mut others = (at + 1..zones.len()).take(reach);
        others.all(|other| {
            let (a, b) = (zones[at], zones[other]);
            !(is_compared(a) && is_compared(b) && before(a, b) && before(b, a))
        })
    })
}

#[test]
fn random_traces_tell_every_bent_rule_from_the_right_one() {
    let mut dice = Dice(1);
    let mut false_alarms = [0_u64; MUTANTS.len()];
    let mut missed = [0_u64; MUTANTS.len()];
    let cases = cases(20_000);
    for _ in 0..cases {
        let trace = random::trace(&mut dice);
        let truth = brute::is_linearizable(&trace);
        assert_eq!(is_linearizable(&trace, Mutant::None), truth, "{trace:?}");
        for (at, &mutant) in MUTANTS.iter().enumerate() {
            let answer = is_linearizable(&trace, mutant);
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
