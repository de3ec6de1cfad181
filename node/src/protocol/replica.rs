//! The node's whole state, and the one function that changes it.
//!
//! This file is the node as a *replica*: it takes what coordinators send and tells them what it holds. What it does as a coordinator is
//! `coordinator.rs`.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{NodeId, Sabotage, StoreConfig};
use crate::wire::{Counters, Status};

use super::anti_entropy::AntiEntropy;
use super::content::Content;
use super::coordinator::{Coordination, Latencies, Said};
use super::gossip::Gossip;
use super::hints::Hints;
use super::histogram::Took;
use super::interface::{Input, Output};
use super::links::Links;
use super::membership::{RingState, RingView};
use super::message::{PeerMessage, RequestId};
use super::purge::Tombstones;
use super::record::Record;
use super::stamps::Stamps;
use super::store::{Shown, Store, Taken, Tokens, Waiter};
use super::time::{Nanos, Now, WallNanos};
use super::topology::Topology;
use super::version::Key;

/// One node of the store.
///
/// ```
/// use quorate_node::config::{NodeId, ReadFanout, ReadRepair, StoreConfig, SyncPolicy};
/// use quorate_node::protocol::{Input, Now, Output, Replica, Tag};
/// use quorate_node::wire::{Quorum, Request, Response};
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
///     options: Default::default(),
/// };
/// let mut replica = Replica::recover(config, NodeId(1), 1, []);
/// let (key, value) = ("k".to_owned(), b"v".to_vec());
/// let tag = Tag { connection: 1, request: 1 };
/// let quorum = Quorum::default();
/// let request = Request::Put { key, value, quorum, context: None, stamp_ns: None };
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
    pub(super) topology: Topology,
    /// Who reads and writes which keys.
    pub(super) ring: RingView,
    /// Who is there, and how the ring changes; none if neither is gossiped about.
    pub(super) gossip: Option<Gossip>,
    pub(super) stamps: Stamps,
    pub(super) store: Store,
    pub(super) hints: Hints,
    pub(super) anti_entropy: AntiEntropy,
    pub(super) tombstones: Tombstones,
    pub(super) tokens: Tokens,
    pub(super) links: Links,
    /// What it coordinates, by the counter of the request's id.
    pub(super) requests: BTreeMap<u64, Coordination>,
    /// When each of them is looked at next.
    pub(super) timers: BTreeSet<(Nanos, u64)>,
    /// Names given since the start: to requests coordinated, and to hints handed over.
    pub(super) counter: u64,
    /// Reads coordinated since the start.
    pub(super) reads: u64,
    /// Dots given since the start.
    pub(super) dots: u64,
    pub(super) latencies: Latencies,
    pub(super) took: Took,
    pub(super) counters: Counters,
}

impl Replica {
    /// The state after a start: everything in the log, nothing under way, no peer connected. `epoch` must be larger than in every earlier
    /// life of this node, and `records` in the order in which they were persisted.
    pub fn recover(
        config: StoreConfig,
        me: NodeId,
        epoch: u64,
        records: impl IntoIterator<Item = Record>,
    ) -> Replica {
        let topology = Topology::of(&config);
        let mut replica = Replica {
            ring: RingView::fixed(topology.placement()),
            gossip: None,
            topology,
            stamps: Stamps::new(&config, me),
            store: Store::new(
                config.has(Sabotage::ForgetTombstone),
                config.has(Sabotage::UncheckedKey),
            )
            .within(config.options.limits),
            hints: Hints::new(config.options.hints, config.options.limits.bytes_max),
            anti_entropy: AntiEntropy::default(),
            tombstones: Tombstones::default(),
            tokens: Tokens::default(),
            me,
            epoch,
            links: Links::default(),
            requests: BTreeMap::new(),
            timers: BTreeSet::new(),
            counter: 0,
            reads: 0,
            dots: 0,
            latencies: Latencies::default(),
            took: Took::default(),
            counters: Counters::default(),
            config,
        };
        let mut ring = replica.topology.first_ring();
        for record in records {
            replica.take_again(record, &mut ring);
        }
        replica.start_gossip(ring);
        replica.start_anti_entropy();
        replica.watch_all_tombstones(Nanos(0));
        replica
    }

