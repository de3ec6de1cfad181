//! Shrinking a run of the live world, where nothing comes back for certain: each smaller plan is run until it has shown the anomaly often enough.
//!
//! A plan is taken when at least so many of at most so many runs show it; a test ends as soon as that is decided. Operations are not left
//! out one by one, as what real clients ask is never the same twice: that is for the simulated world.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use quorate_checkers::ddmin::ddmin;
use quorate_checkers::history::F;
use quorate_checkers::statistics::Rate;

use super::parts::{of_parts, parts};
use super::save::save_story;
use super::times::NS_PER_MS;
use super::{End, Original, Saved, ShrinkError, Size};
use crate::plan::{Plan, Scheduled};
use crate::report::progress::{Progress, ProgressMode};
use crate::results::{RunDirectory, at};
use crate::run::{Ran, RunError, RunOptions, run};
use crate::target::Target;

/// Where reruns are kept until shrinking is over.
const RERUNS: &str = "reruns";

/// What a saved run consists of.
const FILES: [&str; 5] = [
    "plan.json",
    "history.jsonl",
    "verdict.json",
    "witness",
    "nodes",
];

/// After the anomaly the load goes on for this long, ms.
const AFTERMATH_MS: u64 = 500;

/// How sure one wants to be, and how long it may take.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// A plan is taken if at least so many of its runs show the anomaly ...
    pub needed: u32,
    /// ... of at most so many.
    pub runs: u32,
    /// No run begins after this time.
    pub budget: Duration,
}

/// What came of shrinking a plan of the live world.
#[derive(Debug)]
pub struct LiveShrunk {
    /// The smallest plan that showed it often enough.
    pub plan: Plan,
    /// How large the plan was.
    pub before: Size,
    /// How large it is.
    pub after: Size,
    /// In how many of its runs the plan showed it.
    pub rate: Rate,
    /// Runs of all plans.
    pub tried: u64,
    /// Why it went no further.
    pub end: End,
    /// The last run that showed it, as saved.
    pub saved: Saved,
}

/// A plan that showed it often enough.
struct Taken {
    plan: Plan,
    rate: Rate,
    /// The last of its runs that showed it.
    run: Ran,
}

/// Runs plans, and counts.
struct Reruns<'a> {
    target: Target,
    effort: Effort,
    options: RunOptions,
    deadline: Instant,
    tell: &'a dyn Fn(&str),
    tried: u64,
    end: End,
}

/// Shrinks the plan of a run of the live world. `directory` is for what comes of it, `tell` hears of every plan that was tried.
///
/// # Errors
/// When a run fails, or the plan does not show it often enough.
pub fn shrink_live(
    original: &Original<'_>,
    target: Target,
    effort: Effort,
    options: &RunOptions,
    directory: &RunDirectory,
    tell: &dyn Fn(&str),
) -> Result<LiveShrunk, ShrinkError> {
    let kept = directory.path().join(RERUNS);
    let reruns = Reruns {
        target,
        effort,
        options: RunOptions {
            results: kept.clone(),
            keep_data: false,
            ..options.clone()
        },
        deadline: Instant::now() + effort.budget,
        tell,
        tried: 0,
        end: End::Smallest,
    };
    let shrunk = reruns.shrink(original, directory);
    if kept.exists() {
        let removed = fs::remove_dir_all(&kept).map_err(at("remove", &kept));
        removed.map_err(RunError::from)?;
    }
    shrunk
}

