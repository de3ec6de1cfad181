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
    /// A write that finds too few acknowledgements in time is reported as refused, not as unknown.
    RefuseAfterSending,
    /// A read finds its key by a short hash and does not compare the key itself.
    UncheckedKey,
}

impl Sabotage {
    /// All of them, in the order of the documentation.
    pub const ALL: [Sabotage; 9] = [
        Sabotage::AckBeforeSync,
        Sabotage::AckBeforeQuorum,
        Sabotage::FirstROnly,
        Sabotage::StampPerReplica,
        Sabotage::MillisecondStamps,
        Sabotage::DropRepair,
        Sabotage::ForgetTombstone,
        Sabotage::RefuseAfterSending,
        Sabotage::UncheckedKey,
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
            Sabotage::RefuseAfterSending => "refuse-after-sending",
            Sabotage::UncheckedKey => "unchecked-key",
        }
    }

    /// What it does wrong, where the like was seen, and which guarantee it breaks.
    pub fn paragraph(self) -> &'static str {
        match self {
            Sabotage::AckBeforeSync => {
                "A replica acknowledges a record before it is synced, although the policy says each-write. A kill -9 then takes back what was \
                 promised to last. Caught by no-lost-writes."
            }
            Sabotage::AckBeforeQuorum => {
                "The coordinator reports success at W - 1 acknowledgements, so that read and write quorums no longer overlap. \
                 Caught by fresh-reads."
            }
            Sabotage::FirstROnly => {
                "A read asks the first R replicas of the preference list and nobody else, so that one dead node makes keys unreadable \
                 although enough replicas are up. Caught by availability."
            }
            Sabotage::StampPerReplica => {
                "Each replica stamps a write with its own clock on arrival, instead of one stamp per write. Two concurrent writes \
                 then end in opposite order on two replicas, for ever. Caught by convergence."
            }
            Sabotage::MillisecondStamps => {
                "Stamps have millisecond resolution. Of two writes within one millisecond the later one may lose to the earlier by a tie rule \
                 that knows nothing of time. Caught by no-clock-loss."
            }
            Sabotage::DropRepair => {
                "Blocking read repair is configured and never done, so that a value seen once may be gone in the next read. \
                 Caught by no-inversion."
            }
            Sabotage::ForgetTombstone => {
                "A delete removes the record and leaves no tombstone, so that a replica which missed the delete brings the value back. \
                 Caught by no-resurrection."
            }
            Sabotage::RefuseAfterSending => {
                "A write that finds too few acknowledgements in time is reported as refused, although some replicas may hold it and nobody \
                 takes it back there. The honest answer is \"unknown\". Caught by no-failed-writes."
            }
            Sabotage::UncheckedKey => {
                "A read finds its record by a short hash of the key and does not compare the key itself, so that keys which collide answer \
                 for each other. Caught by no-phantoms."
            }
        }
    }

    /// The guarantee whose checker catches it, by name.
    pub fn caught_by(self) -> &'static str {
        match self {
            Sabotage::AckBeforeSync => "no-lost-writes",
            Sabotage::AckBeforeQuorum => "fresh-reads",
            Sabotage::FirstROnly => "availability",
            Sabotage::StampPerReplica => "convergence",
            Sabotage::MillisecondStamps => "no-clock-loss",
            Sabotage::DropRepair => "no-inversion",
            Sabotage::ForgetTombstone => "no-resurrection",
            Sabotage::RefuseAfterSending => "no-failed-writes",
            Sabotage::UncheckedKey => "no-phantoms",
        }
    }
}

/// How often the log is synced under [`Sabotage::AckBeforeSync`], ms: seldom, so that `kill -9` finds something to lose.
pub const SABOTAGED_SYNC_MS: u64 = 1_000;

/// Largest cluster.
pub const NODES_MAX: u16 = 1_000;

/// Most virtual nodes per node.
pub const TOKENS_PER_NODE_MAX: u32 = 4_096;

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

/// A setting that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The cluster is empty or too large.
    #[error("{0} nodes: choose 1 to {NODES_MAX}")]
    Nodes(u16),
    /// The ring has no tokens, or too many.
    #[error("{0} tokens per node: choose 1 to {TOKENS_PER_NODE_MAX}")]
    Tokens(u32),
    /// More replicas than nodes, or none.
    #[error("N = {n} replicas of each key: choose 1 to the number of nodes, {nodes}")]
    Replicas {
        /// Replicas of each key.
        n: u16,
        /// Nodes in the cluster.
        nodes: u16,
    },
    /// No time to wait.
    #[error("a request time-out of 0 ms leaves no time for any request: choose at least 1 ms")]
    Timeout,
    /// A seat for a node outside the cluster.
    #[error("{id} is not in a cluster of {nodes} nodes: choose 1 to {nodes}")]
    Seat {
        /// The seat's node.
        id: NodeId,
        /// Nodes in the cluster.
        nodes: u16,
    },
    /// A seat that does not say where a peer is, or names one that does not exist.
    #[error("the peers of {id} are not exactly the other {others} nodes: give each its address")]
    Peers {
        /// The seat's node.
        id: NodeId,
        /// How many peers there should be.
        others: u16,
    },
}

impl StoreConfig {
    /// Whether this defect is built in.
    pub fn has(&self, defect: Sabotage) -> bool {
        self.sabotage.contains(&defect)
    }

    /// When records really become durable: the setting, unless [`Sabotage::AckBeforeSync`] undermines it.
    pub fn sync_in_force(&self) -> SyncPolicy {
        match self.sync {
            SyncPolicy::EachWrite if self.has(Sabotage::AckBeforeSync) => {
                SyncPolicy::EveryMs(SABOTAGED_SYNC_MS)
            }
            policy => policy,
        }
    }

    /// Refuses settings that no cluster can run with. A default R or W above N is not among them: each request that asks for it is
    /// refused.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.nodes == 0 || self.nodes > NODES_MAX {
            return Err(ConfigError::Nodes(self.nodes));
        }
        if self.tokens_per_node == 0 || self.tokens_per_node > TOKENS_PER_NODE_MAX {
            return Err(ConfigError::Tokens(self.tokens_per_node));
        }
        if self.n == 0 || self.n > self.nodes {
            return Err(ConfigError::Replicas {
                n: self.n,
                nodes: self.nodes,
            });
        }
        if self.request_timeout_ms == 0 {
            return Err(ConfigError::Timeout);
        }
        Ok(())
    }
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

impl Seat {
    /// Refuses a seat that does not fit its own store.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.store.validate()?;
        let nodes = self.store.nodes;
        let id = self.id;
        if id.0 == 0 || id.0 > nodes {
            return Err(ConfigError::Seat { id, nodes });
        }
        let others = (1..=nodes).map(NodeId).filter(|node| *node != id);
        if !others.eq(self.peers.keys().copied()) {
            return Err(ConfigError::Peers {
                id,
                others: nodes - 1,
            });
        }
        Ok(())
    }
}
