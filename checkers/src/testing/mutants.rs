//! Judges with a defect: random histories must tell each of them from the right one.
//!
//! A defect is what such a judge takes a history for, so the real judges carry no switches. Their brute-force twins are the
//! referees: a history of which a defective judge tells more than there is counts as a false alarm, one of which it tells
//! less as missed. Judges of sessions and of sets have their own, beside their twins.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::random::{Drawn, any_history};
use super::{tally, twin};
use crate::guarantee::Guarantee;
use crate::history::{
    Effect, FaultKind, Function, History, KeyId, Nanos, NodeIndex, Operation, Status, Value,
};
use crate::register::testing::cases;

/// A defect, and what it makes of a history.
type Mutant = (&'static str, fn(&mut History));

/// Defects in what becomes of a write.
const OF_WRITES: [Mutant; 3] = [
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
];

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

const NO_NOTHING: Mutant = ("passes over reads of nothing", |history| {
    each(history, |op| {
        if op.f == Function::Read && op.value == Value::Nil {
            op.status = Status::Fail;
        }
    });
});

const TRUSTING: Mutant = ("trusts clocks that are off", |history| {
    history
        .faults
        .retain(|fault| fault.kind != FaultKind::Clock);
});

const NO_KILLS: Mutant = ("knows no kills", |history| {
    history.faults.retain(|fault| fault.kind != FaultKind::Kill);
});

const SKIPPED: Mutant = ("believes in faults that were skipped", |history| {
    for fault in &mut history.faults {
        fault.effect = fault.effect.map(|(time, _)| (time, Effect::Installed));
    }
});

/// Defects in what the replicas hold in the end.
const OF_CENSUS: [Mutant; 4] = [
    ("asks one replica for all", |history| {
        history.header.quorum.n = 1;
    }),
    ("believes answers that failed", |history| {
        each(history, |op| {
            if op.f == Function::Census {
                op.status = Status::Ok;
            }
        });
    }),
    (
        "takes the first answer of a replica for its last",
        |history| {
            let mut asked: Vec<(KeyId, Option<NodeIndex>)> = Vec::new();
            for op in &mut history.operations {
                if op.f == Function::Census && op.is_ok() {
                    if asked.contains(&(op.key, op.node())) {
                        op.status = Status::Fail;
                    }
                    asked.push((op.key, op.node()));
                }
            }
        },
    ),
    (
        "takes a replica that holds nothing for one that said nothing",
        |history| {
            each(history, |op| {
                if op.f == Function::Census && op.value == Value::Nil {
                    op.status = Status::Fail;
                }
            });
        },
    ),
];

/// Defects of the judge of phantoms.
const OF_PHANTOMS: [Mutant; 2] = [
    ("knows no writes of unknown outcome", |history| {
        history
            .operations
            .retain(|op| !op.is_write() || op.status != Status::Info);
    }),
    ("believes in values from the future", |history| {
        each(history, |op| {
            if op.f == Function::Write {
                op.call = Nanos(0);
            }
        });
    }),
];

/// Defects of the judge of availability.
const OF_AVAILABILITY: [Mutant; 7] = [
    ("takes unknown for success", |history| {
        each(history, |op| {
            if op.status == Status::Info
                && let Some(time) = op.completed()
            {
                (op.status, op.ret) = (Status::Ok, time);
            }
        });
    }),
    ("takes refusals for success", |history| {
        each(history, |op| {
            if op.status == Status::Fail {
                op.status = Status::Ok;
            }
        });
    }),
    ("takes success for failure", |history| {
        each(history, |op| {
            if op.is_ok() {
                op.status = Status::Fail;
            }
        });
    }),
    ("excuses nobody for a fault", |history| {
        history.faults.clear();
    }),
    ("knows no levels", |history| {
        each(history, |op| op.set_level(None));
    }),
    ("takes the census for reads", |history| {
        each(history, |op| {
            if op.f == Function::Census {
                op.f = Function::Read;
            }
        });
    }),
    ("takes one node for all coordinators", |history| {
        each(history, |op| op.set_node(Some(NodeIndex(0))));
    }),
];

fn each(history: &mut History, change: impl Fn(&mut Operation)) {
    history.operations.iter_mut().for_each(change);
}

/// Random histories per judge when nobody asks for another number.
const CASES: u64 = 1_000;
/// So many times as many are tried for defects that few histories show.
const PATIENCE: u64 = 20;

/// What came of a judge with a defect.
#[derive(Clone, Copy, Default)]
struct Count {
    false_alarms: u64,
    missed: u64,
}

/// Counts, for each defect, the random histories that show it.
fn tell(guarantee: Guarantee, mutants: &[Mutant]) {
    let mut runner = TestRunner::deterministic();
    let mut counts = vec![Count::default(); mutants.len()];
    let least = cases(CASES);
    let mut tried = 0;
    let is_unknown = |count: &Count| count.false_alarms + count.missed == 0;
    while tried < least || tried < PATIENCE * least && counts.iter().any(is_unknown) {
        tried += 1;
        let tree = any_history().new_tree(&mut runner).expect("a history");
        let Drawn(history) = tree.current();
        let (judged, truth, _) = twin::tally(&history, guarantee);
        assert_eq!(tally(&history, guarantee), (judged, truth));
        for (count, (_, spoil)) in counts.iter_mut().zip(mutants) {
            let mut spoiled = history.clone();
            spoil(&mut spoiled);
            let (_, seen) = tally(&spoiled, guarantee);
            count.false_alarms += u64::from(seen > truth);
            count.missed += u64::from(seen < truth);
        }
    }
    for (count, (name, _)) in counts.iter().zip(mutants) {
        let (alarms, missed) = (count.false_alarms, count.missed);
        println!("{guarantee}: {name}: {alarms} false alarms, {missed} missed, of {tried}");
        assert!(!is_unknown(count), "nothing tells a judge that {name}");
    }
}

/// All of several lists.
fn all(lists: &[&[Mutant]]) -> Vec<Mutant> {
    lists.concat()
}

#[test]
fn phantoms() {
    tell(
        Guarantee::NoPhantoms,
        &all(&[&OF_WRITES[1..2], &OF_CENSUS[1..2], &OF_PHANTOMS]),
    );
}

#[test]
fn failed_writes() {
    tell(
        Guarantee::NoFailedWrites,
        &all(&[&OF_WRITES[1..2], &OF_CENSUS[1..]]),
    );
}

#[test]
fn stale_reads() {
    tell(
        Guarantee::FreshReads,
        &all(&[&OF_WRITES, &[TOUCHING, NO_DELETES, NO_NOTHING]]),
    );
}

#[test]
fn inversions() {
    tell(
        Guarantee::NoInversion,
        &all(&[
            &OF_WRITES,
            &[TOUCHING, NO_DELETES, NO_NOTHING, TRUSTING, SKIPPED],
        ]),
    );
}

#[test]
fn lost_writes() {
    tell(
        Guarantee::NoLostWrites,
        &all(&[
            &OF_WRITES,
            &OF_CENSUS,
            &[NO_DELETES, TRUSTING, NO_KILLS, SKIPPED],
        ]),
    );
}

#[test]
fn clock_losses() {
    tell(
        Guarantee::NoClockLoss,
        &all(&[
            &OF_WRITES,
            &OF_CENSUS,
            &[NO_DELETES, TRUSTING, NO_KILLS, SKIPPED],
        ]),
    );
}

#[test]
fn concurrent_losses() {
    tell(
        Guarantee::NoConcurrentLoss,
        &all(&[&OF_WRITES, &OF_CENSUS, &[TOUCHING, NO_DELETES]]),
    );
}

#[test]
fn resurrected_deletes() {
    tell(
        Guarantee::NoResurrection,
        &all(&[&OF_WRITES, &OF_CENSUS, &[TOUCHING, NO_DELETES]]),
    );
}

#[test]
fn divergence() {
    tell(Guarantee::Convergence, &OF_CENSUS);
}

#[test]
fn unavailability() {
    tell(
        Guarantee::Availability,
        &all(&[&OF_AVAILABILITY, &[SKIPPED]]),
    );
}
