//! What one replica holds, and what it may say about it yet.
//!
//! A version becomes visible to reads, and is acknowledged, only once the log has it: a read that showed a version which `kill -9` can
//! still take away would be forgotten later although nothing was promised to be forgettable. This file decides no durability: when the
//! log calls a record persisted is the shell's sync policy. It knows no quorum either.

use std::collections::{BTreeSet, VecDeque};

use crate::config::{Limits, NodeId};
use crate::wire::KEY_BYTES_MAX;

use super::content::{CONTENT_BYTES_MAX, Content};
use super::holdings::Holdings;
use super::message::RequestId;
use super::record::Record;
use super::version::Key;

/// What a key takes of memory besides its text and its content, bytes.
const KEY_BYTES: u64 = 96;

/// Most waiters of one record; whoever comes then is not told, and will ask again or give up.
const WAITERS_MAX: usize = 1_024;

/// A record on its way to the log. Tokens grow in the order in which records must be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// Gives tokens, one after the other.
#[derive(Debug, Default)]
pub(super) struct Tokens(u64);

impl Tokens {
    pub(super) fn next(&mut self) -> Token {
        let token = Token(self.0);
        self.0 += 1;
        token
    }
}

/// Who must be told that a version is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiter {
    pub(super) coordinator: NodeId,
    pub(super) id: RequestId,
}

impl Waiter {
    pub(super) fn new(coordinator: NodeId, id: RequestId) -> Waiter {
        Waiter { coordinator, id }
    }
}

/// What became of a content that the replica was asked to hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It, or what replaces it, is durable already.
    Held,
    /// It, or what replaces it, is on its way to the log; the waiter is told later.
    Waits,
    /// There is something new in it: persist it; the waiter is told later.
    Persist(Token, Record),
    /// It is not held, for there is no room.
    Full,
}

#[derive(Debug)]
struct Unsynced {
    token: Token,
    key: Key,
    content: Content,
    waiters: Vec<Waiter>,
}

/// What changed when a record became durable.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    /// Who must be told.
    pub(super) waiters: Vec<Waiter>,
    /// The key, if reads see something else of it now.
    pub(super) changed: Option<Key>,
}

/// What one replica holds of all keys.
#[derive(Debug)]
pub(super) struct Store {
    visible: Holdings<Content>,
    /// In the order of tokens, which is that in which they came.
    unsynced: VecDeque<Unsynced>,
    /// The same by key.
    underway: BTreeSet<(Key, Token)>,
    limits: Limits,
    /// What is visible and what is on its way take of memory, bytes.
    bytes: u64,
    /// [`crate::config::Sabotage::ForgetTombstone`].
    forgets_tombstones: bool,
    /// [`crate::config::Sabotage::UncheckedKey`].
    trusts_hashes: bool,
}

impl Store {
    pub(super) fn new(forgets_tombstones: bool, trusts_hashes: bool) -> Store {
        Store {
            visible: Holdings::new(),
            unsynced: VecDeque::new(),
            underway: BTreeSet::new(),
            limits: Limits::default(),
            bytes: 0,
            forgets_tombstones,
            trusts_hashes,
        }
    }

    /// The same, with limits of its own.
    #[must_use]
    pub(super) fn within(mut self, limits: Limits) -> Store {
        self.limits = limits;
        self
    }

    /// Why a content cannot be held, a fragment; none if it can. What makes a key smaller can always be held.
    pub(super) fn refusal(&self, key: &Key, content: &Content) -> Option<String> {
        if key.as_str().len() > KEY_BYTES_MAX {
            return Some("its key is longer than any can be".to_owned());
        }
        let held = self.visible.get(key.as_str()).map_or(0, Content::weight);
        let is_underway = self.underway(key).next().is_some();
        let is_new = held == 0 && !is_underway;
        if is_new && self.keys_and_underway() >= self.limits.keys_max {
            let most = self.limits.keys_max;
            return Some(format!(
                "this node is full: it holds {most} keys, the most that it may"
            ));
        }
        let is_room =
            self.bytes.saturating_add(weight(key.as_str(), content)) <= self.limits.bytes_max;
        let may_burst = matches!(content, Content::Siblings(_))
            && (is_underway || held.saturating_add(content.weight()) > CONTENT_BYTES_MAX);
        if is_room && !may_burst {
            return None;
        }
        let joined = match self.latest(key.as_str()) {
            Some(mut latest) => {
                latest.merge(content);
                latest.weight()
            }
            None => content.weight(),
        };
        if joined.max(content.weight()) > CONTENT_BYTES_MAX {
            return Some(format!(
                "what this node holds of the key would take {joined} bytes with it, siblings and all, and the most is {CONTENT_BYTES_MAX}: \
                 read, and write with the context"
            ));
        }
        // One at a time, and no heavier itself than what it joins, so that what is on its way is bounded, too.
        let shrinks = held > 0 && joined.max(content.weight()) <= held && !is_underway;
        (!is_room && !shrinks).then(|| {
            let (bytes, most) = (self.bytes, self.limits.bytes_max);
            format!("this node is full: it holds {bytes} of at most {most} bytes")
        })
    }

