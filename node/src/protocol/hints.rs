//! Hints: what a node keeps for replicas that could not be reached, until they acknowledge it.
//!
//! It keeps, counts and chooses what is handed over next. Whether a hint counts towards a quorum is the coordinator's business, and
//! how hints travel is `replica.rs`'s. Hints are no replicas: they are lost with their holder, and expire.

use std::collections::BTreeMap;

use crate::config::{self, NodeId};
use crate::wire::{HintsKept, KEY_BYTES_MAX};

use super::content::{CONTENT_BYTES_MAX, Content};
use super::record::Record;
use super::store::{Token, Tokens, Waiter};
use super::time::{Nanos, Now, WallNanos};
use super::version::Key;

/// What a hint takes of memory besides its key and its content, bytes.
const HINT_BYTES: u64 = 160;

/// One hint.
#[derive(Debug)]
struct Hint {
    content: Content,
    /// The wall clock when the first of it came.
    since: WallNanos,
    /// The name under which it was sent to its owner, and until when an answer is waited for.
    sent: Option<(u64, Nanos)>,
}

/// Something to keep.
#[derive(Debug)]
pub(super) struct Keep {
    pub(super) owner: NodeId,
    pub(super) key: Key,
    pub(super) content: Content,
    /// For how long its owner has been out of reach, ms.
    pub(super) gone_ms: u64,
}

/// What became of a hint that the node was asked to keep.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// It is kept, as safely as the settings ask.
    Now,
    /// Persist it; who waits is told later.
    Persist(Token, Record),
    /// There is no room for it, or its owner has been gone for too long.
    Refused,
}

/// A hint that is due to be handed over.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) owner: NodeId,
    pub(super) key: Key,
    pub(super) content: Content,
}

/// The hints of one node.
#[derive(Debug)]
pub(super) struct Hints {
    settings: config::Hints,
    /// By owner and key.
    kept: BTreeMap<(NodeId, Key), Hint>,
    /// Bytes of keys and values, by owner.
    bytes: BTreeMap<NodeId, u64>,
    /// What all of them take of memory by the node's reckoning, bytes, and the most that they may.
    weight: u64,
    weight_max: u64,
    /// On their way to the log, with their owner and who waits for them.
    unsynced: BTreeMap<Token, (NodeId, Waiter)>,
    /// When the node looks next whether something can be handed over.
    look: Option<Nanos>,
    /// What was sent last, to go on after it: else a throttled holder would never come to its last owner.
    last: Option<(NodeId, Key)>,
    /// Bytes that may still be sent before the throttle lets more through.
    allowance: u64,
}

impl Hints {
    pub(super) fn new(settings: config::Hints, weight_max: u64) -> Hints {
        Hints {
            settings,
            weight: 0,
            weight_max,
            kept: BTreeMap::new(),
            bytes: BTreeMap::new(),
            unsynced: BTreeMap::new(),
            look: None,
            last: None,
            allowance: 0,
        }
    }

    /// Takes a record of the log again.
    pub(super) fn recover(&mut self, owner: NodeId, key: Key, content: Content, since: WallNanos) {
        self.put(owner, key, content, since);
        self.look = Some(Nanos(0));
    }

    /// Takes a record of the log again that says that a hint is gone.
    pub(super) fn recover_gone(&mut self, owner: NodeId, key: &Key) {
        self.drop_hint(owner, key);
    }

    /// Keeps something for its owner; the waiter is told when it is safe.
    pub(super) fn take(
        &mut self,
        tokens: &mut Tokens,
        now: Now,
        hint: Keep,
        waiter: Waiter,
    ) -> Kept {
        let Keep {
            owner,
            key,
            content,
            gone_ms,
        } = hint;
        let too_late = self
            .settings
            .window_ms
            .is_some_and(|window_ms| gone_ms > window_ms);
        let bytes = self.bytes.get(&owner).copied().unwrap_or(0);
        let too_many = bytes.saturating_add(bytes_of(&key, &content)) > self.settings.bytes_max;
        if too_late || too_many || !self.has_room(owner, &key, &content) {
            return Kept::Refused;
        }
        self.put(owner, key.clone(), content.clone(), now.wall);
        let soon = now.monotonic.after(self.interval());
        self.look = Some(self.look.map_or(soon, |look| look.min(soon)));
        if !self.settings.durable {
            return Kept::Now;
        }
        let token = tokens.next();
        self.unsynced.insert(token, (owner, waiter));
        let since_ns = now.wall.0;
        let record = Record::Hint {
            owner,
            key,
            content,
            since_ns,
        };
        Kept::Persist(token, record)
    }

