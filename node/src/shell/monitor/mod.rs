//! What a node tells those who watch it: `GET /metrics` for Prometheus, `GET /health` for whoever must know whether it is well.
//!
//! It looks and tells; it changes nothing, and no client of the store needs it.

mod health;
mod http;
mod metrics;

use crate::config::{Health as Thresholds, NodeId};
use crate::protocol::Took;
use crate::wire::{Health, PeerSeen, Status};

pub(super) use http::accept;

/// What a node was like at one moment.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) node: NodeId,
    pub(super) status: Status,
    pub(super) took: Took,
    /// The last reads, ns; none if there were too few.
    pub(super) read_p99_ns: Option<u64>,
    /// Keys held and visible, tombstones included.
    pub(super) keys: u64,
    /// What they take of memory, bytes.
    pub(super) bytes: u64,
    /// Clients that are connected.
    pub(super) clients: u64,
    pub(super) peers: Vec<PeerSeen>,
    /// How long ago the node was started, ms.
    pub(super) up_ms: u64,
    /// How long ago a comparison with a peer was seen to have come to its end, ms; none = never in this life.
    pub(super) repaired_ms_ago: Option<u64>,
    /// How old that may be, ms; none = any age.
    pub(super) repair_age_ms_max: Option<u64>,
    pub(super) thresholds: Thresholds,
    /// Bytes of the log's files; none if they cannot be looked at.
    pub(super) log_bytes: Option<u64>,
}

impl Look {
    /// How well the node is.
    pub(super) fn health(&self) -> Health {
        health::judge(self)
    }

    /// Everything, in Prometheus' text format.
    pub(super) fn metrics(&self) -> String {
        metrics::text(self)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A node in a cluster of three that was just started and is well.
    pub(super) fn look() -> Look {
        let peer = |node| PeerSeen {
            node: NodeId(node),
            connected: true,
            heard_ms_ago: Some(10),
        };
        Look {
            node: NodeId(1),
            status: Status::default(),
            took: Took::default(),
            read_p99_ns: None,
            keys: 0,
            bytes: 0,
            clients: 0,
            peers: [2, 3].map(peer).to_vec(),
            up_ms: 100,
            repaired_ms_ago: None,
            repair_age_ms_max: None,
            thresholds: Thresholds::default(),
            log_bytes: Some(0),
        }
    }
}
