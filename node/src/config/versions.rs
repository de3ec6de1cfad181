//! How the writes of one key are told apart and ordered: by stamps (the last write wins) or by dotted version vectors (siblings).

use serde::{Deserialize, Serialize};

/// What a replica holds of a key, and what becomes of concurrent writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Versions {
    /// One version; the larger stamp wins (Cassandra's cells, Riak with `last_write_wins`).
    Lww(Stamping),
    /// Dotted version vectors: a write replaces what its context names, and everything else stays beside it as a sibling (Riak with
    /// `dvv_enabled`; Preguiça et al., "Dotted Version Vectors", 2010).
    Dvv {
        /// Whether clients get all siblings (Riak's `allow_mult`). If not, the one with the largest stamp is returned, and a repair or the
        /// next write drops the others.
        siblings: bool,
    },
}

impl Default for Versions {
    fn default() -> Versions {
        Versions::Lww(Stamping::default())
    }
}

/// How stamps are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamping {
    /// Whose clock.
    #[serde(default)]
    pub source: StampSource,
    /// How fine the clock is that is read.
    #[serde(default)]
    pub resolution: Resolution,
    /// Which of two equal times wins.
    #[serde(default)]
    pub tie: Tie,
}

/// Whose clock a stamp is taken from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StampSource {
    /// The coordinator's wall clock, larger than every earlier stamp from there.
    #[default]
    Coordinator,
    /// The client's: what a request brings along counts; a request without a stamp is stamped by the coordinator (Cassandra's
    /// `USING TIMESTAMP`, and what its drivers do by default).
    Client,
    /// A hybrid logical clock: the coordinator's wall clock, but larger than the context that the client has read and than every stamp
    /// that this node has seen (Kulkarni et al., "Logical Physical Clocks", 2014).
    Hybrid,
}

/// How fine a clock is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resolution {
    /// As fine as the clock of the machine.
    #[default]
    Nanosecond,
    /// Milliseconds; further writes of the same coordinator within one are a microsecond apart (Cassandra's `ClientState.getTimestamp`).
    Millisecond,
}

/// Which of two writes of the same time wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tie {
    /// That of the larger node id.
    #[default]
    NodeId,
    /// A delete, or else the larger bytes, whoever wrote them (Cassandra's `Cells.resolveRegular`).
    LargerValue,
}
