//! What a run was exposed to: how many replicas may have forgotten, whether clocks agree, whether messages may be lost.
//!
//! Derived from the settings and the fault windows, never assumed. It makes no promise: `contract.rs` does. The
//! same function serves faults that happened and faults that are only planned.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::history::{FaultKind, FaultWindow, Header, History, Nanos, Sync};
use crate::ties;

/// Nanoseconds in a millisecond.
const NS_PER_MS: u64 = 1_000_000;

/// Whether later writes carry larger stamps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clocks {
    /// All nodes read one clock.
    Synchronised,
    /// They may not have, and why.
    Skewed(String),
}

/// What a run was exposed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exposure {
    /// The largest number of replicas that may have forgotten the same acknowledged write: f.
    pub forgotten: u32,
    /// Whether stamps follow real time.
    pub clocks: Clocks,
    /// Whether no message between nodes can have been lost.
    pub lossless: bool,
}

impl Exposure {
    /// The exposure of these faults under these settings.
    pub fn of(sync: Sync, request_timeout_ms: u64, faults: &[FaultWindow]) -> Exposure {
        let forgotten = match sync {
            Sync::EachWrite => 0,
            // The acknowledgement that completes a quorum may come one request time-out after the first
            // one, so a write can need records whose ages differ by that much on top of the sync period.
            Sync::EveryMs(period_ms) => {
                let window_ms = period_ms.saturating_add(request_timeout_ms);
                forgotten_within(window_ms.saturating_mul(NS_PER_MS), faults)
            }
        };
        Exposure {
            forgotten,
            clocks: clocks(faults),
            lossless: !faults
                .iter()
                .any(|fault| fault.may_have_taken() && loses_messages(fault)),
        }
    }

    /// The exposure of a header's settings to its faults, whatever is done besides.
    pub fn of_header(header: &Header, faults: &[FaultWindow]) -> Exposure {
        let exposure = Exposure::of(header.sync, header.request_timeout_ms, faults);
        exposure.with_stamps(|| ties::of_settings(header.settings.stamps))
    }

    /// The exposure of a history.
    pub fn of_history(history: &History) -> Exposure {
        let header = &history.header;
        let exposure = Exposure::of(header.sync, header.request_timeout_ms, &history.faults);
        exposure.with_stamps(|| ties::of_history(history))
    }

    /// Stamps that do not follow real time are no better than clocks that disagree.
    fn with_stamps(mut self, why: impl FnOnce() -> Option<String>) -> Exposure {
        if self.is_synchronised()
            && let Some(why) = why()
        {
            self.clocks = Clocks::Skewed(why);
        }
        self
    }

    /// Whether later writes carry larger stamps.
    pub fn is_synchronised(&self) -> bool {
        self.clocks == Clocks::Synchronised
    }
}

impl FaultWindow {
    /// Whether its nodes may have lost what was not yet on disk. An unknown kind is taken for the worst, and of a ring change nobody tells
    /// whether a node had what it copied on disk.
    pub fn may_forget(&self) -> bool {
        let forgets = matches!(
            self.kind,
            FaultKind::Kill | FaultKind::Crash | FaultKind::Ring | FaultKind::Other(_)
        );
        forgets && self.may_have_taken()
    }

    /// From when it began until it was healed, or for ever.
    pub fn span(&self) -> (Nanos, Nanos) {
        (self.injected, self.healed.unwrap_or(Nanos::NEVER))
    }
}

fn clocks(faults: &[FaultWindow]) -> Clocks {
    for fault in faults.iter().filter(|fault| fault.may_have_taken()) {
        let id = &fault.id;
        match &fault.kind {
            FaultKind::Clock
                if fault.offsets_ns.iter().all(|&ns| ns == 0) && !fault.offsets_ns.is_empty() => {}
            FaultKind::Clock => {
                return Clocks::Skewed(format!(
                    "fault {id} offset the clock of {}",
                    fault.nodes.join(" ")
                ));
            }
            FaultKind::Drift => {
                let nodes = fault.nodes.join(" ");
                return Clocks::Skewed(format!("the clocks of {nodes} drift ({id})"));
            }
            FaultKind::HostClock => {
                return Clocks::Skewed(format!("the clock of the machine was stepped ({id})"));
            }
            FaultKind::Other(name) => {
                return Clocks::Skewed(format!(
                    "fault {id} is a {name}, and nobody knows what that does to clocks"
                ));
            }
            _ => {}
        }
    }
    Clocks::Synchronised
}

fn loses_messages(fault: &FaultWindow) -> bool {
    match fault.kind {
        FaultKind::Slow | FaultKind::Clock | FaultKind::Drift | FaultKind::HostClock => false,
        FaultKind::Kill
        | FaultKind::Pause
        | FaultKind::Partition
        | FaultKind::Lossy
        | FaultKind::Crash
        // A new owner copies from as many replicas as meet every acknowledged write, and not from all.
        | FaultKind::Ring
        | FaultKind::Other(_) => true,
    }
}

/// The largest number of distinct nodes that may have died within `window_ns` of each other.
///
/// Each died at some moment from its injection until its effect was known. A window that starts at `t` reaches such a
/// span `[a, b]` iff `a - window <= t <= b`: so sweep `t` over these wider spans and count distinct nodes. Time in which a
/// node stood still does not count for it: a paused process syncs nothing, so its death reaches back beyond its pauses.
fn forgotten_within(window_ns: u64, faults: &[FaultWindow]) -> u32 {
    let mut edges: Vec<(u64, bool, &str)> = Vec::new();
    for fault in faults.iter().filter(|fault| fault.may_forget()) {
        let known = fault.effect.map_or(Nanos::NEVER, |(time, _)| time);
        for node in &fault.nodes {
            let since = unsynced_since(node, fault.injected.0, known.0, window_ns, faults);
            edges.push((since, false, node));
            edges.push((known.0, true, node));
        }
    }
    // Spans are closed: at equal times they begin before they end (`false` sorts first).
    edges.sort_unstable();
    let mut dying: BTreeMap<&str, u32> = BTreeMap::new();
    let mut most = 0;
    for (_, ends, node) in edges {
        let deaths = dying.entry(node).or_default();
        if !ends {
            *deaths += 1;
        } else if *deaths > 1 {
            *deaths -= 1;
        } else {
            dying.remove(node);
        }
        most = most.max(dying.len());
    }
    u32::try_from(most).unwrap_or(u32::MAX)
}