    /// The log has this record. Returns whose hint it was, and who must be told; none if it was no hint.
    pub(super) fn persisted(&mut self, token: Token) -> Option<(NodeId, Waiter)> {
        self.unsynced.remove(&token)
    }

    /// When the node must look next.
    pub(super) fn deadline(&self) -> Option<Nanos> {
        self.look
    }

    /// What can be handed over now to owners that are reachable, as much as the throttle lets through. Each is given a name by `name`.
    pub(super) fn due(
        &mut self,
        now: Nanos,
        patience: std::time::Duration,
        reaches: impl Fn(NodeId) -> bool,
        mut name: impl FnMut() -> u64,
    ) -> Vec<(u64, Due)> {
        if self.look.is_none_or(|look| look > now) {
            return Vec::new();
        }
        let interval_ms = self.settings.interval_ms;
        let most = self.settings.bytes_per_s_max.saturating_mul(interval_ms) / 1_000;
        let unlimited = self.settings.bytes_per_s_max == 0;
        // What was not used up is not saved, but a hint larger than one look's share must come through some time.
        self.allowance = self.allowance.min(most).saturating_add(most);
        let start = self.last.clone();
        let mut order: Vec<(NodeId, Key)> = self.kept.keys().cloned().collect();
        let next = start.map_or(0, |last| order.partition_point(|place| *place <= last));
        order.rotate_left(next);
        let mut due = Vec::new();
        for (owner, key) in order {
            let place = (owner, key.clone());
            let Some(hint) = self.kept.get_mut(&place) else {
                continue;
            };
            let waits = hint.sent.is_some_and(|(_, until)| until > now);
            if waits || !reaches(owner) {
                continue;
            }
            let bytes = bytes_of(&key, &hint.content);
            if !unlimited && bytes > self.allowance && !due.is_empty() {
                break;
            }
            self.allowance = self.allowance.saturating_sub(bytes);
            let sent = name();
            hint.sent = Some((sent, now.after(patience)));
            let content = hint.content.clone();
            due.push((
                sent,
                Due {
                    owner,
                    key,
                    content,
                },
            ));
            self.last = Some(place);
        }
        self.look = (!self.kept.is_empty()).then(|| now.after(self.interval()));
        due
    }

    /// The owner has what was sent under this name. Returns what to write to the log, if the hint is gone with that.
    pub(super) fn delivered(&mut self, from: NodeId, name: u64) -> Option<Record> {
        let sent = |((owner, _), hint): &(&(NodeId, Key), &Hint)| {
            *owner == from && hint.sent.is_some_and(|(sent, _)| sent == name)
        };
        let (place, _) = self.kept.iter().find(sent)?;
        let (owner, key) = place.clone();
        self.drop_hint(owner, &key);
        Some(Record::HintGone { owner, key })
    }

    /// Drops what has become too old. Returns what to write to the log.
    pub(super) fn expire(&mut self, wall: WallNanos) -> Vec<Record> {
        let Some(window_ms) = self.settings.window_ms else {
            return Vec::new();
        };
        let most_ns = i64::try_from(window_ms.saturating_mul(1_000_000)).unwrap_or(i64::MAX);
        let old: Vec<(NodeId, Key)> = self
            .kept
            .iter()
            .filter(|(_, hint)| wall.0.saturating_sub(hint.since.0) > most_ns)
            .map(|(place, _)| place.clone())
            .collect();
        for (owner, key) in &old {
            self.drop_hint(*owner, key);
        }
        old.into_iter()
            .map(|(owner, key)| Record::HintGone { owner, key })
            .collect()
    }

    /// Forgets a hint without waiting for anybody: [`crate::config::Sabotage::HintDeletedEarly`].
    pub(super) fn forget(&mut self, owner: NodeId, key: Key) -> Record {
        self.drop_hint(owner, &key);
        Record::HintGone { owner, key }
    }

