//! What was typed. Nothing here knows what it means: names are texts, and nothing is looked up.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use quorate_checkers::log::{InputFormat, OutputFormat};
use quorate_checkers::model::{FailedCas, Model, NilReads};
use quorate_node::config::Level;

use super::cluster::args::Cluster;
use super::kv::args::Kv;
use super::upkeep::UpkeepFlags;
use crate::plan::World;
use crate::replay::Keep;
use crate::report::progress::ProgressMode;
use crate::report::style::ColorMode;

const AFTER_HELP: &str = "\
Exit codes: 0 every promise kept, every canary sang · 1 a promise was broken · 2 usage · 3 undecided: too little evidence ·
4 nothing ran · 5 a canary stayed silent · 70 our own failure, the history is saved · 130 interrupted

Examples:
  quorate run                                          five nodes, N=3 R=2 W=2, 20 s of kill, pause and partition
  quorate run -N 3 -R 1 -W 1 --faults partition,pause  see stale reads that nobody promised to prevent
  quorate run -R 1 -W 1 --claim 3/2/2                  the same, judged by a promise that it cannot keep
  quorate check latest                                 judge the last run again
  quorate check history.edn --model cas-register       judge a history of Jepsen's
  quorate explain latest                               what went wrong in the last run, in plain words, and why
  quorate explain fresh-reads                          what a guarantee means, who gives it, what breaks it";

const AFTER_GENERATE: &str = "\
Clients of a made-up register work in a closed loop. Every operation takes effect at one point inside its span (a write of unknown outcome
perhaps later, perhaps never), so a history without corruption is linearizable by construction. A corruption comes once, after the middle of
the history, where it is certain to be one; its line is told on stderr. No store is involved.

Examples:
  quorate generate-history -n 1000000 -c 100 --info 5 -o hot.jsonl          one hot key, a million operations
  quorate generate-history --corrupt stale-read -o stale.jsonl && quorate check stale.jsonl
  quorate generate-history -n 300 -c 20 --cas 30 --values small:5           what many tests of other tools look like";

/// Breaks a leaderless (Dynamo-style) store on purpose, and judges what it did against what N, R and W promise.
#[derive(Debug, Parser)]
#[command(name = "quorate", version, after_help = AFTER_HELP, max_term_width = 110)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Flags that every command has.
#[derive(Debug, ClapArgs)]
pub(super) struct Common {
    /// Colour the output
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(super) color: ColorMode,
    /// Show progress on stderr: a bar on a terminal, else a line per phase
    #[arg(long, global = true, value_enum, default_value_t, value_name = "HOW")]
    pub(super) progress: ProgressMode,
    /// What to print on stdout
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    pub(super) format: Format,
    /// Where runs are kept
    #[arg(
        long,
        global = true,
        env = "QUORATE_RESULTS",
        default_value = "results/runs",
        value_name = "DIR"
    )]
    pub(super) results: PathBuf,
}

/// What goes to stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Text,
    /// The verdict document.
    Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run one plan once, judge it, report
    Run(Box<Run>),
    /// Judge a saved history again, or one of another tool
    Check(Box<Check>),
    /// Run a saved plan again: how often does what it showed show again
    Replay(Replay),
    /// Put a run into one file, which `replay` and `check` read back
    Export(Export),
    /// Write a history in the format of another tool
    Convert(Convert),
    /// The smallest plan and the fewest operations that still show an anomaly
    Shrink(Shrink),
    /// Run a list of plans: promises must hold, canaries must sing
    Gate(Gate),
    /// Make up a history, of any length, right or wrong in one way, for measuring and trying judges
    #[command(name = "generate-history", after_help = AFTER_GENERATE)]
    Generate(Generate),
    /// The anomalies of a run in plain words, or the paragraph behind a name
    Explain(Explain),
    /// What guarantees, faults, workloads and sabotages there are
    List(List),
    /// Can this machine run it: cores, file limits, loopback, disk, clocks
    Doctor,
    /// Start a cluster and leave it to you, until Ctrl-C: to be poked with `kv`
    Cluster(Box<Cluster>),
    /// Poke a running cluster by hand: read, write, repair, look at ring, hints and health
    Kv(Box<Kv>),
    /// Become a node of the store under test
    #[command(hide = true)]
    Node(Node),
}

