//! Takes last-write-wins stamps from the wall clock that it is told.
//!
//! It does not remember across restarts: a wall clock that went back while the node was down goes back for its stamps too, as in the
//! systems that this store imitates.

use crate::config::{NodeId, Sabotage, StoreConfig};
use crate::wire::Stamp;

use super::time::WallNanos;

/// Resolution under [`Sabotage::MillisecondStamps`], ns.
const COARSE_NS: i64 = 1_000_000;

/// Where a node's stamps come from.
#[derive(Debug)]
pub(super) struct Stamps {
    node: NodeId,
    coarse: bool,
    last: Option<i64>,
}

impl Stamps {
    pub(super) fn new(config: &StoreConfig, node: NodeId) -> Stamps {
        Stamps {
            node,
            coarse: config.has(Sabotage::MillisecondStamps),
            last: None,
        }
    }

    /// A stamp larger than every earlier one from here, even if the wall clock stands still or runs backwards.
    pub(super) fn take(&mut self, wall: WallNanos) -> Stamp {
        let wall_ns = if self.coarse {
            wall.0.saturating_sub(wall.0.rem_euclid(COARSE_NS))
        } else {
            self.last
                .map_or(wall.0, |last| wall.0.max(last.saturating_add(1)))
        };
        self.last = Some(wall_ns);
        Stamp {
            wall_ns,
            node: self.node.0,
        }
    }
}
