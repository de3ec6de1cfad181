//! Changes of the ring in the live world: the harness as an administrator who asks a node until it has decided, and looks whether the change
//! is finished. What a change means is the nodes' business.

use std::time::Duration;

use quorate_node::config::NodeId;
use quorate_node::wire::{RingStatus, Status};
use tokio::time::{Instant, sleep};

use super::{LiveWorld, WorldError, control};
use crate::fault::{Effect, Fault, RingChange};
use crate::world::{RING_DECIDED_MS_MAX, command};

/// Pause before the node is asked again.
const AGAIN: Duration = Duration::from_millis(100);

impl LiveWorld {
    /// Has a node decide the change. A node that is replaced is killed first, for good.
    pub(super) async fn change_ring(&self, fault: &Fault, change: RingChange) -> Effect {
        if self.ledger().has_ring_change() {
            return Effect::Skipped("another change is not finished yet".to_owned());
        }
        if let Some(why) = crate::world::ring_busy(rings(self.statuses().await)) {
            return Effect::Skipped(why);
        }
        self.ledger().add(fault, Vec::new());
        if let Some(dead) = change.gone()
            && let Err(error) = self.kill_for_good(dead).await
        {
            return Effect::Indeterminate(error.to_string());
        }
        let deadline = Instant::now() + Duration::from_millis(RING_DECIDED_MS_MAX);
        loop {
            let why = match self.ask_for_ring(change).await {
                Ok(Ok(())) => return Effect::Installed,
                Ok(Err(why)) => why,
                Err(error) => error.to_string(),
            };
            if Instant::now() >= deadline {
                return Effect::Indeterminate(why);
            }
            sleep(AGAIN).await;
        }
    }

    async fn ask_for_ring(&self, change: RingChange) -> Result<Result<(), String>, WorldError> {
        let up = |node| self.roster.find(node).is_some();
        let (node, command) = command(change, up, usize::from(self.nodes()));
        control::change_ring(&self.roster, node, command).await
    }

    /// Installed if no change is under way and all nodes know it.
    pub async fn ring_effect(&self) -> Effect {
        let statuses = self.statuses().await;
        let all_here = statuses.iter().all(|(_, status)| status.is_ok());
        let ledger = self.ledger();
        crate::world::ring_effect(rings(statuses), all_here, |node| ledger.is_gone(node))
    }

    /// The owners of the ring, each with the node whose tokens it has, as the first node that is there knows it; none if rings never
    /// change here.
    pub async fn ring_owners(&self) -> Option<Vec<(NodeId, NodeId)>> {
        let mut rings = rings(self.statuses().await).into_iter();
        rings.next().map(|ring| ring.owners)
    }

    /// Waits until the ring has finished its change, but not longer than `limit`; why not, if it has not.
    pub async fn ring_settled(&self, limit: Duration) -> Result<(), String> {
        let deadline = Instant::now() + limit;
        loop {
            match self.ring_effect().await {
                Effect::Indeterminate(why) if Instant::now() >= deadline => return Err(why),
                Effect::Indeterminate(_) => sleep(AGAIN).await,
                Effect::Installed | Effect::Skipped(_) => return Ok(()),
            }
        }
    }
}

fn rings(statuses: Vec<(u16, Result<Status, WorldError>)>) -> Vec<RingStatus> {
    let statuses = statuses.into_iter().filter_map(|(_, status)| status.ok());
    statuses
        .filter_map(|status| status.ring.map(|ring| *ring))
        .collect()
}
