//! Deaths that no plan has foreseen: of the harness, of a node, and of nodes that never come to life.

use nix::sys::signal::{Signal, kill};

use crate::bench::Bench;
use crate::record::Record;
use crate::running::{Running, nobody_left, nobody_stays, nodes_of};

/// A paused node sees neither the end of its input nor a request to end: only the kernel can take it along.
const PAUSED: &str = r#"
for = "60s"
seed = 1
nodes = 3

[[timeline]]
at = "200ms"
for = "50s"
fault.pause.nodes = [2]
"#;

#[test]
fn nodes_die_with_a_harness_that_is_killed_and_its_history_can_be_judged() {
    let bench = Bench::new();
    bench.write("paused.toml", PAUSED);
    let running = Running::start(&bench, &["run", "paused.toml"]);
    running.until_recorded("a paused node", |record| {
        record.step("f1", "installed").is_some()
    });
    assert_eq!(nodes_of(&bench).len(), 3);
    running.signal(Signal::SIGKILL);
    assert_eq!(running.end().code, None);
    nobody_stays(&bench);
    let checked = bench.run(&["check", "latest", "--results", "runs"]);
    assert!(matches!(checked.code, Some(0 | 3)), "{checked}");
    assert!(checked.stderr.is_empty(), "{checked}");
}

#[test]
fn a_node_that_dies_by_itself_is_our_failure_and_no_outcome() {
    let bench = Bench::new();
    let args = [
        "run", "--for", "60s", "--seed", "1", "--nodes", "3", "--faults", "none",
    ];
    let running = Running::start(&bench, &args);
    running.until_recorded("operations", |record| record.count_from(0, "ok") > 0);
    kill(running.node("n2"), Signal::SIGKILL).expect("n2 is there");
    let ended = running.end().with_code(70);
    ended
        .telling("harness failure: n2: it ended by itself (signal: 9 (SIGKILL))")
        .telling("saved  runs/");
    nobody_left(&bench);

    let record = Record::whole(&bench.path("runs/latest/history.jsonl"));
    let crash = record
        .events
        .iter()
        .find(|event| event["f"] == "crash")
        .expect("a crash");
    assert_eq!(crash["process"], "nemesis");
    assert_eq!(crash["value"]["nodes"][0], "n2");
    assert!(bench.path("runs/latest/verdict.json").is_file());
    assert!(
        bench.path("runs/latest/nodes/n2/data").is_dir(),
        "what could explain it is gone"
    );
    let checked = bench.run(&["check", "latest", "--results", "runs"]);
    assert!(matches!(checked.code, Some(0 | 3)), "{checked}");
}

#[test]
fn nodes_that_never_come_to_life_are_told_with_their_last_words() {
    let bench = Bench::new();
    for (program, words) in [
        (
            "/bin/false",
            "n1 ended before it was ready; its last words:\n(none)",
        ),
        (
            "/bin/cat",
            "n1 ended before it was ready; its last words:\n/bin/cat: ",
        ),
        (
            "/nonexistent",
            "cannot start n1 with /nonexistent: No such file",
        ),
    ] {
        let ended = Running::start(&bench, &["run", "--node-bin", program]).end();
        let ended = ended.with_code(70).complaining(words);
        assert!(ended.stdout.is_empty(), "{ended}");
        nobody_left(&bench);
        bench
            .run(&["check", "latest", "--results", "runs"])
            .with_code(3);
    }
}
