//! A cluster in one thread and virtual time: messages, disks and processes that do as the test or the storm says.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::config::NodeId;
use crate::protocol::leader::{
    Ask, Entry, LeaderConfig, LeaderInput, LeaderMessage, LeaderNode, LeaderOutput, LeaderRecord,
    LeaderReply, LeaderStatus, Promotion, Reads, Redirect, Replication, Role,
};
use crate::protocol::{Nanos, Now, Tag, Token, WallNanos};

pub(super) const A: NodeId = NodeId(1);
pub(super) const B: NodeId = NodeId(2);
pub(super) const C: NodeId = NodeId(3);

pub(super) const MS: u64 = 1_000_000;

/// A majority log, elections, leases and fencing: nothing is missing. Times fit a test.
pub(super) fn config() -> LeaderConfig {
    LeaderConfig {
        replication: Replication::Majority,
        promotion: Promotion::Election,
        lease_ms: Some(45),
        clock_error_ppm: 0,
        lease_check_at_reply: true,
        fencing: true,
        ask_first: false,
        heartbeat_ms: 10,
        detect_ms: 40,
        jitter_ms: 20,
        poll_ms: 10,
        redirect: Redirect::Forward,
        reads: Reads::Leader,
        request_timeout_ms: 60,
        log_entries_max: 1 << 20,
    }
}

/// Semi-synchronous with `k` copies, no fallback.
pub(super) fn semi_sync(k: u16) -> Replication {
    Replication::SemiSync {
        k,
        fallback_ms: None,
    }
}

/// `SplitMix64`.
#[derive(Debug)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    pub(super) fn between(&mut self, min: u64, max: u64) -> u64 {
        min + self.roll(max - min + 1)
    }

    pub(super) fn percent(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }
}

/// How the network and the disks are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weather {
    pub(super) delay_ns: (u64, u64),
    pub(super) sync_ns: (u64, u64),
    pub(super) lost_percent: u64,
    pub(super) repeated_percent: u64,
    /// Records count as persisted at once, and are only safe later.
    pub(super) lazy_disk: bool,
    /// How fast or slow monotonic clocks are, ppm. The first node's is slow, the last one's fast.
    pub(super) drift_ppm: u64,
}

impl Weather {
    pub(super) const CALM: Weather = Weather {
        delay_ns: (MS, MS),
        sync_ns: (MS, MS),
        lost_percent: 0,
        repeated_percent: 0,
        lazy_disk: false,
        drift_ppm: 0,
    };
}

#[derive(Debug)]
enum Happening {
    Arrives {
        from: NodeId,
        to: NodeId,
        message: LeaderMessage,
    },
    Synced {
        node: NodeId,
        epoch: u64,
    },
    Alarm {
        node: NodeId,
        epoch: u64,
    },
}

/// One process and its disk.
#[derive(Debug, Default)]
struct Seat {
    node: Option<LeaderNode>,
    epoch: u64,
    paused: bool,
    inbox: VecDeque<LeaderInput>,
    queued: VecDeque<(Token, LeaderRecord)>,
    durable: Vec<LeaderRecord>,
    /// When the disk is done with what it has.
    busy_until: u64,
    alarm: Option<u64>,
}

/// What a client asked, and how that ended.
#[derive(Clone, Debug)]
pub(super) struct Op {
    pub(super) key: String,
    /// None for a read.
    pub(super) value: Option<String>,
    pub(super) invoked: u64,
    pub(super) completed: Option<(u64, LeaderReply)>,
}

pub(super) struct World {
    config: LeaderConfig,
    pub(super) weather: Weather,
    pub(super) dice: Dice,
    pub(super) now: u64,
    seats: BTreeMap<NodeId, Seat>,
    /// Directed links that lose everything, although their ends believe in them.
    pub(super) cut: BTreeSet<(NodeId, NodeId)>,
    queue: BTreeMap<(u64, u64), Happening>,
    scheduled: u64,
    pub(super) ops: Vec<Op>,
}

impl World {
    /// All nodes up and connected.
    pub(super) fn new(config: LeaderConfig, nodes: u16, weather: Weather, seed: u64) -> World {
        assert_eq!(config.validate(nodes), Ok(()));
        let mut world = World {
            config,
            weather,
            dice: Dice(seed),
            now: 0,
            seats: (1..=nodes)
                .map(|id| (NodeId(id), Seat::default()))
                .collect(),
            cut: BTreeSet::new(),
            queue: BTreeMap::new(),
            scheduled: 0,
            ops: Vec::new(),
        };
        for node in world.ids() {
            world.start(node);
        }
        world
    }

