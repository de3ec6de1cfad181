//! What a seed of a search means: the plan that is made of what a person said and what the seed draws for the rest.
//!
//! Swarm testing (Groce, Zhang, Eide, Chen and Regehr, ISSTA 2012): runs that each leave out some kinds of fault, and lean on the
//! others, find more than runs that are all a bit of everything. What is said stays as it was said; the store is never drawn,
//! as it is what is tested. Nothing is carried out here.

use quorate_workloads::{Kind, Rng};

use crate::fault::FaultKind;
use crate::plan::schedule::{self, Down, Track};
use crate::plan::{Plan, PlanError, PlanSpec, Scheduled, World, is_cued, parse_duration_ms};
use crate::world::sim::{Span, Weather};

/// How long clients work, ms.
const LASTS_MS: [u64; 4] = [500, 1_000, 2_000, 4_000];
/// How many operations they are to do in that time.
const OPERATIONS: [u64; 4] = [100, 300, 1_000, 2_000];
/// The slowest load worth a run, operations per second.
const RATE_MIN: u64 = 50;
/// How many clients there are.
const CLIENTS: [u64; 4] = [2, 4, 8, 16];
/// How many keys they share.
const KEYS: [u64; 5] = [1, 2, 4, 10, 40];
/// The share of reads, percent.
const READS: [u64; 3] = [30, 50, 70];
/// The share of deletes, percent, of a load that has any.
const DELETES: [u64; 3] = [0, 5, 25];
/// The all-round load is the most likely one, percent.
const REGISTER_PERCENT: u64 = 60;

/// How often a kind of fault is on, percent.
const ON_PERCENT: u64 = 50;
/// How often clocks are wrong, percent: they take back most promises.
const CLOCK_ON_PERCENT: u64 = 25;
/// How long faults last, percent of the usual.
const LASTS_PERCENT: [u64; 4] = [5, 25, 100, 200];
/// How long it is quiet between them, percent of the usual.
const QUIET_PERCENT: [u64; 4] = [5, 20, 50, 100];
/// A storm of this length has room for faults at their usual pace, ms.
const ROOMY_STORM_MS: u64 = 2_000;
/// How often a majority of the nodes may be taken down, or even all of them, percent.
const DOWN_ANY_PERCENT: u64 = 30;

/// How often a moment of a timeline that was written by hand is kept, percent.
const KEPT_PERCENT: u64 = 75;

/// What the plans of all seeds of a search have in common.
#[derive(Clone, Debug)]
pub enum Idea {
    /// What a person said.
    Said(Box<PlanSpec>),
    /// A plan that was expanded before, for a search of its neighbourhood.
    Saved(Box<Plan>),
}

impl Idea {
    /// The plan of a seed: see [`plan_of`] and [`plan_like`].
    ///
    /// # Errors
    /// When what was said is not possible.
    pub fn plan_of(&self, seed: u64) -> Result<Plan, PlanError> {
        match self {
            Idea::Said(spec) => plan_of(spec, seed),
            Idea::Saved(plan) => plan_like(plan, seed),
        }
    }
}

/// The simulated plan that a seed makes of a saved one: the same store and load, with other operations; some of the faults, a little
/// earlier or later. A plan of the live world meets weather that the seed draws, one of the simulated world its own.
///
/// # Errors
/// When the plan is not possible.
pub fn plan_like(saved: &Plan, seed: u64) -> Result<Plan, PlanError> {
    let weather = match saved.world {
        World::Live => weather(saved.store.request_timeout_ms, seed),
        World::Sim(weather) => weather,
    };
    let plan = Plan {
        seed,
        world: World::Sim(weather),
        timeline: varied(saved, seed),
        ..saved.clone()
    };
    plan.validate()?;
    Ok(plan)
}

/// The plan of a seed. It is the same for ever, on every machine.
///
/// # Errors
/// When what was said is not possible.
pub fn plan_of(spec: &PlanSpec, seed: u64) -> Result<Plan, PlanError> {
    let spec = &spec.clone().with_profile()?;
    let said = PlanSpec {
        seed: Some(seed),
        ..spec.clone()
    };
    let mut plan = said.over(drawn(spec, seed)?).plan(seed)?;
    plan.timeline = if spec.timeline.is_some() {
        varied(&plan, seed)
    } else {
        let tracks = tracks(spec, plan.phases.storm_ms, seed)?;
        schedule::timeline_of(&tracks, plan.store.nodes, plan.phases.storm_ms, seed)
    };
    plan.validate()?;
    Ok(plan)
}