/// Since when a node that died in `[died, known]` may not have synced.
fn unsynced_since(
    node: &str,
    died: u64,
    known: u64,
    window_ns: u64,
    faults: &[FaultWindow],
) -> u64 {
    let stops = |fault: &&FaultWindow| {
        let stops = matches!(fault.kind, FaultKind::Pause | FaultKind::Other(_));
        stops && fault.may_have_taken() && fault.nodes.iter().any(|other| other == node)
    };
    let pauses: Vec<&FaultWindow> = faults.iter().filter(stops).collect();
    let mut since = died.saturating_sub(window_ns);
    loop {
        let reached = pauses.iter().filter(|pause| {
            let (began, ended) = pause.span();
            began.0 <= known && since <= ended.0
        });
        let before = reached.map(|pause| pause.injected.0.saturating_sub(window_ns));
        match before.min() {
            Some(before) if before < since => since = before,
            _ => return since,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{draw_with, header};

    fn exposure(sync: Sync, drawing: &str) -> Exposure {
        let mut header = header(3, 2, 2);
        header.sync = sync;
        Exposure::of_history(&draw_with(header, drawing))
    }

    /// Columns are 100 ms and a request may take 500 ms, so kills reach 700 ms when logs are synced every 200 ms.
    fn forgotten(drawing: &str) -> u32 {
        exposure(Sync::EveryMs(200), drawing).forgotten
    }

    #[test]
    fn nothing_is_forgotten_when_each_write_is_synced() {
        let drawing = "fault kill n1 n2: |--|";
        assert_eq!(exposure(Sync::EachWrite, drawing).forgotten, 0);
        assert_eq!(forgotten(drawing), 2);
    }

    #[test]
    fn a_change_of_the_ring_loses_messages_and_may_forget_what_is_not_synced() {
        let drawing = "fault ring n3: |--|";
        let calm = exposure(Sync::EachWrite, drawing);
        assert_eq!((calm.forgotten, calm.lossless), (0, false));
        assert!(calm.is_synchronised());
        assert_eq!(forgotten(drawing), 1);
    }

    #[test]
    fn deaths_count_together_within_the_sync_period_and_a_time_out() {
        let together = "
            fault kill n1: |--|
            fault kill n2:        |--|";
        assert_eq!(forgotten(together), 2);
        let apart = "
            fault kill n1: |--|
            fault kill n2:         |--|";
        assert_eq!(forgotten(apart), 1);
    }

    #[test]
    fn a_node_that_stood_still_has_not_synced_meanwhile() {
        let kills = "
            fault kill n2:    |--|
            fault kill n1:                     |--|";
        let with = |pause: &str| forgotten(&format!("{kills}\n            {pause}"));
        assert_eq!(forgotten(kills), 1);
        assert_eq!(with("fault pause n1:      |----------|"), 2);
        assert_eq!(with("fault pause n1:      |---|  |--|"), 2);
        assert_eq!(with("fault pause n3:      |----------|"), 1);
        assert_eq!(with("fault pause n2:            |----|"), 1);
    }

    #[test]
    fn one_node_that_dies_twice_is_one_node() {
        assert_eq!(forgotten("fault kill n1: |-| |-|"), 1);
        assert_eq!(forgotten("fault pause n1 n2: |--|"), 0);
    }

    #[test]
    fn a_skipped_kill_forgets_nothing_and_one_of_unknown_effect_may_come_late() {
        let mut history = draw_with(
            header(3, 2, 2),
            "
            fault kill n1: |--|
            fault kill n2:                     |--|",
        );
        history.header.sync = Sync::EveryMs(200);
        assert_eq!(Exposure::of_history(&history).forgotten, 1);
        history.faults[0].effect = None;
        assert_eq!(Exposure::of_history(&history).forgotten, 2);
        history.faults[1].effect = Some((Nanos(0), crate::history::Effect::Skipped));
        assert_eq!(Exposure::of_history(&history).forgotten, 1);
    }

    #[test]
    fn clocks_are_skewed_by_an_offset_and_by_nothing_else() {
        let skewed = exposure(Sync::EachWrite, "fault clock n1 -50: |--|");
        assert_eq!(
            skewed.clocks,
            Clocks::Skewed("fault f0 offset the clock of n1".to_owned())
        );
        assert!(skewed.lossless);
        assert!(exposure(Sync::EachWrite, "fault clock n1 0: |--|").is_synchronised());
        assert!(!exposure(Sync::EachWrite, "fault host-clock: |--|").is_synchronised());
        assert!(!exposure(Sync::EachWrite, "fault drift: |--|").is_synchronised());
        assert!(exposure(Sync::EachWrite, "fault lossy: |--|").is_synchronised());
    }

    #[test]
    fn only_faults_that_stop_messages_lose_them() {
        for (kind, lossless) in [
            ("kill", false),
            ("pause", false),
            ("partition", false),
            ("crash", false),
            ("slow", true),
        ] {
            let exposure = exposure(Sync::EachWrite, &format!("fault {kind} n1: |--|"));
            assert_eq!(exposure.lossless, lossless, "{kind}");
        }
    }
}
