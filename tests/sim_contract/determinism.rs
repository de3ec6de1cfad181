//! The same plan makes the same history, byte for byte.

use quorate::plan::{Plan, PlanSpec};
use quorate::world::sim::{self, Weather};
use xxhash_rust::xxh3::xxh3_64;

fn lines(plan: &Plan) -> String {
    lines_in(plan, &Weather::default())
}

fn lines_in(plan: &Plan, weather: &Weather) -> String {
    let mut lines = Vec::new();
    for event in sim::run(plan, weather).expect("a run") {
        event.to_line(&mut lines);
    }
    String::from_utf8(lines).expect("JSON is text")
}

fn plan(workload: &str, sync: &str, seed: u64) -> Plan {
    let spec = PlanSpec {
        lasts: Some("3s".to_owned()),
        workload: Some(workload.to_owned()),
        sync: Some(sync.to_owned()),
        faults: Some(
            ["kill", "pause", "partition", "slow", "clock"]
                .map(str::to_owned)
                .to_vec(),
        ),
        ..PlanSpec::default()
    };
    spec.plan(seed).expect("a plan")
}

#[test]
fn the_same_plan_makes_the_same_bytes() {
    for (workload, sync) in [
        ("register", "each-write"),
        ("write-once", "every 20ms"),
        ("racing", "each-write"),
    ] {
        for seed in 0..3 {
            let plan = plan(workload, sync, seed);
            let first = lines(&plan);
            assert!(
                first.lines().count() > 1_000,
                "too little happened to compare"
            );
            assert_eq!(first, lines(&plan), "{workload} with seed {seed}");
        }
    }
}

/// Digests of histories, which every machine and every level of optimisation must arrive at. A change here is a change of what saved plans
/// mean: say so in the changelog.
#[test]
fn histories_are_frozen() {
    let loose = Weather {
        lost_ppm: 1_000,
        broken_ppm: 100,
        repeated_ppm: 10_000,
        overtaken_ppm: 10_000,
        slow_sync_percent: 5,
        drift_ppm_max: 100,
        ..Weather::default()
    };
    let frozen = [
        (
            "register",
            "each-write",
            Weather::default(),
            "85fa022dd986295c",
        ),
        (
            "write-once",
            "every 20ms",
            Weather::default(),
            "16bba7045bd5f466",
        ),
        ("racing", "each-write", loose, "1c43c82ec4856dbc"),
    ];
    let digests = frozen.map(|(workload, sync, weather, _)| {
        let lines = lines_in(&plan(workload, sync, 7), &weather);
        format!("{:016x}", xxh3_64(lines.as_bytes()))
    });
    assert_eq!(digests, frozen.map(|(.., digest)| digest));
}

#[test]
fn another_seed_makes_another_history() {
    assert_ne!(
        lines(&plan("register", "each-write", 1)),
        lines(&plan("register", "each-write", 2))
    );
}
