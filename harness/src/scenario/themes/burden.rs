//! Who carries the writes: one leader, or everybody.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::{PlanError, PlanSpec, StoreSpec};
use crate::scenario::act::{Act, Measured, Scenario};
use crate::scenario::play::{Play, known, store};
use crate::scenario::seen::Seen;

/// Writes that each node is asked for.
const WRITES_PER_NODE: u16 = 10;

pub(in crate::scenario) const BOTTLENECK: Scenario = Scenario {
    name: "leader-bottleneck",
    shows: "The same writes, as many at each node: with one leader whoever is asked passes them on, and one node gives all of them their place, of three nodes and of five. Without a leader \
            each node carries the third or the fifth that it is asked for.",
    requirements: &["002-03"],
    corrections: &[],
    not_in: None,
    acts: bottleneck,
};

fn bottleneck() -> Result<Vec<Act>, PlanError> {
    Ok(vec![
        asked_everywhere("three nodes, one leads", 3, true)?,
        asked_everywhere("three nodes, no leader", 3, false)?,
        asked_everywhere("five nodes, one leads", 5, true)?,
        asked_everywhere("five nodes, no leader", 5, false)?,
    ])
}

fn asked_everywhere(title: &str, nodes: u16, is_led: bool) -> Result<Act, PlanError> {
    let spec = if is_led {
        PlanSpec {
            // Where there is a leader everybody has everything.
            n: Some(nodes),
            store: Some(StoreSpec {
                // Nobody is to be replaced because the machine is slow.
                detect: Some("2s".to_owned()),
                ..StoreSpec::default()
            }),
            ..known("single-leader", nodes)
        }
    } else {
        store(nodes, [3, 2, 2])
    };
    let mut play = Play::new(title, &spec)?;
    if is_led {
        play.find_leader(1);
        play.together("reads until each node has heard who leads", |play| {
            for node in 1..=nodes {
                play.read("nothing").at(node).comes_to(None);
            }
        });
    }
    play.together("writes of a key each, ten at every node", |play| {
        for number in 0..WRITES_PER_NODE * nodes {
            let key = format!("k{number}");
            play.write(&key, i64::from(number) + 1)
                .at(1 + number % nodes);
        }
    });
    play.measure(if is_led { one_for_all } else { each_its_own });
    Ok(play.done())
}

/// Writes that were acknowledged, by the node that gave each its version, and the nodes that were asked.
fn carried(seen: &Seen) -> (BTreeMap<&str, usize>, BTreeSet<&str>) {
    let mut carried = BTreeMap::new();
    let mut asked = BTreeSet::new();
    for (_, step) in seen.steps().filter(|(name, _)| name.starts_with('w')) {
        let Some(reply) = &step.reply else { continue };
        asked.extend(reply.node.as_deref());
        if let Some(version) = &reply.evidence.version {
            *carried.entry(version.node.as_str()).or_insert(0) += 1;
        }
    }
    (carried, asked)
}

/// How many each has carried, and the share of the busiest.
fn told(seen: &Seen) -> String {
    let (carried, asked) = carried(seen);
    let all: usize = carried.values().sum();
    let most = carried.values().max().copied().unwrap_or(0);
    let each: Vec<String> = carried
        .iter()
        .map(|(node, count)| format!("{node} {count}"))
        .collect();
    let percent = (100 * most).checked_div(all).unwrap_or(0);
    format!(
        "{all} writes asked of {} nodes got their place from {}: {percent} % from the busiest",
        asked.len(),
        each.join(", ")
    )
}

fn one_for_all(seen: &Seen) -> Measured {
    let (carried, asked) = carried(seen);
    let all = usize::from(WRITES_PER_NODE) * asked.len();
    let is_met =
        asked.len() > 1 && carried.len() == 1 && carried.values().all(|count| *count == all);
    Measured::of(told(seen), is_met, "all of them from one node")
}

fn each_its_own(seen: &Seen) -> Measured {
    let (carried, asked) = carried(seen);
    let own = usize::from(WRITES_PER_NODE);
    let is_met = asked.len() > 1
        && carried.len() == asked.len()
        && carried.values().all(|count| *count == own);
    Measured::of(told(seen), is_met, "as many from each")
}