    /// Three nodes in calm weather, the first of them leading.
    pub(super) fn led(config: LeaderConfig) -> World {
        let mut world = World::new(config, 3, Weather::CALM, 1);
        world.run(100 * MS);
        assert_eq!(world.leader(), Some(A), "the first node does not wait");
        world
    }

    pub(super) fn ids(&self) -> Vec<NodeId> {
        self.seats.keys().copied().collect()
    }

    fn seat(&mut self, node: NodeId) -> &mut Seat {
        self.seats.get_mut(&node).expect("a node of the world")
    }

    pub(super) fn node(&self, node: NodeId) -> Option<&LeaderNode> {
        self.seats[&node].node.as_ref()
    }

    pub(super) fn status(&self, node: NodeId) -> LeaderStatus {
        self.node(node).expect("a node that is up").status()
    }

    pub(super) fn is_up(&self, node: NodeId) -> bool {
        self.node(node).is_some()
    }

    pub(super) fn is_paused(&self, node: NodeId) -> bool {
        self.seats[&node].paused
    }

    /// Starts a dead process, on what is on its disk.
    pub(super) fn start(&mut self, node: NodeId) {
        let (config, peers) = (self.config, self.ids());
        let seat = self.seat(node);
        assert!(seat.node.is_none(), "it runs already");
        seat.epoch += 1;
        let records = seat.durable.clone();
        let recovered = LeaderNode::recover(config, node, peers.clone(), seat.epoch, records);
        seat.node = Some(recovered);
        self.input(node, LeaderInput::Tick);
        for peer in peers {
            if peer != node && self.is_up(peer) {
                self.input(node, LeaderInput::PeerUp(peer));
                self.input(peer, LeaderInput::PeerUp(node));
            }
        }
    }

    /// `kill -9`: what was not durable is gone, and so is what was under way.
    pub(super) fn kill(&mut self, node: NodeId) {
        let seat = self.seat(node);
        seat.node = None;
        seat.paused = false;
        seat.inbox.clear();
        seat.queued.clear();
        seat.alarm = None;
        for peer in self.ids() {
            if peer != node {
                self.input(peer, LeaderInput::PeerDown(node));
            }
        }
    }

    /// `SIGSTOP`.
    pub(super) fn pause(&mut self, node: NodeId) {
        self.seat(node).paused = true;
    }

    /// `SIGCONT`: it deals with what has come in the order in which it came; its timers are seen to last.
    pub(super) fn resume(&mut self, node: NodeId) {
        let seat = self.seat(node);
        seat.paused = false;
        let inbox = std::mem::take(&mut seat.inbox);
        for input in inbox {
            self.input(node, input);
        }
        self.input(node, LeaderInput::Tick);
    }

    /// Everything between these nodes and the others is lost, and nobody notices.
    pub(super) fn isolate(&mut self, nodes: &[NodeId]) {
        for inside in nodes {
            for outside in self.ids() {
                if !nodes.contains(&outside) {
                    self.cut.insert((*inside, outside));
                    self.cut.insert((outside, *inside));
                }
            }
        }
    }

    fn schedule(&mut self, at: u64, happening: Happening) {
        self.scheduled += 1;
        self.queue.insert((at, self.scheduled), happening);
    }

    /// The node's own monotonic clock.
    fn clock(&self, node: NodeId) -> Now {
        let drift = i128::from(self.weather.drift_ppm);
        let drift = match node {
            A => -drift,
            C => drift,
            _ => 0,
        };
        let local = i128::from(self.now) * (1_000_000 + drift) / 1_000_000;
        Now {
            monotonic: Nanos(u64::try_from(local).expect("a short test")),
            wall: WallNanos(0),
        }
    }

    /// When the node's clock shows this, or a little later.
    fn real(&self, node: NodeId, local: Nanos) -> u64 {
        let now = self.clock(node).monotonic;
        let left = local.0.saturating_sub(now.0);
        self.now + left + left / 1_000_000 * self.weather.drift_ppm + u64::from(left > 0)
    }

