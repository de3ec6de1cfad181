//! The verdict per profile and fault (SEMANTICS 3.11 and 3.9), transcribed: `P` where an anomaly is possible, `I` where it is impossible, `.`
//! where the table says nothing.

use quorate::plan::{PlanSpec, StoreSpec};
use quorate_checkers::Guarantee;
use quorate_node::config::Level;

/// The columns, by what they break.
pub(crate) const COLUMNS: [Guarantee; 6] = [
    Guarantee::FreshReads,
    Guarantee::NoInversion,
    Guarantee::Linearizability,
    Guarantee::NoLostWrites,
    Guarantee::NoConcurrentLoss,
    Guarantee::NoClockLoss,
];

/// What a run is exposed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Messages are late or lost, nodes stand still, sides are cut apart; nobody forgets, and stamps follow real time.
    Messages,
    /// And one replica loses what it had not synced.
    PowerLoss,
    /// And stamps do not follow real time.
    Skew,
}

impl Fault {
    /// All of them.
    pub(crate) const ALL: [Fault; 3] = [Fault::Messages, Fault::PowerLoss, Fault::Skew];

    /// The word in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Fault::Messages => "none",
            Fault::PowerLoss => "power loss",
            Fault::Skew => "skew",
        }
    }
}

/// A profile, what is said on top of it, and its cells: stale reads, inversions, not linearizable, lost writes, concurrent loss, clock loss.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub(crate) title: &'static str,
    pub(crate) profile: &'static str,
    pub(crate) with: fn(PlanSpec) -> PlanSpec,
    /// For each of [`Fault::ALL`].
    pub(crate) cells: [&'static str; 3],
}

impl Row {
    /// Whether it is a store with a leader.
    pub(crate) fn is_led(&self) -> bool {
        ["dynamodb", "single-leader"].contains(&self.profile)
    }
}

fn as_it_is(spec: PlanSpec) -> PlanSpec {
    spec
}

fn store(spec: PlanSpec, change: StoreSpec) -> PlanSpec {
    PlanSpec {
        store: Some(change.over(spec.store.clone().unwrap_or_default())),
        ..spec
    }
}

fn levels(spec: PlanSpec, write: Level, read: Level) -> PlanSpec {
    PlanSpec {
        write_level: Some(write),
        read_level: Some(read),
        ..spec
    }
}

/// Failovers that a run of a second can hold.
fn quick(spec: PlanSpec) -> PlanSpec {
    store(
        spec,
        StoreSpec {
            detect: Some("120ms".to_owned()),
            lease: Some("150ms".to_owned()),
            ..StoreSpec::default()
        },
    )
}

/// All rows.
pub(crate) const ROWS: [Row; 17] = [
    Row {
        title: "dynamo",
        profile: "dynamo",
        with: as_it_is,
        cells: ["PP.III", "PP.III", "PP.III"],
    },
    Row {
        title: "cassandra QUORUM/QUORUM",
        profile: "cassandra",
        with: as_it_is,
        cells: ["IIIIPI", "PPPIP.", "PIPIPP"],
    },
    Row {
        title: "cassandra QUORUM/QUORUM, repair NONE",
        profile: "cassandra",
        with: |spec| PlanSpec {
            read_repair: Some("none".to_owned()),
            ..spec
        },
        cells: ["IPPIPI", "PPPIP.", "P.PIPP"],
    },
    Row {
        title: "cassandra ALL/ONE",
        profile: "cassandra",
        with: |spec| levels(spec, Level::All, Level::One),
        cells: ["IPPIPI", "PPPIP.", "P.PIPP"],
    },
    Row {
        title: "cassandra ONE/ALL",
        profile: "cassandra",
        with: |spec| levels(spec, Level::One, Level::All),
        cells: ["IIIIPI", "P..PP.", "PIPIPP"],
    },
    Row {
        title: "cassandra ONE/ONE",
        profile: "cassandra",
        with: |spec| levels(spec, Level::One, Level::One),
        cells: ["PPPIPI", "PPPPP.", "P.PIPP"],
    },
    Row {
        title: "cassandra ANY/ONE",
        profile: "cassandra",
        with: |spec| levels(spec, Level::Any, Level::One),
        cells: ["PPPIPI", "PPPPP.", "P.PIPP"],
    },
    Row {
        title: "riak",
        profile: "riak",
        with: as_it_is,
        cells: ["PP.III", "PP.III", "PP.III"],
    },
    Row {
        title: "riak, allow_mult = false",
        profile: "riak",
        with: |spec| {
            store(
                spec,
                StoreSpec {
                    versions: Some("dvv-newest".to_owned()),
                    ..StoreSpec::default()
                },
            )
        },
        cells: ["PPPIPI", "PPPIP.", "P.PIPP"],
    },
    Row {
        title: "riak, PR = PW = quorum",
        profile: "riak",
        with: |spec| {
            store(
                spec,
                StoreSpec {
                    pr: Some(2),
                    pw: Some(2),
                    ..StoreSpec::default()
                },
            )
        },
        cells: ["IP.III", "PP.III", "IP.III"],
    },
    Row {
        title: "voldemort",
        profile: "voldemort",
        with: as_it_is,
        cells: ["IPPIPI", "PPPIP.", "P.PIPP"],
    },
    Row {
        title: "dynamodb, strong reads",
        profile: "dynamodb",
        with: quick,
        cells: ["IIII.I", "IIII.I", "IIII.I"],
    },
    Row {
        title: "dynamodb, eventual reads",
        profile: "dynamodb",
        with: |spec| {
            store(
                quick(spec),
                StoreSpec {
                    leader_reads: Some("any".to_owned()),
                    ..StoreSpec::default()
                },
            )
        },
        cells: ["PPPI.I", "PPPI.I", "PPPI.I"],
    },
    Row {
        title: "single-leader, async",
        profile: "single-leader",
        with: quick,
        cells: ["P.PP..", "P.PP..", "P.PP.."],
    },
    Row {
        title: "single-leader, one copy, any follower",
        profile: "single-leader",
        with: |spec| single_leader(spec, "semi-sync 1", "any-follower"),
        cells: ["...P..", "...P..", "...P.."],
    },
    Row {
        title: "single-leader, one copy, most advanced",
        profile: "single-leader",
        with: |spec| single_leader(spec, "semi-sync 1", "most-advanced-of-majority"),
        cells: ["I..I.I", "I..I.I", "I..I.I"],
    },
    Row {
        title: "single-leader, all copies",
        profile: "single-leader",
        with: |spec| single_leader(spec, "semi-sync 2", "most-advanced-of-reachable"),
        cells: ["...I.I", "...I.I", "...I.I"],
    },
];

fn single_leader(spec: PlanSpec, replication: &str, promotion: &str) -> PlanSpec {
    store(
        quick(spec),
        StoreSpec {
            leader: Some(replication.to_owned()),
            promotion: Some(promotion.to_owned()),
            ..StoreSpec::default()
        },
    )
}
