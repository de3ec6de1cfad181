//! Simulates the plan of a saved run once more and watches what happens to some keys.
//!
//! The same plan makes the same run, so what is seen is what happened. Whether it is, the witness tells: see `choose.rs`.

use std::collections::{BTreeMap, BTreeSet};

use quorate_checkers::Anomaly;
use quorate_checkers::history::{Event, EventType, History, Nanos};
use thiserror::Error;

use crate::plan::{Plan, PlanError, World};
use crate::world::sim::trace::{Step, What};
use crate::world::sim::{SimError, Simulation};

/// Why there is no diagram.
#[derive(Debug, Error)]
pub enum SpacetimeError {
    /// The plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Virtual time.
    #[error(transparent)]
    Sim(#[from] SimError),
    /// Nobody saw the messages.
    #[error(
        "a live run has no spacetime diagram, for messages between its nodes are not observed: run its plan with --world sim"
    )]
    Live,
    /// Another run came out.
    #[error(
        "the plan makes another run than the history tells (was it stopped early, or changed?): simulate the plan again, and explain that run"
    )]
    Differs,
}

/// What was seen.
#[derive(Debug)]
pub struct Watched {
    /// What happened to the watched keys, and to the nodes.
    pub(super) steps: Vec<Step>,
    /// Lines about the watched keys, by their indices.
    pub(super) events: BTreeMap<u64, Event>,
}

/// How long the simulation goes on after the end of the witnesses, for messages that are late, ns of virtual time.
const AFTER_NS: u64 = 1_000_000_000;

/// Simulates a plan again, and watches the keys of these anomalies. It ends soon after what they are about: a run that was stopped
/// early may have a plan of days.
///
/// # Errors
/// When the plan cannot be simulated.
pub fn watch(
    plan: &Plan,
    history: &History,
    anomalies: &[&Anomaly],
) -> Result<Watched, SpacetimeError> {
    let World::Sim(weather) = plan.world else {
        return Err(SpacetimeError::Live);
    };
    plan.validate()?;
    let places = anomalies
        .iter()
        .flat_map(|anomaly| anomaly.witness.operations());
    let operations = places.filter_map(|at| history.operations.get(at));
    let keys: BTreeSet<&str> = operations.map(|op| history.key_name(op.key)).collect();
    let mut simulation = Simulation::new(plan, weather)?.traced();
    let mut watched = Watched {
        steps: Vec::new(),
        events: BTreeMap::new(),
    };
    let mut messages = BTreeSet::new();
    let mut operations = BTreeSet::new();
    let until = end_of(history, anomalies);
    let mut goes_on = true;
    while goes_on && simulation.now() <= until {
        goes_on = simulation.advance()?;
        for event in simulation.drain_events() {
            if event.key.as_deref().is_some_and(|key| keys.contains(key)) {
                if event.kind == EventType::Invoke {
                    operations.insert(event.index);
                }
                watched.events.insert(event.index, event);
            }
        }
        let steps = simulation.take_steps();
        let about = |step: &Step| is_about(step, &keys, &operations, &mut messages);
        watched.steps.extend(steps.into_iter().filter(about));
    }
    Ok(watched)
}

/// When everything is over that these anomalies are about.
fn end_of(history: &History, anomalies: &[&Anomaly]) -> Nanos {
    let places = anomalies
        .iter()
        .flat_map(|anomaly| anomaly.witness.operations());
    let operations = places.filter_map(|at| history.operations.get(at));
    let ends = operations.map(|op| op.completed().unwrap_or(op.call));
    Nanos(ends.max().unwrap_or_default().0.saturating_add(AFTER_NS))
}

/// Whether a step is about one of these keys, or about a node.
fn is_about(
    step: &Step,
    keys: &BTreeSet<&str>,
    operations: &BTreeSet<u64>,
    messages: &mut BTreeSet<u64>,
) -> bool {
    match &step.what {
        What::Invoked { op, .. }
        | What::Asked { op, .. }
        | What::Replied { op, .. }
        | What::Completed { op, .. } => operations.contains(op),
        What::Sent { message, says, .. } => {
            let is_about = says.key.as_deref().is_some_and(|key| keys.contains(key));
            is_about && messages.insert(*message)
        }
        What::Delivered { message, .. } | What::Lost { message, .. } => messages.contains(message),
        What::Forgot { record, .. } => record.key().is_some_and(|key| keys.contains(key.as_str())),
        What::Holds { key, .. } => keys.contains(key.as_str()),
        What::Booted { .. }
        | What::Killed { .. }
        | What::Paused { .. }
        | What::Resumed { .. }
        | What::ClockSet { .. } => true,
        What::LinkUp(_) | What::LinkDown(_) | What::Synced { .. } => false,
    }
}
