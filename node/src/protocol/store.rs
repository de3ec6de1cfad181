//! What one replica holds, and what it may say about it yet.
//!
//! A version becomes visible to reads, and is acknowledged, only once the log has it: a read that showed a version which `kill -9` can
//! still take away would be forgotten later although nothing was promised to be forgettable. This file decides no durability: when the
//! log calls a record persisted is the shell's sync policy. It knows no quorum either.

use std::collections::BTreeMap;

use crate::config::NodeId;

use super::message::RequestId;
use super::version::{Key, Record, Version};

/// A record on its way to the log. Tokens grow in the order in which records must be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

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

/// What became of a version that the replica was asked to hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It, or one that replaces it, is durable already.
    Held,
    /// It, or one that replaces it, is on its way to the log; the waiter is told later.
    Waits,
    /// It is the newest: persist it; the waiter is told later.
    Persist(Token, Record),
}

#[derive(Debug)]
struct Unsynced {
    record: Record,
    waiters: Vec<Waiter>,
}

/// The versions of one replica.
#[derive(Debug)]
pub(super) struct Store {
    visible: BTreeMap<Key, Version>,
    unsynced: BTreeMap<Token, Unsynced>,
    /// Per key, the tokens on their way, their versions ascending.
    underway: BTreeMap<Key, Vec<Token>>,
    next_token: u64,
    /// [`crate::config::Sabotage::ForgetTombstone`].
    forgets_tombstones: bool,
    /// [`crate::config::Sabotage::UncheckedKey`].
    trusts_hashes: bool,
}

impl Store {
    pub(super) fn new(forgets_tombstones: bool, trusts_hashes: bool) -> Store {
        Store {
            visible: BTreeMap::new(),
            unsynced: BTreeMap::new(),
            underway: BTreeMap::new(),
            next_token: 0,
            forgets_tombstones,
            trusts_hashes,
        }
    }

    /// What reads may see.
    pub(super) fn visible(&self, key: &str) -> Option<&Version> {
        if self.trusts_hashes {
            let mut versions = self.visible.iter();
            return versions
                .find(|(held, _)| short_hash(held.as_str()) == short_hash(key))
                .map(|(_, version)| version);
        }
        self.visible.get(key)
    }

    /// Takes a version, and tells (now or from [`Store::persisted`]) when it is held.
    pub(super) fn take(&mut self, key: Key, version: Version, waiter: Waiter) -> Taken {
        if self.visible.get(&key).is_some_and(|held| *held >= version) {
            return Taken::Held;
        }
        let underway = self.underway.entry(key.clone()).or_default();
        for token in underway.iter() {
            if let Some(unsynced) = self.unsynced.get_mut(token)
                && unsynced.record.version >= version
            {
                unsynced.waiters.push(waiter);
                return Taken::Waits;
            }
        }
        let token = Token(self.next_token);
        self.next_token += 1;
        underway.push(token);
        let record = Record { key, version };
        let unsynced = Unsynced {
            record: record.clone(),
            waiters: vec![waiter],
        };
        self.unsynced.insert(token, unsynced);
        Taken::Persist(token, record)
    }

    /// The log has this record. Returns who must be told.
    pub(super) fn persisted(&mut self, token: Token) -> Vec<Waiter> {
        let Some(Unsynced { record, waiters }) = self.unsynced.remove(&token) else {
            return Vec::new();
        };
        if let Some(underway) = self.underway.get_mut(&record.key) {
            underway.retain(|other| *other != token);
            if underway.is_empty() {
                self.underway.remove(&record.key);
            }
        }
        self.merge(record);
        waiters
    }

    /// Makes a durable record visible.
    pub(super) fn merge(&mut self, record: Record) {
        let Record { key, version } = record;
        if self.visible.get(&key).is_some_and(|held| *held >= version) {
            return;
        }
        if version.value.is_none() && self.forgets_tombstones {
            self.visible.remove(&key);
        } else {
            self.visible.insert(key, version);
        }
    }

