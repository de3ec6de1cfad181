//! Random plans: whatever the quorums, the load and the faults, no promise of the contract is ever broken.
//!
//! The plans are the same in every run, so that a failure is a change of the code and not of luck. `QUORATE_CASES` asks for more.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use quorate::fault::{Cut, Fault, FaultKind, Link};
use quorate::plan::{Plan, PlanSpec, Scheduled};
use quorate::world::sim::{Span, Weather};

use crate::judged::{breach, judged};

/// How many plans are tried when nobody asks for more.
const CASES: u32 = 64;

/// How many smaller plans are tried once one has failed.
const SHRINKS_MAX: u32 = 300;

/// Wild faults begin before this, and last no longer, ms. Every storm is at least about as long.
const WILD_MS: u64 = 900;

fn quorums() -> impl Strategy<Value = (u16, u16, u16, u16)> {
    (1..=5_u16).prop_flat_map(|n| (n.max(3)..=5_u16, Just(n), 1..=n, 1..=n))
}

fn names(of: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    select(of).prop_map(|name| Some(name.to_owned()))
}

fn faults() -> impl Strategy<Value = Option<Vec<String>>> {
    let names: Vec<String> = FaultKind::ANYWHERE
        .map(|kind| kind.name().to_owned())
        .to_vec();
    subsequence(names, 0..=FaultKind::ANYWHERE.len()).prop_map(Some)
}

fn loads() -> impl Strategy<Value = PlanSpec> {
    let workload = names(&["register", "write-once", "racing"]);
    (
        workload,
        2..=8_u64,
        300..=1_000_u64,
        1..=4_u64,
        1_000..=3_000_u64,
    )
        .prop_map(|(workload, clients, rate, keys, lasts_ms)| PlanSpec {
            workload,
            clients: Some(clients),
            rate: Some(rate),
            keys: Some(keys),
            lasts: Some(format!("{lasts_ms}ms")),
            ..PlanSpec::default()
        })
}

fn stores() -> impl Strategy<Value = PlanSpec> {
    let fanout = names(&["quorum", "all"]);
    let repair = names(&["none", "async", "blocking"]);
    let sync = names(&["each-write", "every 5ms", "every 50ms"]);
    // Of the coordinator and of the client. One who gives up before the coordinator has turned to other replicas gets nothing.
    let timeouts = select(vec![("100ms", "100ms"), ("100ms", "1s"), ("500ms", "1s")]);
    (quorums(), fanout, repair, sync, timeouts).prop_map(
        |((nodes, n, r, w), read_fanout, read_repair, sync, timeouts)| PlanSpec {
            nodes: Some(nodes),
            n: Some(n),
            r: Some(r),
            w: Some(w),
            read_fanout,
            read_repair,
            sync,
            request_timeout: Some(timeouts.0.to_owned()),
            op_timeout: Some(timeouts.1.to_owned()),
            ..PlanSpec::default()
        },
    )
}

fn plans() -> impl Strategy<Value = Plan> {
    (stores(), loads(), faults(), any::<u64>()).prop_map(|(store, load, faults, seed)| {
        let spec = PlanSpec {
            faults,
            seed: Some(seed),
            ..store.over(load)
        };
        spec.plan(seed).expect("a plan that is possible")
    })
}

/// Even the foulest lets a request and its answer through within every request time-out: no store is available otherwise.
fn weathers() -> impl Strategy<Value = Weather> {
    let fast = Weather {
        transit: Span::new(10, 100),
        client: Span::new(5, 50),
        sync: Span::new(10, 200),
        ..Weather::default()
    };
    let foul = Weather {
        gust_percent: 30,
        gust: Span::new(1_000, 20_000),
        sync: Span::new(1_000, 20_000),
        ..Weather::default()
    };
    // What no connection would do to messages, but nodes promise to bear.
    let loose = Weather {
        repeated_ppm: 50_000,
        overtaken_ppm: 50_000,
        slow_sync_percent: 5,
        slow_sync: Span::new(1_000, 20_000),
        ..Weather::default()
    };
    let lossy = Weather {
        lost_ppm: 20_000,
        broken_ppm: 1_000,
        ..loose
    };
    let drifting = Weather {
        drift_ppm_max: 10_000,
        ..loose
    };
    let weathers = vec![Weather::default(), fast, foul, loose, lossy, drifting];
    select(weathers)
}

/// Faults as no generator would schedule them: on any nodes, even all, one upon the other.
fn wild_fault(nodes: u16) -> impl Strategy<Value = Fault> {
    let all: Vec<u16> = (1..=nodes).collect();
    let some = || subsequence(all.clone(), 1..=all.len());
    let links = all
        .iter()
        .flat_map(|&from| all.iter().map(move |&to| Link { from, to }));
    let links: Vec<Link> = links.filter(|link| link.from != link.to).collect();
    let some_links = || subsequence(links.clone(), 1..=links.len());
    let cut = select(vec![Cut::Hold, Cut::Reset]);
    prop_oneof![
        some().prop_map(|nodes| Fault::Kill { nodes }),
        some().prop_map(|nodes| Fault::Pause { nodes }),
        (some_links(), cut).prop_map(|(links, cut)| {
            Fault::Partition {
                shape: "wild".to_owned(),
                cut,
                links,
            }
        }),
        (some_links(), 1..200_u64, 0..200_u64).prop_map(|(links, delay_ms, jitter_ms)| {
            Fault::Slow {
                links,
                delay_ms,
                jitter_ms,
            }
        }),
        (1..=nodes, -1_000..1_000_i64).prop_map(|(node, off_ms)| Fault::Clock {
            offsets_ms: vec![(node, off_ms)]
        }),
    ]
}

fn wild_timelines(nodes: u16) -> impl Strategy<Value = Vec<Scheduled>> {
    let moments = vec((0..WILD_MS, 1..WILD_MS, wild_fault(nodes)), 0..10);
    moments.prop_map(|mut moments| {
        moments.sort_by_key(|&(at_ms, ..)| at_ms);
        let numbered = (1..).zip(moments);
        let scheduled = numbered.map(|(number, (at_ms, for_ms, fault))| Scheduled {
            id: format!("f{number}"),
            at_ms,
            for_ms,
            fault,
            cue: None,
        });
        scheduled.collect()
    })
}

fn wild_plans() -> impl Strategy<Value = Plan> {
    plans().prop_flat_map(|plan| {
        wild_timelines(plan.store.nodes).prop_map(move |timeline| Plan {
            timeline,
            ..plan.clone()
        })
    })
}

#[test]
fn no_promise_is_ever_broken() {
    try_all(&plans());
}

#[test]
fn not_even_by_faults_that_no_generator_would_schedule() {
    try_all(&wild_plans());
}

fn try_all(plans: &impl Strategy<Value = Plan>) {
    let asked = std::env::var("QUORATE_CASES").ok();
    let config = Config {
        cases: asked.map_or(CASES, |cases| cases.parse().expect("a number of cases")),
        max_shrink_iters: SHRINKS_MAX,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let tried = runner.run(&(plans, weathers()), |(plan, weather)| {
        let verdict = judged(&plan, &weather).map_err(TestCaseError::fail)?;
        match breach(&plan, &weather, &verdict) {
            Some(told) => Err(TestCaseError::fail(told)),
            None => Ok(()),
        }
    });
    match tried {
        Ok(()) => {}
        // The plan is in the reason already, in the form that `quorate` reads.
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        Err(TestError::Abort(reason)) => panic!("nothing was tried: {reason}"),
    }
}
