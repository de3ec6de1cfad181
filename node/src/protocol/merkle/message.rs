//! What the two sides of an exchange say to each other. Which exchange and which range it is about is for the envelope to say: an
//! answer must reach the exchange that asked and no later one.

use serde::{Deserialize, Serialize};

use crate::protocol::Key;

use super::address::Address;
use super::tree::Summary;

/// From the side that compares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// My root is this. Is yours the same, and if not, what is below it?
    Root(Summary),
    /// What is below these nodes?
    Nodes(Vec<Ask>),
}

/// A question about one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The exchange's own number for this question; kept when it is asked again. 0 is the root's.
    pub number: u64,
    /// The node.
    pub address: Address,
    /// What is asked about it.
    pub wanted: Wanted,
}

/// How a node is to be described.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wanted {
    /// By its children.
    Children,
    /// By the keys below it, one page of them.
    Entries {
        /// Those after this key, in the order of hashes; none for the first page.
        after: Option<Key>,
    },
}

/// From the side that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// Our roots are the same.
    Same,
    /// This is below the nodes; some that were asked about may be left out, for they did not fit.
    Nodes(Vec<Told>),
}

/// What is below one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The question's.
    pub number: u64,
    /// What is there.
    pub description: Description,
}

/// What is below a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Description {
    /// Its children, one per slot; none for an empty one.
    Children(Vec<Option<Summary>>),
    /// Keys below it, in the order of hashes.
    Entries {
        /// The keys.
        entries: Vec<Listed>,
        /// There are more after the last.
        more: bool,
    },
}

/// A key and the digest of what is held of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The key.
    pub key: Key,
    /// See [`super::Entry::digest`].
    #[serde(with = "postcard::fixint::le")]
    pub digest: u64,
}

/// Bytes of a message in a frame, without its envelope.
pub(super) fn encoded_bytes<T: Serialize>(message: &T) -> u64 {
    // Counting cannot fail for plain data; a message without a size would not be sent either.
    postcard::experimental::serialized_size(message).map_or(0, |bytes| bytes as u64)
}
