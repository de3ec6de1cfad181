//! What a store promises beyond N, R and W, as the header of a history tells it: who may stand in, who keeps hints, what mends replicas.
//!
//! Plain data, all of it absent in most histories. What follows from it is for the contract. Nothing here was observed.

use serde::{Deserialize, Serialize};

use super::level::LevelName;

/// Settings with a default that promises nothing and takes nothing back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Settings {
    /// A store with a leader: then nothing else of the settings means anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leader: Option<Leader>,
    /// Data centres; none = the replicas of a key are anywhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub data_centres: Vec<DataCentre>,
    /// The level of reads that do not say, where it is not R.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_level: Option<LevelName>,
    /// The level of writes and deletes that do not say, where it is not W.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_level: Option<LevelName>,
    /// k: how many nodes that are no replicas of a key may answer in the place of those (a sloppy quorum); 0 = none.
    #[serde(skip_serializing_if = "is_default")]
    pub stand_ins: u32,
    /// PR: how many of the key's own replicas a read needs.
    #[serde(skip_serializing_if = "is_default")]
    pub pr: u32,
    /// PW: how many of the key's own replicas a write needs.
    #[serde(skip_serializing_if = "is_default")]
    pub pw: u32,
    /// DW: how many must have a write in their log, where the others need only have received it; none = all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dw: Option<u32>,
    /// Hinted handoff; none = nobody keeps hints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hints: Option<Hints>,
    /// How often each replica compares itself with its next peer and takes what it lacks, ms; none = never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anti_entropy_ms: Option<u64>,
    /// When tombstones are forgotten.
    #[serde(skip_serializing_if = "is_default")]
    pub purge: Purge,
    /// B: with blocking read repair, how many replicas must hold what a read returns, if that is more than R.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_back: Option<u32>,
    /// Share of the reads that repair at all, percent.
    #[serde(skip_serializing_if = "is_everything")]
    pub repair_percent: u32,
    /// Whether a write goes to one replica first, which gives it its dot, and only then to the others, although clients see no siblings.
    /// Where they do, it is so in any case.
    #[serde(skip_serializing_if = "is_default")]
    pub dotted: bool,
    /// How stamps are taken, where the last write wins.
    #[serde(skip_serializing_if = "is_default")]
    pub stamps: Stamps,
}

/// A store in which one node leads, and the others copy its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Leader {
    /// When a write is acknowledged.
    pub replication: Replication,
    /// Who takes the place of a leader that is not heard any more.
    pub promotion: Promotion,
    /// Whether a leader serves only while it holds a lease, and looks at that with every request.
    pub leased: bool,
    /// Whether nodes refuse a leader that was replaced.
    pub fencing: bool,
    /// Whether reads are answered by whoever is asked.
    pub any_reads: bool,
}

/// When a store with a leader acknowledges a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Replication {
    /// When the leader holds it.
    Async,
    /// When so many followers hold it, too.
    SemiSync(u32),
    /// When so many followers hold it, too, or after waiting for that in vain.
    SemiSyncOrAsync(u32),
    /// When a majority of all nodes holds it.
    Majority,
}

/// Who takes the place of a leader that is not heard any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Promotion {
    /// Whoever notices first, whatever it holds.
    AnyFollower,
    /// Who holds most of those who answer, however few.
    OfReachable,
    /// Who holds most of a majority of all nodes, by asking or by an election.
    OfMajority,
}

/// A data centre.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataCentre {
    /// Its name.
    pub name: String,
    /// Its nodes.
    pub nodes: Vec<String>,
    /// Replicas of each key in it.
    pub rf: u32,
}

/// Hinted handoff: what is kept for a replica that missed a write, until it is back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Hints {
    /// Who keeps them.
    pub holder: HintHolder,
    /// Whether they are as safe from a crash as what replicas hold, or in memory only.
    pub durable: bool,
    /// The age at which they expire, ms; none = never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_ms: Option<u64>,
    /// Most bytes of keys and values that a holder keeps for one replica.
    pub bytes_max: u64,
}

/// Who keeps hints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HintHolder {
    /// The node that stands in for the replica (Dynamo, Riak).
    Fallback,
    /// The coordinator; they count towards nothing but the level any (Cassandra).
    Coordinator,
}

/// When a tombstone is forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purge {
    /// Never.
    #[default]
    Never,
    /// By each replica for itself, so many ms after it came to hold it.
    AfterMs(u64),
    /// Once every replica holds it and nobody keeps a hint for the key.
    WhenAllHave,
}

/// How stamps are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Stamps {
    /// Whose clock.
    #[serde(skip_serializing_if = "is_default")]
    pub source: StampSource,
    /// Whether the clock tells whole milliseconds only.
    #[serde(skip_serializing_if = "is_default")]
    pub milliseconds: bool,
    /// Whether of two equal times the larger value wins, rather than the larger node.
    #[serde(skip_serializing_if = "is_default")]
    pub larger_value: bool,
}

/// Whose clock a stamp is taken from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StampSource {
    /// The coordinator's.
    #[default]
    Coordinator,
    /// The client's.
    Client,
    /// The coordinator's, but larger than what the write had read and than whatever the coordinator has seen.
    Hybrid,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            leader: None,
            data_centres: Vec::new(),
            read_level: None,
            write_level: None,
            stand_ins: 0,
            pr: 0,
            pw: 0,
            dw: None,
            hints: None,
            anti_entropy_ms: None,
            purge: Purge::Never,
            write_back: None,
            repair_percent: 100,
            dotted: false,
            stamps: Stamps::default(),
        }
    }
}

impl Settings {
    /// Whether there is nothing to tell.
    pub fn is_plain(&self) -> bool {
        is_default(self)
    }

    /// The place of the data centre that a node is in, if it is in one.
    pub fn centre_of(&self, node: &str) -> Option<usize> {
        let has = |centre: &DataCentre| centre.nodes.iter().any(|name| name == node);
        self.data_centres.iter().position(has)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_everything(percent: &u32) -> bool {
    *percent == 100
}
