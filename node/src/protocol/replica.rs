//! The node's whole state, and the one function that changes it.
//!
//! This file is the node as a *replica*: it takes what coordinators send and tells them what it holds. What it does as a coordinator is
//! `coordinator.rs`.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{NodeId, Sabotage, StoreConfig};
use crate::wire::Status;

use super::coordinator::{Coordination, Said};
use super::interface::{Input, Output};
use super::message::{PeerMessage, RequestId};
use super::ring::Ring;
use super::stamps::Stamps;
use super::store::{Store, Taken, Waiter};
use super::time::{Nanos, Now};
use super::version::{Key, Record, Version};

/// One node of the store.
///
/// ```
/// use quorate_node::config::{NodeId, ReadFanout, ReadRepair, StoreConfig, SyncPolicy};
/// use quorate_node::protocol::{Input, Now, Output, Replica, Tag};
/// use quorate_node::wire::{Request, Response};
///
/// let config = StoreConfig {
///     nodes: 1,
///     tokens_per_node: 8,
///     n: 1,
///     r: 1,
///     w: 1,
///     read_fanout: ReadFanout::Quorum,
///     read_repair: ReadRepair::None,
///     sync: SyncPolicy::EachWrite,
///     request_timeout_ms: 1_000,
///     sabotage: vec![],
/// };
/// let mut replica = Replica::recover(config, NodeId(1), 1, []);
/// let (key, value) = ("k".to_owned(), b"v".to_vec());
/// let tag = Tag { connection: 1, request: 1 };
/// let request = Request::Put { key, value, n: None, w: None };
/// let outputs = replica.step(Now::default(), Input::Client { tag, request });
/// let [Output::Persist { token, .. }] = outputs[..] else {
///     panic!("nothing is acknowledged before it is durable");
/// };
/// let outputs = replica.step(Now::default(), Input::Persisted(token));
/// let [Output::Reply { response: Response::Written { .. }, .. }] = &outputs[..] else {
///     panic!("now it is");
/// };
/// ```
#[derive(Debug)]
pub struct Replica {
    pub(super) config: StoreConfig,
    pub(super) me: NodeId,
    pub(super) epoch: u64,
    pub(super) ring: Ring,
    pub(super) stamps: Stamps,
    pub(super) store: Store,
    pub(super) connected: BTreeSet<NodeId>,
    /// What it coordinates, by the counter of the request's id.
    pub(super) requests: BTreeMap<u64, Coordination>,
    /// When each of them is looked at next.
    pub(super) timers: BTreeSet<(Nanos, u64)>,
    /// Requests coordinated since the start.
    pub(super) counter: u64,
    /// Reads among them.
    pub(super) reads: u64,
}

impl Replica {
    /// The state after a start: everything in the log, nothing under way, no peer connected. `epoch` must be larger than in every earlier
    /// life of this node.
    pub fn recover(
        config: StoreConfig,
        me: NodeId,
        epoch: u64,
        records: impl IntoIterator<Item = Record>,
    ) -> Replica {
        let mut store = Store::new(
            config.has(Sabotage::ForgetTombstone),
            config.has(Sabotage::UncheckedKey),
        );
        records.into_iter().for_each(|record| store.merge(record));
        Replica {
            ring: Ring::new(config.nodes, config.tokens_per_node),
            stamps: Stamps::new(&config, me),
            me,
            epoch,
            store,
            connected: BTreeSet::new(),
            requests: BTreeMap::new(),
            timers: BTreeSet::new(),
            counter: 0,
            reads: 0,
            config,
        }
    }

    /// Takes one input; returns everything that must happen because of it, in order. Deterministic in (state, now, input).
    pub fn step(&mut self, now: Now, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        match input {
            Input::Peer { from, message } => self.hear(now, from, message, &mut out),
            Input::PeerUp(peer) => _ = self.connected.insert(peer),
            Input::PeerDown(peer) => _ = self.connected.remove(&peer),
            Input::Client { tag, request } => self.serve(now, tag, request, &mut out),
            Input::Persisted(token) => {
                for waiter in self.store.persisted(token) {
                    self.tell_held(now, waiter, &mut out);
                }
            }
            Input::Tick => self.expire(now, &mut out),
        }
        out
    }

    /// When the next [`Input::Tick`] is due. Changes with every step.
    pub fn deadline(&self) -> Option<Nanos> {
        self.timers.first().map(|(due, _)| *due)
    }

    /// How busy the replica is. Queues and clocks are the shell's to add.
    pub fn status(&self) -> Status {
        Status {
            epoch: self.epoch,
            coordinating: self.requests.len() as u64,
            unsynced: self.store.unsynced() as u64,
            connected: self.connected.iter().copied().collect(),
            ..Status::default()
        }
    }

    /// What reads of this replica see of a key now; none if nothing.
    pub fn visible(&self, key: &str) -> Option<&Version> {
        self.store.visible(key)
    }

    /// Records that [`Replica::recover`] to what is held now, including what is on its way to the log.
    pub fn snapshot(&self) -> impl Iterator<Item = Record> {
        self.store.records()
    }

    fn hear(&mut self, now: Now, from: NodeId, message: PeerMessage, out: &mut Vec<Output>) {
        match message {
            PeerMessage::Write { id, key, version } => {
                let waiter = Waiter::new(from, id);
                self.take_write(now, key, version, waiter, out);
            }
            PeerMessage::Repair { id, key, version } => {
                self.hold(now, key, version, Waiter::new(from, id), out);
            }
            PeerMessage::Read { id, key } => {
                let version = self.store.visible(key.as_str()).cloned();
                let message = PeerMessage::Answer { id, version };
                out.push(Output::Send { to: from, message });
            }
            PeerMessage::Held { id } => self.listen(now, id, from, Said::Held, out),
            PeerMessage::Answer { id, version } => {
                self.listen(now, id, from, Said::Answer(version), out);
            }
        }
    }

    /// A replica's reply, if it is for this life of the node.
    fn listen(&mut self, now: Now, id: RequestId, from: NodeId, said: Said, out: &mut Vec<Output>) {
        if id.epoch == self.epoch {
            self.coordinate(now, id.counter, from, said, out);
        }
    }

    /// A client's write reached this replica.
    pub(super) fn take_write(
        &mut self,
        now: Now,
        key: Key,
        mut version: Version,
        waiter: Waiter,
        out: &mut Vec<Output>,
    ) {
        if self.config.has(Sabotage::StampPerReplica) {
            version.stamp = self.stamps.take(now.wall);
        }
        self.hold(now, key, version, waiter, out);
    }

    /// Holds a version unless it is obsolete, and tells the waiter once that is durable.
    pub(super) fn hold(
        &mut self,
        now: Now,
        key: Key,
        version: Version,
        waiter: Waiter,
        out: &mut Vec<Output>,
    ) {
        match self.store.take(key, version, waiter) {
            Taken::Held => self.tell_held(now, waiter, out),
            Taken::Waits => {}
            Taken::Persist(token, record) => out.push(Output::Persist { token, record }),
        }
    }

    fn tell_held(&mut self, now: Now, waiter: Waiter, out: &mut Vec<Output>) {
        let Waiter { coordinator, id } = waiter;
        if coordinator == self.me {
            self.listen(now, id, coordinator, Said::Held, out);
        } else {
            let message = PeerMessage::Held { id };
            out.push(Output::Send {
                to: coordinator,
                message,
            });
        }
    }
}
