//! What clients and nodes say to each other: length-delimited frames (`u32` big-endian length, then postcard).
//!
//! A client connection carries [`ClientFrame`]s one way and [`ServerFrame`]s the other; a reply carries the tag of its request, and
//! replies may come in any order. Messages between nodes are in `protocol/message.rs`. Nothing here does I/O.

pub(crate) mod bytes;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio_util::codec::LengthDelimitedCodec;

use crate::config::{Level, NodeId};
use crate::protocol::leader::{LeaderStatus, PhaseEvent};

/// Largest frame that is accepted, bytes, without its length prefix.
pub const FRAME_BYTES_MAX: usize = 1 << 20;

/// A frame's length prefix, bytes.
const LENGTH_BYTES: usize = 4;

/// Room for most bodies, bytes.
const USUAL_BYTES: usize = 64;

/// Largest key that is accepted, bytes.
pub const KEY_BYTES_MAX: usize = 1 << 10;

/// Largest value that is accepted, bytes. With its key and stamps it fits a frame, whoever sends it.
pub const VALUE_BYTES_MAX: usize = 1 << 19;

/// Largest context that is accepted, bytes.
pub const CONTEXT_BYTES_MAX: usize = 1 << 16;

/// The framing of every connection to a node.
pub fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder()
        .max_frame_length(FRAME_BYTES_MAX)
        .new_codec()
}

/// The body of a frame.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, postcard::Error> {
    let mut body = Vec::with_capacity(USUAL_BYTES);
    append(value, &mut body)?;
    Ok(body)
}

/// Appends a whole frame, length and body, so that many frames can be written at once. After an error the buffer is as it was.
pub fn append_frame<T: Serialize>(value: &T, buffer: &mut Vec<u8>) -> Result<(), postcard::Error> {
    let start = buffer.len();
    let body = start + LENGTH_BYTES;
    buffer.resize(body, 0);
    let appended = append(value, buffer).and_then(|()| match u32::try_from(buffer.len() - body) {
        Ok(length) if buffer.len() - body <= FRAME_BYTES_MAX => Ok(length.to_be_bytes()),
        _ => Err(postcard::Error::SerializeBufferFull),
    });
    match appended {
        Ok(length) => {
            buffer[start..body].copy_from_slice(&length);
            Ok(())
        }
        Err(error) => {
            buffer.truncate(start);
            Err(error)
        }
    }
}

/// Appends the body of a frame. After an error part of it may be there.
pub(crate) fn append<T: Serialize>(value: &T, buffer: &mut Vec<u8>) -> Result<(), postcard::Error> {
    postcard::serialize_with_flavor(value, bytes::Tail(buffer))
}

/// The body of the first frame in these bytes, and the bytes that the frame takes; none while it is not there whole.
pub(crate) fn first_frame(bytes: &[u8]) -> Result<Option<(&[u8], usize)>, TooLong> {
    let Some((length, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes(*length);
    match usize::try_from(length) {
        Ok(length) if length <= FRAME_BYTES_MAX => {
            let body = rest.get(..length);
            Ok(body.map(|body| (body, LENGTH_BYTES + length)))
        }
        _ => Err(TooLong(length)),
    }
}

/// A frame that is longer than any may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {0} bytes: at most {FRAME_BYTES_MAX} are accepted")]
pub(crate) struct TooLong(u32);

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

/// How many replicas a request is about and waits for. What is left open is the store's default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quorum {
    /// Only the first so many of the key's replicas (default: all N of the store).
    pub n: Option<u16>,
    /// R of a read, W of a write.
    pub level: Option<Level>,
    /// PR of a read, PW of a write: so many of them must be the key's own replicas, not nodes that stand in for one.
    pub primaries: Option<u16>,
    /// DW of a write: so many must have it in their log; the others need only have received it.
    pub durable: Option<u16>,
    /// Whether nodes may stand in for replicas that cannot be reached.
    pub sloppy: Option<bool>,
}

impl Quorum {
    /// The store's defaults, but this many replicas.
    pub fn count(count: u16) -> Quorum {
        Quorum::at(Level::Count(count))
    }

    /// The store's defaults, but at this level.
    pub fn at(level: Level) -> Quorum {
        Quorum {
            level: Some(level),
            ..Quorum::default()
        }
    }
}

/// What a client has read of a key, to be handed back with its next write of it. Opaque to clients.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Context(#[serde(with = "bytes")] pub Vec<u8>);

/// What a client may ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Read a key.
    Get {
        /// The key.
        key: String,
        /// How many replicas.
        quorum: Quorum,
    },
    /// Write a key.
    Put {
        /// The key.
        key: String,
        /// The value.
        #[serde(with = "bytes")]
        value: Vec<u8>,
        /// How many replicas.
        quorum: Quorum,
        /// What the client read before; none = a blind write.
        context: Option<Context>,
        /// The client's own stamp, ns since the Unix epoch, for stores that take those.
        stamp_ns: Option<i64>,
    },
    /// Delete a key (write a tombstone).
    Delete {
        /// The key.
        key: String,
        /// How many replicas.
        quorum: Quorum,
        /// What the client read before; none = a blind delete.
        context: Option<Context>,
        /// The client's own stamp, ns since the Unix epoch, for stores that take those.
        stamp_ns: Option<i64>,
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
    /// Compare with every peer that shares a range, now (test hook).
    Repair,
    /// Which hints does this node keep (test hook).
    Hints,
    /// The ring as this node sees it (test hook).
    Ring {
        /// And the replicas of this key.
        key: Option<String>,
    },
    /// Is this node well: what `GET /health` says.
    Health,
    /// What this node counts: what `GET /metrics` says.
    Metrics,
    /// Change the ring (test hook). [`Response::Done`] says that it is decided for good, not that it is finished: [`RingStatus`] tells.
    ChangeRing(RingCommand),
}

/// A decision about the ring. The node that is told sees it through, also after a restart; nobody else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RingCommand {
    /// The node that is told comes into the ring.
    Join,
    /// The node that is told takes the place of this one, which must be believed dead.
    Replace(NodeId),
    /// This node leaves the ring. It may be dead.
    Leave(NodeId),
    /// The change of this node, which is still copying, is forgotten.
    Abort(NodeId),
}

