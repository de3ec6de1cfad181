//! Runs that are judged while they last: the first anomaly is told at once, and ends the load where that is wanted.

use serde_json::Value as Json;

use crate::bench::{Bench, Ended};
use crate::record::Record;
use crate::running::{Running, nobody_left};

/// Runs for a minute at most: nobody waits for that. One replica answers and one acknowledges, and some links are cut.
const LOOSE: [&str; 17] = [
    "run",
    "--nodes",
    "3",
    "-R",
    "1",
    "-W",
    "1",
    "--read-repair",
    "none",
    "--faults",
    "partition",
    "--for",
    "60s",
    "--seed",
    "5",
    "--stop-on-first",
    "--progress=lines",
];

fn run(bench: &Bench, args: &[&str], more: &[&str]) -> Ended {
    let args: Vec<&str> = args.iter().chain(more).copied().collect();
    let ended = Running::start(bench, &args).end();
    nobody_left(bench);
    ended
}

/// When clients asked last, s.
fn load_seconds(record: &Record) -> f64 {
    let asked = record
        .events
        .iter()
        .filter(|event| event["type"] == "invoke" && event["f"] != "census");
    let last = asked.filter_map(|event| event["time"].as_f64()).next_back();
    last.expect("clients asked") / 1e9
}

#[test]
fn the_first_broken_promise_ends_the_load_and_nothing_else() {
    let bench = Bench::new();
    let ended = run(&bench, &LOOSE, &["--claim", "3/2/2"])
        .with_code(1)
        .complaining("(promised: yes)")
        .telling("stopped at the first broken promise: ");
    let record = Record::whole(&bench.path("runs/latest/history.jsonl"));
    assert!(load_seconds(&record) < 50.0, "{ended}");
    // With one answer and one acknowledgement a read may be stale before the first fault.
    let mut phases = record.phases();
    phases.retain(|phase| *phase != "storm");
    assert_eq!(
        phases,
        ["settle", "warm", "heal", "quiet", "census", "stop"]
    );
    let notes = record.events.iter().filter(|event| event["f"] == "note");
    let why: Vec<&Json> = notes.map(|event| &event["value"]).collect();
    assert!(
        why.iter().any(|why| why
            .as_str()
            .is_some_and(|why| why.contains("first broken promise"))),
        "{why:?}"
    );
    // What was told is among what was found.
    let told = ended
        .stderr
        .lines()
        .find(|line| line.contains("promised: yes"))
        .expect("told");
    bench
        .run(&[
            "check",
            "latest",
            "--results",
            "runs",
            "--stream",
            "--claim",
            "3/2/2",
        ])
        .with_code(1)
        .complaining(told.trim());
}

#[test]
fn what_was_never_promised_is_told_once_and_stops_nothing() {
    let bench = Bench::new();
    let mut args = LOOSE;
    args[12] = "3s";
    let ended = run(&bench, &args, &[])
        .with_code(0)
        .complaining("(promised: no)");
    assert_eq!(ended.stderr.matches("(promised: ").count(), 1, "{ended}");
    assert!(!ended.stdout.contains("stopped at"), "{ended}");
    let record = Record::whole(&bench.path("runs/latest/history.jsonl"));
    assert!(load_seconds(&record) > 2.5, "{ended}");
}

#[test]
fn a_clean_run_is_not_stopped() {
    let bench = Bench::new();
    let args = [
        "run",
        "--nodes",
        "3",
        "--for",
        "2s",
        "--seed",
        "5",
        "--faults",
        "none",
        "--stop-on-first",
    ];
    let ended = run(&bench, &args, &[]).with_code(0);
    assert!(!ended.stderr.contains("promised"), "{ended}");
    assert!(!ended.stdout.contains("stopped at"), "{ended}");
    let record = Record::whole(&bench.path("runs/latest/history.jsonl"));
    assert!(load_seconds(&record) > 1.8, "{ended}");
}
