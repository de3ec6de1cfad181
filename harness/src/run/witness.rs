//! Saves, for each kind of anomaly that was seen, its explanation and a minimal history that `check` accepts alone; for a simulated
//! run a spacetime diagram, too.

use quorate_checkers::Anomaly;
use quorate_checkers::history::History;
use quorate_checkers::verdict::Verdict;

use crate::plan::{Plan, World};
use crate::results::{ResultsError, RunDirectory};
use crate::spacetime::{self, SpacetimeError};

/// Writes `witness/<anomaly>-1.{txt,jsonl}` for the first anomaly of each guarantee.
pub(crate) fn write(
    directory: &RunDirectory,
    history: &History,
    verdict: &Verdict,
) -> Result<(), ResultsError> {
    for row in &verdict.rows {
        let (Some(anomaly), Some(explanation)) =
            (row.finding.anomalies.first(), row.explanations.first())
        else {
            continue;
        };
        let stem = stem(anomaly);
        directory.write(&format!("{stem}.txt"), explanation.render())?;
        directory.write(&format!("{stem}.jsonl"), anomaly.excerpt(history))?;
    }
    Ok(())
}

/// Writes `witness/<anomaly>-1.{svg,spacetime.txt}` beside them if the run was simulated. The run is simulated once more for that, so that
/// nobody pays for the watching where nothing is wrong. Returns why there are none of some, if so.
pub(crate) fn draw(
    directory: &RunDirectory,
    plan: &Plan,
    history: &History,
    verdict: &Verdict,
) -> Result<Option<SpacetimeError>, ResultsError> {
    let rows = verdict.rows.iter();
    let firsts: Vec<_> = rows
        .filter_map(|row| Some((row.finding.anomalies.first()?, row.explanations.first()?)))
        .collect();
    if firsts.is_empty() || plan.world == World::Live {
        return Ok(None);
    }
    let anomalies: Vec<&Anomaly> = firsts.iter().map(|(anomaly, _)| *anomaly).collect();
    let watched = match spacetime::watch(plan, history, &anomalies) {
        Ok(watched) => watched,
        Err(why) => return Ok(Some(why)),
    };
    let mut missing = None;
    for (anomaly, explanation) in firsts {
        match spacetime::diagram(history, anomaly, explanation, &watched) {
            Ok(diagram) => {
                let stem = stem(anomaly);
                directory.write(&format!("{stem}.svg"), diagram.to_svg())?;
                directory.write(&format!("{stem}.spacetime.txt"), diagram.to_text())?;
            }
            Err(why) => missing = Some(why),
        }
    }
    Ok(missing)
}

fn stem(anomaly: &Anomaly) -> String {
    format!("witness/{}-1", anomaly.name())
}
