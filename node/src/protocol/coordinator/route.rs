//! What requests send and hear on their way, and what becomes of them when time passes.

use std::time::Duration;

use crate::config::{NodeId, Sabotage};
use crate::protocol::content::Content;
use crate::protocol::interface::Output;
use crate::protocol::message::{PeerMessage, RequestId};
use crate::protocol::replica::Replica;
use crate::protocol::store::Waiter;
use crate::protocol::time::Now;
use crate::wire::{Response, Stamp};

use super::read::{Question, ReadEffect};
use super::write::WriteEffect;
use super::{Coordination, HURRY_DIVISOR, Kind};

/// What a node (perhaps this one) said to a coordinator.
pub(in crate::protocol) enum Said {
    Received,
    Held,
    Answer(Option<Content>),
    Digest(Option<(u64, Option<Stamp>)>),
    Minted(Content),
    /// This node keeps a hint for that one, as safely as the settings ask.
    Hinted(NodeId),
}

impl Replica {
    /// What is written is known now: everybody is sent it.
    pub(super) fn spread(
        &mut self,
        now: Now,
        id: RequestId,
        content: Content,
        out: &mut Vec<Output>,
    ) {
        let (me, links) = (self.me, &self.links);
        let Some(Kind::Write(write)) = self.requests.get_mut(&id.counter).map(|c| &mut c.kind)
        else {
            return;
        };
        if write.content().is_some() {
            return;
        }
        let down = |node: NodeId| node != me && !links.reaches(node);
        let effects = write.start(content, down);
        self.fulfil(now, id.counter, effects, out);
        // A quorum of nobody is met before anybody has said anything.
        let met =
            self.requests.get_mut(&id.counter).and_then(|coordination| {
                match &mut coordination.kind {
                    Kind::Write(write) => write.reply_if_met(),
                    Kind::Read(_) => None,
                }
            });
        self.fulfil(now, id.counter, met.into_iter().collect(), out);
    }

    /// A node (perhaps this one) said something about a request.
    pub(in crate::protocol) fn coordinate(
        &mut self,
        now: Now,
        counter: u64,
        from: NodeId,
        said: Said,
        out: &mut Vec<Output>,
    ) {
        let Some(coordination) = self.requests.get_mut(&counter) else {
            return;
        };
        match (&mut coordination.kind, said) {
            (Kind::Write(write), said) => {
                let effects = match said {
                    Said::Received => write.received(from),
                    Said::Held => write.held(from),
                    Said::Hinted(owner) => write.hinted(owner, from),
                    Said::Minted(content) => {
                        let epoch = self.epoch;
                        self.spread(now, RequestId { epoch, counter }, content, out);
                        return;
                    }
                    Said::Answer(_) | Said::Digest(_) => return,
                };
                self.fulfil(now, counter, effects, out);
            }
            (Kind::Read(read), said) => {
                let was_repairing = read.is_repairing();
                let effects = match said {
                    Said::Held => read.held(from),
                    // Taken for a replica that did not answer: `filter(nonNull)` in sample code.
                    Said::Answer(None) if self.config.has(Sabotage::MissingIsFailure) => return,
                    Said::Answer(content) => read.answered(from, content),
                    Said::Digest(digest) => read.digested(from, digest),
                    Said::Received | Said::Minted(_) | Said::Hinted(_) => return,
                };
                if read.is_repairing() && !was_repairing {
                    self.hurry_later(now, counter);
                }
                self.carry_out(now, counter, effects, out);
            }
        }
    }

