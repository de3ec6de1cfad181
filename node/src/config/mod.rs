//! What a node is told at start: one JSON file, its *seat*.
//!
//! Plain data. It is read by `shell` and by the harness that writes it; nothing here opens a file.

mod handoff;
mod health;
mod level;
mod limits;
mod membership;
mod repair;
mod sabotage;
mod topology;
mod versions;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::protocol::leader::{LeaderConfig, LeaderConfigError};

pub use handoff::{HintHolder, Hints};
pub use health::Health;
pub use level::{Level, LevelError};
pub use limits::Limits;
pub use membership::{Gossip, MembershipOptions};
pub use repair::{AntiEntropy, Purge, ReadFanout, ReadRepair, Reads, Speculation};
pub use sabotage::{SABOTAGED_SYNC_MS, Sabotage};
pub use topology::DataCentre;
pub use versions::{Resolution, StampSource, Stamping, Tie, Versions};

/// A node, by its place in the cluster: `n1` is 1. Ties between equal stamps go to the larger id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u16);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

/// When the log makes a record durable, and so when the replica acknowledges it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SyncPolicy {
    /// fsync before the acknowledgement; concurrent records share one (group commit).
    EachWrite,
    /// Acknowledge at once; write and fsync every so many milliseconds, or when there is much to write. Until then records are only in the
    /// node's own memory, so that `kill -9` loses them.
    EveryMs(u64),
}

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
    /// What most stores leave as it is.
    #[serde(default, flatten)]
    pub options: Options,
}

