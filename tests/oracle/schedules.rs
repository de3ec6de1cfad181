//! The shortest schedules of the theory page, for any N, W and R: two or three operations, and the links and deaths that they need.
//!
//! Each is written for the case in which it shows its anomaly, and tried in all: where the anomaly is impossible it must not show it.
//! Nothing is drawn: messages to most replicas are quick, and those to a few are late, lost or forgotten.

use quorate::fault::{Cut, Fault, Link};
use quorate::plan::{Ask, Phases, Plan, PlanSpec, Scheduled, ScriptedOp, World};
use quorate::world::sim::{Span, Weather};
use quorate_node::config::ReadRepair;

use crate::draws::spec;
use crate::matrix::{Conditions, Losses, Quorums};

/// How long a schedule lasts, ms.
const LASTS_MS: u64 = 1_200;
/// How late a late message is, ms: later than everything that a schedule does, sooner than a request gives up.
const LATE_MS: u64 = 300;
/// When the first operation begins, ms. What happened at the very beginning is long over by then, and synced.
const FIRST_MS: u64 = 320;
/// When links become slow, ms. Until then everybody connects.
const SLOW_MS: u64 = 300;
/// How often logs are synced where records are to be forgotten, ms.
const SYNC_MS: u64 = 250;
/// A millisecond, ns.
const MS_NS: u64 = 1_000_000;
/// The only key.
const KEY: &str = "k";

/// A schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Schedule {
    /// A write reaches W replicas and is acknowledged, some of them forget it, and a read asks R others.
    Missed,
    /// A write reaches one replica; a read finds it there, that replica forgets it or not, and the next read asks R others.
    Glimpsed,
    /// A write reaches W replicas only, is acknowledged, and they forget it.
    Forgotten,
    /// A second write follows the first, with a smaller stamp if clocks disagree.
    Backdated,
    /// Two writes at once.
    Race,
    /// A message to one replica is lost.
    Undelivered,
}

impl Schedule {
    /// All of them.
    pub(crate) const ALL: [Schedule; 6] = [
        Schedule::Missed,
        Schedule::Glimpsed,
        Schedule::Forgotten,
        Schedule::Backdated,
        Schedule::Race,
        Schedule::Undelivered,
    ];

    /// The word in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Schedule::Missed => "missed",
            Schedule::Glimpsed => "glimpsed",
            Schedule::Forgotten => "forgotten",
            Schedule::Backdated => "backdated",
            Schedule::Race => "race",
            Schedule::Undelivered => "undelivered",
        }
    }

    /// This schedule for these quorums, exposed to just these conditions; none if it needs others.
    pub(crate) fn plan(self, quorums: Quorums, conditions: Conditions) -> Option<Plan> {
        let mut stage = Stage::new(quorums, conditions);
        match self {
            Schedule::Missed => stage.missed(),
            Schedule::Glimpsed => stage.glimpsed(),
            Schedule::Forgotten if conditions.losses.forgetful() > 0 => stage.forgotten(),
            Schedule::Backdated => stage.backdated(),
            Schedule::Race => stage.race(),
            Schedule::Undelivered if conditions.losses != Losses::Nothing => stage.undelivered(),
            _ => return None,
        }
        Some(stage.set())
    }
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

/// A plan in the making.
struct Stage {
    plan: Plan,
    quorums: Quorums,
    conditions: Conditions,
    /// Who holds the key.
    replicas: Vec<u16>,
    /// Three nodes that do not.
    coordinators: [u16; 3],
    has_died: bool,
}

impl Stage {
    fn new(quorums: Quorums, conditions: Conditions) -> Stage {
        let spec = PlanSpec {
            nodes: Some(quorums.n + 3),
            read_fanout: Some("all".to_owned()),
            sync: Some(match conditions.losses {
                Losses::Records(_) => format!("every {SYNC_MS}ms"),
                Losses::Nothing | Losses::Messages => "each-write".to_owned(),
            }),
            clients: Some(2),
            request_timeout: Some("500ms".to_owned()),
            op_timeout: Some("1s".to_owned()),
            ..spec(quorums)
        };
        let mut plan = spec.plan(1).expect("a plan that is possible");
        plan.world = World::Sim(CALM);
        plan.phases = Phases {
            warm_ms: 0,
            storm_ms: LASTS_MS,
            quiet_ms_max: 2_000,
            quiet_ms_min: 0,
        };
        let replicas = plan.replicas()(KEY);
        let others = (1..=plan.store.nodes).filter(|node| !replicas.contains(node));
        let others: Vec<u16> = others.collect();
        let coordinators = others.try_into().expect("three nodes more than replicas");
        Stage {
            plan,
            quorums,
            conditions,
            replicas,
            coordinators,
            has_died: false,
        }
    }

    fn missed(&mut self) {
        let [x, y, _] = self.coordinators;
        let (holders, others) = self.split(self.quorums.w);
        self.late(LATE_MS, x, &others);
        self.ask(FIRST_MS * MS_NS, 0, x, Ask::Write(1));
        self.die(FIRST_MS + 10);
        self.late(LATE_MS, y, &self.remembering(&holders));
        self.ask((FIRST_MS + 50) * MS_NS, 0, y, Ask::Read);
    }

