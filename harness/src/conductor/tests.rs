//! The conductor driven by a scripted world in virtual time: no sockets, no clock.

use std::collections::BTreeMap;

use quorate_checkers::history::{Event, EventType, F, Nanos, Process, Value};
use quorate_node::config::Versions;
use quorate_node::wire::Context;

use super::{Action, Conductor, Phase};
use crate::fault::{Effect, Fault};
use crate::plan::{Ask, Cue, Plan, PlanSpec, Scheduled, ScriptedOp, Until};
use crate::world::{ClientOp, OpKind, Outcome, Returned};

fn plan(faults: &[&str]) -> Plan {
    let spec = PlanSpec {
        lasts: Some("4s".into()),
        rate: Some(200),
        clients: Some(4),
        faults: Some(faults.iter().map(|&fault| fault.to_owned()).collect()),
        ..PlanSpec::default()
    };
    spec.plan(11).expect("a plan")
}

/// What comes back to the conductor, when its time has come.
type Answer = Box<dyn FnOnce(&mut Conductor, Nanos)>;

/// What the scripted world answers to the n-th operation.
type Script = fn(u64, &ClientOp) -> Outcome;

fn all_well(_: u64, op: &ClientOp) -> Outcome {
    Outcome::Ok {
        value: op.f.written(),
        returned: None,
        evidence: None,
    }
}

/// Runs a conductor to its end; each operation takes 3 ms, each fault 1 ms to install or heal. Interrupts at `stop_at`.
fn perform(plan: &Plan, script: Script, stop_at: Option<Nanos>) -> Vec<Event> {
    let mut conductor = Conductor::new(plan, Box::new(|_| vec![1, 2, 3])).expect("a conductor");
    let mut now = Nanos(0);
    let mut events = Vec::new();
    let mut due: BTreeMap<(Nanos, u64), Answer> = BTreeMap::new();
    let mut asked = 0;
    let mut stopped = false;
    for _ in 0..1_000_000 {
        if stop_at.is_some_and(|at| now >= at) && !stopped {
            stopped = true;
            conductor.stop(now, "interrupted");
        }
        asked += 1;
        let at = |ms: u64| (Nanos(now.0 + ms * 1_000_000), asked);
        match conductor.poll(now) {
            Action::Done => {
                events.extend(conductor.drain_events());
                return events;
            }
            Action::Wait(until) => {
                let until = until.max(Nanos(now.0 + 1));
                match due.first_key_value().map(|(&(time, _), _)| time) {
                    Some(time) if time <= until => {
                        now = now.max(time);
                        let (_, answer) = due.pop_first().expect("it is there");
                        answer(&mut conductor, now);
                    }
                    _ => now = until,
                }
            }
            Action::Invoke { client, op, .. } => {
                let outcome = script(asked, &op);
                due.insert(
                    at(3),
                    Box::new(move |conductor, now| conductor.completed(now, client, outcome)),
                );
            }
            Action::Settle => {
                due.insert(at(1), Box::new(Conductor::settled));
            }
            Action::Inject(index) => {
                due.insert(
                    at(1),
                    Box::new(move |conductor, now| {
                        conductor.injected(now, index, &Effect::Installed);
                    }),
                );
            }
            Action::Heal(index) => {
                due.insert(
                    at(1),
                    Box::new(move |conductor, now| {
                        conductor.healed(now, index, &Effect::Installed);
                    }),
                );
            }
            Action::HealAll => {
                due.insert(at(1), Box::new(Conductor::all_healed));
            }
            Action::Quiesce => {
                due.insert(at(1), Box::new(|conductor, now| conductor.quiet(now, true)));
            }
        }
    }
    panic!("the conductor never came to an end");
}

fn phases(events: &[Event]) -> Vec<String> {
    events
        .iter()
        .filter(|event| event.f == F::Phase)
        .map(|event| event.value.to_string())
        .collect()
}

#[test]
fn a_run_goes_through_all_phases_and_reads_every_key_at_every_replica() {
    let plan = plan(&["none"]);
    let events = perform(&plan, all_well, None);
    assert_eq!(
        phases(&events),
        ["settle", "warm", "storm", "heal", "quiet", "census", "stop"]
            .map(|phase| format!("\"{phase}\""))
    );
    let census = events
        .iter()
        .filter(|event| event.f == F::Census && event.kind == EventType::Ok);
    assert_eq!(census.count(), 10 * 3);
    let load = events
        .iter()
        .filter(|event| event.kind == EventType::Invoke && event.f != F::Census)
        .count();
    assert!(
        (600..1_000).contains(&load),
        "4 s at 200/s gave {load} operations"
    );
}