impl Request {
    /// A read.
    pub fn get(key: impl Into<String>, quorum: Quorum) -> Request {
        let key = key.into();
        Request::Get { key, quorum }
    }

    /// A blind write.
    pub fn put(key: impl Into<String>, value: impl Into<Vec<u8>>, quorum: Quorum) -> Request {
        Request::Put {
            key: key.into(),
            value: value.into(),
            quorum,
            context: None,
            stamp_ns: None,
        }
    }

    /// A blind delete.
    pub fn delete(key: impl Into<String>, quorum: Quorum) -> Request {
        Request::Delete {
            key: key.into(),
            quorum,
            context: None,
            stamp_ns: None,
        }
    }
}

/// What a node answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Response {
    /// A read's answer. No value = absent (never written, or deleted); several are siblings, which only a store with version vectors has.
    Value {
        /// The values, ascending.
        #[serde(with = "bytes::list")]
        values: Vec<Vec<u8>>,
        /// To be handed back with the next write of the key.
        context: Context,
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
    Status(Box<Status>),
    /// The hints it keeps, by the node that they are for.
    Hints(Vec<HintsKept>),
    /// The ring.
    Ring(RingView),
    /// How well it is.
    Health(Health),
    /// What it counts, in Prometheus' text format.
    Metrics {
        /// The text.
        text: String,
    },
}

/// Hints in keeping for one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HintsKept {
    /// Whom they are for.
    pub owner: NodeId,
    /// How many.
    pub hints: u64,
    /// Their bytes, keys and values.
    pub bytes: u64,
}

/// The ring as one node sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingView {
    /// All nodes.
    pub nodes: Vec<Share>,
    /// The replicas of the key that was asked for, in the order of preference.
    pub replicas: Vec<NodeId>,
    /// Who may stand in for them, best first.
    pub stand_ins: Vec<NodeId>,
}

/// One node's part of the ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The node.
    pub node: NodeId,
    /// The part of all keys that it comes first for, millionths.
    pub millionths: u32,
    /// Its data centre, if there are any.
    pub data_centre: Option<String>,
}

/// How well a node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// The node.
    pub node: NodeId,
    /// Whether nothing is wrong.
    pub healthy: bool,
    /// What was looked at, each with what was found.
    pub checks: Vec<Check>,
    /// Its peers.
    pub peers: Vec<PeerSeen>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// `peers`, `hints` or `repair`.
    pub name: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found, a lower-case fragment.
    pub found: String,
}

/// What a node knows about a peer's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerSeen {
    /// The peer.
    pub node: NodeId,
    /// Whether there is a connection to it.
    pub connected: bool,
    /// How long ago it was heard of, ms; none = never in this life of the node.
    pub heard_ms_ago: Option<u64>,
}

/// What a coordinator knows about one request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The coordinator.
    pub coordinator: u16,
    /// Its start count.
    pub epoch: u64,
    /// The stamp written, or of the version returned (of the newest sibling).
    pub version: Option<Stamp>,
    /// Nodes that acknowledged before the reply.
    pub acked_by: Vec<NodeId>,
    /// Nodes whose answers made the reply, in order of arrival, each with the (newest) stamp it held.
    pub answered_by: Vec<(NodeId, Option<Stamp>)>,
    /// Replicas repaired before the reply (blocking) or told to after it (async).
    pub repaired: Vec<NodeId>,
    /// Those of the nodes above that are no replicas of the key but stood in for one.
    pub fallbacks: Vec<NodeId>,
    /// Hints that were kept for replicas: for whom, and by whom.
    pub hinted: Vec<(NodeId, NodeId)>,
}

/// How busy a node is, and what it has done since it was started.
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
    /// What it has counted.
    pub counters: Counters,
    /// How a store with a leader is doing, as this node sees it; none of others.
    pub led: Option<Box<Led>>,
    /// What it knows of the ring; none if that never changes.
    pub ring: Option<Box<RingStatus>>,
}

