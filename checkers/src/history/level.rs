//! The level that an operation asked for: a number of replicas, or one of the names that stores with data centres have for it.
//!
//! A name alone counts nothing: what it means for a key is for the contract, which knows the data centres.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What an operation asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// So many replicas, wherever they are. In files: `"level":2`.
    Count(u32),
    /// A consistency level with a name. In files: `"asked":"local-quorum"`.
    Named(LevelName),
}

/// A consistency level with a name (Cassandra's `ConsistencyLevel`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LevelName {
    /// A write is satisfied by anybody who will hand it on, a hint included.
    Any,
    /// One replica.
    One,
    /// Two replicas.
    Two,
    /// Three replicas.
    Three,
    /// More than half of all replicas, over all data centres.
    Quorum,
    /// Every replica.
    All,
    /// One replica of the coordinator's data centre.
    LocalOne,
    /// More than half of the replicas of the coordinator's data centre.
    LocalQuorum,
    /// More than half of the replicas of each data centre.
    EachQuorum,
}

impl LevelName {
    /// All of them.
    pub const ALL: [LevelName; 9] = [
        LevelName::Any,
        LevelName::One,
        LevelName::Two,
        LevelName::Three,
        LevelName::Quorum,
        LevelName::All,
        LevelName::LocalOne,
        LevelName::LocalQuorum,
        LevelName::EachQuorum,
    ];

    /// The word in files.
    pub fn as_str(self) -> &'static str {
        match self {
            LevelName::Any => "any",
            LevelName::One => "one",
            LevelName::Two => "two",
            LevelName::Three => "three",
            LevelName::Quorum => "quorum",
            LevelName::All => "all",
            LevelName::LocalOne => "local-one",
            LevelName::LocalQuorum => "local-quorum",
            LevelName::EachQuorum => "each-quorum",
        }
    }

    /// The level of a word.
    pub fn from_name(name: &str) -> Option<LevelName> {
        let mut all = LevelName::ALL.into_iter();
        all.find(|level| level.as_str() == name)
    }

    /// Whether it counts replicas of the coordinator's own data centre only.
    pub fn is_local(self) -> bool {
        matches!(self, LevelName::LocalOne | LevelName::LocalQuorum)
    }
}

impl Level {
    /// The number, if it is one.
    pub fn count(self) -> Option<u32> {
        match self {
            Level::Count(count) => Some(count),
            Level::Named(_) => None,
        }
    }

    /// The name, if it has one.
    pub fn name(self) -> Option<LevelName> {
        match self {
            Level::Count(_) => None,
            Level::Named(name) => Some(name),
        }
    }
}

impl fmt::Display for LevelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Level::Count(count) => write!(f, "{count}"),
            Level::Named(name) => name.fmt(f),
        }
    }
}

impl Serialize for LevelName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for LevelName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        LevelName::from_name(&name).ok_or_else(|| {
            let known = LevelName::ALL.map(LevelName::as_str).join(", ");
            D::Error::custom(format_args!("unknown level `{name}`, expected {known}"))
        })
    }
}