const AFTER_RUN: &str = "\
A search tries seed after seed in memory, and then carries out, judges and saves the lowest one that shows what is sought like any other run;
the exit code is that run's. What the plan says is kept; what it leaves open is drawn by each seed: workload, duration, rate, clients,
keys, shares of reads and deletes, weather, which of the kinds of fault are on (at least one; of all kinds unless --faults says which) and how
often and how long. Of a timeline written by hand some moments are left out, the others come a little earlier or later; so it is with the faults of a plan.json. The store is never drawn.
A seed means the same plan for ever; to try seed 17 alone: --seeds 17..18.

If nothing is found: 0 if no promise was broken and each was kept in some seed, 3 if some went without enough evidence. After --find always 3, as not
finding an anomaly proves nothing. 130 if interrupted; what was explored until then is told.

Examples:
  quorate run --world sim --seeds 0..10000                      does any of these break a promise of N=3 R=2 W=2?
  quorate run --world sim -R 1 -W 1 --find stale-read           the first seed with a stale read, saved as a run
  quorate run --world sim --sabotage drop-repair --until broken go on until a defect shows";

#[derive(Debug, ClapArgs)]
#[command(after_help = AFTER_RUN)]
pub(super) struct Run {
    /// A plan: TOML as a person writes it, or the `plan.json` of an earlier run. Flags win over the file
    #[arg(value_name = "PLAN")]
    pub(super) plan: Option<PathBuf>,
    #[command(flatten)]
    pub(super) store: StoreFlags,
    #[command(flatten)]
    pub(super) load: LoadFlags,
    /// Kinds of fault: kill, pause, partition, slow, clock, or none [default: kill,pause,partition]
    #[arg(
        long,
        env = "QUORATE_FAULTS",
        value_delimiter = ',',
        value_name = "KINDS",
        help_heading = "Faults"
    )]
    pub(super) faults: Option<Vec<String>>,
    /// How long clients work, faults included [default: 20s]
    #[arg(
        long = "for",
        env = "QUORATE_FOR",
        value_name = "DURATION",
        help_heading = "Faults"
    )]
    pub(super) lasts: Option<String>,
    /// Seed of load and faults [default: a fresh one, printed]
    #[arg(
        long,
        env = "QUORATE_SEED",
        value_name = "NUMBER",
        help_heading = "Faults"
    )]
    pub(super) seed: Option<u64>,
    /// Where to run: live (real processes) or sim (one thread, virtual time, the same bytes every time) [default: live]
    #[arg(
        long,
        env = "QUORATE_WORLD",
        value_name = "WORLD",
        help_heading = "Faults"
    )]
    pub(super) world: Option<String>,
    #[command(flatten)]
    pub(super) search: SearchFlags,
    /// Judge by the promises of this N/R/W instead of the configured one
    #[arg(
        long,
        env = "QUORATE_CLAIM",
        value_name = "N/R/W",
        help_heading = "Judgement"
    )]
    pub(super) claim: Option<String>,
    /// End the load at the first anomaly that breaks a promise, then heal, read and judge as always
    #[arg(long, help_heading = "Judgement")]
    pub(super) stop_on_first: bool,
    /// Keep the nodes' data directories even if every promise was kept; in the live world only
    #[arg(long, help_heading = "Judgement")]
    pub(super) keep_data: bool,
    /// The executable that becomes the nodes, if not this one; in the live world only
    #[arg(long, value_name = "PATH", help_heading = "Judgement")]
    pub(super) node_bin: Option<PathBuf>,
}

/// Any of these makes a search of many runs.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Search (in the simulated world, on all cores)")]
pub(super) struct SearchFlags {
    /// Try these seeds, FIRST..END without END, until a promise breaks. What the plan leaves open, each seed draws: load, weather, which of
    /// the faults are on and how (see the end of this help)
    #[arg(long, value_name = "FIRST..END", conflicts_with = "seed")]
    pub(super) seeds: Option<String>,
    /// Without --seeds: try seeds upwards from --seed [default: 0] until a promise breaks, or Ctrl-C
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "find")]
    pub(super) until: Option<Until>,
    /// Search until this anomaly is seen, promised or not: stale-read, inversion, ... (see `quorate list anomalies`)
    #[arg(long, value_name = "ANOMALY")]
    pub(super) find: Option<String>,
}