/// Settings with a default that does nothing, so that a plan names only those that it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// How writes of one key are told apart and ordered.
    #[serde(default, skip_serializing_if = "is_default")]
    pub versions: Versions,
    /// Data centres; none = all nodes are in one, and N replicas are placed without regard to any. Their replication factors add up to N.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_centres: Vec<DataCentre>,
    /// Whether requests that do not say may be served by nodes that stand in for replicas (a sloppy quorum).
    #[serde(default, skip_serializing_if = "is_default")]
    pub sloppy: bool,
    /// PR: how many of the R answers must come from the key's own replicas, unless a request says.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pr: u16,
    /// PW: how many of the key's own replicas must acknowledge, unless a request says.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pw: u16,
    /// DW: how many of the W must have the write in their log, unless a request says; the others need only have received it. None = all.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dw: Option<u16>,
    /// Hinted handoff.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hints: Hints,
    /// What reads do besides.
    #[serde(default, skip_serializing_if = "is_default")]
    pub reads: Reads,
    /// Comparing replicas without reads.
    #[serde(default, skip_serializing_if = "is_default")]
    pub anti_entropy: AntiEntropy,
    /// A store with a leader instead of a leaderless one; then N must be all nodes, and nothing else of the settings here means anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader: Option<LeaderConfig>,
    /// When tombstones are forgotten.
    #[serde(default, skip_serializing_if = "is_default")]
    pub purge: Purge,
    /// How much each node takes upon itself.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: Limits,
    /// Who is alive, and who is in the ring.
    #[serde(default, skip_serializing_if = "is_default")]
    pub membership: MembershipOptions,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
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
    /// Data centres that do not divide the cluster.
    #[error("data centre `{name}`: {why}")]
    DataCentre {
        /// Its name.
        name: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// A share of more than everything, a digest of nothing, and the like.
    #[error("{setting} = {value}: {why}")]
    Option {
        /// The setting.
        setting: &'static str,
        /// What it says.
        value: u64,
        /// What would be possible.
        why: String,
    },
    /// A store with a leader that not all nodes hold.
    #[error(
        "a store with a leader is held by all nodes, but N = {n} of {nodes}: choose as many nodes as replicas"
    )]
    Partial {
        /// Replicas of each key.
        n: u16,
        /// Nodes in the cluster.
        nodes: u16,
    },
    /// A store with a leader that makes no sense.
    #[error(transparent)]
    Leader(#[from] LeaderConfigError),
    /// A failure detector that cannot work.
    #[error("membership: {0}")]
    Detector(crate::protocol::membership::SettingsError),
    /// A ring that cannot be.
    #[error("ring-members: {0}")]
    Members(String),
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
        if let Some(leader) = self.options.leader {
            if self.n != self.nodes {
                let (n, nodes) = (self.n, self.nodes);
                return Err(ConfigError::Partial { n, nodes });
            }
            leader.validate(self.nodes)?;
        }
        self.validate_data_centres()?;
        self.validate_membership()?;
        self.validate_options()
    }

    fn validate_data_centres(&self) -> Result<(), ConfigError> {
        let centres = &self.options.data_centres;
        let refuse = |centre: &DataCentre, why: String| {
            let name = centre.name.clone();
            Err(ConfigError::DataCentre { name, why })
        };
        let mut placed = std::collections::BTreeSet::new();
        for (place, centre) in centres.iter().enumerate() {
            if centres[..place]
                .iter()
                .any(|other| other.name == centre.name)
            {
                return refuse(centre, "two have this name: give each its own".to_owned());
            }
            if centre.rf == 0 || usize::from(centre.rf) > centre.nodes.len() {
                let (rf, nodes) = (centre.rf, centre.nodes.len());
                let why = format!("{rf} replicas on {nodes} nodes: choose 1 to {nodes}");
                return refuse(centre, why);
            }
            for node in &centre.nodes {
                if node.0 == 0 || node.0 > self.nodes || !placed.insert(*node) {
                    let why = format!("{node} is unknown or in two: name each node once");
                    return refuse(centre, why);
                }
            }
        }
        let replicas: u32 = centres.iter().map(|centre| u32::from(centre.rf)).sum();
        match centres.last() {
            Some(last) if replicas != u32::from(self.n) => {
                let n = self.n;
                let why = format!(
                    "all data centres together have {replicas} replicas of a key, but N = {n}"
                );
                refuse(last, why)
            }
            Some(last) if placed.len() != usize::from(self.nodes) => {
                let why = "some node is in no data centre: name all of them".to_owned();
                refuse(last, why)
            }
            _ => Ok(()),
        }
    }

    fn validate_options(&self) -> Result<(), ConfigError> {
        let Options {
            pr,
            pw,
            hints,
            reads,
            ..
        } = &self.options;
        let most = u64::from(self.n);
        let up_to_n = |setting, value: u16| (setting, u64::from(value), most, "choose at most N");
        let percentile = match reads.speculation {
            Speculation::Percentile(percent) => percent,
            _ => 0,
        };
        let limits = [
            up_to_n("pr", *pr),
            up_to_n("pw", *pw),
            up_to_n("dw", self.options.dw.unwrap_or(0)),
            up_to_n("write-back", reads.write_back.unwrap_or(0)),
            (
                "repair-percent",
                reads.repair_percent.into(),
                100,
                "choose 0 to 100",
            ),
            (
                "speculation percentile",
                percentile.into(),
                99,
                "choose 1 to 99",
            ),
        ];
        for (setting, value, most, why) in limits {
            if value > most {
                let why = format!("{why} ({most})");
                return Err(ConfigError::Option {
                    setting,
                    value,
                    why,
                });
            }
        }
        if let Some((setting, value, least)) = self.options.limits.too_small() {
            let why = format!("choose at least {least}");
            return Err(ConfigError::Option {
                setting,
                value,
                why,
            });
        }
        let periods = [
            ("hint-interval", Some(hints.interval_ms)),
            ("anti-entropy", self.options.anti_entropy.interval_ms),
        ];
        for (setting, value) in periods {
            if value == Some(0) {
                let why = "choose at least 1 ms".to_owned();
                let value = 0;
                return Err(ConfigError::Option {
                    setting,
                    value,
                    why,
                });
            }
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
    /// Accept control requests (clock offset, status, repair, hints, ring) from clients. Only for tests and for `kv`; listeners are on loopback
    /// anyway.
    #[serde(default)]
    pub test_hooks: bool,
    /// When the node calls itself ill.
    #[serde(default)]
    pub health: Health,
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
        if self.health.ping_interval_ms == 0 {
            let (setting, value) = ("health.ping_interval_ms", 0);
            let why = "choose at least 1 ms".to_owned();
            return Err(ConfigError::Option {
                setting,
                value,
                why,
            });
        }
        Ok(())
    }
}
