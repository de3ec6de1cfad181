//! What a replica holds of one key, whichever way the store tells versions apart. Joins, comparisons and digests; it keeps nothing itself.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3Default;

use crate::wire::{self, Context, Stamp};

use super::siblings::{Siblings, VersionVector};
use super::version::Version;

/// What a content takes by itself, a version besides its value, and an actor in a version vector, bytes: no less than their encoding.
const CONTENT_BYTES: u64 = 32;
const VERSION_BYTES: u64 = 96;
const ACTOR_BYTES: u64 = 64;

/// Largest content that is held or kept, by its [weight](Content::weight), bytes: a frame, the log's largest entry and a client's answer must
/// have room for it and for what goes with it.
pub const CONTENT_BYTES_MAX: u64 = (wire::FRAME_BYTES_MAX - (64 << 10)) as u64;

/// What a replica holds of one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// One version: the last write wins.
    One(Version),
    /// Siblings.
    Siblings(Siblings),
}

/// What a client's context says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Read {
    Stamp(Option<Stamp>),
    Vector(VersionVector),
}

impl Content {
    /// Takes over what `other` has and this has not. A content of the other kind is from a node with other settings: siblings win, so
    /// that all replicas end alike.
    pub fn merge(&mut self, other: &Content) {
        match (&mut *self, other) {
            (Content::One(held), Content::One(other)) => {
                if *held < *other {
                    held.clone_from(other);
                }
            }
            (Content::Siblings(held), Content::Siblings(other)) => held.merge(other),
            (Content::One(_), Content::Siblings(_)) => self.clone_from(other),
            (Content::Siblings(_), Content::One(_)) => {}
        }
    }

    /// Whether merging `other` would change nothing.
    pub fn covers(&self, other: &Content) -> bool {
        match (self, other) {
            (Content::One(held), Content::One(other)) => held >= other,
            (Content::Siblings(held), Content::Siblings(other)) => held.covers(other),
            (Content::Siblings(_), Content::One(_)) => true,
            (Content::One(_), Content::Siblings(_)) => false,
        }
    }

    /// The newest stamp in it, for evidence.
    pub fn stamp(&self) -> Option<Stamp> {
        self.versions().map(|version| version.stamp).max()
    }

    /// Everything in it that nothing has replaced, tombstones included.
    pub fn versions(&self) -> impl Iterator<Item = &Version> {
        let (one, siblings) = match self {
            Content::One(version) => (Some(version), None),
            Content::Siblings(siblings) => (None, Some(siblings.versions())),
        };
        let siblings = siblings.into_iter().flatten();
        one.into_iter().chain(siblings.map(|(_, version)| version))
    }

    /// How many versions stand beside each other.
    pub fn siblings(&self) -> usize {
        match self {
            Content::One(_) => 1,
            Content::Siblings(siblings) => siblings.versions().len(),
        }
    }

    /// The values that a client is given, ascending: all of them, or that of the newest version only.
    pub fn values(&self, all: bool) -> Vec<Vec<u8>> {
        let newest = self.versions().max();
        let chosen = self
            .versions()
            .filter(|version| all || Some(*version) == newest);
        let mut values: Vec<Vec<u8>> = chosen
            .filter_map(|version| version.value.as_deref().map(<[u8]>::to_vec))
            .collect();
        values.sort_unstable();
        values.dedup();
        values
    }

    /// Whether there is nothing left in it but deletes.
    pub fn is_tombstone(&self) -> bool {
        self.versions().all(|version| version.value.is_none())
    }

    /// The bytes of its values.
    pub fn value_bytes(&self) -> u64 {
        let bytes =
            |version: &Version| version.value.as_ref().map_or(0, |value| value.len() as u64);
        self.versions().map(bytes).sum()
    }

    /// What it takes of memory by the node's reckoning, bytes: never less than its encoding.
    pub fn weight(&self) -> u64 {
        let (versions, actors) = match self {
            Content::One(_) => (1, 0),
            Content::Siblings(siblings) => (siblings.versions().len(), siblings.context().len()),
        };
        CONTENT_BYTES
            + self.value_bytes()
            + VERSION_BYTES * versions as u64
            + ACTOR_BYTES * actors as u64
    }

    /// A digest of all of it: equal contents have equal digests, and different ones different digests but for a chance of 2^-64.
    pub fn digest(&self) -> u64 {
        let mut hasher = Xxh3Default::new();
        // A content that does not encode would be a bug of the encoder; its stamp still tells most of them apart.
        match wire::encode(self) {
            Ok(bytes) => hasher.update(&bytes),
            Err(_) => hasher.update(&self.stamp().unwrap_or_default().wall_ns.to_le_bytes()),
        }
        hasher.digest()
    }
}

