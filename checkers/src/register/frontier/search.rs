//! The search itself: event by event, all ways in which things may stand that are worth keeping.
//!
//! Nothing takes effect before it must. When an operation returns that has not taken effect yet, each configuration is carried on until it
//! has; until then only steps are tried that may help: a blind write whose value somebody in flight waits for, and compare-and-sets
//! that find what they expect. A write that nobody needs is not a step: it is hidden by the next blind write.

use super::configuration::{Antichain, Configuration, Roles, SETTLED};
use super::lanes::{Candidate, Lane, Lanes};
use super::mask::Mask;
use super::rules::Rules;
use super::timetable::{Deed, Event, NEVER, Timetable};
use super::trail::{START, Step, Trail};
use super::{Budget, Effort, Limit};

/// Words of configurations that count as one step when they are compared, or copied.
const WORDS_PER_STEP: u64 = 16;
/// How much more memory vectors take than they hold, at worst, while they grow.
const GROWTH: usize = 3;

/// How a search ended.
pub(super) enum End {
    /// With a configuration, and the steps that led to it.
    Alive(Vec<Step>),
    /// No configuration survived the return of this part.
    Dead(u32),
    /// A limit was reached at the return of this part.
    Stopped(Limit, u32),
}

/// Searches with masks of a width.
pub(super) fn run<const W: usize, R: Rules>(table: &Timetable, budget: Budget) -> (End, Effort) {
    let mut search = Search::<W>::new(table, budget);
    let end = search.run::<R>();
    let effort = Effort {
        steps: search.steps(),
        widest: search.widest,
        returned: search.returned,
    };
    (end, effort)
}

struct Search<'a, const W: usize> {
    table: &'a Timetable,
    budget: Budget,
    lanes: Lanes<W>,
    frontier: Antichain<W>,
    /// Configurations that have passed the return in work.
    passed: Antichain<W>,
    /// Configurations that were carried on at the return in work.
    tried: Antichain<W>,
    todo: Vec<Configuration<W>>,
    trail: Trail,
    made: u64,
    compared: u64,
    widest: usize,
    returned: usize,
    expired: usize,
}

/// The return in work.
struct Return<const W: usize> {
    number: u32,
    slot: u32,
    position: u32,
    /// Whether its value, if it is a write, may still help afterwards.
    wanted: bool,
    roles: Roles<W>,
    /// Slots that end now.
    ending: Mask<W>,
    /// Writes whose value nobody wants afterwards: used or hidden is the same for them.
    unwanted: Mask<W>,
}

