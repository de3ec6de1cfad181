//! What is to be run again: a plan, found in a run's directory, an archive or a file of its own, or made of a bare history.
//!
//! It reads and judges what was saved; it runs nothing.

use std::path::{Path, PathBuf};

use quorate_checkers::history::History;
use quorate_checkers::verdict::{Verdict, judge_with};
use thiserror::Error;

use super::rebuild::{Notes, RebuildError, Rebuilt, rebuild};
use super::timeline::ended_early;
use crate::exit::Exit;
use crate::input;
use crate::judging::{Cores, Watch, read_history_file};
use crate::plan::{Plan, PlanError, World};
use crate::results::{Found, ResultsError, at, find};
use crate::run::RunError;
use crate::target::Target;
use crate::trial::TrialError;

/// The plan of a run, in its directory or archive.
const PLAN: &str = "plan.json";
/// The history of a run, in its directory.
const HISTORY: &str = "history.jsonl";

/// Why nothing can be run again.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// Files.
    #[error(transparent)]
    Results(#[from] ResultsError),
    /// The plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The saved history.
    #[error(transparent)]
    Unreadable(RunError),
    /// A live run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A simulated run.
    #[error(transparent)]
    Trial(#[from] TrialError),
    /// The history makes no plan.
    #[error("{}: {source}", path.display())]
    Rebuild {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: RebuildError,
    },
    /// A directory or archive without anything to run.
    #[error("{} holds neither {PLAN} nor {HISTORY}", path.display())]
    Empty {
        /// The directory or archive.
        path: PathBuf,
    },
    /// A plan that a person wrote.
    #[error(
        "{} is a plan that was not run yet: `quorate run {}` runs it, and what it saves can be replayed",
        path.display(),
        path.display()
    )]
    Toml {
        /// The file.
        path: PathBuf,
    },
}

impl ReplayError {
    /// What the command ends with.
    pub fn exit(&self) -> Exit {
        match self {
            // What was named cannot be read or understood: bad input, not a failure of ours.
            ReplayError::Results(_)
            | ReplayError::Plan(_)
            | ReplayError::Rebuild { .. }
            | ReplayError::Empty { .. }
            | ReplayError::Toml { .. }
            | ReplayError::Unreadable(_) => Exit::Usage,
            ReplayError::Run(error) => error.exit(),
            ReplayError::Trial(_) => Exit::HarnessFailure,
        }
    }
}

/// How the plan is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    /// It was saved.
    Saved,
    /// It was made of the history.
    Rebuilt {
        /// Whether it is the very plan of the history: it has its digest.
        is_exact: bool,
        /// What in it was not told.
        notes: Notes,
    },
}

/// What is left of the run itself.
#[derive(Debug)]
pub struct Saved {
    /// Its history, byte for byte; only of simulated runs, which can be compared with it.
    pub bytes: Option<Vec<u8>>,
    /// Whether it was made by this very plan, as its digest tells.
    pub is_of_plan: bool,
    /// Why its load ended before its time, if it did.
    pub ended_early: Option<String>,
    /// What it showed.
    pub verdict: Verdict,
}

/// What is to be run again.
#[derive(Debug)]
pub struct Original {
    /// What to call it: what was typed, or where `latest` and `failed` led, as they lead elsewhere after the next run.
    pub name: String,
    /// The plan.
    pub plan: Plan,
    /// How it is known.
    pub basis: Basis,
    /// The run, if its history is there.
    pub saved: Option<Saved>,
}

impl Original {
    /// Finds what a person calls a run, reads it, and judges it again.
    ///
    /// # Errors
    /// When there is no such run, or it cannot be understood.
    pub fn load(reference: &str, root: &Path) -> Result<Original, ReplayError> {
        let (plan, history) = match find(reference, root)? {
            Found::Run(directory) => parts_of_directory(&directory)?,
            Found::File(path) => parts_of_file(path)?,
        };
        Original::of_parts(name(reference, root), plan, history.as_deref())
    }

