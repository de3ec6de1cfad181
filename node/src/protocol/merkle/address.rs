//! The names of a tree's nodes, the same for every tree of one range and fan-out, whatever it holds.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::range::HashRange;

/// How many children an inner node has. A power of two, so that each level takes the next bits of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fanout {
    /// Two, as in the textbook.
    Two,
    /// Four.
    Four,
    /// Sixteen: fewer rounds, and nodes of a quarter of a KiB.
    Sixteen,
}

impl Fanout {
    /// Bits of a position that one level takes. Divides 64.
    pub(super) fn bits(self) -> u32 {
        match self {
            Fanout::Two => 1,
            Fanout::Four => 2,
            Fanout::Sixteen => 4,
        }
    }

    /// Children of an inner node.
    pub fn children(self) -> usize {
        1 << self.bits()
    }

    /// Which child of a node at this depth has this position. The depth is below 64 divided by the bits.
    pub(super) fn slot(self, position: u64, depth: u32) -> usize {
        let shift = u64::BITS - self.bits() * (depth + 1);
        // Four bits are wanted at most, so the lowest byte has them all.
        usize::from((position >> shift).to_le_bytes()[0]) & (self.children() - 1)
    }

    /// The depth at which a node of this range is a single hash and has no children.
    pub(super) fn depth_max(self, range: HashRange) -> u32 {
        (u64::BITS - range.shift()).div_ceil(self.bits())
    }
}

/// A node: the way to it from the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Address {
    depth: u8,
    /// The slots on the way, the last in the lowest bits.
    path: u64,
}

impl Address {
    /// The root of every tree.
    pub const ROOT: Address = Address { depth: 0, path: 0 };

    /// Steps from the root.
    pub fn depth(self) -> u32 {
        u32::from(self.depth)
    }

    /// Its child in this slot. The caller does not descend below the largest depth.
    pub(super) fn child(self, slot: usize, fanout: Fanout) -> Address {
        Address {
            depth: self.depth.saturating_add(1),
            path: (self.path << fanout.bits()) | slot as u64,
        }
    }

    /// Could a tree of this range have such a node? What a peer sends need not.
    pub(super) fn is_valid(self, fanout: Fanout, range: HashRange) -> bool {
        let bits = fanout.bits() * self.depth();
        self.depth() <= fanout.depth_max(range) && (bits >= u64::BITS || self.path >> bits == 0)
    }

    /// The first position below it.
    pub(super) fn first_position(self, fanout: Fanout) -> u64 {
        let bits = fanout.bits() * self.depth();
        self.path.checked_shl(u64::BITS - bits).unwrap_or(0)
    }

    /// The offsets in the range that lie below it. Empty, or beyond the range's last, where no hash of the range has such a position.
    pub(super) fn offsets(self, fanout: Fanout, range: HashRange) -> RangeInclusive<u64> {
        let first = self.first_position(fanout);
        let below = fanout.bits() * self.depth();
        let last = first | u64::MAX.checked_shr(below).unwrap_or(0);
        let shift = range.shift();
        let between = first & ((1 << shift) - 1) != 0;
        (first >> shift) + u64::from(between)..=last >> shift
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FANOUTS: [Fanout; 3] = [Fanout::Two, Fanout::Four, Fanout::Sixteen];

    fn node(fanout: Fanout, slots: &[usize]) -> Address {
        let step = |address: Address, slot: &usize| address.child(*slot, fanout);
        slots.iter().fold(Address::ROOT, step)
    }

    #[test]
    fn children_divide_the_offsets_of_their_parent() {
        let ranges = [
            HashRange::FULL,
            HashRange::new(3, 90),
            HashRange::new(u64::MAX - 5, 1_000_000),
            HashRange::new(6, 7),
        ];
        for (fanout, range) in FANOUTS.iter().flat_map(|f| ranges.map(|range| (*f, range))) {
            let mut parent = Address::ROOT;
            while parent.depth() < fanout.depth_max(range) {
                let mut children: Vec<_> = (0..fanout.children())
                    .map(|slot| parent.child(slot, fanout))
                    .filter(|child| !child.offsets(fanout, range).is_empty())
                    .collect();
                let parts: Vec<_> = children.iter().map(|c| c.offsets(fanout, range)).collect();
                let whole = parent.offsets(fanout, range);
                assert_eq!(parts[0].start(), whole.start());
                assert_eq!(parts[parts.len() - 1].end(), whole.end());
                assert!(
                    parts
                        .windows(2)
                        .all(|pair| pair[0].end() + 1 == *pair[1].start())
                );
                parent = children.swap_remove(children.len() / 2);
                assert!(parent.is_valid(fanout, range));
            }
            let bottom = parent.offsets(fanout, range);
            assert_eq!(bottom.start(), bottom.end());
            assert!(!parent.child(0, fanout).is_valid(fanout, range));
        }
    }

    #[test]
    fn slots_lead_to_the_position() {
        let position = 0x5af0_1234_89ab_cdef_u64;
        for fanout in FANOUTS {
            let depth_max = fanout.depth_max(HashRange::FULL);
            let slots: Vec<_> = (0..depth_max)
                .map(|depth| fanout.slot(position, depth))
                .collect();
            assert_eq!(node(fanout, &slots).first_position(fanout), position);
        }
    }

    #[test]
    fn an_address_that_no_tree_has_is_known_for_it() {
        let range = HashRange::FULL;
        for (depth, path) in [(1, 16), (0, 1), (17, 0), (255, u64::MAX), (15, u64::MAX)] {
            assert!(!Address { depth, path }.is_valid(Fanout::Sixteen, range));
        }
        assert!(
            Address {
                depth: 16,
                path: u64::MAX
            }
            .is_valid(Fanout::Sixteen, range)
        );
    }
}
