//! What a node is told at start: one JSON file, its *seat*.
//!
//! Plain data. It is read by `shell` and by the harness that writes it; nothing here opens a file.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A node, by its place in the cluster: `n1` is 1. Ties between equal stamps go to the larger id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u16);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

/// What a read does about stale replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadRepair {
    /// Nothing.
    None,
    /// Sends them the newest version after the reply.
    Async,
    /// Replies only when R replicas are known to hold the version returned.
    Blocking,
}

/// Which replicas a read asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadFanout {
    /// R of them; the others only if one of those does not answer in time.
    Quorum,
    /// All N; the first R answers count.
    All,
}

/// When the log makes a record durable, and so when the replica acknowledges it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SyncPolicy {
    /// fsync before the acknowledgement; concurrent records share one (group commit).
    EachWrite,
    /// Acknowledge at once; write and fsync every so many milliseconds. Until then records are only in the
    /// node's own memory, so that `kill -9` loses them.
    EveryMs(u64),
}

/// A named defect, off by default, built in to test the testers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sabotage {
    /// With `EachWrite`: acknowledges before the record is synced (and keeps it in memory for a while, as `EveryMs` would).
    AckBeforeSync,
    /// The coordinator reports success at W - 1 acknowledgements.
    AckBeforeQuorum,
    /// A read asks the first R replicas of the preference list, and nobody else, ever.
    FirstROnly,
    /// Each replica stamps the write with its own clock on arrival.
    StampPerReplica,
    /// Stamps have millisecond resolution, not made unique.
    MillisecondStamps,
    /// Read repair is skipped, whatever the setting.
    DropRepair,
    /// A delete removes the record and keeps no tombstone.
    ForgetTombstone,
}

impl Sabotage {
    /// All of them, in the order of the documentation.
    pub const ALL: [Sabotage; 7] = [
        Sabotage::AckBeforeSync,
        Sabotage::AckBeforeQuorum,
        Sabotage::FirstROnly,
        Sabotage::StampPerReplica,
        Sabotage::MillisecondStamps,
        Sabotage::DropRepair,
        Sabotage::ForgetTombstone,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Sabotage::AckBeforeSync => "ack-before-sync",
            Sabotage::AckBeforeQuorum => "ack-before-quorum",
            Sabotage::FirstROnly => "first-r-only",
            Sabotage::StampPerReplica => "stamp-per-replica",
            Sabotage::MillisecondStamps => "millisecond-stamps",
            Sabotage::DropRepair => "drop-repair",
            Sabotage::ForgetTombstone => "forget-tombstone",
        }
    }
}

/// Settings of the store that all nodes of a cluster share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreConfig {
    /// Number of nodes in the cluster; their ids are 1 to this.
    pub nodes: u16,
    /// Virtual nodes (tokens) per node on the ring.
    pub tokens_per_node: u32,
    /// Replicas of each key.
    pub n: u16,
    /// Default read quorum; a request may ask for another.
    pub r: u16,
    /// Default write quorum; a request may ask for another.
    pub w: u16,
    /// Which replicas a read asks.
    pub read_fanout: ReadFanout,
    /// What a read does about stale replicas.
    pub read_repair: ReadRepair,
    /// When records become durable.
    pub sync: SyncPolicy,
    /// How long a coordinator waits for replicas before it answers "unknown", ms.
    pub request_timeout_ms: u64,
    /// Defects built in on purpose.
    #[serde(default)]
    pub sabotage: Vec<Sabotage>,
}

/// One node's place: who it is, where its data lives, where its peers are *as it sees them* (through proxies).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// This node.
    pub id: NodeId,
    /// Its data directory; created if missing.
    pub data_dir: PathBuf,
    /// Where it dials each peer.
    pub peers: BTreeMap<NodeId, SocketAddr>,
    /// Offset of its wall clock at start, ns.
    #[serde(default)]
    pub clock_offset_ns: i64,
    /// Accept control requests (clock offset, status) from clients. Only for tests; listeners are on loopback anyway.
    #[serde(default)]
    pub test_hooks: bool,
    /// The store.
    pub store: StoreConfig,
}
