//! What happened in one act, by the names of its script: the events of its history, looked up.
//!
//! It expects nothing; that is `judge.rs`.

use std::collections::BTreeMap;

use quorate_checkers::Verdict;
use quorate_checkers::history::{Event, EventType, Evidence, F, Nanos, Process, Value};

/// What happened, to look up.
#[derive(Debug)]
pub struct Seen {
    steps: BTreeMap<String, StepSeen>,
    faults: BTreeMap<(String, String), FaultSeen>,
    /// What each replica held in the end: by key and replica.
    census: BTreeMap<(String, String), Value>,
    /// When the load began.
    pub began: Nanos,
    /// What the checkers say.
    pub verdict: Verdict,
}

/// What came of an operation of the script.
#[derive(Clone, Debug, PartialEq)]
pub struct StepSeen {
    /// When it was first asked.
    pub asked: Nanos,
    /// When it was last asked.
    pub asked_last: Nanos,
    /// How often it was asked.
    pub tries: u64,
    /// The last answer; none if it never came back.
    pub reply: Option<Reply>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// When.
    pub at: Nanos,
    /// Ok, fail or info.
    pub kind: EventType,
    /// Who was asked.
    pub node: Option<String>,
    /// What was returned.
    pub value: Value,
    /// Why not.
    pub error: Option<String>,
    /// What the node claims.
    pub evidence: Evidence,
}

/// A step of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultSeen {
    /// When.
    pub at: Nanos,
    /// Why it did not take, if so.
    pub why: Option<String>,
}

impl Seen {
    /// What these events tell.
    pub fn new(events: &[Event], verdict: Verdict) -> Seen {
        let mut seen = Seen {
            steps: BTreeMap::new(),
            faults: BTreeMap::new(),
            census: BTreeMap::new(),
            began: Nanos(0),
            verdict,
        };
        for event in events {
            match event.process {
                Process::Nemesis => seen.nemesis(event),
                Process::Client(_) => seen.client(event),
            }
        }
        seen
    }

    /// What came of this operation; none if it was never asked.
    pub fn step(&self, name: &str) -> Option<&StepSeen> {
        self.steps.get(name)
    }

    /// The last answer to this operation.
    pub fn reply(&self, name: &str) -> Option<&Reply> {
        self.step(name)?.reply.as_ref()
    }

    /// All operations of the script, by name.
    pub fn steps(&self) -> impl Iterator<Item = (&str, &StepSeen)> {
        self.steps.iter().map(|(name, step)| (name.as_str(), step))
    }

    /// This step (`installed`, `healed`, ...) of this fault.
    pub fn fault(&self, id: &str, step: &str) -> Option<&FaultSeen> {
        self.faults.get(&(id.to_owned(), step.to_owned()))
    }

    /// What the final read found at this replica.
    pub fn finally(&self, key: &str, node: &str) -> Option<&Value> {
        self.census.get(&(key.to_owned(), node.to_owned()))
    }

    fn nemesis(&mut self, event: &Event) {
        let Value::Json(body) = &event.value else {
            return;
        };
        if event.f == F::Phase && body.as_str() == Some("warm") {
            self.began = event.time;
        }
        let text = |field: &str| body.get(field).and_then(|text| text.as_str());
        if let (Some(id), Some(step)) = (text("id"), text("step")) {
            let seen = FaultSeen {
                at: event.time,
                why: text("why").map(str::to_owned),
            };
            self.faults.insert((id.to_owned(), step.to_owned()), seen);
        }
    }

    fn client(&mut self, event: &Event) {
        if event.f == F::Census && event.kind == EventType::Ok {
            if let (Some(key), Some(node)) = (&event.key, &event.node) {
                let place = (key.clone(), node.clone());
                self.census.insert(place, event.value.clone());
            }
            return;
        }
        let name = event.extra.get("step").and_then(|name| name.as_str());
        let Some(name) = name else { return };
        if event.kind == EventType::Invoke {
            let step = self.steps.entry(name.to_owned()).or_insert(StepSeen {
                asked: event.time,
                asked_last: event.time,
                tries: 0,
                reply: None,
            });
            step.asked_last = event.time;
            step.tries += 1;
            step.reply = None;
        } else if let Some(step) = self.steps.get_mut(name) {
            step.reply = Some(Reply {
                at: event.time,
                kind: event.kind,
                node: event.node.clone(),
                value: event.value.clone(),
                error: event.error.clone(),
                evidence: event.evidence.as_deref().cloned().unwrap_or_default(),
            });
        }
    }
}
