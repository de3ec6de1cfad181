//! Faults as data: what is done to the cluster. Closed, so that every world must answer for every fault.
//!
//! A fault says nothing about *when*: that is the plan's timeline. How it is done is each world's business.

use std::fmt;

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

/// The kinds of fault that a timeline can be generated from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// See [`Fault::Kill`].
    Kill,
    /// See [`Fault::Pause`].
    Pause,
    /// See [`Fault::Partition`].
    Partition,
    /// See [`Fault::Slow`].
    Slow,
    /// See [`Fault::Clock`].
    Clock,
    /// See [`Fault::Ring`].
    Ring,
}

impl FaultKind {
    /// All of them.
    pub const ALL: [FaultKind; 6] = [
        FaultKind::Kill,
        FaultKind::Pause,
        FaultKind::Partition,
        FaultKind::Slow,
        FaultKind::Clock,
        FaultKind::Ring,
    ];

    /// Those that can happen to every cluster; a ring changes only where there is gossip.
    pub const ANYWHERE: [FaultKind; 5] = [
        FaultKind::Kill,
        FaultKind::Pause,
        FaultKind::Partition,
        FaultKind::Slow,
        FaultKind::Clock,
    ];

    /// The name on the command line and in the history.
    pub fn name(self) -> &'static str {
        match self {
            FaultKind::Kill => "kill",
            FaultKind::Pause => "pause",
            FaultKind::Partition => "partition",
            FaultKind::Slow => "slow",
            FaultKind::Clock => "clock",
            FaultKind::Ring => "ring",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<FaultKind> {
        FaultKind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What it does, what it is like in the world, and what it can break.
    pub fn paragraph(self) -> &'static str {
        match self {
            FaultKind::Kill => {
                "kill -9 of some nodes, restarted on their own data when healed. Peers see their connections reset at once. \
                 Loses what the node had acknowledged but not synced: nothing under each-write, up to one interval under every <duration>."
            }
            FaultKind::Pause => {
                "SIGSTOP of some nodes, SIGCONT when healed; confirmed by the state of the process. Connections stay open and \
                 even accept bytes, only the answers are missing: like a long garbage collection or a frozen virtual machine."
            }
            FaultKind::Partition => {
                "Cuts directed links between nodes: one, halves, majority-minority, ring-of-majorities, bridge, one-way. A cut either holds \
                 traffic back until the heal (as TCP does) or loses it and resets the connections. Clients still reach every node."
            }
            FaultKind::Slow => {
                "Delays everything on some directed links by a fixed time and a random jitter; the order within a link is kept. \
                 Stretches the moment in which only some replicas hold a write, which is where inversions live."
            }
            FaultKind::Clock => {
                "Offsets the wall clocks of nodes, each by its own amount. Last-write-wins then orders writes by wrong stamps: \
                 acknowledged writes lose to older ones at every N, R and W."
            }
            FaultKind::Ring => {
                "Changes the ring under load: a spare node joins, a node leaves, or a spare node takes the place of one that is killed for good. \
                 Needs membership = gossip. Healing waits until the change is finished; it is not undone. Where new owners are asked \
                 before they have copied, or writes do not wait for them, reads miss what was acknowledged."
            }
        }
    }
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
    /// Change the ring; heal looks whether that is finished.
    Ring(RingChange),
}

/// A change of the ring, by node numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum RingChange {
    /// This node comes in.
    Join(u16),
    /// This node goes, with its data; its process lives on.
    Leave(u16),
    /// A node is killed for good, and another takes its place.
    Replace {
        /// Who dies.
        dead: u16,
        /// Who takes its place.
        by: u16,
    },
}

impl RingChange {
    /// The node that never comes back, if one does not.
    pub fn gone(self) -> Option<u16> {
        match self {
            RingChange::Replace { dead, .. } => Some(dead),
            RingChange::Join(_) | RingChange::Leave(_) => None,
        }
    }

