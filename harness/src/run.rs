//! One run of one plan: the straight line from plan to verdict, each value saved before the next is made.
//!
//! It decides nothing ([`Conductor`](crate::conductor::Conductor)) and judges nothing (`quorate_checkers`); it joins the two by way of a file, so that what was
//! judged is what can be judged again.

mod drive;
mod following;
mod host_clock;
pub(crate) mod interrupts;
mod simulate;
pub(crate) mod witness;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use quorate_checkers::history::{History, HistoryError};
use quorate_checkers::verdict::{Outcome, Verdict};
use thiserror::Error;

pub use drive::{Drive, Load, Recording};
pub(crate) use interrupts::Interrupts;

use crate::exit::Exit;
use crate::judging::{Watch, judge_file};
use crate::plan::{Plan, PlanError, World};
use crate::report::progress::Progress;
use crate::results::{ResultsError, RunDirectory};
use crate::world::live::{LaunchOptions, LiveWorld, WorldError};
use crate::world::sim::{SimError, Weather};

/// What went wrong with a run, other than the store.
#[derive(Debug, Error)]
pub enum RunError {
    /// The plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Files.
    #[error(transparent)]
    Results(#[from] ResultsError),
    /// Processes and sockets.
    #[error(transparent)]
    World(#[from] WorldError),
    /// Virtual time.
    #[error(transparent)]
    Sim(#[from] SimError),
    /// Our own history cannot be read back.
    #[error("{}: {source}", path.display())]
    History {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: HistoryError,
    },
    /// The runtime could not be started.
    #[error("cannot start the runtime: {0}")]
    Runtime(std::io::Error),
    /// The user asked twice.
    #[error("interrupted twice: all nodes were killed, nothing was judged")]
    Killed,
}

impl RunError {
    /// What the command ends with.
    pub fn exit(&self) -> Exit {
        match self {
            RunError::Plan(_) => Exit::Usage,
            RunError::Killed => Exit::Interrupted,
            RunError::Results(_)
            | RunError::World(_)
            | RunError::Sim(_)
            | RunError::History { .. }
            | RunError::Runtime(_) => Exit::HarnessFailure,
        }
    }
}

/// How a run is carried out; what is carried out is the plan's business.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The executable that becomes the nodes; none = this one.
    pub program: Option<PathBuf>,
    /// Where runs are kept.
    pub results: PathBuf,
    /// Keep the nodes' data directories even if every promise was kept.
    pub keep_data: bool,
    /// End the load at the first anomaly that breaks a promise.
    pub stop_on_first: bool,
}

/// A run that came to its end.
#[derive(Debug)]
pub struct Ran {
    /// Where it happened.
    pub world: World,
    /// Where it is kept.
    pub directory: RunDirectory,
    /// What happened.
    pub history: History,
    /// What that means.
    pub verdict: Verdict,
    /// Our own failure that ended it early, if any.
    pub failure: Option<String>,
    /// Whether the user ended it early.
    pub interrupted: bool,
    /// The first broken promise, if the run was ended there.
    pub stopped: Option<String>,
    /// How long it took in all, and how long of that the load lasted.
    pub times: Times,
}

/// Where the time of a run went.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// Warm and storm.
    pub load: Duration,
    /// Everything, judging included.
    pub whole: Duration,
}

impl Ran {
    /// What the command ends with.
    pub fn exit(&self) -> Exit {
        let verdict = exit_of(&self.verdict);
        if self.failure.is_some() {
            return Exit::HarnessFailure;
        }
        if self.interrupted && verdict != Exit::Broken {
            Exit::Interrupted
        } else {
            verdict
        }
    }
}

/// What a verdict means for the exit code.
pub fn exit_of(verdict: &Verdict) -> Exit {
    match verdict.outcome {
        Outcome::Kept => Exit::Kept,
        Outcome::Broken => Exit::Broken,
        Outcome::Undecided => Exit::Undecided,
    }
}

/// Carries out a plan in its world, judges what happened, and saves everything.
pub fn run(plan: &Plan, options: &RunOptions, progress: &mut Progress) -> Result<Ran, RunError> {
    let began = Instant::now();
    plan.validate()?;
    let directory = RunDirectory::create(&options.results)?;
    directory.write("plan.json", plan.to_json())?;
    progress.begin(directory.id(), plan);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(RunError::Runtime)?;
    let driven = runtime.block_on(async {
        match plan.world {
            World::Live => live(plan, options, &directory, progress).await,
            World::Sim(weather) => sim(plan, weather, options, &directory, progress).await,
        }
    })?;
    progress.end();

    let (history, verdict) = judge_file(&driven.history, None, &Watch::default())?;
    directory.write("verdict.json", verdict.to_json())?;
    witness::write(&directory, &history, &verdict)?;
    // Who interrupts a run does not wait for another simulation of it.
    if !driven.interrupted
        && let Some(why) = witness::draw(&directory, plan, &history, &verdict)?
    {
        progress.say(&format!("not every anomaly has a spacetime diagram: {why}"));
    }
    if verdict.outcome == Outcome::Broken {
        directory.point("failed")?;
    }
    let ran = Ran {
        world: plan.world,
        directory,
        history,
        verdict,
        failure: driven.failure,
        interrupted: driven.interrupted,
        stopped: driven.stopped,
        times: Times {
            load: driven.load,
            whole: began.elapsed(),
        },
    };
    if ran.exit() == Exit::Kept && !options.keep_data {
        ran.directory.drop_data()?;
    }
    Ok(ran)
}

struct Driven {
    history: PathBuf,
    failure: Option<String>,
    interrupted: bool,
    stopped: Option<String>,
    load: Duration,
}

async fn live(
    plan: &Plan,
    options: &RunOptions,
    directory: &RunDirectory,
    progress: &mut Progress,
) -> Result<Driven, RunError> {
    let mut launch =
        LaunchOptions::of_this_program(plan.store.clone(), directory.path().to_owned(), plan.seed)?;
    if let Some(program) = &options.program {
        launch.program.clone_from(program);
    }
    let file = directory.history(&plan.header()?)?;
    let world = LiveWorld::launch(launch).await?;
    let driven = Drive::new(plan, &world, Recording::File(file))?
        .stopping_on_first(options.stop_on_first)
        .run(progress)
        .await;
    let stopped = world.stop().await;
    let driven = driven?;
    let failure = driven
        .failure
        .or_else(|| stopped.err().map(|error| error.to_string()));
    Ok(Driven {
        history: directory.path().join("history.jsonl"),
        failure,
        interrupted: driven.interrupted,
        stopped: driven.stopped,
        load: driven.load,
    })
}

async fn sim(
    plan: &Plan,
    weather: Weather,
    options: &RunOptions,
    directory: &RunDirectory,
    progress: &mut Progress,
) -> Result<Driven, RunError> {
    let file = directory.history(&plan.header()?)?;
    let load = simulate::simulate(plan, weather, file, options.stop_on_first, progress).await?;
    Ok(Driven {
        history: directory.path().join("history.jsonl"),
        failure: None,
        interrupted: load.interrupted,
        stopped: load.stopped,
        load: load.load,
    })
}
