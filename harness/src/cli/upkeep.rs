//! Flags of what nodes do without being asked: level replicas, forget tombstones, watch each other. What they mean is `plan`'s business.

use clap::Args;

/// What a person says about it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Store, in detail")]
pub(super) struct UpkeepFlags {
    /// How often replicas compare hash trees: a duration, or never [default: never]
    #[arg(long, env = "QUORATE_ANTI_ENTROPY", value_name = "DURATION")]
    pub(super) anti_entropy: Option<String>,
    /// When tombstones are forgotten: never, "after 10s" or "when-all-have 10s" [default: never]
    #[arg(long, env = "QUORATE_PURGE", value_name = "RULE")]
    pub(super) purge: Option<String>,
    /// Who is there: direct (whoever is connected; the ring never changes) or gossip [default: direct]
    #[arg(long, env = "QUORATE_MEMBERSHIP", value_name = "HOW")]
    pub(super) membership: Option<String>,
    /// With gossip: the nodes that are in the ring at first, such as 1,2,3,4,5; the others are spare [default: all]
    #[arg(long, env = "QUORATE_RING_MEMBERS", value_name = "NODES")]
    pub(super) ring_members: Option<String>,
    /// With gossip: how often a node is probed [default: 1s]
    #[arg(long, env = "QUORATE_PROBE_PERIOD", value_name = "DURATION")]
    pub(super) probe_period: Option<String>,
    /// With gossip: how long a suspect has until it is believed dead [default: 4s]
    #[arg(long, env = "QUORATE_SUSPICION", value_name = "DURATION")]
    pub(super) suspicion: Option<String>,
}