/// What ends a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Until {
    /// A broken promise.
    Broken,
}

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Store")]
pub(super) struct StoreFlags {
    /// Nodes of the cluster [default: 5]
    #[arg(long, env = "QUORATE_NODES", value_name = "NUMBER")]
    pub(super) nodes: Option<u16>,
    /// Replicas of each key [default: 3]
    #[arg(short = 'N', env = "QUORATE_N", value_name = "N")]
    pub(super) n: Option<u16>,
    /// Answers that a read waits for [default: more than half of N]
    #[arg(short = 'R', env = "QUORATE_R", value_name = "R")]
    pub(super) r: Option<u16>,
    /// Acknowledgements that a write waits for [default: more than half of N]
    #[arg(short = 'W', env = "QUORATE_W", value_name = "W")]
    pub(super) w: Option<u16>,
    /// Whom a read asks: quorum (R replicas, more if they are slow) or all [default: quorum]
    #[arg(long, env = "QUORATE_READ_FANOUT", value_name = "WHOM")]
    pub(super) read_fanout: Option<String>,
    /// What a read does about stale replicas: none, async or blocking [default: blocking]
    #[arg(long, env = "QUORATE_READ_REPAIR", value_name = "HOW")]
    pub(super) read_repair: Option<String>,
    /// When a replica's log is synced: each-write, or "every 10ms" [default: each-write]
    #[arg(long, env = "QUORATE_SYNC", value_name = "POLICY")]
    pub(super) sync: Option<String>,
    /// How long a coordinator waits for replicas [default: 500ms]
    #[arg(long, env = "QUORATE_REQUEST_TIMEOUT", value_name = "DURATION")]
    pub(super) request_timeout: Option<String>,
    /// Build defects into the nodes, to see whether they are caught (see `quorate list sabotages`)
    #[arg(
        long,
        env = "QUORATE_SABOTAGE",
        value_delimiter = ',',
        value_name = "NAMES"
    )]
    pub(super) sabotage: Option<Vec<String>>,
    #[command(flatten)]
    pub(super) more: MoreStoreFlags,
}

