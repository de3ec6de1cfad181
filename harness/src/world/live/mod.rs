//! The live world: real node processes on loopback, real signals, and one TCP proxy per directed link between nodes.
//!
//! This file builds a world and takes it down. Faults are in `faults.rs`, waiting in `settle.rs`. It does not decide
//! what happens when, and writes no history. Clients reach nodes directly; only traffic between nodes is proxied.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use quorate_node::config::{Health, NodeId, Seat, StoreConfig};
use quorate_node::wire::{Ready, Status};
use tokio::sync::{Mutex as AsyncMutex, MutexGuard as AsyncMutexGuard, mpsc};
use tokio::time::{Instant, sleep};

use self::ledger::Ledger;
use self::process::Recipe;
use self::supervisor::{NodeState, Supervisor};
use crate::fault::Link;
use crate::world::client_clock::ClientClock;
use crate::world::node_name;

mod birth;
mod client;
mod connection;
mod control;
mod error;
mod faults;
mod jitter;
mod ledger;
mod network;
mod process;
mod proxy;
mod pump;
mod rings;
mod roster;
mod rules;
mod settle;
mod supervisor;

pub use client::LiveClient;
pub(crate) use connection::Connection;
pub use error::{NodeDied, NodeEnd, WorldError};
pub use network::Network;
pub use roster::{Entry, Incarnation, Roster};
pub use rules::{Mode, Rule};

/// How long a node may take from its start to its ready line.
const READY_LIMIT: Duration = Duration::from_secs(10);

/// Pause between two looks for a ready line.
const READY_GLANCE: Duration = Duration::from_millis(2);

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
    /// When nodes call themselves ill.
    pub health: Health,
}

impl LaunchOptions {
    /// Nodes are this very executable.
    pub fn of_this_program(
        store: StoreConfig,
        run_dir: PathBuf,
        seed: u64,
    ) -> Result<LaunchOptions, WorldError> {
        let program =
            std::env::current_exe().map_err(|source| WorldError::OwnProgram { source })?;
        Ok(LaunchOptions {
            program,
            store,
            run_dir,
            seed,
            health: Health::default(),
        })
    }
}

/// A running cluster. All methods may be called at the same time: faults run beside the load.
///
/// Dropping it kills and reaps all nodes and closes all proxies.
#[derive(Debug)]
pub struct LiveWorld {
    store: StoreConfig,
    /// Where clients take their stamps from, if the store wants them.
    clock: Option<Arc<Mutex<ClientClock>>>,
    health: Health,
    recipes: Vec<Recipe>,
    roster: Arc<Roster>,
    supervisor: Supervisor,
    network: Network,
    ledger: Mutex<Ledger>,
    /// One per node: whoever changes what its process does, holds it.
    hands: Vec<AsyncMutex<()>>,
    deaths: AsyncMutex<mpsc::UnboundedReceiver<NodeDied>>,
}

impl LiveWorld {
    /// Starts the proxies and the nodes, and waits until each node has said that it is ready. They may not yet be
    /// connected to each other: see [`ready`](Self::ready).
    pub async fn launch(options: LaunchOptions) -> Result<LiveWorld, WorldError> {
        let LaunchOptions {
            program,
            store,
            run_dir,
            seed,
            health,
        } = options;
        let nodes = 1..=store.nodes;
        let recipe = |node| Recipe {
            node,
            program: program.clone(),
            dir: run_dir.join("nodes").join(node_name(node)),
        };
        let recipes: Vec<Recipe> = nodes.clone().map(recipe).collect();
        let roster = Arc::new(Roster::of(store.nodes));
        let (deaths_sender, deaths) = mpsc::unbounded_channel();
        let world = LiveWorld {
            network: Network::open(&roster, seed)?,
            supervisor: Supervisor::start(recipes.clone(), Arc::clone(&roster), deaths_sender)?,
            ledger: Mutex::default(),
            hands: nodes.clone().map(|_| AsyncMutex::new(())).collect(),
            deaths: AsyncMutex::new(deaths),
            clock: ClientClock::of(&store).map(|clock| Arc::new(Mutex::new(clock))),
            store,
            health,
            recipes,
            roster,
        };
        let started = join_all(nodes.map(|node| world.start_node(node))).await;
        started.into_iter().collect::<Result<(), WorldError>>()?;
        Ok(world)
    }

