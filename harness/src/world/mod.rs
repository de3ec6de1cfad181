//! Where a plan happens: the words that every world shares with the conductor.
//!
//! Plain data only. A world carries out operations and faults and says what came of them; it decides nothing, judges
//! nothing and writes no history. [`live`] does it with real processes and real sockets,
//! [`sim`] in one thread and virtual time.

use std::sync::Arc;

use quorate_checkers::history::{Evidence, Value};
use quorate_node::config::Level;
use quorate_node::wire::Context;

pub use counter::Counter;

mod client_clock;
mod counter;
mod exchange;
pub mod live;
mod rings;
pub mod sim;

use rings::{RING_DECIDED_MS_MAX, command, ring_busy, ring_effect};

/// What a client does to one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpKind {
    /// A quorum read.
    Read,
    /// A quorum write of this value.
    Write(i64),
    /// A quorum write of this set, in ascending order.
    WriteSet(Arc<[i64]>),
    /// A quorum delete.
    Delete,
    /// A read of what the asked node's own replica holds, by-passing the quorum.
    Census,
    /// The same while the load lasts: it says nothing of how the run ends, and is not judged.
    Inspect,
    /// What the asked node has counted; not judged.
    Count(Counter),
    /// Tells the asked node to compare itself with its peers; not judged.
    Repair,
    /// Whether the asked node leads: it is then known by this number; not judged.
    FindLeader(u16),
}

impl OpKind {
    /// Whether it may change the store. What has no effect cannot have an unknown one: it fails instead.
    pub fn has_effect(&self) -> bool {
        matches!(
            self,
            OpKind::Write(_) | OpKind::WriteSet(_) | OpKind::Delete
        )
    }

    /// Whether it asks one node about itself, and is no operation of the store.
    pub fn is_about_a_node(&self) -> bool {
        matches!(
            self,
            OpKind::Inspect | OpKind::Count(_) | OpKind::Repair | OpKind::FindLeader(_)
        )
    }

    /// What a write writes, as a history tells it; nothing for anything else.
    pub fn written(&self) -> Value {
        match self {
            OpKind::Write(value) => Value::Int(*value),
            OpKind::WriteSet(set) => Value::Json(Box::new(set.to_vec().into())),
            OpKind::Read
            | OpKind::Delete
            | OpKind::Census
            | OpKind::Inspect
            | OpKind::Count(_)
            | OpKind::Repair
            | OpKind::FindLeader(_) => Value::Nil,
        }
    }
}

/// One operation, as a client asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientOp {
    /// What to do.
    pub f: OpKind,
    /// To which key.
    pub key: String,
    /// The level to ask for: R of a read, W of a write or delete; none = the store's default.
    pub level: Option<Level>,
    /// Of a write or delete what its client had read, in the store's words; none = blind.
    pub context: Option<Context>,
    /// Of a read or census what its client wants to know.
    pub wanted: Wanted,
}

/// What a client wants to know of what it reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// The value, which a register has.
    #[default]
    Value,
    /// Also what to hand back with the next write.
    Context,
    /// Also all siblings, as a list, in which one alone stands as well.
    Siblings,
}

/// What a client has read, for its next write of the key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Returned {
    /// The values; none if nothing was there.
    pub values: Vec<Value>,
    /// The same in the store's words.
    pub context: Context,
}

impl ClientOp {
    /// An operation on a register: blind, as all are there.
    pub fn new(f: OpKind, key: impl Into<String>, level: Option<Level>) -> ClientOp {
        ClientOp {
            f,
            key: key.into(),
            level,
            context: None,
            wanted: Wanted::Value,
        }
    }
}

/// What a client learned about its operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It happened.
    Ok {
        /// What a read or census returned, what a write wrote, nothing for a delete. An answer that is neither a decimal
        /// integer nor a list of such (which nobody wrote) is kept as a JSON string, for the checkers to find.
        value: Value,
        /// The same for the next write, if its client wanted that.
        returned: Option<Box<Returned>>,
        /// What the node claims.
        evidence: Option<Box<Evidence>>,
    },
    /// It certainly did not happen, or it was a read and nobody knows.
    Fail {
        /// Why, a lower-case fragment.
        error: String,
        /// What the node claims.
        evidence: Option<Box<Evidence>>,
    },
    /// Unknown: a write or delete that may or may not have happened, now or later.
    Info {
        /// Why, a lower-case fragment.
        error: String,
        /// What the node claims.
        evidence: Option<Box<Evidence>>,
    },
}

impl Outcome {
    /// The outcome of `f` when nothing is known about its effect.
    pub fn unknown(f: &OpKind, error: String, evidence: Option<Box<Evidence>>) -> Outcome {
        if f.has_effect() {
            Outcome::Info { error, evidence }
        } else {
            Outcome::Fail { error, evidence }
        }
    }
}

/// The name of a node in histories and messages: `n1` is 1.
pub fn node_name(node: u16) -> String {
    format!("n{node}")
}
