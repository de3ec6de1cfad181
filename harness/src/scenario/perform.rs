//! Plays a scenario: carries out the plan of each act like any other run, saved like any other, and compares it with what was expected.

use std::fs;

use quorate_checkers::history::Event;

use super::act::{Act, Scenario};
use super::judge::{Line, judge};
use super::seen::Seen;
use crate::exit::Exit;
use crate::plan::World;
use crate::report::progress::Progress;
use crate::results::at;
use crate::run::{RunError, RunOptions, run};

/// A scenario as it was played.
#[derive(Debug)]
pub struct Performance {
    /// Which.
    pub scenario: Scenario,
    /// Where.
    pub world: World,
    /// Why it was not played there, if it was not.
    pub skipped: Option<&'static str>,
    /// Its acts, as far as they were played.
    pub acts: Vec<Played>,
}

/// One act as it was played.
#[derive(Debug)]
pub struct Played {
    /// What is different in this act; empty if it is the only one.
    pub title: String,
    /// Where its run is kept.
    pub run: String,
    /// The story.
    pub lines: Vec<Line>,
    /// Our own failure, if any.
    pub failure: Option<String>,
    /// Whether the user ended it.
    pub interrupted: bool,
}

impl Performance {
    /// How many expectations there were, and how many were met.
    pub fn checks(&self) -> (usize, usize) {
        let lines = self.acts.iter().flat_map(|act| &act.lines);
        let checked: Vec<&Line> = lines.filter(|line| line.check.is_some()).collect();
        let met = checked.iter().filter(|line| !line.is_unlike()).count();
        (checked.len(), met)
    }

    /// What the command ends with: 1 if anything was not as expected, 3 if it could not be played here.
    pub fn exit(&self) -> Exit {
        if self.skipped.is_some() {
            return Exit::Undecided;
        }
        let of_act = |act: &Played| {
            if act.failure.is_some() {
                Exit::HarnessFailure
            } else if act.interrupted {
                Exit::Interrupted
            } else if act.lines.iter().any(Line::is_unlike) {
                Exit::Broken
            } else {
                Exit::Kept
            }
        };
        let exits = self.acts.iter().map(of_act);
        exits.fold(Exit::Kept, Exit::worst)
    }
}

/// Plays all acts in this world.
///
/// # Errors
/// When an act cannot be run at all.
pub fn perform(
    scenario: &Scenario,
    world: World,
    seed: u64,
    options: &RunOptions,
    progress: &mut Progress,
) -> Result<Performance, RunError> {
    let mut performance = Performance {
        scenario: *scenario,
        world,
        skipped: None,
        acts: Vec::new(),
    };
    if let Some((name, why)) = scenario.not_in
        && name == world.name()
    {
        performance.skipped = Some(why);
        return Ok(performance);
    }
    for mut act in (scenario.acts)()? {
        act.plan.world = world;
        act.plan.seed = seed;
        let played = play(&act, options, progress)?;
        let is_over = played.failure.is_some() || played.interrupted;
        performance.acts.push(played);
        if is_over {
            break;
        }
    }
    Ok(performance)
}

fn play(act: &Act, options: &RunOptions, progress: &mut Progress) -> Result<Played, RunError> {
    let ran = run(&act.plan, options, progress)?;
    let path = ran.directory.path().join("history.jsonl");
    let text = fs::read_to_string(&path).map_err(at("read", &path))?;
    // The first line is the header. Lines that are no events were refused when the run was judged.
    let events: Vec<Event> = text
        .lines()
        .skip(1)
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let run = ran.directory.display();
    let seen = Seen::new(&events, ran.verdict);
    Ok(Played {
        title: act.title.clone(),
        run,
        lines: judge(act, &seen),
        failure: ran.failure,
        interrupted: ran.interrupted,
    })
}