/// What a client is given to hand back: what it has read of a key.
pub(super) fn context_of(content: Option<&Content>) -> Context {
    let read = match content {
        None => Read::Stamp(None),
        Some(Content::One(version)) => Read::Stamp(Some(version.stamp)),
        Some(Content::Siblings(siblings)) => Read::Vector(siblings.context().clone()),
    };
    Context(wire::encode(&read).unwrap_or_default())
}

/// What a context handed back says: the stamp that its client has read, and the writes.
pub(super) fn read_of(context: Option<&Context>) -> Result<(Option<Stamp>, VersionVector), String> {
    let Some(context) = context else {
        return Ok((None, VersionVector::default()));
    };
    if context.0.len() > wire::CONTEXT_BYTES_MAX {
        let (bytes, most) = (context.0.len(), wire::CONTEXT_BYTES_MAX);
        return Err(format!(
            "a context of {bytes} bytes: at most {most} are taken"
        ));
    }
    match wire::decode(&context.0) {
        Ok(Read::Stamp(stamp)) => Ok((stamp, VersionVector::default())),
        Ok(Read::Vector(vector)) => Ok((None, vector)),
        Err(_) => Err(
            "the context is none that this store gave: hand back what a read returned".to_owned(),
        ),
    }
}

impl From<Version> for Content {
    fn from(version: Version) -> Content {
        Content::One(version)
    }
}

/// The value of a version as bytes that are cheap to share.
pub(super) fn shared(value: Option<Vec<u8>>) -> Option<Arc<[u8]>> {
    value.map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::NodeId;
    use crate::protocol::siblings::{Actor, Dot};

    fn version(wall_ns: i64, value: Option<&str>) -> Version {
        Version {
            stamp: Stamp { wall_ns, node: 1 },
            value: value.map(|value| value.as_bytes().into()),
        }
    }

    fn siblings(versions: &[(u16, Version)]) -> Content {
        let mut all = Siblings::default();
        for (node, version) in versions {
            let actor = Actor {
                node: NodeId(*node),
                epoch: 1,
                errand: 0,
            };
            let one = Siblings::default().written(
                &VersionVector::default(),
                Dot { actor, counter: 1 },
                version.clone(),
            );
            all.merge(&one);
        }
        Content::Siblings(all)
    }

    #[test]
    fn clients_get_all_siblings_or_the_newest() {
        let content = siblings(&[
            (1, version(3, Some("a"))),
            (2, version(2, Some("b"))),
            (3, version(4, None)),
        ]);
        assert_eq!(content.values(true), [b"a", b"b"]);
        assert_eq!(content.values(false), Vec::<Vec<u8>>::new());
        assert_eq!(content.stamp().map(|stamp| stamp.wall_ns), Some(4));
        assert!(!content.is_tombstone());
        assert!(siblings(&[(1, version(1, None))]).is_tombstone());
    }

    #[test]
    fn a_context_comes_back_as_it_was_given_and_another_is_refused() {
        let one = Content::One(version(7, Some("a")));
        let (stamp, vector) = read_of(Some(&context_of(Some(&one)))).unwrap();
        assert_eq!(
            (stamp.map(|stamp| stamp.wall_ns), vector.len()),
            (Some(7), 0)
        );
        let two = siblings(&[(1, version(3, Some("a"))), (2, version(2, Some("b")))]);
        let (stamp, vector) = read_of(Some(&context_of(Some(&two)))).unwrap();
        assert_eq!((stamp, vector.len()), (None, 2));
        assert!(read_of(Some(&Context(vec![9, 9]))).is_err());
        assert!(read_of(Some(&Context(vec![0; wire::CONTEXT_BYTES_MAX + 1]))).is_err());
        assert_eq!(read_of(None), Ok((None, VersionVector::default())));
    }

    #[test]
    fn digests_tell_contents_apart() {
        let contents = [
            Content::One(version(1, Some("a"))),
            Content::One(version(1, Some("b"))),
            Content::One(version(1, None)),
            siblings(&[(1, version(1, Some("a")))]),
            siblings(&[(2, version(1, Some("a")))]),
        ];
        let mut digests: Vec<u64> = contents.iter().map(Content::digest).collect();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), contents.len());
    }
}
