//! `quorate shrink`: the fewest operations that prove an anomaly, and the smallest plan that shows it.

use std::path::Path;
use std::time::Duration;

use quorate_checkers::history::History;
use quorate_checkers::minimise::{Proof, proofs};
use quorate_checkers::verdict::Verdict;

use super::args::{self, Common};
use crate::exit::Exit;
use crate::judging::{Watch as Reading, judge_file};
use crate::plan::{Plan, PlanError, World, parse_duration_ms};
use crate::replay::rebuild;
use crate::report::progress::ProgressMode;
use crate::report::shrinking::{attended, live, simulated};
use crate::report::style::{Style, Tone, complain, print, say};
use crate::report::text::grouped;
use crate::results::{ResultsError, RunDirectory, at, find_history};
use crate::run::{RunError, RunOptions};
use crate::shrink::{self, Effort, End, Original, Saved, ShrinkError, Shrunk, Watch};
use crate::target::Target;

/// How often a smaller live plan must show it, unless told otherwise.
const NEEDED: u32 = 2;
/// Of how many runs, unless told otherwise.
const RUNS: u32 = 5;
/// How long shrinking a live run takes, unless told otherwise.
const BUDGET: Duration = Duration::from_secs(300);

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
    #[error("no part of the history proves {0} alone: it is judged by all operations together")]
    NoProof(Target),
    #[error(
        "the history alone was shrunk: there is no plan.json beside it, and it does not tell all of its plan, so nothing can be run again"
    )]
    NoPlan,
    #[error(
        "{flag} is for runs of the live world; this one was simulated, and is shrunk exactly: leave it out"
    )]
    Simulated { flag: &'static str },
}

impl Refusal {
    fn exit(&self) -> Exit {
        match self {
            Refusal::Plan(_) | Refusal::File(_) | Refusal::Simulated { .. } => Exit::Usage,
            Refusal::Run(error) | Refusal::Shrink(ShrinkError::Run(error)) => match error {
                RunError::Killed => Exit::Interrupted,
                // A file that cannot be read or understood is bad input here, not a failure of ours.
                RunError::Results(_) | RunError::History { .. } | RunError::Plan(_) => Exit::Usage,
                _ => Exit::HarnessFailure,
            },
            Refusal::Shrink(_) | Refusal::NoProof(_) => Exit::Undecided,
            Refusal::NotShown { .. } | Refusal::NoPlan => Exit::NothingRan,
        }
    }
}

pub(super) fn main(command: &args::Shrink, common: &Common, style: Style) -> Exit {
    match run(command, common, style) {
        Ok(End::Smallest | End::Spent) => Exit::Kept,
        Ok(End::Interrupted) => Exit::Interrupted,
        Err(refusal) => {
            complain(&refusal.to_string());
            refusal.exit()
        }
    }
}

fn run(command: &args::Shrink, common: &Common, style: Style) -> Result<End, Refusal> {
    let sought = command.find.as_deref().map(Target::anomaly).transpose()?;
    let to_sim = command.world.is_some();
    let path = find_history(&command.run, &common.results)?;
    let (history, verdict) = judge_file(&path, None, &Reading::default())?;
    let target = target(command, sought, &verdict)?;
    // A link such as `latest` will point elsewhere tomorrow.
    let path = path.canonicalize().map_err(at("find", &path))?;
    let run = path.parent().unwrap_or(Path::new("/")).to_owned();
    let name = run
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let plan = plan(&run, &history)?;
    let effort = effort(command, plan.as_ref(), to_sim)?;
    let directory = shrink::directory(&run)?;
    let title = style.paint(Tone::Strong, &format!("shrink {}", command.run));
    print(&format!("{title}  {target}\n"));
    let proof = proof(&history, &verdict, target)?;
    shrink::save_proof(&directory, &history.excerpt(&proof.operations))?;
    print(&format!(
        "  history     {:>9} -> {} operations that prove it alone: {}/proof.jsonl\n",
        grouped(history.operations.len() as u64),
        style.paint(Tone::Strong, &proof.operations.len().to_string()),
        directory.display()
    ));
    let plan = plan.ok_or(Refusal::NoPlan)?;
    if plan.world == World::Live && !to_sim {
        let original = Original {
            plan: &plan,
            history: &history,
            verdict: &verdict,
            name: &name,
        };
        let options = RunOptions {
            program: command.node_bin.clone(),
            results: common.results.clone(),
            keep_data: false,
            stop_on_first: false,
        };
        let is_told = common.progress != ProgressMode::None;
        let tell = |words: &str| {
            if is_told {
                say(words);
            }
        };
        let shrunk = shrink::shrink_live(&original, target, effort, &options, &directory, &tell)?;
        print(&live(&shrunk, target, style));
        return Ok(shrunk.end);
    }
    let (shrunk, saved) = attended(common.progress, move |watch| {
        in_sim(&plan, target, watch, &directory, &name)
    })??;
    print(&simulated(&shrunk, &saved, target, style));
    Ok(shrunk.end)
}

fn target(
    command: &args::Shrink,
    sought: Option<Target>,
    verdict: &Verdict,
) -> Result<Target, Refusal> {
    let target = sought.or(Target::of(verdict));
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

/// The plan of the run: the one that was saved, or the one that the history tells, if it tells all of it.
fn plan(run: &Path, history: &History) -> Result<Option<Plan>, Refusal> {
    let path = run.join("plan.json");
    if !path.exists() {
        let told = rebuild(history).ok().filter(|rebuilt| rebuilt.is_exact);
        return Ok(told.map(|rebuilt| rebuilt.plan));
    }
    let text = std::fs::read_to_string(&path).map_err(at("read", &path))?;
    Ok(Some(Plan::from_json(&text, &path.display().to_string())?))
}

/// How a live run is shrunk.
fn effort(command: &args::Shrink, plan: Option<&Plan>, to_sim: bool) -> Result<Effort, Refusal> {
    let given = [
        (command.needed.is_some(), "--needed"),
        (command.runs.is_some(), "--runs"),
        (command.budget.is_some(), "--budget"),
        (command.node_bin.is_some(), "--node-bin"),
    ];
    let is_simulated = to_sim || plan.is_some_and(|plan| plan.world != World::Live);
    if is_simulated && let Some((_, flag)) = given.into_iter().find(|&(given, _)| given) {
        return Err(Refusal::Simulated { flag });
    }
    let effort = Effort {
        needed: command.needed.unwrap_or(NEEDED),
        runs: command
            .runs
            .unwrap_or(RUNS.max(command.needed.unwrap_or(0))),
        budget: match &command.budget {
            None => BUDGET,
            Some(text) => Duration::from_millis(parse_duration_ms("budget", text)?),
        },
    };
    if effort.needed == 0 || effort.needed > effort.runs {
        return Err(Refusal::Plan(PlanError::Range {
            field: "needed",
            value: effort.needed.to_string(),
            why: format!("it must be shown in 1 to {} runs (see --runs)", effort.runs),
        }));
    }
    Ok(effort)
}

fn in_sim(
    plan: &Plan,
    target: Target,
    watch: &Watch,
    directory: &RunDirectory,
    name: &str,
) -> Result<(Shrunk, Saved), ShrinkError> {
    let shrunk = match plan.world {
        World::Sim(_) => shrink::shrink(plan, target, watch)?,
        World::Live => {
            let plan = shrink::in_sim(plan, target, watch);
            let plan = plan.ok_or(ShrinkError::NotInSim { target })?;
            shrink::shrink(&plan, target, watch)?
        }
    };
    let saved = shrink::save(directory, &shrunk, target, name)?;
    Ok((shrunk, saved))
}
