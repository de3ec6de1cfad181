//! Keys, and single writes of them with the order in which the last one wins.
//!
//! What a replica makes of several writes of a key is `content.rs`.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use crate::wire::{Stamp, bytes};

/// A key. Cheap to clone: one write is sent to N replicas.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Key(Arc<str>);

impl Key {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// By hand, because serde's own way to a shared string is by another string.
impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E>(self, key: &str) -> Result<Key, E> {
                Ok(key.into())
            }
        }

        deserializer.deserialize_str(Text)
    }
}

impl From<String> for Key {
    fn from(key: String) -> Key {
        Key(key.into())
    }
}

impl From<&str> for Key {
    fn from(key: &str) -> Key {
        Key(key.into())
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

/// One write of a key, as replicas hold it and send it around.
///
/// Its order is the merge order where the last write wins, and merging is `max`: the larger stamp wins; of equal stamps a tombstone beats a value, and then the
/// larger bytes win, so that replicas end alike whatever the order in which they heard of the writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// When and by whom it was taken.
    pub stamp: Stamp,
    /// The value; none for a delete (a tombstone).
    #[serde(with = "bytes::optional")]
    pub value: Option<Arc<[u8]>>,
}

impl Ord for Version {
    fn cmp(&self, other: &Version) -> Ordering {
        self.stamp
            .cmp(&other.stamp)
            .then_with(|| self.value.is_none().cmp(&other.value.is_none()))
            .then_with(|| self.value.cmp(&other.value))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Version) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Few distinct stamps and values, so that ties are common.
    fn versions() -> impl Strategy<Value = Version> {
        let stamp = (0..3_i64, 0..3_u16).prop_map(|(wall_ns, node)| Stamp { wall_ns, node });
        let value = prop::option::of(prop::collection::vec(0..3_u8, 0..3).prop_map(Arc::from));
        (stamp, value).prop_map(|(stamp, value)| Version { stamp, value })
    }

    fn merge(a: &Version, b: &Version) -> Version {
        a.max(b).clone()
    }

    proptest! {
        #[test]
        fn merging_is_commutative_associative_and_idempotent(a in versions(), b in versions(), c in versions()) {
            prop_assert_eq!(merge(&a, &b), merge(&b, &a));
            prop_assert_eq!(merge(&merge(&a, &b), &c), merge(&a, &merge(&b, &c)));
            prop_assert_eq!(merge(&a, &a), a);
        }

        #[test]
        fn only_equal_versions_tie(a in versions(), b in versions()) {
            prop_assert_eq!(a.cmp(&b) == Ordering::Equal, a == b);
        }
    }

    #[test]
    fn stamp_then_tombstone_then_bytes() {
        let version = |wall_ns, node, value: Option<&[u8]>| Version {
            stamp: Stamp { wall_ns, node },
            value: value.map(Arc::from),
        };
        let ascending = [
            version(1, 9, None),
            version(2, 1, Some(b"z")),
            version(2, 2, Some(b"")),
            version(2, 2, Some(b"a")),
            version(2, 2, Some(b"b")),
            version(2, 2, None),
            version(3, 1, Some(b"a")),
        ];
        assert!(ascending.is_sorted_by(|a, b| a < b));
    }
}
