//! What the clients of a run do: which keys they read, write and delete, in which mix.
//!
//! Pure: a workload is a function of its settings, a seeded generator, and what came back to its clients. It neither sends anything nor
//! judges anything; it only says which guarantees its load gives evidence for.

mod racing;
mod register;
mod registry;
pub mod rng;
mod sets;
pub mod synthetic;
mod write_once;

use quorate_checkers::history::Value;

pub use registry::{Kind, Settings};
pub use rng::Rng;

/// One thing for a client to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// What.
    pub action: Action,
    /// On which key.
    pub key: String,
}

/// What a client does to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read it.
    Read,
    /// Write this value, unique in the run.
    Write(i64),
    /// Write this set, in ascending order.
    WriteSet(Vec<i64>),
    /// Delete it.
    Delete,
}

/// What came of an operation, as far as its client knows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Seen<'a> {
    /// A read returned these values: one, several siblings, or nothing.
    Read(&'a [Value]),
    /// A write or delete was acknowledged.
    Done,
    /// It failed, or nobody knows.
    Unknown,
}

/// How clients choose the node that coordinates their operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coordinators {
    /// Any node: a client stays for a while, and leaves when an operation did not succeed.
    Roaming,
    /// Client i always uses node i mod nodes, so that the skew of each writer's clock stays its own.
    Pinned,
}

/// A source of operations.
pub trait Workload: Send {
    /// What `client` does next.
    fn next(&mut self, client: u64, rng: &mut Rng) -> Op;

    /// What `client` does at once about what came of its operation on `key`, before anything else; nothing, unless a workload says otherwise.
    fn observe(&mut self, client: u64, key: &str, seen: &Seen<'_>) -> Option<Op> {
        let _ = (client, key, seen);
        None
    }

    /// Every key that was handed out, in a fixed order, for the final reads.
    fn keys(&self) -> Vec<String>;
}