    /// The node that comes in, if one does.
    pub fn joiner(self) -> Option<u16> {
        match self {
            RingChange::Join(node) | RingChange::Replace { by: node, .. } => Some(node),
            RingChange::Leave(_) => None,
        }
    }

    /// The node that goes out, if one does.
    pub fn leaver(self) -> Option<u16> {
        match self {
            RingChange::Leave(node) | RingChange::Replace { dead: node, .. } => Some(node),
            RingChange::Join(_) => None,
        }
    }
}

impl Fault {
    /// Its kind.
    pub fn kind(&self) -> FaultKind {
        match self {
            Fault::Kill { .. } => FaultKind::Kill,
            Fault::Pause { .. } => FaultKind::Pause,
            Fault::Partition { .. } => FaultKind::Partition,
            Fault::Slow { .. } => FaultKind::Slow,
            Fault::Clock { .. } => FaultKind::Clock,
            Fault::Ring(_) => FaultKind::Ring,
        }
    }

    /// Every node it touches, in order, each once.
    pub fn nodes(&self) -> Vec<u16> {
        let mut nodes = match self {
            Fault::Kill { nodes } | Fault::Pause { nodes } => nodes.clone(),
            Fault::Partition { links, .. } | Fault::Slow { links, .. } => {
                links.iter().flat_map(|link| [link.from, link.to]).collect()
            }
            Fault::Clock { offsets_ms } => offsets_ms.iter().map(|&(node, _)| node).collect(),
            Fault::Ring(change) => change.joiner().into_iter().chain(change.leaver()).collect(),
        };
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    /// The directed links it touches; none for faults of nodes.
    pub fn links(&self) -> &[Link] {
        match self {
            Fault::Partition { links, .. } | Fault::Slow { links, .. } => links,
            Fault::Kill { .. } | Fault::Pause { .. } | Fault::Clock { .. } | Fault::Ring(_) => &[],
        }
    }

    /// The same done to other nodes: to `number(n)` instead of `n`.
    #[must_use]
    pub fn renumbered(&self, number: impl Fn(u16) -> u16) -> Fault {
        let mut fault = self.clone();
        match &mut fault {
            Fault::Kill { nodes } | Fault::Pause { nodes } => {
                for node in nodes {
                    *node = number(*node);
                }
            }
            Fault::Partition { links, .. } | Fault::Slow { links, .. } => {
                for Link { from, to } in links {
                    (*from, *to) = (number(*from), number(*to));
                }
            }
            Fault::Clock { offsets_ms } => {
                for (node, _) in offsets_ms {
                    *node = number(*node);
                }
            }
            Fault::Ring(RingChange::Join(node) | RingChange::Leave(node)) => *node = number(*node),
            Fault::Ring(RingChange::Replace { dead, by }) => {
                (*dead, *by) = (number(*dead), number(*by));
            }
        }
        fault
    }

    /// The offset of each clock it touches, ns, in the order of [`Fault::nodes`].
    pub fn offsets_ns(&self) -> Vec<i64> {
        let Fault::Clock { offsets_ms } = self else {
            return Vec::new();
        };
        let mut offsets = offsets_ms.clone();
        offsets.sort_unstable();
        offsets
            .iter()
            .map(|&(_, ms)| ms.saturating_mul(1_000_000))
            .collect()
    }
}

impl fmt::Display for Fault {
    /// A few words for a progress line: `kill n2 n3`, `halves`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Partition { shape, .. } => write!(f, "partition {shape}"),
            Fault::Slow { links, .. } => write!(f, "slow {} links", links.len()),
            Fault::Ring(RingChange::Join(node)) => write!(f, "n{node} joins"),
            Fault::Ring(RingChange::Leave(node)) => write!(f, "n{node} leaves"),
            Fault::Ring(RingChange::Replace { dead, by }) => write!(f, "n{by} replaces n{dead}"),
            Fault::Kill { .. } | Fault::Pause { .. } | Fault::Clock { .. } => {
                f.write_str(self.kind().name())?;
                self.nodes()
                    .iter()
                    .try_for_each(|node| write!(f, " n{node}"))
            }
        }
    }
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