#[test]
fn indices_are_dense_and_times_never_go_backwards() {
    let events = perform(
        &plan(&["kill", "pause", "partition", "slow", "clock"]),
        all_well,
        None,
    );
    assert!(
        events
            .iter()
            .zip(0..)
            .all(|(event, index)| event.index == index)
    );
    assert!(events.windows(2).all(|pair| pair[0].time <= pair[1].time));
}

#[test]
fn every_fault_is_healed_before_the_census() {
    let plan = plan(&["kill", "pause", "partition", "slow", "clock"]);
    let events = perform(&plan, all_well, None);
    let census = events
        .iter()
        .position(|event| event.f == F::Census)
        .expect("a census");
    let steps = |step: &str| {
        let quoted = format!("\"step\":\"{step}\"");
        events[..census]
            .iter()
            .filter(|event| {
                event.process == Process::Nemesis && event.value.to_string().contains(&quoted)
            })
            .count()
    };
    assert!(plan.timeline.len() >= 5);
    for step in ["inject", "installed", "heal", "healed"] {
        assert_eq!(steps(step), plan.timeline.len(), "{step}");
    }
}

#[test]
fn a_process_never_invokes_again_after_an_unknown_outcome() {
    let script: Script = |turn, op| {
        if turn % 5 == 0 && op.f.has_effect() {
            Outcome::Info {
                error: "no answer".into(),
                evidence: None,
            }
        } else {
            all_well(turn, op)
        }
    };
    let events = perform(&plan(&["none"]), script, None);
    let mut ended = Vec::new();
    let mut open = Vec::new();
    for event in &events {
        let Process::Client(process) = event.process else {
            continue;
        };
        if event.kind == EventType::Invoke {
            assert!(
                !ended.contains(&process),
                "process {process} came back from the dead"
            );
            assert!(!open.contains(&process), "process {process} invoked twice");
            open.push(process);
        } else {
            open.retain(|&other| other != process);
        }
        if event.kind == EventType::Info {
            ended.push(process);
        }
    }
    assert!(ended.len() > 10);
    assert!(
        ended.iter().any(|process| *process >= 4),
        "new ids are old ids plus the number of clients"
    );
}

#[test]
fn a_census_read_that_fails_is_tried_again_and_given_up_after_a_while() {
    let script: Script = |turn, op| match op.f {
        OpKind::Census if op.key == "k3" => Outcome::Fail {
            error: "no answer".into(),
            evidence: None,
        },
        OpKind::Census if turn % 2 == 0 => Outcome::Fail {
            error: "busy".into(),
            evidence: None,
        },
        _ => all_well(turn, op),
    };
    let events = perform(&plan(&["none"]), script, None);
    let tries = |key: &str, kind| {
        let of_key = |event: &&Event| event.f == F::Census && event.key.as_deref() == Some(key);
        events
            .iter()
            .filter(of_key)
            .filter(|event| event.kind == kind)
            .count()
    };
    assert_eq!(tries("k3", EventType::Fail), 3 * 5);
    assert!(tries("k1", EventType::Ok) >= 1);
}

#[test]
fn an_interrupt_ends_the_load_and_still_heals_and_reads() {
    let plan = plan(&["kill", "partition"]);
    let events = perform(&plan, all_well, Some(Nanos(1_500_000_000)));
    assert_eq!(phases(&events).last().map(String::as_str), Some("\"stop\""));
    assert!(events.iter().any(|event| event.f == F::Census));
    assert!(
        events
            .last()
            .is_some_and(|event| event.time < Nanos(2_500_000_000)),
        "it went on and on"
    );
    let injected = events
        .iter()
        .filter(|event| event.value.to_string().contains("\"step\":\"inject\""))
        .count();
    let healed = events
        .iter()
        .filter(|event| event.value.to_string().contains("\"step\":\"healed\""))
        .count();
    assert!(injected > 0);
    assert_eq!(injected, healed);
}