/// The load (unless a script says it) and the weather that a seed draws. Each setting has a stream of its own, so that saying one changes no other.
fn drawn(spec: &PlanSpec, seed: u64) -> Result<PlanSpec, PlanError> {
    let load = match &spec.script {
        Some(_) => PlanSpec::default(),
        None => load(spec, seed)?,
    };
    let request_timeout_ms = match &spec.request_timeout {
        Some(text) => parse_duration_ms("request-timeout", text)?,
        None => u64::MAX,
    };
    Ok(PlanSpec {
        weather: Some(weather(request_timeout_ms, seed)),
        ..load
    })
}

fn load(spec: &PlanSpec, seed: u64) -> Result<PlanSpec, PlanError> {
    let one_of = |name: &str, choices: &[u64]| {
        let mut rng = Rng::stream(seed, name);
        rng.pick(choices).copied().unwrap_or_default()
    };
    let workload = workload(seed);
    let said = spec.workload.as_deref().and_then(Kind::from_name);
    let has_deletes = said.unwrap_or(workload).default_shares().1 > 0;
    // A timeline written by hand has its place in the time that it was written for.
    let lasts_ms = match (&spec.lasts, &spec.timeline) {
        (Some(lasts), _) => Some(parse_duration_ms("for", lasts)?),
        (None, Some(_)) => None,
        (None, None) => Some(one_of("search: for", &LASTS_MS)),
    };
    let operations = one_of("search: operations", &OPERATIONS);
    let rate = |lasts_ms: u64| (operations * 1_000 / lasts_ms.max(1)).max(RATE_MIN);
    let reads = one_of("search: reads", &READS);
    let deletes = one_of("search: deletes", &DELETES);
    Ok(PlanSpec {
        workload: Some(workload.name().to_owned()),
        lasts: lasts_ms.map(|ms| format!("{ms}ms")),
        rate: lasts_ms.map(rate),
        clients: Some(one_of("search: clients", &CLIENTS)),
        keys: Some(one_of("search: keys", &KEYS)),
        reads: Some(reads.min(100_u64.saturating_sub(spec.deletes.unwrap_or(0)))),
        deletes: has_deletes
            .then(|| deletes.min(100_u64.saturating_sub(spec.reads.unwrap_or(reads)))),
        ..PlanSpec::default()
    })
}

fn workload(seed: u64) -> Kind {
    let mut rng = Rng::stream(seed, "search: workload");
    if rng.percent(REGISTER_PERCENT) {
        return Kind::Register;
    }
    let others = [Kind::WriteOnce, Kind::Racing];
    rng.pick(&others).copied().unwrap_or(Kind::Register)
}

/// As usual, foul, or fast enough for many operations within a millisecond. Where coordinators would give up in what is drawn, it is
/// fast: no store is available otherwise.
fn weather(request_timeout_ms: u64, seed: u64) -> Weather {
    let fast = Weather {
        transit: Span::new(10, 60),
        gust_percent: 0,
        client: Span::new(5, 20),
        sync: Span::new(10, 60),
        ..Weather::default()
    };
    let foul = Weather {
        gust_percent: 30,
        gust: Span::new(1_000, 20_000),
        sync: Span::new(1_000, 20_000),
        ..Weather::default()
    };
    let mut rng = Rng::stream(seed, "search: weather");
    let weathers = [Weather::default(), fast, foul];
    let fits =
        |weather: &&Weather| weather.round_trip_us() <= request_timeout_ms.saturating_mul(1_000);
    rng.pick(&weathers).filter(fits).copied().unwrap_or(fast)
}

/// Which kinds of fault are on, and how each behaves: at least one of those that may happen.
fn tracks(spec: &PlanSpec, storm_ms: u64, seed: u64) -> Result<Vec<Track>, PlanError> {
    // A script is a story of its own: nothing happens to it unless that is said.
    let unsaid: &[FaultKind] = match &spec.script {
        None => &FaultKind::ANYWHERE,
        Some(_) => &[],
    };
    let kinds = spec.fault_kinds(unsaid)?;
    let mut rng = Rng::stream(seed, "search: faults");
    // Drawn for all kinds, so that allowing one more changes nothing about the others but their company.
    let draws = FaultKind::ANYWHERE.map(|kind| {
        let on_percent = match kind {
            FaultKind::Clock => CLOCK_ON_PERCENT,
            FaultKind::Kill
            | FaultKind::Pause
            | FaultKind::Partition
            | FaultKind::Slow
            | FaultKind::Ring => ON_PERCENT,
        };
        (rng.percent(on_percent), track(kind, storm_ms, seed))
    });
    let may_happen = |kind: FaultKind| kinds.contains(&kind);
    let (on, off): (Vec<_>, Vec<_>) = draws
        .into_iter()
        .filter(|(_, track)| may_happen(track.kind))
        .partition(|(is_on, _)| *is_on);
    let chosen: Vec<Track> = on.into_iter().map(|(_, track)| track).collect();
    if !chosen.is_empty() {
        return Ok(chosen);
    }
    let one = rng.pick(&off).map(|(_, track)| *track);
    Ok(one.into_iter().collect())
}

