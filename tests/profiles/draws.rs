//! Random plans for one row: a short load, late messages, two sides that are cut apart, a node that stands still, and just the power loss or
//! skew that is asked for. Every third one is a short schedule instead, where there is one for the fault.
//!
//! A draw is a function of the row, the fault and a seed. It runs nothing.

use quorate::fault::{Cut, Fault as Strike, Link};
use quorate::plan::{Plan, PlanSpec, Scheduled};
use quorate_workloads::Rng;

use crate::rows::{Fault, Row};
use crate::schedules::{Schedule, schedule};

/// How long the load of a leaderless store lasts, ms.
const LASTS_MS: u64 = 600;
/// How long it lasts where a failover must fit in, ms.
const LED_LASTS_MS: u64 = 2_000;

/// One plan.
pub(crate) fn draw(row: &Row, fault: Fault, seed: u64) -> Plan {
    let schedules: &[Schedule] = match fault {
        _ if row.is_led() => &[],
        Fault::Messages => &[Schedule::Glimpsed],
        Fault::PowerLoss => &[Schedule::Forgotten, Schedule::Alone, Schedule::Entrusted],
        Fault::Skew => &[],
    };
    if schedules.is_empty() || !seed.is_multiple_of(3) {
        return random(row, fault, seed);
    }
    let mut rng = Rng::stream(seed, &format!("schedule {} {}", row.title, fault.name()));
    let spec = PlanSpec {
        profile: Some(row.profile.to_owned()),
        faults: Some(vec!["none".to_owned()]),
        request_timeout: Some("200ms".to_owned()),
        op_timeout: Some("400ms".to_owned()),
        sync: Some("every 250ms".to_owned()),
        world: Some("sim".to_owned()),
        ..PlanSpec::default()
    };
    let plan = (row.with)(spec)
        .plan(seed)
        .expect("a plan that is possible");
    let place = usize::try_from(seed / 3).unwrap_or(0) % schedules.len();
    let plan = schedule(schedules[place], plan, &mut rng);
    plan.validate().expect("a plan that is possible");
    plan
}

fn random(row: &Row, fault: Fault, seed: u64) -> Plan {
    let mut rng = Rng::stream(seed, &format!("{} {}", row.title, fault.name()));
    let is_led = row.is_led();
    let lasts_ms = if is_led { LED_LASTS_MS } else { LASTS_MS };
    // Few operations on few keys: stamps of whole milliseconds follow real time only where writes leave them room.
    let rates = if row.profile == "cassandra" && fault != Fault::Skew {
        (60, 200)
    } else {
        (200, 900)
    };
    let spec = PlanSpec {
        profile: Some(row.profile.to_owned()),
        workload: Some(
            if rng.percent(75) {
                "register"
            } else {
                "racing"
            }
            .to_owned(),
        ),
        clients: Some(rng.between(3, 8)),
        rate: Some(rng.between(rates.0, rates.1)),
        keys: Some(rng.between(1, 3)),
        reads: Some(rng.between(30, 70)),
        deletes: Some(0),
        lasts: Some(format!("{lasts_ms}ms")),
        faults: Some(vec!["none".to_owned()]),
        request_timeout: Some("120ms".to_owned()),
        op_timeout: Some("240ms".to_owned()),
        sync: (fault == Fault::PowerLoss && !is_led).then(|| "every 60ms".to_owned()),
        world: Some("sim".to_owned()),
        ..PlanSpec::default()
    };
    let spec = (row.with)(spec);
    let mut plan = spec.plan(rng.next_u64()).expect("a plan that is possible");
    let storm_ms = plan.phases.storm_ms;
    let mut moments = strikes(plan.store.nodes, storm_ms, &mut rng);
    match fault {
        Fault::Messages => {}
        Fault::PowerLoss => moments.extend(power_loss(&plan, storm_ms, &mut rng)),
        Fault::Skew => moments.push((0, storm_ms, skew(plan.store.nodes, &mut rng))),
    }
    moments.sort_by_key(|&(at_ms, ..)| at_ms);
    let numbered = (1..).zip(moments);
    let scheduled = numbered.map(|(number, (at_ms, for_ms, fault))| Scheduled {
        cue: None,
        id: format!("f{number}"),
        at_ms,
        for_ms,
        fault,
    });
    plan.timeline = scheduled.collect();
    plan.validate().expect("a plan that is possible");
    plan
}

