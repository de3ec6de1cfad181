//! How reads find and mend stale replicas, and how replicas mend each other without being read.

use serde::{Deserialize, Serialize};

/// What a read does about stale replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadRepair {
    /// Nothing.
    None,
    /// Sends them the newest version after the reply.
    Async,
    /// Replies only when enough replicas for the read's own level are known to hold the version returned.
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

/// When a read turns to replicas that it has not asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Speculation {
    /// After a quarter of the request time-out.
    #[default]
    Quarter,
    /// After so many milliseconds.
    AfterMs(u64),
    /// After as long as this share of the recent reads of this coordinator took, percent (Cassandra's `speculative_retry: 99p`).
    Percentile(u8),
    /// Never.
    Never,
}

/// What reads do besides asking R replicas for the whole version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reads {
    /// Share of the reads that repair at all, percent (Cassandra's `read_repair_chance` until 4.0).
    pub repair_percent: u8,
    /// With blocking repair: so many replicas must hold what is returned, if that is more than the read's level (an "ABD" write-back).
    pub write_back: Option<u16>,
    /// Ask one replica for the version and the others for its digest, and for the version only if digests differ (Cassandra).
    pub digest: bool,
    /// When a read turns to others.
    pub speculation: Speculation,
}

impl Default for Reads {
    fn default() -> Reads {
        Reads {
            repair_percent: 100,
            write_back: None,
            digest: false,
            speculation: Speculation::Quarter,
        }
    }
}

/// Anti-entropy: replicas compare hash trees of what they share, and send each other what differs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AntiEntropy {
    /// How often a replica begins to compare with its next peer, ms; none = only when told to (`kv repair`).
    pub interval_ms: Option<u64>,
}

/// When a tombstone is forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purge {
    /// Never.
    #[default]
    Never,
    /// By each replica for itself, so many ms after it came to hold it (Cassandra's `gc_grace_seconds`): a replica that missed the delete
    /// for longer brings the value back.
    AfterMs(u64),
    /// Not before so many ms, and only once every replica holds it and no node keeps a hint for the key (Riak's and Garage's rule).
    WhenAllHaveMs(u64),
}
