//! Terms of office, and places in the log.

use serde::{Deserialize, Serialize};

use crate::config::NodeId;
use crate::wire::Stamp;

/// Bits of a stamp that hold the index.
const INDEX_BITS: u32 = 40;

/// One leadership. Larger terms are later. No two leaderships share one, because it names its only possible leader (a ballot as in Paxos),
/// in one life: a node uses a counter once in a life, and if its disk forgets that, the next life has another epoch. So two entries of
/// one term and index are the same entry, whatever was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Term {
    /// How many leaderships were tried before.
    pub counter: u64,
    /// Who leads in it.
    pub node: NodeId,
    /// In which of its lives: its start count.
    pub epoch: u64,
}

impl Default for Term {
    /// The term before all others, in which nobody leads.
    fn default() -> Term {
        Term {
            counter: 0,
            node: NodeId(0),
            epoch: 0,
        }
    }
}

impl Term {
    /// The next one that this node may try. None after the last.
    pub(super) fn next(self, node: NodeId, epoch: u64) -> Option<Term> {
        let counter = self.counter.checked_add(1)?;
        Some(Term {
            counter,
            node,
            epoch,
        })
    }
}

/// A place in the log, and so the version of what was written there.
///
/// The order is the one by which logs are compared: the log whose last entry has the larger term is more advanced, and of two that end in
/// the same term the longer one (Raft, section 5.4.1). Positions of *one* log grow with the index. The default is before the first entry.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Position {
    /// The leadership in which the entry was made.
    pub term: Term,
    /// Its number, from 1.
    pub index: u64,
}

impl Position {
    /// The position as the version of an evidence: `wall_ns` is the counter of the term (upper bits) and the index (lower 40), `node` the
    /// leader. Grows along one log. Numbers too large for their bits are cut to the largest that fits.
    pub fn stamp(self) -> Stamp {
        let index = self.index.min((1 << INDEX_BITS) - 1);
        let counter = self
            .term
            .counter
            .min((1 << (i64::BITS - 1 - INDEX_BITS)) - 1);
        Stamp {
            wall_ns: i64::try_from(counter << INDEX_BITS | index).unwrap_or(i64::MAX),
            node: self.term.node.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn position(counter: u64, node: u16, index: u64) -> Position {
        let node = NodeId(node);
        Position {
            term: Term {
                counter,
                node,
                epoch: 1,
            },
            index,
        }
    }

    proptest! {
        #[test]
        fn stamps_grow_along_a_log(
            counter in 0..1_000_u64, node in 1..4_u16, index in 0..1_000_000_u64, terms in 0..3_u64, later in 1..5_u64,
            next in 1..4_u16,
        ) {
            let next = if terms == 0 { node } else { next };
            let before = position(counter, node, index);
            let after = position(counter + terms, next, index + later);
            prop_assert!(before.stamp() < after.stamp());
            prop_assert!(before < after);
        }

        #[test]
        fn no_position_is_too_large_for_a_stamp(counter: u64, node: u16, index: u64) {
            prop_assert!(position(counter, node, index).stamp().wall_ns >= 0);
        }
    }

    #[test]
    fn a_later_term_is_more_advanced_than_a_longer_log() {
        assert!(position(2, 1, 5) > position(1, 3, 9));
        assert!(position(2, 2, 5) > position(2, 1, 9));
        assert!(position(2, 2, 6) > position(2, 2, 5));
    }

    #[test]
    fn there_is_no_term_after_the_last() {
        let last = Term {
            counter: u64::MAX,
            ..Term::default()
        };
        assert_eq!(last.next(NodeId(2), 1), None);
    }
}
