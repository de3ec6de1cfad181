//! `shrunk/` in a run's directory: a run like any other, and the proof from the history that it was shrunk from.
//!
//! It writes what it is given. The shrunk plan of the simulated world is simulated once more for it, which makes the same bytes.

use std::path::Path;

use quorate_checkers::history::History;
use quorate_checkers::verdict::{Verdict, judge};

use super::story::Story;
use super::{ShrinkError, Shrunk, Size};
use crate::plan::{Plan, World};
use crate::results::RunDirectory;
use crate::run::{RunError, witness};
use crate::spacetime::SpacetimeError;
use crate::target::Target;
use crate::trial::TrialError;
use crate::world::sim;

/// The name of the directory.
const DIRECTORY: &str = "shrunk";

/// A shrunk run that is saved.
#[derive(Debug)]
pub struct Saved {
    /// Where, as people would type it from here.
    pub path: String,
    /// What happened.
    pub history: History,
    /// What that means.
    pub verdict: Verdict,
    /// Why not every anomaly has a spacetime diagram, if so.
    pub undrawn: Option<SpacetimeError>,
}

/// The directory of what a run is shrunk to.
///
/// # Errors
/// When it cannot be made.
pub fn directory(run: &Path) -> Result<RunDirectory, RunError> {
    Ok(RunDirectory::at(&run.join(DIRECTORY))?)
}

/// Saves the lines of a history that prove an anomaly of the run that is shrunk.
///
/// # Errors
/// When they cannot be written.
pub fn save_proof(directory: &RunDirectory, lines: &[u8]) -> Result<(), RunError> {
    directory.write("proof.jsonl", lines)?;
    Ok(())
}

/// The text that the anomaly of a shrunk run is told in, beside that run.
pub(super) fn save_story(
    directory: &RunDirectory,
    plan: &Plan,
    before: Size,
    saved: &Saved,
    target: Target,
    origin: &str,
) -> Result<(), ShrinkError> {
    let Some(row) = target.shown_by(&saved.verdict) else {
        return Err(ShrinkError::NotShown { target });
    };
    let story = Story {
        plan,
        history: &saved.history,
        row,
        before,
        origin,
        directory: &directory.display(),
    };
    let written = directory.write("STORY.md", story.text());
    written.map_err(RunError::from)?;
    Ok(())
}

/// Runs a shrunk plan of the simulated world once more, and saves everything of it.
///
/// # Errors
/// When it cannot be simulated or written.
pub fn save(
    directory: &RunDirectory,
    shrunk: &Shrunk,
    target: Target,
    origin: &str,
) -> Result<Saved, ShrinkError> {
    let plan: &Plan = &shrunk.plan;
    let World::Sim(weather) = plan.world else {
        return Err(TrialError::Live.into());
    };
    let header = plan.header().map_err(TrialError::from)?;
    let events = sim::run(plan, &weather).map_err(TrialError::from)?;
    let mut file = directory.history(&header).map_err(RunError::from)?;
    for event in &events {
        file.append(event).map_err(RunError::from)?;
    }
    file.close().map_err(RunError::from)?;
    let history = History::from_events(header, events).map_err(TrialError::from)?;
    let verdict = judge(&history);
    let write = |name, text: String| directory.write(name, text).map_err(RunError::from);
    write("plan.json", plan.to_json())?;
    write("verdict.json", verdict.to_json())?;
    witness::write(directory, &history, &verdict).map_err(RunError::from)?;
    let undrawn = witness::draw(directory, plan, &history, &verdict).map_err(RunError::from)?;
    let saved = Saved {
        path: directory.display(),
        history,
        verdict,
        undrawn,
    };
    save_story(directory, plan, shrunk.before, &saved, target, origin)?;
    Ok(saved)
}