    /// All that is kept of a key, for whomever.
    pub(super) fn of_key(&self, key: &str) -> Option<Content> {
        let mut all: Option<Content> = None;
        for ((_, held), hint) in &self.kept {
            if held.as_str() != key {
                continue;
            }
            match &mut all {
                Some(all) => all.merge(&hint.content),
                None => all = Some(hint.content.clone()),
            }
        }
        all
    }

    /// What all of them take of memory by the node's reckoning, bytes.
    #[cfg(test)]
    pub(super) fn weight(&self) -> u64 {
        self.weight
    }

    /// How many hints are kept, and their bytes.
    pub(super) fn pending(&self) -> (u64, u64) {
        (self.kept.len() as u64, self.bytes.values().sum())
    }

    /// How many are kept for each owner.
    pub(super) fn by_owner(&self) -> BTreeMap<NodeId, u64> {
        let mut count = BTreeMap::new();
        for (owner, _) in self.kept.keys() {
            *count.entry(*owner).or_default() += 1;
        }
        count
    }

    /// What is kept, by owner.
    pub(super) fn kept_by_owner(&self) -> Vec<HintsKept> {
        let counts = self.by_owner().into_iter();
        let kept = |(owner, hints)| HintsKept {
            owner,
            hints,
            bytes: self.bytes.get(&owner).copied().unwrap_or(0),
        };
        counts.map(kept).collect()
    }

    /// Records that recover to what is kept.
    pub(super) fn records(&self) -> impl Iterator<Item = Record> {
        let durable = self.settings.durable;
        let hints = self.kept.iter().filter(move |_| durable);
        hints.map(|((owner, key), hint)| Record::Hint {
            owner: *owner,
            key: key.clone(),
            content: hint.content.clone(),
            since_ns: hint.since.0,
        })
    }

    fn interval(&self) -> std::time::Duration {
        std::time::Duration::from_millis(self.settings.interval_ms)
    }

    /// Whether a hint would leave the node within its limits, and fit the log with what is kept of its key already.
    fn has_room(&self, owner: NodeId, key: &Key, content: &Content) -> bool {
        let kept = self.kept.get(&(owner, key.clone()));
        let kept = kept.map_or(0, |hint| hint.content.weight());
        let weight = weight_of(key, content);
        key.as_str().len() <= KEY_BYTES_MAX
            && kept.saturating_add(content.weight()) <= CONTENT_BYTES_MAX
            && self.weight.saturating_add(weight) <= self.weight_max
    }

    fn put(&mut self, owner: NodeId, key: Key, content: Content, since: WallNanos) {
        let bytes = self.bytes.entry(owner).or_default();
        let place = (owner, key);
        if let Some(hint) = self.kept.get_mut(&place) {
            *bytes = bytes.saturating_sub(bytes_of(&place.1, &hint.content));
            self.weight = self
                .weight
                .saturating_sub(weight_of(&place.1, &hint.content));
            hint.content.merge(&content);
            *bytes += bytes_of(&place.1, &hint.content);
            self.weight += weight_of(&place.1, &hint.content);
            // What was sent before is not all of it any more.
            hint.sent = None;
        } else {
            *bytes += bytes_of(&place.1, &content);
            self.weight += weight_of(&place.1, &content);
            let hint = Hint {
                content,
                since,
                sent: None,
            };
            self.kept.insert(place, hint);
        }
    }

    fn drop_hint(&mut self, owner: NodeId, key: &Key) {
        let Some(hint) = self.kept.remove(&(owner, key.clone())) else {
            return;
        };
        self.weight = self.weight.saturating_sub(weight_of(key, &hint.content));
        if let Some(bytes) = self.bytes.get_mut(&owner) {
            *bytes = bytes.saturating_sub(bytes_of(key, &hint.content));
            if *bytes == 0 {
                self.bytes.remove(&owner);
            }
        }
    }
}

/// What a hint takes of memory, bytes.
fn weight_of(key: &Key, content: &Content) -> u64 {
    HINT_BYTES + key.as_str().len() as u64 + content.weight()
}

fn bytes_of(key: &Key, content: &Content) -> u64 {
    key.as_str().len() as u64 + content.value_bytes()
}