/// Settings of the store beyond N, R and W: the table `[store]` of a plan.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Store, in detail")]
pub(super) struct MoreStoreFlags {
    /// How writes of a key are told apart: lww, dvv (siblings) or dvv-newest [default: lww]
    #[arg(long, env = "QUORATE_VERSIONS", value_name = "HOW")]
    pub(super) versions: Option<String>,
    /// Whose clock stamps writes: coordinator, client or hybrid [default: coordinator]
    #[arg(long, env = "QUORATE_STAMPS", value_name = "WHOSE")]
    pub(super) stamps: Option<String>,
    /// How fine that clock is: nanosecond or millisecond [default: nanosecond]
    #[arg(long, env = "QUORATE_RESOLUTION", value_name = "UNIT")]
    pub(super) resolution: Option<String>,
    /// Which of two equal stamps wins: node-id or larger-value [default: node-id]
    #[arg(long, env = "QUORATE_TIE", value_name = "RULE")]
    pub(super) tie: Option<String>,
    /// Data centres, each with its nodes and replicas: "us:1,3,5:3 eu:2,4,6:3" (N is their sum)
    #[arg(long, env = "QUORATE_DATA_CENTRES", value_name = "LIST")]
    pub(super) data_centres: Option<String>,
    /// Let other nodes stand in for replicas that cannot be reached (needs --hints)
    #[arg(long, env = "QUORATE_SLOPPY", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub(super) sloppy: Option<bool>,
    /// So many of the answers to a read must come from the key's own replicas [default: 0]
    #[arg(long, env = "QUORATE_PR", value_name = "NUMBER")]
    pub(super) pr: Option<u16>,
    /// So many of the key's own replicas must acknowledge a write [default: 0]
    #[arg(long, env = "QUORATE_PW", value_name = "NUMBER")]
    pub(super) pw: Option<u16>,
    /// So many must have a write in their log, the rest of W need only have received it [default: all of W]
    #[arg(long, env = "QUORATE_DW", value_name = "NUMBER")]
    pub(super) dw: Option<u16>,
    /// Who keeps hints for replicas that miss a write: nobody, fallback or coordinator [default: nobody]
    #[arg(long, env = "QUORATE_HINTS", value_name = "WHO")]
    pub(super) hints: Option<String>,
    /// Whether hints are in the log of their holder, or in its memory only [default: true]
    #[arg(long, env = "QUORATE_HINTS_DURABLE", value_name = "BOOL")]
    pub(super) hints_durable: Option<bool>,
    /// How long hints are taken and kept [default: for ever]
    #[arg(long, env = "QUORATE_HINT_WINDOW", value_name = "DURATION")]
    pub(super) hint_window: Option<String>,
    /// Most bytes of hints for one node [default: 67108864]
    #[arg(long, env = "QUORATE_HINT_BYTES", value_name = "BYTES")]
    pub(super) hint_bytes: Option<u64>,
    /// How often hints are handed over [default: 100ms]
    #[arg(long, env = "QUORATE_HINT_INTERVAL", value_name = "DURATION")]
    pub(super) hint_interval: Option<String>,
    /// Most bytes of hints handed over in a second [default: no limit]
    #[arg(long, env = "QUORATE_HINT_THROTTLE", value_name = "BYTES")]
    pub(super) hint_throttle: Option<u64>,
    /// Share of reads that repair at all [default: 100]
    #[arg(long, env = "QUORATE_REPAIR_PERCENT", value_name = "PERCENT")]
    pub(super) repair_percent: Option<u8>,
    /// So many replicas must hold what a read returns, with blocking repair [default: R]
    #[arg(long, env = "QUORATE_WRITE_BACK", value_name = "NUMBER")]
    pub(super) write_back: Option<u16>,
    /// Ask all but one replica for a digest only
    #[arg(long, env = "QUORATE_DIGEST_READS", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub(super) digest_reads: Option<bool>,
    /// When a read turns to others: quarter (of the time-out), never, a duration, or 99p [default: quarter]
    #[arg(long, env = "QUORATE_SPECULATIVE_RETRY", value_name = "WHEN")]
    pub(super) speculative_retry: Option<String>,
    /// A store with a leader instead: async, "semi-sync 1", "semi-sync 1 fallback 10s" or majority
    #[arg(long, env = "QUORATE_LEADER", value_name = "HOW")]
    pub(super) leader: Option<String>,
    /// Who replaces a silent leader: any-follower, most-advanced-of-majority, most-advanced-of-reachable or election
    #[arg(long, env = "QUORATE_PROMOTION", value_name = "RULE")]
    pub(super) promotion: Option<String>,
    /// How long a leader may serve after a majority heard it last, or none [default: none; 500ms with a majority]
    #[arg(long, env = "QUORATE_LEASE", value_name = "DURATION")]
    pub(super) lease: Option<String>,
    /// Whether nodes refuse an old leader that comes back [default: true]
    #[arg(long, env = "QUORATE_FENCING", value_name = "BOOL")]
    pub(super) fencing: Option<bool>,
    /// How long a leader may be silent before it is replaced [default: 250ms]
    #[arg(long, env = "QUORATE_DETECT", value_name = "DURATION")]
    pub(super) detect: Option<String>,
    /// Who answers reads of a store with a leader: leader or any [default: leader]
    #[arg(long, env = "QUORATE_LEADER_READS", value_name = "WHO")]
    pub(super) leader_reads: Option<String>,
    /// Requests that a node coordinates at a time; more are refused as overload [default: 65536]
    #[arg(long, env = "QUORATE_MAX_REQUESTS", value_name = "NUMBER")]
    pub(super) max_requests: Option<u32>,
    /// Keys that a node holds; when it is full it acknowledges no new ones [default: 16777216]
    #[arg(long, env = "QUORATE_MAX_KEYS", value_name = "NUMBER")]
    pub(super) max_keys: Option<u64>,
    /// Bytes of memory that keys and values may take in a node, and hints as many again [default: 8 GiB]
    #[arg(long, env = "QUORATE_MAX_BYTES", value_name = "BYTES")]
    pub(super) max_bytes: Option<u64>,
    #[command(flatten)]
    pub(super) upkeep: UpkeepFlags,
    /// The level of reads, instead of R: one, quorum, local-quorum, each-quorum, all, ... or a number
    #[arg(long, env = "QUORATE_READ_LEVEL", value_name = "LEVEL")]
    pub(super) read_level: Option<Level>,
    /// The level of writes and deletes, instead of W: any, one, quorum, ... or a number
    #[arg(long, env = "QUORATE_WRITE_LEVEL", value_name = "LEVEL")]
    pub(super) write_level: Option<Level>,
}

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Load")]
pub(super) struct LoadFlags {
    /// What clients do (see `quorate list workloads`) [default: register]
    #[arg(long, env = "QUORATE_WORKLOAD", value_name = "NAME")]
    pub(super) workload: Option<String>,
    /// Concurrent clients [default: 8]
    #[arg(long, env = "QUORATE_CLIENTS", value_name = "NUMBER")]
    pub(super) clients: Option<u64>,
    /// Operations per second of all clients together; 0 = as fast as they can [default: 500]
    #[arg(long, env = "QUORATE_RATE", value_name = "NUMBER")]
    pub(super) rate: Option<u64>,
    /// Keys [default: 10]
    #[arg(long, env = "QUORATE_KEYS", value_name = "NUMBER")]
    pub(super) keys: Option<u64>,
    /// Share of reads [default: the workload's]
    #[arg(long, env = "QUORATE_READS", value_name = "PERCENT")]
    pub(super) reads: Option<u64>,
    /// Share of deletes [default: the workload's]
    #[arg(long, env = "QUORATE_DELETES", value_name = "PERCENT")]
    pub(super) deletes: Option<u64>,
    /// Let writes say nothing of what their clients had read, which only matters to stores that keep siblings
    #[arg(long, env = "QUORATE_BLIND", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub(super) blind: Option<bool>,
    /// How long a client waits for one operation [default: 1s]
    #[arg(long, env = "QUORATE_OP_TIMEOUT", value_name = "DURATION")]
    pub(super) op_timeout: Option<String>,
}