    /// Keys that are held or will be.
    fn keys_and_underway(&self) -> u64 {
        let visible = self.visible.len() as u64;
        if visible.saturating_add(self.underway.len() as u64) < self.limits.keys_max {
            return visible;
        }
        let underway: BTreeSet<&Key> = self.underway.iter().map(|(key, _)| key).collect();
        let is_new = |key: &&Key| self.visible.get(key.as_str()).is_none();
        visible + underway.into_iter().filter(is_new).count() as u64
    }

    /// What reads may see.
    pub(super) fn visible(&self, key: &str) -> Option<&Content> {
        if self.trusts_hashes {
            let contents = self.visible.iter();
            return contents
                .filter(|(held, _)| short_hash(held.as_str()) == short_hash(key))
                .min_by_key(|(held, _)| *held)
                .map(|(_, content)| content);
        }
        self.visible.get(key)
    }

    /// What reads see once everything on its way to the log is there.
    pub(super) fn latest(&self, key: &str) -> Option<Content> {
        let mut latest = self.visible.get(key).cloned();
        if self.underway.is_empty() {
            return latest;
        }
        let underway = self.underway(&key.into());
        for Unsynced { content, .. } in underway.filter_map(|place| self.unsynced.get(place)) {
            match &mut latest {
                Some(latest) => latest.merge(content),
                None => latest = Some(content.clone()),
            }
        }
        latest
    }

    /// Takes a content, and tells (now or from [`Store::persisted`]) when it is held.
    pub(super) fn take(
        &mut self,
        tokens: &mut Tokens,
        key: Key,
        content: Content,
        waiter: Option<Waiter>,
    ) -> Taken {
        let held = self.visible.get(key.as_str());
        if held.is_some_and(|held| held.covers(&content)) {
            return Taken::Held;
        }
        let covers = |place: &usize| {
            let unsynced = self.unsynced.get(*place);
            unsynced.is_some_and(|unsynced| unsynced.content.covers(&content))
        };
        let waits = self.underway(&key).find(covers);
        if let Some(place) = waits
            && let Some(unsynced) = self.unsynced.get_mut(place)
        {
            if unsynced.waiters.len() < WAITERS_MAX {
                unsynced.waiters.extend(waiter);
            }
            return Taken::Waits;
        }
        if self.refusal(&key, &content).is_some() {
            return Taken::Full;
        }
        let token = tokens.next();
        self.underway.insert((key.clone(), token));
        self.bytes += weight(key.as_str(), &content);
        self.unsynced.push_back(Unsynced {
            token,
            key: key.clone(),
            content: content.clone(),
            waiters: waiter.into_iter().collect(),
        });
        Taken::Persist(token, Record::Held { key, content })
    }