    /// Records that have not reached the log yet.
    pub(super) fn unsynced(&self) -> usize {
        self.unsynced.len()
    }

    /// All that the log was ever given and that still matters, in an order that recovers to the same.
    pub(super) fn records(&self) -> impl Iterator<Item = Record> {
        let visible = self.visible.iter().map(|(key, version)| Record {
            key: key.clone(),
            version: version.clone(),
        });
        visible.chain(
            self.unsynced
                .values()
                .map(|unsynced| unsynced.record.clone()),
        )
    }
}

/// Three bits of a key: far too few to tell keys apart by.
fn short_hash(key: &str) -> u8 {
    key.bytes().fold(0, u8::wrapping_add) % 8
}

#[cfg(test)]
mod tests {
    use crate::wire::Stamp;

    use super::*;

    fn version(wall_ns: i64, value: Option<&str>) -> Version {
        Version {
            stamp: Stamp { wall_ns, node: 1 },
            value: value.map(|value| value.as_bytes().into()),
        }
    }

    fn waiter(counter: u64) -> Waiter {
        Waiter {
            coordinator: NodeId(1),
            id: RequestId { epoch: 1, counter },
        }
    }

    fn persist(taken: Taken) -> Token {
        match taken {
            Taken::Persist(number, _) => number,
            other => panic!("expected a record to persist, not {other:?}"),
        }
    }

    #[test]
    fn a_version_is_seen_and_acknowledged_only_once_durable() {
        let mut store = Store::new(false, false);
        let token = persist(store.take("k".into(), version(1, Some("a")), waiter(1)));
        assert_eq!(store.visible("k"), None);
        assert_eq!(store.persisted(token), [waiter(1)]);
        assert_eq!(store.visible("k"), Some(&version(1, Some("a"))));
        assert_eq!(
            store.take("k".into(), version(1, Some("a")), waiter(2)),
            Taken::Held
        );
    }

    #[test]
    fn an_obsolete_version_waits_for_the_first_that_replaces_it() {
        let mut store = Store::new(false, false);
        let two = persist(store.take("k".into(), version(2, Some("b")), waiter(2)));
        let three = persist(store.take("k".into(), version(3, Some("c")), waiter(3)));
        assert_eq!(
            store.take("k".into(), version(1, Some("a")), waiter(1)),
            Taken::Waits
        );
        assert_eq!(
            store.take("k".into(), version(2, Some("b")), waiter(22)),
            Taken::Waits
        );
        assert_eq!(
            store.take("k".into(), version(3, Some("c")), waiter(33)),
            Taken::Waits
        );
        assert_eq!(store.persisted(two), [waiter(2), waiter(1), waiter(22)]);
        assert_eq!(
            store.take("k".into(), version(1, Some("a")), waiter(4)),
            Taken::Held
        );
        assert_eq!(store.persisted(three), [waiter(3), waiter(33)]);
        assert_eq!(store.visible("k"), Some(&version(3, Some("c"))));
        assert_eq!(store.unsynced(), 0);
    }

    #[test]
    fn a_snapshot_has_what_is_on_its_way_to_the_log() {
        let mut store = Store::new(false, false);
        let one = persist(store.take("k".into(), version(1, Some("a")), waiter(1)));
        store.persisted(one);
        store.take("k".into(), version(2, None), waiter(2));
        let mut copy = Store::new(false, false);
        store.records().for_each(|record| copy.merge(record));
        assert_eq!(copy.visible("k"), Some(&version(2, None)));
    }

    #[test]
    fn only_the_sabotaged_store_forgets_a_tombstone() {
        for (forgets, held) in [(false, Some(version(2, None))), (true, None)] {
            let mut store = Store::new(forgets, false);
            for version in [version(1, Some("a")), version(2, None)] {
                let token = persist(store.take("k".into(), version, waiter(1)));
                store.persisted(token);
            }
            assert_eq!(store.visible("k"), held.as_ref());
        }
    }

    #[test]
    fn an_unknown_token_is_nothing() {
        assert_eq!(Store::new(false, false).persisted(Token(7)), []);
    }
}
