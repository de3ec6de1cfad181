//! The supervisor: one long-lived thread that starts, signals and reaps every node.
//!
//! One thread, because the kernel kills a node whose parent-death signal is armed when the *thread* that spawned it
//! ends, and because only the one that reaps knows that a pid is still its child. It does not wait for nodes to
//! become ready, and it knows no faults.

use std::collections::BTreeMap;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc as tokio_mpsc, oneshot};
use tracing::warn;

use super::error::{NodeDied, NodeEnd, WorldError};
use super::process::{Process, Recipe, in_words};
use super::roster::{Incarnation, Roster};

const THREAD: &str = "supervisor";

/// How often it looks for nodes that died by themselves.
const ROUND: Duration = Duration::from_millis(50);

/// How long nodes may take to end when asked to.
const END_LIMIT: Duration = Duration::from_secs(3);

/// Pause between two looks while nodes are ending.
const END_GLANCE: Duration = Duration::from_millis(2);

/// What became of a signal to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signalled {
    /// It took, on this incarnation.
    Took(Incarnation),
    /// The node (or the incarnation meant) was not there.
    WasDown,
}

/// What a node is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeState {
    /// There is no process.
    Down,
    /// There is one.
    Running(Incarnation),
    /// There is one, and it is stopped.
    Paused(Incarnation),
}

type Reply<T> = oneshot::Sender<T>;

enum Order {
    Start(u16, Reply<Result<Incarnation, WorldError>>),
    Kill(u16, Reply<Result<Signalled, WorldError>>),
    Pause(u16, Reply<Result<Signalled, WorldError>>),
    Resume(u16, Incarnation, Reply<Result<Signalled, WorldError>>),
    ResumeAll(Reply<Result<(), WorldError>>),
    State(u16, Reply<NodeState>),
    Stop(Reply<Vec<(u16, NodeEnd)>>),
}

/// The handle of the thread. Dropping it kills and reaps all nodes.
#[derive(Debug)]
pub(super) struct Supervisor {
    orders: Option<mpsc::Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl Supervisor {
    /// Starts the thread, but no node. Deaths that nobody here caused are told to `deaths`; `roster` learns who is gone.
    pub(super) fn start(
        recipes: Vec<Recipe>,
        roster: Arc<Roster>,
        deaths: tokio_mpsc::UnboundedSender<NodeDied>,
    ) -> Result<Supervisor, WorldError> {
        let (orders, received) = mpsc::channel();
        let mut round = Round {
            recipes: recipes
                .into_iter()
                .map(|recipe| (recipe.node, recipe))
                .collect(),
            processes: BTreeMap::new(),
            starts: BTreeMap::new(),
            roster,
            deaths,
        };
        let thread = thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || round.serve(&received))
            .map_err(|source| WorldError::Thread {
                thread: THREAD,
                source,
            })?;
        Ok(Supervisor {
            orders: Some(orders),
            thread: Some(thread),
        })
    }

    /// Starts `node`, which must be down. It is not ready yet.
    pub(super) async fn start_node(&self, node: u16) -> Result<Incarnation, WorldError> {
        self.order(|reply| Order::Start(node, reply)).await?
    }

    /// Kills `node` and reaps it.
    pub(super) async fn kill(&self, node: u16) -> Result<Signalled, WorldError> {
        self.order(|reply| Order::Kill(node, reply)).await?
    }

    /// Stops `node` (SIGSTOP). Pauses of one process count: each must be resumed.
    pub(super) async fn pause(&self, node: u16) -> Result<Signalled, WorldError> {
        self.order(|reply| Order::Pause(node, reply)).await?
    }

    /// Takes one pause away from this incarnation of `node`.
    pub(super) async fn resume(
        &self,
        node: u16,
        incarnation: Incarnation,
    ) -> Result<Signalled, WorldError> {
        self.order(|reply| Order::Resume(node, incarnation, reply))
            .await?
    }

    /// Takes all pauses away from all nodes.
    pub(super) async fn resume_all(&self) -> Result<(), WorldError> {
        self.order(Order::ResumeAll).await?
    }

    /// What `node` is doing.
    pub(super) async fn state(&self, node: u16) -> Result<NodeState, WorldError> {
        self.order(|reply| Order::State(node, reply)).await
    }

    /// Asks all nodes to end, kills those that do not; says how each ended.
    pub(super) async fn stop(&self) -> Result<Vec<(u16, NodeEnd)>, WorldError> {
        self.order(Order::Stop).await
    }

    async fn order<T>(&self, order: impl FnOnce(Reply<T>) -> Order) -> Result<T, WorldError> {
        let gone = || WorldError::ThreadGone { thread: THREAD };
        let (reply, replied) = oneshot::channel();
        let orders = self.orders.as_ref().ok_or_else(gone)?;
        orders.send(order(reply)).map_err(|_| gone())?;
        replied.await.map_err(|_| gone())
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        drop(self.orders.take());
        if let Some(thread) = self.thread.take() {
            // A panic of that thread has been printed already, and its processes were dropped, that is killed.
            let _ = thread.join();
        }
    }
}