#[test]
fn a_script_is_asked_as_it_is_written() {
    let mut plan = plan(&["none"]);
    let scripted = |at_us: u64, client, node, op| ScriptedOp {
        name: None,
        after: Vec::new(),
        until: None,
        at_ns: at_us * 1_000,
        client,
        node,
        op,
        key: "a".into(),
        level: None,
    };
    plan.load.script = vec![
        scripted(9_000, 1, 3, Ask::Read),
        scripted(2_000, 0, 2, Ask::Write(7)),
        // Its client is busy until 5 ms.
        scripted(4_000, 0, 1, Ask::Delete),
    ];
    let events = perform(&plan, all_well, None);
    let asked: Vec<_> = events
        .iter()
        .filter(|event| event.kind == EventType::Invoke && event.f != F::Census)
        .map(|event| {
            let after_us = event.time.0 / 1_000 - 1_000;
            (after_us, event.f.clone(), event.node.clone(), event.process)
        })
        .collect();
    let node = |name: &str| Some(name.to_owned());
    assert_eq!(
        asked,
        [
            (2_000, F::Write, node("n2"), Process::Client(0)),
            (5_000, F::Delete, node("n1"), Process::Client(0)),
            (9_000, F::Read, node("n3"), Process::Client(1)),
        ]
    );
    let census = events.iter().filter(|event| event.f == F::Census);
    assert!(
        census
            .clone()
            .all(|event| event.key.as_deref() == Some("a"))
    );
    assert_eq!(census.count(), 2 * 3);
    plan.load.script[0].client = 0;
    plan.load.script[0].at_ns = 3_999_999_000;
    plan.load.script[2].at_ns = 3_998_500_000;
    let events = perform(&plan, all_well, None);
    let is_told = |event: &Event| event.value.to_string().contains("never asked");
    assert!(events.iter().any(is_told));
}

/// A store in which 7 and 8 stand beside each other, for ever.
fn two_siblings(_: u64, op: &ClientOp) -> Outcome {
    let is_read = matches!(op.f, OpKind::Read | OpKind::Census);
    let returned = Returned {
        values: vec![Value::Int(7), Value::Int(8)],
        context: Context(vec![1, 2, 3]),
    };
    Outcome::Ok {
        value: if is_read {
            Value::Json(Box::new(vec![7, 8].into()))
        } else {
            op.f.written()
        },
        returned: is_read.then(|| Box::new(returned)),
        evidence: None,
    }
}

#[test]
fn what_a_client_has_read_goes_with_its_next_write_of_the_key_and_no_further() {
    let mut plan = plan(&["none"]);
    plan.store.options.versions = Versions::Dvv { siblings: true };
    let scripted = |at_ms: u64, client, op, key: &str| ScriptedOp {
        name: None,
        after: Vec::new(),
        until: None,
        at_ns: at_ms * 1_000_000,
        client,
        node: 1,
        op,
        key: key.into(),
        level: None,
    };
    plan.load.script = vec![
        scripted(10, 0, Ask::Read, "a"),
        scripted(20, 1, Ask::Write(1), "a"),
        scripted(20, 0, Ask::Write(2), "b"),
        scripted(30, 0, Ask::Write(3), "a"),
        scripted(40, 0, Ask::Write(4), "a"),
        scripted(50, 0, Ask::Read, "a"),
        scripted(60, 0, Ask::Delete, "a"),
    ];
    let contexts = |plan: &Plan| -> Vec<(F, Option<Vec<Value>>)> {
        let events = perform(plan, two_siblings, None);
        let asked = events
            .into_iter()
            .filter(|event| event.kind == EventType::Invoke);
        asked
            .filter(|event| matches!(event.f, F::Write | F::Delete))
            .map(|event| (event.f, event.context))
            .collect()
    };
    let read = || Some(vec![Value::Int(7), Value::Int(8)]);
    assert_eq!(
        contexts(&plan),
        [
            // Another client, another key.
            (F::Write, None),
            (F::Write, None),
            (F::Write, read()),
            // It has handed that back.
            (F::Write, None),
            (F::Delete, read()),
        ]
    );
    plan.load.blind = true;
    assert!(contexts(&plan).iter().all(|(_, context)| context.is_none()));
}

#[test]
fn a_set_is_read_and_written_back_by_the_same_client_at_once() {
    let mut plan = plan(&["none"]);
    plan.load.workload = "set-rmw".to_owned();
    plan.load.keys = 1;
    let holds_one: Script = |number, op| {
        let set = Value::Json(Box::new(vec![1].into()));
        let outcome = two_siblings(number, op);
        match outcome {
            Outcome::Ok {
                returned: Some(mut returned),
                ..
            } => {
                returned.values = vec![set.clone()];
                Outcome::Ok {
                    value: set,
                    returned: Some(returned),
                    evidence: None,
                }
            }
            other => other,
        }
    };
    let events = perform(&plan, holds_one, None);
    let asked: Vec<&Event> = events
        .iter()
        .filter(|event| event.kind == EventType::Invoke && event.f != F::Census)
        .collect();
    let is_write = |event: &&&Event| event.f == F::Write;
    let writes: Vec<&&Event> = asked.iter().filter(is_write).collect();
    assert!(writes.len() > 100, "{} writes", writes.len());
    for write in &writes {
        let set = Value::Json(Box::new(vec![1].into()));
        assert_eq!(write.context, Some(vec![set]));
        let read_ended = events.iter().rfind(|event| {
            event.index < write.index
                && event.process == write.process
                && event.kind == EventType::Ok
        });
        let read_ended = read_ended.expect("it had read");
        assert_eq!((&read_ended.f, read_ended.time), (&F::Read, write.time));
    }
}

