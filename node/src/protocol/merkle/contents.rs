//! What a tree asks of whoever holds the keys. A tree keeps no key and no digest: about two bytes per key are enough for it only
//! because its owner can list the keys of any interval of hashes.

use std::collections::BTreeMap;
use std::ops::{Bound, RangeInclusive};

use xxhash_rust::xxh3::xxh3_64;

use crate::protocol::Key;

/// A key and what is held of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The key's place on the ring.
    pub hash: u64,
    /// The key.
    pub key: &'a Key,
    /// Digest of what is held: of the key's text and all of its versions, tombstones too, in one order, so that two replicas have equal
    /// digests exactly if they hold the same. The text matters: without it, two keys of one hash that have swapped their versions would
    /// leave every sum as it was.
    pub digest: u64,
}

/// The keys of one replica, in the order of their hashes.
///
/// Digests are asked for again whenever a leaf is split or listed, so it pays to have them at hand.
pub trait Contents {
    /// A key's place on the ring: `xxh3`, as the ring has it.
    fn hash(&self, key: &str) -> u64 {
        xxh3_64(key.as_bytes())
    }

    /// The keys whose hash lies in this interval, by hash, those of one hash by key.
    fn entries(&self, hashes: RangeInclusive<u64>) -> impl Iterator<Item = Entry<'_>>;
}

/// The plainest contents: digests by hash and key, for a replica whose store is not ordered by hash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    digests: BTreeMap<(u64, Key), u64>,
}

impl Index {
    /// Sets the key's digest, none for a key that is not held. Returns what it was.
    pub fn set(&mut self, key: &Key, digest: Option<u64>) -> Option<u64> {
        let place = (self.hash(key.as_str()), key.clone());
        match digest {
            Some(digest) => self.digests.insert(place, digest),
            None => self.digests.remove(&place),
        }
    }
}

impl Contents for Index {
    fn entries(&self, hashes: RangeInclusive<u64>) -> impl Iterator<Item = Entry<'_>> {
        // The empty key comes before all others of its hash.
        let least = |hash| (hash, Key::from(""));
        let end = match hashes.end().checked_add(1) {
            _ if hashes.is_empty() => Bound::Excluded(least(*hashes.start())),
            Some(end) => Bound::Excluded(least(end)),
            None => Bound::Unbounded,
        };
        let start = Bound::Included(least(*hashes.start()));
        self.digests
            .range((start, end))
            .map(|((hash, key), digest)| Entry {
                hash: *hash,
                key,
                digest: *digest,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_lists_intervals_in_the_order_of_hashes() {
        let mut index = Index::default();
        let keys: Vec<Key> = (0..100).map(|key| format!("k{key}").into()).collect();
        for key in &keys {
            assert_eq!(index.set(key, Some(1)), None);
        }
        let mut hashes: Vec<u64> = keys.iter().map(|key| index.hash(key.as_str())).collect();
        hashes.sort_unstable();
        let listed = |interval| -> Vec<u64> { index.entries(interval).map(|e| e.hash).collect() };
        assert_eq!(listed(0..=u64::MAX), hashes);
        assert_eq!(listed(hashes[3]..=hashes[9]), hashes[3..=9]);
        assert_eq!(listed(hashes[3] + 1..=hashes[9] - 1), hashes[4..9]);
        assert_eq!(listed(hashes[99]..=u64::MAX), hashes[99..]);
        let (first, last) = (hashes[9], hashes[3]);
        assert_eq!(listed(first..=last), [0; 0]);
    }

    #[test]
    fn setting_a_digest_tells_the_one_before() {
        let (mut index, key) = (Index::default(), Key::from("k"));
        let mut set = |digest| index.set(&key, digest);
        assert_eq!(
            [Some(1), Some(2), None, None].map(&mut set),
            [None, Some(1), Some(2), None]
        );
        assert_eq!(index, Index::default());
    }
}
