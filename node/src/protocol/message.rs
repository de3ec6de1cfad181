//! What the nodes say to each other. Not how it travels: framing and greetings are the shell's.

use serde::{Deserialize, Serialize};

use super::version::{Key, Version};

/// A coordinator's name for one request. The epoch makes answers that were meant for an earlier life of the node recognisable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId {
    /// The coordinator's start count.
    pub epoch: u64,
    /// Unique within the epoch.
    pub counter: u64,
}

/// One message between two nodes. Any of them may be lost, delayed, repeated or overtaken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PeerMessage {
    /// Hold this version: a client wrote it.
    Write {
        /// The request.
        id: RequestId,
        /// The key.
        key: Key,
        /// What to hold.
        version: Version,
    },
    /// Hold this version: a read found you behind.
    Repair {
        /// The request.
        id: RequestId,
        /// The key.
        key: Key,
        /// What to hold.
        version: Version,
    },
    /// I durably hold what you sent, or something that replaces it.
    Held {
        /// The request.
        id: RequestId,
    },
    /// What do you hold of this key?
    Read {
        /// The request.
        id: RequestId,
        /// The key.
        key: Key,
    },
    /// I hold this; none if nothing.
    Answer {
        /// The request.
        id: RequestId,
        /// The version.
        version: Option<Version>,
    },
}
