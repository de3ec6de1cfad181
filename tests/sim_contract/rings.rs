//! Rings that change under every other fault, drawn from seeds: no promise is broken, changes come to their end, and the census asks the
//! replicas of the ring as it then is.

use quorate::plan::{Plan, PlanSpec};
use quorate::world::sim::{self, Weather};
use quorate_checkers::{History, Ruling, judge};

use crate::judged::breach;

const SEEDS: u64 = 8;

fn plan(seed: u64) -> Plan {
    let text = r#"
        world = "sim"
        nodes = 7
        rate = 200
        faults = ["ring", "kill", "partition", "pause", "slow"]
        store = { membership = "gossip", ring-members = "1,2,3,4,5", probe-period = "500ms", suspicion = "1s" }
    "#;
    let spec = PlanSpec::from_toml(text, "rings.toml").expect("a spec");
    spec.plan(seed).expect("a plan")
}

#[test]
fn rings_change_under_every_other_fault_and_no_promise_is_broken() {
    let (mut finished, mut dead) = (0, 0);
    for seed in 0..SEEDS {
        let (plan, weather) = (plan(seed), Weather::default());
        let events = sim::run(&plan, &weather).expect("a run");
        let history = History::from_events(plan.header().expect("a header"), events);
        let history = history.expect("a history");
        let verdict = judge(&history);
        assert_eq!(breach(&plan, &weather, &verdict), None, "seed {seed}");
        let fresh = verdict.row(quorate_checkers::Guarantee::FreshReads);
        assert_eq!(
            fresh.map(|row| row.ruling),
            Some(Ruling::Kept),
            "seed {seed}"
        );
        for fault in &history.faults {
            if fault.kind.as_str() == "ring" && fault.healed.is_some() {
                finished += 1;
                dead += fault.gone.len();
            }
        }
        // Who was never replaced is still asked: it should hold what it owns.
        let finished_faults = history.faults.iter().filter(|fault| fault.healed.is_some());
        for gone in finished_faults.flat_map(|fault| &fault.gone) {
            let asked = history.operations.iter().filter(|op| {
                op.f == quorate_checkers::history::Function::Census
                    && op
                        .node()
                        .is_some_and(|node| history.node_name(node) == gone)
            });
            assert_eq!(
                asked.count(),
                0,
                "seed {seed}: the census asks {gone}, which is no more"
            );
        }
    }
    assert!(
        finished > 4 && dead > 0,
        "{finished} changes, {dead} of them of the dead"
    );
}
