//! Changes of the ring in a plan: which ones make sense one after the other, and how some are drawn from a seed.
//!
//! It knows nodes by number only. What a change does is the node's business.

use std::collections::BTreeSet;

use quorate_node::config::{NodeId, StoreConfig};
use quorate_node::protocol::Topology;
use quorate_workloads::Rng;

use super::legality::range;
use super::schedule::{Rhythm, in_order, rhythm};
use super::{Plan, PlanError, Scheduled};
use crate::fault::{Fault, FaultKind, RingChange};

/// Shortest pause between two changes, ms: the end of one is looked for before the next begins.
const PAUSE_MS_MIN: u64 = 200;
/// Shortest time that is left for a change at the end of a storm, ms.
const LASTS_MS_MIN: u64 = 2_000;

/// Who is in the ring, and who may come in.
#[derive(Clone, Debug)]
struct Members {
    topology: Topology,
    ring: BTreeSet<NodeId>,
    spare: BTreeSet<NodeId>,
}

impl Members {
    fn of(store: &StoreConfig) -> Members {
        let ring = store.first_members();
        let nodes = (1..=store.nodes).map(NodeId);
        Members {
            topology: Topology::of(store),
            spare: nodes.filter(|node| !ring.contains(node)).collect(),
            ring,
        }
    }

    /// Carries out a change; why it cannot be, otherwise. Who has left does not come back: it still has what it had.
    fn change(&mut self, change: RingChange) -> Result<(), String> {
        if let Some(joiner) = change.joiner() {
            if !self.spare.remove(&NodeId(joiner)) {
                return Err(format!(
                    "n{joiner} is not spare: name a node that is not among ring-members and has not been in the ring"
                ));
            }
            self.ring.insert(NodeId(joiner));
        }
        if let Some(leaver) = change.leaver()
            && !self.ring.remove(&NodeId(leaver))
        {
            return Err(format!(
                "n{leaver} is not in the ring then: name a node that is"
            ));
        }
        if self.topology.is_enough(&self.ring) {
            Ok(())
        } else {
            Err("too few nodes would be left for all replicas: let another join first".to_owned())
        }
    }
}

/// Refuses changes of the ring that cannot be, or that no store could carry out without loss.
pub(super) fn validate(plan: &Plan) -> Result<(), PlanError> {
    let changes = plan
        .timeline
        .iter()
        .filter_map(|scheduled| match scheduled.fault {
            Fault::Ring(change) => Some((scheduled, change)),
            _ => None,
        });
    let mut changes: Vec<_> = changes.collect();
    changes.sort_by_key(|(scheduled, _)| scheduled.at_ms);
    let Some((first, _)) = changes.first() else {
        return Ok(());
    };
    let refuse = |scheduled: &Scheduled, why: &str| Err(range("timeline", &scheduled.id, why));
    if plan.store.options.membership.gossip().is_none() {
        return refuse(first, "the ring changes only with membership = \"gossip\"");
    }
    if plan.load.write_level.is_some() {
        let why = "while the ring changes, what outlives is what W replicas acknowledged: leave out write-level";
        return refuse(first, why);
    }
    let mut members = Members::of(&plan.store);
    let mut free_ms = 0;
    for (scheduled, change) in changes {
        if scheduled.at_ms < free_ms {
            return refuse(
                scheduled,
                "another change of the ring is under way until 200 ms before: one at a time",
            );
        }
        let until_ms = scheduled.at_ms.saturating_add(scheduled.for_ms);
        free_ms = until_ms.saturating_add(PAUSE_MS_MIN);
        if change.gone().is_some() && plan.store.w < 2 {
            let why = "with W = 1 who dies for good may be the only one that holds a write: choose W = 2 or more";
            return refuse(scheduled, why);
        }
        if let Err(why) = members.change(change) {
            return refuse(scheduled, &why);
        }
    }
    Ok(())
}

/// A timeline with changes of the ring among its faults, if they are of the kinds that may happen.
pub(super) fn among(
    timeline: Vec<Scheduled>,
    kinds: &[FaultKind],
    store: &StoreConfig,
    storm_ms: u64,
    seed: u64,
) -> Result<Vec<Scheduled>, PlanError> {
    if !kinds.contains(&FaultKind::Ring) {
        return Ok(timeline);
    }
    if store.options.membership.gossip().is_none() {
        let why = "the ring changes only with gossip: add membership = \"gossip\" (--membership gossip), and ring-members if nodes shall be spare";
        return Err(range("faults", FaultKind::Ring.name(), why));
    }
    let others = timeline.into_iter();
    let others = others.map(|scheduled| (scheduled.at_ms, scheduled.for_ms, scheduled.fault));
    let changes = drawn(store, storm_ms, seed).into_iter();
    let changes = changes.map(|(at_ms, for_ms, change)| (at_ms, for_ms, Fault::Ring(change)));
    Ok(in_order(others.chain(changes).collect()))
}

