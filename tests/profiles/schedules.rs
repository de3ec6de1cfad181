//! The shortest schedules of the theory page for leaderless profiles: a write that few replicas get, and reads that ask just those or just the
//! others. Nothing is drawn but who is who and the last milliseconds.

use quorate::fault::{Cut, Fault as Strike, Link};
use quorate::plan::{Ask, Phases, Plan, Scheduled, ScriptedOp, World};
use quorate::world::sim::{Span, Weather};
use quorate_workloads::Rng;

/// How long a schedule lasts, ms.
const LASTS_MS: u64 = 900;
/// When the first operation begins, ms. Until then everybody connects.
const FIRST_MS: u64 = 300;
/// When links become slow, ms.
const SLOW_MS: u64 = 250;
/// How late a late message is, ms: later than everything that matters here.
const LATE_MS: u64 = 220;
/// How late a repair is, ms: after the next read.
const REPAIR_MS: u64 = 60;
/// The only key.
const KEY: &str = "k";

/// A schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Schedule {
    /// A write reaches one replica; a read finds it there, and the next asks the two others.
    Glimpsed,
    /// A write reaches two replicas and is read there; one of them forgets it, and the next read asks that and the third.
    Forgotten,
    /// A replica is cut off, takes a write, and forgets it.
    Alone,
    /// As [`Schedule::Alone`], at a node that is no replica.
    Entrusted,
}

/// Everything takes the same time, whenever it happens.
const CALM: Weather = {
    const fn always(us: u64) -> Span {
        Span::new(us, us)
    }
    Weather {
        transit: always(500),
        gust_percent: 0,
        gust: always(0),
        client: always(100),
        sync: always(500),
        redial: always(2_000),
        boot: always(2_000),
        strike: always(10),
        ..Weather::USUAL
    }
};

/// Makes a schedule of a plan.
pub(crate) fn schedule(schedule: Schedule, mut plan: Plan, rng: &mut Rng) -> Plan {
    plan.world = World::Sim(CALM);
    plan.load.clients = 2;
    plan.phases = Phases {
        warm_ms: 0,
        storm_ms: LASTS_MS,
        quiet_ms_max: 2_000,
        quiet_ms_min: 0,
    };
    let mut replicas = plan.replicas()(KEY);
    rng.shuffle(&mut replicas);
    let others: Vec<u16> = (1..=plan.store.nodes)
        .filter(|node| !replicas.contains(node))
        .collect();
    let replicas: [u16; 3] = replicas.try_into().expect("three replicas");
    let stranger = *others.first().expect("more nodes than replicas");
    let mut stage = Stage {
        plan,
        tick_ns: rng.below(900_000),
    };
    match schedule {
        Schedule::Glimpsed => stage.glimpsed(replicas, stranger),
        Schedule::Forgotten => stage.forgotten(replicas, stranger),
        Schedule::Alone => stage.alone(replicas[0]),
        Schedule::Entrusted => stage.alone(stranger),
    }
    let mut plan = stage.plan;
    plan.timeline.sort_by_key(|scheduled| scheduled.at_ms);
    plan
}

/// A plan in the making.
struct Stage {
    plan: Plan,
    /// Operations begin so long after their millisecond, ns.
    tick_ns: u64,
}

impl Stage {
    /// Replicas coordinate here, for else another one might give the write its dot.
    fn glimpsed(&mut self, [a, b, c]: [u16; 3], y: u16) {
        self.late(LATE_MS, a, &[b, c]);
        self.late(LATE_MS, y, &[b]);
        self.late(REPAIR_MS, y, &[c]);
        self.late(LATE_MS, c, &[a]);
        self.ask(FIRST_MS, 0, a, Ask::Write(1));
        self.ask(FIRST_MS + 5, 1, y, Ask::Read);
        // The first read has waited for one answer that is late, or with digests for two.
        self.ask(FIRST_MS + 80, 1, c, Ask::Read);
        self.ask(FIRST_MS + 150, 1, c, Ask::Read);
    }

    fn forgotten(&mut self, [a, b, c]: [u16; 3], y: u16) {
        self.late(LATE_MS, b, &[c]);
        self.late(LATE_MS, y, &[b]);
        self.ask(FIRST_MS, 0, b, Ask::Write(1));
        self.ask(FIRST_MS + 6, 1, b, Ask::Read);
        self.strike(FIRST_MS + 12, 3, Strike::Kill { nodes: vec![a] });
        self.ask(FIRST_MS + 40, 1, y, Ask::Read);
    }

    fn alone(&mut self, node: u16) {
        let others: Vec<u16> = (1..=self.plan.store.nodes)
            .filter(|other| *other != node)
            .collect();
        let to = links(node, &others);
        let from = to.iter().map(|link| Link {
            from: link.to,
            to: link.from,
        });
        let cut = Strike::Partition {
            shape: "alone".to_owned(),
            cut: Cut::Reset,
            links: to.iter().copied().chain(from).collect(),
        };
        self.strike(SLOW_MS, 150, cut);
        self.ask(FIRST_MS, 0, node, Ask::Write(1));
        self.strike(FIRST_MS + 12, 3, Strike::Kill { nodes: vec![node] });
        self.ask(FIRST_MS + 300, 1, others[0], Ask::Read);
    }

    fn ask(&mut self, at_ms: u64, client: u64, node: u16, op: Ask) {
        self.plan.load.script.push(ScriptedOp {
            name: None,
            after: Vec::new(),
            until: None,
            at_ns: at_ms * 1_000_000 + self.tick_ns,
            client,
            node,
            op,
            key: KEY.to_owned(),
            level: None,
        });
    }

    /// What `from` says to these comes late.
    fn late(&mut self, delay_ms: u64, from: u16, to: &[u16]) {
        let slow = Strike::Slow {
            links: links(from, to),
            delay_ms,
            jitter_ms: 0,
        };
        self.strike(SLOW_MS, LASTS_MS - SLOW_MS, slow);
    }

    fn strike(&mut self, at_ms: u64, for_ms: u64, fault: Strike) {
        let id = format!("f{}", self.plan.timeline.len() + 1);
        self.plan.timeline.push(Scheduled {
            cue: None,
            id,
            at_ms,
            for_ms,
            fault,
        });
    }
}

fn links(from: u16, to: &[u16]) -> Vec<Link> {
    to.iter().map(|&to| Link { from, to }).collect()
}
