//! What the clients of a run do: which keys they read, write and delete, in which mix.
//!
//! Pure: a workload is a function of its settings and a seeded generator. It neither sends anything nor judges
//! anything; it only says which guarantees its load gives evidence for.

mod racing;
mod register;
mod registry;
pub mod rng;
pub mod synthetic;
mod write_once;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read it.
    Read,
    /// Write this value, unique in the run.
    Write(i64),
    /// Delete it.
    Delete,
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

    /// Every key that was handed out, in a fixed order, for the final reads.
    fn keys(&self) -> Vec<String>;
}