/// What the thread owns.
struct Round {
    recipes: BTreeMap<u16, Recipe>,
    processes: BTreeMap<u16, Process>,
    /// How often each node was started.
    starts: BTreeMap<u16, u32>,
    roster: Arc<Roster>,
    deaths: tokio_mpsc::UnboundedSender<NodeDied>,
}

impl Round {
    fn serve(&mut self, orders: &mpsc::Receiver<Order>) {
        loop {
            let order = orders.recv_timeout(ROUND);
            // Before the order: what died by itself must not be taken for our doing.
            self.notice_deaths();
            match order {
                Ok(order) => self.obey(order),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.processes.clear(),
            }
        }
    }

    fn notice_deaths(&mut self) {
        let ended = |(&node, process): (&u16, &mut Process)| Some((node, process.ended()?));
        let dead: Vec<(u16, ExitStatus)> = self.processes.iter_mut().filter_map(ended).collect();
        for (node, status) in dead {
            self.forget(node);
            warn!(node, status = in_words(status), "a node died by itself");
            // Nobody may be listening any more, which is no reason to stop looking.
            let _ = self.deaths.send(NodeDied { node, status });
        }
    }

    /// Carries out one order. Whoever gave it may have given up on the answer.
    fn obey(&mut self, order: Order) {
        match order {
            Order::Start(node, reply) => drop(reply.send(self.start(node))),
            Order::Kill(node, reply) => drop(reply.send(self.kill(node))),
            Order::Pause(node, reply) => {
                drop(reply.send(signalled(self.processes.get_mut(&node), Process::pause)));
            }
            Order::Resume(node, incarnation, reply) => {
                let process = self.processes.get_mut(&node);
                let meant = process.filter(|process| process.incarnation() == incarnation);
                drop(reply.send(signalled(meant, Process::resume)));
            }
            Order::ResumeAll(reply) => {
                let mut processes = self.processes.values_mut();
                drop(reply.send(processes.try_for_each(Process::resume_for_good)));
            }
            Order::State(node, reply) => drop(reply.send(self.state(node))),
            Order::Stop(reply) => drop(reply.send(self.stop())),
        }
    }

    fn start(&mut self, node: u16) -> Result<Incarnation, WorldError> {
        if self.processes.contains_key(&node) {
            return Err(WorldError::Running { node });
        }
        let Some(recipe) = self.recipes.get(&node) else {
            return Err(WorldError::NoSuchNode { node });
        };
        let starts = self.starts.entry(node).or_default();
        let incarnation = Incarnation(*starts);
        let process = Process::start(recipe, incarnation)?;
        *starts += 1;
        self.roster.starting(node, incarnation);
        self.processes.insert(node, process);
        Ok(incarnation)
    }

    fn kill(&mut self, node: u16) -> Result<Signalled, WorldError> {
        let killed = signalled(self.processes.get_mut(&node), |process| {
            process.kill().map(drop)
        })?;
        self.forget(node);
        Ok(killed)
    }

    fn state(&self, node: u16) -> NodeState {
        match self.processes.get(&node) {
            None => NodeState::Down,
            Some(process) if process.is_paused() => NodeState::Paused(process.incarnation()),
            Some(process) => NodeState::Running(process.incarnation()),
        }
    }

    fn stop(&mut self) -> Vec<(u16, NodeEnd)> {
        let mut ends: BTreeMap<u16, NodeEnd> = self
            .recipes
            .keys()
            .map(|&node| (node, NodeEnd::WasDown))
            .collect();
        for process in self.processes.values() {
            if let Err(error) = process.ask_to_end() {
                warn!(%error, "a node could not be asked to end");
            }
        }
        let deadline = Instant::now() + END_LIMIT;
        while !self.processes.is_empty() && Instant::now() < deadline {
            self.processes
                .retain(|&node, process| match process.ended() {
                    Some(status) => {
                        ends.insert(node, NodeEnd::Ended(status));
                        false
                    }
                    None => true,
                });
            thread::sleep(END_GLANCE);
        }
        ends.extend(self.processes.keys().map(|&node| (node, NodeEnd::Killed)));
        // Kills and reaps those that are left.
        self.processes.clear();
        for &node in ends.keys() {
            self.roster.gone(node);
        }
        ends.into_iter().collect()
    }

    fn forget(&mut self, node: u16) {
        self.processes.remove(&node);
        self.roster.gone(node);
    }
}

fn signalled(
    process: Option<&mut Process>,
    signal: impl FnOnce(&mut Process) -> Result<(), WorldError>,
) -> Result<Signalled, WorldError> {
    match process {
        None => Ok(Signalled::WasDown),
        Some(process) => {
            let incarnation = process.incarnation();
            signal(process).map(|()| Signalled::Took(incarnation))
        }
    }
}
