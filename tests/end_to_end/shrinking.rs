//! A run of real processes that lost a write is run again and again with less done to it, as long as it loses one.

use std::fs;

use crate::bench::Bench;
use crate::running::{Running, nobody_left};

/// What nodes had acknowledged before they synced it is gone when all are killed. The pause does nothing for that.
const PLAN: &str = r#"
for = "1500ms"
seed = 1
nodes = 3
workload = "write-once"
rate = 400
reads = 20
sabotage = ["ack-before-sync"]

[[timeline]]
at = "200ms"
for = "100ms"
fault.pause.nodes = [2]

[[timeline]]
at = "600ms"
for = "100ms"
fault.kill.nodes = [1, 2, 3]
"#;

/// Tries for the first run to lose a write.
const TRIES_MAX: u32 = 5;

#[test]
fn a_live_run_is_shrunk_to_the_fault_that_breaks_it() {
    let bench = Bench::new();
    bench.write("plan.toml", PLAN);
    let is_broken = |_| {
        let ended = Running::start(&bench, &["run", "plan.toml"]).end();
        ended.code == Some(1)
    };
    assert!((0..TRIES_MAX).any(is_broken), "no run lost a write");
    // It takes as long as it is given and no longer, so nobody else need limit it.
    let args = "shrink latest --results runs --needed 1 --runs 3 --budget 60s";
    let args: Vec<&str> = args.split(' ').collect();
    bench
        .run(&args)
        .with_code(0)
        .telling("operations that prove it alone")
        .telling("faults              2 -> 1")
        .telling("(95 %:")
        .telling("LOST WRITE");
    nobody_left(&bench);
    let shrunk = bench.path("runs/latest/shrunk");
    let plan = fs::read_to_string(shrunk.join("plan.json")).expect("a plan");
    assert!(plan.contains("kill") && !plan.contains("pause"), "{plan}");
    assert!(!shrunk.join("reruns").exists(), "reruns are left behind");
    let history = shrunk.join("history.jsonl").display().to_string();
    let check = bench.run(&["check", &history]);
    check.with_code(1).telling("BROKEN no lost writes");
}
