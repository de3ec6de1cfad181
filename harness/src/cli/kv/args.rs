//! What is typed after `quorate kv`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args as ClapArgs, Subcommand};
use quorate_node::config::{Level, NodeId};

const AFTER_HELP: &str = "\
Exit codes: 0 done · 1 the cluster is ill (health) · 2 usage · 3 unknown: it may have been done or not · 4 not done: refused, or no
node to ask

Examples:
  quorate kv put cart apple --level quorum        write, and see who acknowledged it
  quorate kv get cart                             the value or all siblings, who answered, and the context
  quorate kv put cart pear --context 0101..       write knowing what was read: no sibling is left
  quorate kv --node n3 get cart --level one       the same through another node
  quorate kv inspect cart                         what each node holds by itself
  quorate kv ring cart                            who holds it, and who would stand in";

/// Pokes a cluster.
#[derive(Debug, ClapArgs)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct Kv {
    /// The node to ask: n2 of the cluster, or the HOST:PORT of any node's clients [default: the first that is up]
    #[arg(long, env = "QUORATE_NODE", global = true, value_name = "NODE")]
    pub(super) node: Option<Which>,
    /// The directory of the cluster [default: the newest that runs]
    #[arg(long, env = "QUORATE_CLUSTER", global = true, value_name = "DIR")]
    pub(super) cluster: Option<PathBuf>,
    /// How long a node may take to answer, ms
    #[arg(long, global = true, default_value_t = 10_000, value_name = "MS")]
    pub(super) timeout_ms: u64,
    #[command(subcommand)]
    pub(super) command: KvCommand,
}

/// A node: by its name, or by its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// Of the cluster.
    Named(NodeId),
    /// Wherever it is.
    At(SocketAddr),
}

impl FromStr for Which {
    type Err = String;

    fn from_str(text: &str) -> Result<Which, String> {
        if let Ok(address) = text.parse() {
            return Ok(Which::At(address));
        }
        let number = text.strip_prefix('n').unwrap_or(text).parse();
        match number {
            Ok(number) if number > 0 => Ok(Which::Named(NodeId(number))),
            _ => Err("name a node, such as n2, or an address, such as 127.0.0.1:4001".to_owned()),
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum KvCommand {
    /// Write a key
    Put {
        /// The key
        key: String,
        /// The value
        value: String,
        #[command(flatten)]
        write: WriteFlags,
    },
    /// Read a key: its value or all siblings, who answered, and the context to hand back
    Get {
        /// The key
        key: String,
        #[command(flatten)]
        quorum: QuorumFlags,
        /// So many of the answers must come from the key's own replicas
        #[arg(long, value_name = "NUMBER")]
        pr: Option<u16>,
    },
    /// Delete a key
    Delete {
        /// The key
        key: String,
        #[command(flatten)]
        write: WriteFlags,
    },
    /// What each node holds of a key by itself
    Inspect {
        /// The key
        key: String,
    },
    /// Have every node compare with its peers now, and send them what they lack
    Repair,
    /// The nodes with their shares of the ring, and the replicas of a key
    Ring {
        /// The key
        key: Option<String>,
    },
    /// The hints that each node keeps, and for whom
    Hints,
    /// Whether each node is well, and what is wrong
    Health,
    /// What a node counts, as Prometheus reads it
    Metrics,
}

/// How many replicas.
#[derive(Debug, ClapArgs)]
pub(super) struct QuorumFlags {
    /// one, two, three, quorum, all, local-quorum, each-quorum, ... or a number [default: the store's R or W]
    #[arg(long, short, value_name = "LEVEL")]
    pub(super) level: Option<Level>,
    /// Only the first so many replicas of the key [default: all N]
    #[arg(long, value_name = "NUMBER")]
    pub(super) n: Option<u16>,
    /// Whether other nodes may stand in for replicas [default: as the store has it]
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub(super) sloppy: Option<bool>,
}

/// How a write goes about it.
#[derive(Debug, ClapArgs)]
pub(super) struct WriteFlags {
    #[command(flatten)]
    pub(super) quorum: QuorumFlags,
    /// So many of the key's own replicas must acknowledge
    #[arg(long, value_name = "NUMBER")]
    pub(super) pw: Option<u16>,
    /// So many must have it in their log, the others need only have received it
    #[arg(long, value_name = "NUMBER")]
    pub(super) dw: Option<u16>,
    /// What was read before, as `get` printed it: hex digits, or @FILE with them
    #[arg(long, value_name = "HEX|@FILE")]
    pub(super) context: Option<String>,
    /// A stamp of your own, ns since the Unix epoch, for stores that take the client's
    #[arg(long, value_name = "NS")]
    pub(super) stamp_ns: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_has_a_name_or_an_address() {
        let node = |text: &str| text.parse::<Which>();
        assert_eq!(node("n2"), Ok(Which::Named(NodeId(2))));
        assert_eq!(node("2"), Ok(Which::Named(NodeId(2))));
        let address = "127.0.0.1:4001";
        assert_eq!(node(address), Ok(Which::At(address.parse().expect("one"))));
        for wrong in ["", "n", "n0", "m1", "n70000", "localhost"] {
            assert!(node(wrong).is_err(), "{wrong}");
        }
    }
}
