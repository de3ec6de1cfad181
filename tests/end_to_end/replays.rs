//! Live runs again: how often they break, which of them are kept, and a copy in the simulated world that repeats to the byte.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::Value as Json;

use crate::bench::Bench;
use crate::running::{Running, nobody_left};

/// All nodes die at once, twice, each time within a second of their start: what they had acknowledged since then was in their memory
/// alone, so no luck is needed to lose some.
const PLAN: &str = r#"
for = "2s"
seed = 1
nodes = 3
workload = "write-once"
sabotage = ["ack-before-sync"]
rate = 300
reads = 20

[[timeline]]
at = "200ms"
for = "100ms"
fault.kill.nodes = [1, 2, 3]

[[timeline]]
at = "800ms"
for = "100ms"
fault.kill.nodes = [1, 2, 3]
"#;

/// A bench with a run that lost writes.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("plan.toml", PLAN);
    Running::start(&bench, &["run", "plan.toml"])
        .end()
        .with_code(1);
    bench
}

/// The ids of the runs that are kept.
fn runs(bench: &Bench) -> Vec<String> {
    let entries = fs::read_dir(bench.path("runs")).expect("runs").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.retain(|name| !matches!(name.as_str(), "latest" | "failed"));
    names.sort();
    names
}

#[test]
fn a_live_run_is_run_again_and_found_again_in_the_simulated_world() {
    let bench = bench();
    let first = runs(&bench);
    let args = ["replay", "failed", "--times", "2"];
    Running::start(&bench, &args)
        .end()
        .with_code(1)
        .telling("look for  lost-write, which the run showed")
        .telling("lost-write in 2 of 2 runs: 100.0 % (95 %: 34.2 to 100.0)")
        .telling("meanwhile kill 2")
        .telling("--world sim --times 1000");
    nobody_left(&bench);
    // Of the two, the first that shows it is kept, and nothing is left of the other.
    let kept = runs(&bench);
    assert_eq!(kept.len(), first.len() + 1, "{kept:?}");
    assert!(kept.contains(&first[0]), "{kept:?}");
    let latest = bench.path("runs/latest").canonicalize().expect("a run");
    assert_eq!(
        latest,
        bench.path("runs/failed").canonicalize().expect("a run")
    );
    assert!(latest.join("verdict.json").is_file());

    let args = [
        "replay", &first[0], "--world", "sim", "--times", "5", "--format", "json",
    ];
    let ended = Running::start(&bench, &args).end().with_code(1);
    let document: Json = serde_json::from_str(&ended.stdout).expect("one JSON document");
    assert_eq!(document["manner"], "seeds");
    assert!(document["shown"]["seen"].as_u64() > Some(0), "{document}");
    let copy = document["runs"].as_array().expect("runs");
    let copy = copy
        .iter()
        .find_map(|run| run["saved"].as_str())
        .expect("a copy");
    Running::start(
        &bench,
        &["replay", copy, "--world", "live", "--keep", "none"],
    )
    .end()
    .with_code(1)
    .telling("lost-write in 1 of 1 runs: 100.0 % (95 %: 20.7 to 100.0)");
    nobody_left(&bench);
    Running::start(&bench, &["replay", copy, "--times", "3"])
        .end()
        .with_code(1)
        .telling("byte-identical with the saved history: 3 of 3")
        .telling("lost-write in 3 of 3 runs");
}

#[test]
fn an_interrupted_replay_counts_what_was_over_and_leaves_nothing_else() {
    let bench = bench();
    let before = runs(&bench);
    let running = Running::start(
        &bench,
        &["replay", "failed", "--times", "9", "--keep", "none"],
    );
    running.until_said_times("  storm ", 2);
    running.signal(Signal::SIGINT);
    running
        .end()
        .with_code(1)
        .telling("of 1 runs (9 were asked for)")
        .telling("interrupted: only runs that came to their end are counted");
    nobody_left(&bench);
    assert_eq!(runs(&bench), before);
}
