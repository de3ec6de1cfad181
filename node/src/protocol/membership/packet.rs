//! What the gossip of two nodes looks like on the way: postcard, one packet per message of whatever carries it.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::config::NodeId;
use crate::wire::encode;

use super::state::{RingState, StateError};
use super::swim::Accusation;

/// A fingerprint of a ring state: equal states have equal ones, and different states different ones but for one chance in 2^64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Digest(u64);

impl Digest {
    pub(super) fn of(state: &RingState) -> Digest {
        // Encoding into memory cannot fail; if it did, nobody would agree with anybody, which is safe.
        Digest(encode(state).map_or(0, |bytes| xxh3_64(&bytes)))
    }
}

/// One packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Packet {
    /// A message of the failure detector, with what the sender knows of the ring in eight bytes.
    Swim {
        /// Of the sender's ring state.
        digest: Digest,
        /// What the receiver is suspected of, if it is.
        accused: Option<Accusation>,
        /// The message.
        bytes: Vec<u8>,
    },
    /// All that the sender knows of the ring, because what the receiver knows is different.
    Ring {
        /// The sender's ring state.
        state: RingState,
        /// Whether the receiver shall answer with its own, should it know more.
        answer: bool,
    },
}

/// A packet that is not used. Whoever carries packets drops it, with a line in the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// Not a packet.
    #[error(
        "a gossip packet from {from} that cannot be read ({why}): do all nodes run the same version?"
    )]
    Malformed {
        /// Who brought it.
        from: NodeId,
        /// What is wrong with it.
        why: String,
    },
    /// Somebody else's name.
    #[error(
        "a gossip packet from {from} that says it is from {claimed}: check which address belongs to whom"
    )]
    Impostor {
        /// Who brought it.
        from: NodeId,
        /// Who it says it is from.
        claimed: NodeId,
    },
    /// A ring that cannot be.
    #[error("a gossip packet from {from}: {source}")]
    State {
        /// Who brought it.
        from: NodeId,
        /// What is wrong with it.
        source: StateError,
    },
}
