//! `quorate explain` on runs, histories and witnesses: what is told, what is not, and what is refused.

use serde_json::Value as Json;

use crate::bench::Bench;
use crate::histories::{broken, file, kept};

#[test]
fn an_anomaly_is_told_whatever_the_run_is_called_by() {
    let bench = Bench::new();
    for name in ["history.jsonl", "runs/20260101-000000-abcd/history.jsonl"] {
        let path = bench.path(name);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        bench.write(name, file(&broken()));
    }
    for run in ["history.jsonl", "runs/20260101-000000-abcd", "abcd", "2026"] {
        let ended = bench
            .run(&["explain", run, "--results", "runs"])
            .with_code(0)
            .telling("stale-read: seen once")
            .telling("BROKEN fresh reads: W + R = 4 > N + f = 3")
            .telling("However, C returned 1: a contradiction.")
            .telling("No evidence was recorded that tells which part each replica played.");
        assert!(ended.stderr.is_empty(), "{ended}");
    }
}

#[test]
fn where_nothing_was_seen_there_is_nothing_to_explain() {
    let bench = Bench::new();
    bench.write("history.jsonl", file(&kept()));
    bench
        .run(&["explain", "history.jsonl"])
        .with_code(0)
        .telling("history.jsonl: no anomaly was seen, so there is nothing to explain");
}

#[test]
fn machines_get_the_same_as_data() {
    let bench = Bench::new();
    bench.write("history.jsonl", file(&broken()));
    let ended = bench.run(&["explain", "history.jsonl", "--format", "json", "--all"]);
    let told: Json = serde_json::from_str(&ended.with_code(0).stdout).expect("JSON");
    let first = &told[0];
    assert_eq!(told.as_array().map(Vec::len), Some(1));
    assert_eq!(first["anomaly"], "stale-read");
    assert_eq!(first["promised"], true);
    assert_eq!(first["explanation"]["lets"][2]["letter"], "C");
    assert_eq!(first["explanation"]["why"][0]["cause"], "unknown");
    assert_eq!(first["explanation"]["why"][0]["basis"], "nothing");
}

#[test]
fn what_cannot_be_explained_is_refused_with_what_to_do() {
    let bench = Bench::new();
    let edn = "{:type :invoke, :f :read, :value nil, :process 0}\n{:type :ok, :f :read, :value 1, :process 0}\n";
    bench.write("history.edn", edn);
    bench
        .run(&["explain", "history.edn"])
        .with_code(2)
        .complaining("`quorate check history.edn --model MODEL` explains what it finds");
    bench.write("garbage", "not a history\n");
    bench
        .run(&["explain", "garbage"])
        .with_code(2)
        .complaining("garbage");
    bench
        .run(&["explain", "nowhere/at-all"])
        .with_code(2)
        .complaining(
            "nothing is called `nowhere/at-all`: see `quorate list`; no run `nowhere/at-all`",
        );
}

/// Simulated runs are drawn beside their witnesses, and again on demand; of others it is said why there is no drawing.
#[test]
fn a_simulated_run_is_drawn() {
    let bench = Bench::new();
    bench
        .run(&[
            "run", "--world", "sim", "-R", "1", "-W", "1", "--for", "2s", "--seed", "3",
        ])
        .with_code(0);
    let read = |name: &str| std::fs::read_to_string(bench.path(name)).expect("a file");
    let saved = read("results/runs/latest/witness/stale-read-1.spacetime.txt");
    assert!(saved.starts_with("STALE READ  key "), "{saved}");
    let svg = read("results/runs/latest/witness/stale-read-1.svg");
    assert!(
        svg.starts_with("<svg ") && svg.ends_with("</svg>\n"),
        "{svg}"
    );
    let explain = |run| bench.run(&["explain", run, "--spacetime"]);
    explain("latest").with_code(0).telling(&saved);

    let history = read("results/runs/latest/history.jsonl");
    bench.write("alone.jsonl", &history);
    explain("alone.jsonl")
        .with_code(2)
        .complaining("there is no plan.json beside alone.jsonl");
    let plan = read("results/runs/latest/plan.json");
    let mut live: Json = serde_json::from_str(&plan).expect("JSON");
    live["world"] = "live".into();
    bench.write("plan.json", live.to_string());
    explain("alone.jsonl").with_code(2).complaining(
        "a live run has no spacetime diagram, for messages between its nodes are not observed",
    );
    let mut other: Json = serde_json::from_str(&plan).expect("JSON");
    other["seed"] = 4.into();
    bench.write("plan.json", other.to_string());
    explain("alone.jsonl")
        .with_code(2)
        .complaining("the plan makes another run than the history tells");
}
