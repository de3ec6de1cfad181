//! The node as one that gossips: it carries the packets of `membership`, keeps on disk what it knows of the ring, and follows it.
//!
//! What it has learnt of the ring it tells nobody before that is in its log. Others take its word for a promise, and go on with a change
//! once everybody has given it: a node that forgot in a crash what it had promised would serve by a ring that is two phases old. What a
//! change needs copied is `ring_change.rs`.

use crate::config::{NodeId, Sabotage};
use crate::wire::RingStatus;

use super::interface::{Output, Tag};
use super::membership::{self, Life, Membership, Opinion, Pending, RingState, Status};
use super::message::PeerMessage;
use super::record::Record;
use super::replica::Replica;
use super::ring_change::Drive;
use super::ring_copy::Streams;
use super::store::Token;
use super::time::{Nanos, Now};

/// Membership of one node.
#[derive(Debug)]
pub(super) struct Gossip {
    pub(super) membership: Membership,
    /// The newest record of the ring that is not in the log yet.
    unsynced: Option<Token>,
    /// Packets that wait for it.
    held_back: Vec<(NodeId, Vec<u8>)>,
    /// Commands that are answered when a record is in the log.
    pub(super) commands: Vec<(Token, Tag)>,
    /// The change that this node sees through.
    pub(super) drive: Option<Drive>,
    /// What it copies for others.
    pub(super) streams: Streams,
}

impl Gossip {
    /// What is known of the ring, for the log.
    pub(super) fn record(&self) -> Record {
        Record::Ring(self.membership.ring().clone())
    }

    /// The record that the newest knowledge of the ring waits for.
    pub(super) fn unsynced(&self) -> Option<Token> {
        self.unsynced
    }
}

impl Replica {
    /// Begins to gossip, if the settings say so. `ring` is what was known when this node stopped.
    pub(super) fn start_gossip(&mut self, ring: RingState) {
        let Some(gossip) = self.config.options.membership.gossip() else {
            return;
        };
        let peers = (1..=self.config.nodes).map(NodeId);
        let life = Life::new(self.me, self.epoch);
        let settings = gossip.detector.clone();
        let seed = seed(self.me, self.epoch);
        // Nobody is connected yet: what it would say now nobody hears.
        let mut unheard = Vec::new();
        let started = Membership::new(Nanos(0), life, settings, peers, ring, seed, &mut unheard);
        // Settings were looked at before there was any node: without any that make sense it does not gossip.
        let Ok(membership) = started else { return };
        self.ring = self.topology.view(membership.ring(), self.pending());
        self.gossip = Some(Gossip {
            membership,
            unsynced: None,
            held_back: Vec::new(),
            commands: Vec::new(),
            drive: None,
            streams: Streams::default(),
        });
    }

