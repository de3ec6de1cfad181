//! From what happened to the events of the history, in order, with dense indices.
//!
//! It writes no file: events wait here until the run takes them out.

use quorate_checkers::history::{Event, EventType, F, Nanos, Process, Value};
use serde_json::{Map, Value as Json, json};

use super::Phase;
use super::clients::InFlight;
use crate::fault::{Effect, Fault};
use crate::plan::{Planned, Scheduled, told_level};
use crate::world::{ClientOp, OpKind, Outcome, node_name};

/// The field that names an operation of a script.
pub(super) const STEP: &str = "step";

pub(super) struct Record {
    off: bool,
    events: Vec<Event>,
    next_index: u64,
    last_time: Nanos,
    completed_ops: u64,
}

impl Record {
    pub(super) fn new(clients: u64) -> Record {
        let room = usize::try_from(clients * 4).unwrap_or(0);
        Record {
            off: false,
            events: Vec::with_capacity(room),
            next_index: 0,
            last_time: Nanos(0),
            completed_ops: 0,
        }
    }

    pub(super) fn off(&mut self) {
        self.off = true;
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = Event> + '_ {
        self.events.drain(..)
    }

    pub(super) fn recorded(&self) -> u64 {
        self.next_index
    }

    pub(super) fn completed_ops(&self) -> u64 {
        self.completed_ops
    }

    /// An operation is asked; `context` is what its client had read, if it says.
    pub(super) fn invocation(
        &mut self,
        now: Nanos,
        process: u64,
        node: u16,
        op: &ClientOp,
        context: Option<Vec<Value>>,
        step: Option<&str>,
    ) {
        if self.off {
            return;
        }
        let who = Process::Client(process);
        let mut event = self.event(now, EventType::Invoke, who, f_of(&op.f));
        event.key = key_of(&op.key);
        event.value = op.f.written();
        event.context = context;
        event.node = Some(node_name(node));
        event.level = op.level.map(told_level);
        name(&mut event, step);
        about(&mut event, &op.f);
        self.events.push(event);
    }

    pub(super) fn completion(
        &mut self,
        now: Nanos,
        op: &InFlight,
        outcome: Outcome,
        step: Option<&str>,
    ) {
        self.completed_ops += 1;
        if self.off {
            return;
        }
        let (kind, value, error, evidence) = match outcome {
            Outcome::Ok {
                value, evidence, ..
            } => (EventType::Ok, value, None, evidence),
            Outcome::Fail { error, evidence } => {
                (EventType::Fail, op.f.written(), Some(error), evidence)
            }
            Outcome::Info { error, evidence } => {
                (EventType::Info, op.f.written(), Some(error), evidence)
            }
        };
        let mut event = self.event(now, kind, Process::Client(op.process), f_of(&op.f));
        event.key = key_of(&op.key);
        event.value = value;
        event.error = error;
        event.node = Some(node_name(op.node));
        event.level = op.level.map(told_level);
        event.evidence = evidence;
        name(&mut event, step);
        about(&mut event, &op.f);
        self.events.push(event);
    }

    pub(super) fn phase(&mut self, now: Nanos, phase: Phase) {
        self.nemesis(now, "phase", json!(phase.name()));
    }

    /// A remark of the harness, for people.
    pub(super) fn note(&mut self, now: Nanos, text: &str) {
        self.nemesis(now, "note", json!(text));
    }

    /// A fault begins, as it was `planned`; what is done may be done to other nodes.
    pub(super) fn inject(&mut self, now: Nanos, scheduled: &Scheduled, planned: &Scheduled) {
        let mut body = body(scheduled, "inject");
        body.insert("planned".to_owned(), json!(Planned::of(planned)));
        self.nemesis(now, scheduled.fault.kind().name(), Json::Object(body));
    }

    pub(super) fn effect(&mut self, now: Nanos, scheduled: &Scheduled, effect: &Effect) {
        match effect {
            Effect::Installed => self.fault(now, scheduled, "installed", None),
            Effect::Skipped(why) => self.fault(now, scheduled, "skipped", Some(why)),
            Effect::Indeterminate(why) => self.fault(now, scheduled, "indeterminate", Some(why)),
        }
    }

    pub(super) fn heal(&mut self, now: Nanos, scheduled: &Scheduled) {
        self.fault(now, scheduled, "heal", None);
    }

    pub(super) fn healed(&mut self, now: Nanos, scheduled: &Scheduled, effect: &Effect) {
        match effect {
            Effect::Installed => self.fault(now, scheduled, "healed", None),
            Effect::Skipped(why) => self.fault(now, scheduled, "healed", Some(why)),
            Effect::Indeterminate(why) => self.fault(now, scheduled, "unhealed", Some(why)),
        }
    }

