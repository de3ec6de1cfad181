//! The flags of the store beyond N, R and W. What they mean is said in `options.rs`.

use clap::Args as ClapArgs;
use quorate_node::config::Level;

use crate::cli::upkeep::UpkeepFlags;

/// Settings of the store beyond N, R and W: the table `[store]` of a plan.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Store, in detail")]
pub(in crate::cli) struct MoreStoreFlags {
    /// How writes of a key are told apart: lww, dvv (siblings) or dvv-newest [default: lww]
    #[arg(long, env = "QUORATE_VERSIONS", value_name = "HOW")]
    pub(in crate::cli) versions: Option<String>,
    /// Whose clock stamps writes: coordinator, client (all clients of a run share one clock, which no fault skews) or hybrid
    /// [default: coordinator]
    #[arg(long, env = "QUORATE_STAMPS", value_name = "WHOSE")]
    pub(in crate::cli) stamps: Option<String>,
    /// How fine that clock is: nanosecond or millisecond [default: nanosecond]
    #[arg(long, env = "QUORATE_RESOLUTION", value_name = "UNIT")]
    pub(in crate::cli) resolution: Option<String>,
    /// Which of two equal stamps wins: node-id or larger-value [default: node-id]
    #[arg(long, env = "QUORATE_TIE", value_name = "RULE")]
    pub(in crate::cli) tie: Option<String>,
    /// Data centres, each with its nodes and replicas: "us:1,3,5:3 eu:2,4,6:3" (N is their sum)
    #[arg(long, env = "QUORATE_DATA_CENTRES", value_name = "LIST")]
    pub(in crate::cli) data_centres: Option<String>,
    /// Let other nodes stand in for replicas that cannot be reached (needs --hints)
    #[arg(long, env = "QUORATE_SLOPPY", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub(in crate::cli) sloppy: Option<bool>,
    /// So many of the answers to a read must come from the key's own replicas [default: 0]
    #[arg(long, env = "QUORATE_PR", value_name = "NUMBER")]
    pub(in crate::cli) pr: Option<u16>,
    /// So many of the key's own replicas must acknowledge a write [default: 0]
    #[arg(long, env = "QUORATE_PW", value_name = "NUMBER")]
    pub(in crate::cli) pw: Option<u16>,
    /// So many must have a write in their log, the rest of W need only have received it [default: all of W]
    #[arg(long, env = "QUORATE_DW", value_name = "NUMBER")]
    pub(in crate::cli) dw: Option<u16>,
    /// Who keeps hints for replicas that miss a write: nobody, fallback or coordinator [default: nobody]
    #[arg(long, env = "QUORATE_HINTS", value_name = "WHO")]
    pub(in crate::cli) hints: Option<String>,
    /// Whether hints are in the log of their holder, or in its memory only [default: true]
    #[arg(long, env = "QUORATE_HINTS_DURABLE", value_name = "BOOL")]
    pub(in crate::cli) hints_durable: Option<bool>,
    /// How long hints are taken and kept [default: for ever]
    #[arg(long, env = "QUORATE_HINT_WINDOW", value_name = "DURATION")]
    pub(in crate::cli) hint_window: Option<String>,
    /// Most bytes of hints for one node [default: 67108864]
    #[arg(long, env = "QUORATE_HINT_BYTES", value_name = "BYTES")]
    pub(in crate::cli) hint_bytes: Option<u64>,
    /// How often hints are handed over [default: 100ms]
    #[arg(long, env = "QUORATE_HINT_INTERVAL", value_name = "DURATION")]
    pub(in crate::cli) hint_interval: Option<String>,
    /// Most bytes of hints handed over in a second [default: no limit]
    #[arg(long, env = "QUORATE_HINT_THROTTLE", value_name = "BYTES")]
    pub(in crate::cli) hint_throttle: Option<u64>,
    /// Share of reads that repair at all [default: 100]
    #[arg(long, env = "QUORATE_REPAIR_PERCENT", value_name = "PERCENT")]
    pub(in crate::cli) repair_percent: Option<u8>,
    /// So many replicas must hold what a read returns, with blocking repair [default: R]
    #[arg(long, env = "QUORATE_WRITE_BACK", value_name = "NUMBER")]
    pub(in crate::cli) write_back: Option<u16>,
    /// Ask all but one replica for a digest only
    #[arg(long, env = "QUORATE_DIGEST_READS", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub(in crate::cli) digest_reads: Option<bool>,
    /// When a read turns to others: quarter (of the time-out), never, a duration, or 99p [default: quarter]
    #[arg(long, env = "QUORATE_SPECULATIVE_RETRY", value_name = "WHEN")]
    pub(in crate::cli) speculative_retry: Option<String>,
    /// A store with a leader instead: async, "semi-sync 1", "semi-sync 1 fallback 10s" or majority
    #[arg(long, env = "QUORATE_LEADER", value_name = "HOW")]
    pub(in crate::cli) leader: Option<String>,
    /// Who replaces a silent leader: any-follower, most-advanced-of-majority, most-advanced-of-reachable or election
    #[arg(long, env = "QUORATE_PROMOTION", value_name = "RULE")]
    pub(in crate::cli) promotion: Option<String>,
    /// How long a leader may serve after a majority heard it last, or none [default: none; 500ms with a majority]
    #[arg(long, env = "QUORATE_LEASE", value_name = "DURATION")]
    pub(in crate::cli) lease: Option<String>,
    /// Whether nodes refuse an old leader that comes back [default: true]
    #[arg(long, env = "QUORATE_FENCING", value_name = "BOOL")]
    pub(in crate::cli) fencing: Option<bool>,
    /// How long a leader may be silent before it is replaced [default: 250ms]
    #[arg(long, env = "QUORATE_DETECT", value_name = "DURATION")]
    pub(in crate::cli) detect: Option<String>,
    /// Who answers reads of a store with a leader: leader or any [default: leader]
    #[arg(long, env = "QUORATE_LEADER_READS", value_name = "WHO")]
    pub(in crate::cli) leader_reads: Option<String>,
    /// Requests that a node coordinates at a time; more are refused as overload [default: 65536]
    #[arg(long, env = "QUORATE_MAX_REQUESTS", value_name = "NUMBER")]
    pub(in crate::cli) max_requests: Option<u32>,
    /// Keys that a node holds; when it is full it acknowledges no new ones [default: 16777216]
    #[arg(long, env = "QUORATE_MAX_KEYS", value_name = "NUMBER")]
    pub(in crate::cli) max_keys: Option<u64>,
    /// Bytes of memory that keys and values may take in a node, and hints as many again [default: 8 GiB]
    #[arg(long, env = "QUORATE_MAX_BYTES", value_name = "BYTES")]
    pub(in crate::cli) max_bytes: Option<u64>,
    #[command(flatten)]
    pub(in crate::cli) upkeep: UpkeepFlags,
    /// The level of reads, instead of R: one, quorum, local-quorum, each-quorum, all, ... or a number
    #[arg(long, env = "QUORATE_READ_LEVEL", value_name = "LEVEL")]
    pub(in crate::cli) read_level: Option<Level>,
    /// The level of writes and deletes, instead of W: any, one, quorum, ... or a number
    #[arg(long, env = "QUORATE_WRITE_LEVEL", value_name = "LEVEL")]
    pub(in crate::cli) write_level: Option<Level>,
}
