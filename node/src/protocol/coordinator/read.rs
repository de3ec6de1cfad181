//! Coordinating one read: collecting answers, joining them, repairing the stale. It sends nothing itself: it says what to send.
//!
//! Asking -> (Repairing ->) Replied. After the reply a read lives on only for its repairs: until everybody who was asked has answered
//! and everybody who was told has acknowledged, or its time is up.

use crate::config::{NodeId, ReadRepair};
use crate::protocol::content::{CONTENT_BYTES_MAX, Content, context_of};
use crate::wire::{Evidence, Response, Stamp};

use super::quorum::{Nodes, Place, Progress, Requirement};

/// What a read wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum ReadEffect {
    /// Ask this node.
    Ask(Question),
    /// Have this node hold this, for another if it stands in for one.
    Repair(NodeId, Option<NodeId>, Content),
    /// Answer the client.
    Reply(Box<Response>),
}

/// What a node is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Question {
    pub(super) node: NodeId,
    /// Only for a digest.
    pub(super) digest: bool,
    /// As a node that stands in for a replica.
    pub(super) stands_in: bool,
}

/// How a read goes about it.
#[derive(Clone, Debug)]
pub(super) struct Manner {
    /// What must have answered.
    pub(super) requirement: Requirement,
    /// What must hold the result before the reply, with blocking repair; the same if there is nothing else.
    pub(super) write_back: Option<Requirement>,
    pub(super) repair: ReadRepair,
    /// Whether all but the first are asked for digests.
    pub(super) digest: bool,
    /// Whether clients are given all siblings.
    pub(super) all_siblings: bool,
}

impl Manner {
    fn write_back(&self) -> &Requirement {
        self.write_back.as_ref().unwrap_or(&self.requirement)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Asking,
    Repairing,
    Replied,
}

/// What a read knows about one node.
#[derive(Debug)]
struct Contact {
    place: Place,
    asked: bool,
    /// Whether it was asked for a digest only.
    for_digest: bool,
    answered: bool,
    /// What it said instead of all that it holds, until it is known what that is a digest of.
    digest: Said,
    /// What it is known to hold, by its answer or its acknowledgement.
    holds: Option<Content>,
    /// The repair that it has not acknowledged.
    told: Option<Content>,
}

/// What a node said of what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// All of it, or nothing yet.
    All,
    /// That it holds nothing, or what has this digest.
    Digest(Option<u64>),
}

/// A read that waits for answers, or for its repairs.
#[derive(Debug)]
pub(in super::super) struct Read {
    manner: Manner,
    phase: Phase,
    contacts: Vec<Contact>,
    /// All that the answers hold when there are enough of them: what is returned.
    result: Option<Content>,
    evidence: Evidence,
    /// What it found, for the coordinator's counters.
    found: Found,
}

/// What a read came upon.
#[expect(
    clippy::struct_excessive_bools,
    reason = "four things that a read may find, each by itself"
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Some answer was older than the result.
    pub(super) stale: bool,
    /// Digests differed.
    pub(super) mismatch: bool,
    /// The result has several siblings.
    pub(super) siblings: bool,
    /// It asked nodes that it had not asked at first.
    pub(super) hurried: bool,
}

impl Read {
    /// A read that asks `asked` first, and `spares` if those are slow. `pending` nodes are never asked; they are told the result.
    pub(super) fn new(
        manner: Manner,
        asked: &[Place],
        spares: &[Place],
        pending: &[Place],
        evidence: Evidence,
    ) -> Read {
        let contact = |place, asked, for_digest| Contact {
            place,
            asked,
            for_digest,
            answered: false,
            digest: Said::All,
            holds: None,
            told: None,
        };
        let digest = manner.digest;
        let asked = (0..).zip(asked);
        let asked = asked.map(|(number, place)| contact(*place, true, digest && number > 0));
        let others = spares.iter().chain(pending);
        let others = others.map(|place| contact(*place, false, false));
        Read {
            manner,
            phase: Phase::Asking,
            contacts: asked.chain(others).collect(),
            result: None,
            evidence,
            found: Found::default(),
        }
    }

    /// The first questions.
    pub(super) fn start(&self) -> Vec<ReadEffect> {
        let asked = self.contacts.iter().filter(|contact| contact.asked);
        asked.map(Contact::question).collect()
    }

    /// A node answered.
    pub(super) fn answered(&mut self, from: NodeId, content: Option<Content>) -> Vec<ReadEffect> {
        let stamp = content.as_ref().and_then(Content::stamp);
        let Some(contact) = self.contact(from) else {
            return Vec::new();
        };
        if !contact.asked || contact.answered {
            return Vec::new();
        }
        contact.answered = true;
        contact.digest = Said::All;
        contact.learn(content);
        self.note(from, stamp);
        if self.phase == Phase::Asking {
            return self.decide_if_met();
        }
        let mut effects = self.repair_stale();
        effects.extend(self.reply_if_held());
        effects
    }

