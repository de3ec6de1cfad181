//! What faults have done and not yet undone, and what that means for each clock.
//!
//! Pure bookkeeping. It makes heals exact: a heal undoes what its own fault did, to the very process it did it to.

use std::collections::{BTreeMap, BTreeSet};

use super::roster::Incarnation;
use crate::fault::Fault;

const NS_PER_MS: i64 = 1_000_000;

/// A process that a fault was done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Victim {
    pub(super) node: u16,
    pub(super) incarnation: Incarnation,
}

/// The faults in force, oldest first.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    installed: Vec<(Fault, Vec<Victim>)>,
    /// The clock offset that each node was last told, ns. Missing: it is not known which one the node has.
    told_ns: BTreeMap<u16, i64>,
    /// Nodes that were killed for good.
    gone: BTreeSet<u16>,
}

impl Ledger {
    /// `fault` is in force, on these processes (none for faults of links and clocks).
    pub(super) fn add(&mut self, fault: &Fault, victims: Vec<Victim>) {
        self.installed.push((fault.clone(), victims));
    }

    /// `fault` is no longer in force; returns whom it was done to. None if it was not in force.
    pub(super) fn remove(&mut self, fault: &Fault) -> Option<Vec<Victim>> {
        let place = self
            .installed
            .iter()
            .position(|(other, _)| other == fault)?;
        Some(self.installed.remove(place).1)
    }

    /// Whether a change of the ring is in force.
    pub(super) fn has_ring_change(&self) -> bool {
        let mut faults = self.installed.iter();
        faults.any(|(fault, _)| matches!(fault, Fault::Ring(_)))
    }

    /// `node` was killed, and must never come back.
    pub(super) fn lose(&mut self, node: u16) {
        self.gone.insert(node);
    }

    /// Whether `node` was killed for good.
    pub(super) fn is_gone(&self, node: u16) -> bool {
        self.gone.contains(&node)
    }

    /// No fault is in force; who is gone for good stays so.
    pub(super) fn clear(&mut self) {
        self.installed.clear();
    }

    /// The offset that `node`'s clock should have, ns: what the latest fault says about it, or none.
    pub(super) fn offset_ns(&self, node: u16) -> i64 {
        let latest = self
            .installed
            .iter()
            .rev()
            .find_map(|(fault, _)| match fault {
                Fault::Clock { offsets_ms } => offsets_ms.iter().find(|(other, _)| *other == node),
                _ => None,
            });
        latest.map_or(0, |(_, offset_ms)| offset_ms.saturating_mul(NS_PER_MS))
    }

    /// The offset that `node` has, ns, if that is known.
    pub(super) fn told_ns(&self, node: u16) -> Option<i64> {
        self.told_ns.get(&node).copied()
    }

    /// `node` has this offset now, ns; none: it is not known.
    pub(super) fn tell(&mut self, node: u16, offset_ns: Option<i64>) {
        match offset_ns {
            Some(offset_ns) => self.told_ns.insert(node, offset_ns),
            None => self.told_ns.remove(&node),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(node: u16, offset_ms: i64) -> Fault {
        Fault::Clock {
            offsets_ms: vec![(node, offset_ms)],
        }
    }

    #[test]
    fn a_clock_obeys_the_latest_fault_that_is_in_force() {
        let mut ledger = Ledger::default();
        ledger.add(&clock(1, 5), Vec::new());
        ledger.add(&clock(1, -7), Vec::new());
        assert_eq!(ledger.offset_ns(1), -7_000_000);
        assert_eq!(ledger.offset_ns(2), 0);
        assert_eq!(ledger.remove(&clock(1, -7)), Some(Vec::new()));
        assert_eq!(ledger.offset_ns(1), 5_000_000);
        ledger.clear();
        assert_eq!(ledger.offset_ns(1), 0);
    }

    #[test]
    fn a_fault_is_removed_once_for_each_time_it_was_added() {
        let pause = Fault::Pause { nodes: vec![1] };
        let first = Victim {
            node: 1,
            incarnation: Incarnation(0),
        };
        let second = Victim {
            node: 1,
            incarnation: Incarnation(1),
        };
        let mut ledger = Ledger::default();
        ledger.add(&pause, vec![first]);
        ledger.add(&pause, vec![second]);
        assert_eq!(ledger.remove(&pause), Some(vec![first]));
        assert_eq!(ledger.remove(&pause), Some(vec![second]));
        assert_eq!(ledger.remove(&pause), None);
    }

    #[test]
    fn absurd_offsets_saturate() {
        let mut ledger = Ledger::default();
        ledger.add(&clock(1, i64::MIN), Vec::new());
        assert_eq!(ledger.offset_ns(1), i64::MIN);
    }
}
