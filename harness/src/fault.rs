//! Faults as data: what is done to the cluster. Closed, so that every world must answer for every fault.
//!
//! A fault says nothing about *when*: that is the plan's timeline. How it is done is each world's business.

use serde::{Deserialize, Serialize};

/// A directed link between two nodes, by their numbers (`n1` is 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Link {
    /// Sender.
    pub from: u16,
    /// Receiver.
    pub to: u16,
}

/// What happens to the traffic of a cut link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// Held back, and delivered after the heal, as TCP does across a short partition.
    Hold,
    /// Lost: connections are reset, new ones refused until the heal.
    Reset,
}

/// What is done to the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// `kill -9` these nodes; heal restarts them on the same data.
    Kill {
        /// Node numbers.
        nodes: Vec<u16>,
    },
    /// SIGSTOP these nodes; heal is SIGCONT.
    Pause {
        /// Node numbers.
        nodes: Vec<u16>,
    },
    /// Cut these directed links.
    Partition {
        /// The name of the shape, for people: `halves`, `bridge`, ...
        shape: String,
        /// What happens to their traffic.
        cut: Cut,
        /// The links.
        links: Vec<Link>,
    },
    /// Delay everything on these directed links.
    Slow {
        /// The links.
        links: Vec<Link>,
        /// Fixed part, ms.
        delay_ms: u64,
        /// Random part, 0 to this, ms. Order within a link is kept.
        jitter_ms: u64,
    },
    /// Offset the wall clocks of nodes; heal sets the offsets to 0.
    Clock {
        /// Node numbers and their offsets, ms.
        offsets_ms: Vec<(u16, i64)>,
    },
}

/// Whether a fault, or its heal, took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It took.
    Installed,
    /// It was not done, and why; the cluster is as before.
    Skipped(String),
    /// Nobody knows, and why.
    Indeterminate(String),
}
