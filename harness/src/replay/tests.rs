//! Plans made of histories: exact where all is told, near where it was seen, and named where it was guessed.

use quorate_checkers::history::{History, Value};
use serde_json::Value as Json;

use super::rebuild::{Rebuilt, rebuild};
use crate::fault::{Fault, FaultKind};
use crate::plan::{Plan, PlanSpec, World};
use crate::world::sim;

fn plan(workload: &str, seed: u64) -> Plan {
    let spec = PlanSpec {
        world: Some("sim".to_owned()),
        workload: Some(workload.to_owned()),
        lasts: Some("6s".to_owned()),
        sabotage: Some(vec!["drop-repair".to_owned()]),
        sync: Some("every 20ms".to_owned()),
        claim: Some("3/1/1".to_owned()),
        faults: Some(
            FaultKind::ANYWHERE
                .map(|kind| kind.name().to_owned())
                .to_vec(),
        ),
        ..PlanSpec::default()
    };
    spec.plan(seed).expect("a plan")
}

fn history(plan: &Plan) -> History {
    let World::Sim(weather) = plan.world else {
        panic!("{:?} is not simulated", plan.world);
    };
    let events = sim::run(plan, &weather).expect("a run");
    History::from_events(plan.header().expect("a header"), events).expect("a history")
}

fn rebuilt(history: &History) -> Rebuilt {
    rebuild(history).expect("a plan")
}

/// Takes away what histories did not say before they said what was planned.
fn silence(history: &mut History) {
    history.header.setup = None;
    for event in &mut history.nemesis {
        if let Value::Json(body) = &mut event.value
            && let Some(body) = body.as_object_mut()
        {
            body.remove("planned");
        }
    }
}

#[test]
fn a_history_that_says_what_was_planned_makes_the_very_plan() {
    for (workload, seed) in [("register", 1), ("write-once", 2), ("racing", 3)] {
        let plan = plan(workload, seed);
        let made = rebuilt(&history(&plan));
        assert_eq!(made.plan, plan);
        assert!(made.is_exact);
        assert_eq!(made.notes, super::Notes::default());
    }
}

#[test]
fn what_is_not_said_is_seen_in_the_events_as_far_as_it_can_be() {
    for seed in 0..5 {
        let plan = plan("register", seed);
        let mut history = history(&plan);
        silence(&mut history);
        let made = rebuilt(&history);
        assert!(!made.is_exact);
        let (store, load) = (&made.plan.store, &made.plan.load);
        assert_eq!(*store, plan.store);
        assert_eq!(
            (made.plan.world, made.plan.claim),
            (World::Live, plan.claim)
        );
        assert_eq!(
            (load.keys, load.clients),
            (plan.load.keys, plan.load.clients)
        );
        assert!(
            load.read_percent.abs_diff(plan.load.read_percent) <= 5,
            "{load:?}"
        );
        assert!(
            load.delete_percent.abs_diff(plan.load.delete_percent) <= 3,
            "{load:?}"
        );
        assert!(
            load.rate.abs_diff(plan.load.rate) <= plan.load.rate / 4,
            "{load:?}"
        );
        assert_eq!(made.plan.phases, plan.phases);
        // What the world skipped is not done again, and is named.
        let done = made.plan.timeline.len();
        assert_eq!(done + made.notes.left_out.len(), plan.timeline.len());
        for seen in &made.plan.timeline {
            let mut planned = plan.timeline.iter();
            let planned = planned
                .find(|planned| planned.id == seen.id)
                .expect("a fault");
            assert!(
                seen.at_ms.abs_diff(planned.at_ms) <= 2,
                "{seen:?} {planned:?}"
            );
            assert!(
                seen.for_ms.abs_diff(planned.for_ms) <= 20,
                "{seen:?} {planned:?}"
            );
            assert_eq!(seen.fault.nodes(), planned.fault.nodes());
            assert_eq!(seen.fault.links(), planned.fault.links());
            assert_eq!(seen.fault.offsets_ns(), planned.fault.offsets_ns());
        }
        // How links were cut and how slow they were is seen nowhere.
        let is_guess =
            |fault: &&Fault| matches!(fault.kind(), FaultKind::Partition | FaultKind::Slow);
        let faults = made.plan.timeline.iter().map(|scheduled| &scheduled.fault);
        let guesses = faults.filter(is_guess).count() + 2;
        assert_eq!(made.notes.guessed.len(), guesses, "{:?}", made.notes);
    }
}

#[test]
fn what_cannot_be_done_again_is_left_out_by_name() {
    let mut history = history(&plan("register", 1));
    silence(&mut history);
    let all = history.faults.len();
    history.faults[0].effect = Some((
        history.faults[0].injected,
        quorate_checkers::history::Effect::Skipped,
    ));
    history.faults[1].kind = quorate_checkers::history::FaultKind::Crash;
    history.faults[2].kind = quorate_checkers::history::FaultKind::Other("flood".to_owned());
    let made = rebuilt(&history);
    assert_eq!(made.plan.timeline.len(), all - 3);
    let left_out = made.notes.left_out.join("\n");
    for words in [
        "it was skipped",
        "it happened by itself",
        "no fault `flood`",
    ] {
        assert!(left_out.contains(words), "{left_out}");
    }
}

#[test]
fn a_set_up_of_another_build_is_told_and_the_rest_is_made_of_the_events() {
    let plan = plan("register", 1);
    let mut history = history(&plan);
    history.header.setup = Some(Json::from("something else"));
    let made = rebuilt(&history);
    assert!(
        made.notes.guessed[0].contains("does not understand"),
        "{:?}",
        made.notes
    );
    assert_eq!(made.plan.timeline, plan.timeline);
}
