//! What a node writes to its log. Recovering is taking all records again, in their order.

use serde::{Deserialize, Serialize};

use crate::config::NodeId;

use super::content::Content;
use super::leader::LeaderRecord;
use super::membership::RingState;
use super::version::Key;

/// One entry of a node's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// The replica holds this of a key, merged with what it held before.
    Held {
        /// The key.
        key: Key,
        /// What.
        content: Content,
    },
    /// It has forgotten a key of which only tombstones were left, if it still holds what has this digest.
    Purged {
        /// The key.
        key: Key,
        /// The digest of what was forgotten.
        digest: u64,
    },
    /// It keeps this for another node, merged with what it kept before.
    Hint {
        /// For whom.
        owner: NodeId,
        /// The key.
        key: Key,
        /// What.
        content: Content,
        /// The holder's wall clock when it began to keep something of this key, ns since the Unix epoch.
        since_ns: i64,
    },
    /// It keeps nothing of a key for another node any more.
    HintGone {
        /// For whom.
        owner: NodeId,
        /// The key.
        key: Key,
    },
    /// What a node of a store with a leader writes.
    Led(LeaderRecord),
    /// It knows this of the ring, and has told nobody before it was written.
    Ring(RingState),
}

impl Record {
    /// The key that it is about, if it is about one.
    pub fn key(&self) -> Option<&Key> {
        match self {
            Record::Held { key, .. }
            | Record::Purged { key, .. }
            | Record::Hint { key, .. }
            | Record::HintGone { key, .. } => Some(key),
            Record::Led(LeaderRecord::Appended(entry)) => {
                entry.change.as_ref().map(|change| &change.key)
            }
            Record::Led(_) | Record::Ring(_) => None,
        }
    }

    /// What is held according to it; none if it says nothing of that.
    pub fn held(&self) -> Option<&Content> {
        match self {
            Record::Held { content, .. } => Some(content),
            _ => None,
        }
    }
}
