//! What must show, shows: every sabotage breaks the promise it is named for, and what is not promised does happen.
//!
//! Without these the promises could be kept by checkers that are blind, or by a simulator in which nothing ever goes wrong.

use quorate::plan::{Plan, PlanSpec};
use quorate::world::sim::{Span, Weather};
use quorate_checkers::{Guarantee, Outcome, Ruling};
use quorate_node::config::Sabotage;

use crate::judged::{breach, judged, ruling};

/// A defect must show under one of so many seeds.
const SEEDS_MAX: u64 = 50;
/// What is merely allowed is not rare: it must show under one of so many seeds.
const SEEDS_MAX_ALLOWED: u64 = 10;

/// Replicas, read quorum and write quorum on a cluster of three nodes.
fn store(n: u16, r: u16, w: u16) -> PlanSpec {
    PlanSpec {
        nodes: Some(3),
        n: Some(n),
        r: Some(r),
        w: Some(w),
        read_repair: text("none"),
        keys: Some(3),
        lasts: text("3s"),
        ..PlanSpec::default()
    }
}

fn under(fault: &str, workload: &str, base: PlanSpec) -> PlanSpec {
    let faults = Some(vec![fault.to_owned()]);
    let workload = text(workload);
    PlanSpec {
        faults,
        workload,
        ..base
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the settings of a spec are optional"
)]
fn text(setting: &str) -> Option<String> {
    Some(setting.to_owned())
}

fn blocking(base: PlanSpec) -> PlanSpec {
    PlanSpec {
        read_repair: text("blocking"),
        ..base
    }
}

/// A plan under which the guarantee is promised, and the defect has its chance.
fn suited(sabotage: Sabotage) -> PlanSpec {
    match sabotage {
        Sabotage::AckBeforeSync => under("kill", "write-once", store(1, 1, 1)),
        Sabotage::AckBeforeQuorum => under("slow", "register", store(3, 2, 2)),
        Sabotage::FirstROnly => under("kill", "register", store(3, 2, 2)),
        Sabotage::StampPerReplica => under("slow", "racing", store(3, 2, 2)),
        Sabotage::MillisecondStamps => {
            // Only writes that follow each other within a millisecond can get the same stamp.
            PlanSpec {
                rate: Some(5_000),
                ..under("none", "racing", store(3, 2, 2))
            }
        }
        Sabotage::DropRepair => under("slow", "register", blocking(store(3, 2, 2))),
        Sabotage::ForgetTombstone => PlanSpec {
            deletes: Some(25),
            ..under("slow", "register", blocking(store(3, 2, 2)))
        },
        Sabotage::RefuseAfterSending => under("partition", "register", store(3, 2, 2)),
        Sabotage::UncheckedKey => PlanSpec {
            keys: Some(10),
            ..under("none", "register", store(3, 2, 2))
        },
        Sabotage::HintDeletedEarly | Sabotage::HintToFirst => {
            filed(include_str!("../plans/lost-handoffs.toml"))
        }
        Sabotage::DotReuse => filed(include_str!("../plans/dots-after-crashes.toml")),
        Sabotage::PurgeEarly => filed(include_str!("../plans/missed-purges.toml")),
        Sabotage::SkipRange => filed(include_str!("../plans/cold-keys.toml")),
        Sabotage::FallbackAsPrimary => filed(include_str!("../plans/stand-ins.toml")),
        Sabotage::MissingIsFailure => filed(include_str!("../plans/unwritten-keys.toml")),
        Sabotage::OneAfterAnother => filed(include_str!("../plans/one-down.toml")),
        Sabotage::DropContext => with(
            r#"versions = "dvv""#,
            under("none", "register", store(3, 2, 2)),
        ),
        Sabotage::NewestSibling => with(
            r#"versions = "dvv""#,
            under("none", "racing", store(3, 2, 2)),
        ),
        Sabotage::RingWithoutPending => filed(include_str!("../plans/ring-change.toml")),
    }
}

/// What a file says, which the gate runs as well.
fn filed(text: &str) -> PlanSpec {
    PlanSpec::from_toml(text, "the plan").expect("a plan")
}

/// The same store with more settings, as a file says them.
fn with(settings: &str, base: PlanSpec) -> PlanSpec {
    let store = PlanSpec::from_toml(&format!("[store]\n{settings}"), "settings");
    store.expect("settings").over(base)
}