    /// Takes a record of an earlier life.
    fn take_again(&mut self, record: Record, ring: &mut RingState) {
        match record {
            Record::Held { key, content } => _ = self.store.merge(key, content),
            Record::Purged { key, digest } => _ = self.store.forget(&key, digest),
            Record::Hint {
                owner,
                key,
                content,
                since_ns,
            } => self.hints.recover(owner, key, content, WallNanos(since_ns)),
            Record::HintGone { owner, key } => self.hints.recover_gone(owner, &key),
            // Of another kind of store.
            Record::Led(_) => {}
            Record::Ring(state) => {
                // One that cannot be has been damaged in a way that its checksum does not show; the others know better.
                if state.validate().is_ok() {
                    ring.merge(&state);
                }
            }
        }
    }

    /// Takes one input; returns everything that must happen because of it, in order. Deterministic in (state, now, input).
    pub fn step(&mut self, now: Now, input: Input) -> Vec<Output> {
        // Most steps have one output or two, and room for more is much to ask for each time.
        let mut out = Vec::with_capacity(2);
        match input {
            Input::Peer { from, message } => {
                if self.is_peer(from) && !message.is_too_large() {
                    self.hear(now, from, message, &mut out);
                } else {
                    self.counters.unheard += 1;
                }
            }
            Input::PeerUp(peer) | Input::PeerDown(peer) if !self.is_peer(peer) => {}
            Input::PeerUp(peer) => {
                self.links.up(now.monotonic, peer);
                self.greet(now, peer, &mut out);
                self.compare_with_asked(now, &mut out);
            }
            Input::PeerDown(peer) => {
                self.links.down(now.monotonic, peer);
                self.forget_comparisons(peer);
            }
            Input::Client { tag, request } => self.serve(now, tag, request, &mut out),
            Input::Persisted(token) => {
                if let Some((owner, waiter)) = self.hints.persisted(token) {
                    self.tell_kept(now, owner, waiter, &mut out);
                } else if self.ring_persisted(now, token, &mut out) {
                    // Nobody else waits for it.
                } else {
                    let Shown { waiters, changed } = self.store.persisted(token);
                    if let Some(key) = changed {
                        self.follow_change(&key);
                        self.watch_tombstone(now.monotonic, &key);
                    }
                    for waiter in waiters {
                        self.tell_held(now, waiter, &mut out);
                    }
                }
            }
            Input::Tick => {
                self.expire(now, &mut out);
                self.hand_over(now, &mut out);
                self.compare_on_time(now, &mut out);
                self.purge(now, &mut out);
                self.gossip_on_time(now, &mut out);
            }
        }
        out
    }

    /// When the next [`Input::Tick`] is due. Changes with every step.
    pub fn deadline(&self) -> Option<Nanos> {
        let timer = self.timers.first().map(|(due, _)| *due);
        let others = [
            self.hints.deadline(),
            self.anti_entropy_deadline(),
            self.tombstones.deadline(),
            self.gossip_deadline(),
        ];
        others.into_iter().chain([timer]).flatten().min()
    }

    /// How busy the replica is, and what it has done. Queues and clocks are the shell's to add.
    pub fn status(&self) -> Status {
        let (hints_pending, hint_bytes_pending) = self.hints.pending();
        let due: u64 = self
            .hints
            .by_owner()
            .into_iter()
            .filter(|(owner, _)| self.links.reaches(*owner))
            .map(|(_, hints)| hints)
            .sum();
        Status {
            epoch: self.epoch,
            coordinating: self.requests.len() as u64
                + due
                + self.comparisons_left()
                + self.ring_changes_left(),
            unsynced: self.store.unsynced() as u64,
            connected: self.links.connected().collect(),
            counters: Counters {
                hints_pending,
                hint_bytes_pending,
                ..self.counters
            },
            ring: self.ring_status(),
            ..Status::default()
        }
    }

