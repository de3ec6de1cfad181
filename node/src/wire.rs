//! What clients and nodes say to each other: length-delimited frames (`u32` big-endian length, then postcard).
//!
//! A client connection carries [`ClientFrame`]s one way and [`ServerFrame`]s the other; a reply carries the tag of its request, and
//! replies may come in any order. Messages between nodes are in `protocol/message.rs`. Nothing here does I/O.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio_util::codec::LengthDelimitedCodec;

use crate::config::NodeId;

/// Largest frame that is accepted, bytes, without its length prefix.
pub const FRAME_BYTES_MAX: usize = 1 << 20;

/// Largest key that is accepted, bytes.
pub const KEY_BYTES_MAX: usize = 1 << 10;

/// Largest value that is accepted, bytes. With its key and stamps it fits a frame, whoever sends it.
pub const VALUE_BYTES_MAX: usize = 1 << 19;

/// The framing of every connection to a node.
pub fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder()
        .max_frame_length(FRAME_BYTES_MAX)
        .new_codec()
}

/// The body of a frame.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, postcard::Error> {
    postcard::to_stdvec(value)
}

/// Appends a whole frame, length and body, so that many frames can be written at once.
pub fn append_frame<T: Serialize>(value: &T, buffer: &mut Vec<u8>) -> Result<(), postcard::Error> {
    let body = encode(value)?;
    let length = u32::try_from(body.len()).map_err(|_| postcard::Error::SerializeBufferFull)?;
    if body.len() > FRAME_BYTES_MAX {
        return Err(postcard::Error::SerializeBufferFull);
    }
    buffer.extend_from_slice(&length.to_be_bytes());
    buffer.extend_from_slice(&body);
    Ok(())
}

/// What the body of a frame says. Bytes left over are an error: they mean that the two sides disagree about the type.
pub fn decode<T: DeserializeOwned>(frame: &[u8]) -> Result<T, postcard::Error> {
    match postcard::take_from_bytes(frame)? {
        (value, []) => Ok(value),
        _ => Err(postcard::Error::DeserializeBadEncoding),
    }
}

/// Last-write-wins stamp of one write. Larger wins; the node breaks ties.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Stamp {
    /// The coordinator's wall clock, ns since the Unix epoch.
    pub wall_ns: i64,
    /// The coordinator.
    pub node: u16,
}

/// A request with its tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientFrame {
    /// Chosen by the client, echoed in the reply.
    pub tag: u64,
    /// The request.
    pub request: Request,
}

/// A reply with the tag of its request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerFrame {
    /// The request's tag.
    pub tag: u64,
    /// The reply.
    pub response: Response,
}

/// What a client may ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Read a key with a quorum of `r` (default: the store's).
    Get {
        /// The key.
        key: String,
        /// Ask only the first so many of the key's replicas (default: all N of the store).
        n: Option<u16>,
        /// Answers to wait for.
        r: Option<u16>,
    },
    /// Write a key with a quorum of `w` (default: the store's).
    Put {
        /// The key.
        key: String,
        /// The value.
        value: Vec<u8>,
        /// Write to only the first so many of the key's replicas (default: all N of the store).
        n: Option<u16>,
        /// Acknowledgements to wait for.
        w: Option<u16>,
    },
    /// Delete a key (write a tombstone) with a quorum of `w`.
    Delete {
        /// The key.
        key: String,
        /// Write to only the first so many of the key's replicas (default: all N of the store).
        n: Option<u16>,
        /// Acknowledgements to wait for.
        w: Option<u16>,
    },
    /// Read what *this* node's replica holds, by-passing the quorum. Refused if it is no replica of the key.
    Inspect {
        /// The key.
        key: String,
    },
    /// Set the offset of this node's wall clock (test hook).
    SetClockOffset {
        /// Added to the host's wall clock, ns.
        offset_ns: i64,
    },
    /// How busy is this node (test hook).
    Status,
}

