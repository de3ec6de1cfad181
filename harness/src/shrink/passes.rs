//! One pass after the other over a scripted plan of the simulated world, each making one kind of thing less, until none finds anything more.
//!
//! Every plan that is taken is smaller than the one before and still shows the anomaly. What a pass tries, and in which order, depends on
//! nothing but the plan, so the same plan shrinks to the same plan everywhere.

use std::collections::BTreeMap;

use quorate_checkers::ddmin::ddmin;

use super::calm::{calm, calmer};
use super::lab::Lab;
use super::parts::{of_parts, parts, renumbered, weaker};
use super::scripted::with_script;
use super::times::{NS_PER_MS, earlier, moments, moved};
use super::{Size, jump};
use crate::plan::{Ask, Plan, Scheduled, World};
use crate::trial::trial;
use crate::world::sim::Weather;

/// Longer scripts are not moved in time, operation by operation: others passes make them shorter first.
const MOVED_OPS_MAX: usize = 64;

/// A plan on its way.
pub(super) struct Passes<'a> {
    pub(super) lab: Lab<'a>,
    pub(super) best: Plan,
}

impl Passes<'_> {
    /// All passes, again and again, until nothing more can be left out.
    pub(super) fn run(&mut self) {
        let passes = [
            Passes::jump,
            Passes::faults,
            Passes::operations,
            Passes::fault_parts,
            Passes::nodes,
            Passes::clients,
            Passes::weather,
            Passes::gaps,
            Passes::fault_times,
            Passes::force,
            Passes::round,
            Passes::values,
        ];
        loop {
            let before = Size::of(&self.best);
            for pass in passes {
                if self.lab.is_over() {
                    return;
                }
                pass(self);
            }
            if Size::of(&self.best) >= before {
                return;
            }
        }
    }

    /// Takes the first of these that is smaller and shows it.
    fn take_first(&mut self, candidates: impl IntoIterator<Item = Plan>) -> bool {
        let size = Size::of(&self.best);
        let smaller = candidates.into_iter().filter(|plan| Size::of(plan) < size);
        let candidates: Vec<Option<Plan>> = smaller.map(Some).collect();
        match self.lab.first(&candidates) {
            Some((_, plan)) => {
                self.take(plan);
                true
            }
            None => false,
        }
    }

    fn take(&mut self, plan: Plan) {
        self.best = plan;
        self.lab.watch().tell(Size::of(&self.best));
    }

    /// Leaves out as many of these as possible. `build` makes the plan that has only those that are left.
    fn leave_out<T: Clone>(&mut self, items: Vec<T>, build: impl Fn(&Plan, &[T]) -> Option<Plan>) {
        let whole = self.best.clone();
        ddmin(items, |parts| {
            let seed = self.best.seed;
            let plan = |part: &Vec<T>| build(&whole, part).map(|plan| Plan { seed, ..plan });
            let candidates: Vec<Option<Plan>> = parts.iter().map(plan).collect();
            let (place, plan) = self.lab.first(&candidates)?;
            self.take(plan);
            Some(place)
        });
    }

    fn jump(&mut self) {
        let Ok(trial) = trial(&self.best) else {
            return;
        };
        if let Some(row) = self.lab.row(&trial.verdict) {
            let guesses = jump::guesses(&self.best, &trial.history, row);
            self.take_first(guesses);
        }
    }

    fn faults(&mut self) {
        self.leave_out(self.best.timeline.clone(), |plan, timeline| {
            let timeline = timeline.to_vec();
            Some(Plan {
                timeline,
                ..plan.clone()
            })
        });
    }

    fn operations(&mut self) {
        // A plan without a script would draw its load.
        self.leave_out(self.best.load.script.clone(), |plan, script| {
            (!script.is_empty()).then(|| with_script(plan, script.to_vec()))
        });
    }

    fn fault_parts(&mut self) {
        for place in 0..self.best.timeline.len() {
            let all = parts(&self.best.timeline[place].fault);
            self.leave_out(all, |plan, parts| {
                let mut plan = plan.clone();
                let scheduled = plan.timeline.get_mut(place)?;
                scheduled.fault = of_parts(&scheduled.fault, parts)?;
                Some(plan)
            });
        }
    }

    fn nodes(&mut self) {
        let (least, now) = (self.best.store.n, self.best.store.nodes);
        let candidates = (least..now).flat_map(|nodes| on_fewer_nodes(&self.best, nodes));
        self.take_first(candidates.collect::<Vec<_>>());
    }

    /// One client does the work of two.
    fn clients(&mut self) {
        loop {
            let clients = self.best.load.clients;
            let pairs =
                (0..clients).flat_map(|keep| (keep + 1..clients).map(move |gone| (keep, gone)));
            let unused = [(0, 0)];
            let plan = &self.best;
            let candidates = unused
                .into_iter()
                .chain(pairs)
                .map(|(keep, gone)| joined(plan, keep, gone));
            // Each on its own: of many clients most pairs will not do.
            if !self.take_first(candidates.take(200).collect::<Vec<_>>()) {
                return;
            }
        }
    }

    /// Delays that are the same each time.
    fn weather(&mut self) {
        let World::Sim(weather) = self.best.world else {
            return;
        };
        let plan = self.best.clone();
        let under = |weather: Weather| Plan {
            world: World::Sim(weather),
            ..plan.clone()
        };
        if self.take_first(calm(&weather).into_iter().map(under)) {
            return;
        }
        for thing in 0..calmer(&weather).len() {
            let World::Sim(weather) = self.best.world else {
                return;
            };
            let plan = self.best.clone();
            let ways = calmer(&weather).swap_remove(thing).into_iter();
            self.take_first(ways.map(|weather| Plan {
                world: World::Sim(weather),
                ..plan.clone()
            }));
        }
    }

    /// Everything after a gap comes earlier.
    fn gaps(&mut self) {
        if self.best.load.script.len() > MOVED_OPS_MAX {
            return;
        }
        let mut place = 0;
        while let Some(&moment) = moments(&self.best).get(place) {
            let before = place
                .checked_sub(1)
                .map_or(0, |place| moments(&self.best)[place]);
            let gap_ns = moment - before;
            let shorter = [0, NS_PER_MS / 10, NS_PER_MS, 5 * NS_PER_MS, gap_ns / 2];
            let shorter = shorter.into_iter().filter(|&ns| ns < gap_ns);
            let plans = shorter.map(|ns| earlier(&self.best, moment, gap_ns - ns));
            let plans: Vec<Plan> = plans.collect();
            if !self.take_first(plans) {
                place += 1;
            }
        }
    }

    /// Faults are over sooner.
    fn fault_times(&mut self) {
        for place in 0..self.best.timeline.len() {
            let for_ms = self.best.timeline[place].for_ms;
            let shorter = [1, 2, 5, 10, 20, 50, 100, 200, 500, for_ms / 2];
            let shorter = shorter.into_iter().filter(|&ms| ms > 0 && ms < for_ms);
            let plans = shorter.map(|ms| self.with_fault(place, |scheduled| scheduled.for_ms = ms));
            let plans: Vec<Plan> = plans.collect();
            self.take_first(plans);
        }
    }

    fn force(&mut self) {
        for place in 0..self.best.timeline.len() {
            loop {
                let weaker = weaker(&self.best.timeline[place].fault).into_iter();
                let plans =
                    weaker.map(|fault| self.with_fault(place, |scheduled| scheduled.fault = fault));
                let plans: Vec<Plan> = plans.collect();
                if !self.take_first(plans) {
                    break;
                }
            }
        }
    }

    fn with_fault(&self, place: usize, change: impl FnOnce(&mut Scheduled)) -> Plan {
        let mut plan = self.best.clone();
        if let Some(scheduled) = plan.timeline.get_mut(place) {
            change(scheduled);
        }
        plan
    }

    /// Times that are easy to read.
    fn round(&mut self) {
        let down = |unit_ns: u64| move |ns: u64| ns / unit_ns * unit_ns;
        let plans = [NS_PER_MS, NS_PER_MS / 10, NS_PER_MS / 1_000]
            .map(|unit_ns| moved(&self.best, down(unit_ns)));
        if self.take_first(plans) || self.best.load.script.len() > MOVED_OPS_MAX {
            return;
        }
        for place in 0..self.best.load.script.len() {
            let plans = [NS_PER_MS, NS_PER_MS / 10, NS_PER_MS / 1_000].map(|unit_ns| {
                let mut plan = self.best.clone();
                let at_ns = &mut plan.load.script[place].at_ns;
                *at_ns = down(unit_ns)(*at_ns);
                plan
            });
            self.take_first(plans);
        }
    }

    /// Values 1, 2, 3 in the order in which they are written.
    fn values(&mut self) {
        let mut plan = self.best.clone();
        let mut order: Vec<usize> = (0..plan.load.script.len()).collect();
        order.sort_by_key(|&place| plan.load.script[place].at_ns);
        let mut next = 0;
        for place in order {
            if let Ask::Write(value) = &mut plan.load.script[place].op {
                next += 1;
                *value = next;
            }
        }
        self.take_first([plan]);
    }
}

