//! Hinted handoff: who keeps a write for a replica that cannot be reached, for how long, and how fast it is handed over.

use serde::{Deserialize, Serialize};

/// Who keeps hints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HintHolder {
    /// Nobody: what a replica missed it misses until it is repaired.
    #[default]
    Nobody,
    /// The node that stands in for the replica in a sloppy quorum (Dynamo 4.6, Riak's fallback vnodes).
    Fallback,
    /// The coordinator; a hint counts towards nothing but [`Level::Any`](super::Level::Any) (Cassandra's `StorageProxy`).
    Coordinator,
}

/// Settings of hinted handoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hints {
    /// Who keeps them.
    pub holder: HintHolder,
    /// Whether they are in the log and survive a restart of their holder, or in memory only.
    pub durable: bool,
    /// Nothing more is kept for a replica that has been gone for longer than this, ms, and what is kept expires at this age
    /// (Cassandra's `max_hint_window`); none = for ever.
    pub window_ms: Option<u64>,
    /// Most bytes of keys and values that are kept for one replica; more are not taken.
    pub bytes_max: u64,
    /// How often the holder looks whether there is something to hand over, ms.
    pub interval_ms: u64,
    /// Most bytes that are handed over in one second; 0 = no limit.
    pub bytes_per_s_max: u64,
}

impl Default for Hints {
    fn default() -> Hints {
        Hints {
            holder: HintHolder::Nobody,
            durable: true,
            window_ms: None,
            bytes_max: 64 << 20,
            interval_ms: 100,
            bytes_per_s_max: 0,
        }
    }
}