    /// Does what a read wants done. What this replica says to itself comes back at once, and may end the read.
    pub(super) fn carry_out(
        &mut self,
        now: Now,
        counter: u64,
        effects: Vec<ReadEffect>,
        out: &mut Vec<Output>,
    ) {
        let Some(Coordination { tag, key, .. }) = self.requests.get(&counter) else {
            return;
        };
        let (tag, key) = (*tag, key.clone());
        let epoch = self.epoch;
        let id = RequestId { epoch, counter };
        for effect in effects {
            match effect {
                ReadEffect::Reply(response) => {
                    let response = *response;
                    if matches!(response, Response::Value { .. }) {
                        self.count_read(now, counter);
                    } else {
                        self.counters.unknown += 1;
                        self.note_took(now, counter);
                    }
                    out.push(Output::Reply { tag, response });
                }
                ReadEffect::Ask(Question {
                    node: to,
                    digest,
                    stands_in,
                }) if to == self.me => {
                    let said = self.answer(key.as_str(), digest, stands_in);
                    self.coordinate(now, counter, to, said, out);
                }
                ReadEffect::Ask(Question {
                    node: to,
                    digest,
                    stands_in,
                }) => {
                    let message = PeerMessage::Read {
                        id,
                        key: key.clone(),
                        digest,
                        stand_in: stands_in,
                    };
                    out.push(Output::Send { to, message });
                }
                ReadEffect::Repair(to, hint_for, content) => {
                    self.counters.repairs_sent += 1;
                    if to == self.me {
                        let waiter = Waiter::new(to, id);
                        self.keep(now, key.clone(), content, hint_for, waiter, out);
                    } else {
                        let message = PeerMessage::Repair {
                            id,
                            key: key.clone(),
                            content,
                            hint_for,
                        };
                        out.push(Output::Send { to, message });
                    }
                }
            }
        }
        if let Some(coordination) = self.requests.get(&counter)
            && let Kind::Read(read) = &coordination.kind
            && read.is_finished()
        {
            self.end(counter);
        }
    }

    /// Does what a write wants done.
    pub(super) fn fulfil(
        &mut self,
        now: Now,
        counter: u64,
        effects: Vec<WriteEffect>,
        out: &mut Vec<Output>,
    ) {
        let Some(Coordination { tag, key, kind, .. }) = self.requests.get(&counter) else {
            return;
        };
        let Kind::Write(write) = kind else { return };
        let (tag, key, early) = (*tag, key.clone(), write.is_early());
        let content = write.content().cloned();
        let epoch = self.epoch;
        let id = RequestId { epoch, counter };
        for effect in effects {
            match (effect, &content) {
                (WriteEffect::Reply(response), _) => {
                    self.counters.writes_ok += 1;
                    self.note_took(now, counter);
                    let response = *response;
                    out.push(Output::Reply { tag, response });
                }
                (WriteEffect::Send(to, hint_for), Some(content)) => {
                    let (key, content) = (key.clone(), content.clone());
                    let hint_for = hint_for.map(|owner| self.addressee(key.as_str(), owner));
                    self.counters.fallbacks += u64::from(hint_for.is_some());
                    if to == self.me {
                        self.take_write(now, key, content, hint_for, Waiter::new(to, id), out);
                    } else {
                        let message = PeerMessage::Write {
                            id,
                            key,
                            content,
                            hint_for,
                            early,
                        };
                        out.push(Output::Send { to, message });
                    }
                }
                (WriteEffect::Hint(owner), Some(content)) => {
                    let owner = self.addressee(key.as_str(), owner);
                    let waiter = Waiter::new(self.me, id);
                    self.keep_hint(now, owner, key.clone(), content.clone(), waiter, out);
                }
                (WriteEffect::Send(..) | WriteEffect::Hint(_), None) => {}
            }
        }
        self.end_if_finished(counter);
    }

    fn end_if_finished(&mut self, counter: u64) {
        if let Some(coordination) = self.requests.get(&counter)
            && let Kind::Write(write) = &coordination.kind
            && write.is_finished()
        {
            self.end(counter);
        }
    }

    /// For whom a hint is kept: for whom it was meant, unless that is sabotaged.
    pub(super) fn addressee(&self, key: &str, owner: NodeId) -> NodeId {
        if self.config.has(Sabotage::HintToFirst) {
            let first = self.ring.owners(key).reads.first().copied();
            return first.unwrap_or(owner);
        }
        owner
    }

