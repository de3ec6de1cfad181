//! What the nodes of a single-leader store say to each other. Any message may be lost, delayed, repeated or overtaken.

use serde::{Deserialize, Serialize};

use crate::protocol::message::RequestId;

use super::interface::{Ask, LeaderReply};
use super::record::Entry;
use super::term::{Position, Term};

/// One message between two nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeaderMessage {
    /// Leader to follower: copy this. Without entries it is a heartbeat.
    Append {
        /// The leader's.
        term: Term,
        /// When it was sent, ns on the leader's monotonic clock. The answer brings it back, and a lease counts from it.
        sent_ns: u64,
        /// The place before the first entry.
        before: Position,
        /// Consecutive entries, oldest first.
        entries: Vec<Entry>,
        /// The leader's commit index.
        committed: u64,
    },
    /// Follower to leader: my log is yours up to here, durably.
    Copied {
        /// The leader's.
        term: Term,
        /// From the message answered.
        sent_ns: u64,
        /// The last index that is the same and durable.
        matched: u64,
    },
    /// Follower to leader: I lack what comes before your entries.
    Missing {
        /// The leader's.
        term: Term,
        /// From the message answered.
        sent_ns: u64,
        /// The last index that may be the same.
        hint: u64,
    },
    /// To a leader or candidate: I have promised to follow a larger term only.
    Fenced {
        /// The larger term.
        promised: Term,
    },
    /// Do you still hear the leader?
    Probe {
        /// Returned with the answer.
        id: RequestId,
    },
    /// What I hear of the leader.
    Hearing {
        /// The probe's.
        id: RequestId,
        /// Whether it was heard within the detection time.
        leader: bool,
    },
    /// Follow no smaller term from now on, and tell me how far you are.
    Canvass {
        /// The candidate's.
        term: Term,
        /// The end of its log.
        last: Position,
    },
    /// The promise, durable.
    Ballot {
        /// The candidate's.
        term: Term,
        /// Whether the voter wants this candidate. Only an election asks.
        granted: bool,
        /// The end of the voter's log.
        last: Position,
        /// How long the leases that the voter granted to others may still last, ns.
        lease_left_ns: u64,
    },
    /// You are the most advanced of those who promised: be a candidate at once.
    Nominate {
        /// The term in which that came out.
        term: Term,
    },
    /// A client asks the leader of this term, through me.
    Forward {
        /// Returned with the reply. Unique.
        id: RequestId,
        /// The leader's.
        term: Term,
        /// The request.
        ask: Ask,
    },
    /// The answer for the client.
    Forwarded {
        /// The request's.
        id: RequestId,
        /// The answer.
        reply: LeaderReply,
    },
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::protocol::leader::log::Log;
    use crate::protocol::leader::record::{Change, Entry};
    use crate::wire::{FRAME_BYTES_MAX, KEY_BYTES_MAX, VALUE_BYTES_MAX, encode};

    use super::*;

    /// As many bytes as go before the last entry, and then the largest entry.
    #[test]
    fn the_largest_batch_fits_a_frame() {
        let term = Term {
            counter: u64::MAX,
            ..Term::default()
        };
        let mut log = Log::default();
        let entry = |index, key: &str, bytes| Entry {
            position: Position { term, index },
            change: Some(Change {
                key: key.into(),
                value: Some(Arc::from(vec![255; bytes])),
            }),
        };
        let largest_key = "k".repeat(KEY_BYTES_MAX);
        for index in 1..=1_000 {
            log.append(entry(index, "k", 190));
        }
        log.append(entry(1_001, &largest_key, VALUE_BYTES_MAX));
        let entries = log.batch(0);
        assert_eq!(entries.len(), 1_001);
        let message = LeaderMessage::Append {
            term,
            sent_ns: u64::MAX,
            before: Position::default(),
            entries,
            committed: u64::MAX,
        };
        let bytes = encode(&message).unwrap().len();
        assert!(
            bytes > VALUE_BYTES_MAX && bytes < FRAME_BYTES_MAX,
            "{bytes}"
        );
    }
}
