//! The node's whole state, and the one function that changes it.
//!
//! This file routes: inputs to the files that know what to do, and what waited for the disk back to them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64;

use crate::config::NodeId;
use crate::protocol::time::{Nanos, Now};

use super::campaign::{Campaign, Outage};
use super::config::LeaderConfig;
use super::forward::{Forwarding, Seen};
use super::interface::{LeaderInput, LeaderOutput};
use super::journal::{Journal, Then};
use super::lead::Leadership;
use super::lease::Promise;
use super::log::Log;
use super::message::LeaderMessage;
use super::phases::{Phase, PhaseEvent, Phases};
use super::record::{Entry, LeaderRecord};
use super::status::{LeaderStatus, Role, Tally};
use super::term::Term;

/// What a node is at the moment, with what it must know for that.
#[derive(Debug)]
pub(super) enum Part {
    Follower(Following),
    Candidate(Campaign),
    Leader(Box<Leadership>),
}

/// A node that does not lead.
#[derive(Clone, Copy, Debug)]
pub(super) struct Following {
    /// Whom it heard in the term that it promised.
    pub(super) leader: Option<NodeId>,
    /// When it does something about the silence.
    pub(super) due: Nanos,
}

/// One node of a single-leader store.
///
/// ```
/// use quorate_node::config::NodeId;
/// use quorate_node::protocol::leader::{Ask, LeaderConfig, LeaderInput, LeaderNode, LeaderOutput, LeaderReply};
/// use quorate_node::protocol::{Nanos, Now, Tag};
///
/// let mut node = LeaderNode::recover(LeaderConfig::DYNAMODB, NodeId(1), [], 1, []);
/// let mut now = Now::default();
/// let mut replies = Vec::new();
/// let mut inputs = vec![LeaderInput::Tick];
/// let tag = Tag { connection: 1, request: 1 };
/// let ask = Ask::Put { key: "k".into(), value: (*b"v").into() };
/// for _ in 0..2 {
///     // The disk is fast: what is persisted is durable at once.
///     while let Some(input) = inputs.pop() {
///         for output in node.step(now, input) {
///             match output {
///                 LeaderOutput::Persist { token, .. } => inputs.push(LeaderInput::Persisted(token)),
///                 LeaderOutput::Reply { reply, .. } => replies.push(reply),
///                 LeaderOutput::Send { .. } => unreachable!("it is alone"),
///             }
///         }
///     }
///     now.monotonic = node.deadline().expect("it waits for leaders, or is one");
///     inputs = vec![LeaderInput::Client { tag, ask: ask.clone() }, LeaderInput::Tick];
/// }
/// assert!(matches!(replies[..], [LeaderReply::Written { .. }]));
/// ```
#[derive(Debug)]
pub struct LeaderNode {
    pub(super) config: LeaderConfig,
    pub(super) me: NodeId,
    pub(super) peers: BTreeSet<NodeId>,
    pub(super) epoch: u64,
    /// Whether it has been told the time.
    booted: bool,
    /// The largest term that it promised to follow.
    pub(super) term: Term,
    pub(super) log: Log,
    /// The last index known to be committed.
    pub(super) commit: u64,
    pub(super) journal: Journal,
    pub(super) part: Part,
    pub(super) connected: BTreeSet<NodeId>,
    pub(super) promise: Promise,
    /// When it last heard the leader of the term that it promised.
    pub(super) heard_at: Nanos,
    /// Since when it has known no leader.
    pub(super) lost_at: Option<Nanos>,
    pub(super) outage: Option<Outage>,
    /// Since when it has been a leader no more, until its log is that of the next.
    pub(super) rejoining: Option<Nanos>,
    /// Requests that others serve, by the counter of their id.
    pub(super) forwarded: BTreeMap<u64, Forwarding>,
    /// Requests of other nodes that it knows.
    pub(super) seen: BTreeMap<NodeId, Seen>,
    /// Ids given out since the start.
    pub(super) counter: u64,
    draws: u64,
    pub(super) phases: Phases,
    pub(super) tally: Tally,
}

