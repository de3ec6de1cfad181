//! Coordinating one write or delete: whom to send it to, counting acknowledgements, stand-ins and hints for those who are missing. It
//! sends nothing itself: it says what to send.
//!
//! (Minting ->) Waiting -> Replied. A write lives on after its reply only where somebody keeps hints: until everybody has acknowledged,
//! or its time is up and the rest get theirs.

use crate::config::NodeId;
use crate::protocol::content::Content;
use crate::wire::{Evidence, Response};

use super::quorum::{Nodes, Place, Progress, Requirement};

/// What a write wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum WriteEffect {
    /// Have this node hold it, for another if it stands in for one.
    Send(NodeId, Option<NodeId>),
    /// Keep it as a hint for this node.
    Hint(NodeId),
    /// Answer the client.
    Reply(Box<Response>),
}

/// What becomes of a write that some replica misses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missed {
    /// Nothing.
    Nothing,
    /// Another node stands in and keeps a hint.
    StandIn,
    /// The coordinator keeps a hint.
    Hint,
}

#[derive(Debug)]
struct Contact {
    place: Place,
    progress: Progress,
    /// Whether it was sent the write.
    sent: bool,
    /// Whether somebody else cares for it: a stand-in, or a hint.
    cared_for: bool,
}

/// A write that waits for its quorum.
#[derive(Debug)]
pub(in super::super) struct Write {
    requirement: Requirement,
    contacts: Vec<Contact>,
    /// Nodes that may stand in, best first.
    spares: Vec<Place>,
    missed: Missed,
    /// What is written; none until it has its dot.
    content: Option<Content>,
    evidence: Evidence,
    /// Hints that the coordinator keeps for it.
    hints: usize,
    replied: bool,
    /// Whether nodes say so as soon as they have received it.
    early: bool,
    /// [`crate::config::Sabotage::OneAfterAnother`].
    in_turn: bool,
}

impl Write {
    /// A write to these places. `evidence` tells what is known at the start.
    pub(super) fn new(
        requirement: Requirement,
        places: Vec<Place>,
        spares: Vec<Place>,
        missed: Missed,
        evidence: Evidence,
    ) -> Write {
        let contact = |place| Contact {
            place,
            progress: Progress::Asked,
            sent: false,
            cared_for: false,
        };
        let early = requirement.counts_received();
        Write {
            requirement,
            contacts: places.into_iter().map(contact).collect(),
            spares,
            missed,
            content: None,
            evidence,
            hints: 0,
            replied: false,
            early,
            in_turn: false,
        }
    }

    /// Sends it to one replica after the other.
    pub(super) fn in_turn(mut self) -> Write {
        self.in_turn = true;
        self
    }

    /// What is written, once it is known.
    pub(super) fn content(&self) -> Option<&Content> {
        self.content.as_ref()
    }

    /// Whether nodes are to say so as soon as they have received it.
    pub(super) fn is_early(&self) -> bool {
        self.early
    }

    /// Whether other nodes may stand in for slow ones.
    pub(super) fn may_hurry(&self) -> bool {
        self.missed == Missed::StandIn
    }

    /// Who gives the write its dot: the coordinator if it is a replica, else the first replica (or stand-in) within reach. A pending node
    /// does not, for it may hold too little of the key yet.
    pub(super) fn minter(&self, me: NodeId, reaches: impl Fn(NodeId) -> bool) -> Option<Place> {
        let places = || {
            let places = self.contacts.iter().map(|contact| contact.place);
            places.filter(|place| !place.pending)
        };
        let own = places().find(|place| place.node == me);
        let first = places().find(|place| reaches(place.node));
        own.or(first)
    }

    /// What is written is known now: send it to everybody who does not have it, and keep hints for those who are `down`.
    pub(super) fn start(
        &mut self,
        content: Content,
        down: impl Fn(NodeId) -> bool,
    ) -> Vec<WriteEffect> {
        self.content = Some(content);
        let mut effects = Vec::new();
        for contact in &mut self.contacts {
            let Place {
                node,
                stands_in_for,
                ..
            } = contact.place;
            if let Some(owner) = stands_in_for {
                self.evidence.fallbacks.push(node);
                self.evidence.hinted.push((owner, node));
            }
            if contact.sent {
                continue;
            }
            if self.missed == Missed::Hint && down(node) {
                contact.cared_for = true;
                effects.push(WriteEffect::Hint(node));
            }
            if !(self.in_turn
                && effects
                    .iter()
                    .any(|effect| matches!(effect, WriteEffect::Send(..))))
            {
                contact.sent = true;
                effects.push(WriteEffect::Send(node, stands_in_for));
            }
        }
        effects
    }

    /// Whether this node is one of the replicas that it is for, and not a stand-in.
    pub(super) fn is_held_by(&self, node: NodeId) -> bool {
        let mut places = self.contacts.iter().map(|contact| contact.place);
        places.any(|place| place.node == node && place.stands_in_for.is_none())
    }

    /// This node has it already: it gave the write its dot.
    pub(super) fn has(&mut self, node: NodeId) {
        if let Some(contact) = self.contact(node) {
            contact.sent = true;
        }
    }