/// What a node knows of the ring.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingStatus {
    /// The nodes of the ring as it is, each with the node whose tokens it has: itself, or one that it has replaced.
    pub owners: Vec<(NodeId, NodeId)>,
    /// The node that comes or goes.
    pub changing: Option<NodeId>,
    /// Whether reads have moved to the owners after the change.
    pub switched: bool,
    /// Whether everybody was last heard to know the same of the ring.
    pub agreed: bool,
    /// Peers that are believed dead.
    pub dead: Vec<NodeId>,
}

/// How a store with a leader is doing, as one of its nodes sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Led {
    /// Whether this node leads, or believes so.
    pub leads: bool,
    /// All that it knows of itself.
    pub status: LeaderStatus,
    /// The phases of the failovers that it has seen end, on its own clock.
    pub phases: Vec<PhaseEvent>,
}

/// What a node counts, from 0 at its start; `*_pending` is what there is now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Reads coordinated, whatever came of them.
    pub reads: u64,
    /// Reads answered with a value.
    pub reads_ok: u64,
    /// Writes and deletes coordinated, whatever came of them.
    pub writes: u64,
    /// Writes and deletes acknowledged.
    pub writes_ok: u64,
    /// Requests refused before anything was sent: too few replicas within reach, or something that makes no sense.
    pub refused: u64,
    /// Requests that did not find their quorum in time.
    pub unknown: u64,
    /// Reads that found a stale replica.
    pub reads_repaired: u64,
    /// Versions sent to stale replicas by reads.
    pub repairs_sent: u64,
    /// Reads whose digests differed.
    pub digest_mismatches: u64,
    /// Reads that turned to a replica that they had not asked at first.
    pub speculations: u64,
    /// Nodes that stood in for a replica in a request coordinated here.
    pub fallbacks: u64,
    /// Hints taken into keeping.
    pub hints_kept: u64,
    /// Hints that were not taken: too many bytes, or their owner gone for too long.
    pub hints_refused: u64,
    /// Hints handed over and acknowledged by their owners.
    pub hints_delivered: u64,
    /// Hints that became too old.
    pub hints_expired: u64,
    /// Reads and writes that met more than one sibling.
    pub siblings_met: u64,
    /// Writes that left more than one sibling.
    pub siblings_made: u64,
    /// Tombstones forgotten.
    pub tombstones_purged: u64,
    /// Comparisons with a peer that came to their end.
    pub comparisons: u64,
    /// Nodes of hash trees compared.
    pub tree_nodes: u64,
    /// Keys sent to peers because trees differed.
    pub keys_moved: u64,
    /// Their bytes, keys and values.
    pub bytes_moved: u64,
    /// Keys sent to new owners because the ring changes.
    pub keys_transferred: u64,
    /// Packets of gossip that could not be used: damaged, or not of this cluster.
    pub gossip_refused: u64,
    /// Hints in keeping now.
    pub hints_pending: u64,
    /// Their bytes, keys and values.
    pub hint_bytes_pending: u64,
    /// What this node was asked to hold and did not, for want of room.
    pub not_held: u64,
    /// Messages of peers that were not heard: from no node of the cluster, or larger than any can be.
    pub unheard: u64,
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
    /// Port for `GET /metrics` and `GET /health`, on 127.0.0.1. 0 in a line of a node that has none.
    #[serde(default)]
    pub metrics_port: u16,
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
            let _ = decode::<Evidence>(&bytes);
            let _ = decode::<Status>(&bytes);
        }

        #[test]
        fn frames_come_back(tag: u64, key: String, value: Vec<u8>, n: Option<u16>, w: Option<u16>) {
            let quorum = Quorum { n, level: w.map(Level::Count), ..Quorum::default() };
            let request = Request::Put { key, value, quorum, context: None, stamp_ns: None };
            let frame = ClientFrame { tag, request };
            let mut buffer = Vec::new();
            append_frame(&frame, &mut buffer).unwrap();
            append_frame(&frame, &mut buffer).unwrap();
            let (first, bytes) = first_frame(&buffer).unwrap().unwrap();
            prop_assert_eq!(decode::<ClientFrame>(first).unwrap(), frame.clone());
            prop_assert_eq!(bytes * 2, buffer.len());
            prop_assert_eq!(first_frame(&buffer[..bytes - 1]).unwrap(), None);
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
                quorum: Quorum {
                    n: Some(u16::MAX),
                    ..Quorum::count(u16::MAX)
                },
                context: Some(Context(vec![255; CONTEXT_BYTES_MAX])),
                stamp_ns: Some(i64::MIN),
            },
        };
        assert_eq!(
            append_frame(&frame(VALUE_BYTES_MAX), &mut Vec::new()),
            Ok(())
        );
        let mut buffer = vec![7];
        assert!(append_frame(&frame(FRAME_BYTES_MAX), &mut buffer).is_err());
        assert_eq!(buffer, [7]);
    }
}
