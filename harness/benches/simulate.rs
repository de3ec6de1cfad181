//! What a simulated run costs: operations per second on one core, with and without judging, and virtual against real time.
//!
//! Prints totals over seeds, beside the conductor alone (every operation answered at once) on the same plans, by the time for which this
//! thread had a core; absolute figures depend on the machine. Run it with `cargo bench --bench simulate`; a number after `--` sets the seeds (default 20).

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::fs;

use quorate::conductor::{Action, Conductor};
use quorate::fault::{Effect, FaultKind};
use quorate::plan::{Plan, PlanSpec};
use quorate::trial::trial;
use quorate::world::Outcome;
use quorate::world::sim::{Simulation, Weather};
use quorate_checkers::history::{Nanos, Operation};

/// Seeds, unless told otherwise.
const SEEDS: u64 = 20;
/// Operations per second that the goal for the ratio of times speaks of, and as many as the goal for operations needs.
const RATES: [u64; 2] = [200, 5_000];
/// How long each load lasts, s.
const LOAD_S: u64 = 20;

fn main() {
    let seeds = std::env::args()
        .find_map(|arg| arg.parse().ok())
        .unwrap_or(SEEDS);
    println!("5 nodes, N=3 R=2 W=2, {LOAD_S} s, all faults, one core, {seeds} seeds");
    for rate in RATES {
        measure(rate, seeds);
    }
}

fn plan(rate: u64, seed: u64) -> Plan {
    let faults = FaultKind::ANYWHERE.map(|kind| kind.name().to_owned());
    let spec = PlanSpec {
        world: Some("sim".to_owned()),
        clients: Some(if rate > 1_000 { 32 } else { 8 }),
        rate: Some(rate),
        lasts: Some(format!("{LOAD_S}s")),
        faults: Some(faults.to_vec()),
        ..PlanSpec::default()
    };
    spec.plan(seed).expect("a plan")
}

/// What one way to carry out all plans costs.
#[derive(Default)]
struct Cost {
    ops: f64,
    virtual_s: f64,
    core_s: f64,
}

impl Cost {
    /// Of carrying out all these plans, one after the other.
    fn of(plans: &[Plan], carry_out: impl Fn(&Plan) -> (f64, f64)) -> Cost {
        let mut cost = Cost::default();
        let began = core_s();
        for plan in plans {
            let (ops, virtual_s) = carry_out(plan);
            cost.ops += ops;
            cost.virtual_s += virtual_s;
        }
        cost.core_s = core_s() - began;
        cost
    }

    fn print(&self, rate: u64, what: &str, goal: &str) {
        println!(
            "{rate:5} ops/s  {what:22} {:9.0} ops/s {:8.0} times real time   {goal}",
            self.ops / self.core_s,
            self.virtual_s / self.core_s,
        );
    }
}

fn measure(rate: u64, seeds: u64) {
    let plans: Vec<Plan> = (0..seeds).map(|seed| plan(rate, seed)).collect();
    let (fast, short) = if rate > 1_000 {
        ("(goal: at least 200000 ops/s)", "")
    } else {
        ("(goal: at least 1000 times)", "(goal: at least 1000 times)")
    };
    Cost::of(&plans, conduct).print(rate, "conductor alone", "(baseline)");
    Cost::of(&plans, simulate).print(rate, "simulated", fast);
    Cost::of(&plans, judge).print(rate, "simulated and judged", short);
}

/// As [`simulate`], and the verdict.
fn judge(plan: &Plan) -> (f64, f64) {
    let history = trial(plan).expect("a trial").history;
    let end = history
        .operations
        .iter()
        .filter_map(Operation::completed)
        .max();
    let ops = history.operations.len();
    (count(ops as u64), seconds(end.unwrap_or_default()))
}

/// Operations completed and virtual seconds passed.
fn simulate(plan: &Plan) -> (f64, f64) {
    let mut simulation = Simulation::new(plan, Weather::default()).expect("a simulation");
    while simulation.advance().expect("an end") {
        simulation.drain_events().for_each(drop);
    }
    let ops = count(simulation.conductor().completed_ops());
    (ops, seconds(simulation.now()))
}

/// The same plan where nothing takes any time: what deciding and recording costs.
fn conduct(plan: &Plan) -> (f64, f64) {
    let mut conductor = Conductor::new(plan, Box::new(plan.replicas())).expect("a conductor");
    let mut now = Nanos(0);
    loop {
        match conductor.poll(now) {
            Action::Settle => conductor.settled(now),
            Action::Invoke { client, op, .. } => {
                let done = Outcome::Ok {
                    value: op.f.written(),
                    returned: None,
                    evidence: None,
                };
                conductor.completed(now, client, done);
            }
            Action::Inject(index) => conductor.injected(now, index, &Effect::Installed),
            Action::Heal(index) => conductor.healed(now, index, &Effect::Installed),
            Action::HealAll => conductor.all_healed(now),
            Action::Quiesce => conductor.quiet(now, true),
            Action::Wait(until) => now = until.max(Nanos(now.0 + 1)),
            Action::Done => break,
        }
        conductor.drain_events().for_each(drop);
    }
    (count(conductor.completed_ops()), seconds(now))
}

/// For how long this thread has had a core, s: a machine that others use, too, does not spoil that.
fn core_s() -> f64 {
    let told = fs::read_to_string("/proc/thread-self/schedstat").expect("a Linux with schedstat");
    let ns = told.split(' ').next().and_then(|ns| ns.parse().ok());
    count(ns.expect("nanoseconds")) / 1e9
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn count(ops: u64) -> f64 {
    ops as f64
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn seconds(time: Nanos) -> f64 {
    time.0 as f64 / 1e9
}
