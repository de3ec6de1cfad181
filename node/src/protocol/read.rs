//! Coordinating one read: collecting answers, choosing the newest, repairing the stale. It sends nothing itself: it says what to send.
//!
//! Asking -> (Repairing ->) Replied. After the reply a read lives on only for its repairs: until everybody who was asked has answered
//! and everybody who was told has acknowledged, or its time is up.

use crate::config::{NodeId, ReadRepair};
use crate::wire::{Evidence, Response};

use super::version::Version;

/// What a read wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Ask this replica.
    Ask(NodeId),
    /// Have this replica hold this version.
    Repair(NodeId, Version),
    /// Answer the client.
    Reply(Response),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Asking,
    Repairing,
    Replied,
}

/// What a read knows about one replica.
#[derive(Debug)]
struct Contact {
    node: NodeId,
    asked: bool,
    answered: bool,
    /// The newest version that it is known to hold, by its answer or its acknowledgement.
    holds: Option<Version>,
    /// The repair that it has not acknowledged.
    told: Option<Version>,
}

/// A read that waits for answers, or for its repairs.
#[derive(Debug)]
pub(super) struct Read {
    quorum: usize,
    repair: ReadRepair,
    phase: Phase,
    contacts: Vec<Contact>,
    /// The newest version of the first `quorum` answers: what is returned.
    result: Option<Version>,
    evidence: Evidence,
}

impl Read {
    /// A read that needs `quorum` answers. It asks `asked` first, and `spares` if those are slow.
    pub(super) fn new(
        quorum: usize,
        repair: ReadRepair,
        asked: &[NodeId],
        spares: &[NodeId],
        evidence: Evidence,
    ) -> Read {
        let contact = |node, asked| Contact {
            node,
            asked,
            answered: false,
            holds: None,
            told: None,
        };
        let asked = asked.iter().map(|node| contact(*node, true));
        let spares = spares.iter().map(|node| contact(*node, false));
        Read {
            quorum,
            repair,
            phase: Phase::Asking,
            contacts: asked.chain(spares).collect(),
            result: None,
            evidence,
        }
    }

    /// The first questions.
    pub(super) fn start(&self) -> Vec<Effect> {
        let asked = self.contacts.iter().filter(|contact| contact.asked);
        asked.map(|contact| Effect::Ask(contact.node)).collect()
    }

    /// A replica answered.
    pub(super) fn answered(&mut self, from: NodeId, version: Option<Version>) -> Vec<Effect> {
        let Some(contact) = self.contact(from) else {
            return Vec::new();
        };
        if !contact.asked || contact.answered {
            return Vec::new();
        }
        contact.answered = true;
        let stamp = version.as_ref().map(|version| version.stamp);
        contact.holds = version.max(contact.holds.take());
        if self.phase == Phase::Asking {
            self.evidence.answered_by.push((from, stamp));
            if self.evidence.answered_by.len() < self.quorum {
                return Vec::new();
            }
            return self.decide();
        }
        let mut effects = self.repair_stale();
        effects.extend(self.reply_if_held());
        effects
    }

    /// A replica acknowledged its repair.
    pub(super) fn held(&mut self, from: NodeId) -> Vec<Effect> {
        let waiting = self.phase == Phase::Repairing;
        let Some(contact) = self.contact(from) else {
            return Vec::new();
        };
        let Some(version) = contact.told.take() else {
            return Vec::new();
        };
        contact.holds = Some(version).max(contact.holds.take());
        if waiting {
            self.evidence.repaired.push(from);
        }
        let mut effects = self.repair_stale();
        effects.extend(self.reply_if_held());
        effects
    }

