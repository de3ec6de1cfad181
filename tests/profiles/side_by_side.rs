//! A leader beside none: the same load on stores of both kinds, with three nodes and with five, once undisturbed and once with the death of
//! each node in turn.
//!
//! The times are those of simulated weather, the same on every machine. `cargo test -p quorate --test profiles -- --nocapture side_by_side`
//! prints the table. It says what these profiles do under one load, not how fast the systems are.

use std::collections::BTreeMap;
use std::fmt::Write;

use quorate::fault::Fault;
use quorate::plan::{Phases, Plan, PlanSpec, Scheduled};
use quorate::trial::{Trial, trial};
use quorate_checkers::history::{Function, Nanos, Operation};
use quorate_checkers::{Guarantee, Ruling};
use rayon::prelude::*;

/// How long the load lasts, ms.
const LASTS_MS: u64 = 4_000;
/// When a node dies, ms: elections are over.
const DIES_MS: u64 = 1_500;
/// How long it is dead, ms: longer than any failover.
const DEAD_MS: u64 = 2_000;

/// A store, and what becomes of a conflict there.
struct Kind {
    profile: &'static str,
    is_led: bool,
    conflicts: &'static str,
}

const KINDS: [Kind; 5] = [
    Kind {
        profile: "single-leader",
        is_led: true,
        conflicts: "one order",
    },
    Kind {
        profile: "dynamodb",
        is_led: true,
        conflicts: "one order",
    },
    Kind {
        profile: "dynamo",
        is_led: false,
        conflicts: "siblings",
    },
    Kind {
        profile: "cassandra",
        is_led: false,
        conflicts: "last write wins",
    },
    Kind {
        profile: "riak",
        is_led: false,
        conflicts: "siblings",
    },
];

/// One line of the table.
struct Measured {
    kind: &'static Kind,
    nodes: u16,
    /// Done in the undisturbed run.
    writes: usize,
    reads: usize,
    /// Share of them that the busiest node decided, percent.
    write_share: usize,
    read_share: usize,
    /// The time that half of them took at most, ms.
    write_ms: f64,
    read_ms: f64,
    /// The longest time without an acknowledged write when the node dies whose death is the worst, ms; and undisturbed.
    outage_ms: f64,
    calm_ms: f64,
    /// Acknowledged writes that are lost, over all deaths.
    lost: u64,
    /// Stale reads, over all runs.
    stale: u64,
    /// Whether the undisturbed run promised linearizable keys.
    linearizable: bool,
}

fn plan(kind: &Kind, nodes: u16, dies: Option<u16>) -> Plan {
    let spec = PlanSpec {
        profile: Some(kind.profile.to_owned()),
        nodes: Some(nodes),
        // Where there is a leader everybody has everything.
        n: Some(if kind.is_led { nodes } else { 3 }),
        workload: Some("register".to_owned()),
        clients: Some(12),
        rate: Some(400),
        keys: Some(10),
        reads: Some(50),
        deletes: Some(0),
        faults: Some(vec!["none".to_owned()]),
        op_timeout: Some("1s".to_owned()),
        world: Some("sim".to_owned()),
        ..PlanSpec::default()
    };
    let mut plan = spec.plan(7).expect("a plan");
    plan.phases = Phases {
        warm_ms: 0,
        storm_ms: LASTS_MS,
        quiet_ms_max: 2_000,
        quiet_ms_min: 0,
    };
    plan.timeline = dies
        .map(|node| Scheduled {
            cue: None,
            id: "f1".to_owned(),
            at_ms: DIES_MS,
            for_ms: DEAD_MS,
            fault: Fault::Kill { nodes: vec![node] },
        })
        .into_iter()
        .collect();
    plan.validate().expect("a plan that is possible");
    plan
}

fn run(kind: &Kind, nodes: u16, dies: Option<u16>) -> Trial {
    let trial = trial(&plan(kind, nodes, dies)).expect("a run");
    for row in &trial.verdict.rows {
        assert_ne!(
            row.ruling,
            Ruling::Broken,
            "{} of {nodes}: {}",
            kind.profile,
            row.promise.guarantee
        );
    }
    trial
}

/// What was done.
fn done(trial: &Trial, f: Function) -> Vec<&Operation> {
    let all = trial.history.operations.iter();
    all.filter(|op| op.f == f && op.is_ok()).collect()
}

/// The node that decided: the leader, or the coordinator.
fn decider(trial: &Trial, op: &Operation, is_led: bool) -> Option<String> {
    if !is_led {
        return Some(trial.history.node_name(op.node()?).to_owned());
    }
    let evidence = op.evidence()?;
    match op.f {
        Function::Read => Some(evidence.answered_by.first()?.node.clone()),
        _ => Some(evidence.version?.node),
    }
}

/// The share of the busiest, percent of those that somebody decided.
fn share(trial: &Trial, f: Function, is_led: bool) -> usize {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for node in done(trial, f)
        .into_iter()
        .filter_map(|op| decider(trial, op, is_led))
    {
        *count.entry(node).or_insert(0) += 1;
    }
    let all: usize = count.values().sum();
    let most = count.values().max().copied().unwrap_or(0);
    (100 * most).checked_div(all).expect("somebody decided")
}

