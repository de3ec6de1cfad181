//! The history as the judges see it: operations with a span of time each, and fault windows.
//!
//! Plain data. Lines are paired into operations in `pairing.rs`; views per key are in `index.rs`.

use super::event::{Event, Evidence, F, Nanos, Value};
use super::fault::FaultWindow;
use super::header::Header;

/// A key, by its place in [`History::keys`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(pub u32);

/// A node, by its place in [`History::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeIndex(pub u32);

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It happened, between `call` and `ret`.
    Ok,
    /// It certainly did not happen.
    Fail,
    /// Unknown: it may happen at any time after `call`, or never. Also an operation without a completion.
    Info,
}

impl Status {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Fail => "fail",
            Status::Info => "info",
        }
    }
}

/// An invocation paired with its completion: a closed span of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// The logical process (client) that asked.
    pub process: u64,
    /// What was asked: a read, write, delete or census; never a phase or another tool's word.
    pub f: F,
    /// On which key.
    pub key: KeyId,
    /// The value written; for ok reads the value read.
    pub value: Value,
    /// When it was invoked.
    pub call: Nanos,
    /// When it completed; [`Nanos::NEVER`] if that is unknown (`info`, or no completion).
    pub ret: Nanos,
    /// When its completion was written, whatever it said; none if the history ends before that.
    pub completed: Option<Nanos>,
    /// How it ended.
    pub status: Status,
    /// The coordinator (for a census: the replica).
    pub node: Option<NodeIndex>,
    /// How many replicas were asked for.
    pub level: Option<u32>,
    /// Why it failed, or why nothing is known.
    pub error: Option<String>,
    /// What the nodes claim.
    pub evidence: Option<Box<Evidence>>,
    /// Index of its invocation in the file.
    pub invoke_index: u64,
    /// Index of its completion in the file; none if the history ends before that.
    pub complete_index: Option<u64>,
}

impl Operation {
    /// Real-time order. Spans are closed: equal stamps are concurrent.
    pub fn precedes(&self, later: &Operation) -> bool {
        self.ret < later.call
    }

    /// Whether it happened for certain.
    pub fn is_ok(&self) -> bool {
        self.status == Status::Ok
    }

    /// Whether it changes the key: a write or a delete.
    pub fn is_write(&self) -> bool {
        matches!(self.f, F::Write | F::Delete)
    }
}

/// A whole history.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The first line.
    pub header: Header,
    /// Names of the keys, in the order in which they were first met.
    pub keys: Vec<String>,
    /// Names of the nodes: those of the header in seat order, then any others.
    pub nodes: Vec<String>,
    /// Operations in the order of their invocations.
    pub operations: Vec<Operation>,
    /// Faults in the order of their first lines.
    pub faults: Vec<FaultWindow>,
    /// When the run entered each phase, in order.
    pub phases: Vec<(Nanos, String)>,
    /// All nemesis lines as they were, so that an excerpt can repeat them.
    pub nemesis: Vec<Event>,
    /// Client operations of other tools (another `f`): paired, not kept, judged by nobody.
    pub foreign_operations: u64,
    /// Time of the last event.
    pub end: Nanos,
    /// Whether the last line was torn and dropped: the writer was killed.
    pub torn_tail: bool,
}

impl History {
    /// A history without events.
    pub fn new(header: Header) -> History {
        History {
            nodes: header.nodes.clone(),
            header,
            keys: Vec::new(),
            operations: Vec::new(),
            faults: Vec::new(),
            phases: Vec::new(),
            nemesis: Vec::new(),
            foreign_operations: 0,
            end: Nanos(0),
            torn_tail: false,
        }
    }

    /// The name of a key; empty for an id of another history.
    pub fn key_name(&self, key: KeyId) -> &str {
        self.keys.get(key.0 as usize).map_or("", String::as_str)
    }

    /// The name of a node; empty for an index of another history.
    pub fn node_name(&self, node: NodeIndex) -> &str {
        self.nodes.get(node.0 as usize).map_or("", String::as_str)
    }
}
