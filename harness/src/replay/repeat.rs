//! Runs the plan of a replay as often as asked for: live runs one after the other, simulated ones in memory and on all cores.
//!
//! It counts and keeps; what is looked for in a run is in `attempt.rs`.

use std::path::Path;

use clap::ValueEnum;
use quorate_checkers::statistics::Rate;
use quorate_checkers::verdict::Outcome;
use serde::Serialize;

use super::attempt::{Attempt, Sameness};
use super::original::{Original, ReplayError};
use super::simulated;
use crate::exit::Exit;
use crate::plan::{Plan, World};
use crate::report::progress::{Progress, ProgressMode};
use crate::results::{ResultsError, at};
use crate::run::{Interrupts, Ran, RunError, RunOptions, run};
use crate::target::Target;
use crate::world::sim::Weather;

/// Which runs of a replay are kept beside the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Keep {
    /// The first that shows what is looked for.
    #[default]
    First,
    /// All of them.
    All,
    /// None.
    None,
}

/// What a replay is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// How many runs.
    pub times: u64,
    /// In which world, if not the plan's own: its name.
    pub world: Option<String>,
    /// What to look for.
    pub target: Target,
    /// Which runs are kept.
    pub keep: Keep,
    /// How runs are carried out, and where they are kept.
    pub options: RunOptions,
}

/// How the runs of a replay differ from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Manner {
    /// Live: the plan is the same, interleavings are not.
    Live,
    /// Simulated as it was: not at all.
    Exact,
    /// Simulated, although it was live: each run has a seed of its own, and so other operations and interleavings under the same faults.
    Seeds,
}

/// What came of a replay.
#[derive(Debug)]
pub struct Replay {
    /// The plan that was run, in its world.
    pub plan: Plan,
    /// How its runs differ.
    pub manner: Manner,
    /// What was looked for.
    pub target: Target,
    /// How many runs were asked for.
    pub times: u64,
    /// The runs that came to their end.
    pub attempts: Vec<Attempt>,
    /// Our own failure that ended it early, if any.
    pub failure: Option<String>,
    /// Whether the user ended it early.
    pub interrupted: bool,
}

impl Replay {
    /// How many runs show what is looked for, of how many.
    pub fn rate(&self) -> Rate {
        let shown = self
            .attempts
            .iter()
            .filter(|attempt| attempt.sighting.is_some());
        Rate::new(shown.count() as u64, self.attempts.len() as u64)
    }

    /// How many runs are the saved one, as far as that went; none if they cannot be compared.
    pub fn same(&self) -> Option<u64> {
        let compared = self.attempts.iter().filter_map(|attempt| attempt.sameness);
        let same = |sameness: &Sameness| !matches!(sameness, Sameness::Differs { .. });
        let any = self
            .attempts
            .iter()
            .any(|attempt| attempt.sameness.is_some());
        any.then(|| compared.filter(same).count() as u64)
    }

    /// Whether exact runs differ from each other: a bug of the simulator.
    pub fn is_at_odds(&self) -> bool {
        let differ = |pair: &[Attempt]| pair[0].digest != pair[1].digest;
        self.manner == Manner::Exact && self.attempts.windows(2).any(differ)
    }

    /// What the command ends with: the worst of the runs, and our own failure if a simulated run did not repeat.
    pub fn exit(&self) -> Exit {
        let of_outcome = |attempt: &Attempt| match attempt.outcome {
            Outcome::Kept => Exit::Kept,
            Outcome::Broken => Exit::Broken,
            Outcome::Undecided => Exit::Undecided,
        };
        let differs = self
            .same()
            .is_some_and(|same| same < self.attempts.len() as u64);
        let worst = self.attempts.iter().map(of_outcome);
        let mut exit = worst.fold(Exit::Kept, Exit::worst);
        if self.interrupted && exit != Exit::Broken {
            exit = Exit::Interrupted;
        }
        if self.failure.is_some() || differs || self.is_at_odds() {
            exit = Exit::HarnessFailure;
        }
        exit
    }
}

/// Runs a plan again, and tells of every run as soon as it is over.
///
/// # Errors
/// When runs cannot be carried out at all.
pub fn repeat(
    original: &Original,
    request: &Request,
    mode: ProgressMode,
    mut tell: impl FnMut(&Attempt),
) -> Result<Replay, ReplayError> {
    let mut replay = begin(original, request);
    if let World::Sim(weather) = replay.plan.world {
        simulated::repeat(original, request, weather, mode, &mut replay, &mut tell)?;
        keep_simulated(request, &mut replay)?;
    } else {
        live(request, mode, &mut replay, &mut tell)?;
    }
    Ok(replay)
}

