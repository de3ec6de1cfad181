//! What a traced simulation tells: everything that happened, in order, without a change to what happens.

use std::collections::BTreeMap;

use quorate::plan::{Plan, PlanSpec};
use quorate::world::sim::trace::{Kind, Step, What};
use quorate::world::sim::{self, Weather};
use quorate_checkers::history::{Event, EventType};
use quorate_node::protocol::Content;

fn plan(sync: &str, seed: u64) -> Plan {
    let faults = ["kill", "pause", "partition", "slow", "clock"];
    let spec = PlanSpec {
        lasts: Some("3s".to_owned()),
        sync: Some(sync.to_owned()),
        faults: Some(faults.map(str::to_owned).to_vec()),
        ..PlanSpec::default()
    };
    spec.plan(seed).expect("a plan")
}

fn traced(plan: &Plan) -> (Vec<Event>, Vec<Step>) {
    sim::traced(plan, &Weather::default()).expect("a run")
}

#[test]
fn looking_changes_nothing() {
    for sync in ["each-write", "every 20ms"] {
        for seed in 0..3 {
            let plan = plan(sync, seed);
            let (events, steps) = traced(&plan);
            let unseen = sim::run(&plan, &Weather::default()).expect("a run");
            assert_eq!(events, unseen, "{sync} with seed {seed}");
            assert_eq!(steps, traced(&plan).1, "{sync} with seed {seed}");
            assert!(steps.is_sorted_by_key(|step| step.at));
        }
    }
}

/// Where a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Underway,
    Delivered,
    Lost,
}

#[test]
fn every_message_that_was_sent_arrives_or_is_lost() {
    for seed in 0..10 {
        let mut fates = BTreeMap::new();
        for Step { at, what } in traced(&plan("each-write", seed)).1 {
            let (message, from, to) = match what {
                What::Sent { message, .. } => {
                    assert_eq!(fates.insert(message, Fate::Underway), None, "sent once");
                    continue;
                }
                What::Delivered { message, .. } => (message, Fate::Underway, Fate::Delivered),
                What::Lost { message, .. } => (message, Fate::Underway, Fate::Lost),
                _ => continue,
            };
            assert_eq!(fates.insert(message, to), Some(from), "{message} at {at:?}");
        }
        let count = |fate| fates.values().filter(|&&other| other == fate).count();
        assert_eq!(count(Fate::Underway), 0, "seed {seed}");
        assert!(count(Fate::Delivered) > 1_000 && count(Fate::Lost) > 10);
    }
}

#[test]
fn operations_are_named_by_their_lines() {
    let (events, steps) = traced(&plan("each-write", 3));
    let event = |index: u64| &events[usize::try_from(index).expect("an index")];
    let mut messages = 0;
    for step in &steps {
        match &step.what {
            What::Invoked { op, node } | What::Asked { op, node } | What::Replied { op, node } => {
                assert_eq!(event(*op).kind, EventType::Invoke);
                assert_eq!(event(*op).node, Some(format!("n{node}")));
            }
            What::Completed { op, completion } => {
                assert_eq!(event(*op).process, event(*completion).process);
                assert_eq!(event(*op).key, event(*completion).key);
                assert_eq!(event(*completion).time, step.at);
                assert_ne!(event(*completion).kind, EventType::Invoke);
            }
            What::Sent { says, .. } => {
                let op = event(says.op.expect("all that is said is said for a client"));
                assert_eq!(op.node, Some(format!("n{}", says.coordinator)));
                assert_eq!(op.key, says.key);
                messages += usize::from(says.kind == Kind::Write);
            }
            _ => {}
        }
    }
    assert!(messages > 100, "{messages}");
}

/// What the census reads is what the trace says that each replica holds, deaths and losses included.
#[test]
fn replicas_hold_what_the_census_reads() {
    for sync in ["each-write", "every 20ms"] {
        for seed in 0..5 {
            let (events, steps) = traced(&plan(sync, seed));
            let mut held = BTreeMap::new();
            for step in steps {
                if let What::Holds { node, key, content } = step.what {
                    held.insert((format!("n{node}"), key), content);
                }
            }
            let mut compared = 0;
            for event in events.iter().filter(|event| event.f.as_str() == "census") {
                if let (EventType::Ok, Some(node), Some(key)) =
                    (event.kind, &event.node, &event.key)
                {
                    let content = held.get(&(node.clone(), key.clone()));
                    let evidence = event.evidence.as_ref().expect("nodes tell");
                    let content = content.and_then(Option::as_ref);
                    let stamp = content.and_then(Content::stamp);
                    let read = evidence.version.as_ref();
                    assert_eq!(
                        stamp.map(|stamp| stamp.wall_ns),
                        read.map(|read| read.wall_ns)
                    );
                    compared += 1;
                }
            }
            assert!(compared > 10, "{compared}");
        }
    }
}