impl LeaderNode {
    /// The state after a start: everything on the disk, no leader known, no peer connected. `epoch` must be larger than in every earlier life
    /// of this node, and `records` are those that it persisted, in order.
    pub fn recover(
        config: LeaderConfig,
        me: NodeId,
        peers: impl IntoIterator<Item = NodeId>,
        epoch: u64,
        records: impl IntoIterator<Item = LeaderRecord>,
    ) -> LeaderNode {
        let mut log = Log::default();
        let mut term = Term::default();
        for record in records {
            if let LeaderRecord::Promised(promised) = record {
                term = term.max(promised);
            }
            log.replay(record);
        }
        LeaderNode {
            me,
            peers: peers.into_iter().filter(|peer| *peer != me).collect(),
            epoch,
            booted: false,
            term,
            commit: 0,
            log,
            journal: Journal::default(),
            part: Part::Follower(Following {
                leader: None,
                due: Nanos(0),
            }),
            connected: BTreeSet::new(),
            promise: Promise::new(&config),
            heard_at: Nanos(0),
            lost_at: None,
            outage: None,
            rejoining: None,
            forwarded: BTreeMap::new(),
            seen: BTreeMap::new(),
            counter: 0,
            draws: 0,
            phases: Phases::default(),
            tally: Tally::default(),
            config,
        }
    }

    /// Takes one input; returns everything that must happen because of it, in order. Deterministic in (state, now, input).
    pub fn step(&mut self, now: Now, input: LeaderInput) -> Vec<LeaderOutput> {
        let mut out = Vec::new();
        if !self.booted {
            self.boot(now);
        }
        match input {
            LeaderInput::Peer { from, message } if self.peers.contains(&from) => {
                self.hear(now, from, message, &mut out);
            }
            LeaderInput::Peer { .. } => {}
            LeaderInput::PeerUp(peer) => self.connect(now, peer, &mut out),
            LeaderInput::PeerDown(peer) => _ = self.connected.remove(&peer),
            LeaderInput::Client { tag, ask } => self.serve(now, tag, ask, &mut out),
            LeaderInput::Persisted(token) => {
                self.journal.persisted(token);
                while let Some(then) = self.journal.pop_due() {
                    self.carry_out(now, then, &mut out);
                }
            }
            LeaderInput::Tick => self.tick(now, &mut out),
        }
        out
    }

    /// When the next [`LeaderInput::Tick`] is due: always at some time, and before the first step at once. Changes with every step.
    pub fn deadline(&self) -> Option<Nanos> {
        if !self.booted {
            return Some(Nanos(0));
        }
        let part = match &self.part {
            Part::Follower(following) => following.due,
            Part::Candidate(campaign) => campaign.due,
            Part::Leader(leadership) => leadership.deadline(&self.config),
        };
        let expiry = self.forwarded.values().next().map(|request| request.expiry);
        Some(expiry.map_or(part, |expiry| part.min(expiry)))
    }

    /// How the node is doing. Queues and clocks are the shell's to add.
    pub fn status(&self) -> LeaderStatus {
        let leadership = match &self.part {
            Part::Leader(leadership) => Some(leadership),
            _ => None,
        };
        let pending = leadership.map_or(0, |leadership| leadership.pending.len());
        LeaderStatus {
            epoch: self.epoch,
            role: match self.part {
                Part::Follower(_) => Role::Follower,
                Part::Candidate(_) => Role::Candidate,
                Part::Leader(_) => Role::Leader,
            },
            term: self.term,
            leader: self.leader(),
            last: self.log.last(),
            durable: self.log.durable(),
            committed: self.commit,
            lease_until_ns: leadership
                .and_then(|leadership| leadership.lease.until())
                .map(|until| until.0),
            degraded: leadership.is_some_and(|leadership| leadership.degraded),
            pending: (pending + self.forwarded.len()) as u64,
            unsynced: self.journal.unsynced(),
            connected: self.connected.iter().copied().collect(),
            tally: self.tally,
        }
    }

