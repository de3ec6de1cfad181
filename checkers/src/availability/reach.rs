//! Who could reach whom, and when: a timeline of impairments, cut into intervals in which nothing changes.
//!
//! It errs towards "unreachable": a node or link counts as impaired from just before its fault was injected until some time
//! after it was healed, and a link that was cut or slowed one way counts both ways.

use std::collections::BTreeMap;

use crate::history::{FaultKind, FaultWindow, History, Nanos, NodeIndex};

/// How long after a heal a node or link still counts as impaired, ns: connections must be made again.
const GRACE_NS: u64 = 1_000_000_000;

/// What a fault impairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Impaired {
    Node(u32),
    /// Both directions between two nodes, the smaller one first.
    Pair(u32, u32),
    /// Everything.
    All,
}

/// One interval: which nodes are impaired, and which others each of the rest cannot reach.
#[derive(Clone, Debug, Default)]
struct Calm {
    impaired: Vec<u32>,
    all_impaired: bool,
    /// Healthy nodes that are cut from some healthy ones, and from whom.
    cut_from: BTreeMap<u32, Vec<u32>>,
}

/// The other nodes that a coordinator cannot reach.
#[derive(Clone, Copy, Debug)]
pub(super) struct Out<'a> {
    impaired: &'a [u32],
    cut_from: &'a [u32],
}

impl Out<'_> {
    /// How many.
    pub(super) fn total(self) -> u32 {
        let total = self.impaired.len() + self.cut_from.len();
        u32::try_from(total).unwrap_or(u32::MAX)
    }

    /// Whether the node of this name is among them.
    pub(super) fn contains(self, names: &[String], name: &str) -> bool {
        let mut all = self.impaired.iter().chain(self.cut_from);
        all.any(|&node| names.get(node as usize).is_some_and(|other| other == name))
    }
}

/// The timeline.
pub(super) struct Reach {
    /// Where each interval begins; the first begins at 0.
    starts: Vec<Nanos>,
    intervals: Vec<Calm>,
}

impl Reach {
    pub(super) fn of(history: &History) -> Reach {
        let changes = changes(history);
        let mut reach = Reach {
            starts: vec![Nanos(0)],
            intervals: vec![Calm::default()],
        };
        let mut active: BTreeMap<Impaired, u32> = BTreeMap::new();
        let mut rest = changes.as_slice();
        while let Some(&(time, ..)) = rest.first() {
            let now = rest.partition_point(|&(other, ..)| other <= time);
            for &(_, begins, impaired) in &rest[..now] {
                let faults = active.entry(impaired).or_default();
                *faults = if begins {
                    *faults + 1
                } else {
                    faults.saturating_sub(1)
                };
                if *faults == 0 {
                    active.remove(&impaired);
                }
            }
            reach.starts.push(time);
            reach.intervals.push(Calm::of(&active));
            rest = &rest[now..];
        }
        reach
    }

    /// The interval that contains a whole span, if one does.
    pub(super) fn interval(&self, from: Nanos, to: Nanos) -> Option<usize> {
        let place = |time: Nanos| self.starts.partition_point(|&start| start <= time);
        (place(from) == place(to)).then(|| place(from).saturating_sub(1))
    }

    /// The other nodes that a coordinator cannot reach; none if it is impaired itself.
    pub(super) fn unreachable(&self, interval: usize, coordinator: NodeIndex) -> Option<Out<'_>> {
        let calm = self.intervals.get(interval)?;
        if calm.all_impaired || calm.impaired.binary_search(&coordinator.0).is_ok() {
            return None;
        }
        let cut_from = calm.cut_from.get(&coordinator.0);
        Some(Out {
            impaired: &calm.impaired,
            cut_from: cut_from.map_or(&[], Vec::as_slice),
        })
    }
}

impl Calm {
    fn of(active: &BTreeMap<Impaired, u32>) -> Calm {
        let mut calm = Calm::default();
        // Nodes sort before pairs, so all impaired nodes are known when the first pair comes.
        for impaired in active.keys() {
            match *impaired {
                Impaired::Node(node) => calm.impaired.push(node),
                Impaired::Pair(a, b) => {
                    let healthy = |node| calm.impaired.binary_search(&node).is_err();
                    if healthy(a) && healthy(b) {
                        calm.cut_from.entry(a).or_default().push(b);
                        calm.cut_from.entry(b).or_default().push(a);
                    }
                }
                Impaired::All => calm.all_impaired = true,
            }
        }
        calm
    }
}

/// When impairments begin (`true`) and end, in order.
///
/// While a fault is being injected, and while it heals, nobody knows what works already. So time is cut there as well (an impairment
/// that begins and ends at once): what succeeds then says nothing of the time in which the fault was surely in force.
fn changes(history: &History) -> Vec<(Nanos, bool, Impaired)> {
    let places: BTreeMap<&str, u32> = history.nodes.iter().map(String::as_str).zip(0..).collect();
    let mut changes = Vec::new();
    for fault in history.faults.iter().filter(|fault| fault.may_have_taken()) {
        let until = fault
            .healed
            .map(|healed| Nanos(healed.0.saturating_add(GRACE_NS)));
        let cuts = [fault.effect.map(|(known, _)| known), fault.heal_began];
        for impaired in impairs(fault, &places, history.nodes.len()) {
            changes.push((fault.injected, true, impaired));
            changes.extend(until.map(|until| (until, false, impaired)));
            let both = |cut| [(cut, true, impaired), (cut, false, impaired)];
            changes.extend(cuts.into_iter().flatten().flat_map(both));
        }
        for gone in fault
            .gone
            .iter()
            .filter_map(|name| places.get(name.as_str()))
        {
            changes.push((fault.injected, true, Impaired::Node(*gone)));
        }
    }
    changes.sort_unstable_by_key(|&(time, begins, impaired)| (time, !begins, impaired));
    changes
}

fn impairs(fault: &FaultWindow, places: &BTreeMap<&str, u32>, nodes: usize) -> Vec<Impaired> {
    let place = |name: &String| places.get(name.as_str()).copied();
    let named = || fault.nodes.iter().filter_map(place);
    match fault.kind {
        FaultKind::Clock | FaultKind::Drift | FaultKind::HostClock => Vec::new(),
        FaultKind::Partition | FaultKind::Slow | FaultKind::Lossy if !fault.links.is_empty() => {
            let pair = |link: &(String, String)| {
                let (from, to) = (place(&link.0)?, place(&link.1)?);
                (from != to).then(|| Impaired::Pair(from.min(to), from.max(to)))
            };
            let mut pairs: Vec<Impaired> = fault.links.iter().filter_map(pair).collect();
            pairs.sort_unstable();
            pairs.dedup();
            pairs
        }
        // While the ring changes a write needs more replicas than before, and of keys that nobody names here.
        FaultKind::Ring => vec![Impaired::All],
        // Nobody said which nodes or links: it may have been any of them.
        _ if fault.nodes.is_empty() || nodes == 0 => vec![Impaired::All],
        _ => named().map(Impaired::Node).collect(),
    }
}
