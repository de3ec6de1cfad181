//! Waiting for the cluster: until it has come together, until it has come to rest.
//!
//! Level-triggered and bounded: each round asks every node anew, and nothing is concluded from silence.

use std::time::Duration;

use futures_util::future::join_all;
use quorate_node::config::NodeId;
use quorate_node::wire::Status;
use tokio::time::{Instant, sleep, timeout};

use super::{LiveWorld, WorldError, control};
use crate::world::node_name;

/// How long nodes may take to connect to all their peers.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// Pause between two rounds of questions.
const ROUND: Duration = Duration::from_millis(10);

/// Rounds in a row in which all nodes must be at rest: one could fall between a message's departure and its arrival.
const RESTING_ROUNDS: u32 = 2;

impl LiveWorld {
    /// Waits until every node is connected to all its peers (at most 10 s).
    pub async fn ready(&self) -> Result<(), WorldError> {
        let deadline = Instant::now() + CONNECT_LIMIT;
        loop {
            let missing = self.missing().await;
            if missing.is_empty() {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let missing = missing.join("; ");
                return Err(WorldError::NotConnected {
                    waited: CONNECT_LIMIT,
                    missing,
                });
            }
            sleep(ROUND).await;
        }
    }

    /// Waits until no node is busy, nothing is queued and all links pass; false if that is not so within `limit`.
    ///
    /// It takes `least` in any case, whatever the nodes say of themselves.
    pub async fn quiesce(&self, least: Duration, limit: Duration) -> bool {
        let rest = async {
            sleep(least).await;
            self.rest().await;
        };
        timeout(limit, rest).await.is_ok()
    }

    async fn rest(&self) {
        let mut rounds = 0;
        while rounds < RESTING_ROUNDS {
            sleep(ROUND).await;
            rounds = if self.is_resting().await {
                rounds + 1
            } else {
                0
            };
        }
    }

    async fn is_resting(&self) -> bool {
        let at_rest = |status: &Status| {
            status.coordinating == 0 && status.queued == 0 && status.unsynced == 0
        };
        let statuses = self.statuses().await;
        self.network.is_whole()
            && statuses
                .iter()
                .all(|(_, status)| status.as_ref().is_ok_and(at_rest))
    }

    /// What is missing until all nodes are connected, in words.
    async fn missing(&self) -> Vec<String> {
        let statuses = self.statuses().await;
        statuses
            .into_iter()
            .filter_map(|(node, status)| self.missing_of(node, status))
            .collect()
    }

    fn missing_of(&self, node: u16, status: Result<Status, WorldError>) -> Option<String> {
        let connected = match status {
            Ok(status) => status.connected,
            Err(error) => return Some(error.to_string()),
        };
        let peers = self.here().into_iter().filter(|&peer| peer != node);
        let lacks: Vec<String> = peers
            .filter(|&peer| !connected.contains(&NodeId(peer)))
            .map(node_name)
            .collect();
        (!lacks.is_empty()).then(|| format!("{} lacks {}", node_name(node), lacks.join(" ")))
    }

    /// All nodes but those that are gone for good.
    pub(super) fn here(&self) -> Vec<u16> {
        let ledger = self.ledger();
        (1..=self.nodes())
            .filter(|node| !ledger.is_gone(*node))
            .collect()
    }

    /// What every node that is not gone for good says about itself.
    pub(super) async fn statuses(&self) -> Vec<(u16, Result<Status, WorldError>)> {
        let status = async |node| (node, control::status(&self.roster, node).await);
        join_all(self.here().into_iter().map(status)).await
    }
}
