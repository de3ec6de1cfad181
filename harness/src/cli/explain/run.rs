//! The anomalies of a saved history, in words.

use std::path::Path;

use quorate_checkers::history::History;
use quorate_checkers::{Anomaly, Explanation, Verdict};

use crate::cli::args::{self, Common, Format};
use crate::cli::model;
use crate::exit::Exit;
use crate::judging::{attended, judge_file};
use crate::plan::Plan;
use crate::report::explained;
use crate::report::style::{Style, complain, print};
use crate::spacetime::{self, SpacetimeError};

/// Why nothing was drawn.
#[derive(Debug, thiserror::Error)]
enum DrawError {
    #[error("there is no plan.json beside {history}: name the directory of a simulated run")]
    NoPlan { history: String },
    #[error(transparent)]
    Spacetime(#[from] SpacetimeError),
}

pub(super) fn main(command: &args::Explain, path: &Path, common: &Common, style: Style) -> Exit {
    if model::models_for(path, None).is_some() {
        let name = &command.name;
        complain(&format!(
            "{name} is a history of another tool: `quorate check {name} --model MODEL` explains what it finds"
        ));
        return Exit::Usage;
    }
    if command.spacetime && common.format == Format::Json {
        complain("--spacetime draws text: leave out --format json");
        return Exit::Usage;
    }
    let file = path.to_owned();
    let judged = attended(common.progress, move |watch| judge_file(&file, None, watch));
    match judged.and_then(Option::transpose) {
        Ok(Some((history, verdict))) if command.spacetime => {
            match drawn(path, &history, &verdict, command) {
                Ok(text) => {
                    print(&text);
                    Exit::Kept
                }
                Err(why) => {
                    complain(&why.to_string());
                    Exit::Usage
                }
            }
        }
        Ok(Some((_, verdict))) => {
            print(&match common.format {
                Format::Text => explained::text(&command.name, &verdict, command.all, style),
                Format::Json => explained::json(&verdict, command.all),
            });
            Exit::Kept
        }
        Ok(None) => {
            complain("interrupted: nothing was explained");
            Exit::Interrupted
        }
        // A file that cannot be read or understood is bad input here, not a failure of ours.
        Err(error) => {
            complain(&error.to_string());
            Exit::Usage
        }
    }
}

/// The diagrams of the anomalies that would be told.
fn drawn(
    path: &Path,
    history: &History,
    verdict: &Verdict,
    command: &args::Explain,
) -> Result<String, DrawError> {
    let plan = plan_of(path)?;
    let told: Vec<(&Anomaly, &Explanation)> = explained::told(verdict, command.all).collect();
    if told.is_empty() {
        return Ok(explained::nothing(&command.name));
    }
    let anomalies: Vec<&Anomaly> = told.iter().map(|(anomaly, _)| *anomaly).collect();
    let watched = spacetime::watch(&plan, history, &anomalies)?;
    let diagrams = told.into_iter().map(|(anomaly, explanation)| {
        let diagram = spacetime::diagram(history, anomaly, explanation, &watched)?;
        Ok(diagram.to_text())
    });
    let diagrams: Result<Vec<String>, DrawError> = diagrams.collect();
    Ok(diagrams?.join("\n\n"))
}

/// The plan of the run that a history, or a witness, belongs to.
fn plan_of(history: &Path) -> Result<Plan, DrawError> {
    let beside = history.parent().map(|run| run.join("plan.json"));
    let above = history
        .parent()
        .and_then(Path::parent)
        .map(|run| run.join("plan.json"));
    let found = beside.into_iter().chain(above).find_map(|path| {
        let text = std::fs::read_to_string(&path).ok()?;
        Some((path.display().to_string(), text))
    });
    let Some((origin, text)) = found else {
        return Err(DrawError::NoPlan {
            history: history.display().to_string(),
        });
    };
    Ok(Plan::from_json(&text, &origin).map_err(SpacetimeError::Plan)?)
}
