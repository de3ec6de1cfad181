//! Ctrl-C, once and twice.

use nix::sys::signal::Signal;

use crate::bench::Bench;
use crate::record::Record;
use crate::running::{Running, nobody_left, nodes_of};

#[test]
fn the_first_interrupt_heals_saves_and_judges() {
    let bench = Bench::new();
    let running = Running::start(&bench, &["run", "--for", "60s", "--seed", "1"]);
    running.until_recorded("a storm", |record| record.has_entered("storm"));
    assert_eq!(nodes_of(&bench).len(), 5);
    running.signal(Signal::SIGINT);
    let ended = running.end().with_code(130);
    ended
        .complaining("interrupted: healing, saving and judging")
        .telling("saved  runs/");
    nobody_left(&bench);

    let record = Record::whole(&bench.path("runs/latest/history.jsonl"));
    assert_eq!(
        record.phases()[2..],
        ["storm", "heal", "quiet", "census", "stop"]
    );
    let checked = bench.run(&["check", "latest", "--results", "runs", "--format", "json"]);
    let verdict = std::fs::read_to_string(bench.path("runs/latest/verdict.json"));
    assert_eq!(checked.stdout, verdict.expect("a verdict"));
}

#[test]
fn a_request_to_end_is_an_interrupt_too() {
    let bench = Bench::new();
    let running = Running::start(
        &bench,
        &["run", "--for", "60s", "--nodes", "3", "--faults", "none"],
    );
    running.until_recorded("operations", |record| record.count_from(0, "ok") > 0);
    running.signal(Signal::SIGTERM);
    running.end().with_code(130);
    nobody_left(&bench);
}

/// Clients wait for two paused nodes for longer than this test does, and the controlled stop waits for clients.
const STUCK: &str = r#"
for = "60s"
nodes = 3
clients = 8
request-timeout = "10m"
op-timeout = "10m"

[[timeline]]
at = "0s"
for = "50s"
fault.pause.nodes = [2, 3]
"#;

/// How many clients that plan has.
const CLIENTS: usize = 8;

#[test]
fn the_second_interrupt_waits_for_nobody() {
    let bench = Bench::new();
    bench.write("stuck.toml", STUCK);
    let running = Running::start(&bench, &["run", "stuck.toml"]);
    running.until_recorded("clients that are stuck", |record| {
        // The pause bites before it is recorded: all clients may be stuck already, and none begin anything after it.
        let paused = record.step("f1", "installed");
        paused
            .is_some_and(|place| record.count_from(place, "invoke") > 0 || record.open() == CLIENTS)
    });
    running.signal(Signal::SIGINT);
    running.until_said("once more to kill all");
    assert_eq!(nodes_of(&bench).len(), 3);
    running.signal(Signal::SIGINT);
    running
        .end()
        .with_code(130)
        .complaining("interrupted twice");
    nobody_left(&bench);
    // Nothing was judged, but what was recorded can be.
    assert!(!bench.path("runs/latest/verdict.json").exists());
    let checked = bench.run(&["check", "latest", "--results", "runs"]);
    assert!(matches!(checked.code, Some(0 | 3)), "{checked}");
}