    /// A node has received it.
    pub(super) fn received(&mut self, from: NodeId) -> Vec<WriteEffect> {
        if let Some(contact) = self.contact(from) {
            contact.progress = contact.progress.max(Progress::Received);
        }
        self.reply_if_met().into_iter().collect()
    }

    /// A node holds it, or what replaces it.
    pub(super) fn held(&mut self, from: NodeId) -> Vec<WriteEffect> {
        let Some(contact) = self.contact(from) else {
            return Vec::new();
        };
        contact.progress = Progress::Done;
        if !self.replied && !self.evidence.acked_by.contains(&from) {
            self.evidence.acked_by.push(from);
        }
        let mut effects: Vec<WriteEffect> = self.reply_if_met().into_iter().collect();
        if self.in_turn
            && let Some(next) = self.contacts.iter_mut().find(|contact| !contact.sent)
        {
            next.sent = true;
            effects.push(WriteEffect::Send(next.place.node, next.place.stands_in_for));
        }
        effects
    }

    /// The coordinator keeps a hint for this node, durably.
    pub(super) fn hinted(&mut self, owner: NodeId, keeper: NodeId) -> Vec<WriteEffect> {
        self.hints += 1;
        if !self.replied {
            self.evidence.hinted.push((owner, keeper));
        }
        self.reply_if_met().into_iter().collect()
    }

    /// Some replicas are slow: others stand in for them.
    pub(super) fn hurry(&mut self) -> Vec<WriteEffect> {
        if self.missed != Missed::StandIn || self.content.is_none() {
            return Vec::new();
        }
        let slow = self.contacts.iter_mut().filter(|contact| {
            contact.sent && !contact.cared_for && contact.progress < Progress::Done
        });
        let mut spares = std::mem::take(&mut self.spares).into_iter();
        let mut stand_ins = Vec::new();
        for contact in slow {
            let Some(spare) = spares.next() else { break };
            contact.cared_for = true;
            let owner = contact.place.stands_in_for.unwrap_or(contact.place.node);
            stand_ins.push(Place {
                stands_in_for: Some(owner),
                ..spare
            });
        }
        self.spares = spares.collect();
        let mut effects = Vec::new();
        for place in stand_ins {
            if !self.replied
                && let Some(owner) = place.stands_in_for
            {
                self.evidence.fallbacks.push(place.node);
                self.evidence.hinted.push((owner, place.node));
            }
            effects.push(WriteEffect::Send(place.node, place.stands_in_for));
            self.contacts.push(Contact {
                place,
                progress: Progress::Asked,
                sent: true,
                cared_for: false,
            });
        }
        effects
    }

    /// Its time is up: hints for those who have not acknowledged.
    pub(super) fn expire(&mut self) -> Vec<WriteEffect> {
        let mut effects = Vec::new();
        if self.missed == Missed::Hint && self.content.is_some() {
            for contact in &mut self.contacts {
                if contact.progress < Progress::Done && !contact.cared_for {
                    contact.cared_for = true;
                    effects.push(WriteEffect::Hint(contact.place.node));
                }
            }
        }
        effects
    }

    /// The reply when time is up; none if there was one already.
    pub(super) fn unknown(&mut self) -> Option<Response> {
        if std::mem::replace(&mut self.replied, true) {
            return None;
        }
        let why = match self.requirement.unmet(&self.progress()) {
            Some((have, need, "W")) => format!("{have} of {need} acknowledgements in time"),
            Some((have, need, name)) => {
                format!("{have} of {need} acknowledgements in time for {name}")
            }
            None => "no acknowledgement in time".to_owned(),
        };
        let evidence = self.evidence.clone();
        Some(Response::Unknown { why, evidence })
    }

    /// Whether nothing is left to wait for.
    pub(super) fn is_finished(&self) -> bool {
        let is_safe = |contact: &Contact| {
            contact.progress == Progress::Done || contact.cared_for && contact.sent
        };
        self.replied && (self.missed == Missed::Nothing || self.contacts.iter().all(is_safe))
    }

    fn contact(&mut self, node: NodeId) -> Option<&mut Contact> {
        self.contacts
            .iter_mut()
            .find(|contact| contact.place.node == node)
    }

    fn progress(&self) -> impl Nodes {
        let progress = |contact: &Contact| (contact.place, contact.progress);
        self.contacts.iter().map(progress)
    }

    /// The reply, once enough nodes have come far enough.
    pub(super) fn reply_if_met(&mut self) -> Option<WriteEffect> {
        let met = self.requirement.is_met(&self.progress())
            || self.requirement.hints_count && self.hints > 0;
        if self.replied || !met {
            return None;
        }
        self.replied = true;
        // Nothing is noted any more once it has replied.
        let evidence = std::mem::take(&mut self.evidence);
        let written = Response::Written { evidence };
        Some(WriteEffect::Reply(Box::new(written)))
    }

    /// Whether hints that were just asked for may still satisfy it.
    pub(super) fn may_be_hinted(&self) -> bool {
        !self.replied && self.requirement.hints_count && self.missed == Missed::Hint
    }
}
