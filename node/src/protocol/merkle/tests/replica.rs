//! One side of an exchange, kept as an owner would keep it, and the twin of the comparison: all keys, one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, RangeInclusive};

use proptest::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use crate::protocol::Key;
use crate::protocol::merkle::{
    Answer, Contents, Difference, Effort, Entry, Exchange, Fanout, HashRange, Question, Shape,
    Side, Step, Tree, answer,
};
use crate::wire::{FRAME_BYTES_MAX, decode, encode};

/// Where keys lie on the ring.
pub(super) type Hashing = fn(&str) -> u64;

/// As the ring has it.
pub(super) fn strong(key: &str) -> u64 {
    xxh3_64(key.as_bytes())
}

/// Eight hashes for all keys: most of them collide.
pub(super) fn colliding(key: &str) -> u64 {
    strong(key) % 8
}

/// All keys in a few places of the ring: tall thin trees.
pub(super) fn crowded(key: &str) -> u64 {
    let hash = strong(key);
    let crowd = (hash >> 60) % 3;
    (crowd << 62).wrapping_add(hash % 64).wrapping_sub(8)
}

/// The version is hashed and not taken for the seed: `xxh3` of two bytes or three is the same for many pairs of input and seed.
fn digest(key: &Key, version: u64) -> u64 {
    let mut held = version.to_le_bytes().to_vec();
    held.extend_from_slice(key.as_str().as_bytes());
    xxh3_64(&held)
}

/// What a replica holds: a version number per key, with any hashing.
#[derive(Clone, Debug)]
pub(super) struct Held {
    versions: BTreeMap<(u64, Key), u64>,
    hashing: Hashing,
}

impl Contents for Held {
    fn hash(&self, key: &str) -> u64 {
        (self.hashing)(key)
    }

    fn entries(&self, hashes: RangeInclusive<u64>) -> impl Iterator<Item = Entry<'_>> {
        let least = |hash| (hash, Key::from(""));
        let start = Bound::Included(least(*hashes.start()));
        let end = hashes.end().checked_add(1);
        let end = end.map_or(Bound::Unbounded, |end| Bound::Excluded(least(end)));
        let entries = self.versions.range((start, end));
        entries.map(|((hash, key), version)| Entry {
            hash: *hash,
            key,
            digest: digest(key, *version),
        })
    }
}

#[derive(Clone, Debug)]
pub(super) struct Replica {
    pub(super) held: Held,
    pub(super) tree: Tree,
}

impl Replica {
    pub(super) fn new(range: HashRange, shape: Shape, hashing: Hashing) -> Replica {
        Replica {
            held: Held {
                versions: BTreeMap::new(),
                hashing,
            },
            tree: Tree::new(range, shape),
        }
    }

    /// A change of the contents and then of the tree, as an owner makes it.
    pub(super) fn set(&mut self, key: &Key, new: Option<u64>) {
        let hash = self.held.hash(key.as_str());
        let place = (hash, key.clone());
        let old = match new {
            Some(version) => self.held.versions.insert(place, version),
            None => self.held.versions.remove(&place),
        };
        let digest = |version: Option<u64>| version.map(|version| digest(key, version));
        let in_range = self.tree.set(hash, digest(old), digest(new), &self.held);
        assert_eq!(in_range, self.tree.range().contains(hash));
    }

    pub(super) fn set_all(&mut self, changes: &[(Key, Option<u64>)]) {
        for (key, version) in changes {
            self.set(key, *version);
        }
    }

    pub(super) fn version(&self, key: &Key) -> Option<u64> {
        let hash = self.held.hash(key.as_str());
        self.held.versions.get(&(hash, key.clone())).copied()
    }

    /// The keys that are held and in the range.
    pub(super) fn keys(&self) -> BTreeSet<Key> {
        let keys = self.held.versions.keys();
        keys.filter(|(hash, _)| self.tree.range().contains(*hash))
            .map(|(_, key)| key.clone())
            .collect()
    }

    pub(super) fn answer(&self, question: &Question) -> Answer {
        answer(question, &self.tree, &self.held)
    }