    /// Number of nodes; their ids are 1 to this.
    pub fn nodes(&self) -> u16 {
        self.store.nodes
    }

    /// A client of this cluster, not yet connected. It may outlive the world, and then finds every node down.
    pub fn client(&self) -> LiveClient {
        LiveClient::new(Arc::clone(&self.roster)).with_clock(self.clock.clone())
    }

    /// What each node that is up has said of itself when it became ready.
    pub fn ready_lines(&self) -> Result<Vec<Ready>, WorldError> {
        let up = |recipe: &Recipe| {
            let entry = self.roster.find(recipe.node)?;
            birth::read_ready_line(recipe, entry.incarnation).transpose()
        };
        self.recipes.iter().filter_map(up).collect()
    }

    /// What `node` says about itself.
    pub async fn status(&self, node: u16) -> Result<Status, WorldError> {
        control::status(&self.roster, node).await
    }

    /// The next node that died by itself; none once the world is gone. Cancel-safe: no death is lost.
    pub async fn next_death(&self) -> Option<NodeDied> {
        self.deaths.lock().await.recv().await
    }

    /// Asks all nodes to end, kills those that do not within a bound, reaps all; says how each ended, by node.
    pub async fn stop(&self) -> Result<Vec<(u16, NodeEnd)>, WorldError> {
        self.supervisor.stop().await
    }

    /// Starts `node`, which is down, on the data that it has, and waits until it has said that it is ready.
    async fn start_node(&self, node: u16) -> Result<(), WorldError> {
        let Some(recipe) = self.recipes.iter().find(|recipe| recipe.node == node) else {
            return Err(WorldError::NoSuchNode { node });
        };
        let data_dir = recipe.data_dir();
        fs::create_dir_all(&data_dir).map_err(|source| WorldError::File {
            action: "create",
            path: data_dir,
            source,
        })?;
        let offset_ns = self.ledger().offset_ns(node);
        birth::write_seat(recipe, &self.seat(recipe, offset_ns))?;
        let incarnation = self.supervisor.start_node(node).await?;
        self.ledger().tell(node, Some(offset_ns));
        self.wait_ready(recipe, incarnation).await
    }

    fn seat(&self, recipe: &Recipe, clock_offset_ns: i64) -> Seat {
        let from = recipe.node;
        let dials = |to| Some((NodeId(to), self.network.address(Link { from, to })?));
        Seat {
            id: NodeId(from),
            data_dir: recipe.data_dir(),
            peers: (1..=self.nodes()).filter_map(dials).collect(),
            clock_offset_ns,
            test_hooks: true,
            health: self.health,
            store: self.store.clone(),
        }
    }

    async fn wait_ready(
        &self,
        recipe: &Recipe,
        incarnation: Incarnation,
    ) -> Result<(), WorldError> {
        let node = recipe.node;
        let deadline = Instant::now() + READY_LIMIT;
        loop {
            // Looked at before the file, so that a node that says "ready" and ends is not taken for one that is up.
            let is_there = self.supervisor.state(node).await? != NodeState::Down;
            if is_there
                && let Some(entry) = birth::read_ready(recipe, incarnation)?
                && self.roster.publish(node, entry)
            {
                return Ok(());
            }
            let last_words = || birth::last_words(recipe);
            if !is_there {
                return Err(WorldError::EndedEarly {
                    node,
                    last_words: last_words(),
                });
            }
            if Instant::now() >= deadline {
                let last_words = last_words();
                return Err(WorldError::NotReady {
                    node,
                    waited: READY_LIMIT,
                    last_words,
                });
            }
            sleep(READY_GLANCE).await;
        }
    }

    /// The right to change what the process of `node` does; waits for whoever has it.
    async fn hand_on(&self, node: u16) -> Option<AsyncMutexGuard<'_, ()>> {
        match usize::from(node)
            .checked_sub(1)
            .and_then(|place| self.hands.get(place))
        {
            Some(hand) => Some(hand.lock().await),
            None => None,
        }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
