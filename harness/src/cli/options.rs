//! What was typed -> what it means: flags over a file over defaults become a plan.

use std::path::Path;

use super::args;
use crate::plan::{Plan, PlanError, PlanSpec, parse_claim};
use crate::results::ResultsError;

/// Why the command line makes no plan.
#[derive(Debug, thiserror::Error)]
pub(super) enum OptionsError {
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    File(#[from] ResultsError),
    #[error(
        "{file} is an expanded plan, which only --claim, --keep-data and --node-bin can go with: leave out {flag} (here or in the environment), or write a TOML plan"
    )]
    Expanded { file: String, flag: &'static str },
}

/// The plan that `run` is asked for.
pub(super) fn plan(run: &args::Run) -> Result<Plan, OptionsError> {
    let flags = spec(run);
    match &run.plan {
        None => Ok(flags.plan(fresh_seed())?),
        Some(path)
            if path
                .extension()
                .is_some_and(|extension| extension == "json") =>
        {
            expanded(path, flags)
        }
        Some(path) => {
            let text = read(path)?;
            let file = PlanSpec::from_toml(&text, &path.display().to_string())?;
            Ok(flags.over(file).plan(fresh_seed())?)
        }
    }
}

/// A saved plan is carried out as it is; only what it is judged by may differ.
fn expanded(path: &Path, flags: PlanSpec) -> Result<Plan, OptionsError> {
    let origin = path.display().to_string();
    let claim = flags.claim.clone();
    let others = PlanSpec {
        claim: None,
        ..flags
    };
    if let Some(flag) = others.first_setting() {
        return Err(OptionsError::Expanded { file: origin, flag });
    }
    let mut plan = Plan::from_json(&read(path)?, &origin)?;
    if let Some(claim) = claim {
        plan.claim = Some(parse_claim(&claim)?);
    }
    Ok(plan)
}

fn read(path: &Path) -> Result<String, OptionsError> {
    Ok(std::fs::read_to_string(path).map_err(crate::results::at("read", path))?)
}

fn spec(run: &args::Run) -> PlanSpec {
    PlanSpec {
        nodes: run.store.nodes,
        n: run.store.n,
        r: run.store.r,
        w: run.store.w,
        read_fanout: run.store.read_fanout.clone(),
        read_repair: run.store.read_repair.clone(),
        sync: run.store.sync.clone(),
        request_timeout: run.store.request_timeout.clone(),
        op_timeout: run.load.op_timeout.clone(),
        sabotage: run.store.sabotage.clone(),
        workload: run.load.workload.clone(),
        clients: run.load.clients,
        rate: run.load.rate,
        keys: run.load.keys,
        reads: run.load.reads,
        deletes: run.load.deletes,
        lasts: run.lasts.clone(),
        faults: run.faults.clone(),
        timeline: None,
        script: None,
        seed: run.seed,
        world: run.world.clone(),
        weather: None,
        claim: run.claim.clone(),
    }
}

/// A seed that nobody chose, short enough to be typed.
pub(super) fn fresh_seed() -> u64 {
    let nanos = jiff::Timestamp::now().as_nanosecond();
    u64::try_from(nanos.rem_euclid(1_000_000_007)).unwrap_or(1) % 1_000_000
}