    /// Where in `unsynced` the records of a key are, in the order in which they came.
    fn underway<'a>(&'a self, key: &Key) -> impl Iterator<Item = usize> + use<'a> {
        // Most often there is nothing on its way at all.
        let some = !self.underway.is_empty();
        let tokens = || (key.clone(), Token(0))..=(key.clone(), Token(u64::MAX));
        let underway = some.then(|| self.underway.range(tokens()));
        let underway = underway.into_iter().flatten();
        underway.filter_map(|(_, token)| self.place(*token))
    }

    fn place(&self, token: Token) -> Option<usize> {
        let unsynced = &self.unsynced;
        unsynced.binary_search_by_key(&token, |one| one.token).ok()
    }

    /// The log has this record.
    pub(super) fn persisted(&mut self, token: Token) -> Shown {
        let place = self.place(token);
        let Some(unsynced) = place.and_then(|place| self.unsynced.remove(place)) else {
            return Shown::default();
        };
        let Unsynced {
            key,
            content,
            waiters,
            ..
        } = unsynced;
        self.bytes = self.bytes.saturating_sub(weight(key.as_str(), &content));
        let place = (key, token);
        self.underway.remove(&place);
        let (key, _) = place;
        let changed = self.merge(key.clone(), content).then_some(key);
        Shown { waiters, changed }
    }

    /// Makes a durable content visible; tells whether that changes what reads see.
    pub(super) fn merge(&mut self, key: Key, content: Content) -> bool {
        let forgets = self.forgets_tombstones && content.is_tombstone();
        let weight = |content: &Content| weight(key.as_str(), content);
        let (before_bytes, now_bytes) = match self.visible.get_mut(key.as_str()) {
            Some(held) if held.covers(&content) => return false,
            Some(held) if forgets => {
                let before_bytes = weight(held);
                self.visible.remove(key.as_str());
                (before_bytes, 0)
            }
            Some(held) => {
                let before_bytes = weight(held);
                held.merge(&content);
                (before_bytes, weight(held))
            }
            None if forgets => (0, 0),
            None => {
                let now_bytes = weight(&content);
                self.visible.insert(key, content);
                (0, now_bytes)
            }
        };
        let others = self.bytes.saturating_sub(before_bytes);
        self.bytes = others.saturating_add(now_bytes);
        true
    }

    /// Forgets a key, if what is visible of it has this digest and nothing newer is on its way. Returns what was forgotten.
    pub(super) fn forget(&mut self, key: &Key, digest: u64) -> Option<Content> {
        let same = self.visible.get(key.as_str())?.digest() == digest;
        if !same || self.underway(key).next().is_some() {
            return None;
        }
        let forgotten = self.visible.remove(key.as_str())?;
        self.bytes = self.bytes.saturating_sub(weight(key.as_str(), &forgotten));
        Some(forgotten)
    }

    /// What is visible and what is on its way to the log take of memory by the node's reckoning, bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Keys that are visible, tombstones included.
    pub(super) fn keys(&self) -> usize {
        self.visible.len()
    }

    /// Every key of which something is visible, in the order of their hashes.
    pub(super) fn contents(&self) -> impl Iterator<Item = (&Key, &Content)> {
        self.visible.iter()
    }

    /// Those after this one, in that order; all if there is none.
    pub(super) fn contents_after(
        &self,
        key: Option<&Key>,
    ) -> impl Iterator<Item = (&Key, &Content)> {
        self.visible.after(key)
    }

    /// Records that have not reached the log yet.
    pub(super) fn unsynced(&self) -> usize {
        self.unsynced.len()
    }

    /// What is visible, as records.
    pub(super) fn visible_records(&self) -> impl Iterator<Item = Record> {
        self.visible.iter().map(record)
    }

    /// What is on its way to the log. After what is visible it recovers to all that the log was ever given and that still matters.
    pub(super) fn unsynced_records(&self) -> impl Iterator<Item = Record> {
        let unsynced = self.unsynced.iter();
        unsynced.map(|unsynced| record((&unsynced.key, &unsynced.content)))
    }
}

fn record((key, content): (&Key, &Content)) -> Record {
    Record::Held {
        key: key.clone(),
        content: content.clone(),
    }
}

/// What a key with this content takes of memory, bytes.
fn weight(key: &str, content: &Content) -> u64 {
    KEY_BYTES + key.len() as u64 + content.weight()
}

/// Three bits of a key: far too few to tell keys apart by.
fn short_hash(key: &str) -> u8 {
    key.bytes().fold(0, u8::wrapping_add) % 8
}

#[cfg(test)]
mod tests {
    use crate::protocol::Version;
    use crate::wire::Stamp;

    use super::*;

    fn version(wall_ns: i64, value: Option<&str>) -> Content {
        Content::One(Version {
            stamp: Stamp { wall_ns, node: 1 },
            value: value.map(|value| value.as_bytes().into()),
        })
    }

    fn waiter(counter: u64) -> Waiter {
        Waiter {
            coordinator: NodeId(1),
            id: RequestId { epoch: 1, counter },
        }
    }

    /// A store whose records are asked for, and the tokens that they are given.
    struct Shelf(Store, Tokens);

    impl Shelf {
        fn new() -> Shelf {
            Shelf(Store::new(false, false), Tokens::default())
        }