fn begin(original: &Original, request: &Request) -> Replay {
    let own = original.plan.world;
    let (world, manner) = match (request.world.as_deref(), own) {
        (Some("live"), _) | (None, World::Live) => (World::Live, Manner::Live),
        (_, World::Sim(_)) => (own, Manner::Exact),
        (Some(_), World::Live) => (World::Sim(Weather::default()), Manner::Seeds),
    };
    Replay {
        plan: Plan {
            world,
            ..original.plan.clone()
        },
        manner,
        target: request.target,
        times: request.times,
        attempts: Vec::new(),
        failure: None,
        interrupted: false,
    }
}

/// Whether a run is to be kept, given those before it.
fn is_wanted(keep: Keep, attempt: &Attempt, before: &[Attempt]) -> bool {
    match keep {
        Keep::All => true,
        Keep::None => false,
        Keep::First => {
            attempt.sighting.is_some() && before.iter().all(|earlier| earlier.saved.is_none())
        }
    }
}

/// Where live runs are before it is known whether they are kept: beside those that are, so that a run can be moved, not copied.
fn waiting_room(results: &Path) -> Result<tempfile::TempDir, ResultsError> {
    std::fs::create_dir_all(results).map_err(at("create", results))?;
    let room = tempfile::Builder::new()
        .prefix(".replay-")
        .tempdir_in(results);
    room.map_err(at("create", results))
}

fn live(
    request: &Request,
    mode: ProgressMode,
    replay: &mut Replay,
    tell: &mut impl FnMut(&Attempt),
) -> Result<(), RunError> {
    let room = waiting_room(&request.options.results)?;
    let options = RunOptions {
        results: room.path().to_owned(),
        ..request.options.clone()
    };
    let mut progress = Progress::new(mode);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(RunError::Runtime)?;
    // A run minds interrupts while it lasts. This is for those between two of them.
    let mut interrupts = runtime
        .block_on(async { Interrupts::new() })
        .map_err(RunError::Runtime)?;
    for number in 1..=request.times {
        if runtime.block_on(interrupts.has_come()) {
            replay.interrupted = true;
            break;
        }
        progress.say(&format!("replay {number} of {}", request.times));
        let ran = match run(&replay.plan, &options, &mut progress) {
            Ok(ran) => ran,
            Err(RunError::Killed) => {
                replay.interrupted = true;
                break;
            }
            Err(error) => {
                // Logs of its nodes may say more.
                let left = room.keep();
                replay.failure = Some(format!(
                    "run {number}: {error}; what it left is in {}",
                    left.display()
                ));
                return Ok(());
            }
        };
        if ran.interrupted || ran.failure.is_some() {
            // What was cut short is no case: it counts neither way.
            replay.interrupted = ran.interrupted;
            let failure = ran.failure.as_ref();
            replay.failure = failure.map(|failure| format!("run {number}: {failure}"));
            if replay.failure.is_some() {
                keep(&ran, &request.options.results)?;
            }
            break;
        }
        let mut attempt = Attempt::of(number, replay.target, &ran.history, &ran.verdict);
        if is_wanted(request.keep, &attempt, &replay.attempts) {
            attempt.saved = Some(keep(&ran, &request.options.results)?);
        }
        tell(&attempt);
        replay.attempts.push(attempt);
    }
    Ok(())
}

/// Moves a run to those that are kept; says where it is then.
fn keep(ran: &Ran, results: &Path) -> Result<String, ResultsError> {
    let moved = ran.directory.move_to(results)?;
    if ran.verdict.outcome == Outcome::Broken {
        moved.point("failed")?;
    }
    Ok(moved.display())
}

/// Saves the simulated runs that are to be kept, by running them once more. Those that are the saved run are there already.
fn keep_simulated(request: &Request, replay: &mut Replay) -> Result<(), RunError> {
    for place in 0..replay.attempts.len() {
        let (before, rest) = replay.attempts.split_at_mut(place);
        let attempt = &mut rest[0];
        let is_there = attempt.sameness == Some(Sameness::Identical);
        if is_there || !is_wanted(request.keep, attempt, before) {
            continue;
        }
        let plan = Plan {
            seed: attempt.seed,
            ..replay.plan.clone()
        };
        let mut silent = Progress::new(ProgressMode::None);
        let ran = run(&plan, &request.options, &mut silent)?;
        attempt.saved = Some(ran.directory.display());
    }
    Ok(())
}