/// A script of three operations, each of which waits for what is before it, and a fault between them.
fn cued() -> Plan {
    let mut plan = plan(&["none"]);
    plan.phases.warm_ms = 0;
    let scripted = |name: &str, after: &[&str], op, until| ScriptedOp {
        name: Some(name.to_owned()),
        after: after.iter().map(|&sign| sign.to_owned()).collect(),
        until,
        at_ns: 0,
        client: 0,
        node: 2,
        op,
        key: "a".into(),
        level: None,
    };
    plan.load.script = vec![
        scripted("w1", &[], Ask::Write(7), None),
        scripted("i1", &["f1"], Ask::Inspect, Some(Until::Nothing)),
        scripted("r1", &["f1/healed"], Ask::Read, None),
    ];
    plan.timeline = vec![Scheduled {
        id: "f1".to_owned(),
        at_ms: 0,
        for_ms: 1,
        fault: Fault::Kill { nodes: vec![3] },
        cue: Some(Cue {
            after: vec!["w1".to_owned()],
            until: vec!["i1".to_owned()],
        }),
    }];
    plan
}

#[test]
fn what_waits_for_something_comes_after_it_and_the_load_ends_with_the_script() {
    let plan = cued();
    // The inspection is not answered as wanted at first.
    let script: Script = |turn, op| match op.f {
        OpKind::Inspect if turn < 30 => Outcome::Fail {
            error: "not yet".into(),
            evidence: None,
        },
        _ => all_well(turn, op),
    };
    let events = perform(&plan, script, None);
    let told: Vec<String> = events
        .iter()
        .filter_map(|event| match &event.value {
            Value::Json(body) if event.process == Process::Nemesis => {
                let step = body.get("step").or(Some(body));
                step.and_then(|step| step.as_str()).map(str::to_owned)
            }
            _ if event.f == F::Census => None,
            _ => {
                let step = event.extra.get("step").and_then(|step| step.as_str());
                Some(format!("{} {:?}", step.unwrap_or("?"), event.kind))
            }
        })
        .collect();
    let inspected = |kind: &str| ["i1 Invoke".to_owned(), format!("i1 {kind}")];
    let mut wanted: Vec<String> = ["settle", "warm", "storm", "w1 Invoke", "w1 Ok"]
        .map(str::to_owned)
        .to_vec();
    wanted.extend(["inject", "installed"].map(str::to_owned));
    let tries = told.iter().filter(|words| *words == "i1 Fail").count();
    wanted.extend((0..tries).flat_map(|_| inspected("Fail")));
    wanted.extend(inspected("Ok"));
    wanted.extend(["heal", "healed", "r1 Invoke", "r1 Ok"].map(str::to_owned));
    wanted.extend(["heal", "quiet", "census", "stop"].map(str::to_owned));
    assert_eq!(told, wanted);
    assert!(tries > 0, "it was never asked again");
    let lasted = events.last().map_or(0, |event| event.time.0);
    assert!(
        lasted < plan.phases.storm_ms * 1_000_000,
        "the load went on for {lasted} ns after its script had ended"
    );
}

#[test]
fn what_never_comes_is_waited_for_as_long_as_the_load_lasts() {
    let mut plan = cued();
    plan.load.script[1].until = Some(Until::Value(8));
    let events = perform(&plan, all_well, None);
    let is_told = |event: &Event| event.value.to_string().contains("never asked");
    assert!(events.iter().any(is_told));
    let asked = |name: &str| {
        let step = |event: &&Event| event.extra.get("step").is_some_and(|step| step == name);
        events.iter().filter(step).count()
    };
    assert!(asked("i1") > 10);
    assert_eq!(asked("r1"), 0);
}

#[test]
fn the_same_plan_gives_the_same_events() {
    let plan = plan(&["kill", "partition"]);
    assert_eq!(
        perform(&plan, all_well, None),
        perform(&plan, all_well, None)
    );
}

#[test]
fn phases_come_in_the_order_of_their_declaration() {
    assert!(
        Phase::Settle < Phase::Warm && Phase::Heal < Phase::Census && Phase::Census < Phase::Stop
    );
}