    pub(super) fn input(&mut self, node: NodeId, input: LeaderInput) {
        let clock = self.clock(node);
        let seat = self.seat(node);
        if seat.paused {
            if input != LeaderInput::Tick {
                seat.inbox.push_back(input);
            }
            return;
        }
        let Some(replica) = &mut seat.node else {
            return;
        };
        let outputs = replica.step(clock, input);
        let deadline = replica.deadline();
        let mut persisted = Vec::new();
        for output in outputs {
            match output {
                LeaderOutput::Send { to, message } => {
                    assert_ne!(to, node, "a node needs no network to itself");
                    self.send(node, to, &message);
                }
                LeaderOutput::Reply { tag, reply } => {
                    let now = self.now;
                    let op = usize::try_from(tag.request).expect("an index");
                    let earlier = self.ops[op].completed.replace((now, reply));
                    assert!(earlier.is_none(), "one reply for each request");
                }
                LeaderOutput::Persist { token, record } => {
                    persisted.extend(self.append(node, token, record));
                }
            }
        }
        self.set_alarm(node, deadline);
        for token in persisted {
            self.input(node, LeaderInput::Persisted(token));
        }
    }

    fn set_alarm(&mut self, node: NodeId, deadline: Option<Nanos>) {
        let Some(deadline) = deadline else { return };
        let due = self.real(node, deadline);
        let seat = self.seat(node);
        if seat.alarm.is_none_or(|alarm| due < alarm) {
            seat.alarm = Some(due);
            let epoch = seat.epoch;
            self.schedule(due, Happening::Alarm { node, epoch });
        }
    }

    fn send(&mut self, from: NodeId, to: NodeId, message: &LeaderMessage) {
        let Weather {
            delay_ns,
            lost_percent,
            repeated_percent,
            ..
        } = self.weather;
        let copies = match self.dice.roll(100) {
            roll if roll < lost_percent => 0,
            roll if roll < lost_percent + repeated_percent => 2,
            _ => 1,
        };
        for _ in 0..copies {
            let at = self.now + self.dice.between(delay_ns.0, delay_ns.1);
            let message = message.clone();
            self.schedule(at, Happening::Arrives { from, to, message });
        }
    }

