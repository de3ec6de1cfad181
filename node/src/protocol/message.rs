//! What the nodes say to each other. Not how it travels: framing and greetings are the shell's.

use serde::{Deserialize, Serialize};

use crate::config::NodeId;
use crate::wire::{KEY_BYTES_MAX, Stamp};

use super::content::{CONTENT_BYTES_MAX, Content};
use super::leader::LeaderMessage;
use super::merkle::{Answer, Question};
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
    /// Compare these parts of the ring with mine.
    Compare {
        /// The comparison.
        id: RequestId,
        /// The fingerprint of the ring that the parts are of.
        ring: u64,
        /// By the number of the part.
        questions: Vec<(u32, Question)>,
    },
    /// What my hash trees say.
    Compared {
        /// The comparison.
        id: RequestId,
        /// By the number of the part.
        answers: Vec<(u32, Answer)>,
    },
    /// Our hash trees differ here: hold what I hold.
    Level {
        /// The key.
        key: Key,
        /// What I hold; none if nothing.
        content: Option<Content>,
        /// Tell me what you hold, if that is more.
        tell: bool,
    },
    /// May this tombstone be forgotten?
    MayForget {
        /// The key.
        key: Key,
        /// The digest of what the asker holds, of which only tombstones are left.
        digest: u64,
    },
    /// I hold the same, if I am a replica, and keep no hint of the key.
    MayBeForgotten {
        /// The key.
        key: Key,
        /// The digest that was asked for.
        digest: u64,
    },
    /// Everybody holds it: forget it.
    Forget {
        /// The key.
        key: Key,
        /// The digest of what is to be forgotten.
        digest: u64,
    },
    /// What nodes of a store with a leader say.
    Led(LeaderMessage),
    /// What I hold has this digest.
    Digest {
        /// The request.
        id: RequestId,
        /// The digest, and the newest stamp, for evidence; none if I hold nothing.
        digest: Option<(u64, Option<Stamp>)>,
    },
    /// Who is there, and who is in the ring: a packet of `membership`.
    Gossip(Vec<u8>),
    /// The ring changes: send the target of this task what you hold of its ranges, and tell me.
    Copy {
        /// The driver's name for this attempt at the change.
        id: RequestId,
        /// The fingerprint of the ring that the task is of.
        ring: u64,
        /// The number of the task.
        task: u32,
    },
    /// You are going to be an owner of this key: hold what I hold.
    Transfer {
        /// The sender's name for it.
        id: RequestId,
        /// The key.
        key: Key,
        /// What to hold.
        content: Content,
    },
    /// The target durably holds all that I held of a task's ranges.
    Copied {
        /// The driver's name for the attempt.
        id: RequestId,
        /// The number of the task.
        task: u32,
    },
}

impl PeerMessage {
    /// The request that it belongs to; none if it stands for itself.
    pub fn id(&self) -> Option<RequestId> {
        match self {
            PeerMessage::Write { id, .. }
            | PeerMessage::Repair { id, .. }
            | PeerMessage::Handoff { id, .. }
            | PeerMessage::Received { id }
            | PeerMessage::Held { id }
            | PeerMessage::Mint { id, .. }
            | PeerMessage::Minted { id, .. }
            | PeerMessage::Read { id, .. }
            | PeerMessage::Answer { id, .. }
            | PeerMessage::Digest { id, .. }
            | PeerMessage::Compare { id, .. }
            | PeerMessage::Compared { id, .. }
            | PeerMessage::Copy { id, .. }
            | PeerMessage::Transfer { id, .. }
            | PeerMessage::Copied { id, .. } => Some(*id),
            PeerMessage::Led(_)
            | PeerMessage::Gossip(_)
            | PeerMessage::Level { .. }
            | PeerMessage::MayForget { .. }
            | PeerMessage::MayBeForgotten { .. }
            | PeerMessage::Forget { .. } => None,
        }
    }

    /// The key that it names.
    pub fn key(&self) -> Option<&Key> {
        match self {
            PeerMessage::Write { key, .. }
            | PeerMessage::Repair { key, .. }
            | PeerMessage::Handoff { key, .. }
            | PeerMessage::Mint { key, .. }
            | PeerMessage::Read { key, .. }
            | PeerMessage::Transfer { key, .. }
            | PeerMessage::Level { key, .. }
            | PeerMessage::MayForget { key, .. }
            | PeerMessage::MayBeForgotten { key, .. }
            | PeerMessage::Forget { key, .. } => Some(key),
            _ => None,
        }
    }

    /// What it says is held, or is to be.
    pub fn content(&self) -> Option<Content> {
        match self {
            PeerMessage::Mint { version, .. } => Some(Content::One(version.clone())),
            other => other.carried().cloned(),
        }
    }

    /// The content that it brings along.
    fn carried(&self) -> Option<&Content> {
        match self {
            PeerMessage::Write { content, .. }
            | PeerMessage::Repair { content, .. }
            | PeerMessage::Handoff { content, .. }
            | PeerMessage::Transfer { content, .. }
            | PeerMessage::Minted { content, .. } => Some(content),
            PeerMessage::Answer { content, .. } | PeerMessage::Level { content, .. } => {
                content.as_ref()
            }
            _ => None,
        }
    }

    /// Whether it brings something that is to be written to the log.
    pub fn is_to_be_held(&self) -> bool {
        matches!(
            self,
            PeerMessage::Write { .. }
                | PeerMessage::Repair { .. }
                | PeerMessage::Handoff { .. }
                | PeerMessage::Level { .. }
                | PeerMessage::Transfer { .. }
                | PeerMessage::Mint { .. }
        )
    }

    /// Whether it is about a key, or brings a content, that is larger than any can be. Its sender has other limits than we, or none.
    pub(super) fn is_too_large(&self) -> bool {
        let content = self.carried();
        self.key()
            .is_some_and(|key| key.as_str().len() > KEY_BYTES_MAX)
            || content.is_some_and(|content| content.weight() > CONTENT_BYTES_MAX)
    }
}
