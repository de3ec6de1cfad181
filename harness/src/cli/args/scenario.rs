//! What was typed after `quorate scenario`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::names;
use crate::plan::World;

const AFTER_SCENARIO: &str = "\
Without a name: lists them. Every act of a scenario is a run like any other, saved like any other: `check`, `explain`, `replay` and `shrink`
work on it. Anomalies are part of the story: whether they are as expected decides, not whether a promise was broken.

Examples:
  quorate scenario n5-w3-two-down              five replicas, two out of reach: who holds what, and what a read returns
  quorate scenario write-read-race --world sim the same in virtual time: the same bytes every time
  quorate scenario --all                       the tour of the subject

Exit codes: 0 everything as expected · 1 something was not · 2 usage · 3 not played in that world · 70 our own failure · 130 interrupted";

#[derive(Debug, ClapArgs)]
#[command(after_help = AFTER_SCENARIO)]
pub(in crate::cli) struct Scenario {
    /// Which one
    #[arg(value_name = "NAME", conflicts_with_all = ["all", "requirements"])]
    pub(in crate::cli) name: Option<String>,
    /// All of them, one after the other
    #[arg(long, conflicts_with = "requirements")]
    pub(in crate::cli) all: bool,
    /// Where to play: live (real processes) or sim (one thread, virtual time)
    #[arg(long, default_value = "live", env = "QUORATE_WORLD", value_name = "WORLD", hide_possible_values = true, value_parser = names(World::NAMES))]
    pub(in crate::cli) world: String,
    /// Seed of the simulated weather
    #[arg(long, default_value_t = 1, env = "QUORATE_SEED", value_name = "NUMBER")]
    pub(in crate::cli) seed: u64,
    /// The executable that becomes the nodes, if not this one; in the live world only
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) node_bin: Option<PathBuf>,
    /// The table of everything that is to be shown, and by which scenario, as Markdown
    #[arg(long)]
    pub(in crate::cli) requirements: bool,
}
