//! What the nodes say to each other. Not how it travels: framing and greetings are the shell's.

use serde::{Deserialize, Serialize};

use crate::config::NodeId;
use crate::wire::Stamp;

use super::content::Content;
use super::siblings::VersionVector;
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
    /// Hold this: a client wrote it.
    Write {
        /// The request.
        id: RequestId,
        /// The key.
        key: Key,
        /// What to hold.
        content: Content,
        /// Keep it as a hint for this node, which cannot be reached.
        hint_for: Option<NodeId>,
        /// Say so as soon as it is received, too, and not only once it is durable.
        early: bool,
    },
    /// Hold this: a read found you behind.
    Repair {
        /// The request.
        id: RequestId,
        /// The key.
        key: Key,
        /// What to hold.
        content: Content,
        /// Keep it as a hint for this node, which cannot be reached.
        hint_for: Option<NodeId>,
    },
    /// I kept this for you while you could not be reached.
    Handoff {
        /// The holder's name for the hint.
        id: RequestId,
        /// The key.
        key: Key,
        /// What to hold.
        content: Content,
    },
    /// I have received what you sent; it is not durable yet.
    Received {
        /// The request.
        id: RequestId,
    },
    /// I durably hold what you sent, or something that replaces it.
    Held {
        /// The request.
        id: RequestId,
    },
    /// Give this write its dot, and hold it.
    Mint {
        /// The request.
        id: RequestId,
        /// The key.
        key: Key,
        /// What the client wrote.
        version: Version,
        /// What it had read, and so replaces.
        read: VersionVector,
        /// Keep it as a hint for this node, which cannot be reached.
        hint_for: Option<NodeId>,
    },
    /// This is what I hold since you sent that write; it is not durable yet.
    Minted {
        /// The request.
        id: RequestId,
        /// What the other replicas must hold, too.
        content: Content,
    },
    /// What do you hold of this key?
    Read {
        /// The request.
        id: RequestId,
        /// The key.
        key: Key,
        /// Its digest will do.
        digest: bool,
        /// You stand in for a replica: what you keep as hints counts.
        stand_in: bool,
    },
    /// I hold this; none if nothing.
    Answer {
        /// The request.
        id: RequestId,
        /// What.
        content: Option<Content>,
    },
    /// What I hold has this digest.
    Digest {
        /// The request.
        id: RequestId,
        /// The digest, and the newest stamp, for evidence; none if I hold nothing.
        digest: Option<(u64, Option<Stamp>)>,
    },
}