    pub(super) fn crash(&mut self, now: Nanos, node: u16, why: &str) {
        let id = format!("crash{}", self.next_index);
        let body = json!({ "id": id, "step": "installed", "nodes": [node_name(node)], "why": why });
        self.nemesis(now, "crash", body);
    }

    pub(super) fn host_clock(&mut self, now: Nanos, step_ns: i64) {
        let id = format!("host-clock{}", self.next_index);
        let body = json!({ "id": id, "step": "installed", "offsets_ns": [step_ns] });
        self.nemesis(now, "host-clock", body);
    }

    pub(super) fn lossy(&mut self, now: Nanos, nodes: u16) {
        let names: Vec<String> = (1..=nodes).map(node_name).collect();
        let links = names.iter().flat_map(|from| {
            let others = names.iter().filter(move |&to| to != from);
            others.map(move |to| [from, to])
        });
        let links: Vec<[&String; 2]> = links.collect();
        let body = json!({ "id": "lossy", "step": "installed", "nodes": names, "links": links });
        self.nemesis(now, "lossy", body);
    }

    pub(super) fn drift(&mut self, now: Nanos, drifts_ppm: &[i64]) {
        let names = (1..=u16::MAX).map(node_name).take(drifts_ppm.len());
        let names: Vec<String> = names.collect();
        let body =
            json!({ "id": "drift", "step": "installed", "nodes": names, "drifts_ppm": drifts_ppm });
        self.nemesis(now, "drift", body);
    }

    fn fault(&mut self, now: Nanos, scheduled: &Scheduled, step: &str, why: Option<&String>) {
        let mut body = body(scheduled, step);
        if let Some(why) = why {
            body.insert("why".to_owned(), json!(why));
        }
        self.nemesis(now, scheduled.fault.kind().name(), Json::Object(body));
    }

    fn nemesis(&mut self, now: Nanos, f: &str, body: Json) {
        if self.off {
            return;
        }
        let mut event = self.event(now, EventType::Info, Process::Nemesis, F::from(f));
        event.value = Value::Json(Box::new(body));
        self.events.push(event);
    }

    /// An event with the next index. Times never go backwards, whatever the caller's clock says.
    fn event(&mut self, now: Nanos, kind: EventType, process: Process, f: F) -> Event {
        let index = self.next_index;
        self.next_index += 1;
        self.last_time = self.last_time.max(now);
        Event {
            index,
            time: self.last_time,
            kind,
            process,
            f,
            key: None,
            value: Value::Nil,
            context: None,
            error: None,
            node: None,
            level: None,
            evidence: None,
            extra: Map::new(),
        }
    }
}

/// Says which operation of a script this is about.
fn name(event: &mut Event, step: Option<&str>) {
    if let Some(step) = step {
        event.extra.insert(STEP.to_owned(), json!(step));
    }
}

/// The key, if it is about one.
fn key_of(key: &str) -> Option<String> {
    (!key.is_empty()).then(|| key.to_owned())
}

/// Says what was asked of a node itself, rather than of a key.
fn about(event: &mut Event, f: &OpKind) {
    let asked = match f {
        OpKind::Count(counter) => counter.name(),
        OpKind::Repair => "repair",
        OpKind::FindLeader(_) => "leads",
        _ => return,
    };
    event.extra.insert("node-asked".to_owned(), json!(asked));
}

/// What every line of a fault says.
fn body(scheduled: &Scheduled, step: &str) -> Map<String, Json> {
    let fault = &scheduled.fault;
    let mut body = Map::new();
    body.insert("id".to_owned(), json!(scheduled.id));
    body.insert("step".to_owned(), json!(step));
    let nodes: Vec<String> = fault.nodes().into_iter().map(node_name).collect();
    body.insert("nodes".to_owned(), json!(nodes));
    if let Fault::Ring(change) = fault
        && let Some(gone) = change.gone()
    {
        body.insert("gone".to_owned(), json!([node_name(gone)]));
    }
    if !fault.links().is_empty() {
        let links: Vec<[String; 2]> = fault
            .links()
            .iter()
            .map(|link| [node_name(link.from), node_name(link.to)])
            .collect();
        body.insert("links".to_owned(), json!(links));
    }
    let offsets = fault.offsets_ns();
    if !offsets.is_empty() {
        body.insert("offsets_ns".to_owned(), json!(offsets));
    }
    body
}

fn f_of(kind: &OpKind) -> F {
    match kind {
        OpKind::Read => F::Read,
        OpKind::Write(_) | OpKind::WriteSet(_) => F::Write,
        OpKind::Delete => F::Delete,
        OpKind::Census => F::Census,
        OpKind::Inspect | OpKind::Count(_) | OpKind::Repair | OpKind::FindLeader(_) => F::Inspect,
    }
}
