//! One line of `history.jsonl` as a value, with Jepsen's own names.
//!
//! This file defines what an event *is*. It is not the codec (`codec/`), and it pairs nothing: invocations
//! and completions become an [`Operation`](super::Operation) in `mod.rs`.

use std::fmt;

use serde::Deserialize;

use super::level::Level;

/// Nanoseconds since the start of the run, on one monotonic clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nanos(pub u64);

impl Nanos {
    /// Later than every real time: the completion of an operation that never completed.
    pub const NEVER: Nanos = Nanos(u64::MAX);

    /// This time in milliseconds, for messages.
    #[expect(clippy::cast_precision_loss, reason = "for display only")]
    pub fn as_ms(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// `self - earlier`, or zero.
    #[must_use]
    pub fn since(self, earlier: Nanos) -> Nanos {
        Nanos(self.0.saturating_sub(earlier.0))
    }
}

/// What kind of line this is (Jepsen's `:type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    /// The client asked.
    Invoke,
    /// It happened.
    Ok,
    /// It certainly did not happen.
    Fail,
    /// Unknown, and every line of the nemesis.
    Info,
}

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Process {
    /// A logical sequential client; after an indeterminate operation its next id is id + concurrency.
    Client(u64),
    /// The harness itself: faults and phases.
    Nemesis,
}

/// What was done (Jepsen's `:f`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum F {
    /// A quorum read of one key.
    Read,
    /// A quorum write of one key.
    Write,
    /// A quorum delete of one key: a write of "absent".
    Delete,
    /// A final read of one key at one replica, after heal and quiet, by-passing the quorum.
    Census,
    /// A read of one key at one replica while the load lasts, by-passing the quorum: for people, and never judged.
    Inspect,
    /// The run entered the phase that `value` names.
    Phase,
    /// Anything else: the name of a fault on nemesis lines, or another tool's operation.
    Other(String),
}

impl F {
    /// The word in the file.
    pub fn as_str(&self) -> &str {
        match self {
            F::Read => "read",
            F::Write => "write",
            F::Delete => "delete",
            F::Census => "census",
            F::Inspect => "inspect",
            F::Phase => "phase",
            F::Other(name) => name,
        }
    }
}

impl From<&str> for F {
    fn from(name: &str) -> F {
        match name {
            "read" => F::Read,
            "write" => F::Write,
            "delete" => F::Delete,
            "census" => F::Census,
            "inspect" => F::Inspect,
            "phase" => F::Phase,
            other => F::Other(other.to_owned()),
        }
    }
}

/// The value written or read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Value {
    /// Absent: never written, or deleted. Also the unknown value of a read that has not returned.
    #[default]
    Nil,
    /// What our own workloads write: an integer, unique per key.
    Int(i64),
    /// Anything else: another tool's value, or the body of a nemesis line.
    Json(Box<serde_json::Value>),
}

impl From<&serde_json::Value> for Value {
    /// As it is read from a line: what fits an integer is one.
    fn from(json: &serde_json::Value) -> Value {
        match json.as_i64() {
            Some(value) => Value::Int(value),
            None if json.is_null() => Value::Nil,
            None => Value::Json(Box::new(json.clone())),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Nil => f.write_str("nothing"),
            Value::Int(value) => write!(f, "{value}"),
            Value::Json(value) => write!(f, "{value}"),
        }
    }
}

/// A last-write-wins stamp as a node reported it: larger wins; ties go to the larger node id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Stamp {
    /// The coordinator's wall clock when it took the write, or what its client gave, ns since the Unix epoch.
    pub wall_ns: i64,
    /// The coordinator that took it.
    pub node: String,
}

/// What nodes *claim* about one operation. It explains an anomaly; it never convicts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// The stamp of the value written, or of the value a read returned.
    pub version: Option<Stamp>,
    /// The start count of the coordinator that answered (each start has a fresh, persisted epoch).
    pub epoch: Option<u64>,
    /// Replicas that acknowledged the write before the reply.
    pub acked_by: Vec<String>,
    /// Replicas whose answers made the read's reply, in order of arrival, with the stamp each held.
    pub answered_by: Vec<Answer>,
    /// Replicas that the coordinator repaired (blocking: before its reply).
    pub repaired: Vec<String>,
    /// Keys of the object that we do not know, kept for a faithful round trip.
    pub extra: serde_json::Map<String, serde_json::Value>,
}

/// One replica's answer to a read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Answer {
    /// The replica.
    pub node: String,
    /// The stamp it held; none if it held nothing.
    pub version: Option<Stamp>,
}

/// One line of the history.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Dense position in the file, from 0.
    pub index: u64,
    /// When.
    pub time: Nanos,
    /// Invocation, completion or note.
    pub kind: EventType,
    /// Who.
    pub process: Process,
    /// What.
    pub f: F,
    /// On which key.
    pub key: Option<String>,
    /// With which value. In a store with siblings a read's is the list of theirs, in ascending order.
    pub value: Value,
    /// The values that a write or delete had read, and so replaces; none if it said nothing of that (it is blind).
    pub context: Option<Vec<Value>>,
    /// Why it failed, or why nothing is known.
    pub error: Option<String>,
    /// The coordinator (for a census: the replica).
    pub node: Option<String>,
    /// What was asked for: so many replicas (R of a read, W of a write or delete), or a level with a name.
    pub level: Option<Level>,
    /// What the nodes claim.
    pub evidence: Option<Box<Evidence>>,
    /// Keys that we do not know, kept for a faithful round trip.
    pub extra: serde_json::Map<String, serde_json::Value>,
}
