//! Random plans for one row of the matrix: a load of half a second, links that are slow one way, and just the losses and skew of the row.
//!
//! A draw is a function of the row and a seed. It runs nothing.

use quorate::fault::{Cut, Fault, Link};
use quorate::plan::{Plan, PlanSpec, Scheduled};
use quorate_node::config::ReadRepair;
use quorate_workloads::Rng;

use crate::matrix::{Conditions, Losses, Quorums};

/// How long the load lasts, ms.
const LASTS_MS: u64 = 500;
/// How long faults may last, ms: the load without its first tenth, which is warm-up.
const STORM_MS: u64 = 450;

/// What every plan for these quorums has in common: the simulated world, and no fault that was not asked for.
pub(crate) fn spec(quorums: Quorums) -> PlanSpec {
    let repair = match quorums.repair {
        ReadRepair::None => "none",
        ReadRepair::Async => "async",
        ReadRepair::Blocking => "blocking",
    };
    PlanSpec {
        n: Some(quorums.n),
        w: Some(quorums.w),
        r: Some(quorums.r),
        read_repair: Some(repair.to_owned()),
        deletes: Some(0),
        faults: Some(vec!["none".to_owned()]),
        lasts: Some(format!("{LASTS_MS}ms")),
        world: Some("sim".to_owned()),
        ..PlanSpec::default()
    }
}

/// One random plan.
pub(crate) fn draw(quorums: Quorums, conditions: Conditions, seed: u64) -> Plan {
    let mut rng = Rng::stream(seed, &format!("{quorums} {conditions}"));
    let name = |rng: &mut Rng, names: &[&str]| rng.pick(names).map(|name| (*name).to_owned());
    let nodes = quorums.n + 2;
    let spec = PlanSpec {
        nodes: Some(nodes),
        read_fanout: name(&mut rng, &["quorum", "all"]),
        sync: Some(match conditions.losses {
            Losses::Records(_) => "every 60ms".to_owned(),
            Losses::Nothing | Losses::Messages => "each-write".to_owned(),
        }),
        workload: name(&mut rng, &["register", "register", "racing", "write-once"]),
        clients: Some(rng.between(2, 8)),
        rate: Some(rng.between(300, 1_500)),
        keys: Some(rng.between(1, 3)),
        reads: Some(rng.between(30, 80)),
        request_timeout: Some("120ms".to_owned()),
        op_timeout: Some("240ms".to_owned()),
        ..spec(quorums)
    };
    let mut plan = spec.plan(rng.next_u64()).expect("a plan that is possible");
    let mut moments = vec![(0, STORM_MS, slow(nodes, &mut rng))];
    for _ in 0..rng.below(3) {
        let (at_ms, for_ms) = (rng.below(300), rng.between(30, 300));
        moments.push((at_ms, for_ms, slow(nodes, &mut rng)));
    }
    if conditions.losses != Losses::Nothing && rng.percent(70) {
        let (at_ms, for_ms) = (rng.below(300), rng.between(20, 200));
        moments.push((at_ms, for_ms, partition(nodes, &mut rng)));
    }
    match conditions.losses {
        Losses::Nothing => {}
        Losses::Messages => {
            let node = vec![pick(nodes, &mut rng)];
            let fault = if rng.percent(50) {
                Fault::Kill { nodes: node }
            } else {
                Fault::Pause { nodes: node }
            };
            moments.push((rng.below(400), rng.between(5, 100), fault));
        }
        Losses::Records(count) => {
            // All at once: whoever died later would have had the time to sync.
            let mut replicas = plan.replicas()(first_key(&plan));
            rng.shuffle(&mut replicas);
            replicas.truncate(usize::from(count));
            let kill = Fault::Kill { nodes: replicas };
            moments.push((rng.between(50, 400), rng.between(1, 30), kill));
        }
    }
    if conditions.is_skewed {
        moments.push((0, STORM_MS, skew(nodes, &mut rng)));
    }
    moments.sort_by_key(|&(at_ms, ..)| at_ms);
    let numbered = (1..).zip(moments);
    let scheduled = numbered.map(|(number, (at_ms, for_ms, fault))| Scheduled {
        id: format!("f{number}"),
        at_ms,
        for_ms,
        fault,
        cue: None,
    });
    plan.timeline = scheduled.collect();
    plan
}

/// A key that the load of this plan uses, so that those who die hold something.
fn first_key(plan: &Plan) -> &'static str {
    match plan.load.workload.as_str() {
        "racing" => "r1",
        "write-once" => "w1",
        _ => "k0",
    }
}

fn pick(nodes: u16, rng: &mut Rng) -> u16 {
    u16::try_from(rng.between(1, nodes.into())).expect("it was drawn from nodes")
}

/// What one or two nodes say to most of the others comes late.
fn slow(nodes: u16, rng: &mut Rng) -> Fault {
    let delay_ms = rng.between(10, 110);
    let jitter_ms = rng.below(20);
    let links = links(nodes, 80, rng);
    Fault::Slow {
        links,
        delay_ms,
        jitter_ms,
    }
}

fn partition(nodes: u16, rng: &mut Rng) -> Fault {
    let cut = if rng.percent(50) {
        Cut::Hold
    } else {
        Cut::Reset
    };
    let links = links(nodes, 60, rng);
    let shape = "wild".to_owned();
    Fault::Partition { shape, cut, links }
}

/// Links from one or two nodes to some of the others, at least one.
fn links(nodes: u16, percent: u64, rng: &mut Rng) -> Vec<Link> {
    let talkers = [pick(nodes, rng), pick(nodes, rng)];
    let always = talkers[0] % nodes + 1;
    let pairs = (1..=nodes).flat_map(|from| (1..=nodes).map(move |to| Link { from, to }));
    pairs
        .filter(|link| link.from != link.to && talkers.contains(&link.from))
        .filter(|link| (link.from, link.to) == (talkers[0], always) || rng.percent(percent))
        .collect()
}

fn skew(nodes: u16, rng: &mut Rng) -> Fault {
    let always = pick(nodes, rng);
    let mut offsets_ms = Vec::new();
    for node in 1..=nodes {
        if node == always || rng.percent(40) {
            let size_ms = i64::try_from(rng.between(5, 300)).expect("it is small");
            offsets_ms.push((node, if rng.percent(50) { size_ms } else { -size_ms }));
        }
    }
    Fault::Clock { offsets_ms }
}
