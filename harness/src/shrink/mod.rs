//! Shrinking: from a run that shows an anomaly to the smallest plan that still shows it.
//!
//! The load becomes a script, so that single operations can be left out; then faults, operations, nodes, clients and time are left out as long
//! as the anomaly stays. The fewest operations of the *history* are the business of `quorate_checkers::minimise`.

mod calm;
mod jump;
mod lab;
mod live;
mod parts;
mod passes;
mod save;
mod scripted;
mod size;
mod story;
mod times;

use std::sync::atomic::Ordering;

use quorate_checkers::history::{History, Values};
use quorate_checkers::verdict::Verdict;
use rayon::prelude::*;
use thiserror::Error;

pub use lab::Watch;
pub use live::{Effort, LiveShrunk, shrink_live};
pub use save::{Saved, directory, save, save_proof};
pub use scripted::{scripted, with_script};
pub use size::Size;

use crate::plan::{Plan, World};
use crate::run::RunError;
use crate::target::Target;
use crate::trial::{Trial, TrialError, trial};
use crate::world::sim::Weather;
use lab::Lab;
use passes::Passes;

/// What may be simulated, in operations: enough for the plans that people have, and no more than a minute or so.
const BUDGET_OPS: u64 = 10_000_000;

/// Seeds that a plan of the live world is tried with in the simulated one.
const SEEDS_IN_SIM: u32 = 500;

/// Why there is nothing to shrink.
#[derive(Debug, Error)]
pub enum ShrinkError {
    /// The plan.
    #[error(transparent)]
    Trial(#[from] TrialError),
    /// Files.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The anomaly comes back too seldom.
    #[error(
        "the plan showed {target} in fewer than {needed} of {runs} runs: give more with --runs, or ask for fewer with --needed"
    )]
    TooRare {
        /// What was looked for.
        target: Target,
        /// How often it must come back.
        needed: u32,
        /// In how many runs.
        runs: u32,
    },
    /// There was no time for it to come back.
    #[error("ended before {target} was shown again: give it more time with --budget")]
    TooSoon {
        /// What was looked for.
        target: Target,
    },
    /// Nor does it in the simulated world.
    #[error(
        "no seed below 500 shows {target} in the simulated world: search further with `quorate run PLAN --world sim --seeds 0..10000`"
    )]
    NotInSim {
        /// What was looked for.
        target: Target,
    },
    /// The anomaly does not come back.
    #[error(
        "the simulated plan shows no {target}: it may have been saved by another version; search for one with `run --world sim`"
    )]
    NotShown {
        /// What was looked for.
        target: Target,
    },
}

/// A run that is to be shrunk.
#[derive(Clone, Copy, Debug)]
pub struct Original<'a> {
    /// What was planned.
    pub plan: &'a Plan,
    /// What happened.
    pub history: &'a History,
    /// What that means.
    pub verdict: &'a Verdict,
    /// What people call it.
    pub name: &'a str,
}

/// Why shrinking ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing more can be left out.
    Smallest,
    /// So many simulations are enough.
    Spent,
    /// The user wanted no more.
    Interrupted,
}

/// A plan of the live world in the simulated one, with the first seed that shows it there; none if no seed of a few hundred does.
pub fn in_sim(plan: &Plan, target: Target, watch: &Watch) -> Option<Plan> {
    let plans = (0..SEEDS_IN_SIM).into_par_iter().with_max_len(1);
    plans
        .map(|seed| Plan {
            seed: seed.into(),
            world: World::Sim(Weather::default()),
            ..plan.clone()
        })
        .find_first(|plan| {
            watch.tried.fetch_add(1, Ordering::Relaxed);
            let shows = |trial: Trial| target.shown_by(&trial.verdict).is_some();
            !watch.is_stopped() && trial(plan).is_ok_and(shows)
        })
}

/// What came of shrinking a plan.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The smallest plan that shows it.
    pub plan: Plan,
    /// How large the plan was.
    pub before: Size,
    /// How large it is.
    pub after: Size,
    /// Simulations.
    pub tried: u64,
    /// Why it went no further.
    pub end: End,
}

/// Shrinks a plan of the simulated world as long as it shows what is looked for. Deterministic, whatever the number of cores.
///
/// # Errors
/// When the plan cannot be simulated, or does not show it.
pub fn shrink(plan: &Plan, target: Target, watch: &Watch) -> Result<Shrunk, ShrinkError> {
    let trial = trial(plan)?;
    let not_shown = || ShrinkError::NotShown { target };
    let row = target.shown_by(&trial.verdict).ok_or_else(not_shown)?;
    let guarantee = row.promise.guarantee;
    // A part of the run may break other promises, too: it is this one that must stay broken.
    let target = match target {
        Target::AnyBreach => Target::Breach(guarantee),
        narrow => narrow,
    };
    let lab = Lab::new(target, guarantee, watch, BUDGET_OPS);
    let writes_sets = trial.history.header.values == Values::Sets;
    let start = if writes_sets {
        // What clients write follows from what they read, so no script can say it.
        plan.clone()
    } else if plan.load.script.is_empty() {
        scripted(plan, &trial.history)
    } else {
        with_script(plan, plan.load.script.clone())
    };
    if !lab.shows(&start) && !watch.is_stopped() {
        return Err(not_shown());
    }
    let before = Size::of(&start);
    let mut passes = Passes { lab, best: start };
    passes.run();
    let end = if watch.is_stopped() {
        End::Interrupted
    } else if passes.lab.is_spent() {
        End::Spent
    } else {
        End::Smallest
    };
    let mut plan = passes.best;
    for (number, scheduled) in (1..).zip(&mut plan.timeline) {
        scheduled.id = format!("f{number}");
    }
    Ok(Shrunk {
        before,
        after: Size::of(&plan),
        plan,
        tried: watch.tried.load(Ordering::Relaxed),
        end,
    })
}
