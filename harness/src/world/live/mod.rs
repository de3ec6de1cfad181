//! The live world: real node processes on loopback, one proxy per directed link, real signals.

use std::path::PathBuf;
use std::time::Duration;

use quorate_node::config::StoreConfig;

use crate::fault::{Effect, Fault};
use crate::world::{ClientOp, Outcome};

mod error;

pub use error::{NodeDied, NodeEnd, WorldError};

/// What a live world is made of.
#[derive(Clone, Debug)]
pub struct LaunchOptions {
    /// The executable that becomes a node when it is run as `<program> node --config <seat.json>`.
    pub program: PathBuf,
    /// Settings of the store that all nodes share.
    pub store: StoreConfig,
    /// Directory of the run; `nodes/n1/{seat.json,stderr.log,stdout.0.log,data/}` and so on are made in it.
    pub run_dir: PathBuf,
    /// Seed of the network's jitter.
    pub seed: u64,
}

impl LaunchOptions {
    /// Nodes are this very executable.
    pub fn of_this_program(
        store: StoreConfig,
        run_dir: PathBuf,
        seed: u64,
    ) -> Result<Self, WorldError> {
        let program =
            std::env::current_exe().map_err(|source| WorldError::OwnProgram { source })?;
        Ok(LaunchOptions {
            program,
            store,
            run_dir,
            seed,
        })
    }
}

/// A running cluster. All methods may be called at the same time: faults run beside the load.
pub struct LiveWorld {}

impl LiveWorld {
    /// Starts the proxies and the nodes, and waits until each node says that it is ready (not yet connected: see [`ready`](Self::ready)).
    pub async fn launch(_options: LaunchOptions) -> Result<LiveWorld, WorldError> {
        unimplemented!()
    }

    /// Number of nodes; their ids are 1 to this.
    pub fn nodes(&self) -> u16 {
        unimplemented!()
    }

    /// Waits until every node is connected to all its peers (at most 10 s).
    pub async fn ready(&self) -> Result<(), WorldError> {
        unimplemented!()
    }

    /// Does `fault`; says whether it took.
    pub async fn inject(&self, _fault: &Fault) -> Effect {
        unimplemented!()
    }

    /// Undoes what [`inject`](Self::inject) of the same fault did; says whether that took (`Installed` = healed).
    pub async fn heal(&self, _fault: &Fault) -> Effect {
        unimplemented!()
    }

    /// The final heal, idempotent: all links pass, all paused nodes resumed, all dead ones restarted, all offsets 0.
    pub async fn heal_everything(&self) -> Result<(), WorldError> {
        unimplemented!()
    }

    /// Waits until no node is busy and nothing is queued, twice in a row; false if that is not so within `limit`.
    pub async fn quiesce(&self, _limit: Duration) -> bool {
        unimplemented!()
    }

    /// The replicas of `key`, in preference order.
    pub fn replicas_of(&self, _key: &str) -> Vec<u16> {
        unimplemented!()
    }

    /// A client of this cluster, not yet connected.
    pub fn client(&self) -> LiveClient {
        unimplemented!()
    }

    /// The next node that died by itself; none once the world is stopped. Cancel-safe: no death is lost.
    pub async fn next_death(&self) -> Option<NodeDied> {
        unimplemented!()
    }

    /// Asks all nodes to end, kills those that do not within a bound, reaps all; says how each ended, by node.
    pub async fn stop(&self) -> Result<Vec<(u16, NodeEnd)>, WorldError> {
        unimplemented!()
    }
}

/// A client with at most one connection at a time.
pub struct LiveClient {}

impl LiveClient {
    /// Asks `node` to do `op`; the answer is `unknown` if it takes longer than `limit`.
    pub async fn invoke(&mut self, _node: u16, _op: &ClientOp, _limit: Duration) -> Outcome {
        unimplemented!()
    }
}
