//! When a node calls itself ill. It only says so: it does nothing about it.

use serde::{Deserialize, Serialize};

/// A node that compares replicas on a timer is ill after so many of its intervals without a comparison that came to its end.
const REPAIR_INTERVALS_MAX: u64 = 10;

/// Thresholds of a node's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// How often each peer is sent a ping, ms; its answer is a sign of life.
    pub ping_interval_ms: u64,
    /// A peer that was not heard of for longer than this is silent, ms.
    pub silent_ms_max: u64,
    /// More hints than this in keeping are too many.
    pub hints_max: u64,
    /// The last comparison with a peer may be at most so long ago, ms. None = ten intervals of anti-entropy, and any age where there is
    /// none.
    pub repair_age_ms_max: Option<u64>,
}

impl Default for Health {
    fn default() -> Health {
        Health {
            ping_interval_ms: 1_000,
            silent_ms_max: 5_000,
            hints_max: 1_000,
            repair_age_ms_max: None,
        }
    }
}

impl Health {
    /// How old the last comparison may be, ms, in a store that compares so often; none = any age.
    pub fn repair_age_ms_max(&self, interval_ms: Option<u64>) -> Option<u64> {
        let of_timer = interval_ms.map(|interval| interval.saturating_mul(REPAIR_INTERVALS_MAX));
        self.repair_age_ms_max.or(of_timer)
    }
}
