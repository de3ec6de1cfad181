//! Many nodes and their network in one thread and virtual time: packets take a while, some are lost, links can be cut and nodes stopped.

use std::collections::{BTreeMap, BTreeSet};

use xxhash_rust::xxh3::xxh3_64;

use super::super::dice::Dice;
use super::super::{Life, Membership, Opinion, Output, RingState, Settings};
use crate::config::NodeId;
use crate::protocol::time::Nanos;

/// One millisecond, ns.
pub(super) const MS: u64 = 1_000_000;

/// How long a packet takes, ns: from this to twice as long.
const LATENCY_NS: u64 = MS / 2;

/// What a node said it thought of another, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) at: Nanos,
    pub(super) by: NodeId,
    pub(super) life: Life,
    pub(super) opinion: Opinion,
}

pub(super) struct Cluster {
    pub(super) now: Nanos,
    pub(super) nodes: BTreeMap<NodeId, Membership>,
    pub(super) said: Vec<Said>,
    /// Packets lost, of a thousand.
    pub(super) lost_per_mille: u64,
    asleep: BTreeSet<NodeId>,
    /// Links cut, each in one direction.
    pub(super) cut: BTreeSet<(NodeId, NodeId)>,
    /// A fingerprint of every packet delivered, in order.
    pub(super) trace: u64,
    /// When each node that is awake must be called.
    agenda: BTreeSet<(Nanos, NodeId)>,
    packets: BTreeMap<(Nanos, u64), (NodeId, NodeId, Vec<u8>)>,
    sent: u64,
    dice: Dice,
    settings: Settings,
    size: u16,
    seed: u64,
}

pub(super) fn nodes(count: u16) -> impl Iterator<Item = NodeId> + Clone {
    (1..=count).map(NodeId)
}

pub(super) fn ring(count: u16) -> RingState {
    RingState::initial(nodes(count).map(|node| (node, String::new())))
}

impl Cluster {
    /// Nodes 1 to `size`, all started at once, that know each other's addresses and that they are the ring.
    pub(super) fn new(size: u16, settings: Settings, seed: u64) -> Cluster {
        let mut cluster = Cluster {
            now: Nanos(0),
            nodes: BTreeMap::new(),
            said: Vec::new(),
            lost_per_mille: 0,
            asleep: BTreeSet::new(),
            cut: BTreeSet::new(),
            trace: 0,
            agenda: BTreeSet::new(),
            packets: BTreeMap::new(),
            sent: 0,
            dice: Dice::new(seed ^ 0x5eed),
            settings,
            size,
            seed,
        };
        for node in nodes(size) {
            cluster.start(node, 1, nodes(size), ring(size));
        }
        cluster
    }

    /// A cluster in which everybody has heard of everybody, and nothing is news any more.
    pub(super) fn settled(size: u16, settings: Settings, seed: u64) -> Cluster {
        let settle_ms = 25 * settings.gossip_period_ms.max(settings.probe_period_ms);
        let mut cluster = Cluster::new(size, settings, seed);
        cluster.run_ms(settle_ms);
        assert!(nodes(size).all(|node| cluster.all_think(node, Opinion::Alive)));
        cluster
    }

    /// Starts a node, or starts it again; packets under way to its former life arrive at the new one.
    pub(super) fn start(
        &mut self,
        node: NodeId,
        epoch: u64,
        peers: impl IntoIterator<Item = NodeId>,
        ring: RingState,
    ) {
        let seed = self.seed.wrapping_mul(1_000_003) ^ (u64::from(node.0) << 20) ^ epoch;
        let (life, settings) = (Life::new(node, epoch), self.settings.clone());
        self.unschedule(node);
        let mut out = Vec::new();
        let started = Membership::new(self.now, life, settings, peers, ring, seed, &mut out);
        self.nodes.insert(node, started.expect("good settings"));
        self.schedule(node);
        self.carry(node, out);
    }

    pub(super) fn peers(&self) -> impl Iterator<Item = NodeId> + use<> {
        nodes(self.size)
    }

    /// Lets a node do something, and carries out what it asks for.
    pub(super) fn act<T>(
        &mut self,
        node: NodeId,
        act: impl FnOnce(&mut Membership, &mut Vec<Output>) -> T,
    ) -> T {
        let mut out = Vec::new();
        self.unschedule(node);
        let result = act(self.nodes.get_mut(&node).expect("a node"), &mut out);
        self.schedule(node);
        self.carry(node, out);
        result
    }

    pub(super) fn run_ms(&mut self, ms: u64) {
        let end = Nanos(self.now.0 + ms * MS);
        while self.step(end) {}
    }