const CHECK_AFTER_HELP: &str = "\
Files may be compressed (.gz, .zst); what they are is told from their content.

A history of another tool says nothing of the store, so nothing is promised: say as what its operations are to be judged.
  quorate check history.edn --model cas-register          a Jepsen test of one register
  quorate check history.edn --model register --keyed      values are [key value], as independent tests write them
  quorate check history.edn --model set-full              a set that grows: what is lost, stale, duplicated
  quorate check etcd_007.log --model cas-register         log lines of Jepsen, as in Porcupine's test data
  quorate check latest --model register                   one of ours, by what is asked of any register

Exit codes: 0 kept · 1 broken · 2 the file or the command cannot be understood · 3 undecided";

#[derive(Debug, ClapArgs)]
#[command(after_help = CHECK_AFTER_HELP)]
pub(super) struct Check {
    /// A history.jsonl, a run's directory, `latest`, `failed`, the beginning of a run's id, an archive of a run, a history of another tool, or - for
    /// stdin
    #[arg(value_name = "HISTORY")]
    pub(super) history: String,
    /// Judge while reading, in bounded memory: tell the first anomaly at once. What needs the whole history (census, sessions,
    /// availability) is not judged, and the exit code says nothing of it. Implied by -
    #[arg(long, conflicts_with = "model")]
    pub(super) stream: bool,
    /// Judge by the promises of this N/R/W instead of those in the history
    #[arg(long, value_name = "N/R/W")]
    pub(super) claim: Option<String>,
    #[command(flatten)]
    pub(super) foreign: Foreign,
}

