//! One node's part in the gossip: its failure detector, its knowledge of the ring, and when it speaks of either. Sans-IO: packets and
//! time come in, packets and news come out. It carries out nothing: who reads and writes what is `view`'s business.
//!
//! News of nodes travels as SWIM has it, in every message and in rounds of gossip, each piece a bounded number of times. What is known of
//! the ring travels by anti-entropy (Demers et al., PODC 1987): every message carries a digest of it, and whoever hears one that
//! differs from its own sends all it knows, so that a node that missed everything still catches up with the first word it hears.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::NodeId;
use crate::protocol::time::Nanos;
use crate::wire::{decode, encode};

use super::bootstrap::Copied;
use super::command::{Command, RingError};
use super::dice::Dice;
use super::life::Life;
use super::packet::{Digest, Packet, PacketError};
use super::settings::{Settings, SettingsError, transmissions};
use super::state::{RingState, Status};
use super::swim::{Opinion, Swim};
use super::timers::{Alarm, Outbox, Timers};

/// Something that must happen, or is to be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a packet. It may be lost.
    Send {
        /// Its receiver.
        to: NodeId,
        /// The packet.
        bytes: Vec<u8>,
    },
    /// The opinion of a node has changed, or it is in another life.
    Opinion {
        /// The node, and in which life.
        life: Life,
        /// What is thought of it now.
        opinion: Opinion,
    },
    /// More is known of the ring: keep [`Membership::ring`] on disk, and look at it anew.
    Ring,
}

/// One node's part.
#[derive(Debug)]
pub struct Membership {
    me: NodeId,
    settings: Settings,
    /// Whom one can speak to, whether or not they are in the ring.
    peers: Vec<NodeId>,
    swim: Swim,
    ring: RingState,
    digest: Digest,
    /// What each peer was last heard to know of the ring.
    heard: BTreeMap<NodeId, Digest>,
    /// In how many more rounds of gossip the ring is spoken of.
    rounds: u8,
    dice: Dice,
    timers: Timers,
    /// The peer that was called last.
    called: Option<NodeId>,
}

impl Membership {
    /// A node that starts, and calls all its peers. `ring` is what it knew when it stopped, or how the cluster begins; `seed` decides every
    /// random choice.
    pub fn new(
        now: Nanos,
        life: Life,
        settings: Settings,
        peers: impl IntoIterator<Item = NodeId>,
        ring: RingState,
        seed: u64,
        out: &mut Vec<Output>,
    ) -> Result<Membership, SettingsError> {
        settings.validate()?;
        let me = life.node;
        let mut peers: Vec<_> = peers.into_iter().filter(|node| *node != me).collect();
        peers.sort_unstable();
        peers.dedup();
        let mut dice = Dice::new(seed);
        let swim_dice = Dice::new(dice.below(u64::MAX));
        let mut membership = Membership {
            me,
            swim: Swim::new(life, &settings, peers.len() + 1, swim_dice),
            digest: Digest::of(&ring),
            settings,
            peers,
            ring,
            heard: BTreeMap::new(),
            rounds: 0,
            dice,
            timers: Timers::default(),
            called: None,
        };
        let mut outbox = Outbox::default();
        for peer in membership.peers.clone() {
            membership.swim.announce(peer, &mut outbox);
        }
        membership.set(now, Alarm::Gossip);
        membership.set(now, Alarm::Announce);
        membership.flush(now, outbox, out);
        Ok(membership)
    }

    /// There is a connection to this node: it is called at once, unless it is known to be alive. Without it the first calls, which
    /// nobody hears because there is no connection yet, would be repeated one by one.
    pub fn connected(&mut self, now: Nanos, peer: NodeId, out: &mut Vec<Output>) {
        if self.opinion(peer) != Some(Opinion::Alive) {
            let mut outbox = Outbox::default();
            self.swim.announce(peer, &mut outbox);
            self.flush(now, outbox, out);
        }
    }

