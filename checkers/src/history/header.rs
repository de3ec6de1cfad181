//! The first line of `history.jsonl`: all that the contract needs to know about the store under test.
//!
//! It says how the store was *configured*. What was done to it (faults) is in the events.

use serde::{Deserialize, Serialize};

use super::error::HistoryError;
pub use super::settings::{
    DataCentre, HintHolder, Hints, Leader, Promotion, Purge, Replication, Settings, StampSource,
    Stamps,
};
use crate::guarantee::Guarantee;
use crate::log::Place;

/// The format version that this build writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// N, R and W. Written `N/R/W` on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quorum {
    /// Replicas of each key (not the number of nodes).
    pub n: u32,
    /// Answers that a read waits for.
    pub r: u32,
    /// Acknowledgements that a write waits for.
    pub w: u32,
}

/// What a read does about replicas whose answers were older than the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadRepair {
    /// Nothing.
    None,
    /// Repairs them after the reply: adds no guarantee.
    Async,
    /// Repairs them before the reply, so that R replicas hold what was returned.
    Blocking,
}

/// When a replica acknowledges a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sync {
    /// After the record is on disk (fsync, group commit).
    EachWrite,
    /// At once; the log is synced every so many milliseconds, and `kill -9` loses what was not.
    EveryMs(u64),
}

/// What a store does with versions of which none replaces the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Versions {
    /// It keeps the one with the larger stamp: a read returns one value.
    #[default]
    Lww,
    /// It keeps them all as siblings, told apart by dotted version vectors: a read returns a list of values, and a write
    /// says in its `context` what it had read.
    Dvv,
}

/// What clients write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Values {
    /// Integers, each once per key.
    #[default]
    Integers,
    /// Sets of integers, in ascending lists: a client reads one, changes it and writes it back, and its `context` is what it had
    /// read, whatever the store does with versions.
    Sets,
}

/// What a header need not say.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The header line. Unknown keys are ignored by readers of the same format version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Format version, see [`FORMAT`].
    pub format: u32,
    /// Digest of `plan.json`, so that a history can be matched to its plan.
    pub plan: String,
    /// The workload that made the load.
    pub workload: String,
    /// Seed of the plan.
    pub seed: u64,
    /// Names of the nodes, in seat order.
    pub nodes: Vec<String>,
    /// N, R and W as configured.
    pub quorum: Quorum,
    /// The quorum whose promises the run is judged by, when it is not the configured one (`--claim`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Quorum>,
    /// Read repair as configured.
    pub read_repair: ReadRepair,
    /// Sync policy as configured.
    pub sync: Sync,
    /// How long a coordinator waits for replicas, ms.
    pub request_timeout_ms: u64,
    /// Number of concurrent clients.
    pub concurrency: u64,
    /// What the store does with versions of which none replaces the other.
    #[serde(default, skip_serializing_if = "is_default")]
    pub versions: Versions,
    /// What clients write.
    #[serde(default, skip_serializing_if = "is_default")]
    pub values: Values,
    /// What the store promises beyond N, R and W.
    #[serde(default, skip_serializing_if = "Settings::is_plain")]
    pub settings: Settings,
    /// Names of the guarantees that the workload gives evidence for; absent = all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judges: Option<Vec<String>>,
    /// Defects built into the nodes on purpose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sabotage: Vec<String>,
    /// What else the plan set up, in the words of who planned it, so that a history alone is enough to make its plan
    /// again. No judge reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup: Option<serde_json::Value>,
}

impl Header {
    /// Whether a key is a register of one integer, as most judges take it to be. Else `multivalue/` judges.
    pub fn is_of_registers(&self) -> bool {
        self.versions == Versions::Lww && self.values == Values::Integers
    }

    /// Whether a write goes to one replica first, which gives it its dot, and only then to the others (dotted version vectors).
    pub(crate) fn is_dotted(&self) -> bool {
        self.settings.dotted || self.versions == Versions::Dvv
    }

    /// Whether the header means something to this build.
    pub(super) fn check(&self) -> Result<(), HistoryError> {
        if self.format != FORMAT {
            return Err(HistoryError::FormatUnknown {
                place: Place::default(),
                found: u64::from(self.format),
            });
        }
        for name in self.judges.iter().flatten() {
            if Guarantee::from_name(name).is_none() {
                return Err(HistoryError::GuaranteeUnknown {
                    place: Place::default(),
                    name: name.clone(),
                });
            }
        }
        Ok(())
    }
}
