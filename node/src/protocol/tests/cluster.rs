//! A cluster in one thread: messages and disks that do as the test says. Not the simulator: it draws no faults of its own.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{NodeId, Options, ReadFanout, ReadRepair, Sabotage, StoreConfig, SyncPolicy};
use crate::protocol::{
    Input, Nanos, Now, Output, PeerMessage, Record, Replica, Tag, Token, WallNanos,
};
use crate::wire::{Evidence, Quorum, Request, Response};

pub(super) const A: NodeId = NodeId(1);
pub(super) const B: NodeId = NodeId(2);
pub(super) const C: NodeId = NodeId(3);
pub(super) const D: NodeId = NodeId(4);
pub(super) const E: NodeId = NodeId(5);

/// How long coordinators wait in these tests, ns.
pub(super) const TIMEOUT_NS: u64 = 1_000_000_000;

/// As many nodes as replicas, nothing repaired.
pub(in crate::protocol) fn config(n: u16, r: u16, w: u16) -> StoreConfig {
    StoreConfig {
        nodes: n,
        tokens_per_node: 8,
        n,
        r,
        w,
        read_fanout: ReadFanout::Quorum,
        read_repair: ReadRepair::None,
        sync: SyncPolicy::EachWrite,
        request_timeout_ms: TIMEOUT_NS / 1_000_000,
        sabotage: Vec::new(),
        options: Options::default(),
    }
}

/// The same with one defect built in.
pub(super) fn sabotaged(defect: Sabotage, config: &StoreConfig) -> StoreConfig {
    StoreConfig {
        sabotage: vec![defect],
        ..config.clone()
    }
}

pub(super) struct Packet {
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    pub(super) message: PeerMessage,
}

#[derive(Default)]
pub(super) struct Disk {
    pub(super) queued: Vec<(Token, Record)>,
    durable: Vec<Record>,
}

pub(super) struct Cluster {
    config: StoreConfig,
    epoch: u64,
    pub(super) now: Now,
    /// Added to what a node takes for the wall clock, ns.
    pub(super) clock_offsets_ns: BTreeMap<NodeId, i64>,
    pub(super) replicas: BTreeMap<NodeId, Replica>,
    pub(super) packets: Vec<Packet>,
    pub(super) disks: BTreeMap<NodeId, Disk>,
    /// Directed links that lose everything, although their ends believe in them.
    pub(super) lossy: BTreeSet<(NodeId, NodeId)>,
    /// Nodes whose disk does not sync.
    pub(super) stalled: BTreeSet<NodeId>,
    next_request: u64,
    replies: BTreeMap<u64, Response>,
}

impl Cluster {
    /// All nodes up and connected.
    pub(super) fn new(config: StoreConfig) -> Cluster {
        let nodes: Vec<_> = (1..=config.nodes).map(NodeId).collect();
        let mut cluster = Cluster {
            config,
            epoch: 0,
            now: Now {
                monotonic: Nanos(0),
                wall: WallNanos(1_000_000_000_000_000),
            },
            clock_offsets_ns: BTreeMap::new(),
            replicas: BTreeMap::new(),
            packets: Vec::new(),
            disks: BTreeMap::new(),
            lossy: BTreeSet::new(),
            stalled: BTreeSet::new(),
            next_request: 0,
            replies: BTreeMap::new(),
        };
        for node in nodes {
            cluster.restart(node);
        }
        cluster
    }

    /// `kill -9` and restart: what was not durable is gone, and so is what was under way. Messages in the network live on.
    pub(super) fn restart(&mut self, node: NodeId) {
        self.epoch += 1;
        let disk = self.disks.entry(node).or_default();
        disk.queued.clear();
        let records = disk.durable.clone();
        let replica = Replica::recover(self.config.clone(), node, self.epoch, records);
        self.replicas.insert(node, replica);
        for peer in self.others(node) {
            self.input(node, Input::PeerUp(peer));
        }
    }