    /// When gossip, or a change of the ring, has something to do next.
    pub(super) fn gossip_deadline(&self) -> Option<Nanos> {
        let gossip = self.gossip.as_ref()?;
        let drive = gossip.drive.as_ref().and_then(Drive::deadline);
        let deadlines = [
            gossip.membership.deadline(),
            drive,
            gossip.streams.deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// Time passed.
    pub(super) fn gossip_on_time(&mut self, now: Now, out: &mut Vec<Output>) {
        self.with_membership(now, out, |membership, said| {
            if membership
                .deadline()
                .is_some_and(|due| due <= now.monotonic)
            {
                membership.tick(now.monotonic, said);
            }
        });
        self.copy_on_time(now, out);
        self.drive_on(now, out);
    }

    /// There is a connection to this peer.
    pub(super) fn greet(&mut self, now: Now, peer: NodeId, out: &mut Vec<Output>) {
        self.with_membership(now, out, |membership, said| {
            membership.connected(now.monotonic, peer, said);
        });
    }

    /// A packet of gossip.
    pub(super) fn hear_gossip(
        &mut self,
        now: Now,
        from: NodeId,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) {
        let mut refused = false;
        self.with_membership(now, out, |membership, said| {
            refused = membership.hear(now.monotonic, from, bytes, said).is_err();
        });
        self.counters.gossip_refused += u64::from(refused);
        self.drive_on(now, out);
    }

    /// Lets `act` do something with the membership, and does what comes of it.
    pub(super) fn with_membership(
        &mut self,
        now: Now,
        out: &mut Vec<Output>,
        act: impl FnOnce(&mut Membership, &mut Vec<membership::Output>),
    ) {
        let Some(gossip) = &mut self.gossip else {
            return;
        };
        let mut said = Vec::new();
        act(&mut gossip.membership, &mut said);
        let ring_changed = said.contains(&membership::Output::Ring);
        if ring_changed {
            // First of all, so that nothing of what follows is told before it is written.
            self.keep_ring(now, out);
        }
        for output in said {
            match output {
                membership::Output::Send { to, bytes } => self.send_gossip(to, bytes, out),
                membership::Output::Opinion { life, opinion } => {
                    self.change_opinion(now, life, opinion);
                }
                membership::Output::Ring => {}
            }
        }
    }

    /// A record is in the log. False if it is none of the ring's.
    pub(super) fn ring_persisted(&mut self, now: Now, token: Token, out: &mut Vec<Output>) -> bool {
        let Some(gossip) = &mut self.gossip else {
            return false;
        };
        let mut done = Vec::new();
        gossip.commands.retain(|(waits_for, tag)| {
            let is_done = *waits_for <= token;
            done.extend(is_done.then_some(*tag));
            !is_done
        });
        let is_newest = gossip.unsynced == Some(token);
        let mut free = Vec::new();
        if is_newest {
            gossip.unsynced = None;
            free = std::mem::take(&mut gossip.held_back);
        }
        for tag in done {
            let response = crate::wire::Response::Done;
            out.push(Output::Reply { tag, response });
        }
        for (to, bytes) in free {
            self.send_gossip(to, bytes, out);
        }
        if is_newest {
            self.drive_on(now, out);
        }
        is_newest
    }

    /// What an administrator is told of the ring.
    pub(super) fn ring_status(&self) -> Option<Box<RingStatus>> {
        let membership = &self.gossip.as_ref()?.membership;
        let peers = (1..=self.config.nodes).map(NodeId);
        let is_dead = |node: &NodeId| membership.opinion(*node) == Some(Opinion::Dead);
        let change = self.ring.change();
        Some(Box::new(RingStatus {
            owners: membership.ring().owners().into_iter().collect(),
            changing: change.map(|change| change.node),
            switched: change.is_some_and(|change| change.phase == membership::Phase::Switch),
            agreed: membership.all_agree(),
            dead: peers.filter(is_dead).collect(),
        }))
    }

    /// Whether a node has gone from the ring and is believed dead: nobody waits for it.
    pub(super) fn is_gone_for_good(&self, node: NodeId) -> bool {
        self.gossip.as_ref().is_some_and(|gossip| {
            let membership = &gossip.membership;
            let member = membership.ring().member(node);
            member.is_some_and(|member| member.status == Status::Removed)
                && membership.opinion(node) == Some(Opinion::Dead)
        })
    }

    fn pending(&self) -> Pending {
        if self.config.has(Sabotage::RingWithoutPending) {
            Pending::Ignored
        } else {
            Pending::Counted
        }
    }

    fn send_gossip(&mut self, to: NodeId, bytes: Vec<u8>, out: &mut Vec<Output>) {
        let Some(gossip) = &mut self.gossip else {
            return;
        };
        if gossip.unsynced.is_some() {
            gossip.held_back.push((to, bytes));
        } else {
            let message = PeerMessage::Gossip(bytes);
            out.push(Output::Send { to, message });
        }
    }

    fn change_opinion(&mut self, now: Now, life: Life, opinion: Opinion) {
        let is_dead = opinion == Opinion::Dead;
        self.links.believe(now.monotonic, life.node, is_dead);
        if is_dead {
            self.forget_comparisons(life.node);
        }
        self.copy_anew_to(life);
    }

    /// More is known of the ring: it is kept, and followed.
    fn keep_ring(&mut self, now: Now, out: &mut Vec<Output>) {
        let (pending, token) = (self.pending(), self.tokens.next());
        let Some(gossip) = &mut self.gossip else {
            return;
        };
        gossip.unsynced = Some(token);
        let record = gossip.record();
        let before = self.ring.fingerprint();
        self.ring = self.topology.view(gossip.membership.ring(), pending);
        out.push(Output::Persist { token, record });
        if self.ring.fingerprint() != before {
            gossip.streams.clear();
            self.regrow_forest();
            if self.ring.change().is_none() {
                self.watch_all_tombstones(now.monotonic);
            }
        }
    }
}

/// A number for each life of each node, so that no two of them roll the same dice.
fn seed(node: NodeId, epoch: u64) -> u64 {
    let mut name = [0; 10];
    name[..2].copy_from_slice(&node.0.to_le_bytes());
    name[2..].copy_from_slice(&epoch.to_le_bytes());
    xxhash_rust::xxh3::xxh3_64(&name)
}
