//! Simulated runs of a replay: in memory, on all cores, compared byte for byte with what was saved.
//!
//! Interrupts are minded between runs: each takes a fraction of a second.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use quorate_checkers::history::History;
use quorate_checkers::verdict::judge;
use rayon::prelude::*;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::interval;
use xxhash_rust::xxh3::xxh3_64;

use super::attempt::{Attempt, compare};
use super::original::{Original, ReplayError, Saved};
use super::repeat::{Manner, Replay, Request};
use crate::plan::{Plan, World};
use crate::report::counting::Counting;
use crate::report::progress::ProgressMode;
use crate::report::watching::LOOK_EVERY;
use crate::run::{Interrupts, RunError};
use crate::trial::TrialError;
use crate::world::sim::{self, Weather};

/// What every run of a replay shares.
struct Series<'a> {
    plan: &'a Plan,
    weather: Weather,
    manner: Manner,
    request: &'a Request,
    /// What exact runs are compared with.
    saved: Option<(&'a Saved, &'a [u8])>,
}

/// Runs a plan in the simulated world, and tells of every run in order.
pub(super) fn repeat(
    original: &Original,
    request: &Request,
    weather: Weather,
    mode: ProgressMode,
    replay: &mut Replay,
    tell: &mut impl FnMut(&Attempt),
) -> Result<(), ReplayError> {
    let plan = replay.plan.clone();
    let is_comparable = |saved: &&Saved| replay.manner == Manner::Exact && saved.is_of_plan;
    let saved = original.saved.as_ref().filter(is_comparable);
    let series = Series {
        plan: &plan,
        weather,
        manner: replay.manner,
        request,
        saved: saved.and_then(|saved| Some((saved, saved.bytes.as_deref()?))),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(RunError::Runtime)?;
    let stop = AtomicBool::new(false);
    let mut counting = Counting::new(mode, request.times);
    let ended = thread::scope(|scope| {
        let (done, mut attempts) = unbounded_channel();
        let (series, stop) = (&series, &stop);
        // What it tells through ends with it.
        scope.spawn(move || series.run(stop, &done));
        runtime.block_on(async {
            let mut interrupts = Interrupts::new().map_err(RunError::Runtime)?;
            let mut looks = interval(LOOK_EVERY);
            loop {
                tokio::select! {
                    attempt = attempts.recv() => match attempt {
                        None => return Ok(()),
                        Some(attempt) => {
                            let attempt: Attempt = attempt?;
                            counting.count(attempt.sighting.is_some());
                            counting.aside(|| tell(&attempt));
                            replay.attempts.push(attempt);
                        }
                    },
                    () = interrupts.next() => {
                        replay.interrupted = true;
                        stop.store(true, Ordering::Relaxed);
                    }
                    _ = looks.tick() => counting.look(),
                }
            }
        })
    });
    counting.end();
    ended
}

impl Series<'_> {
    /// Runs until all is done or somebody wants it to stop. As many at once as there are cores, told in order.
    fn run(&self, stop: &AtomicBool, done: &UnboundedSender<Result<Attempt, TrialError>>) {
        let times = self.request.times;
        let width = (rayon::current_num_threads() as u64).max(1);
        let mut first = 1;
        while first <= times && !stop.load(Ordering::Relaxed) {
            let last = (first + width - 1).min(times);
            let numbers: Vec<u64> = (first..=last).collect();
            let attempts: Vec<_> = numbers.into_par_iter().map(|n| self.attempt(n)).collect();
            for attempt in attempts {
                // Nobody listens any more after a failure.
                if done.send(attempt).is_err() {
                    return;
                }
            }
            first = last + 1;
        }
    }

    fn attempt(&self, number: u64) -> Result<Attempt, TrialError> {
        let seed = match self.manner {
            Manner::Live | Manner::Exact => self.plan.seed,
            Manner::Seeds => self.plan.seed.wrapping_add(number - 1),
        };
        let plan = Plan {
            seed,
            world: World::Sim(self.weather),
            ..self.plan.clone()
        };
        let events = sim::run(&plan, &self.weather)?;
        let header = plan.header()?;
        let mut bytes = Vec::new();
        header.to_line(&mut bytes);
        for event in &events {
            event.to_line(&mut bytes);
        }
        let history = History::from_events(header, events)?;
        let mut attempt = Attempt::of(number, self.request.target, &history, &judge(&history));
        attempt.digest = Some(xxh3_64(&bytes));
        attempt.sameness = self
            .saved
            .map(|(saved, before)| compare(before, &bytes, saved.ended_early.is_some()));
        Ok(attempt)
    }
}