    /// What reads of this replica see of a key now; none if nothing.
    pub fn visible(&self, key: &str) -> Option<&Content> {
        self.store.visible(key)
    }

    /// Records that [`Replica::recover`] to what is held now, including what is on its way to the log.
    pub fn snapshot(&self) -> impl Iterator<Item = Record> {
        self.store.visible_records().chain(self.not_visible())
    }

    /// What of a snapshot reads do not see: what is on its way to the log, hints, and the ring.
    pub(super) fn not_visible(&self) -> impl Iterator<Item = Record> {
        let ring = self.gossip.iter().map(Gossip::record);
        let contents = self.store.unsynced_records();
        contents.chain(self.hints.records()).chain(ring)
    }

    fn hear(&mut self, now: Now, from: NodeId, message: PeerMessage, out: &mut Vec<Output>) {
        match message {
            PeerMessage::Write {
                id,
                key,
                content,
                hint_for,
                early,
            } => {
                if early && self.has_room(&key, &content, hint_for) {
                    let message = PeerMessage::Received { id };
                    out.push(Output::Send { to: from, message });
                }
                self.take_write(now, key, content, hint_for, Waiter::new(from, id), out);
            }
            PeerMessage::Repair {
                id,
                key,
                content,
                hint_for,
            } => self.keep(now, key, content, hint_for, Waiter::new(from, id), out),
            PeerMessage::Handoff { id, key, content } => {
                self.hold(now, key, content, Some(Waiter::new(from, id)), out);
            }
            PeerMessage::Mint {
                id,
                key,
                version,
                read,
                hint_for,
            } => {
                let waiter = Waiter::new(from, id);
                match self.mint(now, key, version, &read, hint_for, waiter, out) {
                    Ok(content) => {
                        let message = PeerMessage::Minted { id, content };
                        out.push(Output::Send { to: from, message });
                    }
                    // Nobody is told: what is not held must not count.
                    Err(_) => self.counters.not_held += 1,
                }
            }
            PeerMessage::Read {
                id,
                key,
                digest,
                stand_in,
            } => {
                let message = match self.answer(key.as_str(), digest, stand_in) {
                    Said::Digest(digest) => PeerMessage::Digest { id, digest },
                    Said::Answer(content) => PeerMessage::Answer { id, content },
                    _ => return,
                };
                out.push(Output::Send { to: from, message });
            }
            PeerMessage::Received { id } => self.listen(now, id, from, Said::Received, out),
            PeerMessage::Held { id } => self.listen(now, id, from, Said::Held, out),
            PeerMessage::Minted { id, content } => {
                self.listen(now, id, from, Said::Minted(content), out);
            }
            PeerMessage::Answer { id, content } => {
                if let Some(stamp) = content.as_ref().and_then(Content::stamp) {
                    self.stamps.see(stamp);
                }
                self.listen(now, id, from, Said::Answer(content), out);
            }
            PeerMessage::Digest { id, digest } => {
                self.listen(now, id, from, Said::Digest(digest), out);
            }
            upkeep => self.hear_upkeep(now, from, upkeep, out),
        }
    }

    /// What replicas say to each other without being asked by any client.
    fn hear_upkeep(&mut self, now: Now, from: NodeId, message: PeerMessage, out: &mut Vec<Output>) {
        match message {
            PeerMessage::Compare {
                id,
                ring,
                questions,
            } => self.answer_comparison(id, from, ring, &questions, out),
            PeerMessage::Compared { id, answers } => {
                self.hear_comparison(now, id, from, answers, out);
            }
            PeerMessage::Level { key, content, tell } => {
                self.level(now, from, key, content, tell, out);
            }
            PeerMessage::MayForget { key, digest } => self.may_forget(from, key, digest, out),
            PeerMessage::MayBeForgotten { key, digest } => {
                self.may_be_forgotten(from, &key, digest, out);
            }
            PeerMessage::Forget { key, digest } => self.forget(&key, digest, out),
            PeerMessage::Gossip(bytes) => self.hear_gossip(now, from, &bytes, out),
            PeerMessage::Copy { id, ring, task } => {
                self.asked_to_copy(now, from, id, ring, task, out);
            }
            PeerMessage::Transfer { id, key, content } => {
                self.hold(now, key, content, Some(Waiter::new(from, id)), out);
            }
            PeerMessage::Copied { id, task } => self.copied(now, from, id, task, out),
            _ => {}
        }
    }

