//! `quorate shrink`: the fewest operations that prove an anomaly, and the smallest plan that shows it.

use std::path::{Path, PathBuf};

use quorate_checkers::history::History;
use quorate_checkers::minimise::{Proof, proofs};
use quorate_checkers::verdict::Verdict;

use super::args::{self, Common};
use crate::exit::Exit;
use crate::judging::{Watch as Reading, judge_file};
use crate::plan::{Plan, PlanError, World};
use crate::report::shrinking::{attended, text};
use crate::report::style::{Style, Tone, complain, print};
use crate::report::text::grouped;
use crate::results::{ResultsError, RunDirectory, at, find_history};
use crate::run::RunError;
use crate::shrink::{self, End, Saved, ShrinkError, Shrunk, Watch};
use crate::target::Target;

/// Why nothing was shrunk.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    File(#[from] ResultsError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Shrink(#[from] ShrinkError),
    #[error("{run} shows no {what}: it shows {shown}")]
    NotShown {
        run: String,
        what: String,
        shown: String,
    },
    #[error("no part of the history proves the {0} alone: it is judged by all operations together")]
    NoProof(Target),
    #[error(
        "the history alone was shrunk: there is no plan.json beside it, so nothing can be run again"
    )]
    NoPlan,
    #[error(
        "the history alone was shrunk: the plan is of the live world, where no two runs are the same"
    )]
    LivePlan,
}

impl Refusal {
    fn exit(&self) -> Exit {
        match self {
            Refusal::Plan(_) | Refusal::File(_) => Exit::Usage,
            Refusal::Run(RunError::Killed) => Exit::Interrupted,
            // A file that cannot be read or understood is bad input here, not a failure of ours.
            Refusal::Run(RunError::Results(_) | RunError::History { .. } | RunError::Plan(_)) => {
                Exit::Usage
            }
            Refusal::Run(_) => Exit::HarnessFailure,
            Refusal::Shrink(_) | Refusal::NoProof(_) => Exit::Undecided,
            Refusal::NotShown { .. } | Refusal::NoPlan | Refusal::LivePlan => Exit::NothingRan,
        }
    }
}

pub(super) fn main(command: &args::Shrink, common: &Common, style: Style) -> Exit {
    match run(command, common, style) {
        Ok(exit) => exit,
        Err(refusal) => {
            complain(&refusal.to_string());
            refusal.exit()
        }
    }
}

fn run(command: &args::Shrink, common: &Common, style: Style) -> Result<Exit, Refusal> {
    let sought = command.find.as_deref().map(Target::anomaly).transpose()?;
    let path = find_history(&command.run, &common.results)?;
    let (history, verdict) = judge_file(&path, None, &Reading::default())?;
    let target = target(command, sought, &verdict)?;
    let run = path.parent().unwrap_or(Path::new(".")).to_owned();
    let directory = shrink::directory(&run)?;
    let title = style.paint(Tone::Strong, &format!("shrink {}", command.run));
    print(&format!("{title}  {target}\n"));
    let proof = proof(&history, &verdict, target)?;
    let file = shrink::save_proof(&directory, &history.excerpt(&proof.operations))?;
    print(&format!(
        "  history     {:>9} -> {} operations, which prove it alone: {}\n",
        grouped(history.operations.len() as u64),
        style.paint(Tone::Strong, &proof.operations.len().to_string()),
        file.display()
    ));
    let plan = plan(&run)?;
    let origin = command.run.clone();
    let (shrunk, saved) = attended(common.progress, move |watch| {
        shrink_and_save(&plan, target, watch, &directory, &origin)
    })??;
    print(&text(&shrunk, &saved, target, style));
    Ok(match shrunk.end {
        End::Interrupted => Exit::Interrupted,
        End::Smallest | End::Spent => Exit::Kept,
    })
}

fn target(
    command: &args::Shrink,
    sought: Option<Target>,
    verdict: &Verdict,
) -> Result<Target, Refusal> {
    let of_run = Target::of(verdict);
    let target = sought.or(of_run);
    if let Some(target) = target
        && target.shown_by(verdict).is_some()
    {
        return Ok(target);
    }
    let rows = verdict.rows.iter().filter(|row| row.finding.seen > 0);
    let shown: Vec<&str> = rows
        .map(|row| row.promise.guarantee.anomaly_name())
        .collect();
    Err(Refusal::NotShown {
        run: command.run.clone(),
        what: target.map_or_else(|| "anomaly".to_owned(), |target| target.to_string()),
        shown: if shown.is_empty() {
            "none".to_owned()
        } else {
            shown.join(", ")
        },
    })
}

fn proof(history: &History, verdict: &Verdict, target: Target) -> Result<Proof, Refusal> {
    let row = target.shown_by(verdict);
    let proofs = row.map(|row| proofs(history, row)).unwrap_or_default();
    proofs.into_iter().next().ok_or(Refusal::NoProof(target))
}

/// The plan of the run, if it can be shrunk.
fn plan(run: &Path) -> Result<Plan, Refusal> {
    let path: PathBuf = run.join("plan.json");
    if !path.exists() {
        return Err(Refusal::NoPlan);
    }
    let text = std::fs::read_to_string(&path).map_err(at("read", &path))?;
    let plan = Plan::from_json(&text, &path.display().to_string())?;
    match plan.world {
        World::Sim(_) => Ok(plan),
        World::Live => Err(Refusal::LivePlan),
    }
}

fn shrink_and_save(
    plan: &Plan,
    target: Target,
    watch: &Watch,
    directory: &RunDirectory,
    origin: &str,
) -> Result<(Shrunk, Saved), ShrinkError> {
    let shrunk = shrink::shrink(plan, target, watch)?;
    let saved = shrink::save(directory, &shrunk, target, origin)?;
    Ok((shrunk, saved))
}