type Moment = (u64, u64, Strike);

/// What hides nodes from each other for a while.
fn strikes(nodes: u16, storm_ms: u64, rng: &mut Rng) -> Vec<Moment> {
    let mut moments = vec![(0, storm_ms, slow(nodes, rng))];
    let at = |rng: &mut Rng| rng.below(storm_ms / 2);
    if rng.percent(60) {
        moments.push((
            at(rng),
            rng.between(storm_ms / 5, storm_ms),
            split(nodes, rng),
        ));
    }
    if rng.percent(40) {
        let pause = Strike::Pause {
            nodes: vec![pick(nodes, rng)],
        };
        moments.push((at(rng), rng.between(storm_ms / 10, storm_ms / 2), pause));
    }
    moments
}

/// One replica of the first key dies and is back soon. Sometimes it was alone before, and what it took nobody else has.
fn power_loss(plan: &Plan, storm_ms: u64, rng: &mut Rng) -> Vec<Moment> {
    let key = if plan.load.workload == "racing" {
        "r1"
    } else {
        "k0"
    };
    let (nodes, at_ms) = (plan.store.nodes, rng.between(storm_ms / 4, storm_ms / 2));
    let victim = if rng.percent(50) {
        pick(nodes, rng)
    } else {
        *rng.pick(&plan.replicas()(key)).expect("a key has replicas")
    };
    let kill = Strike::Kill {
        nodes: vec![victim],
    };
    let mut moments = vec![(at_ms, rng.between(1, 40), kill)];
    if rng.percent(60) {
        let others = (1..=nodes).filter(|node| *node != victim);
        let links = others.flat_map(|other| both(victim, other)).collect();
        moments.push((
            at_ms.saturating_sub(rng.between(20, 90)),
            rng.between(60, 300),
            cut(links),
        ));
    }
    moments
}

/// What one or two nodes say to most of the others comes late.
fn slow(nodes: u16, rng: &mut Rng) -> Strike {
    let talkers = [pick(nodes, rng), pick(nodes, rng)];
    let always = talkers[0] % nodes + 1;
    let pairs = (1..=nodes).flat_map(|from| (1..=nodes).map(move |to| Link { from, to }));
    let links = pairs
        .filter(|link| link.from != link.to && talkers.contains(&link.from))
        .filter(|link| (link.from, link.to) == (talkers[0], always) || rng.percent(80))
        .collect();
    Strike::Slow {
        links,
        delay_ms: rng.between(5, 110),
        jitter_ms: rng.below(20),
    }
}

/// Two sides that do not hear each other.
fn split(nodes: u16, rng: &mut Rng) -> Strike {
    let first = pick(nodes, rng);
    let side: Vec<u16> = (1..=nodes)
        .filter(|node| *node == first || rng.percent(40))
        .collect();
    let others = || (1..=nodes).filter(|node| !side.contains(node));
    let mut links: Vec<Link> = side
        .iter()
        .flat_map(|node| others().flat_map(move |other| both(*node, other)))
        .collect();
    if links.is_empty() {
        links.extend(both(first, first % nodes + 1));
    }
    cut(links)
}

fn both(one: u16, other: u16) -> [Link; 2] {
    let (from, to) = (one, other);
    [Link { from, to }, Link { from: to, to: from }]
}

fn cut(links: Vec<Link>) -> Strike {
    Strike::Partition {
        shape: "wild".to_owned(),
        cut: Cut::Reset,
        links,
    }
}

fn skew(nodes: u16, rng: &mut Rng) -> Strike {
    let always = pick(nodes, rng);
    let mut offsets_ms = Vec::new();
    for node in 1..=nodes {
        if node == always || rng.percent(40) {
            let size_ms = i64::try_from(rng.between(5, 300)).expect("it is small");
            offsets_ms.push((node, if rng.percent(50) { size_ms } else { -size_ms }));
        }
    }
    Strike::Clock { offsets_ms }
}

fn pick(nodes: u16, rng: &mut Rng) -> u16 {
    u16::try_from(rng.between(1, nodes.into())).expect("it was drawn from nodes")
}
