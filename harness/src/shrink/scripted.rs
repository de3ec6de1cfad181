//! From a run to a plan that asks the same again, operation by operation: so that single operations can be left out.
//!
//! In the simulated world what is asked is all that a load is, so the script of a run makes the very events of that run.

use std::collections::{BTreeMap, BTreeSet};

use quorate_checkers::history::{F, Function, History, Nanos, Operation, Value};

use crate::conductor::Phase;
use crate::plan::{Ask, Plan, ScriptedOp, asked_level};

/// The plan with the operations of this run of it as its script. What cannot be asked again is left out.
pub fn scripted(plan: &Plan, history: &History) -> Plan {
    let began = load_began(history);
    let script: Vec<ScriptedOp> = history
        .operations
        .iter()
        .filter_map(|op| scripted_op(plan, history, op, began))
        .collect();
    with_script(plan, script)
}

/// The plan with these operations, and without what then says nothing: the numbers that a load is drawn from, and a warm-up.
pub fn with_script(plan: &Plan, script: Vec<ScriptedOp>) -> Plan {
    let mut plan = plan.clone();
    let keys: BTreeSet<&str> = script.iter().map(|op| op.key.as_str()).collect();
    plan.load.keys = (keys.len() as u64).max(1);
    plan.load.rate = 0;
    plan.load.read_percent = 0;
    plan.load.delete_percent = 0;
    plan.load.script = script;
    let warm_ms = std::mem::take(&mut plan.phases.warm_ms);
    plan.phases.storm_ms += warm_ms;
    for scheduled in &mut plan.timeline {
        scheduled.at_ms += warm_ms;
    }
    plan
}

/// For each operation of a history of a scripted plan, by its place, its place in the script. The final reads have none.
pub(super) fn places(plan: &Plan, history: &History) -> BTreeMap<usize, usize> {
    let mut asked: BTreeMap<u64, Vec<(Nanos, usize)>> = BTreeMap::new();
    for (place, op) in history.operations.iter().enumerate() {
        if op.f != Function::Census {
            let client = op.process % plan.load.clients;
            asked.entry(client).or_default().push((op.call, place));
        }
    }
    let mut written: BTreeMap<u64, Vec<(u64, usize)>> = BTreeMap::new();
    for (place, op) in plan.load.script.iter().enumerate() {
        // Judges know nothing of inspections.
        if matches!(
            op.op,
            Ask::Inspect | Ask::Count(_) | Ask::Repair | Ask::FindLeader(_)
        ) {
            continue;
        }
        written
            .entry(op.client)
            .or_default()
            .push((op.at_ns, place));
    }
    let mut places = BTreeMap::new();
    for (client, mut asked) in asked {
        asked.sort_unstable();
        let mut written = written.remove(&client).unwrap_or_default();
        written.sort_unstable();
        let pairs = asked.into_iter().zip(written);
        places.extend(pairs.map(|((_, asked), (_, written))| (asked, written)));
    }
    places
}

/// When the load of a run began.
pub(super) fn load_began(history: &History) -> Nanos {
    let warm = Value::Json(Box::new(Phase::Warm.name().into()));
    let mut events = history.nemesis.iter();
    let warm = events.find(|event| event.f == F::Phase && event.value == warm);
    warm.map_or(Nanos(0), |event| event.time)
}

fn scripted_op(plan: &Plan, history: &History, op: &Operation, began: Nanos) -> Option<ScriptedOp> {
    let (reads, writes) = plan.levels();
    let (ask, level) = match (op.f, &op.value) {
        (Function::Read, _) => (Ask::Read, reads),
        (Function::Delete, _) => (Ask::Delete, writes),
        (Function::Write, Value::Int(value)) => (Ask::Write(*value), writes),
        (Function::Write | Function::Census, _) => return None,
    };
    let name = history.node_name(op.node()?);
    let node = history.header.nodes.iter().position(|node| node == name)?;
    Some(ScriptedOp {
        name: None,
        after: Vec::new(),
        until: None,
        at_ns: op.call.since(began).0,
        client: op.process % plan.load.clients,
        node: u16::try_from(node + 1).ok()?,
        op: ask,
        key: history.key_name(op.key).to_owned(),
        level: op.level().map(asked_level).filter(|asked| *asked != level),
    })
}
