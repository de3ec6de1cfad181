//! One life of a node, from a start (or a mistaken burial) to the next: what SWIM calls an identity. Not an address.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::config::{NODES_MAX, NodeId};

/// Who a node is, and in which of its lives. Later lives supersede earlier ones, whatever was believed of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "(NodeId, u64, u32)", into = "(NodeId, u64, u32)")]
pub struct Life {
    /// The node.
    pub node: NodeId,
    /// Its start count, kept on disk by whoever starts it.
    pub epoch: u64,
    /// How often it had to come back within this start, because the others had given it up while it was alive: in SWIM death is
    /// final for an identity, so a node that hears of its own death takes a new one.
    pub rebirth: u32,
}

impl Life {
    /// The life that begins with a start.
    pub fn new(node: NodeId, epoch: u64) -> Life {
        Life {
            node,
            epoch,
            rebirth: 0,
        }
    }
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (start {}.{})", self.node, self.epoch, self.rebirth)
    }
}

/// A message that names a node that no cluster can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no node: ids are 1 to {NODES_MAX}")]
pub struct NoNode(NodeId);

impl TryFrom<(NodeId, u64, u32)> for Life {
    type Error = NoNode;

    /// Bounds what a malformed message can make a node remember: one entry per possible node.
    fn try_from((node, epoch, rebirth): (NodeId, u64, u32)) -> Result<Life, NoNode> {
        if node.0 == 0 || node.0 > NODES_MAX {
            return Err(NoNode(node));
        }
        Ok(Life {
            node,
            epoch,
            rebirth,
        })
    }
}

impl From<Life> for (NodeId, u64, u32) {
    fn from(life: Life) -> (NodeId, u64, u32) {
        (life.node, life.epoch, life.rebirth)
    }
}

impl foca::Identity for Life {
    type Addr = NodeId;

    fn renew(&self) -> Option<Life> {
        let rebirth = self.rebirth.checked_add(1)?;
        Some(Life { rebirth, ..*self })
    }

    fn addr(&self) -> NodeId {
        self.node
    }

    fn win_addr_conflict(&self, adversary: &Life) -> bool {
        self > adversary
    }
}

#[cfg(test)]
mod tests {
    use foca::Identity;

    use super::*;
    use crate::wire::{decode, encode};

    #[test]
    fn a_later_start_supersedes_every_rebirth_before_it() {
        let first = Life::new(NodeId(3), 1);
        let reborn = first.renew().expect("a new life");
        let restarted = Life::new(NodeId(3), 2);
        assert!(reborn.win_addr_conflict(&first) && !first.win_addr_conflict(&reborn));
        assert!(restarted.win_addr_conflict(&reborn) && !reborn.win_addr_conflict(&restarted));
        assert_eq!(reborn.to_string(), "n3 (start 1.1)");
    }

    #[test]
    fn only_possible_nodes_are_read() {
        let life = Life::new(NodeId(NODES_MAX), 7);
        assert_eq!(
            decode::<Life>(&encode(&life).expect("bytes")).expect("a life"),
            life
        );
        for node in [0, NODES_MAX + 1] {
            let bytes = encode(&(NodeId(node), 7_u64, 0_u32)).expect("bytes");
            assert!(decode::<Life>(&bytes).is_err(), "n{node}");
        }
    }
}