        fn take(&mut self, wall_ns: i64, value: Option<&str>, counter: u64) -> Taken {
            let content = version(wall_ns, value);
            self.0
                .take(&mut self.1, "k".into(), content, Some(waiter(counter)))
        }

        fn persist(&mut self, wall_ns: i64, value: Option<&str>, counter: u64) -> Token {
            match self.take(wall_ns, value, counter) {
                Taken::Persist(token, _) => token,
                other => panic!("expected a record to persist, not {other:?}"),
            }
        }

        fn told(&mut self, token: Token) -> Vec<Waiter> {
            self.0.persisted(token).waiters
        }
    }

    #[test]
    fn a_version_is_seen_and_acknowledged_only_once_durable() {
        let mut shelf = Shelf::new();
        let token = shelf.persist(1, Some("a"), 1);
        assert_eq!(shelf.0.visible("k"), None);
        assert_eq!(shelf.0.latest("k"), Some(version(1, Some("a"))));
        let shown = shelf.0.persisted(token);
        assert_eq!(shown.waiters, [waiter(1)]);
        assert_eq!(shown.changed, Some("k".into()));
        assert_eq!(shelf.0.visible("k"), Some(&version(1, Some("a"))));
        assert_eq!(shelf.take(1, Some("a"), 2), Taken::Held);
    }

    #[test]
    fn an_obsolete_version_waits_for_the_first_that_replaces_it() {
        let mut shelf = Shelf::new();
        let two = shelf.persist(2, Some("b"), 2);
        let three = shelf.persist(3, Some("c"), 3);
        assert_eq!(shelf.take(1, Some("a"), 1), Taken::Waits);
        assert_eq!(shelf.take(2, Some("b"), 22), Taken::Waits);
        assert_eq!(shelf.take(3, Some("c"), 33), Taken::Waits);
        assert_eq!(shelf.told(two), [waiter(2), waiter(1), waiter(22)]);
        assert_eq!(shelf.take(1, Some("a"), 4), Taken::Held);
        assert_eq!(shelf.told(three), [waiter(3), waiter(33)]);
        assert_eq!(shelf.0.visible("k"), Some(&version(3, Some("c"))));
        assert_eq!(shelf.0.unsynced(), 0);
    }

    #[test]
    fn a_snapshot_has_what_is_on_its_way_to_the_log() {
        let mut shelf = Shelf::new();
        let one = shelf.persist(1, Some("a"), 1);
        shelf.told(one);
        shelf.persist(2, None, 2);
        let mut copy = Store::new(false, false);
        for record in shelf.0.visible_records().chain(shelf.0.unsynced_records()) {
            let content = record.held().expect("only what is held").clone();
            let key = record.key().expect("of a key").clone();
            copy.merge(key, content);
        }
        assert_eq!(copy.visible("k"), Some(&version(2, None)));
    }

    #[test]
    fn only_the_sabotaged_store_forgets_a_tombstone() {
        for (forgets, held) in [(false, Some(version(2, None))), (true, None)] {
            let mut shelf = Shelf(Store::new(forgets, false), Tokens::default());
            for (wall_ns, value) in [(1, Some("a")), (2, None)] {
                let token = shelf.persist(wall_ns, value, 1);
                shelf.told(token);
            }
            assert_eq!(shelf.0.visible("k"), held.as_ref());
        }
    }

    #[test]
    fn a_key_is_forgotten_only_as_it_was_looked_at() {
        let mut shelf = Shelf::new();
        let token = shelf.persist(1, None, 1);
        let digest = version(1, None).digest();
        assert_eq!(
            shelf.0.forget(&"k".into(), digest),
            None,
            "nothing is durable yet"
        );
        shelf.told(token);
        assert_eq!(shelf.0.forget(&"k".into(), digest + 1), None);
        let newer = shelf.persist(2, Some("b"), 2);
        assert_eq!(
            shelf.0.forget(&"k".into(), digest),
            None,
            "something newer is coming"
        );
        shelf.told(newer);
        assert_eq!(shelf.0.forget(&"k".into(), digest), None);
        let digest = version(2, Some("b")).digest();
        assert_eq!(
            shelf.0.forget(&"k".into(), digest),
            Some(version(2, Some("b")))
        );
        assert_eq!(shelf.0.visible("k"), None);
    }

    #[test]
    fn an_unknown_token_is_nothing() {
        assert_eq!(
            Store::new(false, false).persisted(Token(7)),
            Shown::default()
        );
    }
}