    /// Gives a record to the disk. A lazy one says at once that it has it.
    fn append(&mut self, node: NodeId, token: Token, record: LeaderRecord) -> Option<Token> {
        let Weather {
            sync_ns, lazy_disk, ..
        } = self.weather;
        let sync_ns = self.dice.between(sync_ns.0, sync_ns.1);
        let now = self.now;
        let seat = self.seat(node);
        seat.queued.push_back((token, record));
        seat.busy_until = seat.busy_until.max(now + sync_ns);
        let (at, epoch) = (seat.busy_until, seat.epoch);
        self.schedule(at, Happening::Synced { node, epoch });
        lazy_disk.then_some(token)
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrives { from, to, message } => {
                if !self.cut.contains(&(from, to)) {
                    self.input(to, LeaderInput::Peer { from, message });
                }
            }
            Happening::Synced { node, epoch } => {
                let is_lazy = self.weather.lazy_disk;
                let seat = self.seat(node);
                if seat.epoch == epoch
                    && let Some((token, record)) = seat.queued.pop_front()
                {
                    seat.durable.push(record);
                    if !is_lazy {
                        self.input(node, LeaderInput::Persisted(token));
                    }
                }
            }
            Happening::Alarm { node, epoch } => {
                let seat = self.seat(node);
                if seat.epoch == epoch {
                    seat.alarm = None;
                    self.input(node, LeaderInput::Tick);
                }
            }
        }
    }

    /// Lets time pass.
    pub(super) fn run(&mut self, ns: u64) {
        let end = self.now + ns;
        while let Some(next) = self.queue.first_entry() {
            let (at, _) = *next.key();
            if at > end {
                break;
            }
            let happening = next.remove();
            self.now = at;
            self.happen(happening);
        }
        self.now = end;
    }

    /// Sends a request and lets no time pass. Its number.
    pub(super) fn ask(&mut self, node: NodeId, ask: Ask) -> usize {
        let number = self.ops.len();
        let value = match &ask {
            Ask::Put { value, .. } => Some(text(value)),
            _ => None,
        };
        self.ops.push(Op {
            key: ask.key().as_str().to_owned(),
            value,
            invoked: self.now,
            completed: None,
        });
        let tag = Tag {
            connection: 0,
            request: number as u64,
        };
        self.input(node, LeaderInput::Client { tag, ask });
        number
    }

    pub(super) fn reply(&self, op: usize) -> Option<&LeaderReply> {
        self.ops[op].completed.as_ref().map(|(_, reply)| reply)
    }

    /// Sends a request and waits for its answer: one way or another there must be one, within the time-out.
    pub(super) fn call(&mut self, node: NodeId, ask: Ask) -> LeaderReply {
        let op = self.ask(node, ask);
        let end = self.now + (self.config.request_timeout_ms + 1) * MS;
        while self.reply(op).is_none() && self.now < end {
            self.run(MS / 10);
        }
        self.reply(op)
            .expect("an answer within the time-out")
            .clone()
    }

    pub(super) fn put(&mut self, node: NodeId, value: &str) -> LeaderReply {
        self.call(node, put("k", value))
    }

    pub(super) fn get(&mut self, node: NodeId) -> LeaderReply {
        self.call(node, get("k"))
    }

    /// What a node holds, as far as it shows it.
    pub(super) fn held(&mut self, node: NodeId) -> Option<String> {
        let key = "k".into();
        value(&self.call(node, Ask::Inspect { key }))
    }

    /// The node that leads in the largest term, of those that run.
    pub(super) fn leader(&self) -> Option<NodeId> {
        self.leaders()
            .into_iter()
            .max_by_key(|node| self.status(*node).term)
    }

    /// All nodes that believe to lead.
    pub(super) fn leaders(&self) -> Vec<NodeId> {
        let leads = |node: &NodeId| self.is_up(*node) && self.status(*node).role == Role::Leader;
        self.ids().into_iter().filter(leads).collect()
    }

    /// Ends all faults and waits until all nodes agree. They must, and soon.
    pub(super) fn heal(&mut self) -> Vec<Entry> {
        self.cut.clear();
        self.weather = Weather {
            lost_percent: 0,
            repeated_percent: 0,
            ..self.weather
        };
        for node in self.ids() {
            if self.is_paused(node) {
                self.resume(node);
            }
            if !self.is_up(node) {
                self.start(node);
            }
        }
        for _ in 0..200 {
            self.run(10 * MS);
            if let Some(entries) = self.agreed() {
                return entries;
            }
        }
        let statuses: Vec<_> = self.ids().iter().map(|node| self.status(*node)).collect();
        panic!("no agreement after two seconds of peace: {statuses:#?}");
    }

    /// The common log, if all follow one leader and have all that it has.
    fn agreed(&self) -> Option<Vec<Entry>> {
        let [leader] = self.leaders()[..] else {
            return None;
        };
        let last = self.status(leader).last;
        let agrees = |node: &NodeId| {
            let status = self.status(*node);
            let committed = status.committed == last.index;
            status.leader == Some(leader) && status.last == last && committed
        };
        if !self.ids().iter().all(agrees) {
            return None;
        }
        let log = |node: NodeId| self.node(node).expect("it is up").entries();
        for node in self.ids() {
            assert!(log(node).eq(log(leader)), "equal ends mean equal logs");
        }
        Some(log(leader).cloned().collect())
    }
}

pub(super) fn text(value: &[u8]) -> String {
    String::from_utf8(value.to_vec()).expect("a test's value")
}

pub(super) fn put(key: &str, value: &str) -> Ask {
    let (key, value) = (key.into(), value.as_bytes().into());
    Ask::Put { key, value }
}

pub(super) fn get(key: &str) -> Ask {
    let (key, from) = (key.into(), None);
    Ask::Get { key, from }
}

/// What a read that must succeed returned.
pub(super) fn value(reply: &LeaderReply) -> Option<String> {
    match reply {
        LeaderReply::Value { value, .. } => value.as_deref().map(text),
        other => panic!("expected a value, not {other:?}"),
    }
}

/// Who had copies of a write that must succeed.
pub(super) fn acked_by(reply: &LeaderReply) -> Vec<NodeId> {
    match reply {
        LeaderReply::Written { grounds } => grounds.acked_by.clone(),
        other => panic!("expected success, not {other:?}"),
    }
}

pub(super) fn refused(reply: &LeaderReply) -> &str {
    match reply {
        LeaderReply::Refused { why } => why,
        other => panic!("expected a refusal, not {other:?}"),
    }
}

pub(super) fn unknown(reply: &LeaderReply) -> &str {
    match reply {
        LeaderReply::Unknown { why, .. } => why,
        other => panic!("expected ignorance, not {other:?}"),
    }
}
