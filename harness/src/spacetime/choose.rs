//! Which of the steps that were seen belong into a diagram: those of the witness, and those around the moment that convicts.

use std::collections::{BTreeMap, BTreeSet};

use quorate_checkers::Anomaly;
use quorate_checkers::history::{EventType, Function, History, Nanos, Operation, Process};
use quorate_node::protocol::{Content, Key};

use super::watch::{SpacetimeError, Watched};
use crate::world::sim::trace::{Says, Step, What};

/// Steps about the key that are shown before and after the moment that convicts.
const AROUND: usize = 50;

/// Steps of nodes that are shown, however far from that moment.
const OF_NODES_MAX: usize = 16;

/// What a diagram is made of.
pub(super) struct Chosen<'a> {
    /// In order.
    pub(super) steps: Vec<&'a Step>,
    /// Operations of the witness: the letter, or none for a read of the census.
    pub(super) witness: BTreeMap<u64, Option<char>>,
    /// All messages, with the step that sent them.
    pub(super) sent: BTreeMap<u64, (&'a Step, &'a Says)>,
}

pub(super) fn choose<'a>(
    history: &History,
    anomaly: &Anomaly,
    watched: &'a Watched,
) -> Result<Chosen<'a>, SpacetimeError> {
    let witness = witness(history, anomaly, watched)?;
    let sent: BTreeMap<u64, (&Step, &Says)> = watched
        .steps
        .iter()
        .filter_map(|step| match &step.what {
            What::Sent { message, says, .. } => Some((*message, (step, says))),
            _ => None,
        })
        .collect();
    let values = written(history, anomaly);
    // What replicas come to hold after the end of the witness explains nothing.
    let ends = anomaly.witness.operations().into_iter();
    let ends = ends.filter_map(|at| history.operations.get(at)?.completed());
    let end = ends.max().unwrap_or(Nanos::NEVER);
    let key = anomaly.key.as_deref();
    let mut about = Vec::new();
    let mut needed = BTreeSet::new();
    for (place, step) in watched.steps.iter().enumerate() {
        let Some(relation) = relation(step, &sent) else {
            continue;
        };
        let of_witness = relation.op.is_some_and(|op| witness.contains_key(&op));
        let is_shown = step.at <= end && relation.content.is_some_and(|held| shows(held, &values));
        if of_witness || is_shown && key.is_none_or(|key| relation.key == Some(key)) {
            needed.insert(place);
        }
        let key_of_op = relation
            .op
            .and_then(|op| watched.events.get(&op)?.key.as_deref());
        if of_witness || key.is_none_or(|key| relation.key.or(key_of_op) == Some(key)) {
            about.push(place);
        }
    }
    let centre = about.partition_point(|&place| watched.steps[place].at < anomaly.at);
    let around = centre.saturating_sub(AROUND)..(centre + AROUND).min(about.len());
    let mut places = needed.clone();
    if let (Some(first), Some(last)) = (needed.first(), needed.last()) {
        let between = about[around]
            .iter()
            .filter(|&place| (first..=last).contains(&place));
        places.extend(between);
    }
    places.extend(of_nodes(watched, &places));
    let steps = places.iter().filter_map(|&place| watched.steps.get(place));
    Ok(Chosen {
        steps: steps.collect(),
        witness,
        sent,
    })
}

/// The operations of the witness, as the run that was watched calls them.
fn witness(
    history: &History,
    anomaly: &Anomaly,
    watched: &Watched,
) -> Result<BTreeMap<u64, Option<char>>, SpacetimeError> {
    let find = |place: usize| {
        let operation = history.operations.get(place)?;
        let mut events = watched.events.values();
        let event = events.find(|event| {
            event.kind == EventType::Invoke
                && event.time == operation.call
                && event.process == Process::Client(operation.process)
                && event.key.as_deref() == Some(history.key_name(operation.key))
        })?;
        ends_alike(operation, event.index, watched).then_some(event.index)
    };
    let letters = anomaly.witness.roles.iter();
    let letters = letters.map(|role| (role.operation, Some(role.letter)));
    let census = anomaly.witness.census.iter().map(|&place| (place, None));
    let each = census.chain(letters).map(|(place, letter)| {
        let op = find(place).ok_or(SpacetimeError::Differs)?;
        Ok((op, letter))
    });
    each.collect()
}