fn median_ms(trial: &Trial, f: Function) -> f64 {
    let mut took: Vec<Nanos> = done(trial, f)
        .into_iter()
        .map(|op| op.ret.since(op.call))
        .collect();
    took.sort_unstable();
    took[took.len() / 2].as_ms()
}

/// The longest time without an acknowledged write from the first until the last was asked.
fn silence_ms(trial: &Trial) -> f64 {
    let mut moments: Vec<Nanos> = done(trial, Function::Write)
        .into_iter()
        .map(|op| op.ret)
        .collect();
    let writes = trial.history.operations.iter().filter(|op| op.is_write());
    moments.extend(writes.map(|op| op.call).max());
    moments.sort_unstable();
    let gaps = moments.windows(2).map(|pair| pair[1].since(pair[0]));
    gaps.max().expect("writes").as_ms()
}

fn seen(trial: &Trial, guarantee: Guarantee) -> u64 {
    let row = trial.verdict.row(guarantee);
    row.map_or(0, |row| row.finding.seen)
}

fn measure(kind: &'static Kind, nodes: u16) -> Measured {
    let calm = run(kind, nodes, None);
    let deaths: Vec<Trial> = (1..=nodes)
        .map(|node| run(kind, nodes, Some(node)))
        .collect();
    let worst = deaths.iter().map(silence_ms).max_by(f64::total_cmp);
    let over_all = |guarantee| {
        deaths
            .iter()
            .map(|trial| seen(trial, guarantee))
            .sum::<u64>()
    };
    Measured {
        kind,
        nodes,
        writes: done(&calm, Function::Write).len(),
        reads: done(&calm, Function::Read).len(),
        write_share: share(&calm, Function::Write, kind.is_led),
        read_share: share(&calm, Function::Read, kind.is_led),
        write_ms: median_ms(&calm, Function::Write),
        read_ms: median_ms(&calm, Function::Read),
        outage_ms: worst.expect("a death"),
        calm_ms: silence_ms(&calm),
        lost: over_all(Guarantee::NoLostWrites),
        stale: over_all(Guarantee::FreshReads) + seen(&calm, Guarantee::FreshReads),
        linearizable: { calm.verdict.row(Guarantee::Linearizability) }
            .is_some_and(|row| row.promise.promised),
    }
}

fn table(all: &[Measured]) -> String {
    let mut text = String::from(
        "share: of what was done, by the busiest node; half: the median time; longest silence: without an acknowledged write, \
         undisturbed and when the worst node dies; lost and stale: over the deaths of all nodes\n\
         store          nodes  writes share   half   reads share   half  silence  at worst   lost  stale  linearizable  conflicts\n",
    );
    for row in all {
        let _ = writeln!(
            text,
            "{:<14} {:>5}  {:>6} {:>3} % {:>4.1}ms {:>6} {:>3} % {:>4.1}ms {:>6.0}ms {:>7.0}ms {:>6} {:>6}  {:<12}  {}",
            row.kind.profile,
            row.nodes,
            row.writes,
            row.write_share,
            row.write_ms,
            row.reads,
            row.read_share,
            row.read_ms,
            row.calm_ms,
            row.outage_ms,
            row.lost,
            row.stale,
            if row.linearizable { "promised" } else { "no" },
            row.kind.conflicts,
        );
    }
    text
}

#[test]
fn a_leader_carries_everything_and_is_missed_and_without_one_everybody_carries_a_share() {
    let all: Vec<(&Kind, u16)> = { KINDS.iter() }
        .flat_map(|kind| [(kind, 3), (kind, 5)])
        .collect();
    let all: Vec<Measured> = all
        .into_par_iter()
        .map(|(kind, nodes)| measure(kind, nodes))
        .collect();
    let table = table(&all);
    println!("{table}");
    let outages = all.iter().filter(|row| row.kind.is_led);
    let shortest_ms = outages.map(|row| row.outage_ms).min_by(f64::total_cmp);
    let shortest_ms = shortest_ms.expect("stores with a leader");
    for row in &all {
        let name = format!("{} of {}\n{table}", row.kind.profile, row.nodes);
        assert!(row.writes > 500 && row.reads > 500, "{name}");
        if row.kind.is_led {
            assert_eq!((row.write_share, row.read_share), (100, 100), "{name}");
            let leader = plan(row.kind, row.nodes, None).store.options.leader;
            let leader = leader.expect("a leader");
            // The last sign of the leader may be one heartbeat older than its death, and nobody takes it for dead before this is over.
            let at_least_ms = u32::try_from(leader.detect_ms - leader.heartbeat_ms);
            let at_least_ms = f64::from(at_least_ms.expect("a short time"));
            assert!(row.outage_ms >= at_least_ms, "{name}");
        } else {
            let most = 200 / usize::from(row.nodes);
            assert!(row.write_share < most && row.read_share < most, "{name}");
            assert!(row.outage_ms < shortest_ms / 2.0, "{name}");
        }
    }
}