    /// A node answered by a digest.
    pub(super) fn digested(
        &mut self,
        from: NodeId,
        digest: Option<(u64, Option<Stamp>)>,
    ) -> Vec<ReadEffect> {
        let Some(contact) = self.contact(from) else {
            return Vec::new();
        };
        if !contact.for_digest || contact.answered {
            return Vec::new();
        }
        contact.answered = true;
        contact.digest = Said::Digest(digest.map(|(digest, _)| digest));
        self.note(from, digest.and_then(|(_, stamp)| stamp));
        match self.phase {
            Phase::Asking => self.decide_if_met(),
            // Too late for the result, but whoever is stale is repaired.
            Phase::Repairing | Phase::Replied => {
                let mut effects = self.compare_digests();
                effects.extend(self.repair_stale());
                effects.extend(self.reply_if_held());
                effects
            }
        }
    }

    /// A replica acknowledged its repair.
    pub(super) fn held(&mut self, from: NodeId) -> Vec<ReadEffect> {
        let waiting = self.phase == Phase::Repairing;
        let Some(contact) = self.contact(from) else {
            return Vec::new();
        };
        let Some(content) = contact.told.take() else {
            return Vec::new();
        };
        contact.learn(Some(content));
        if waiting {
            self.evidence.repaired.push(from);
        }
        let mut effects = self.repair_stale();
        effects.extend(self.reply_if_held());
        effects
    }

    /// Some replicas are slow: turn to the others.
    pub(super) fn hurry(&mut self) -> Vec<ReadEffect> {
        let newest = self.newest();
        let mut effects = Vec::new();
        for contact in &mut self.contacts {
            match self.phase {
                Phase::Asking if !contact.asked && !contact.place.pending => {
                    contact.asked = true;
                    self.found.hurried = true;
                    effects.push(contact.question());
                }
                Phase::Repairing
                    if contact.told.is_none() && !contact.has(self.result.as_ref()) =>
                {
                    effects.extend(contact.tell(newest.as_ref()));
                }
                _ => {}
            }
        }
        effects
    }

