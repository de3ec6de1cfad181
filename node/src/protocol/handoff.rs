//! Hinted handoff: the node as a keeper of hints. What it keeps is `hints.rs`.

use crate::config::{HintHolder, NodeId, Sabotage};

use super::content::Content;
use super::coordinator::Said;
use super::hints::{Due, Keep, Kept};
use super::interface::Output;
use super::message::{PeerMessage, RequestId};
use super::replica::Replica;
use super::store::Waiter;
use super::time::Now;
use super::version::Key;

impl Replica {
    /// Keeps what another node should hold, and tells the waiter once it is as safe as the settings ask; nothing if it is not kept.
    pub(super) fn keep_hint(
        &mut self,
        now: Now,
        owner: NodeId,
        key: Key,
        content: Content,
        waiter: Waiter,
        out: &mut Vec<Output>,
    ) {
        if owner == self.me {
            // What it is to hold itself is on its way to its own log, and nobody else could hand it over.
            return;
        }
        if self.config.options.hints.holder == HintHolder::Nobody || !self.is_member(owner) {
            // Nobody is told: what is not kept must not count.
            self.counters.hints_refused += 1;
            return;
        }
        let hint = Keep {
            owner,
            key,
            content,
            gone_ms: self.gone_ms(now, owner),
        };
        match self.hints.take(&mut self.tokens, now, hint, waiter) {
            Kept::Now => {
                self.counters.hints_kept += 1;
                self.tell_kept(now, owner, waiter, out);
            }
            Kept::Persist(token, record) => {
                self.counters.hints_kept += 1;
                out.push(Output::Persist { token, record });
            }
            Kept::Refused => self.counters.hints_refused += 1,
        }
    }

    /// A hint is kept safely: who waits for it is told.
    pub(super) fn tell_kept(
        &mut self,
        now: Now,
        owner: NodeId,
        waiter: Waiter,
        out: &mut Vec<Output>,
    ) {
        let is_own = waiter.coordinator == self.me && waiter.id.epoch == self.epoch;
        if is_own && self.keeps_hints() {
            self.coordinate(now, waiter.id.counter, self.me, Said::Hinted(owner), out);
        } else {
            self.tell_held(now, waiter, out);
        }
    }

    /// Hands over what is due to owners that are within reach again.
    pub(super) fn hand_over(&mut self, now: Now, out: &mut Vec<Output>) {
        if self.hints.deadline().is_none_or(|due| due > now.monotonic) {
            return;
        }
        for record in self.hints.expire(now.wall) {
            self.counters.hints_expired += 1;
            self.persist(record, out);
        }
        let (patience, epoch) = (self.timeout(), self.epoch);
        let (counter, links) = (&mut self.counter, &self.links);
        let name = || {
            *counter += 1;
            *counter
        };
        let reaches = |node: NodeId| links.reaches(node);
        let due = self.hints.due(now.monotonic, patience, reaches, name);
        for (
            counter,
            Due {
                owner,
                key,
                content,
            },
        ) in due
        {
            let id = RequestId { epoch, counter };
            let message = PeerMessage::Handoff {
                id,
                key: key.clone(),
                content,
            };
            out.push(Output::Send { to: owner, message });
            if self.config.has(Sabotage::HintDeletedEarly) {
                let record = self.hints.forget(owner, key);
                self.persist(record, out);
            }
        }
    }

    /// A node has what this one sent it on its own account: a hint, or a key that it is going to own.
    pub(super) fn delivered(&mut self, now: Now, from: NodeId, name: u64, out: &mut Vec<Output>) {
        if let Some(record) = self.hints.delivered(from, name) {
            self.counters.hints_delivered += 1;
            self.persist(record, out);
        } else {
            self.transferred(now, from, name, out);
        }
    }

    /// For how long a node has been out of reach, ms; 0 if it is within.
    fn gone_ms(&self, now: Now, node: NodeId) -> u64 {
        if node == self.me {
            return 0;
        }
        self.links.gone_ms(now.monotonic, node)
    }
}