    /// `kill -9` for good: everybody sees the connections break.
    pub(super) fn kill(&mut self, node: NodeId) {
        self.replicas.remove(&node);
        self.disks.entry(node).or_default().queued.clear();
        for other in self.others(node) {
            if self.replicas.contains_key(&other) {
                self.input(other, Input::PeerDown(node));
            }
        }
    }

    pub(super) fn others(&self, node: NodeId) -> Vec<NodeId> {
        let nodes = (1..=self.config.nodes).map(NodeId);
        nodes.filter(|other| *other != node).collect()
    }

    /// Everything between these nodes and the others is lost, and nobody notices.
    pub(super) fn lose(&mut self, nodes: &[NodeId]) {
        for node in nodes {
            for other in self.others(*node) {
                self.lossy.insert((*node, other));
                self.lossy.insert((other, *node));
            }
        }
    }

    pub(super) fn heal(&mut self) {
        self.lossy.clear();
    }

    /// From here on this node believes in links to these peers only.
    pub(super) fn sees_only(&mut self, node: NodeId, peers: &[NodeId]) {
        for peer in self.others(node) {
            let input = if peers.contains(&peer) {
                Input::PeerUp(peer)
            } else {
                Input::PeerDown(peer)
            };
            self.input(node, input);
        }
    }

    /// Nobody reaches this node, and everybody knows; it reaches nobody.
    pub(super) fn cut_off(&mut self, node: NodeId) {
        self.lose(&[node]);
        for other in self.others(node) {
            self.input(other, Input::PeerDown(node));
            self.input(node, Input::PeerDown(other));
        }
    }

    /// The opposite.
    pub(super) fn reconnect(&mut self, node: NodeId) {
        for other in self.others(node) {
            self.lossy.remove(&(node, other));
            self.lossy.remove(&(other, node));
            self.input(other, Input::PeerUp(node));
            self.input(node, Input::PeerUp(other));
        }
    }

    /// How many hints a node keeps.
    pub(super) fn hints(&self, node: NodeId) -> u64 {
        self.replicas[&node].status().counters.hints_pending
    }

    pub(super) fn input(&mut self, node: NodeId, input: Input) {
        let offset_ns = self.clock_offsets_ns.get(&node).copied().unwrap_or(0);
        let now = Now {
            wall: WallNanos(self.now.wall.0 + offset_ns),
            ..self.now
        };
        let replica = self.replicas.get_mut(&node).expect("a node of the cluster");
        for output in replica.step(now, input) {
            match output {
                Output::Send { to, message } => {
                    assert_ne!(to, node, "a replica needs no network to itself");
                    let from = node;
                    self.packets.push(Packet { from, to, message });
                }
                Output::Reply { tag, response } => {
                    let earlier = self.replies.insert(tag.request, response);
                    assert_eq!(earlier, None, "one reply for each request");
                }
                Output::Persist { token, record } => {
                    let disk = self.disks.entry(node).or_default();
                    disk.queued.push((token, record));
                }
            }
        }
    }

    pub(super) fn deliver(&mut self, packet: Packet) {
        let Packet { from, to, message } = packet;
        if !self.lossy.contains(&(from, to)) && self.replicas.contains_key(&to) {
            self.input(to, Input::Peer { from, message });
        }
    }

    /// Syncs the oldest record of a disk.
    pub(super) fn sync_one(&mut self, node: NodeId) -> bool {
        let disk = self.disks.entry(node).or_default();
        if disk.queued.is_empty() || self.stalled.contains(&node) {
            return false;
        }
        let (token, record) = disk.queued.remove(0);
        disk.durable.push(record);
        self.input(node, Input::Persisted(token));
        true
    }

    /// Delivers and syncs until nothing is left to do without waiting.
    pub(super) fn settle(&mut self) {
        loop {
            let nodes: Vec<_> = self.replicas.keys().copied().collect();
            let synced = nodes.into_iter().any(|node| self.sync_one(node));
            if !self.packets.is_empty() {
                let packet = self.packets.remove(0);
                self.deliver(packet);
            } else if !synced {
                return;
            }
        }
    }

