//! How much one node takes upon itself: beyond it says no, and goes on.

use serde::{Deserialize, Serialize};

/// Limits of one node. The defaults are far beyond what a test needs, and within what a machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Most requests that it coordinates at a time; more are refused as `overloaded`.
    pub requests_max: u32,
    /// Most keys that it holds, tombstones included.
    pub keys_max: u64,
    /// Most bytes of memory that keys, values and version vectors may take by the node's reckoning; and as many again for the hints that it
    /// keeps. What would need more is not held, and not acknowledged.
    pub bytes_max: u64,
    /// Most records that wait for their sync; while there are more, writes are refused as `overloaded`, and those of peers not held.
    pub unsynced_max: u64,
    /// Most clients that are connected at a time; more are let go at once.
    pub clients_max: u32,
    /// A client that asks nothing for so long is let go, ms.
    pub client_idle_ms: u64,
    /// A peer whose link says nothing for so long is let go, ms. It has its pings to say.
    pub peer_idle_ms: u64,
    /// How long a peer may take to greet, ms.
    pub greeting_ms: u64,
    /// Most bytes that wait to be sent to one client or peer: a client that lets more pile up is let go, of a peer's the newest are lost.
    pub outbox_bytes_max: u64,
    /// Most bytes of large messages that were received and wait for the node; their senders wait, too.
    pub inbox_bytes_max: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            requests_max: 1 << 16,
            keys_max: 1 << 24,
            bytes_max: 8 << 30,
            unsynced_max: 1 << 18,
            clients_max: 4_096,
            client_idle_ms: 600_000,
            peer_idle_ms: 60_000,
            greeting_ms: 1_000,
            outbox_bytes_max: 64 << 20,
            inbox_bytes_max: 64 << 20,
        }
    }
}

impl Limits {
    /// A limit that no node could live with: its name, its value, and the least that it must be.
    pub(super) fn too_small(&self) -> Option<(&'static str, u64, u64)> {
        let least = [
            ("limits.requests_max", u64::from(self.requests_max), 1),
            ("limits.clients_max", u64::from(self.clients_max), 1),
            ("limits.unsynced_max", self.unsynced_max, 1),
            ("limits.client_idle_ms", self.client_idle_ms, 1),
            ("limits.peer_idle_ms", self.peer_idle_ms, 1),
            ("limits.greeting_ms", self.greeting_ms, 1),
            // A frame of the largest size must pass.
            ("limits.outbox_bytes_max", self.outbox_bytes_max, 1 << 21),
            (
                "limits.inbox_bytes_max",
                self.inbox_bytes_max.into(),
                1 << 21,
            ),
        ];
        least.into_iter().find(|(_, value, least)| value < least)
    }
}