fn track(kind: FaultKind, storm_ms: u64, seed: u64) -> Track {
    let mut rng = Rng::stream(seed, &format!("search: {}", kind.name()));
    let mut one_of = |percents: &[u64]| rng.pick(percents).copied().unwrap_or(100);
    // In a short storm the first fault must not wait until it is over.
    let quiet_max = (storm_ms * 100 / ROOMY_STORM_MS).max(1);
    Track {
        kind,
        lasts_percent: one_of(&LASTS_PERCENT),
        quiet_percent: one_of(&QUIET_PERCENT).min(quiet_max),
        down: if rng.percent(DOWN_ANY_PERCENT) {
            Down::Any
        } else {
            Down::Minority
        },
    }
}

/// Some of the moments of a timeline, each a little earlier or later, shorter or longer.
fn varied(plan: &Plan, seed: u64) -> Vec<Scheduled> {
    let mut rng = Rng::stream(seed, "search: timeline");
    let latest_ms = plan.phases.storm_ms.saturating_sub(1);
    let mut moments = Vec::new();
    for scheduled in &plan.timeline {
        // What something waits for stays: without it, nothing of that would come.
        let is_kept = rng.percent(KEPT_PERCENT) || is_cued(&plan.load.script);
        let moment = Scheduled {
            at_ms: (scheduled.at_ms * rng.between(75, 125) / 100).min(latest_ms),
            for_ms: (scheduled.for_ms * rng.between(50, 150) / 100).max(1),
            ..scheduled.clone()
        };
        moments.push((is_kept, moment));
    }
    if moments.iter().all(|(is_kept, _)| !is_kept) {
        // Nothing would happen, which is not what the timeline was written for.
        for (is_kept, _) in &mut moments {
            *is_kept = true;
        }
    }
    let kept = moments.into_iter().filter(|(is_kept, _)| *is_kept);
    let mut timeline: Vec<Scheduled> = kept.map(|(_, moment)| moment).collect();
    timeline.sort_by_key(|scheduled| scheduled.at_ms);
    timeline
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Write;

    use super::{plan_like, plan_of};
    use crate::fault::FaultKind;
    use crate::plan::{Plan, PlanSpec, World};

    fn sim() -> PlanSpec {
        PlanSpec {
            world: Some("sim".to_owned()),
            ..PlanSpec::default()
        }
    }

    fn plans(spec: &PlanSpec, seeds: u64) -> Vec<Plan> {
        (0..seeds)
            .map(|seed| plan_of(spec, seed).expect("a plan"))
            .collect()
    }

    fn kinds(plan: &Plan) -> BTreeSet<FaultKind> {
        plan.timeline
            .iter()
            .map(|scheduled| scheduled.fault.kind())
            .collect()
    }

    #[test]
    fn a_seed_means_the_same_plan_for_ever() {
        let mut told = String::new();
        for plan in plans(&sim(), 6) {
            let load = &plan.load;
            let World::Sim(weather) = plan.world else {
                panic!("it is simulated");
            };
            let _ = writeln!(
                told,
                "seed {}: {} for {} + {} ms, {} clients, {}/s, {} keys, {}% reads, {}% deletes, transit {} to {} us, gusts {}%",
                plan.seed,
                load.workload,
                plan.phases.warm_ms,
                plan.phases.storm_ms,
                load.clients,
                load.rate,
                load.keys,
                load.read_percent,
                load.delete_percent,
                weather.transit.min_us,
                weather.transit.max_us,
                weather.gust_percent,
            );
            for s in &plan.timeline {
                let _ = writeln!(
                    told,
                    "  {} at {} for {}: {}",
                    s.id, s.at_ms, s.for_ms, s.fault
                );
            }
        }
        insta::assert_snapshot!(told);
    }

    #[test]
    fn seeds_draw_every_kind_of_fault_and_leave_out_every_kind() {
        let drawn: Vec<_> = plans(&sim(), 100).iter().map(kinds).collect();
        for kind in FaultKind::ANYWHERE {
            let with = drawn.iter().filter(|kinds| kinds.contains(&kind)).count();
            assert!((5..95).contains(&with), "{}: {with} of 100", kind.name());
        }
    }

    #[test]
    fn what_is_said_is_kept() {
        let spec = PlanSpec {
            faults: Some(vec!["kill".to_owned(), "slow".to_owned()]),
            workload: Some("register".to_owned()),
            keys: Some(7),
            clients: Some(3),
            rate: Some(250),
            reads: Some(90),
            lasts: Some("3s".to_owned()),
            sabotage: Some(vec!["drop-repair".to_owned()]),
            ..sim()
        };
        let allowed = BTreeSet::from([FaultKind::Kill, FaultKind::Slow]);
        let said = spec.plan(0).expect("a plan");
        for plan in plans(&spec, 100) {
            let load = &plan.load;
            assert_eq!((load.keys, load.clients, load.rate), (7, 3, 250));
            assert_eq!(
                (load.workload.as_str(), load.read_percent),
                ("register", 90)
            );
            assert!(load.delete_percent <= 10);
            assert_eq!((plan.phases, &plan.store), (said.phases, &said.store));
            assert!(kinds(&plan).is_subset(&allowed));
            assert!(!plan.timeline.is_empty(), "seed {}", plan.seed);
        }
        let calm = PlanSpec {
            faults: Some(vec!["none".to_owned()]),
            ..sim()
        };
        assert!(plans(&calm, 10).iter().all(|plan| plan.timeline.is_empty()));
    }

    #[test]
    fn a_script_is_met_by_other_weather_and_nothing_else() {
        let text = "world = \"sim\"\n[[script]]\nat = \"5ms\"\nclient = 0\nnode = 1\nop = { write = 7 }\nkey = \"k\"\n";
        let spec = PlanSpec::from_toml(text, "x.toml").expect("a file");
        let said = spec.plan(0).expect("a plan");
        let plans = plans(&spec, 20);
        for plan in &plans {
            assert_eq!((&plan.load, plan.phases), (&said.load, said.phases));
            assert!(plan.timeline.is_empty());
        }
        assert!(plans.iter().any(|plan| plan.world != said.world));
    }

    #[test]
    fn no_weather_makes_impatient_coordinators_give_up() {
        let spec = PlanSpec {
            request_timeout: Some("8ms".to_owned()),
            ..sim()
        };
        assert_eq!(plans(&spec, 50).len(), 50);
    }

    #[test]
    fn a_saved_plan_keeps_its_store_and_load_and_moves_its_faults() {
        let saved = PlanSpec::default().plan(5).expect("a plan");
        let like = |seed| plan_like(&saved, seed).expect("a plan");
        for seed in 0..20 {
            let plan = like(seed);
            assert_eq!((&plan.store, &plan.load), (&saved.store, &saved.load));
            assert_eq!((plan.seed, plan.world.name()), (seed, "sim"));
            assert!(plan.timeline.len() <= saved.timeline.len());
            assert_ne!(plan.timeline, saved.timeline);
        }
        assert_ne!(like(1).timeline, like(2).timeline);
        let simulated = sim().plan(5).expect("a plan");
        let plan = plan_like(&simulated, 1).expect("a plan");
        assert_eq!(plan.world, simulated.world, "its weather is its own");
    }

    #[test]
    fn moments_written_by_hand_come_a_little_earlier_or_later_or_not_at_all() {
        let text = "world = \"sim\"\nfor = \"5s\"\n\
             [[timeline]]\nat = \"1s\"\nfor = \"200ms\"\nfault.kill.nodes = [1]\n\
             [[timeline]]\nat = \"4400ms\"\nfor = \"100ms\"\nfault.kill.nodes = [2]\n";
        let spec = PlanSpec::from_toml(text, "x.toml").expect("a file");
        let plans = plans(&spec, 50);
        let moments = || plans.iter().flat_map(|plan| &plan.timeline);
        assert!(plans.iter().all(|plan| !plan.timeline.is_empty()));
        assert!(plans.iter().any(|plan| plan.timeline.len() == 1));
        let times: BTreeSet<u64> = moments().map(|moment| moment.at_ms).collect();
        assert!(times.len() > 20, "{times:?}");
        for moment in moments() {
            let (at_ms, for_ms) = match moment.id.as_str() {
                "f1" => (1_000, 200),
                _ => (4_400, 100),
            };
            assert!((at_ms * 3 / 4..=at_ms * 5 / 4).contains(&moment.at_ms));
            assert!((for_ms / 2..=for_ms * 3 / 2).contains(&moment.for_ms));
        }
    }
}