    /// Which node this is.
    pub fn id(&self) -> NodeId {
        self.me
    }

    /// How many peers within reach of this leader are not known to hold all of its log; 0 if it does not lead.
    pub fn behind(&self) -> u64 {
        let Part::Leader(leadership) = &self.part else {
            return 0;
        };
        let last = self.log.last().index;
        let is_behind = |node: &NodeId| {
            let follower = leadership.followers.get(node);
            follower.is_none_or(|follower| follower.matched < last)
        };
        self.connected.iter().filter(|node| is_behind(node)).count() as u64
    }

    /// The phases of failovers that this node saw end, oldest first. Only the latest 1024 are kept.
    pub fn phases(&self) -> impl Iterator<Item = &PhaseEvent> {
        self.phases.iter()
    }

    /// All entries of its log, oldest first, durable or not.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.log.entries()
    }

    /// Records that [`LeaderNode::recover`] to what is held now, including what is on its way to the disk.
    pub fn snapshot(&self) -> impl Iterator<Item = LeaderRecord> {
        let promised = (self.term > Term::default()).then_some(LeaderRecord::Promised(self.term));
        promised.into_iter().chain(self.log.records())
    }

    /// The first step tells the time. What was promised before the start is not known, so that it may be a whole lease.
    fn boot(&mut self, now: Now) {
        self.booted = true;
        self.heard_at = now.monotonic;
        self.lost_at = Some(now.monotonic);
        let is_new = self.term == Term::default() && self.log.last().index == 0;
        let is_first = self.peers.iter().all(|peer| self.me < *peer);
        if !is_new {
            self.promise.renew(now);
        }
        if !is_new && self.term.node == self.me {
            self.rejoining = Some(now.monotonic);
        }
        // Nobody ever led as far as this node knows: the first of them need not wait until that is noticed.
        let due = if is_new && is_first {
            now.monotonic
                .after(Duration::from_millis(self.config.heartbeat_ms))
        } else {
            self.patience(now)
        };
        self.part = Part::Follower(Following { leader: None, due });
    }

    fn hear(
        &mut self,
        now: Now,
        from: NodeId,
        message: LeaderMessage,
        out: &mut Vec<LeaderOutput>,
    ) {
        match message {
            LeaderMessage::Append { .. } => self.hear_append(now, from, message, out),
            LeaderMessage::Copied {
                term,
                sent_ns,
                matched,
            } => self.hear_copied(now, from, term, Nanos(sent_ns), matched, out),
            LeaderMessage::Missing {
                term,
                sent_ns,
                hint,
            } => self.hear_missing(now, from, term, Nanos(sent_ns), hint, out),
            LeaderMessage::Fenced { promised } => self.hear_fenced(now, promised, out),
            LeaderMessage::Probe { id } => self.hear_probe(now, from, id, out),
            LeaderMessage::Hearing { id, leader } => self.hear_hearing(now, from, id, leader, out),
            LeaderMessage::Canvass { term, last } => self.hear_canvass(now, from, term, last, out),
            LeaderMessage::Ballot {
                term,
                granted,
                last,
                lease_left_ns,
            } => {
                let lease_left = Duration::from_nanos(lease_left_ns);
                self.hear_ballot(now, from, term, (granted, last, lease_left), out);
            }
            LeaderMessage::Nominate { term } => self.hear_nominate(now, term, out),
            LeaderMessage::Forward { id, term, ask } => {
                self.hear_forward(now, from, id, term, ask, out);
            }
            LeaderMessage::Forwarded { id, reply } => self.hear_forwarded(id, reply, out),
        }
    }

    fn connect(&mut self, now: Now, peer: NodeId, out: &mut Vec<LeaderOutput>) {
        if self.peers.contains(&peer) && self.connected.insert(peer) {
            self.greet_follower(now, peer, out);
        }
    }

    fn tick(&mut self, now: Now, out: &mut Vec<LeaderOutput>) {
        self.expire_forwarded(now, out);
        match &self.part {
            Part::Follower(following) if following.due <= now.monotonic => self.suspect(now, out),
            Part::Candidate(campaign) if campaign.due <= now.monotonic => {
                self.decide(now, true, out);
            }
            Part::Leader(_) => self.lead_on(now, out),
            _ => {}
        }
    }

    /// Follows no smaller term from here on. A leader or candidate of a smaller one ceases to be that.
    pub(super) fn promise(&mut self, now: Now, term: Term, out: &mut Vec<LeaderOutput>) {
        if term <= self.term {
            return;
        }
        self.term = term;
        self.persist(LeaderRecord::Promised(term), out);
        self.lost_at.get_or_insert(now.monotonic);
        match &mut self.part {
            Part::Follower(following) => following.leader = None,
            Part::Candidate(_) => {
                let due = self.patience(now);
                self.follow(None, due);
            }
            Part::Leader(_) => self.step_down(now, out),
        }
    }

    /// Becomes a follower, of a leader or of nobody.
    pub(super) fn follow(&mut self, leader: Option<NodeId>, due: Nanos) {
        self.part = Part::Follower(Following { leader, due });
    }

    /// Whom it believes to be the leader.
    pub(super) fn leader(&self) -> Option<NodeId> {
        match &self.part {
            Part::Follower(following) => following.leader,
            Part::Candidate(_) => None,
            Part::Leader(_) => Some(self.me),
        }
    }

    /// Hands a record to the disk.
    pub(super) fn persist(&mut self, record: LeaderRecord, out: &mut Vec<LeaderOutput>) {
        let token = self.journal.token();
        out.push(LeaderOutput::Persist { token, record });
    }

    /// Does something once everything handed to the disk is durable.
    pub(super) fn after_all(&mut self, now: Now, then: Then, out: &mut Vec<LeaderOutput>) {
        if let Some(then) = self.journal.after_all(then) {
            self.carry_out(now, then, out);
        }
    }

    fn carry_out(&mut self, now: Now, then: Then, out: &mut Vec<LeaderOutput>) {
        match then {
            Then::Durable(position) => {
                self.log.mark_durable(position);
                self.commit_more(now, out);
            }
            Then::Canvass(term) => self.canvass_durably(now, term, out),
            Then::Send(term, to, message) => {
                if term == self.term {
                    out.push(LeaderOutput::Send { to, message });
                }
            }
            Then::Copied {
                to,
                term,
                sent_ns,
                agreed,
            } => {
                let keeps_term = term == self.term || !self.config.fencing;
                if keeps_term && self.log.holds(agreed) {
                    // Its record is one of those that this waited for.
                    let message = LeaderMessage::Copied {
                        term,
                        sent_ns,
                        matched: agreed.index,
                    };
                    out.push(LeaderOutput::Send { to, message });
                }
            }
        }
    }

    /// Until when a silent leader is waited for.
    pub(super) fn patience(&mut self, now: Now) -> Nanos {
        let detect = Duration::from_millis(self.config.detect_ms);
        let jitter = self.jitter();
        now.monotonic.after(detect).after(jitter)
    }

    /// Some part of the jitter, drawn from the node's id and epoch.
    pub(super) fn jitter(&mut self) -> Duration {
        self.draws += 1;
        let mut seed = [0; 18];
        seed[..2].copy_from_slice(&self.me.0.to_le_bytes());
        seed[2..10].copy_from_slice(&self.epoch.to_le_bytes());
        seed[10..].copy_from_slice(&self.draws.to_le_bytes());
        let jitter_ns = self.config.jitter_ms.saturating_mul(1_000_000);
        Duration::from_nanos(xxh3_64(&seed) % jitter_ns.saturating_add(1))
    }

    /// Notes a phase that ends now.
    pub(super) fn note(&mut self, phase: Phase, from: Nanos, now: Now) {
        self.phases.add(phase, self.term, from, now.monotonic);
    }
}
