//! What a run did that takes promises back which settings alone would make: who died, how long replicas were out of reach, how long they
//! were left in peace, and how much was written.
//!
//! Taken from the record of the run and never from what reads returned. What nobody recorded is taken for the worst.

use std::collections::BTreeSet;

use crate::history::{FaultKind, FaultWindow, History, Nanos, Operation, Status};

/// Nanoseconds in a millisecond.
const NS_PER_MS: u64 = 1_000_000;

/// What a run did, as far as promises depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Nodes that may have died at some time.
    pub(super) died: u32,
    /// How long it lasted, ms.
    pub(super) lasted_ms: u64,
    /// When messages to some replica may have been lost or late, in order; none = nobody knows.
    pub(super) hidden: Option<Vec<(Nanos, Nanos)>>,
    /// For how long replicas were left in peace before they were compared, ms; none if some fault was not healed by then, or if not
    /// everything was handed over.
    pub(super) peace_ms: Option<u64>,
    /// Bytes of keys and values that anybody tried to write.
    pub(super) written_bytes: u64,
    /// Writes whose outcome nobody knows.
    pub(super) unknown_writes: u64,
}

impl Run {
    /// The worst that a run can do.
    pub(super) const UNKNOWN: Run = Run {
        died: u32::MAX,
        lasted_ms: u64::MAX,
        hidden: None,
        peace_ms: None,
        written_bytes: u64::MAX,
        unknown_writes: u64::MAX,
    };

    /// What the run of this history did.
    pub(super) fn of(history: &History) -> Run {
        let taken = history.faults.iter().filter(|fault| fault.may_have_taken());
        // Who leaves the ring for good takes along what it remembers, as who dies does.
        let dead: BTreeSet<&str> = taken
            .flat_map(|fault| {
                let killed = may_kill(fault).then_some(&fault.nodes);
                killed.into_iter().flatten().chain(&fault.gone)
            })
            .map(String::as_str)
            .collect();
        let writes = || history.operations.iter().filter(|op| op.is_write());
        let bytes = |op: &Operation| {
            let value = op.value.to_string().len();
            (history.key_name(op.key).len() + value) as u64
        };
        Run {
            died: u32::try_from(dead.len()).unwrap_or(u32::MAX),
            lasted_ms: history.end.0 / NS_PER_MS + 1,
            hidden: Some(hidden(history)),
            peace_ms: peace_ms(history),
            written_bytes: writes().map(bytes).sum(),
            unknown_writes: writes().filter(|op| op.status == Status::Info).count() as u64,
        }
    }
}

impl Run {
    /// The longest time in which some replica may have been out of reach, ms, where less than `pause_ms` between two faults does not
    /// count: that is too short to make up for anything. None if nobody knows.
    pub(super) fn hidden_ms(&self, pause_ms: u64) -> Option<u64> {
        let mut longest = 0;
        let mut stretch: Option<(Nanos, Nanos)> = None;
        for &(from, to) in self.hidden.as_ref()? {
            stretch = match stretch {
                Some((began, until)) if from.since(until).0 / NS_PER_MS < pause_ms => {
                    Some((began, until.max(to)))
                }
                _ => Some((from, to)),
            };
            if let Some((began, until)) = stretch {
                longest = longest.max(until.since(began).0);
            }
        }
        Some(longest.div_ceil(NS_PER_MS))
    }
}

/// Whether its nodes may have died. Of an unknown kind nobody knows.
fn may_kill(fault: &FaultWindow) -> bool {
    matches!(
        fault.kind,
        FaultKind::Kill | FaultKind::Crash | FaultKind::Other(_)
    )
}

/// Whether it hides replicas from messages. Clocks do not.
fn hides(fault: &FaultWindow) -> bool {
    let is_clock = matches!(
        fault.kind,
        FaultKind::Clock | FaultKind::Drift | FaultKind::HostClock
    );
    fault.may_have_taken() && !is_clock
}

fn hidden(history: &History) -> Vec<(Nanos, Nanos)> {
    let faults = history.faults.iter().filter(|fault| hides(fault));
    let mut spans: Vec<(Nanos, Nanos)> = faults.map(FaultWindow::span).collect();
    spans.sort_unstable();
    spans
}

/// How long the quiet phase lasted, if everything was healed before it and nothing was left undone after it.
fn peace_ms(history: &History) -> Option<u64> {
    let phase = |name: &str| {
        let mut phases = history.phases.iter();
        phases.find(|(_, phase)| phase == name).map(|(at, _)| *at)
    };
    let (quiet, census) = (phase("quiet")?, phase("census")?);
    let healed = |fault: &FaultWindow| fault.healed.is_some_and(|healed| healed <= quiet);
    if history
        .faults
        .iter()
        .any(|fault| hides(fault) && !healed(fault))
    {
        return None;
    }
    // All that the harness remarks in that time is that queues were not empty at the end of it.
    let remarks = history
        .nemesis
        .iter()
        .filter(|event| event.f.as_str() == "note" && quiet <= event.time && event.time <= census);
    let remarked = remarks.count() > 0;
    (!remarked).then(|| census.since(quiet).0 / NS_PER_MS)
}
