//! What goes into a replica and what comes out. Plain data.

use crate::config::NodeId;
use crate::wire::{Request, Response};

use super::message::PeerMessage;
use super::record::Record;
use super::store::Token;

/// The shell's name for a client's request; the protocol only hands it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// The connection it came over.
    pub connection: u64,
    /// The client's own tag.
    pub request: u64,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A message arrived.
    Peer {
        /// Its sender.
        from: NodeId,
        /// The message.
        message: PeerMessage,
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
        request: Request,
    },
    /// The log has this record, as safely as the sync policy asks.
    Persisted(Token),
    /// The deadline has come.
    Tick,
}

/// Something that must happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a message. Never to the replica itself.
    Send {
        /// Its receiver.
        to: NodeId,
        /// The message.
        message: PeerMessage,
    },
    /// Answer a client.
    Reply {
        /// The request's.
        tag: Tag,
        /// The answer.
        response: Response,
    },
    /// Append a record to the log, after all records of smaller tokens.
    Persist {
        /// To be handed back.
        token: Token,
        /// The record.
        record: Record,
    },
}
