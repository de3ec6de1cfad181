//! A gate passes when promises hold and canaries sing, and only then.

use nix::sys::signal::Signal;

use crate::bench::Bench;
use crate::running::{Running, nobody_left};

/// All nodes are killed at once, between two of the rare syncs that the sabotage leaves.
const KILLED: &str = r#"
for = "2s"
nodes = 3
workload = "write-once"
rate = 300
reads = 20

[[timeline]]
at = "500ms"
for = "100ms"
fault.kill.nodes = [1, 2, 3]

[[timeline]]
at = "1200ms"
for = "100ms"
fault.kill.nodes = [1, 2, 3]
"#;

#[test]
fn a_gate_passes_if_promises_hold_and_canaries_sing() {
    let bench = Bench::new();
    bench.write("killed.toml", KILLED);
    bench.write(
        "gate.toml",
        r#"
[[case]]
name = "synced"
expect = "kept"
file = "killed.toml"

[[case]]
name = "not synced"
expect = "broken:no-lost-writes"
runs = 5
file = "killed.toml"
plan = { sabotage = ["ack-before-sync"] }
"#,
    );
    let ended = Running::start(&bench, &["gate"]).end().with_code(0);
    ended
        .telling("✓ kept        synced")
        .telling("✓ sang        canary not synced")
        .telling("2 passed, 0 failed, 0 silent canaries");
    nobody_left(&bench);
}

#[test]
fn a_gate_fails_if_a_canary_is_silent_and_worse_if_a_promise_is_broken() {
    let bench = Bench::new();
    bench.write("killed.toml", KILLED);
    bench.write(
        "gate.toml",
        r#"
[[case]]
name = "defused"
expect = "broken:no-lost-writes"
file = "killed.toml"

[[case]]
name = "not synced"
expect = "kept"
runs = 5
file = "killed.toml"
plan = { sabotage = ["ack-before-sync"] }
"#,
    );
    let ended = Running::start(&bench, &["gate", "--only", "defused"])
        .end()
        .with_code(5);
    ended
        .telling("✗ SILENT      canary defused")
        .telling("no lost-write  runs/")
        .telling("0 passed, 0 failed, 1 silent canaries");
    nobody_left(&bench);
    let ended = Running::start(&bench, &["gate"]).end().with_code(1);
    ended
        .telling("✗ SILENT")
        .telling("✗ BROKEN      not synced")
        .telling("no lost writes  runs/");
    nobody_left(&bench);
}

#[test]
fn an_interrupt_ends_the_whole_gate() {
    let bench = Bench::new();
    let cases = ["first", "second"].map(|name| {
        format!("[[case]]\nname = \"{name}\"\nexpect = \"kept\"\nplan = {{ for = \"60s\", nodes = 3 }}\n")
    });
    bench.write("gate.toml", cases.concat());
    let running = Running::start(&bench, &["gate"]);
    running.until_recorded("a storm", |record| record.has_entered("storm"));
    running.signal(Signal::SIGINT);
    let ended = running.end().with_code(130).telling("? interrupted first");
    assert!(!ended.stdout.contains("second"), "{ended}");
    nobody_left(&bench);
}