    pub(super) fn next(&self, exchange: &mut Exchange) -> Step {
        exchange.next(&self.tree, &self.held)
    }

    pub(super) fn hear(&self, exchange: &mut Exchange, answer: Answer) -> bool {
        exchange.hear(answer, &self.tree, &self.held)
    }
}

/// Who holds what of a key, if they differ.
pub(super) fn side(mine: Option<u64>, theirs: Option<u64>) -> Option<Side> {
    match (mine, theirs) {
        (Some(mine), Some(theirs)) => (mine != theirs).then_some(Side::Both),
        (Some(_), None) => Some(Side::Mine),
        (None, Some(_)) => Some(Side::Theirs),
        (None, None) => None,
    }
}

/// The twin: every key of either side, version against version.
pub(super) fn brute_force(mine: &Replica, theirs: &Replica) -> Vec<Difference> {
    let keys = mine.keys().into_iter().chain(theirs.keys());
    let differ = keys.filter_map(|key| {
        let side = side(mine.version(&key), theirs.version(&key))?;
        Some(Difference { key, side })
    });
    differ.collect::<BTreeSet<_>>().into_iter().collect()
}

/// A message as it arrives.
pub(super) fn travelled<T: serde::Serialize + serde::de::DeserializeOwned>(message: &T) -> T {
    let body = encode(message).expect("plain data");
    assert!(body.len() <= FRAME_BYTES_MAX / 2, "{} bytes", body.len());
    decode(&body).expect("what was encoded")
}

/// An exchange over a network that loses nothing.
pub(super) fn run(
    mut exchange: Exchange,
    mine: &Replica,
    theirs: &Replica,
) -> (Vec<Difference>, Effort) {
    let mut differ = Vec::new();
    loop {
        match mine.next(&mut exchange) {
            Step::Ask(question) => {
                let answer = theirs.answer(&travelled(&question));
                assert!(mine.hear(&mut exchange, travelled(&answer)));
            }
            Step::Found(found) => differ.extend(found),
            Step::Finished => break,
            Step::GivenUp => panic!("gave up after {:?}", exchange.effort()),
        }
    }
    differ.sort_unstable();
    (differ, exchange.effort())
}

/// The differences that a right exchange finds, and what it costs.
pub(super) fn compare(mine: &Replica, theirs: &Replica) -> (Vec<Difference>, Effort) {
    run(Exchange::new(100_000, false), mine, theirs)
}

pub(super) fn shapes() -> impl Strategy<Value = Shape> {
    let fanouts = prop_oneof![Just(Fanout::Two), Just(Fanout::Four), Just(Fanout::Sixteen)];
    (fanouts, 0..20_u32, 0..8_u32).prop_map(|(fanout, leaf_max, list_max)| Shape {
        fanout,
        leaf_max,
        list_max,
    })
}

/// Whole rings, narrow ranges, ranges past the largest hash.
pub(super) fn ranges() -> impl Strategy<Value = HashRange> {
    let ends = prop_oneof![
        0..12_u64,
        (0..12_u64).prop_map(|n| u64::MAX - n),
        any::<u64>()
    ];
    prop_oneof![
        Just(HashRange::FULL),
        (ends.clone(), ends).prop_map(|(after, upto)| HashRange::new(after, upto)),
    ]
}

pub(super) fn hashings() -> impl Strategy<Value = Hashing> {
    prop_oneof![
        Just(strong as Hashing),
        Just(colliding as Hashing),
        Just(crowded as Hashing)
    ]
}

/// Changes of few keys to few versions, a third of them removals.
pub(super) fn changes(up_to: usize) -> impl Strategy<Value = Vec<(Key, Option<u64>)>> {
    let key = (0..150_u32).prop_map(|key| Key::from(format!("k{key}")));
    let version = prop_oneof![
        Just(None),
        (0..3_u64).prop_map(Some),
        (3..5_u64).prop_map(Some)
    ];
    prop::collection::vec((key, version), 0..up_to)
}