/// Changes of the ring, one after the other, as long as there is time and anything to change.
fn drawn(store: &StoreConfig, storm_ms: u64, seed: u64) -> Vec<(u64, u64, RingChange)> {
    let Rhythm { first, lasts, gap } = rhythm(FaultKind::Ring);
    let mut rng = Rng::stream(seed, FaultKind::Ring.name());
    let mut members = Members::of(store);
    let mut changes = Vec::new();
    let mut at_ms = rng.between(first.0, first.1);
    while at_ms + LASTS_MS_MIN <= storm_ms {
        let possible: Vec<(RingChange, Members)> = candidates(&members, store.w)
            .into_iter()
            .filter_map(|change| {
                let mut after = members.clone();
                after.change(change).ok().map(|()| (change, after))
            })
            .collect();
        let Some((change, after)) = rng.pick(&possible).cloned() else {
            break;
        };
        let until_ms = (at_ms + rng.between(lasts.0, lasts.1)).min(storm_ms);
        changes.push((at_ms, until_ms - at_ms, change));
        members = after;
        at_ms = until_ms + rng.between(gap.0, gap.1);
    }
    changes
}

/// Everything that might be done next.
fn candidates(members: &Members, w: u16) -> Vec<RingChange> {
    let Members { ring, spare, .. } = members;
    let joins = spare.iter().map(|node| RingChange::Join(node.0));
    let leaves = ring.iter().map(|node| RingChange::Leave(node.0));
    let replaces = spare.iter().flat_map(|by| {
        let replace = |dead: &NodeId| RingChange::Replace {
            dead: dead.0,
            by: by.0,
        };
        ring.iter().map(replace)
    });
    let replaces = replaces.filter(|_| w > 1);
    joins.chain(leaves).chain(replaces).collect()
}

#[cfg(test)]
mod tests {
    use quorate_node::config::Options;

    use super::*;
    use crate::plan::{PlanSpec, StoreSpec};

    fn spec(faults: &[&str]) -> PlanSpec {
        PlanSpec {
            nodes: Some(7),
            faults: Some(faults.iter().map(|&name| name.to_owned()).collect()),
            store: Some(StoreSpec {
                membership: Some("gossip".to_owned()),
                ring_members: Some("1,2,3,4".to_owned()),
                ..StoreSpec::default()
            }),
            ..PlanSpec::default()
        }
    }

    #[test]
    fn drawn_changes_are_legal_and_one_at_a_time_and_of_every_kind() {
        let (mut joins, mut leaves, mut replaces) = (0, 0, 0);
        for seed in 0..200 {
            let plan = spec(&["ring", "kill"]).plan(seed).expect("legal");
            for scheduled in &plan.timeline {
                match scheduled.fault {
                    Fault::Ring(RingChange::Join(_)) => joins += 1,
                    Fault::Ring(RingChange::Leave(_)) => leaves += 1,
                    Fault::Ring(RingChange::Replace { .. }) => replaces += 1,
                    _ => {}
                }
            }
        }
        assert!(
            joins > 0 && leaves > 0 && replaces > 0,
            "{joins} {leaves} {replaces}"
        );
    }

    #[test]
    fn changes_that_cannot_be_are_refused_with_a_remedy() {
        let with = |changes: &[(u64, RingChange)], change: fn(&mut Plan)| {
            let mut plan = spec(&["none"]).plan(1).expect("a plan");
            let scheduled = |(number, (at_ms, change)): (usize, &(u64, RingChange))| Scheduled {
                cue: None,
                id: format!("f{number}"),
                at_ms: *at_ms,
                for_ms: 5_000,
                fault: Fault::Ring(*change),
            };
            plan.timeline = changes.iter().enumerate().map(scheduled).collect();
            change(&mut plan);
            plan.validate()
                .err()
                .map_or(String::new(), |error| error.to_string())
        };
        let replace = RingChange::Replace { dead: 2, by: 5 };
        let legal = [
            (0, replace),
            (6_000, RingChange::Join(6)),
            (12_000, RingChange::Leave(1)),
        ];
        assert_eq!(with(&legal, |_| {}), "");
        let refused = |changes: &[(u64, RingChange)]| with(changes, |_| {});
        assert!(refused(&[(0, RingChange::Join(3))]).contains("n3 is not spare"));
        assert!(refused(&[(0, RingChange::Leave(6))]).contains("n6 is not in the ring"));
        let both = [(0, replace), (1_000, RingChange::Join(6))];
        assert!(refused(&both).contains("one at a time"));
        let two_leave = [(0, RingChange::Leave(1)), (6_000, RingChange::Leave(2))];
        assert!(refused(&two_leave).contains("let another join first"));
        let back = [(0, RingChange::Leave(1)), (6_000, RingChange::Join(1))];
        assert!(refused(&back).contains("n1 is not spare"));
        assert!(with(&legal, |plan| plan.store.w = 1).contains("W = 2 or more"));
        let direct = |plan: &mut Plan| plan.store.options = Options::default();
        assert!(with(&legal, direct).contains("membership"));
        let refusal = PlanSpec {
            store: None,
            ..spec(&["ring"])
        };
        let refusal = refusal.plan(1).expect_err("refused").to_string();
        assert!(refusal.contains("--membership gossip"), "{refusal}");
    }
}
