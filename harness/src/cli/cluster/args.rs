//! What is typed after `quorate cluster`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::cli::args::StoreFlags;

const AFTER_HELP: &str = "\
Nodes are processes on this machine, at ports that the kernel chooses; the table says where, and cluster.json in its directory says it to
programs. They end with this command, however it ends. A node that you kill yourself stays down.

Examples:
  quorate cluster                                          five nodes, N=3 R=2 W=2; then, in another terminal:
  quorate kv put greeting hello
  quorate cluster --versions dvv --sloppy --hints fallback siblings, stand-ins and hints to look at
  quorate cluster store.toml --dir here                    the store of a plan; its data stays in ./here";

/// Starts a cluster for `kv`.
#[derive(Debug, ClapArgs)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct Cluster {
    /// A plan whose store this is to be: TOML, or a `plan.json`. Flags win over it
    #[arg(value_name = "PLAN")]
    pub(in crate::cli) plan: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) store: StoreFlags,
    /// Where its nodes keep their data, seats and logs; it is kept, and started on again [default: a new directory in `clusters` beside
    /// `--results`, which goes with the cluster]
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) dir: Option<PathBuf>,
    /// A node is ill if it has not heard of a peer for longer [default: 5s]
    #[arg(long, value_name = "DURATION", help_heading = "Health")]
    pub(in crate::cli) max_silence: Option<String>,
    /// A node is ill if it keeps more hints [default: 1000]
    #[arg(long, value_name = "NUMBER", help_heading = "Health")]
    pub(in crate::cli) max_hints: Option<u64>,
    /// A node is ill if its last comparison with a peer is longer ago [default: ten times --anti-entropy]
    #[arg(long, value_name = "DURATION", help_heading = "Health")]
    pub(in crate::cli) max_repair_age: Option<String>,
    /// The executable that becomes the nodes, if not this one
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) node_bin: Option<PathBuf>,
}
