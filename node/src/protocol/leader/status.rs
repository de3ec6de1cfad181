//! How a node is doing. Plain data.

use serde::{Deserialize, Serialize};

use crate::config::NodeId;

use super::term::{Position, Term};

/// What a node is at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It copies a leader's log, or waits for one.
    Follower,
    /// It tries to become the leader.
    Candidate,
    /// It leads, or believes so.
    Leader,
}

/// What a node counted since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Times that it became the leader.
    pub promotions: u64,
    /// Writes that it acknowledged as a leader.
    pub acknowledged: u64,
    /// Those among them for which a semi-synchronous leader waited for nobody any more.
    pub acknowledged_degraded: u64,
    /// Entries that it took out of its log because a leader had others there.
    pub truncated: u64,
    /// Those among them that it had acknowledged itself, as a leader: lost writes. After a `kill -9` it does not know of the last few of its
    /// acknowledgements, so that there may be more.
    pub truncated_acknowledged: u64,
    /// Messages of smaller terms that it refused.
    pub fenced: u64,
}

/// How a node is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaderStatus {
    /// Its start count.
    pub epoch: u64,
    /// What it is.
    pub role: Role,
    /// The largest term that it promised to follow.
    pub term: Term,
    /// Whom it believes to be the leader.
    pub leader: Option<NodeId>,
    /// The end of its log.
    pub last: Position,
    /// The last index that is durable here.
    pub durable: u64,
    /// The last index that it knows to be committed.
    pub committed: u64,
    /// Until when it may serve, ns on its monotonic clock, if it leads under a lease.
    pub lease_until_ns: Option<u64>,
    /// Whether it leads semi-synchronously and waits for nobody any more.
    pub degraded: bool,
    /// Requests that clients wait for, here.
    pub pending: u64,
    /// Records not yet synced.
    pub unsynced: u64,
    /// Peers that it has a connection to.
    pub connected: Vec<NodeId>,
    /// What it counted.
    pub tally: Tally,
}
