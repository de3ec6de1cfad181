//! What a node writes to its disk. Replaying all records in order gives back what it held.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::protocol::version::Key;

use super::term::{Position, Term};

/// What a write does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The key.
    pub key: Key,
    /// Its value from here on; none for a delete.
    pub value: Option<Arc<[u8]>>,
}

/// One entry of the replicated log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place.
    pub position: Position,
    /// What it does. None for the entry with which a leadership begins (Raft, section 8; a timeline switch in `PostgreSQL`).
    pub change: Option<Change>,
}

/// What goes to the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeaderRecord {
    /// The node will follow no smaller term (if it fences).
    Promised(Term),
    /// An entry at the end of the log.
    Appended(Entry),
    /// This index and everything after it left the log.
    Truncated {
        /// The first that is gone.
        from: u64,
    },
    /// The node, as leader, acknowledged the entries of these indices. Written late, with the next heartbeat: it only serves to count
    /// what a truncation takes back.
    Acknowledged(Vec<u64>),
}
