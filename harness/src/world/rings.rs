//! Changes of the ring, as every world asks for them: whom, what, and when one is finished.

use quorate_node::config::NodeId;
use quorate_node::wire::{RingCommand, RingStatus};

use crate::fault::{Effect, RingChange};

/// How long the harness asks for a change until a node has decided it, ms: a dead node must be believed dead first.
pub(super) const RING_DECIDED_MS_MAX: u64 = 20_000;

/// The node that is asked for a change, and what it is asked. Who goes is asked itself if it `is_up`, and else the first node that is.
pub(super) fn command(
    change: RingChange,
    is_up: impl Fn(u16) -> bool,
    nodes: usize,
) -> (u16, RingCommand) {
    match change {
        RingChange::Join(node) => (node, RingCommand::Join),
        RingChange::Replace { dead, by } => (by, RingCommand::Replace(NodeId(dead))),
        RingChange::Leave(node) => {
            let mut others = (1..=u16::MAX).take(nodes);
            let up = others.find(|other| is_up(*other));
            let driver = if is_up(node) {
                node
            } else {
                up.unwrap_or(node)
            };
            (driver, RingCommand::Leave(NodeId(node)))
        }
    }
}

/// Why no change can begin now: one is under way for some node.
pub(super) fn ring_busy(rings: impl IntoIterator<Item = RingStatus>) -> Option<String> {
    let node = rings.into_iter().find_map(|ring| ring.changing)?;
    Some(format!("the change of {node} is not finished yet"))
}

/// Installed if all nodes are here and no change is under way for any of them; else why not.
pub(super) fn ring_effect(
    rings: impl IntoIterator<Item = RingStatus>,
    all_here: bool,
    is_gone: impl Fn(u16) -> bool,
) -> Effect {
    let rings: Vec<RingStatus> = rings.into_iter().collect();
    if let Some(why) = ring_busy(rings.iter().cloned()) {
        return Effect::Indeterminate(why);
    }
    let owners = rings.iter().flat_map(|ring| &ring.owners);
    if let Some((node, _)) = owners.copied().find(|(node, _)| is_gone(node.0)) {
        return Effect::Indeterminate(format!("{node} is dead and was never replaced"));
    }
    let agreed = rings
        .iter()
        .all(|ring| ring.agreed && ring.owners == rings[0].owners);
    if all_here && agreed {
        Effect::Installed
    } else {
        Effect::Indeterminate("not all nodes know yet that the ring has changed".to_owned())
    }
}
