//! What goes into a node and what comes out. Plain data.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::config::NodeId;
use crate::protocol::interface::Tag;
use crate::protocol::store::Token;
use crate::protocol::version::Key;

use super::config::Reads;
use super::message::LeaderMessage;
use super::record::LeaderRecord;
use super::term::Position;

/// What a client may ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// Read a key.
    Get {
        /// The key.
        key: Key,
        /// Who may answer; none for what the store is set to.
        from: Option<Reads>,
    },
    /// Write a key.
    Put {
        /// The key.
        key: Key,
        /// The value.
        value: Arc<[u8]>,
    },
    /// Delete a key.
    Delete {
        /// The key.
        key: Key,
    },
    /// Read what *this* node holds, whoever leads.
    Inspect {
        /// The key.
        key: Key,
    },
}

/// What the node that answered knew.
///
/// As a [`crate::wire::Evidence`] it reads: `version` is the [`Position::stamp`] of `position`, `acked_by` is the same, and `answered_by` is
/// `served_by` with that stamp; `coordinator` and `epoch` are those of the node that the client is connected to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grounds {
    /// The node that answered: the leader, or a follower that was asked to read.
    pub served_by: NodeId,
    /// The entry written, or the one that the value read is from. None for a key without entries.
    pub position: Option<Position>,
    /// Who durably held the entry at the time of the reply. Empty for reads.
    pub acked_by: Vec<NodeId>,
    /// Whether a semi-synchronous leader waited for nobody because it had waited too long before.
    pub degraded: bool,
}

/// What a client is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeaderReply {
    /// The value read; none if there is none.
    Value {
        /// The value.
        value: Option<Arc<[u8]>>,
        /// What is known about it.
        grounds: Grounds,
    },
    /// The write has as many copies as were asked for.
    Written {
        /// What is known about it.
        grounds: Grounds,
    },
    /// Certainly not done: nothing was appended anywhere.
    Refused {
        /// Why, a lower-case fragment.
        why: String,
    },
    /// Unknown: it may be in the log, now or later.
    Unknown {
        /// Why, a lower-case fragment.
        why: String,
        /// Where the leader put it, if this node is that leader.
        position: Option<Position>,
    },
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaderInput {
    /// A message arrived.
    Peer {
        /// Its sender.
        from: NodeId,
        /// The message.
        message: LeaderMessage,
    },
    /// Messages to this peer have a chance to arrive from now on.
    PeerUp(NodeId),
    /// Messages to this peer are lost from now on.
    PeerDown(NodeId),
    /// A client asked.
    Client {
        /// To be handed back with the reply.
        tag: Tag,
        /// The request.
        ask: Ask,
    },
    /// The disk has this record and all before it, as safely as the sync policy asks.
    Persisted(Token),
    /// The deadline has come.
    Tick,
}

/// Something that must happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaderOutput {
    /// Send a message. Never to the node itself.
    Send {
        /// Its receiver.
        to: NodeId,
        /// The message.
        message: LeaderMessage,
    },
    /// Answer a client.
    Reply {
        /// The request's.
        tag: Tag,
        /// The answer.
        reply: LeaderReply,
    },
    /// Append a record to the disk's log, after all records of smaller tokens.
    Persist {
        /// To be handed back.
        token: Token,
        /// The record.
        record: LeaderRecord,
    },
}
