//! What a search finds, and how many seeds it needs: every defect of the node, every anomaly that is not promised, and in an honest
//! store nothing. The table of seeds is printed with `cargo test --release --test sim_search -- --nocapture`.
//!
//! Seeds mean the same for ever, so a failure is a change of the code and not of luck. `QUORATE_CASES` asks for more seeds of
//! the honest store.

use quorate::plan::PlanSpec;
use quorate::search::{Explored, Hunt, explore, plan_of};
use quorate::target::Target;
use quorate_checkers::Guarantee;
use quorate_node::config::Sabotage;

/// Every defect must be found in fewer seeds.
const SEEDS_MAX: u64 = 10_000;
/// How many seeds of an honest store are tried when nobody asks for more.
const CASES: u64 = 40;

/// Replicas of each key, read quorum, write quorum, and the rest as a file says it.
fn spec(quorum: (u16, u16, u16), rest: &str) -> PlanSpec {
    let (n, r, w) = quorum;
    let text = format!("world = \"sim\"\nn = {n}\nr = {r}\nw = {w}\n{rest}");
    PlanSpec::from_toml(&text, "spec").expect("a spec")
}

fn searched(spec: &PlanSpec, seeds: u64, target: Target) -> Explored {
    let hunt = Hunt {
        seeds: 0..seeds,
        target,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
    };
    explore(&|seed| plan_of(spec, seed), &hunt, |_| true).expect("seeds that can be tried")
}

/// Finds it, and tells with how many seeds.
#[expect(clippy::print_stdout, reason = "the table is what people run this for")]
fn found(what: &str, spec: &PlanSpec, target: Target) {
    let explored = searched(spec, SEEDS_MAX, target);
    let Some(found) = explored.found else {
        panic!("{what}: no {target} in {SEEDS_MAX} seeds");
    };
    println!(
        "  {what:<40} {:<22} {:>5} seeds  {:>6.2} s",
        target.to_string(),
        found.seed + 1,
        explored.took.as_secs_f64()
    );
}

/// What a defect needs to have its chance.
fn settings(sabotage: Sabotage) -> &'static str {
    match sabotage {
        // One replica has missed what is written before a node joins.
        Sabotage::RingWithoutPending => {
            r#"
            nodes = 6
            read-repair = "none"
            keys = 100
            for = "6s"
            store = { membership = "gossip", ring-members = "1,2,3,4,5" }
            [[timeline]]
            at = "500ms"
            for = "2s"
            [timeline.fault.partition]
            shape = "n3 alone"
            cut = "reset"
            links = [
              { from = 1, to = 3 }, { from = 2, to = 3 }, { from = 4, to = 3 }, { from = 5, to = 3 }, { from = 6, to = 3 },
            ]
            [[timeline]]
            at = "3s"
            for = "2s"
            fault.ring.join = 6
            "#
        }
        Sabotage::DropContext | Sabotage::NewestSibling => r#"store = { versions = "dvv" }"#,
        Sabotage::DotReuse => {
            r#"
            blind = true
            sync = "every 200ms"
            store = { versions = "dvv" }
            "#
        }
        Sabotage::HintDeletedEarly | Sabotage::HintToFirst => {
            r#"store = { hints = "coordinator" }"#
        }
        Sabotage::PurgeEarly => {
            r#"
            deletes = 25
            store = { purge = "when-all-have 100ms", hints = "coordinator" }
            "#
        }
        Sabotage::SkipRange => r#"store = { anti-entropy = "100ms" }"#,
        Sabotage::FallbackAsPrimary => {
            r#"
            nodes = 5
            store = { sloppy = true, hints = "fallback", pr = 2, pw = 2 }
            "#
        }
        _ => "",
    }
}

/// What is asked of the store: all replicas by the read that must see what forgetting could not undo.
fn quorum(sabotage: Sabotage) -> (u16, u16, u16) {
    match sabotage {
        Sabotage::DotReuse => (3, 3, 2),
        _ => (3, 2, 2),
    }
}

#[test]
fn every_sabotage_breaks_the_promise_named_for_it() {
    for sabotage in Sabotage::ALL {
        let caught_by = Guarantee::from_name(sabotage.caught_by()).expect("it exists");
        let rest = format!(
            "sabotage = [\"{}\"]\n{}",
            sabotage.name(),
            settings(sabotage)
        );
        let what = format!("--sabotage {}", sabotage.name());
        found(
            &what,
            &spec(quorum(sabotage), &rest),
            Target::Breach(caught_by),
        );
    }
}

#[test]
fn what_is_not_promised_is_found() {
    let stale = Target::Anomaly(Guarantee::FreshReads);
    found("-R 1 -W 1", &spec((3, 1, 1), ""), stale);
    let inversion = Target::Anomaly(Guarantee::NoInversion);
    let without_repair = spec((3, 2, 2), "read-repair = \"none\"");
    found("--read-repair none", &without_repair, inversion);
    let clock_loss = Target::Anomaly(Guarantee::NoClockLoss);
    let skewed = spec((3, 3, 3), "faults = [\"clock\"]");
    found("-R 3 -W 3 --faults clock", &skewed, clock_loss);
    let lost = Target::Anomaly(Guarantee::NoLostWrites);
    let late = spec((3, 2, 2), "sync = \"every 200ms\"\nfaults = [\"kill\"]");
    found("--sync \"every 200ms\" --faults kill", &late, lost);
}

#[test]
fn an_honest_store_breaks_nothing() {
    let asked = std::env::var("QUORATE_CASES").ok();
    let seeds = asked.map_or(CASES, |cases| cases.parse().expect("a number of cases"));
    for quorum in [(3, 2, 2), (3, 1, 3), (3, 1, 1), (5, 3, 3)] {
        let explored = searched(&spec(quorum, ""), seeds, Target::AnyBreach);
        let broken = explored.found.map(|found| found.plan.to_json());
        assert_eq!(broken, None, "{quorum:?}");
        assert_eq!(explored.tally.tried, seeds);
    }
}
