//! From a plan to its verdict by way of the simulated world, without a file in between.

use quorate::plan::Plan;
use quorate::world::sim::{self, Weather};
use quorate_checkers::{Explanation, Guarantee, History, Outcome, Row, Ruling, Verdict, judge};

/// Carries out a plan and judges what happened.
pub(crate) fn judged(plan: &Plan, weather: &Weather) -> Result<Verdict, String> {
    let events = sim::run(plan, weather).map_err(|error| error.to_string())?;
    let header = plan.header().map_err(|error| error.to_string())?;
    let history = History::from_events(header, events).map_err(|error| error.to_string())?;
    Ok(judge(&history))
}

/// What came of one guarantee.
pub(crate) fn ruling(verdict: &Verdict, guarantee: Guarantee) -> Option<Ruling> {
    verdict.row(guarantee).map(|row| row.ruling)
}

/// The first broken promise in plain words, with everything that it takes to break it again; none if all were kept.
pub(crate) fn breach(plan: &Plan, weather: &Weather, verdict: &Verdict) -> Option<String> {
    if verdict.outcome != Outcome::Broken {
        return None;
    }
    let is_broken = |row: &&Row| row.ruling == Ruling::Broken;
    let row = verdict.rows.iter().find(is_broken)?;
    let told = row.explanations.first().map(Explanation::render);
    Some(format!(
        "{} is broken, although {}\n{}\n{weather:?}\n{}",
        row.promise.guarantee.name(),
        row.promise.reason,
        told.unwrap_or_default(),
        plan.to_json(),
    ))
}
