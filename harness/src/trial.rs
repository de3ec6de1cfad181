//! One simulated run in memory: from a plan to its verdict without a file in between, for searching and shrinking.
//!
//! What is worth keeping is run again with [`run`](crate::run::run), which makes the same bytes and saves them.

use quorate_checkers::guarantee::Guarantee;
use quorate_checkers::history::{History, HistoryError};
use quorate_checkers::verdict::{Verdict, judge};
use thiserror::Error;

use crate::plan::{Plan, PlanError, World};
use crate::world::sim::{self, SimError};

/// Why there was no trial.
#[derive(Debug, Error)]
pub enum TrialError {
    /// The plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Virtual time.
    #[error(transparent)]
    Sim(#[from] SimError),
    /// Our own history is none.
    #[error("the simulated history cannot be judged: {0}")]
    History(#[from] HistoryError),
    /// It would take real time.
    #[error("only plans of the simulated world can be tried in memory: add --world sim")]
    Live,
}

/// What came of a trial.
#[derive(Debug)]
pub struct Trial {
    /// What happened.
    pub history: History,
    /// What that means.
    pub verdict: Verdict,
}

/// Simulates a plan and judges what happened. Deterministic in the plan, and in one thread.
///
/// # Errors
/// When the plan cannot be simulated.
pub fn trial(plan: &Plan) -> Result<Trial, TrialError> {
    judged_trial(plan, None)
}

/// As [`trial`], judged by this guarantee alone: the verdict has its row, if the load gives evidence of it, and no other.
///
/// # Errors
/// When the plan cannot be simulated.
pub fn trial_for(plan: &Plan, guarantee: Guarantee) -> Result<Trial, TrialError> {
    judged_trial(plan, Some(guarantee))
}

fn judged_trial(plan: &Plan, only: Option<Guarantee>) -> Result<Trial, TrialError> {
    let World::Sim(weather) = plan.world else {
        return Err(TrialError::Live);
    };
    let events = sim::run(plan, &weather)?;
    let mut header = plan.header()?;
    if let (Some(guarantee), Some(judges)) = (only, &mut header.judges) {
        judges.retain(|name| name == guarantee.name());
    }
    let history = History::from_events(header, events)?;
    let verdict = judge(&history);
    Ok(Trial { history, verdict })
}