/// How to understand a history of another tool.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Histories of other tools")]
pub(super) struct Foreign {
    /// As what the operations are judged
    #[arg(long, value_name = "MODEL", conflicts_with = "claim", value_parser = names(Model::ALL.map(Model::name)))]
    pub(super) model: Option<String>,
    /// Values are [key value]: judge each key apart
    #[arg(long, requires = "model")]
    pub(super) keyed: bool,
    /// What a failed compare-and-set says: it found the value that its completion carries (reads), nothing, or that the value was not
    /// the expected one (not-equal) [default: nothing; not-equal for jepsen-log]
    #[arg(long, value_name = "WHAT", requires = "model", hide_possible_values = true, value_parser = names(FailedCas::ALL.map(FailedCas::name)))]
    pub(super) failed_cas: Option<String>,
    /// What a read of nil says: the value in the beginning (initial), or nothing (unknown) [default: unknown; initial for quorate and
    /// jepsen-log]
    #[arg(long, value_name = "WHAT", requires = "model", hide_possible_values = true, value_parser = names(NilReads::ALL.map(NilReads::name)))]
    pub(super) nil_reads: Option<String>,
    /// An element of a set must be there as soon as it is known (set-full)
    #[arg(long, requires = "model")]
    pub(super) linearizable: bool,
    /// Steps that the search for repeated values may take per key; what takes more is undecided [default: a few seconds' worth]
    #[arg(long, value_name = "NUMBER", requires = "model")]
    pub(super) steps: Option<u64>,
    /// Anomalies told per key and question, of all keys; how many there are is always told, and --format json tells up to 20 (3 of
    /// sessions and causal) unasked [default: 1, of the first 3 keys]
    #[arg(long, value_name = "NUMBER", requires = "model")]
    pub(super) anomalies: Option<usize>,
    /// Operations that the model does not know and that change nothing of what it asks about
    #[arg(long, value_name = "NAMES", requires = "model", value_delimiter = ',')]
    pub(super) ignore: Vec<String>,
    /// The format of the file [default: told from its content]
    #[arg(long, value_name = "FORMAT", value_parser = names(InputFormat::ALL.map(InputFormat::name)))]
    pub(super) input_format: Option<String>,
}

fn names<const N: usize>(names: [&'static str; N]) -> PossibleValuesParser {
    PossibleValuesParser::new(names)
}

const REPLAY_AFTER_HELP: &str = "\
A simulated run repeats to the byte, which is compared. Live interleavings never repeat: what is told is a rate, with Wilson's interval for
95 %. A live plan with --world sim is tried with as many seeds as --times says, under the same faults; a simulated plan with --world live
meets real processes. A bare history is enough: the plan is made of its header and its fault lines, and what had to be inferred or guessed
is told.

Runs that are not kept are removed. A simulated run that is the saved one is not saved again.

Exit codes: 0 every promise kept in every run · 1 a promise was broken in some · 2 the run or the command cannot be understood ·
3 undecided · 70 our own failure, also when a simulated run did not repeat · 130 interrupted

Examples:
  quorate replay failed --times 10                     how often does it break
  quorate replay failed --world sim --times 1000       a copy that repeats to the byte
  quorate replay run.tar.gz                            an archive, as `export` makes it
  quorate replay history.jsonl --find stale-read       a bare history, looked at for one anomaly";

#[derive(Debug, ClapArgs)]
#[command(after_help = REPLAY_AFTER_HELP)]
pub(super) struct Replay {
    /// A run's directory, `latest`, `failed`, the beginning of a run's id, an archive of a run, a plan.json, or a bare history.jsonl
    /// (both may be compressed)
    #[arg(value_name = "RUN")]
    pub(super) run: String,
    /// How many runs
    #[arg(long, short, default_value_t = 1, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(super) times: u64,
    /// In which world: live or sim [default: the plan's own]
    #[arg(long, value_name = "WORLD", hide_possible_values = true, value_parser = names(World::NAMES))]
    pub(super) world: Option<String>,
    /// The anomaly to look for, such as stale-read [default: what the run showed, or else any broken promise]
    #[arg(long, value_name = "ANOMALY")]
    pub(super) find: Option<String>,
    /// Which runs are kept beside the others: first (that shows it), all or none
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "WHICH",
        hide_possible_values = true
    )]
    pub(super) keep: Keep,
    /// The executable that becomes the nodes, if not this one
    #[arg(long, value_name = "PATH")]
    pub(super) node_bin: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
