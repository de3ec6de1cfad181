//! An interval of the ring, and where in it a hash lies. It does not know whose interval it is.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// The hashes from one token (excluded) clockwise to the next (included): those whose keys the second token owns. It may run past the
/// largest hash and on from 0. Two equal tokens mean the whole ring, as a ring of one token has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HashRange {
    after: u64,
    upto: u64,
}

impl HashRange {
    /// The whole ring, from 0 to the largest hash.
    pub const FULL: HashRange = HashRange {
        after: u64::MAX,
        upto: u64::MAX,
    };

    /// The hashes in (`after`, `upto`], clockwise.
    pub fn new(after: u64, upto: u64) -> HashRange {
        HashRange { after, upto }
    }

    /// The last hash of the range.
    pub fn upto(self) -> u64 {
        self.upto
    }

    /// Is this hash in the range?
    pub fn contains(self, hash: u64) -> bool {
        self.offset(hash).is_some()
    }

    /// How many hashes of the range come before this one; none if it is not in the range.
    pub(super) fn offset(self, hash: u64) -> Option<u64> {
        let offset = hash.wrapping_sub(self.after).wrapping_sub(1);
        (offset <= self.last_offset()).then_some(offset)
    }

    /// The largest offset.
    pub(super) fn last_offset(self) -> u64 {
        self.upto.wrapping_sub(self.after).wrapping_sub(1)
    }

    /// By how many bits offsets are shifted to become positions, so that a narrow range, too, fills at least half of 64 bits, and a tree
    /// over it wastes no levels on leading zeros.
    pub(super) fn shift(self) -> u32 {
        self.last_offset().leading_zeros().min(u64::BITS - 1)
    }

    /// Where the hash lies, in order around the ring.
    pub(super) fn position(self, hash: u64) -> Option<u64> {
        Some(self.offset(hash)? << self.shift())
    }

    /// The hashes of these offsets: one interval, or two if it runs past the largest hash; none if the first offset is not in the range.
    pub(super) fn hashes(
        self,
        offsets: &RangeInclusive<u64>,
    ) -> impl Iterator<Item = RangeInclusive<u64>> + use<> {
        let first_offset = *offsets.start();
        let last_offset = self.last_offset().min(*offsets.end());
        let hash = |offset: u64| self.after.wrapping_add(1).wrapping_add(offset);
        let (first, last) = (hash(first_offset), hash(last_offset));
        let intervals = if first_offset > last_offset {
            [None, None]
        } else if first <= last {
            [Some(first..=last), None]
        } else {
            [Some(first..=u64::MAX), Some(0..=last)]
        };
        intervals.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_excludes_its_first_token_and_includes_its_last() {
        let range = HashRange::new(10, 20);
        let inside: Vec<u64> = (0..40).filter(|hash| range.contains(*hash)).collect();
        assert_eq!(inside, (11..=20).collect::<Vec<_>>());
        assert_eq!(range.hashes(&(0..=u64::MAX)).collect::<Vec<_>>(), [11..=20]);
        assert_eq!(range.hashes(&(2..=3)).collect::<Vec<_>>(), [13..=14]);
        assert_eq!(range.hashes(&(10..=12)).count(), 0);
    }

    #[test]
    fn a_range_may_run_past_the_largest_hash() {
        let range = HashRange::new(u64::MAX - 2, 1);
        let inside = [u64::MAX - 1, u64::MAX, 0, 1];
        assert_eq!(
            inside.map(|hash| range.offset(hash)),
            [0, 1, 2, 3].map(Some)
        );
        assert!(!range.contains(2) && !range.contains(u64::MAX - 2));
        assert_eq!(
            range.hashes(&(1..=u64::MAX)).collect::<Vec<_>>(),
            [u64::MAX..=u64::MAX, 0..=1]
        );
    }

    #[test]
    fn equal_tokens_are_the_whole_ring() {
        for token in [0, 7, u64::MAX] {
            let range = HashRange::new(token, token);
            assert!(
                [0, 6, 7, 8, u64::MAX]
                    .iter()
                    .all(|hash| range.contains(*hash))
            );
            assert_eq!((range.last_offset(), range.shift()), (u64::MAX, 0));
        }
        assert_eq!(HashRange::FULL.position(5), Some(5));
    }

    #[test]
    fn a_narrow_range_fills_the_positions() {
        assert_eq!(HashRange::new(6, 7).shift(), 63);
        let range = HashRange::new(0, 12);
        assert_eq!(range.position(1), Some(0));
        assert_eq!(range.position(9), Some(1 << 63));
    }
}