fn weather_for(sabotage: Sabotage) -> Weather {
    match sabotage {
        Sabotage::MillisecondStamps => Weather {
            transit: Span::new(10, 60),
            gust_percent: 0,
            client: Span::new(5, 20),
            sync: Span::new(10, 60),
            ..Weather::default()
        },
        _ => Weather::default(),
    }
}

fn plan(spec: &PlanSpec, seed: u64) -> Plan {
    spec.plan(seed).expect("a plan that is possible")
}

#[test]
fn every_sabotage_is_caught_by_the_guarantee_named_for_it() {
    for sabotage in Sabotage::ALL {
        let guarantee = Guarantee::from_name(sabotage.caught_by()).expect("it exists");
        let weather = weather_for(sabotage);
        let honest = suited(sabotage);
        let spoiled = PlanSpec {
            sabotage: Some(vec![sabotage.name().to_owned()]),
            ..honest.clone()
        };
        let caught = (0..SEEDS_MAX).find(|&seed| {
            let plan = plan(&honest, seed);
            let verdict = judged(&plan, &weather).expect("a run");
            if let Some(told) = breach(&plan, &weather, &verdict) {
                panic!("without {}: {told}", sabotage.name());
            }
            let row = verdict.row(guarantee).expect("the workload judges it");
            assert!(
                row.promise.promised,
                "{}: {}",
                sabotage.name(),
                row.promise.reason
            );
            let verdict = judged(&self::plan(&spoiled, seed), &weather).expect("a run");
            ruling(&verdict, guarantee) == Some(Ruling::Broken)
        });
        assert!(
            caught.is_some(),
            "{} went unnoticed with {SEEDS_MAX} seeds",
            sabotage.name()
        );
    }
}

/// The first seed under which the guarantee is violated although nobody promised it.
fn first_allowed(spec: &PlanSpec, guarantee: Guarantee) -> Option<u64> {
    (0..SEEDS_MAX_ALLOWED).find(|&seed| {
        let verdict = judged(&plan(spec, seed), &Weather::default()).expect("a run");
        assert_ne!(verdict.outcome, Outcome::Broken, "seed {seed}");
        ruling(&verdict, guarantee) == Some(Ruling::Allowed)
    })
}

#[test]
fn quorums_that_do_not_meet_show_stale_reads() {
    for (r, w) in [(1, 1), (1, 2), (2, 1)] {
        let spec = under("slow", "register", store(3, r, w));
        let seed = first_allowed(&spec, Guarantee::FreshReads);
        assert!(
            seed.is_some(),
            "R = {r} and W = {w} of 3 never missed each other"
        );
    }
}

#[test]
fn one_answer_of_three_shows_sessions_everything_out_of_order() {
    let spec = under("slow", "register", store(3, 1, 1));
    for guarantee in [
        Guarantee::ReadYourWrites,
        Guarantee::MonotonicReads,
        Guarantee::MonotonicWrites,
        Guarantee::WritesFollowReads,
        Guarantee::CausalConsistency,
        Guarantee::CausalConvergence,
    ] {
        assert!(first_allowed(&spec, guarantee).is_some(), "{guarantee}");
    }
}

#[test]
fn skewed_clocks_show_clock_loss() {
    let spec = under("clock", "racing", store(3, 2, 2));
    assert!(first_allowed(&spec, Guarantee::NoClockLoss).is_some());
}

#[test]
fn slow_links_show_inversions_unless_repair_blocks() {
    // Coordinators that hold nothing themselves: the answers that they wait for do not queue up behind the writes.
    let store = PlanSpec {
        nodes: Some(5),
        ..store(3, 2, 2)
    };
    let without = under("slow", "register", store);
    assert!(first_allowed(&without, Guarantee::NoInversion).is_some());
    let with = blocking(without);
    for seed in 0..SEEDS_MAX_ALLOWED {
        let verdict = judged(&plan(&with, seed), &Weather::default()).expect("a run");
        assert_eq!(
            ruling(&verdict, Guarantee::NoInversion),
            Some(Ruling::Kept),
            "seed {seed}"
        );
    }
}

#[test]
fn writes_synced_too_late_are_lost_when_their_node_is_killed() {
    let sync = text("every 500ms");
    let spec = PlanSpec {
        sync,
        ..under("kill", "write-once", store(1, 1, 1))
    };
    assert!(first_allowed(&spec, Guarantee::NoLostWrites).is_some());
}
