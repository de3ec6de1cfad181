//! What a weather does to the promises: what voids one is told by the history, and what voids none is not.

use quorate::plan::{Plan, PlanSpec};
use quorate::world::sim::trace::{Loss, What};
use quorate::world::sim::{self, Weather};
use quorate_checkers::{Guarantee, Ruling, Verdict};

use crate::judged::{judged, ruling};

/// Seeds that are tried for what should be seen.
const SEEDS_MAX: u64 = 20;

fn calm(workload: &str, seed: u64) -> Plan {
    let spec = PlanSpec {
        lasts: Some("3s".to_owned()),
        workload: Some(workload.to_owned()),
        faults: Some(vec!["none".to_owned()]),
        ..PlanSpec::default()
    };
    spec.plan(seed).expect("a plan")
}

fn verdict(workload: &str, seed: u64, weather: Weather) -> Verdict {
    judged(&calm(workload, seed), &weather).expect("a run")
}

#[test]
fn only_loss_voids_convergence_and_only_drift_voids_clocks() {
    let loose = Weather {
        repeated_ppm: 50_000,
        overtaken_ppm: 50_000,
        ..Weather::default()
    };
    let lost = Weather {
        lost_ppm: 1,
        ..loose
    };
    let broken = Weather {
        broken_ppm: 1,
        ..loose
    };
    let drifting = Weather {
        drift_ppm_max: 50,
        ..loose
    };
    for (weather, lossless, synchronised) in [
        (loose, true, true),
        (lost, false, true),
        (broken, false, true),
        (drifting, true, false),
    ] {
        let exposure = verdict("register", 1, weather).exposure;
        assert_eq!(exposure.lossless, lossless, "{weather:?}");
        assert_eq!(exposure.is_synchronised(), synchronised, "{weather:?}");
    }
}

fn is_seen(workload: &str, weather: Weather, guarantee: Guarantee) -> bool {
    (0..SEEDS_MAX).any(|seed| {
        let verdict = verdict(workload, seed, weather);
        ruling(&verdict, guarantee) == Some(Ruling::Allowed)
    })
}

#[test]
fn lost_messages_leave_replicas_behind() {
    let lossy = Weather {
        lost_ppm: 100_000,
        ..Weather::default()
    };
    assert!(is_seen("write-once", lossy, Guarantee::Convergence));
}

#[test]
fn drifting_clocks_let_later_writes_lose() {
    let drifting = Weather {
        drift_ppm_max: 20_000,
        ..Weather::default()
    };
    assert!(is_seen("racing", drifting, Guarantee::NoClockLoss));
}

#[test]
fn the_network_loses_what_the_weather_says_and_no_more() {
    let lossy = Weather {
        lost_ppm: 100_000,
        ..Weather::default()
    };
    for (weather, percents) in [(Weather::default(), 0..=0), (lossy, 8..=12)] {
        let (_, steps) = sim::traced(&calm("register", 1), &weather).expect("a run");
        let count = |is: fn(&What) -> bool| steps.iter().filter(|step| is(&step.what)).count();
        let sent = count(|what| matches!(what, What::Sent { .. }));
        let lost = count(|what| matches!(what, What::Lost { why, .. } if *why == Loss::Weather));
        assert!(sent > 1_000);
        assert!(percents.contains(&(lost * 100 / sent)), "{lost} of {sent}");
    }
}