    /// A packet arrived. If it cannot be used, nothing is lost but this packet.
    pub fn hear(
        &mut self,
        now: Nanos,
        from: NodeId,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), PacketError> {
        let packet = decode(bytes).map_err(|error| PacketError::Malformed {
            from,
            why: error.to_string(),
        })?;
        match packet {
            Packet::Swim {
                digest,
                accused,
                bytes,
            } => {
                let mut outbox = Outbox::default();
                let heard = self.swim.hear(from, &bytes, accused, &mut outbox);
                self.flush(now, outbox, out);
                heard?;
                if self.opinion(from) == Some(Opinion::Dead) {
                    // It lives, and must hear that it was buried: SWIM does not listen to the dead.
                    let mut outbox = Outbox::default();
                    self.swim.announce(from, &mut outbox);
                    self.flush(now, outbox, out);
                }
                self.heard.insert(from, digest);
                if digest != self.digest {
                    self.tell(from, true, out);
                }
            }
            Packet::Ring { state, answer } => {
                state
                    .validate()
                    .map_err(|source| PacketError::State { from, source })?;
                self.heard.insert(from, Digest::of(&state));
                if self.ring.merge(&state) {
                    self.ring_changed(out);
                }
                if answer && !self.agrees(from) {
                    self.tell(from, false, out);
                }
            }
        }
        Ok(())
    }

    /// The deadline has come. If it is long past, this node was itself asleep: time that it did not see does not count against others.
    pub fn tick(&mut self, now: Nanos, out: &mut Vec<Output>) {
        let Some(deadline) = self.deadline() else {
            return;
        };
        let late = std::time::Duration::from_nanos(now.0.saturating_sub(deadline.0));
        if late >= self.settings.probe_period() {
            self.timers.postpone(late);
        }
        while let Some(alarm) = self.timers.take(now) {
            let mut outbox = Outbox::default();
            match alarm {
                Alarm::Swim(timer) => self.swim.alarm(timer, &mut outbox),
                Alarm::Gossip => {
                    if self.rounds > 0 || self.swim.has_news() {
                        self.swim.gossip(&mut outbox);
                    }
                    self.rounds = self.rounds.saturating_sub(1);
                    let next = now.after(self.settings.gossip_period());
                    self.timers.add(next, Alarm::Gossip);
                }
                Alarm::Announce => {
                    if let Some(node) = self.to_call() {
                        self.called = Some(node);
                        self.swim.announce(node, &mut outbox);
                    }
                    let next = now.after(self.settings.announce_period());
                    self.timers.add(next, Alarm::Announce);
                }
            }
            self.flush(now, outbox, out);
        }
    }

    /// When [`Membership::tick`] must be called next.
    pub fn deadline(&self) -> Option<Nanos> {
        self.timers.deadline()
    }

    /// Carries out a decision of an administrator, on this node first. It is decided when the ring is on disk.
    pub fn command(&mut self, command: Command, out: &mut Vec<Output>) -> Result<(), RingError> {
        if let Command::Join {
            replaces: Some(dead),
            ..
        } = command
            && matches!(self.opinion(dead), Some(Opinion::Alive | Opinion::Suspect))
        {
            return Err(RingError::Alive(dead));
        }
        self.ring.command(self.me, command)?;
        self.ring_changed(out);
        Ok(())
    }

    /// The new owners have copied what they need: reads move to them.
    pub fn switch(&mut self, copied: &Copied, out: &mut Vec<Output>) -> Result<(), RingError> {
        self.ring.switch(self.me, copied)?;
        self.ring_changed(out);
        Ok(())
    }

    /// All nodes read from the new owners (see [`Membership::all_agree`]): the change of this node is done.
    pub fn settle(&mut self, node: NodeId, out: &mut Vec<Output>) -> Result<(), RingError> {
        self.ring.settle(self.me, node)?;
        self.ring_changed(out);
        Ok(())
    }

    /// What is thought of a node. None if it was never heard of; a node thinks itself alive.
    pub fn opinion(&self, node: NodeId) -> Option<Opinion> {
        if node == self.me {
            return Some(Opinion::Alive);
        }
        self.swim.known(node).map(|known| known.opinion)
    }