    /// A node's reply, if it is for this life of this node.
    fn listen(&mut self, now: Now, id: RequestId, from: NodeId, said: Said, out: &mut Vec<Output>) {
        if id.epoch != self.epoch {
            return;
        }
        if self.requests.contains_key(&id.counter) {
            self.coordinate(now, id.counter, from, said, out);
        } else if matches!(said, Said::Held) {
            self.delivered(now, from, id.counter, out);
        }
    }

    /// What this node says when a read asks it for a key.
    pub(super) fn answer(&self, key: &str, digest: bool, stand_in: bool) -> Said {
        let mut content = self.store.visible(key).cloned();
        if stand_in && let Some(hinted) = self.hints.of_key(key) {
            match &mut content {
                Some(content) => content.merge(&hinted),
                None => content = Some(hinted),
            }
        }
        if digest {
            Said::Digest(content.map(|content| (content.digest(), content.stamp())))
        } else {
            Said::Answer(content)
        }
    }

    /// A client's write reached this node.
    pub(super) fn take_write(
        &mut self,
        now: Now,
        key: Key,
        mut content: Content,
        hint_for: Option<NodeId>,
        waiter: Waiter,
        out: &mut Vec<Output>,
    ) {
        if let Some(stamp) = content.stamp() {
            self.stamps.see(stamp);
        }
        if self.config.has(Sabotage::StampPerReplica)
            && let Content::One(version) = &mut content
        {
            version.stamp = self.stamps.take(now.wall);
        }
        self.keep(now, key, content, hint_for, waiter, out);
    }

    /// Holds a content, or keeps it for the node that it is a hint for.
    pub(super) fn keep(
        &mut self,
        now: Now,
        key: Key,
        content: Content,
        hint_for: Option<NodeId>,
        waiter: Waiter,
        out: &mut Vec<Output>,
    ) {
        match hint_for {
            Some(owner) if owner != self.me => {
                self.keep_hint(now, owner, key, content, waiter, out);
            }
            _ => self.hold(now, key, content, Some(waiter), out),
        }
    }

    /// Holds a content unless it is obsolete, and tells the waiter once that is durable.
    pub(super) fn hold(
        &mut self,
        now: Now,
        key: Key,
        content: Content,
        waiter: Option<Waiter>,
        out: &mut Vec<Output>,
    ) {
        match self.store.take(&mut self.tokens, key, content, waiter) {
            Taken::Held => {
                if let Some(waiter) = waiter {
                    self.tell_held(now, waiter, out);
                }
            }
            Taken::Waits => {}
            // Nobody is told: what is not held must not count.
            Taken::Full => self.counters.not_held += 1,
            Taken::Persist(token, record) => out.push(Output::Persist { token, record }),
        }
    }

    /// Whether a node is one of the cluster.
    pub(super) fn is_member(&self, node: NodeId) -> bool {
        (1..=self.config.nodes).contains(&node.0)
    }

    /// Whether a node is one of the cluster, and another than this one.
    fn is_peer(&self, node: NodeId) -> bool {
        node != self.me && self.is_member(node)
    }

    /// Whether this node can hold a content for itself. Whether it keeps hints for others is asked when it is given one.
    fn has_room(&self, key: &Key, content: &Content, hint_for: Option<NodeId>) -> bool {
        let is_own = hint_for.is_none_or(|owner| owner == self.me);
        !is_own || self.store.refusal(key, content).is_none()
    }

    /// Writes something to the log that nobody waits for.
    pub(super) fn persist(&mut self, record: Record, out: &mut Vec<Output>) {
        let token = self.tokens.next();
        out.push(Output::Persist { token, record });
    }

    pub(super) fn tell_held(&mut self, now: Now, waiter: Waiter, out: &mut Vec<Output>) {
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