    /// Some replicas are slow: turn to the others.
    pub(super) fn hurry(&mut self) -> Vec<Effect> {
        let newest = self.newest();
        let mut effects = Vec::new();
        for contact in &mut self.contacts {
            match self.phase {
                Phase::Asking if !contact.asked => {
                    contact.asked = true;
                    effects.push(Effect::Ask(contact.node));
                }
                Phase::Repairing if contact.told.is_none() && contact.holds < self.result => {
                    effects.extend(contact.tell(newest.as_ref()));
                }
                _ => {}
            }
        }
        effects
    }

    /// The reply when time is up; none if there was one already.
    pub(super) fn unknown(&self) -> Option<Response> {
        let why = match self.phase {
            Phase::Asking => format!(
                "{} of {} answers in time",
                self.evidence.answered_by.len(),
                self.quorum
            ),
            Phase::Repairing => format!(
                "{} of {} replicas repaired in time",
                self.holders(),
                self.quorum
            ),
            Phase::Replied => return None,
        };
        let evidence = self.evidence.clone();
        Some(Response::Unknown { why, evidence })
    }

    /// Whether it waits for repairs that its reply depends on.
    pub(super) fn is_repairing(&self) -> bool {
        self.phase == Phase::Repairing
    }

    /// Whether nothing is left to wait for.
    pub(super) fn is_finished(&self) -> bool {
        let settled =
            |contact: &Contact| contact.told.is_none() && (contact.answered || !contact.asked);
        self.phase == Phase::Replied
            && (self.repair == ReadRepair::None || self.contacts.iter().all(settled))
    }

    fn contact(&mut self, node: NodeId) -> Option<&mut Contact> {
        self.contacts
            .iter_mut()
            .find(|contact| contact.node == node)
    }

    /// There are enough answers: the newest wins, however few hold it. A key that nobody holds is an answer too.
    fn decide(&mut self) -> Vec<Effect> {
        self.result = self.newest();
        self.evidence.version = self.result.as_ref().map(|version| version.stamp);
        self.phase = Phase::Repairing;
        let mut effects = self.repair_stale();
        if self.repair == ReadRepair::Blocking {
            effects.extend(self.reply_if_held());
        } else {
            let told = self
                .contacts
                .iter()
                .filter(|contact| contact.told.is_some());
            self.evidence.repaired = told.map(|contact| contact.node).collect();
            effects.insert(0, self.reply());
        }
        effects
    }

    /// Tells everybody who is known to be behind, once at a time.
    fn repair_stale(&mut self) -> Vec<Effect> {
        if self.repair == ReadRepair::None {
            return Vec::new();
        }
        let newest = self.newest();
        let stale = self
            .contacts
            .iter_mut()
            .filter(|contact| contact.answered && contact.told.is_none() && contact.holds < newest);
        stale
            .filter_map(|contact| contact.tell(newest.as_ref()))
            .collect()
    }

    /// Replies if the result is held by enough replicas that no later quorum can miss it.
    fn reply_if_held(&mut self) -> Option<Effect> {
        (self.phase == Phase::Repairing && self.holders() >= self.quorum).then(|| self.reply())
    }

    fn reply(&mut self) -> Effect {
        self.phase = Phase::Replied;
        let value = self
            .result
            .as_ref()
            .and_then(|version| version.value.as_deref());
        Effect::Reply(Response::Value {
            value: value.map(<[u8]>::to_vec),
            evidence: self.evidence.clone(),
        })
    }

    fn newest(&self) -> Option<Version> {
        let held = self.contacts.iter().map(|contact| &contact.holds);
        held.max().cloned().flatten()
    }

    /// How many replicas are known to hold the result or something newer.
    fn holders(&self) -> usize {
        let holder = |contact: &&Contact| match &self.result {
            Some(_) => contact.holds >= self.result,
            None => contact.answered,
        };
        self.contacts.iter().filter(holder).count()
    }
}

impl Contact {
    fn tell(&mut self, newest: Option<&Version>) -> Option<Effect> {
        self.told = newest.cloned();
        let repair = |version: &Version| Effect::Repair(self.node, version.clone());
        newest.map(repair)
    }
}