    /// Time passed: slow requests turn to other nodes, and what is overdue ends.
    pub(in crate::protocol) fn expire(&mut self, now: Now, out: &mut Vec<Output>) {
        while let Some((due, counter)) = self.timers.pop_first() {
            if due > now.monotonic {
                self.timers.insert((due, counter));
                return;
            }
            let Some(coordination) = self.requests.get_mut(&counter) else {
                continue;
            };
            if due >= coordination.expiry {
                self.give_up(now, counter, out);
                continue;
            }
            coordination.timer = coordination.expiry;
            self.timers.insert((coordination.timer, counter));
            match &mut coordination.kind {
                Kind::Read(read) => {
                    let effects = read.hurry();
                    self.carry_out(now, counter, effects, out);
                }
                Kind::Write(write) => {
                    let effects = write.hurry();
                    self.fulfil(now, counter, effects, out);
                }
            }
        }
    }

    /// The time of a request is up.
    fn give_up(&mut self, now: Now, counter: u64, out: &mut Vec<Output>) {
        let Some(coordination) = self.requests.get_mut(&counter) else {
            return;
        };
        if let Kind::Write(write) = &mut coordination.kind {
            let effects = write.expire();
            if write.may_be_hinted() && !effects.is_empty() {
                // The hints alone are enough; they only have to be safe first.
                let expiry = now.monotonic.after(self.timeout());
                let Some(coordination) = self.requests.get_mut(&counter) else {
                    return;
                };
                (coordination.expiry, coordination.timer) = (expiry, expiry);
                self.timers.insert((expiry, counter));
                self.fulfil(now, counter, effects, out);
                return;
            }
            self.fulfil(now, counter, effects, out);
        }
        let Some(coordination) = self.requests.get_mut(&counter) else {
            return;
        };
        let tag = coordination.tag;
        let unknown = match &mut coordination.kind {
            Kind::Write(write) => {
                let refuses = self.config.has(Sabotage::RefuseAfterSending);
                write.unknown().map(|unknown| match unknown {
                    Response::Unknown { .. } if refuses => {
                        let why = "too few acknowledgements in time".to_owned();
                        Response::Refused { why }
                    }
                    unknown => unknown,
                })
            }
            Kind::Read(read) => read.unknown(),
        };
        if unknown.is_some() {
            self.counters.unknown += 1;
            self.note_took(now, counter);
        }
        out.extend(unknown.map(|response| Output::Reply { tag, response }));
        self.requests.remove(&counter);
    }

    /// A read began to wait for its repairs: it has patience anew, but not beyond its expiry.
    fn hurry_later(&mut self, now: Now, counter: u64) {
        let patience = self.timeout() / HURRY_DIVISOR;
        if let Some(coordination) = self.requests.get_mut(&counter) {
            self.timers.remove(&(coordination.timer, counter));
            coordination.timer = now.monotonic.after(patience).min(coordination.expiry);
            self.timers.insert((coordination.timer, counter));
        }
    }

    /// Notes how long a request took that is answered now.
    fn note_took(&mut self, now: Now, counter: u64) {
        let Some(Coordination { began, kind, .. }) = self.requests.get(&counter) else {
            return;
        };
        let took = Duration::from_nanos(now.monotonic.0.saturating_sub(began.0));
        match kind {
            Kind::Read(_) => self.took.reads.note(took),
            Kind::Write(_) => self.took.writes.note(took),
        }
    }

    /// Counts a read that is answered.
    fn count_read(&mut self, now: Now, counter: u64) {
        self.counters.reads_ok += 1;
        self.note_took(now, counter);
        let Some(Coordination { began, kind, .. }) = self.requests.get(&counter) else {
            return;
        };
        let took = now.monotonic.0.saturating_sub(began.0);
        self.latencies.note(Duration::from_nanos(took));
        if let Kind::Read(read) = kind {
            let found = read.found();
            self.counters.reads_repaired += u64::from(found.stale);
            self.counters.digest_mismatches += u64::from(found.mismatch);
            self.counters.siblings_met += u64::from(found.siblings);
            self.counters.speculations += u64::from(found.hurried);
        }
    }
}