/// What a node answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Response {
    /// A read's answer; no value = absent (never written, or deleted).
    Value {
        /// The value.
        value: Option<Vec<u8>>,
        /// What the coordinator knows.
        evidence: Evidence,
    },
    /// The write or delete was acknowledged by its quorum.
    Written {
        /// What the coordinator knows.
        evidence: Evidence,
    },
    /// Certainly not done: refused before anything was sent.
    Refused {
        /// Why, a lower-case fragment.
        why: String,
    },
    /// Unknown: something was sent, and the quorum was not reached in time.
    Unknown {
        /// Why, a lower-case fragment.
        why: String,
        /// What the coordinator knows.
        evidence: Evidence,
    },
    /// The control request was carried out.
    Done,
    /// How busy this node is.
    Status(Status),
}

/// What a coordinator knows about one request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The coordinator.
    pub coordinator: u16,
    /// Its start count.
    pub epoch: u64,
    /// The stamp written, or of the version returned.
    pub version: Option<Stamp>,
    /// Replicas that acknowledged before the reply.
    pub acked_by: Vec<NodeId>,
    /// Replicas whose answers made the reply, in order of arrival, each with the stamp it held.
    pub answered_by: Vec<(NodeId, Option<Stamp>)>,
    /// Replicas repaired before the reply (blocking) or told to after it (async).
    pub repaired: Vec<NodeId>,
}

/// How busy a node is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Its start count.
    pub epoch: u64,
    /// Requests it coordinates, repairs included.
    pub coordinating: u64,
    /// Records not yet synced.
    pub unsynced: u64,
    /// Messages waiting to be sent to peers.
    pub queued: u64,
    /// Peers that it has a connection to.
    pub connected: Vec<NodeId>,
    /// Offset of its wall clock, ns.
    pub clock_offset_ns: i64,
}

/// The one line that a node prints to stdout when it is ready, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// This node.
    pub node: NodeId,
    /// Its process id.
    pub pid: u32,
    /// Its start count.
    pub epoch: u64,
    /// Port for clients, on 127.0.0.1.
    pub client_port: u16,
    /// Port for peers, on 127.0.0.1.
    pub peer_port: u16,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio_util::codec::Decoder;

    use crate::protocol::PeerMessage;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_make_decoding_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode::<ClientFrame>(&bytes);
            let _ = decode::<ServerFrame>(&bytes);
            let _ = decode::<PeerMessage>(&bytes);
        }

        #[test]
        fn frames_come_back(tag: u64, key: String, value: Vec<u8>, n: Option<u16>, w: Option<u16>) {
            let request = Request::Put { key, value, n, w };
            let frame = ClientFrame { tag, request };
            let mut buffer = Vec::new();
            append_frame(&frame, &mut buffer).unwrap();
            append_frame(&frame, &mut buffer).unwrap();
            let mut bytes = buffer.as_slice().into();
            let mut codec = codec();
            for _ in 0..2 {
                let body = codec.decode(&mut bytes).unwrap().unwrap();
                prop_assert_eq!(decode::<ClientFrame>(&body).unwrap(), frame.clone());
            }
            prop_assert!(bytes.is_empty());
        }
    }

    #[test]
    fn left_over_bytes_are_an_error() {
        let mut body = encode(&Response::Done).unwrap();
        assert_eq!(decode(&body), Ok(Response::Done));
        body.push(0);
        assert!(decode::<Response>(&body).is_err());
    }

    #[test]
    fn the_largest_write_fits_a_frame_and_a_larger_frame_is_refused() {
        let frame = |bytes| ClientFrame {
            tag: u64::MAX,
            request: Request::Put {
                key: "k".repeat(KEY_BYTES_MAX),
                value: vec![255; bytes],
                n: Some(u16::MAX),
                w: Some(u16::MAX),
            },
        };
        assert_eq!(
            append_frame(&frame(VALUE_BYTES_MAX), &mut Vec::new()),
            Ok(())
        );
        assert!(append_frame(&frame(FRAME_BYTES_MAX), &mut Vec::new()).is_err());
    }
}
