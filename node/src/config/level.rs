//! How many replicas a request waits for, in the words of the systems that this store imitates. What a level means for a key is for
//! `protocol/quorum.rs`, which knows the replicas; nothing here counts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A consistency level of one request (Cassandra's names, `ConsistencyLevel`), or a plain number (Dynamo's R and W, Riak's r and w).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// So many replicas, wherever they are.
    Count(u16),
    /// A write is satisfied by anybody who will hand it on, a hint included. No level of a read.
    Any,
    /// One replica.
    One,
    /// Two replicas.
    Two,
    /// Three replicas.
    Three,
    /// More than half of all replicas, over all data centres (`floor(sum of RF / 2) + 1`), not of one data centre.
    Quorum,
    /// One replica of the coordinator's data centre.
    LocalOne,
    /// More than half of the replicas of the coordinator's data centre.
    LocalQuorum,
    /// More than half of the replicas of each data centre.
    EachQuorum,
    /// Every replica.
    All,
}

/// A text that names no level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no level: choose any, one, two, three, quorum, all, local-one, local-quorum, each-quorum or a number of replicas"
)]
pub struct LevelError(String);

impl Level {
    /// Those that have a name.
    pub const NAMED: [Level; 9] = [
        Level::Any,
        Level::One,
        Level::Two,
        Level::Three,
        Level::Quorum,
        Level::All,
        Level::LocalOne,
        Level::LocalQuorum,
        Level::EachQuorum,
    ];

    /// The name on the command line and in histories; none for a plain number.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Level::Count(_) => return None,
            Level::Any => "any",
            Level::One => "one",
            Level::Two => "two",
            Level::Three => "three",
            Level::Quorum => "quorum",
            Level::LocalOne => "local-one",
            Level::LocalQuorum => "local-quorum",
            Level::EachQuorum => "each-quorum",
            Level::All => "all",
        })
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Level::Count(count) => write!(f, "{count}"),
            named => f.write_str(named.name().unwrap_or_default()),
        }
    }
}

impl FromStr for Level {
    type Err = LevelError;

    /// Reads a name, in either case and with `-` or `_`, or a number.
    fn from_str(text: &str) -> Result<Level, LevelError> {
        let name = text.to_ascii_lowercase().replace('_', "-");
        if let Ok(count) = name.parse() {
            return Ok(Level::Count(count));
        }
        Level::NAMED
            .into_iter()
            .find(|level| level.name() == Some(&name))
            .ok_or_else(|| LevelError(text.to_owned()))
    }
}

/// What a level is in files: a number, or a name.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Text {
    Count(u16),
    Name(String),
}

/// What it is on the wire, where a format that describes nothing has to know its type.
#[derive(Serialize, Deserialize)]
enum Code {
    Count(u16),
    Named(u8),
}

impl Serialize for Level {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return match self {
                Level::Count(count) => Text::Count(*count),
                named => Text::Name(named.to_string()),
            }
            .serialize(serializer);
        }
        let place = Level::NAMED.iter().position(|level| level == self);
        match (self, place.and_then(|place| u8::try_from(place).ok())) {
            (_, Some(place)) => Code::Named(place),
            (Level::Count(count), None) => Code::Count(*count),
            (_, None) => return Err(serde::ser::Error::custom("a level without a name")),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Level, D::Error> {
        use serde::de::Error;
        if deserializer.is_human_readable() {
            return match Text::deserialize(deserializer)? {
                Text::Count(count) => Ok(Level::Count(count)),
                Text::Name(name) => name.parse().map_err(D::Error::custom),
            };
        }
        match Code::deserialize(deserializer)? {
            Code::Count(count) => Ok(Level::Count(count)),
            Code::Named(place) => Level::NAMED
                .get(usize::from(place))
                .copied()
                .ok_or_else(|| D::Error::custom("a level that does not exist")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;

    #[test]
    fn levels_survive_texts_files_and_the_wire() {
        let levels = Level::NAMED
            .into_iter()
            .chain([Level::Count(0), Level::Count(300)]);
        for level in levels {
            assert_eq!(level.to_string().parse(), Ok(level));
            let json = serde_json::to_string(&level).unwrap();
            assert_eq!(serde_json::from_str::<Level>(&json).unwrap(), level);
            let bytes = wire::encode(&level).unwrap();
            assert_eq!(wire::decode(&bytes), Ok(level));
        }
    }

    #[test]
    fn names_are_read_as_cassandra_spells_them_and_others_are_refused() {
        assert_eq!("LOCAL_QUORUM".parse(), Ok(Level::LocalQuorum));
        let refusal = "most".parse::<Level>().unwrap_err().to_string();
        assert!(
            refusal.contains("`most`") && refusal.contains("each-quorum"),
            "{refusal}"
        );
        assert!(serde_json::from_str::<Level>("\"most\"").is_err());
        assert!(wire::decode::<Level>(&[1, 200]).is_err());
    }
}