    /// Of a plan, a file that holds a history, or both; not of neither.
    fn of_parts(
        name: String,
        plan: Option<Plan>,
        history: Option<&Path>,
    ) -> Result<Original, ReplayError> {
        let told = match history {
            Some(path) => Some((path, read_saved(path)?)),
            None => None,
        };
        let (plan, basis) = match (plan, &told) {
            (Some(plan), _) => (plan, Basis::Saved),
            (None, Some((path, history))) => {
                let rebuilt = rebuild(history).map_err(|source| ReplayError::Rebuild {
                    path: path.to_path_buf(),
                    source,
                })?;
                let Rebuilt {
                    plan,
                    notes,
                    is_exact,
                } = rebuilt;
                (plan, Basis::Rebuilt { is_exact, notes })
            }
            (None, None) => {
                let path = PathBuf::from(name);
                return Err(ReplayError::Empty { path });
            }
        };
        let saved = match told {
            Some((path, history)) => Some(saved(&plan, path, &history)?),
            None => None,
        };
        Ok(Original {
            name,
            plan,
            basis,
            saved,
        })
    }

    /// What to look for, if nobody says: what the run showed, or else any broken promise.
    pub fn target(&self) -> Target {
        let shown = self
            .saved
            .as_ref()
            .and_then(|saved| Target::of(&saved.verdict));
        shown.unwrap_or(Target::AnyBreach)
    }
}

/// A plan, and a file that holds a history.
type Parts = (Option<Plan>, Option<PathBuf>);

fn parts_of_directory(directory: &Path) -> Result<Parts, ReplayError> {
    let (plan, history) = (directory.join(PLAN), directory.join(HISTORY));
    let plan = if plan.is_file() {
        Some(read_plan(&plan)?)
    } else {
        None
    };
    Ok((plan, history.is_file().then_some(history)))
}

fn parts_of_file(path: PathBuf) -> Result<Parts, ReplayError> {
    let is = |extension: &str| path.extension().is_some_and(|found| found == extension);
    if is("toml") {
        return Err(ReplayError::Toml { path });
    }
    if is("json") {
        return Ok((Some(read_plan(&path)?), None));
    }
    if !input::is_archive(&path)? {
        return Ok((None, Some(path)));
    }
    let plan = match input::member(&path, PLAN)? {
        Some(bytes) => Some(parse_plan(&bytes, &path)?),
        None => None,
    };
    let holds_history = input::has_member(&path, HISTORY)?;
    Ok((plan, holds_history.then_some(path)))
}

/// What to call what a person calls `reference`.
fn name(reference: &str, root: &Path) -> String {
    let lasting = || {
        let link = root.join(reference).canonicalize().ok()?;
        let id = link.file_name()?.to_string_lossy().into_owned();
        Some(root.join(id).display().to_string())
    };
    let moves = matches!(reference, "latest" | "failed") && !Path::new(reference).exists();
    let lasting = if moves { lasting() } else { None };
    lasting.unwrap_or_else(|| reference.to_owned())
}

fn saved(plan: &Plan, path: &Path, history: &History) -> Result<Saved, ReplayError> {
    let bytes = match plan.world {
        World::Live => None,
        World::Sim(_) => Some(input::read(path)?),
    };
    Ok(Saved {
        bytes,
        is_of_plan: plan.digest() == history.header.plan,
        ended_early: ended_early(history).map(str::to_owned),
        verdict: judge_with(history, &Cores(&Watch::default())),
    })
}

fn read_saved(path: &Path) -> Result<History, ReplayError> {
    read_history_file(path, &Watch::default()).map_err(ReplayError::Unreadable)
}

fn read_plan(path: &Path) -> Result<Plan, ReplayError> {
    let bytes = std::fs::read(path).map_err(at("read", path))?;
    parse_plan(&bytes, path)
}

fn parse_plan(bytes: &[u8], path: &Path) -> Result<Plan, ReplayError> {
    let text = String::from_utf8_lossy(bytes);
    Ok(Plan::from_json(&text, &path.display().to_string())?)
}
