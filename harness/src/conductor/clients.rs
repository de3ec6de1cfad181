//! The clients of a run: who is busy, who may go next and when, and which node each one asks.
//!
//! Arrivals are a Poisson stream at the plan's rate; a client that is busy delays them (partly closed loop). It knows
//! nothing of faults and records nothing.

use std::collections::BTreeMap;

use quorate_checkers::history::Nanos;
use quorate_node::config::Level;
use quorate_workloads::{Coordinators, Rng};

use super::later;
use crate::plan::Plan;
use crate::world::{ClientOp, OpKind, Outcome, Returned};

/// Arrivals that could not be served are forgotten after this long, ms, so that a stall is not followed by a flood.
const BACKLOG_MS: u64 = 100;
/// A client whose operation failed pauses this long, ms: a refused connection answers at once and would be asked again at once.
const REBUFF_MS: u64 = 20;
/// A roaming client moves to another node after one in so many operations.
const STAY_OPS: u64 = 16;

/// An operation under way.
#[derive(Clone, Debug)]
pub(super) struct InFlight {
    pub(super) f: OpKind,
    pub(super) key: String,
    pub(super) level: Option<Level>,
    pub(super) node: u16,
    pub(super) process: u64,
}

struct Client {
    process: u64,
    home: u16,
    in_flight: Option<InFlight>,
    rests_until: Nanos,
    /// What it has read of each key and has not yet handed back.
    read: BTreeMap<String, Returned>,
}

pub(super) struct Clients {
    all: Vec<Client>,
    nodes: u16,
    coordinators: Coordinators,
    /// Mean time between arrivals, ns; 0 = no rate.
    gap_ns: u64,
    next_arrival: Nanos,
}

impl Clients {
    pub(super) fn new(plan: &Plan, coordinators: Coordinators) -> Clients {
        let nodes = plan.store.nodes;
        let all = (0..plan.load.clients)
            .map(|client| Client {
                process: client,
                home: u16::try_from(client % u64::from(nodes)).unwrap_or(0) + 1,
                in_flight: None,
                rests_until: Nanos(0),
                read: BTreeMap::new(),
            })
            .collect();
        let gap_ns = 1_000_000_000_u64.checked_div(plan.load.rate).unwrap_or(0);
        Clients {
            all,
            nodes,
            coordinators,
            gap_ns,
            next_arrival: Nanos(0),
        }
    }

    pub(super) fn start(&mut self, now: Nanos) {
        self.next_arrival = now;
    }

    /// How many nodes there are to ask.
    pub(super) fn nodes(&self) -> u16 {
        self.nodes
    }

    pub(super) fn process(&self, client: usize) -> u64 {
        self.all[client].process
    }

    /// Whether an operation of this client is under way.
    pub(super) fn is_busy(&self, client: usize) -> bool {
        let client = self.all.get(client);
        client.is_some_and(|client| client.in_flight.is_some())
    }

    pub(super) fn busy(&self) -> bool {
        self.all.iter().any(|client| client.in_flight.is_some())
    }

    /// The client whose turn it is now, if there is one.
    pub(super) fn due(&mut self, now: Nanos, rng: &mut Rng) -> Option<usize> {
        if self.gap_ns > 0 && now < self.next_arrival {
            return None;
        }
        let first = usize::try_from(rng.below(self.all.len() as u64)).unwrap_or(0);
        let client = self.idle_from(first, now)?;
        // Exponential gaps: operations bunch and overlap as independent clients do.
        let gap = rng.exponential(self.gap_ns);
        let oldest = Nanos(now.0.saturating_sub(BACKLOG_MS * 1_000_000));
        self.next_arrival = Nanos(self.next_arrival.max(oldest).0.saturating_add(gap));
        Some(client)
    }

    /// When [`due`](Self::due) may have an answer again, if nothing comes back before.
    pub(super) fn next_due(&self, now: Nanos) -> Nanos {
        self.next_idle(now).max(if self.gap_ns > 0 {
            self.next_arrival
        } else {
            now
        })
    }

    pub(super) fn idle(&self, now: Nanos) -> Option<usize> {
        self.idle_from(0, now)
    }

    pub(super) fn next_idle(&self, now: Nanos) -> Nanos {
        let idle = self.all.iter().filter(|client| client.in_flight.is_none());
        idle.map(|client| client.rests_until.max(now))
            .min()
            .unwrap_or(Nanos::NEVER)
    }

    fn idle_from(&self, first: usize, now: Nanos) -> Option<usize> {
        let count = self.all.len();
        (0..count)
            .map(|step| (first + step) % count)
            .find(|&index| {
                let client = &self.all[index];
                client.in_flight.is_none() && client.rests_until <= now
            })
    }

    /// Notes that `client` asks for `op`; says which node it asks.
    pub(super) fn begin(&mut self, client: usize, op: &ClientOp, node: Option<u16>) -> u16 {
        let client = &mut self.all[client];
        let node = node.unwrap_or(client.home);
        client.in_flight = Some(InFlight {
            f: op.f.clone(),
            key: op.key.clone(),
            level: op.level,
            node,
            process: client.process,
        });
        node
    }

    /// Notes what `client` has read of a key, for its next write there.
    pub(super) fn remember(&mut self, client: usize, key: &str, returned: Returned) {
        if let Some(client) = self.all.get_mut(client) {
            client.read.insert(key.to_owned(), returned);
        }
    }

    /// What `client` has read of a key since its last write there, which is handed back once.
    pub(super) fn hand_back(&mut self, client: usize, key: &str) -> Option<Returned> {
        self.all.get_mut(client)?.read.remove(key)
    }

    /// Notes that the operation of `client` came back; says which one it was.
    pub(super) fn finish(
        &mut self,
        client: usize,
        now: Nanos,
        outcome: &Outcome,
        rng: &mut Rng,
    ) -> Option<InFlight> {
        let concurrency = self.all.len() as u64;
        let (nodes, roams) = (self.nodes, self.coordinators == Coordinators::Roaming);
        let client = self.all.get_mut(client)?;
        let op = client.in_flight.take()?;
        if !matches!(outcome, Outcome::Ok { .. }) {
            client.rests_until = later(now, REBUFF_MS);
        }
        if matches!(outcome, Outcome::Info { .. }) {
            // A process whose operation is still open never invokes again (Jepsen's rule).
            client.process += concurrency;
            client.read.clear();
        }
        let leaves = !matches!(outcome, Outcome::Ok { .. }) || rng.below(STAY_OPS) == 0;
        let is_asked_of_a_node = op.f == OpKind::Census || op.f.is_about_a_node();
        if roams && leaves && !is_asked_of_a_node {
            client.home = u16::try_from(rng.below(u64::from(nodes))).unwrap_or(0) + 1;
        }
        Some(op)
    }
}
