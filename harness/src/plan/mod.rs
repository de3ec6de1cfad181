//! A run, fully expanded: seats, quorum, load and the whole timeline of faults.
//!
//! A plan says everything that will be done and nothing about how it went. Seeds explore, plans reproduce: what is saved is the
//! *expanded* timeline, so a plan means the same after a generator has changed.

mod cast;
mod convert;
mod leader;
mod legality;
mod levels;
mod membership;
mod ring;
pub(crate) mod schedule;
mod script;
mod setup;
pub mod shapes;
mod spec;
mod store;
mod texts;
mod timeline;
mod written;

use quorate_checkers::history::Quorum;
use quorate_node::config::{Level, StoreConfig};
use quorate_workloads::{Kind, Settings};
use serde::{Deserialize, Serialize};

pub use cast::Cast;
pub(crate) use convert::replicas_in;
pub(crate) use levels::{asked_level, told_level};
pub use script::{Ask, ScriptedOp, Until, is_alone, is_cued};
pub use setup::{Planned, Setup};
pub use spec::{PlanError, PlanSpec};
pub(crate) use spec::{nearest, toml_error, unknown};
pub use store::StoreSpec;
pub use texts::{parse_claim, parse_duration_ms, parse_sync};
pub use timeline::{Cue, Scheduled, healed_sign};

use crate::world::sim::Weather;

/// The version of `plan.json` that this build writes and reads.
pub const FORMAT: u32 = 1;

/// Where a plan is carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum World {
    /// Real processes on this machine, in real time.
    #[default]
    Live,
    /// One thread and virtual time, in this weather: the same plan makes the same history, byte for byte.
    Sim(Weather),
}

impl World {
    /// The names of all worlds, on the command line and in plans.
    pub const NAMES: [&'static str; 2] = ["live", "sim"];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            World::Live => "live",
            World::Sim(_) => "sim",
        }
    }
}

/// A run, fully expanded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Version of this format.
    pub format: u32,
    /// Seed of the load, and of the timeline if it was generated.
    pub seed: u64,
    /// Where it is carried out.
    pub world: World,
    /// The store under test.
    pub store: StoreConfig,
    /// What the clients do.
    pub load: Load,
    /// How long the phases last.
    pub phases: Phases,
    /// What is done to the cluster, in order of time.
    pub timeline: Vec<Scheduled>,
    /// Judge by the promises of this quorum instead of the configured one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Quorum>,
}

/// What the clients do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Name of the workload.
    pub workload: String,
    /// Concurrent clients.
    pub clients: u64,
    /// Operations per second over all clients; 0 = as fast as they can.
    pub rate: u64,
    /// Keys, where the workload has a fixed number of them.
    pub keys: u64,
    /// Share of reads, percent.
    pub read_percent: u64,
    /// Share of deletes, percent.
    pub delete_percent: u64,
    /// How long a client waits for one operation, ms.
    pub op_timeout_ms: u64,
    /// Whether writes say nothing of what their clients had read, also to stores that would listen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blind: bool,
    /// The level of reads, where it is not R replicas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_level: Option<Level>,
    /// The level of writes and deletes, where it is not W replicas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_level: Option<Level>,
    /// Operations written down, instead of those that the workload would draw: then rate, keys and shares say nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub script: Vec<ScriptedOp>,
}

impl Load {
    /// The workload and its settings.
    pub fn kind(&self) -> Result<(Kind, Settings), PlanError> {
        let kind = Kind::from_name(&self.workload)
            .ok_or_else(|| unknown("workload", &self.workload, Kind::ALL.map(Kind::name)))?;
        let settings = Settings {
            clients: self.clients,
            keys: self.keys,
            read_percent: self.read_percent,
            delete_percent: self.delete_percent,
        };
        Ok((kind, settings))
    }
}

/// How long the phases last, ms. Heal and Census take what they take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phases {
    /// Load without faults.
    pub warm_ms: u64,
    /// Load with faults.
    pub storm_ms: u64,
    /// At most this long for repairs and queues to drain.
    pub quiet_ms_max: u64,
    /// At least this long, whatever the nodes say of themselves: so that replicas surely had the time to compare what they hold.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub quiet_ms_min: u64,
}

/// Plans that were written before the field was say nothing of it, and keep their digests.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_zero(ms: &u64) -> bool {
    *ms == 0
}

impl Plan {
    /// Reads `plan.json` text.
    pub fn from_json(text: &str, origin: &str) -> Result<Plan, PlanError> {
        let plan: Plan = serde_json::from_str(text).map_err(|error| PlanError::NotAPlan {
            origin: origin.to_owned(),
            why: error.to_string(),
        })?;
        if plan.format > FORMAT {
            return Err(PlanError::NotAPlan {
                origin: origin.to_owned(),
                why: format!(
                    "format {} is newer than {FORMAT}: use a newer quorate",
                    plan.format
                ),
            });
        }
        plan.validate()?;
        Ok(plan)
    }

    /// The text of `plan.json`.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// A digest of the plan, so that a history can be matched to it.
    pub fn digest(&self) -> String {
        format!(
            "{:016x}",
            xxhash_rust::xxh3::xxh3_64(self.to_json().as_bytes())
        )
    }

    /// What flags, files and seeds may get wrong.
    pub fn validate(&self) -> Result<(), PlanError> {
        legality::validate(self)
    }
}
