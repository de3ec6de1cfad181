//! What was typed -> what it means: flags over a file over defaults become a plan.

use std::ops::Range;
use std::path::Path;

use quorate_node::config::StoreConfig;

use super::args;
use crate::plan::{Plan, PlanError, PlanSpec, StoreSpec, World, parse_claim, unknown};
use crate::results::ResultsError;
use crate::search::{Hunt, Idea};
use crate::target::Target;
use crate::world::sim::Weather;

/// The flag that names the executable of the nodes.
const NODE_BIN: &str = "--node-bin";

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
    #[error(
        "a search runs thousands of plans, which only the simulated world can: leave out --world live (here, in the environment or in the plan), or run one seed live with --seed"
    )]
    LiveSearch,
    #[error(
        "{0} means nothing in the simulated world, where there are no processes: leave it out, or add --world live"
    )]
    NoProcesses(&'static str),
}

/// The plan that `run` is asked for.
pub(super) fn plan(run: &args::Run) -> Result<Plan, OptionsError> {
    let plan = match &run.plan {
        Some(path) if is_expanded(path) => expanded(path, spec(run))?,
        _ => said(run)?.plan(fresh_seed())?,
    };
    if plan.world != World::Live {
        refuse_flags_of_processes(run)?;
    }
    Ok(plan)
}

/// What only processes have cannot be asked of a world without any.
fn refuse_flags_of_processes(run: &args::Run) -> Result<(), OptionsError> {
    if run.keep_data {
        return Err(OptionsError::NoProcesses("--keep-data"));
    }
    match run.node_bin {
        Some(_) => Err(OptionsError::NoProcesses(NODE_BIN)),
        None => Ok(()),
    }
}

/// An executable for nodes is wanted: some plan has to start nodes.
pub(super) fn node_bin_for<'a>(
    mut plans: impl Iterator<Item = &'a Plan>,
) -> Result<(), OptionsError> {
    if plans.any(|plan| plan.world == World::Live) {
        Ok(())
    } else {
        Err(OptionsError::NoProcesses(NODE_BIN))
    }
}

/// What a search is asked for: what the plans of its seeds have in common, and the hunt.
pub(super) fn search(run: &args::Run) -> Result<(Idea, Hunt), OptionsError> {
    refuse_flags_of_processes(run)?;
    let (idea, first) = match &run.plan {
        Some(path) if is_expanded(path) => (saved_idea(path, spec(run))?, None),
        _ => {
            let said = said(run)?;
            (said_idea(&said)?, said.seed)
        }
    };
    let target = match &run.search.find {
        Some(name) => Target::anomaly(name)?,
        None => Target::AnyBreach,
    };
    let seeds = match &run.search.seeds {
        Some(text) => parse_seeds(text)?,
        None => first.unwrap_or(0)..u64::MAX,
    };
    let hunt = Hunt {
        seeds,
        target,
        threads: rayon::current_num_threads(),
    };
    Ok((idea, hunt))
}

/// A search is in the simulated world, whether that is said or not.
fn said_idea(said: &PlanSpec) -> Result<Idea, OptionsError> {
    let sim = World::Sim(Weather::default()).name();
    match said.world.as_deref() {
        Some(world) if world == World::Live.name() => Err(OptionsError::LiveSearch),
        Some(_) => Ok(Idea::Said(Box::new(said.clone()))),
        None => Ok(Idea::Said(Box::new(PlanSpec {
            world: Some(sim.to_owned()),
            ..said.clone()
        }))),
    }
}

/// A saved plan is searched in the simulated world, wherever it was carried out.
fn saved_idea(path: &Path, flags: PlanSpec) -> Result<Idea, OptionsError> {
    let world = flags.world.as_deref();
    if world.is_some_and(|world| world == World::Live.name()) {
        return Err(OptionsError::LiveSearch);
    }
    if let Some(stranger) = world.filter(|world| !World::NAMES.contains(world)) {
        return Err(unknown("world", stranger, World::NAMES).into());
    }
    let others = PlanSpec {
        world: None,
        ..flags
    };
    Ok(Idea::Saved(Box::new(expanded(path, others)?)))
}

fn is_expanded(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "json")
}

/// Flags over the file, if there is one.
fn said(run: &args::Run) -> Result<PlanSpec, OptionsError> {
    let flags = spec(run);
    let Some(path) = &run.plan else {
        return Ok(flags);
    };
    let file = PlanSpec::from_toml(&read(path)?, &path.display().to_string())?;
    Ok(flags.over(file))
}

