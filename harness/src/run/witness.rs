//! Saves, for each kind of anomaly that was seen, its explanation and a minimal history that `check` accepts alone.

use quorate_checkers::history::History;
use quorate_checkers::verdict::Verdict;

use crate::results::{ResultsError, RunDirectory};

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
        let stem = format!("witness/{}-1", anomaly.name());
        directory.write(&format!("{stem}.txt"), explanation.render())?;
        directory.write(&format!("{stem}.jsonl"), anomaly.excerpt(history))?;
    }
    Ok(())
}
