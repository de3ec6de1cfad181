//! A plan that once broke a promise: a paused process syncs nothing, so a kill during its pause takes back what is long older
//! than the sync period.

use quorate::fault::Fault;
use quorate::plan::{PlanSpec, Scheduled};
use quorate::world::sim::Weather;

use crate::judged::{breach, judged};

#[test]
fn a_kill_that_ends_a_pause_forgets_what_was_written_before_it() {
    let spec = PlanSpec {
        nodes: Some(3),
        n: Some(3),
        r: Some(2),
        w: Some(3),
        keys: Some(300),
        rate: Some(1_000),
        read_repair: Some("none".to_owned()),
        sync: Some("every 50ms".to_owned()),
        lasts: Some("4s".to_owned()),
        ..PlanSpec::default()
    };
    let scheduled = |id: &str, at_ms, for_ms, fault| Scheduled {
        id: id.to_owned(),
        at_ms,
        for_ms,
        fault,
        cue: None,
    };
    for seed in 0..5 {
        let mut plan = spec.plan(seed).expect("a plan that is possible");
        plan.timeline = vec![
            scheduled("f1", 1_000, 900, Fault::Pause { nodes: vec![1] }),
            scheduled("f2", 1_004, 100, Fault::Kill { nodes: vec![3] }),
            scheduled("f3", 1_800, 50, Fault::Kill { nodes: vec![1] }),
        ];
        let weather = Weather::default();
        let verdict = judged(&plan, &weather).expect("a run");
        assert_eq!(
            verdict.exposure.forgotten, 2,
            "both may have forgotten the same write"
        );
        if let Some(told) = breach(&plan, &weather, &verdict) {
            panic!("{told}");
        }
    }
}