/// Reads `0..10000`.
fn parse_seeds(text: &str) -> Result<Range<u64>, PlanError> {
    let bounds = text.split_once("..");
    let seeds = bounds.and_then(|(first, end)| Some(first.parse().ok()?..end.parse().ok()?));
    seeds
        .filter(|seeds: &Range<u64>| !seeds.is_empty())
        .ok_or_else(|| PlanError::Malformed {
            field: "seeds",
            text: text.to_owned(),
            expected: "a range FIRST..END that holds at least FIRST, such as 0..10000",
        })
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

/// The store that a cluster is asked for, without any load or fault.
pub(super) fn store(
    flags: &args::StoreFlags,
    plan: Option<&Path>,
) -> Result<StoreConfig, OptionsError> {
    let said = spec_of_store(flags);
    let plan = match plan {
        Some(path) if is_expanded(path) => expanded(path, said)?,
        Some(path) => {
            let file = PlanSpec::from_toml(&read(path)?, &path.display().to_string())?;
            said.over(file).plan(0)?
        }
        None => said.plan(0)?,
    };
    Ok(plan.store)
}

fn spec_of_store(flags: &args::StoreFlags) -> PlanSpec {
    PlanSpec {
        profile: flags.profile.clone(),
        nodes: flags.nodes,
        n: flags.n,
        r: flags.r,
        w: flags.w,
        read_fanout: flags.read_fanout.clone(),
        read_repair: flags.read_repair.clone(),
        sync: flags.sync.clone(),
        request_timeout: flags.request_timeout.clone(),
        sabotage: flags.sabotage.clone(),
        read_level: flags.more.read_level,
        write_level: flags.more.write_level,
        store: Some(store_spec(&flags.more)).filter(|store| !store.is_empty()),
        ..PlanSpec::default()
    }
}

fn spec(run: &args::Run) -> PlanSpec {
    PlanSpec {
        op_timeout: run.load.op_timeout.clone(),
        workload: run.load.workload.clone(),
        clients: run.load.clients,
        rate: run.load.rate,
        keys: run.load.keys,
        reads: run.load.reads,
        deletes: run.load.deletes,
        blind: run.load.blind,
        lasts: run.lasts.clone(),
        faults: run.faults.clone(),
        timeline: None,
        script: None,
        seed: run.seed,
        world: run.world.clone(),
        weather: None,
        claim: run.claim.clone(),
        ..spec_of_store(&run.store)
    }
}

fn store_spec(more: &args::MoreStoreFlags) -> StoreSpec {
    StoreSpec {
        versions: more.versions.clone(),
        stamps: more.stamps.clone(),
        resolution: more.resolution.clone(),
        tie: more.tie.clone(),
        data_centres: more.data_centres.clone(),
        sloppy: more.sloppy,
        pr: more.pr,
        pw: more.pw,
        dw: more.dw,
        hints: more.hints.clone(),
        hints_durable: more.hints_durable,
        hint_window: more.hint_window.clone(),
        hint_bytes: more.hint_bytes,
        hint_interval: more.hint_interval.clone(),
        hint_throttle: more.hint_throttle,
        repair_percent: more.repair_percent,
        write_back: more.write_back,
        digest_reads: more.digest_reads,
        speculative_retry: more.speculative_retry.clone(),
        anti_entropy: more.upkeep.anti_entropy.clone(),
        purge: more.upkeep.purge.clone(),
        leader: more.leader.clone(),
        promotion: more.promotion.clone(),
        lease: more.lease.clone(),
        fencing: more.fencing,
        detect: more.detect.clone(),
        leader_reads: more.leader_reads.clone(),
        max_requests: more.max_requests,
        max_keys: more.max_keys,
        max_bytes: more.max_bytes,
        membership: more.upkeep.membership.clone(),
        ring_members: more.upkeep.ring_members.clone(),
        probe_period: more.upkeep.probe_period.clone(),
        suspicion: more.upkeep.suspicion.clone(),
    }
}

/// A seed that nobody chose, short enough to be typed.
pub(super) fn fresh_seed() -> u64 {
    let nanos = jiff::Timestamp::now().as_nanosecond();
    u64::try_from(nanos.rem_euclid(1_000_000_007)).unwrap_or(1) % 1_000_000
}
