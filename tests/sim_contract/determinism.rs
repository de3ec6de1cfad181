//! The same plan makes the same history, byte for byte.

use quorate::plan::{Plan, PlanSpec};
use quorate::world::sim::{self, Weather};

fn lines(plan: &Plan) -> String {
    let mut lines = Vec::new();
    for event in sim::run(plan, &Weather::default()).expect("a run") {
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

#[test]
fn another_seed_makes_another_history() {
    assert_ne!(
        lines(&plan("register", "each-write", 1)),
        lines(&plan("register", "each-write", 2))
    );
}
