//! Runs that nobody disturbs: what is kept of them, whether it can be judged and run again, and what goes to which stream.

use std::fs;

use serde_json::Value as Json;

use crate::bench::Bench;
use crate::record::{Record, text};
use crate::running::{Running, nobody_left};

/// All phases of a run, in order.
const PHASES: [&str; 7] = ["settle", "warm", "storm", "heal", "quiet", "census", "stop"];

fn plan(bench: &Bench) -> Json {
    let text = fs::read_to_string(bench.path("runs/latest/plan.json")).expect("a plan");
    serde_json::from_str(&text).expect("JSON")
}

/// Every fault of the plan, in the order of the history's lines: injected, in force, healed, and all of that before the census.
fn assert_faults_come_and_go(record: &Record, plan: &Json) {
    let faults = plan["timeline"].as_array().expect("a timeline");
    assert!(!faults.is_empty(), "{plan}");
    let is_census = |event: &Json| event["f"] == "phase" && event["value"] == "census";
    let census = record.events.iter().position(is_census);
    for fault in faults {
        let id = text(&fault["id"]);
        let place = |step| record.step(id, step);
        assert!(place("inject").is_some(), "{id} was never injected");
        if place("skipped").is_none() {
            let places = ["inject", "installed", "heal", "healed"].map(place);
            assert!(places.iter().all(Option::is_some), "{id}: {places:?}");
            assert!(
                places.is_sorted() && places[3] < census,
                "{id}: {places:?}, census {census:?}"
            );
        }
    }
}

fn assert_well_formed(record: &Record) {
    assert_eq!(record.phases(), PHASES);
    let mut before = 0;
    for (index, event) in record.events.iter().enumerate() {
        assert_eq!(event["index"], index);
        let time = event["time"].as_u64().expect("a time");
        assert!(time >= before, "line {}: {event}", index + 2);
        before = time;
    }
    let is_final_read = |event: &&Json| event["f"] == "census" && event["type"] == "ok";
    let keys_times_replicas = 10 * 3;
    assert_eq!(
        record.events.iter().filter(is_final_read).count(),
        keys_times_replicas
    );
}

#[test]
fn a_run_is_kept_judged_again_and_run_again() {
    let bench = Bench::new();
    // Its seed comes from the environment, over the one in the file.
    bench.write(
        "plan.toml",
        "for = \"2s\"\nseed = 1\nfaults = [\"kill\", \"pause\", \"partition\"]\n",
    );
    let seed = [("QUORATE_SEED", "3")];
    let ended = Running::start_with(&bench, &["run", "plan.toml"], &seed)
        .end()
        .with_code(0);
    let ended = ended
        .telling("kept: every promise of N=3 R=2 W=2")
        .telling("seed 3");
    assert!(
        ended.stdout.ends_with("/plan.json\n"),
        "the report does not end with how to repeat it: {ended}"
    );
    nobody_left(&bench);

    let first = bench.path("runs/latest").canonicalize().expect("a run");
    for name in [
        "plan.json",
        "history.jsonl",
        "verdict.json",
        "nodes/n1/seat.json",
        "nodes/n5/stderr.log",
    ] {
        assert!(first.join(name).is_file(), "there is no {name}");
    }
    assert!(
        !first.join("nodes/n1/data").exists(),
        "data is kept although every promise was"
    );
    assert!(!bench.path("runs/failed").exists());
    let plan_of_first = plan(&bench);
    assert_eq!(plan_of_first["seed"], 3);
    let record = Record::whole(&first.join("history.jsonl"));
    assert_eq!(record.header["seed"], 3);
    assert_well_formed(&record);
    assert_faults_come_and_go(&record, &plan_of_first);

    let checked = bench.run(&["check", "latest", "--results", "runs", "--format", "json"]);
    let verdict = fs::read_to_string(first.join("verdict.json")).expect("a verdict");
    assert_eq!(checked.with_code(0).stdout, verdict);

    bench
        .run(&["run", "runs/latest/plan.json", "--seed", "4"])
        .refused("leave out --seed");
    Running::start(&bench, &["run", "runs/latest/plan.json", "--keep-data"])
        .end()
        .with_code(0);
    nobody_left(&bench);
    let second = bench.path("runs/latest").canonicalize().expect("a run");
    assert_ne!(first, second);
    assert_eq!(plan(&bench), plan_of_first);
    assert!(
        second.join("nodes/n1/data").is_dir(),
        "--keep-data kept no data"
    );
    let again = Record::whole(&second.join("history.jsonl"));
    assert_eq!(again.header, record.header);
    assert_well_formed(&again);
    assert_faults_come_and_go(&again, &plan_of_first);
}

#[test]
fn progress_goes_to_stderr_a_line_per_phase() {
    let bench = Bench::new();
    let args = [
        "run",
        "--for",
        "500ms",
        "--nodes",
        "3",
        "--faults",
        "none",
        "--progress",
        "lines",
    ];
    let ended = Running::start(&bench, &args).end();
    let mut lines = ended.stderr.lines();
    assert!(
        lines.next().is_some_and(|line| line.starts_with("run ")),
        "{ended}"
    );
    let first_words: Vec<&str> = lines
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(first_words, PHASES, "{ended}");
    assert!(
        ended.stdout.starts_with("run ") && !ended.stdout.contains("census "),
        "{ended}"
    );
    nobody_left(&bench);
}

#[test]
fn without_progress_there_is_only_what_was_asked_for() {
    let bench = Bench::new();
    let args = [
        "run",
        "--for",
        "500ms",
        "--nodes",
        "3",
        "--faults",
        "none",
        "--progress",
        "none",
        "--format",
        "json",
    ];
    let ended = Running::start(&bench, &args).end();
    assert!(ended.stderr.is_empty(), "{ended}");
    let verdict = fs::read_to_string(bench.path("runs/latest/verdict.json")).expect("a verdict");
    assert_eq!(ended.stdout, verdict);
    nobody_left(&bench);
}
