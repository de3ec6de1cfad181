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

/// Where the history says that the load ended at a broken promise.
fn stop_noted(record: &Record) -> Option<usize> {
    let says = |event: &Json| {
        let why = event["value"].as_str().unwrap_or_default();
        event["f"] == "note" && why.contains("first broken promise")
    };
    record.events.iter().position(says)
}

/// What clients asked from a place in the history on, but for the final reads.
fn asked_from(record: &Record, place: usize) -> usize {
    let later = record.events.iter().skip(place);
    let asked = later.filter(|event| event["type"] == "invoke" && event["f"] != "census");
    asked.count()
}

/// How long clients were let to work, ns. It is the plan that ends that: a slow machine can only make it longer.
fn load_ns(record: &Record) -> u64 {
    let entered = |phase: &str| {
        let is_it = |event: &&Json| event["f"] == "phase" && event["value"] == phase;
        let event = record.events.iter().find(is_it).expect(phase);
        event["time"].as_u64().expect("a time")
    };
    entered("heal") - entered("warm")
}

#[test]
fn the_first_broken_promise_ends_the_load_and_nothing_else() {
    let bench = Bench::new();
    let ended = run(&bench, &LOOSE, &["--claim", "3/2/2"])
        .with_code(1)
        .complaining("(promised: yes)")
        .telling("stopped at the first broken promise: ");
    let record = Record::whole(&bench.path("runs/latest/history.jsonl"));
    let noted = stop_noted(&record).expect("a note");
    assert!(asked_from(&record, 0) > 0, "{ended}");
    assert_eq!(asked_from(&record, noted), 0, "{ended}");
    // With one answer and one acknowledgement a read may be stale before the first fault.
    let mut phases = record.phases();
    phases.retain(|phase| *phase != "storm");
    assert_eq!(
        phases,
        ["settle", "warm", "heal", "quiet", "census", "stop"]
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
    assert_eq!(stop_noted(&record), None, "{ended}");
    assert!(load_ns(&record) >= 3_000_000_000, "{ended}");
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
    assert_eq!(stop_noted(&record), None, "{ended}");
    assert!(load_ns(&record) >= 2_000_000_000, "{ended}");
}
