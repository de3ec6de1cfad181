//! Faults as the history tells them: windows of time in which something was done to the cluster.
//!
//! A fault is told by nemesis lines whose `f` is its kind and whose `value` is an object
//! `{"id":"f3","step":S,"nodes":[..],"links":[[from,to],..],"offsets_ns":[..],"why":".."}` with the steps
//! `inject` (about to), then one of `installed`, `skipped`, `indeterminate`, then `heal` (about to), then `healed` or
//! `unhealed`. `nodes` (and for network faults the directed `links`) are on every line of a fault.
//! `gone` names those of the nodes that never come back, whatever is healed.
//! `offsets_ns` has one entry per node; `"offset_ns":x` is the same offset for all of them.

use super::event::Nanos;

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// `kill -9`, restarted at heal.
    Kill,
    /// SIGSTOP, SIGCONT at heal.
    Pause,
    /// Directed links cut.
    Partition,
    /// Directed links delayed.
    Slow,
    /// Directed links that lose messages at random.
    Lossy,
    /// Wall clocks of nodes offset.
    Clock,
    /// Wall clocks of nodes that gain or lose time.
    Drift,
    /// The node died by itself: not ours, but it forgets like a kill.
    Crash,
    /// A node joins the ring, leaves it or takes the place of a dead one; healed when that is finished, not when it is undone.
    Ring,
    /// The wall clock of the whole machine was stepped while the run went on: not ours.
    HostClock,
    /// A kind that this build does not know.
    Other(String),
}

impl FaultKind {
    /// The word in the file: the `f` of the nemesis line.
    pub fn as_str(&self) -> &str {
        match self {
            FaultKind::Kill => "kill",
            FaultKind::Pause => "pause",
            FaultKind::Partition => "partition",
            FaultKind::Slow => "slow",
            FaultKind::Lossy => "lossy",
            FaultKind::Clock => "clock",
            FaultKind::Drift => "drift",
            FaultKind::Crash => "crash",
            FaultKind::Ring => "ring",
            FaultKind::HostClock => "host-clock",
            FaultKind::Other(name) => name,
        }
    }
}

impl From<&str> for FaultKind {
    fn from(name: &str) -> FaultKind {
        match name {
            "kill" => FaultKind::Kill,
            "pause" => FaultKind::Pause,
            "partition" => FaultKind::Partition,
            "slow" => FaultKind::Slow,
            "lossy" => FaultKind::Lossy,
            "clock" => FaultKind::Clock,
            "drift" => FaultKind::Drift,
            "crash" => FaultKind::Crash,
            "ring" => FaultKind::Ring,
            "host-clock" => FaultKind::HostClock,
            other => FaultKind::Other(other.to_owned()),
        }
    }
}

/// Whether a fault took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It took.
    Installed,
    /// It was not done; the cluster is as before.
    Skipped,
    /// Unknown: judged as if it may have taken.
    Indeterminate,
}

/// One fault, from its first line to its last.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultWindow {
    /// The plan's id, such as `f3`.
    pub id: String,
    /// What was done.
    pub kind: FaultKind,
    /// Nodes it was done to (for network faults: every node with a touched link).
    pub nodes: Vec<String>,
    /// Those of them that never come back.
    pub gone: Vec<String>,
    /// Directed links touched, for network faults.
    pub links: Vec<(String, String)>,
    /// Wall clock offsets, ns, in the order of `nodes`, for clock faults.
    pub offsets_ns: Vec<i64>,
    /// Just before it was injected.
    pub injected: Nanos,
    /// When its effect was known, and what it was. None: the history ends before that.
    pub effect: Option<(Nanos, Effect)>,
    /// Just before healing began.
    pub heal_began: Option<Nanos>,
    /// When it was confirmed healed.
    pub healed: Option<Nanos>,
    /// Why it was skipped or its effect is unknown.
    pub why: Option<String>,
}

impl FaultWindow {
    /// Whether it may have touched the cluster at all: anything but certainly skipped.
    pub fn may_have_taken(&self) -> bool {
        !matches!(self.effect, Some((_, Effect::Skipped)))
    }
}