    /// Lets time pass, deadline by deadline, settling in between.
    pub(super) fn wait(&mut self, ns: u64) {
        let end = Nanos(self.now.monotonic.0 + ns);
        self.settle();
        loop {
            let deadlines = self.replicas.iter();
            let first = deadlines
                .filter_map(|(node, replica)| Some((replica.deadline()?, *node)))
                .min();
            let Some((due, node)) = first.filter(|(due, _)| *due <= end) else {
                break;
            };
            self.advance_to(due);
            self.input(node, Input::Tick);
            self.settle();
        }
        self.advance_to(end);
    }

    /// Lets time pass up to the next deadline of any node, and wakes who has one then. Nothing is delivered.
    pub(super) fn tick_next(&mut self) {
        let deadlines = self.replicas.iter();
        let first = deadlines
            .filter_map(|(node, replica)| Some((replica.deadline()?, *node)))
            .min();
        if let Some((due, node)) = first {
            self.advance_to(due);
            self.input(node, Input::Tick);
        }
    }

    fn advance_to(&mut self, moment: Nanos) {
        let passed_ns = moment.0.saturating_sub(self.now.monotonic.0);
        self.now.monotonic.0 += passed_ns;
        self.now.wall.0 += i64::try_from(passed_ns).expect("a short test");
    }

    /// Sends a request and delivers nothing yet.
    pub(super) fn ask(&mut self, coordinator: NodeId, request: Request) -> u64 {
        self.advance_to(Nanos(self.now.monotonic.0 + 1));
        self.next_request += 1;
        let tag = Tag {
            connection: 0,
            request: self.next_request,
        };
        self.input(coordinator, Input::Client { tag, request });
        tag.request
    }

    pub(super) fn reply(&self, request: u64) -> Option<&Response> {
        self.replies.get(&request)
    }

    /// Sends a request and waits until it is answered: one way or another it must be, within the time-out.
    pub(super) fn call(&mut self, coordinator: NodeId, request: Request) -> Response {
        let request = self.ask(coordinator, request);
        self.settle();
        if self.reply(request).is_none() {
            self.wait(TIMEOUT_NS);
        }
        self.reply(request)
            .expect("an answer within the time-out")
            .clone()
    }

    pub(super) fn put(&mut self, coordinator: NodeId, value: &str) -> Response {
        self.call(coordinator, put(value))
    }

    pub(super) fn delete(&mut self, coordinator: NodeId) -> Response {
        let key = "k".to_owned();
        self.call(coordinator, Request::delete(key, Quorum::default()))
    }

    /// A read that must succeed.
    pub(super) fn get(&mut self, coordinator: NodeId) -> (Option<String>, Evidence) {
        value(self.call(coordinator, get()))
    }

    /// What a replica holds.
    pub(super) fn held(&mut self, node: NodeId) -> Option<String> {
        let key = "k".to_owned();
        value(self.call(node, Request::Inspect { key })).0
    }
}

pub(super) fn get() -> Request {
    let key = "k".to_owned();
    Request::get(key, Quorum::default())
}

pub(super) fn put(value: &str) -> Request {
    Request::put("k".to_owned(), value.as_bytes().to_vec(), Quorum::default())
}

pub(super) fn value(response: Response) -> (Option<String>, Evidence) {
    match response {
        Response::Value {
            mut values,
            evidence,
            ..
        } => {
            assert!(values.len() <= 1, "one value: {values:?}");
            let text = |bytes| String::from_utf8(bytes).expect("a test's value");
            (values.pop().map(text), evidence)
        }
        other => panic!("expected a value, not {other:?}"),
    }
}

pub(super) fn written(response: Response) -> Evidence {
    match response {
        Response::Written { evidence } => evidence,
        other => panic!("expected success, not {other:?}"),
    }
}

pub(super) fn refused(response: Response) -> String {
    match response {
        Response::Refused { why } => why,
        other => panic!("expected a refusal, not {other:?}"),
    }
}

pub(super) fn unknown(response: Response) -> (String, Evidence) {
    match response {
        Response::Unknown { why, evidence } => (why, evidence),
        other => panic!("expected ignorance, not {other:?}"),
    }
}
