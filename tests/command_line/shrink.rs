//! `shrink` from outside, in the simulated world: what it writes, what it refuses, and that what it writes is a run.

use std::fs;

use crate::bench::{Bench, Ended};

/// A run that shows stale reads soon.
const RUN: [&str; 9] = [
    "run",
    "--world",
    "sim",
    "-R1",
    "-W1",
    "--seed=3",
    "--for=3s",
    "--rate=200",
    "--results=runs",
];

fn shrink(bench: &Bench, args: &[&str]) -> Ended {
    let args = [&["shrink", "--results", "runs"], args].concat();
    bench.run(&args)
}

#[test]
fn a_run_is_shrunk_to_a_run_with_a_story() {
    let bench = Bench::new();
    bench.run(&RUN).with_code(0);
    let run = bench.path("runs/latest").canonicalize().expect("a run");
    shrink(&bench, &["latest", "--find", "stale-read"])
        .with_code(0)
        .telling("operations that prove it alone")
        .telling("nothing more can be left out")
        .telling("STALE READ");
    let shrunk = run.join("shrunk");
    let read = |name: &str| fs::read_to_string(shrunk.join(name)).expect("a file");
    let story = read("STORY.md");
    assert!(
        story.contains("What was asked") && story.contains("Let "),
        "{story}"
    );
    for file in ["proof.jsonl", "history.jsonl", "witness/stale-read-1.jsonl"] {
        let path = shrunk.join(file);
        let check = bench.run(&["check", &path.display().to_string()]);
        check.telling("fresh reads          no        · seen");
    }
    let plan = shrunk.join("plan.json").display().to_string();
    bench.run(&["run", &plan, "--results", "again"]);
    let again = fs::read_to_string(bench.path("again/latest/history.jsonl")).expect("a run");
    assert_eq!(again, read("history.jsonl"));
    // What is as small as can be stays as it is.
    let again = shrunk.display().to_string();
    shrink(&bench, &[&again, "--find", "stale-read"]).with_code(0);
    let smaller = fs::read_to_string(shrunk.join("shrunk/plan.json")).expect("a plan");
    assert_eq!(smaller, read("plan.json"));
}

#[test]
fn what_is_not_there_cannot_be_shrunk() {
    let bench = Bench::new();
    bench.run(&RUN).with_code(0);
    shrink(&bench, &["latest", "--find", "phantom"])
        .with_code(4)
        .complaining("shows no phantom: it shows stale-read");
    shrink(&bench, &["latest", "--find", "stale-reed"]).refused("did you mean `stale-read`?");
    shrink(&bench, &["latest", "--budget", "1m"]).refused("leave it out");
    shrink(&bench, &["nowhere"]).refused("no run `nowhere`");
    let args = "generate-history -n 200 --corrupt stale-read -o made-up.jsonl";
    bench.run(&args.split(' ').collect::<Vec<_>>()).with_code(0);
    shrink(&bench, &["made-up.jsonl", "--find", "stale-read"])
        .with_code(4)
        .telling("operations that prove it alone")
        .complaining("it does not tell all of its plan");
}

#[test]
fn a_history_that_tells_its_plan_is_enough() {
    let bench = Bench::new();
    bench.run(&RUN).with_code(0);
    fs::remove_file(bench.path("runs/latest/plan.json")).expect("it was there");
    shrink(&bench, &["latest", "--find", "stale-read"])
        .with_code(0)
        .telling("nothing more can be left out");
}