/// Whether an operation ended in the watched run when and as the history tells.
fn ends_alike(operation: &Operation, op: u64, watched: &Watched) -> bool {
    let mut completions = watched.steps.iter().filter_map(|step| match step.what {
        What::Completed { op: of, completion } if of == op => watched.events.get(&completion),
        _ => None,
    });
    let completion = completions.next_back();
    completion.map(|event| event.time) == operation.completed()
        && completion.is_none_or(|event| event.value == operation.value)
}

/// What the writes of the witness wrote, as the nodes know it. Deletes are all alike.
fn written(history: &History, anomaly: &Anomaly) -> BTreeSet<String> {
    let operations = anomaly.witness.operations();
    let operations = operations
        .iter()
        .filter_map(|&at| history.operations.get(at));
    let writes = operations.filter(|operation| operation.f == Function::Write);
    writes.map(|write| write.value.to_string()).collect()
}

fn shows(content: &Content, values: &BTreeSet<String>) -> bool {
    let mut held = content
        .versions()
        .filter_map(|version| version.value.as_deref());
    held.any(|bytes| values.contains(String::from_utf8_lossy(bytes).as_ref()))
}

/// What a step is about.
struct Relation<'a> {
    op: Option<u64>,
    key: Option<&'a str>,
    /// What a replica took or lost.
    content: Option<&'a Content>,
}

/// What a step is about; none if it is about a node.
fn relation<'a>(
    step: &'a Step,
    sent: &BTreeMap<u64, (&'a Step, &'a Says)>,
) -> Option<Relation<'a>> {
    let of = |op, key, content| Some(Relation { op, key, content });
    match &step.what {
        What::Invoked { op, .. }
        | What::Asked { op, .. }
        | What::Replied { op, .. }
        | What::Completed { op, .. } => of(Some(*op), None, None),
        What::Sent { says, .. } => of(says.op, says.key.as_deref(), None),
        What::Delivered { message, .. } | What::Lost { message, .. } => {
            let (_, says) = sent.get(message)?;
            of(says.op, says.key.as_deref(), None)
        }
        What::Holds { key, content, .. } => of(None, Some(key), content.as_ref()),
        What::Forgot { record, .. } => of(None, record.key().map(Key::as_str), record.held()),
        _ => None,
    }
}

/// What happened to nodes between the first and the last of these steps: all of it, or what is nearest to the end.
fn of_nodes(watched: &Watched, places: &BTreeSet<usize>) -> Vec<usize> {
    let (Some(&first), Some(&last)) = (places.first(), places.last()) else {
        return Vec::new();
    };
    let is_of_node = |place: &usize| {
        matches!(
            watched.steps[*place].what,
            What::Booted { .. }
                | What::Killed { .. }
                | What::Paused { .. }
                | What::Resumed { .. }
                | What::ClockSet { .. }
        )
    };
    let mut found: Vec<usize> = (first..last).rev().filter(is_of_node).collect();
    // A kill that took something back is part of the story, wherever it is.
    let forgot: Vec<_> = places
        .iter()
        .filter_map(|&place| match watched.steps[place].what {
            What::Forgot { node, .. } => Some((watched.steps[place].at, node)),
            _ => None,
        })
        .collect();
    let took_back = |place: usize| match watched.steps[place].what {
        What::Killed { node } => forgot.contains(&(watched.steps[place].at, node)),
        _ => false,
    };
    let far: Vec<usize> = found.drain(OF_NODES_MAX.min(found.len())..).collect();
    found.extend(far.into_iter().filter(|&place| took_back(place)));
    found
}