    /// Runs until `done`, which is asked every 5 ms, and says how many ms that took; panics after `limit_ms`.
    pub(super) fn run_until(&mut self, limit_ms: u64, done: impl Fn(&Cluster) -> bool) -> u64 {
        let start = self.now;
        while !done(self) {
            assert!(
                self.now.0 - start.0 < limit_ms * MS,
                "not done after {limit_ms} ms"
            );
            self.run_ms(5);
        }
        (self.now.0 - start.0) / MS
    }

    pub(super) fn awake(&self) -> impl Iterator<Item = (&NodeId, &Membership)> {
        self.nodes
            .iter()
            .filter(|(node, _)| !self.asleep.contains(node))
    }

    /// Whether every node that is awake thinks so of `of`.
    pub(super) fn all_think(&self, of: NodeId, opinion: Opinion) -> bool {
        self.awake()
            .filter(|(node, _)| **node != of)
            .all(|(_, membership)| membership.opinion(of) == Some(opinion))
    }

    pub(super) fn rings_are_equal(&self) -> bool {
        let mut rings = self.awake().map(|(_, membership)| membership.ring());
        let first = rings.next();
        rings.all(|ring| Some(ring) == first)
    }

    /// Cuts every link between these and all others, in both directions.
    pub(super) fn isolate(&mut self, group: &[NodeId]) {
        for inside in group {
            for outside in nodes(self.size).filter(|node| !group.contains(node)) {
                self.cut.extend([(*inside, outside), (outside, *inside)]);
            }
        }
    }

    /// A node neither hears nor ticks nor is heard from now on.
    pub(super) fn sleep(&mut self, node: NodeId) {
        self.unschedule(node);
        self.asleep.insert(node);
    }

    pub(super) fn wake(&mut self, node: NodeId) {
        self.asleep.remove(&node);
        self.schedule(node);
    }

    fn unschedule(&mut self, node: NodeId) {
        let deadline = self.nodes.get(&node).and_then(Membership::deadline);
        if let Some(deadline) = deadline {
            self.agenda.remove(&(deadline, node));
        }
    }

    fn schedule(&mut self, node: NodeId) {
        let deadline = self.nodes.get(&node).and_then(Membership::deadline);
        if let Some(deadline) = deadline.filter(|_| !self.asleep.contains(&node)) {
            self.agenda.insert((deadline, node));
        }
    }

    /// The next thing that happens; false if nothing does before `end`, which then is now.
    fn step(&mut self, end: Nanos) -> bool {
        let packet = self.packets.keys().next().map(|(at, _)| *at);
        let timer = self.agenda.first().copied();
        let arrives = packet.is_some_and(|at| timer.is_none_or(|(deadline, _)| at <= deadline));
        let next = if arrives {
            packet
        } else {
            timer.map(|(at, _)| at)
        };
        let Some(next) = next.filter(|next| *next <= end) else {
            self.now = end;
            return false;
        };
        self.now = self.now.max(next);
        if arrives {
            self.deliver();
        } else if let Some((_, node)) = timer {
            let now = self.now;
            self.act(node, |membership, out| membership.tick(now, out));
        }
        true
    }

    fn deliver(&mut self) {
        let Some((_, (from, to, bytes))) = self.packets.pop_first() else {
            return;
        };
        if self.asleep.contains(&to) || !self.nodes.contains_key(&to) {
            return;
        }
        let line = [
            self.now.0,
            from.0.into(),
            to.0.into(),
            xxh3_64(&bytes),
            self.trace,
        ];
        self.trace = xxh3_64(&line.map(u64::to_le_bytes).concat());
        let now = self.now;
        let heard = self.act(to, |membership, out| {
            membership.hear(now, from, &bytes, out)
        });
        assert_eq!(heard, Ok(()), "honest nodes understand each other");
    }

    fn carry(&mut self, by: NodeId, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send { to, bytes } => {
                    assert_ne!(to, by, "nobody sends to itself");
                    let lost = self.dice.below(1_000) < self.lost_per_mille;
                    let at = Nanos(self.now.0 + LATENCY_NS + self.dice.below(LATENCY_NS));
                    if !lost && !self.cut.contains(&(by, to)) {
                        self.sent += 1;
                        self.packets.insert((at, self.sent), (by, to, bytes));
                    }
                }
                Output::Opinion { life, opinion } => {
                    let at = self.now;
                    self.said.push(Said {
                        at,
                        by,
                        life,
                        opinion,
                    });
                }
                Output::Ring => {}
            }
        }
    }
}
