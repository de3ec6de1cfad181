//! Judges with a defect, as what they take a history for: each must be found out by some random history.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::guarantee::Guarantee;
use crate::history::{FaultKind, Function, History, Nanos, Operation, Status};
use crate::testing::{Drawn, tally};

use super::random::any_siblings;
use super::twin;

/// Random histories that are tried at most.
const CASES_MAX: u64 = 20_000;

/// A defect, and what it makes of a history.
type Mutant = (&'static str, fn(&mut History));

fn each(history: &mut History, change: impl Fn(&mut Operation)) {
    history.operations.iter_mut().for_each(change);
}

const TRUSTING: Mutant = ("takes unknown for acknowledged", |history| {
    each(history, |op| {
        if op.is_write() && op.status == Status::Info {
            (op.status, op.ret) = (Status::Ok, op.call);
        }
    });
});

const CREDULOUS: Mutant = ("believes in writes that failed", |history| {
    each(history, |op| {
        if op.is_write() && op.status == Status::Fail {
            op.status = Status::Ok;
        }
    });
});

const DOUBTFUL: Mutant = ("takes acknowledged for unknown", |history| {
    each(history, |op| {
        if op.is_write() && op.is_ok() {
            (op.status, op.ret) = (Status::Info, Nanos::NEVER);
        }
    });
});

const NO_CONTEXTS: Mutant = ("does not listen to what writes had read", |history| {
    each(history, |op| op.set_context(None));
});

const NO_DELETES: Mutant = ("knows no deletes", |history| {
    each(history, |op| {
        if op.f == Function::Delete {
            op.status = Status::Fail;
        }
    });
});

const TOUCHING: Mutant = ("takes what touches for one after the other", |history| {
    each(history, |op| {
        if op.ret != Nanos::NEVER {
            op.ret = Nanos(op.ret.0.saturating_sub(1).max(op.call.0));
        }
    });
});

const NO_SESSIONS: Mutant = (
    "takes every operation for a session of its own",
    |history| {
        for (place, op) in (0..).zip(&mut history.operations) {
            op.process = 1_000 + place;
        }
    },
);

const ONE_SESSION: Mutant = ("takes all for one session", |history| {
    each(history, |op| op.process = 0);
});

const FROM_THE_FUTURE: Mutant = ("believes in values from the future", |history| {
    each(history, |op| {
        if op.f == Function::Write {
            op.call = Nanos(0);
        }
    });
});

const NO_KILLS: Mutant = ("knows no kills", |history| {
    history.faults.retain(|fault| fault.kind != FaultKind::Kill);
});

const ONE_REPLICA: Mutant = ("asks one replica for all", |history| {
    history.header.quorum.n = 1;
});

const BELIEVES_ANSWERS: Mutant = ("believes answers that failed", |history| {
    each(history, |op| {
        if op.f == Function::Census {
            op.status = Status::Ok;
        }
    });
});

/// Finds, for each defect, a random history that shows it.
fn tell(guarantee: Guarantee, mutants: &[Mutant]) {
    let mut runner = TestRunner::deterministic();
    let mut unknown: Vec<&Mutant> = mutants.iter().collect();
    for _ in 0..CASES_MAX {
        let tree = any_siblings().new_tree(&mut runner).expect("a history");
        let Drawn(history) = tree.current();
        let (judged, truth, _) = twin::tally(&history, guarantee);
        assert_eq!(tally(&history, guarantee), (judged, truth), "{guarantee}");
        unknown.retain(|(_, spoil)| {
            let mut spoiled = history.clone();
            spoil(&mut spoiled);
            tally(&spoiled, guarantee).1 == truth
        });
        if unknown.is_empty() {
            return;
        }
    }
    let names: Vec<&str> = unknown.iter().map(|(name, _)| *name).collect();
    panic!("nothing tells a judge of {guarantee} that {names:?}");
}

#[test]
fn values() {
    tell(Guarantee::NoPhantoms, &[FROM_THE_FUTURE, BELIEVES_ANSWERS]);
    tell(Guarantee::NoFailedWrites, &[CREDULOUS]);
    tell(Guarantee::NoSiblingExplosion, &[NO_CONTEXTS, CREDULOUS]);
}

#[test]
fn reads() {
    let of_acks = [TRUSTING, CREDULOUS, DOUBTFUL, NO_CONTEXTS, NO_DELETES];
    let timed = [of_acks.as_slice(), &[TOUCHING]].concat();
    tell(Guarantee::FreshReads, &timed);
    tell(
        Guarantee::NoResurrection,
        &[timed.as_slice(), &[ONE_REPLICA]].concat(),
    );
    // A session ends with an unknown outcome, so it cannot mistake that of its own.
    let of_sessions = [&of_acks[1..], &[NO_SESSIONS, ONE_SESSION]].concat();
    tell(Guarantee::ReadYourWrites, &of_sessions);
}

#[test]
fn reads_after_reads() {
    let both = [CREDULOUS, NO_CONTEXTS, NO_DELETES];
    tell(
        Guarantee::NoInversion,
        &[both.as_slice(), &[TOUCHING]].concat(),
    );
    let of_sessions = [both.as_slice(), &[NO_SESSIONS, ONE_SESSION]].concat();
    tell(Guarantee::MonotonicReads, &of_sessions);
    tell(Guarantee::CausalConsistency, &of_sessions);
}

#[test]
fn the_end() {
    let all = [
        TRUSTING,
        CREDULOUS,
        DOUBTFUL,
        NO_CONTEXTS,
        NO_DELETES,
        NO_KILLS,
        ONE_REPLICA,
        BELIEVES_ANSWERS,
    ];
    tell(Guarantee::NoLostWrites, &all);
    tell(Guarantee::NoClockLoss, &all);
    tell(Guarantee::NoConcurrentLoss, &all);
}