    fn glimpsed(&mut self) {
        let [x, y, z] = self.coordinators;
        let (first, others) = self.split(1);
        let (asked, unasked) = self.split(self.quorums.r);
        self.late(LATE_MS, x, &others);
        if self.conditions.is_skewed {
            // Then only what was read tells which of two values is older.
            self.ask(20 * MS_NS, 0, z, Ask::Write(0));
            self.ask(30 * MS_NS, 1, z, Ask::Read);
        }
        self.ask(FIRST_MS * MS_NS, 0, x, Ask::Write(1));
        self.late(LATE_MS, y, &unasked);
        let holders = match self.quorums.repair {
            ReadRepair::None => first,
            ReadRepair::Async => {
                // Repairs leave when the answers are in, and must not arrive before the second read.
                self.late(LATE_MS / 3, y, &asked[1..]);
                first
            }
            ReadRepair::Blocking => asked,
        };
        self.ask((FIRST_MS + 10) * MS_NS, 1, y, Ask::Read);
        self.die(FIRST_MS + 120);
        self.late(LATE_MS, z, &self.remembering(&holders));
        self.ask((FIRST_MS + 150) * MS_NS, 1, z, Ask::Read);
    }

    fn forgotten(&mut self) {
        let [x, ..] = self.coordinators;
        let (_, others) = self.split(self.quorums.w);
        self.cut(SLOW_MS, x, &others);
        self.ask(FIRST_MS * MS_NS, 0, x, Ask::Write(1));
        self.die(FIRST_MS + 10);
    }

    fn backdated(&mut self) {
        let [x, y, _] = self.coordinators;
        if self.conditions.is_skewed {
            let offsets_ms = vec![(y, -500)];
            self.strike(0, LASTS_MS, Fault::Clock { offsets_ms });
        }
        self.ask(FIRST_MS * MS_NS, 0, x, Ask::Write(1));
        self.ask((FIRST_MS + 10) * MS_NS, 0, y, Ask::Write(2));
        self.ask((FIRST_MS + 20) * MS_NS, 0, x, Ask::Read);
    }

    fn race(&mut self) {
        let [x, y, _] = self.coordinators;
        self.ask(FIRST_MS * MS_NS, 0, x, Ask::Write(1));
        self.ask(FIRST_MS * MS_NS, 1, y, Ask::Write(2));
    }

    fn undelivered(&mut self) {
        let [x, ..] = self.coordinators;
        let (_, last) = self.split(self.quorums.n - 1);
        // The messages are under way when the link breaks.
        self.ask(FIRST_MS * MS_NS - 300_000, 0, x, Ask::Write(1));
        self.cut(FIRST_MS, x, &last);
    }

    /// The first `count` replicas, and the others.
    fn split(&self, count: u16) -> (Vec<u16>, Vec<u16>) {
        let (first, others) = self.replicas.split_at(usize::from(count));
        (first.to_vec(), others.to_vec())
    }

    /// Those who forget: the first replicas, as many as the conditions say.
    fn forgetful(&self) -> Vec<u16> {
        self.split(self.conditions.losses.forgetful()).0
    }

    fn remembering(&self, holders: &[u16]) -> Vec<u16> {
        let forgetful = self.forgetful();
        let remember = holders.iter().copied();
        remember.filter(|node| !forgetful.contains(node)).collect()
    }

    fn ask(&mut self, at_ns: u64, client: u64, node: u16, op: Ask) {
        self.plan.load.script.push(ScriptedOp {
            name: None,
            after: Vec::new(),
            until: None,
            at_ns,
            client,
            node,
            op,
            key: KEY.to_owned(),
            level: None,
        });
    }

    /// What `from` says to these comes late.
    fn late(&mut self, delay_ms: u64, from: u16, to: &[u16]) {
        let jitter_ms = 0;
        let links = links(from, to);
        if !links.is_empty() {
            let slow = Fault::Slow {
                links,
                delay_ms,
                jitter_ms,
            };
            self.strike(SLOW_MS, LASTS_MS - SLOW_MS, slow);
        }
    }

    /// What `from` says to these is lost from then on.
    fn cut(&mut self, at_ms: u64, from: u16, to: &[u16]) {
        let links = links(from, to);
        if !links.is_empty() {
            let cut = Fault::Partition {
                shape: "one-way".to_owned(),
                cut: Cut::Reset,
                links,
            };
            self.strike(at_ms, LASTS_MS - at_ms, cut);
        }
    }

    /// The forgetful die then, and are back at once.
    fn die(&mut self, at_ms: u64) {
        let nodes = self.forgetful();
        self.has_died = true;
        if !nodes.is_empty() {
            self.strike(at_ms, 5, Fault::Kill { nodes });
        }
    }

    fn strike(&mut self, at_ms: u64, for_ms: u64, fault: Fault) {
        let id = format!("f{}", self.plan.timeline.len() + 1);
        self.plan.timeline.push(Scheduled {
            id,
            at_ms,
            for_ms,
            fault,
            cue: None,
        });
    }

    /// The plan, exposed to all of the conditions even where the schedule needs less.
    fn set(mut self) -> Plan {
        let [_, _, z] = self.coordinators;
        if !self.has_died {
            self.die(0);
        }
        if self.conditions.losses == Losses::Messages {
            self.strike(0, 5, Fault::Kill { nodes: vec![z] });
        }
        let has_skew = |scheduled: &Scheduled| matches!(scheduled.fault, Fault::Clock { .. });
        if self.conditions.is_skewed && !self.plan.timeline.iter().any(has_skew) {
            let offsets_ms = vec![(z, 100)];
            self.strike(0, LASTS_MS, Fault::Clock { offsets_ms });
        }
        self.plan.timeline.sort_by_key(|scheduled| scheduled.at_ms);
        self.plan
    }
}

fn links(from: u16, to: &[u16]) -> Vec<Link> {
    to.iter().map(|&to| Link { from, to }).collect()
}
