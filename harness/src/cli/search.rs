//! `quorate run` with `--seeds`, `--until` or `--find`: many seeds in memory, then the one that was found as a run like any other.

use super::args::{self, Common, Format};
use super::{options, run};
use crate::exit::Exit;
use crate::report::searching::{self, Searching};
use crate::report::style::{Style, complain, print, say};
use crate::run::RunError;
use crate::run::interrupts::Interrupts;
use crate::search::{Explored, Found, Hunt, Idea, SearchError, explore};
use crate::trial::TrialError;

/// Why a search ended without an answer.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Search(#[from] SearchError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(
        "seed {seed} showed a {target} in memory, and not when it was run again: the simulated world is not deterministic, which is a bug of ours"
    )]
    NotAgain { seed: u64, target: String },
}

impl Failure {
    fn exit(&self) -> Exit {
        match self {
            Failure::Search(SearchError { source, .. }) => match source {
                TrialError::Plan(_) | TrialError::Live => Exit::Usage,
                TrialError::Sim(_) | TrialError::History(_) => Exit::HarnessFailure,
            },
            Failure::Run(error) => error.exit(),
            Failure::NotAgain { .. } => Exit::HarnessFailure,
        }
    }
}

pub(super) fn main(command: &args::Run, common: &Common, style: Style) -> Exit {
    let (idea, hunt) = match options::search(command) {
        Ok(asked) => asked,
        Err(error) => {
            complain(&error.to_string());
            return Exit::Usage;
        }
    };
    match searched(&idea, &hunt, command, common, style) {
        Ok(exit) => exit,
        Err(failure) => {
            complain(&failure.to_string());
            failure.exit()
        }
    }
}

fn searched(
    idea: &Idea,
    hunt: &Hunt,
    command: &args::Run,
    common: &Common,
    style: Style,
) -> Result<Exit, Failure> {
    let explored = attended(idea, hunt, common)?;
    let told = searching::text(&explored, hunt, style);
    match (common.format, &explored.found) {
        (Format::Text, _) => print(&told),
        // The verdict of what was found is the document.
        (Format::Json, Some(_)) => say(&told),
        (Format::Json, None) => print(&searching::json(&explored, hunt)),
    }
    let Some(Found { seed, plan }) = explored.found else {
        return Ok(if explored.interrupted {
            Exit::Interrupted
        } else {
            explored.tally.exit(hunt.target)
        });
    };
    let ran = run::carried_out(&plan, command, common, style)?;
    if !ran.interrupted && hunt.target.shown_by(&ran.verdict).is_none() {
        return Err(Failure::NotAgain {
            seed,
            target: hunt.target.to_string(),
        });
    }
    Ok(ran.exit())
}

/// Searches, shows how far it is, and minds the interrupt.
fn attended(idea: &Idea, hunt: &Hunt, common: &Common) -> Result<Explored, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(RunError::Runtime)?;
    let _inside = runtime.enter();
    let mut interrupts = Interrupts::new().map_err(RunError::Runtime)?;
    let mut searching = Searching::new(common.progress, hunt);
    let explored = explore(&|seed| idea.plan_of(seed), hunt, |tally| {
        searching.look(tally);
        !runtime.block_on(interrupts.has_come())
    });
    searching.end();
    Ok(explored?)
}