    /// The reply when time is up; none if there was one already.
    pub(super) fn unknown(&self) -> Option<Response> {
        let (requirement, what, doing) = match self.phase {
            Phase::Asking => {
                let answers: Vec<_> = self.answers().into_iter().collect();
                (&self.manner.requirement, "answers", answers)
            }
            Phase::Repairing => {
                let holders: Vec<_> = self.holders().into_iter().collect();
                (self.manner.write_back(), "replicas repaired", holders)
            }
            Phase::Replied => return None,
        };
        let why = match requirement.unmet(&doing) {
            Some((have, need, "R")) => format!("{have} of {need} {what} in time"),
            Some((have, need, name)) => format!("{have} of {need} {what} in time for {name}"),
            None => format!("no replica sent more than a digest, {what} in time"),
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
            && (self.manner.repair == ReadRepair::None || self.contacts.iter().all(settled))
    }

    /// What it came upon so far.
    pub(super) fn found(&self) -> Found {
        self.found
    }

    fn contact(&mut self, node: NodeId) -> Option<&mut Contact> {
        self.contacts
            .iter_mut()
            .find(|contact| contact.place.node == node)
    }

    /// Writes down who made the answer.
    fn note(&mut self, from: NodeId, stamp: Option<Stamp>) {
        if self.phase != Phase::Asking {
            return;
        }
        let answers = &mut self.evidence.answered_by;
        match answers.iter_mut().find(|(node, _)| *node == from) {
            Some((_, held)) => *held = stamp,
            None => answers.push((from, stamp)),
        }
        let stands_in =
            |contact: &Contact| contact.place.node == from && contact.place.stands_in_for.is_some();
        if self.contacts.iter().any(stands_in) && !self.evidence.fallbacks.contains(&from) {
            self.evidence.fallbacks.push(from);
        }
    }

    fn decide_if_met(&mut self) -> Vec<ReadEffect> {
        let met = self.manner.requirement.is_met(&self.answers());
        let has_content = |contact: &Contact| contact.answered && contact.digest == Said::All;
        if !met || !self.contacts.iter().any(has_content) {
            return Vec::new();
        }
        let questions = self.compare_digests();
        if questions.is_empty() {
            self.decide()
        } else {
            questions
        }
    }

    /// Digests of what some other node has sent tell that their nodes hold the same. The rest are asked again, for all of it.
    fn compare_digests(&mut self) -> Vec<ReadEffect> {
        if self
            .contacts
            .iter()
            .all(|contact| contact.digest == Said::All)
        {
            return Vec::new();
        }
        let known: Vec<Option<Content>> = self
            .contacts
            .iter()
            .filter(|contact| contact.answered && contact.digest == Said::All)
            .map(|contact| contact.holds.clone())
            .collect();
        let mut effects = Vec::new();
        for contact in &mut self.contacts {
            let Said::Digest(digest) = contact.digest else {
                continue;
            };
            let same = |content: &&Option<Content>| content.as_ref().map(Content::digest) == digest;
            if let Some(content) = known.iter().find(same) {
                contact.holds.clone_from(content);
                contact.digest = Said::All;
            } else {
                (contact.answered, contact.for_digest) = (false, false);
                contact.digest = Said::All;
                self.found.mismatch = true;
                effects.push(contact.question());
            }
        }
        effects
    }

    /// There are enough answers: all that they hold counts, however few hold it. A key that nobody holds is an answer too.
    fn decide(&mut self) -> Vec<ReadEffect> {
        self.result = self.newest();
        self.evidence.version = self.result.as_ref().and_then(Content::stamp);
        self.found.siblings = self
            .result
            .as_ref()
            .is_some_and(|content| content.siblings() > 1);
        let result = self.result.as_ref();
        self.found.stale = self
            .contacts
            .iter()
            .any(|contact| contact.answered && !contact.has(result));
        self.phase = Phase::Repairing;
        let mut effects = self.repair_stale();
        if self.manner.repair == ReadRepair::Blocking {
            effects.extend(self.reply_if_held());
        } else {
            let told = self
                .contacts
                .iter()
                .filter(|contact| contact.told.is_some());
            self.evidence.repaired = told.map(|contact| contact.place.node).collect();
            effects.insert(0, self.reply());
        }
        effects
    }

    /// Tells everybody who is known to be behind, once at a time, and the pending nodes, of which nothing is known.
    fn repair_stale(&mut self) -> Vec<ReadEffect> {
        if self.manner.repair == ReadRepair::None {
            return Vec::new();
        }
        let newest = self.newest();
        let stale = self.contacts.iter_mut().filter(|contact| {
            (contact.answered || contact.place.pending)
                && contact.digest == Said::All
                && contact.told.is_none()
                && !contact.has(newest.as_ref())
        });
        stale
            .filter_map(|contact| contact.tell(newest.as_ref()))
            .collect()
    }

    /// Replies if the result is held by enough replicas that no later quorum can miss it.
    fn reply_if_held(&mut self) -> Option<ReadEffect> {
        let waits = self.phase == Phase::Repairing;
        let met = waits && self.manner.write_back().is_met(&self.holders());
        met.then(|| self.reply())
    }

    fn reply(&mut self) -> ReadEffect {
        self.phase = Phase::Replied;
        let result = self.result.as_ref();
        let all = self.manner.all_siblings;
        if let Some(bytes) = result
            .map(Content::weight)
            .filter(|b| *b > CONTENT_BYTES_MAX)
        {
            let why =
                format!("the siblings together take {bytes} bytes: no answer has room for them");
            let evidence = self.evidence.clone();
            return ReadEffect::Reply(Box::new(Response::Unknown { why, evidence }));
        }
        // Nothing is noted any more once it has replied.
        ReadEffect::Reply(Box::new(Response::Value {
            values: result.map_or_else(Vec::new, |content| content.values(all)),
            context: context_of(result),
            evidence: std::mem::take(&mut self.evidence),
        }))
    }

    /// All that anybody is known to hold.
    fn newest(&self) -> Option<Content> {
        joined(
            self.contacts
                .iter()
                .filter_map(|contact| contact.holds.as_ref()),
        )
    }

    /// Who has answered.
    fn answers(&self) -> impl Nodes {
        self.having(|contact| contact.answered)
    }

    /// Who is known to hold the result or something newer.
    fn holders(&self) -> impl Nodes {
        let result = self.result.as_ref();
        self.having(move |contact| match result {
            Some(_) => contact.has(result),
            None => contact.answered || contact.place.pending,
        })
    }

    fn having(&self, has: impl Fn(&Contact) -> bool + Clone) -> impl Nodes {
        let having = self.contacts.iter().filter(move |contact| has(contact));
        having.map(|contact| (contact.place, Progress::Done))
    }
}

impl Contact {
    fn question(&self) -> ReadEffect {
        ReadEffect::Ask(Question {
            node: self.place.node,
            digest: self.for_digest,
            stands_in: self.place.stands_in_for.is_some(),
        })
    }

    /// It is known to hold this, too.
    fn learn(&mut self, content: Option<Content>) {
        match (&mut self.holds, content) {
            (Some(holds), Some(content)) => holds.merge(&content),
            (holds @ None, content) => *holds = content,
            (Some(_), None) => {}
        }
    }

    /// Whether it is known to hold all of that.
    fn has(&self, content: Option<&Content>) -> bool {
        match (content, &self.holds) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(content), Some(holds)) => holds.covers(content),
        }
    }

    fn tell(&mut self, newest: Option<&Content>) -> Option<ReadEffect> {
        self.told = newest.cloned();
        let Place {
            node,
            stands_in_for,
            ..
        } = self.place;
        newest.map(|content| ReadEffect::Repair(node, stands_in_for, content.clone()))
    }
}

/// All that is in any of them.
fn joined<'a>(contents: impl Iterator<Item = &'a Content>) -> Option<Content> {
    contents.fold(None, |joined: Option<Content>, content| match joined {
        None => Some(content.clone()),
        Some(mut joined) => {
            joined.merge(content);
            Some(joined)
        }
    })
}