/// The plan with the operations of one client given to another, and clients numbered anew.
fn joined(plan: &Plan, keep: u64, gone: u64) -> Plan {
    let mut plan = plan.clone();
    let mut numbers: BTreeMap<u64, u64> = BTreeMap::new();
    for op in &mut plan.load.script {
        let client = if op.client == gone { keep } else { op.client };
        let next = numbers.len() as u64;
        op.client = *numbers.entry(client).or_insert(next);
    }
    plan.load.clients = (numbers.len() as u64).max(1);
    plan
}

/// The plan on a smaller cluster, in several ways: the replicas of its first key keep their places, the others make room.
fn on_fewer_nodes(plan: &Plan, nodes: u16) -> Vec<Plan> {
    let Some(key) = plan.load.script.first().map(|op| op.key.clone()) else {
        return Vec::new();
    };
    let mut smaller = plan.clone();
    smaller.store.nodes = nodes;
    let (old, new) = (plan.replicas()(&key), smaller.replicas()(&key));
    let free = (1..=nodes).filter(|node| !new.contains(node));
    let others = (1..=plan.store.nodes).filter(|node| !old.contains(node));
    let mut numbers: BTreeMap<u16, u16> = old.iter().copied().zip(new.iter().copied()).collect();
    numbers.extend(others.zip(free));
    let mut plans = Vec::new();
    for follow in [false, true] {
        for turn in 0..new.len() {
            // Who finds no room stands in for a replica, as coordinator; for faults only if these follow.
            let stand_in = |node: u16| new[(usize::from(node) + turn) % new.len()];
            let mut plan = smaller.clone();
            for op in &mut plan.load.script {
                op.node = numbers
                    .get(&op.node)
                    .copied()
                    .unwrap_or_else(|| stand_in(op.node));
            }
            let number = |node: u16| {
                let known = numbers.get(&node).copied();
                known.or_else(|| follow.then(|| stand_in(node)))
            };
            let timeline = smaller.timeline.iter().filter_map(|scheduled| {
                let fault = renumbered(&scheduled.fault, number)?;
                Some(Scheduled {
                    fault,
                    ..scheduled.clone()
                })
            });
            plan.timeline = timeline.collect();
            plans.push(plan);
        }
    }
    plans.dedup();
    plans
}