impl Reruns<'_> {
    fn shrink(
        mut self,
        original: &Original<'_>,
        directory: &RunDirectory,
    ) -> Result<LiveShrunk, ShrinkError> {
        let mut best = self.start(original)?;
        self.leave_out(
            &mut best,
            |plan| plan.timeline.clone(),
            |plan, timeline| {
                let timeline = timeline.to_vec();
                Some(Plan {
                    timeline,
                    ..plan.clone()
                })
            },
        )?;
        // Shorter runs first: they leave more time for the rest.
        for halve in [halve_storm, halve_clients, halve_keys] {
            while let Some(plan) = halve(&best.plan).filter(|plan| plan.validate().is_ok())
                && let Some(taken) = self.test(&plan)?
            {
                best = taken;
            }
        }
        for place in 0..best.plan.timeline.len() {
            self.leave_out(
                &mut best,
                |plan| parts(&plan.timeline[place].fault),
                |plan, parts| {
                    let mut plan = plan.clone();
                    let scheduled = plan.timeline.get_mut(place)?;
                    scheduled.fault = of_parts(&scheduled.fault, parts)?;
                    Some(plan)
                },
            )?;
        }
        let saved = save(&best, directory, original, self.target)?;
        Ok(LiveShrunk {
            before: Size::of(original.plan),
            after: Size::of(&best.plan),
            plan: best.plan,
            rate: best.rate,
            tried: self.tried,
            end: self.end,
            saved,
        })
    }

    /// The plan without what came after the anomaly, if that still shows it, else the plan.
    fn start(&mut self, original: &Original<'_>) -> Result<Taken, ShrinkError> {
        let cut = cut_after(original, self.target);
        for plan in cut.iter().chain([original.plan]) {
            if let Some(taken) = self.test(plan)? {
                return Ok(taken);
            }
        }
        Err(match self.end {
            End::Smallest => ShrinkError::TooRare {
                target: self.target,
                needed: self.effort.needed,
                runs: self.effort.runs,
            },
            End::Spent | End::Interrupted => ShrinkError::TooSoon {
                target: self.target,
            },
        })
    }

    fn is_over(&self) -> bool {
        self.end != End::Smallest
    }

    /// Runs a plan until it has shown it often enough, or cannot any more. None if it has not.
    fn test(&mut self, plan: &Plan) -> Result<Option<Taken>, RunError> {
        let Effort { needed, runs, .. } = self.effort;
        let (mut shown, mut ran) = (0, 0);
        let mut last = None;
        while shown < needed && runs - ran >= needed - shown {
            if self.is_over() {
                return Ok(None);
            }
            if Instant::now() >= self.deadline {
                self.end = End::Spent;
                return Ok(None);
            }
            let run = run(plan, &self.options, &mut Progress::new(ProgressMode::None))?;
            (self.tried, ran) = (self.tried + 1, ran + 1);
            if run.interrupted {
                self.end = End::Interrupted;
            }
            if self.target.shown_by(&run.verdict).is_some() {
                shown += 1;
                last = Some(run);
            }
        }
        let rate = Rate::new(shown.into(), ran.into());
        let size = Size::of(plan);
        let verdict = if shown >= needed {
            "taken"
        } else {
            "not taken"
        };
        (self.tell)(&format!(
            "  faults {}  clients {}  keys {}  lasts {} ms: {rate}, {verdict}",
            size.faults, size.clients, size.keys, size.lasts_ms
        ));
        let plan = plan.clone();
        Ok(last
            .filter(|_| shown >= needed)
            .map(|run| Taken { plan, rate, run }))
    }

    /// Leaves out as many parts of the best plan as possible.
    fn leave_out<T: Clone>(
        &mut self,
        best: &mut Taken,
        items: impl Fn(&Plan) -> Vec<T>,
        build: impl Fn(&Plan, &[T]) -> Option<Plan>,
    ) -> Result<(), RunError> {
        let whole = best.plan.clone();
        let mut failure = None;
        ddmin(items(&whole), |parts| {
            for (place, part) in parts.iter().enumerate() {
                let Some(plan) = build(&whole, part).filter(|plan| plan.validate().is_ok()) else {
                    continue;
                };
                match self.test(&plan) {
                    Ok(Some(taken)) => {
                        *best = taken;
                        return Some(place);
                    }
                    Ok(None) if self.is_over() => return None,
                    Ok(None) => {}
                    Err(error) => {
                        failure = Some(error);
                        self.end = End::Interrupted;
                        return None;
                    }
                }
            }
            None
        });
        failure.map_or(Ok(()), Err)
    }
}

/// The plan without what comes after the anomaly, if that showed while the load went on.
fn cut_after(original: &Original<'_>, target: Target) -> Option<Plan> {
    let plan = original.plan;
    let anomaly = target
        .shown_by(original.verdict)?
        .finding
        .anomalies
        .first()?;
    let storm = original
        .history
        .nemesis
        .iter()
        .find(|event| event.f == F::Phase && event.value.to_string() == "\"storm\"")?;
    let storm_ms = anomaly.at.since(storm.time).0 / NS_PER_MS + AFTERMATH_MS;
    if anomaly.at < storm.time || storm_ms >= plan.phases.storm_ms {
        return None;
    }
    let mut plan = plan.clone();
    plan.phases.storm_ms = storm_ms;
    plan.timeline.retain(|scheduled| scheduled.at_ms < storm_ms);
    Some(plan)
}

fn halve_keys(plan: &Plan) -> Option<Plan> {
    let mut plan = plan.clone();
    plan.load.keys /= 2;
    (plan.load.keys > 0).then_some(plan)
}

fn halve_clients(plan: &Plan) -> Option<Plan> {
    let mut plan = plan.clone();
    plan.load.clients /= 2;
    (plan.load.clients > 0).then_some(plan)
}

/// The plan with a load that ends sooner, but not before its faults are over.
fn halve_storm(plan: &Plan) -> Option<Plan> {
    let mut plan = plan.clone();
    let until = |scheduled: &Scheduled| scheduled.at_ms.saturating_add(scheduled.for_ms);
    let faults_ms = plan.timeline.iter().map(until).max().unwrap_or(0);
    let storm_ms = (plan.phases.storm_ms / 2).max(faults_ms);
    let is_less = storm_ms < plan.phases.storm_ms;
    plan.phases.storm_ms = storm_ms;
    is_less.then_some(plan)
}

/// Makes the run that showed it the shrunk run.
fn save(
    best: &Taken,
    directory: &RunDirectory,
    original: &Original<'_>,
    target: Target,
) -> Result<Saved, ShrinkError> {
    for name in FILES {
        let from = best.run.directory.path().join(name);
        if from.exists() {
            put(&from, &directory.path().join(name))?;
        }
    }
    let saved = Saved {
        path: directory.display(),
        history: best.run.history.clone(),
        verdict: best.run.verdict.clone(),
        // Messages of real processes are not observed.
        undrawn: None,
    };
    let before = Size::of(original.plan);
    save_story(directory, &best.plan, before, &saved, target, original.name)?;
    Ok(saved)
}

/// Moves a file or directory of ours over what an earlier shrinking left there.
fn put(from: &Path, to: &Path) -> Result<(), RunError> {
    if to.is_dir() {
        fs::remove_dir_all(to).map_err(at("remove", to))?;
    }
    Ok(fs::rename(from, to).map_err(at("replace", to))?)
}