    /// The life in which a node was last heard of.
    pub fn life(&self, node: NodeId) -> Option<Life> {
        if node == self.me {
            return Some(self.swim.life());
        }
        self.swim.known(node).map(|known| known.life)
    }

    /// What is known of the ring.
    pub fn ring(&self) -> &RingState {
        &self.ring
    }

    /// Whether a node was last heard to know of the ring exactly what this one knows.
    pub fn agrees(&self, node: NodeId) -> bool {
        node == self.me || self.heard.get(&node) == Some(&self.digest)
    }

    /// Whether all nodes of the ring agree, and the one that comes or goes. A change may go on from one phase to the next only then: who
    /// does not know of a phase must not meet the phase after the next. Not asked are a node that is being replaced, and one that leaves
    /// and is dead: whoever commands that vouches that it serves nobody. Any other dead node holds a change up until it is back.
    pub fn all_agree(&self) -> bool {
        let mut asked: BTreeSet<_> = self.ring.owners_after().into_keys().collect();
        if let Some(change) = self.ring.change()
            && self.opinion(change.node) != Some(Opinion::Dead)
        {
            asked.insert(change.node);
        }
        asked.into_iter().all(|node| self.agrees(node))
    }

    /// How often the failure detector had to mend itself: 0 unless it is called out of turn.
    pub fn recoveries(&self) -> u64 {
        self.swim.recoveries()
    }

    /// The next peer to call, in turn: one that is not known to be alive, and not known to be gone for good. A suspect hears of it in time.
    fn to_call(&self) -> Option<NodeId> {
        let silent = |node: &NodeId| {
            let gone = self
                .ring
                .member(*node)
                .is_some_and(|member| member.status == Status::Removed);
            !gone && self.opinion(*node) != Some(Opinion::Alive)
        };
        let mut silent_peers = self.peers.iter().copied().filter(silent);
        let first = silent_peers.clone().next();
        silent_peers
            .find(|node| Some(*node) > self.called)
            .or(first)
    }

    /// Sets a timer to some moment of its first period, so that nodes which start together do not speak together for ever.
    fn set(&mut self, now: Nanos, alarm: Alarm) {
        let period = match alarm {
            Alarm::Announce => self.settings.announce_period(),
            _ => self.settings.gossip_period(),
        };
        let period_ns = u64::try_from(period.as_nanos()).unwrap_or(u64::MAX);
        let at = Nanos(
            now.0
                .saturating_add(1)
                .saturating_add(self.dice.below(period_ns)),
        );
        self.timers.add(at, alarm);
    }

    fn tell(&self, to: NodeId, answer: bool, out: &mut Vec<Output>) {
        let state = self.ring.clone();
        send(to, &Packet::Ring { state, answer }, out);
    }

    fn ring_changed(&mut self, out: &mut Vec<Output>) {
        self.digest = Digest::of(&self.ring);
        self.rounds = transmissions(self.peers.len() + 1).get();
        out.push(Output::Ring);
    }

    /// Passes on what the failure detector asked for, and what it thinks now.
    fn flush(&mut self, now: Nanos, outbox: Outbox, out: &mut Vec<Output>) {
        for (after, timer) in outbox.alarms {
            self.timers.add(now.after(after), Alarm::Swim(timer));
        }
        for (life, opinion) in self.swim.changes() {
            // Who was away may come back without its disk: what it knows is to be heard from it again.
            self.heard.remove(&life.node);
            out.push(Output::Opinion { life, opinion });
        }
        // A damaged packet may ask for a word with this node in another life.
        let sends = outbox.sends.into_iter();
        for (to, bytes) in sends.filter(|(to, _)| to.node != self.me) {
            let packet = Packet::Swim {
                digest: self.digest,
                accused: self.swim.accusation(to.node),
                bytes,
            };
            send(to.node, &packet, out);
        }
    }
}

fn send(to: NodeId, packet: &Packet, out: &mut Vec<Output>) {
    // Encoding into memory cannot fail; a packet that is not sent is a packet lost, which gossip bears.
    if let Ok(bytes) = encode(packet) {
        out.push(Output::Send { to, bytes });
    }
}