The archive has everything but the data of the nodes, and is the same to the byte for the same files.

Examples:
  quorate export failed                        into <id>.tar.gz, here
  quorate export latest run.tar.zst && quorate check run.tar.zst")]
pub(super) struct Export {
    /// A run's directory, `latest`, `failed`, or the beginning of a run's id
    #[arg(value_name = "RUN")]
    pub(super) run: String,
    /// The file to write; its name says how: .tar.gz, .tar.zst or .tar [default: <id>.tar.gz]
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Unknown fields are kept. Completions that failed or are of unknown outcome are given the value of their invocation, which other
checkers rely on. JSON knows neither keywords nor sets: they become strings and arrays.

Examples:
  quorate convert latest history.edn --to edn --keyed    one of ours for Jepsen's checkers: values become [key value]
  quorate convert history.edn - --to elle-json           Jepsen's for elle-cli, on stdout")]
pub(super) struct Convert {
    /// What to read: whatever `check` reads
    #[arg(value_name = "IN")]
    pub(super) input: String,
    /// The file to write; `-` = stdout
    #[arg(value_name = "OUT")]
    pub(super) output: PathBuf,
    /// The format to write
    #[arg(long, value_name = "FORMAT", value_parser = names(OutputFormat::ALL.map(OutputFormat::name)))]
    pub(super) to: String,
    /// Make values [key value] from the field `key`
    #[arg(long)]
    pub(super) keyed: bool,
    /// The format of the file that is read [default: told from its content]
    #[arg(long, value_name = "FORMAT", value_parser = names(InputFormat::ALL.map(InputFormat::name)))]
    pub(super) input_format: Option<String>,
}

const SHRINK_AFTER_HELP: &str = "\
Of the history the fewest operations are kept that prove the anomaly alone (shrunk/proof.jsonl, which `check` accepts). Of the plan of a simulated
run everything is left out that is not needed: faults, operations, nodes, clients, keys, time. The result is the same on every machine.
It is saved as a run of its own, with a story in words, in shrunk/ beside the run.

Live runs never happen twice. A smaller plan is run until it has shown the anomaly --needed times, or cannot any more in --runs runs; the share
of the runs that showed it is printed with its interval. Faults, clients, keys and time are left out, single operations are not: for that,
--world sim looks for the anomaly in the simulated world (500 seeds) and shrinks it there.

Examples:
  quorate run --world sim -R 1 -W 1 && quorate shrink latest     two operations are enough for a stale read
  quorate shrink failed --find lost-write                        of all that broke, this

Exit codes: 0 shrunk and saved · 2 usage · 3 it could not be shown again · 4 there is nothing to shrink · 130 interrupted, the smallest so far is saved";

#[derive(Debug, ClapArgs)]
#[command(after_help = SHRINK_AFTER_HELP)]
pub(super) struct Shrink {
    /// A run's directory, `latest`, `failed`, the beginning of its id, or a history.jsonl
    #[arg(value_name = "RUN")]
    pub(super) run: String,
    /// What must still be shown, such as stale-read [default: the first broken promise, else the first anomaly]
    #[arg(long, value_name = "ANOMALY")]
    pub(super) find: Option<String>,
    /// Shrink a run of the live world in the simulated one: `sim`
    #[arg(long, value_name = "WORLD", value_parser = ["sim"])]
    pub(super) world: Option<String>,
    /// In the live world, how often a smaller plan must show it to be taken [default: 2]
    #[arg(long, value_name = "NUMBER", help_heading = "Live runs")]
    pub(super) needed: Option<u32>,
    /// In the live world, of how many runs at most [default: 5]
    #[arg(long, value_name = "NUMBER", help_heading = "Live runs")]
    pub(super) runs: Option<u32>,
    /// In the live world, begin no run after this long [default: 5m]
    #[arg(long, value_name = "DURATION", help_heading = "Live runs")]
    pub(super) budget: Option<String>,
    /// In the live world, the executable that becomes the nodes, if not this one
    #[arg(long, value_name = "PATH", help_heading = "Live runs")]
    pub(super) node_bin: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Gate {
    /// The list of plans
    #[arg(value_name = "FILE", default_value = "gate.toml")]
    pub(super) file: PathBuf,
    /// Run only the cases whose name contains this
    #[arg(long, value_name = "TEXT")]
    pub(super) only: Option<String>,
    /// The executable that becomes the nodes, if not this one; in the live world only
    #[arg(long, value_name = "PATH")]
    pub(super) node_bin: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Generate {
    /// Operations of clients
    #[arg(long, short = 'n', default_value_t = 10_000, value_name = "NUMBER")]
    pub(super) operations: u64,
    /// Clients, each with one operation under way at a time
    #[arg(long, short, default_value_t = 10, value_name = "NUMBER")]
    pub(super) clients: u64,
    /// Keys
    #[arg(long, short, default_value_t = 1, value_name = "NUMBER")]
    pub(super) keys: u32,
    /// Share of reads, of all operations
    #[arg(long, default_value_t = 50, value_name = "PERCENT")]
    pub(super) reads: u64,
    /// Share of compare-and-sets, of all operations
    #[arg(long, default_value_t = 0, value_name = "PERCENT")]
    pub(super) cas: u64,
    /// Share of unknown outcomes, of writes: a third takes effect in time, a third late, a third never
    #[arg(long, default_value_t = 0, value_name = "PERCENT")]
    pub(super) info: u64,
    /// Share of refusals, of writes
    #[arg(long, default_value_t = 0, value_name = "PERCENT")]
    pub(super) fail: u64,
    /// What is written: unique (1, 2, 3, ... per key), or small:5 (drawn from 0 to 4)
    #[arg(long, default_value = "unique", value_name = "WHICH")]
    pub(super) values: String,
    /// The one thing that is wrong: none, stale-read, inversion, lost-write, phantom, failed-write or future
    #[arg(long, default_value = "none", value_name = "WHAT")]
    pub(super) corrupt: String,
    /// Read every key at every replica in the end
    #[arg(long)]
    pub(super) census: bool,
    /// Seed: the same options with the same seed make the same bytes, on every machine
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub(super) seed: u64,
    /// Where to write it [default: stdout]
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

const EXPLAIN_AFTER_HELP: &str = "\
Let, Then and However follow from the history alone. Why names causes that fit, the best supported first, and what each rests on: what nodes
say of themselves, what was recorded, or how the store was configured. It never convicts, and says what is not known.

Examples:
  quorate explain latest                            the first anomaly of each kind in the last run
  quorate explain failed --all                      all that were kept, of the last run that broke a promise
  quorate explain failed --spacetime                the same run as diagrams, if it was simulated
  quorate explain results/runs/latest/witness/stale-read-1.jsonl    one witness alone
  quorate explain fresh-reads                       what a guarantee means, who gives it, what breaks it";

#[derive(Debug, ClapArgs)]
#[command(after_help = EXPLAIN_AFTER_HELP)]
pub(super) struct Explain {
    /// A run (its directory, `latest`, `failed`, the beginning of its id), a history.jsonl, a witness, or the name of a guarantee,
    /// anomaly, fault, workload or sabotage
    #[arg(value_name = "RUN|NAME")]
    pub(super) name: String,
    /// Every anomaly that was kept (up to 20 of a kind), not only the first of each kind
    #[arg(long)]
    pub(super) all: bool,
    /// Draw what clients and nodes did around each anomaly, with every message between them: simulated runs only, for in live runs
    /// messages are not observed. The same as SVG is in the run's directory, beside the witness
    #[arg(long)]
    pub(super) spacetime: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct List {
    /// Only guarantees, faults, workloads or sabotages
    #[arg(value_name = "WHAT")]
    pub(super) what: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Node {
    /// The node's seat, a JSON file
    #[arg(long, value_name = "FILE")]
    pub(super) config: PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Args;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