impl<'a, const W: usize> Search<'a, W> {
    fn new(table: &'a Timetable, budget: Budget) -> Search<'a, W> {
        let mut search = Search {
            table,
            budget,
            lanes: Lanes::new(table.wanted.len()),
            frontier: Antichain::default(),
            passed: Antichain::default(),
            tried: Antichain::default(),
            todo: Vec::new(),
            trail: Trail::new(),
            made: 0,
            compared: 0,
            widest: 1,
            returned: 0,
            expired: 0,
        };
        let first = Configuration {
            value: table.initial,
            trail: START,
            used: Mask::EMPTY,
            hidden: Mask::EMPTY,
        };
        let roles = Roles::of(&search.lanes, true);
        search.frontier.insert::<super::rules::Exact>(first, &roles);
        search
    }

    fn run<R: Rules>(&mut self) -> End {
        for (event, position) in self.table.events.iter().zip(1_u32..) {
            match *event {
                Event::Call(number) => self.call::<R>(number),
                Event::Ret(number) => {
                    match self.ret::<R>(number, position) {
                        Ok(()) => {}
                        Err(limit) => return End::Stopped(limit, number),
                    }
                    if self.frontier.len() == 0 {
                        return End::Dead(number);
                    }
                    self.returned += 1;
                }
            }
        }
        match self.frontier.iter().next() {
            Some(last) => End::Alive(self.trail.steps(last.trail)),
            None => End::Dead(0),
        }
    }

    fn call<R: Rules>(&mut self, number: u32) {
        let part = self.table.parts[number as usize];
        let parts = &self.table.parts;
        self.lanes.enter(number, &part, |other| {
            let ret = parts[other as usize].ret;
            if R::LATEST_FIRST && ret != NEVER {
                NEVER - 1 - ret
            } else {
                ret
            }
        });
        match part.deed {
            Deed::Equals(value) => self.frontier.iter_mut().for_each(|kept| {
                if kept.value == value {
                    kept.used.insert(part.slot);
                }
            }),
            Deed::Differs(value) => self.frontier.iter_mut().for_each(|kept| {
                if kept.value != value || R::REFUSALS_CONTENT {
                    kept.used.insert(part.slot);
                }
            }),
            Deed::Write(value) if part.ret != NEVER => {
                self.frontier.iter_mut().for_each(|kept| {
                    if kept.value == value {
                        kept.hidden.insert(part.slot);
                    }
                });
            }
            Deed::Write(_) | Deed::Swap(..) => {}
        }
        self.made += self.frontier.len() as u64 / 8;
    }

    fn ret<R: Rules>(&mut self, number: u32, position: u32) -> Result<(), Limit> {
        let part = self.table.parts[number as usize];
        let value = part.deed.leaves();
        let mut now = Return {
            number,
            slot: part.slot,
            position,
            wanted: value.is_some_and(|value| self.table.wanted[value as usize] > position)
                && !R::NO_LAST_CHANCE,
            roles: Roles::of(
                &self.lanes,
                self.table.last_differs >= position && !R::SETTLED_ALWAYS_COVERED,
            ),
            ending: Mask::bit(part.slot),
            unwanted: Mask::EMPTY,
        };
        let expiries = &self.table.expiries[self.expired..];
        let expiring = expiries
            .iter()
            .take_while(|(at, _)| *at <= position)
            .count();
        for &(_, gone) in &expiries[..expiring] {
            now.ending.insert(self.table.parts[gone as usize].slot);
        }
        for lane in self.lanes.all() {
            if self.table.wanted[lane.value as usize] <= position {
                now.unwanted = now.unwanted.or(lane.writers);
            }
        }
        self.pass_all::<R>(&now)?;
        self.lanes.leave(number, &part);
        for &(_, gone) in &self.table.expiries[self.expired..self.expired + expiring] {
            self.lanes.leave(gone, &self.table.parts[gone as usize]);
        }
        self.expired += expiring;
        if self.trail.is_full() {
            self.trail.collect(self.frontier.iter_mut());
        }
        Ok(())
    }

    /// Takes every configuration of the frontier past a return.
    fn pass_all<R: Rules>(&mut self, now: &Return<W>) -> Result<(), Limit> {
        self.passed.clear();
        self.tried.clear();
        let frontier = std::mem::take(&mut self.frontier);
        for configuration in frontier.iter() {
            self.arrive::<R>(*configuration, now);
        }
        drop(frontier);
        while let Some(configuration) = self.todo.pop() {
            self.carry_on::<R>(&configuration, now);
            self.check_limits()?;
        }
        self.check_limits()?;
        std::mem::swap(&mut self.frontier, &mut self.passed);
        self.widest = self.widest.max(self.frontier.len());
        Ok(())
    }

    /// A configuration that was reached: it passes, or has to be carried on, or both.
    fn arrive<R: Rules>(&mut self, configuration: Configuration<W>, now: &Return<W>) {
        self.made += 1;
        let (used, hidden) = (
            configuration.used.has(now.slot),
            configuration.hidden.has(now.slot),
        );
        if used || hidden {
            let mut after = configuration;
            let done = after.used.and(now.unwanted);
            after.used = after.used.without(done).without(now.ending);
            after.hidden = after.hidden.or(done).without(now.ending);
            let early = u32::from(R::SETTLE_EARLY);
            let cared = self.table.cared.get(after.value as usize);
            if cared.is_some_and(|until| *until <= now.position + early) {
                after.value = SETTLED;
            }
            let (_, compared) = self.passed.insert::<R>(after, &now.roles);
            self.compared += compared as u64;
        }
        if !used && (!hidden || now.wanted) {
            let (new, compared) = self.tried.insert::<R>(configuration, &now.roles);
            self.compared += compared as u64;
            if new {
                self.todo.push(configuration);
            }
        }
    }

    /// Tries all steps that may help.
    fn carry_on<R: Rules>(&mut self, from: &Configuration<W>, now: &Return<W>) {
        let mut steps: Vec<(Candidate, bool)> = Vec::new();
        let shown = self.lanes.writes.without(from.used).without(from.hidden);
        for lane in self.lanes.all() {
            // To write what the register holds anyway only serves to hide other writes.
            let changes = lane.value != from.value || !shown.is_empty();
            if let Some(first) = lane.writes.iter().find(|w| !from.used.has(w.slot))
                && (first.part == now.number || (changes && self.helps(from, lane)))
            {
                steps.push((*first, true));
            }
        }
        if let Some(lane) = self.lanes.lane(from.value) {
            let mut last = None;
            for swap in lane.swaps.iter().filter(|w| !from.used.has(w.slot)) {
                let first_of_its_kind = last.replace(swap.to) != Some(swap.to);
                let next = self.lanes.lane(swap.to);
                let helps = !swap.unknown
                    || next.map_or(!self.lanes.refused.without(from.used).is_empty(), |lane| {
                        self.helps(from, lane)
                    });
                if first_of_its_kind && helps {
                    steps.push((*swap, false));
                }
            }
        }
        for (candidate, blind) in steps {
            let next = self.step::<R>(from, candidate, blind, now.position);
            self.arrive::<R>(next, now);
        }
    }

    /// Whether somebody who is in flight and has not taken effect waits for a value.
    fn helps(&self, from: &Configuration<W>, lane: &Lane<W>) -> bool {
        !self.lanes.hopeful(lane).without(from.used).is_empty()
    }

    fn step<R: Rules>(
        &mut self,
        from: &Configuration<W>,
        candidate: Candidate,
        blind: bool,
        event: u32,
    ) -> Configuration<W> {
        let step = Step {
            part: candidate.part,
            event,
        };
        let mut next = *from;
        next.value = candidate.to;
        next.trail = self.trail.push(from.trail, step);
        if !(candidate.unknown && R::UNKNOWN_FOREVER) {
            next.used.insert(candidate.slot);
        }
        if (blind && !R::NOTHING_HIDES) || R::SWAPS_HIDE {
            next.hidden = next.hidden.or(self.lanes.writes);
        }
        if let Some(lane) = self.lanes.lane(candidate.to) {
            next.hidden = next.hidden.or(lane.writers);
        }
        next.hidden = next.hidden.without(next.used);
        next.used = next.used.or(self.lanes.content(candidate.to));
        next
    }

    fn steps(&self) -> u64 {
        self.made + (self.made + self.compared) * W as u64 / WORDS_PER_STEP
    }

    fn check_limits(&self) -> Result<(), Limit> {
        let sets = self.frontier.bytes() + self.passed.bytes() + self.tried.bytes();
        let todo = self.todo.len() * size_of::<Configuration<W>>();
        let bytes = sets + todo + self.trail.len() * Trail::STEP_BYTES;
        if bytes.saturating_mul(GROWTH) > self.budget.bytes {
            return Err(Limit::Bytes);
        }
        if self.steps() > self.budget.steps {
            return Err(Limit::Steps);
        }
        Ok(())
    }
}
