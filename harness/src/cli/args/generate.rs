//! What was typed after `quorate generate-history`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

const AFTER_GENERATE: &str = "\
Clients of a made-up register work in a closed loop. Every operation takes effect at one point inside its span (a write of unknown outcome
perhaps later, perhaps never), so a history without corruption is linearizable by construction. A corruption comes once, after the middle of
the history, where it is certain to be one; its line is told on stderr. No store is involved.

Examples:
  quorate generate-history -n 1000000 -c 100 --info 5 -o hot.jsonl          one hot key, a million operations
  quorate generate-history --corrupt stale-read -o stale.jsonl && quorate check stale.jsonl
  quorate generate-history -n 300 -c 20 --cas 30 --values small:5           what many tests of other tools look like";

#[derive(Debug, ClapArgs)]
#[command(after_help = AFTER_GENERATE)]
pub(in crate::cli) struct Generate {
    /// Operations of clients
    #[arg(long, short = 'n', default_value_t = 10_000, value_name = "NUMBER")]
    pub(in crate::cli) operations: u64,
    /// Clients, each with one operation under way at a time
    #[arg(long, short, default_value_t = 10, value_name = "NUMBER")]
    pub(in crate::cli) clients: u64,
    /// Keys
    #[arg(long, short, default_value_t = 1, value_name = "NUMBER")]
    pub(in crate::cli) keys: u32,
    /// Share of reads, of all operations
    #[arg(long, default_value_t = 50, value_name = "PERCENT")]
    pub(in crate::cli) reads: u64,
    /// Share of compare-and-sets, of all operations
    #[arg(long, default_value_t = 0, value_name = "PERCENT")]
    pub(in crate::cli) cas: u64,
    /// Share of unknown outcomes, of writes: a third takes effect in time, a third late, a third never
    #[arg(long, default_value_t = 0, value_name = "PERCENT")]
    pub(in crate::cli) info: u64,
    /// Share of refusals, of writes
    #[arg(long, default_value_t = 0, value_name = "PERCENT")]
    pub(in crate::cli) fail: u64,
    /// What is written: unique (1, 2, 3, ... per key), or small:5 (drawn from 0 to 4)
    #[arg(long, default_value = "unique", value_name = "WHICH")]
    pub(in crate::cli) values: String,
    /// The one thing that is wrong: none, stale-read, inversion, lost-write, phantom, failed-write or future
    #[arg(long, default_value = "none", value_name = "WHAT")]
    pub(in crate::cli) corrupt: String,
    /// Read every key at every replica in the end
    #[arg(long)]
    pub(in crate::cli) census: bool,
    /// Seed: the same options with the same seed make the same bytes, on every machine
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub(in crate::cli) seed: u64,
    /// Where to write it [default: stdout]
    #[arg(long, short, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
}
