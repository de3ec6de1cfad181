//! When tombstones are forgotten.
//!
//! By the timer alone each replica forgets for itself. By the other rule the replica that the key prefers asks every node once the time has
//! come, and tells all to forget only when all replicas hold the same and nobody keeps a hint of the key: an older value that is still
//! on its way to some replica would otherwise rise again. A message delayed for longer than the time is beyond both rules.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::config::{NodeId, Purge, Sabotage};

use super::content::Content;
use super::interface::Output;
use super::message::PeerMessage;
use super::record::Record;
use super::replica::Replica;
use super::time::{Nanos, Now};
use super::version::Key;

/// A tombstone that everybody is asked about.
#[derive(Debug)]
struct Inquiry {
    digest: u64,
    /// Who has not agreed.
    open: BTreeSet<NodeId>,
}

/// The tombstones of one node.
#[derive(Debug, Default)]
pub(super) struct Tombstones {
    /// When each of them is looked at next.
    due: BTreeSet<(Nanos, Key)>,
    when: BTreeMap<Key, Nanos>,
    inquiries: BTreeMap<Key, Inquiry>,
}

impl Tombstones {
    /// When the next one is looked at.
    pub(super) fn deadline(&self) -> Option<Nanos> {
        self.due.first().map(|(due, _)| *due)
    }

    fn plan(&mut self, key: Key, due: Nanos) {
        self.drop_plan(&key);
        self.due.insert((due, key.clone()));
        self.when.insert(key, due);
    }

    fn drop_plan(&mut self, key: &Key) {
        if let Some(due) = self.when.remove(key) {
            self.due.remove(&(due, key.clone()));
        }
    }
}

impl Replica {
    /// What is visible of a key has changed: if it is nothing but tombstones now, it is forgotten some time.
    pub(super) fn watch_tombstone(&mut self, now: Nanos, key: &Key) {
        let held = self.store.visible(key.as_str());
        if !held.is_some_and(Content::is_tombstone) {
            self.tombstones.drop_plan(key);
            self.tombstones.inquiries.remove(key);
            return;
        }
        if let Some(grace) = self.grace() {
            self.tombstones.plan(key.clone(), now.after(grace));
        }
    }

    /// After a start, or a change of the ring, everything that is held is as old as that: a grace that is too long forgets nothing too
    /// early.
    pub(super) fn watch_all_tombstones(&mut self, now: Nanos) {
        if self.grace().is_none() {
            return;
        }
        let tombstones = self
            .store
            .contents()
            .filter(|(_, content)| content.is_tombstone());
        for key in tombstones.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            self.watch_tombstone(now, &key);
        }
    }

    fn grace(&self) -> Option<Duration> {
        match self.config.options.purge {
            Purge::Never => None,
            Purge::AfterMs(_) | Purge::WhenAllHaveMs(_)
                if self.config.has(Sabotage::PurgeEarly) =>
            {
                Some(Duration::ZERO)
            }
            Purge::AfterMs(ms) | Purge::WhenAllHaveMs(ms) => Some(Duration::from_millis(ms)),
        }
    }

    /// Time passed.
    pub(super) fn purge(&mut self, now: Now, out: &mut Vec<Output>) {
        while let Some((due, key)) = self.tombstones.due.first().cloned() {
            if due > now.monotonic {
                return;
            }
            self.tombstones.drop_plan(&key);
            let Some(digest) = self.store.visible(key.as_str()).map(Content::digest) else {
                continue;
            };
            let alone = matches!(self.config.options.purge, Purge::AfterMs(_));
            if alone || self.config.has(Sabotage::PurgeEarly) {
                self.forget(&key, digest, out);
            } else {
                self.inquire(now, &key, digest, out);
            }
        }
    }

    /// Asks everybody, if this is the replica that the key prefers; again after the time, until all have agreed. While the ring changes
    /// nobody is asked: an older value may be on its way to a new owner.
    fn inquire(&mut self, now: Now, key: &Key, digest: u64, out: &mut Vec<Output>) {
        let again = self.grace().unwrap_or_default().max(self.timeout());
        if self.ring.change().is_none()
            && self.ring.owners(key.as_str()).reads.first() != Some(&self.me)
        {
            return;
        }
        self.tombstones
            .plan(key.clone(), now.monotonic.after(again));
        if self.ring.change().is_some() {
            return;
        }
        let nodes = (1..=self.config.nodes).map(NodeId);
        let others: BTreeSet<NodeId> = nodes
            .filter(|node| *node != self.me && !self.is_gone_for_good(*node))
            .collect();
        for to in &others {
            let key = key.clone();
            let message = PeerMessage::MayForget { key, digest };
            out.push(Output::Send { to: *to, message });
        }
        let open = others;
        self.tombstones
            .inquiries
            .insert(key.clone(), Inquiry { digest, open });
        self.forget_if_agreed(key, out);
    }

    /// A replica asks whether a tombstone may be forgotten.
    pub(super) fn may_forget(&self, from: NodeId, key: Key, digest: u64, out: &mut Vec<Output>) {
        if self.ring.change().is_some() {
            return;
        }
        let is_replica = self.ring.owners(key.as_str()).reads.contains(&self.me);
        let holds_it = || {
            let held = self.store.latest(key.as_str());
            held.is_some_and(|held| held.digest() == digest)
        };
        if self.hints.of_key(key.as_str()).is_none() && (!is_replica || holds_it()) {
            let message = PeerMessage::MayBeForgotten { key, digest };
            out.push(Output::Send { to: from, message });
        }
    }

    /// A node agrees.
    pub(super) fn may_be_forgotten(
        &mut self,
        from: NodeId,
        key: &Key,
        digest: u64,
        out: &mut Vec<Output>,
    ) {
        if let Some(inquiry) = self.tombstones.inquiries.get_mut(key)
            && inquiry.digest == digest
        {
            inquiry.open.remove(&from);
            self.forget_if_agreed(key, out);
        }
    }

    fn forget_if_agreed(&mut self, key: &Key, out: &mut Vec<Output>) {
        let agreed = |inquiry: &&Inquiry| inquiry.open.is_empty();
        let Some(Inquiry { digest, .. }) = self.tombstones.inquiries.get(key).filter(agreed) else {
            return;
        };
        let digest = *digest;
        self.tombstones.inquiries.remove(key);
        self.tombstones.drop_plan(key);
        if self.hints.of_key(key.as_str()).is_some() || self.ring.change().is_some() {
            return;
        }
        for to in self.ring.owners(key.as_str()).reads {
            if to != self.me {
                let key = key.clone();
                let message = PeerMessage::Forget { key, digest };
                out.push(Output::Send { to, message });
            }
        }
        self.forget(key, digest, out);
    }

    /// Forgets a key, if it is still what was looked at.
    pub(super) fn forget(&mut self, key: &Key, digest: u64, out: &mut Vec<Output>) {
        let held = self.store.visible(key.as_str());
        if !held.is_some_and(Content::is_tombstone) || self.store.forget(key, digest).is_none() {
            return;
        }
        self.counters.tombstones_purged += 1;
        self.follow_change(key);
        let key = key.clone();
        self.persist(Record::Purged { key, digest }, out);
    }
}
