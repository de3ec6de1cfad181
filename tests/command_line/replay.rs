//! `quorate replay` and `quorate export` in the simulated world: what repeats to the byte, and what can be run again at all.

use std::fs;
use std::path::PathBuf;

use serde_json::Value as Json;

use crate::bench::{Bench, Ended};
use crate::histories::{HEADER, broken, file};

/// A simulated run that shows stale reads, which nobody promised to prevent.
const STALE: &[&str] = &[
    "run",
    "--world",
    "sim",
    "--seed",
    "7",
    "-R",
    "1",
    "-W",
    "1",
    "--for",
    "2s",
    "--faults",
    "partition,slow,clock",
];

/// A bench with such a run.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.run(STALE).with_code(0).telling("stale read");
    bench
}

fn history(bench: &Bench) -> String {
    let path = bench.path("results/runs/latest/history.jsonl");
    fs::read_to_string(path).expect("a history")
}

/// The directories of runs, links and hidden ones included.
fn entries(bench: &Bench) -> Vec<PathBuf> {
    let entries = fs::read_dir(bench.path("results/runs")).expect("runs");
    entries.flatten().map(|entry| entry.path()).collect()
}

fn replay(bench: &Bench, run: &str, more: &[&str]) -> Ended {
    bench.run(&[&["replay", run], more].concat())
}

#[test]
fn a_simulated_run_repeats_to_the_byte() {
    let bench = bench();
    let before = entries(&bench);
    let ended = replay(&bench, "latest", &["--times", "20"])
        .with_code(0)
        .telling("byte-identical with the saved history: 20 of 20")
        .telling("stale-read in 20 of 20 runs")
        .telling("look for  stale-read, which the run showed");
    // Twenty times the same is told once, and kept once: it is there already.
    assert_eq!(ended.stdout.matches(" shown ").count(), 1, "{ended}");
    assert_eq!(entries(&bench), before);
    replay(&bench, "latest", &["--find", "lost-write"])
        .with_code(0)
        .telling("lost-write in 0 of 1 runs");
}

#[test]
fn what_is_told_of_a_replay_is_also_a_document() {
    let bench = bench();
    let ended = replay(&bench, "latest", &["--times", "3", "--format", "json"]).with_code(0);
    let document: Json = serde_json::from_str(&ended.stdout).expect("one JSON document");
    assert_eq!(document["target"], "stale-read");
    assert_eq!(document["byte_identical"], 3);
    assert_eq!(document["shown"]["seen"], 3);
    assert_eq!(document["runs"][2]["number"], 3);
    let sighting = &document["runs"][0]["sighting"];
    assert_eq!(sighting["anomaly"], "stale-read");
    assert!(sighting["since_storm_ms"].as_i64() <= sighting["storm_ms"].as_i64());
    assert_eq!(sighting["phase"], "storm", "{sighting}");
}

#[test]
fn a_bare_history_is_enough() {
    let bench = bench();
    bench.write("bare.jsonl", history(&bench));
    fs::remove_dir_all(bench.path("results")).expect("runs");
    replay(&bench, "bare.jsonl", &["--times", "3"])
        .with_code(0)
        .telling("made of the history; it is the very one, as its digest tells")
        .telling("byte-identical with the saved history: 3 of 3")
        .telling("stale-read in 3 of 3 runs");
}

/// A history as they were before they said what was planned.
fn silent(history: &str) -> String {
    let mut lines = history.lines().map(|line| {
        let mut line: Json = serde_json::from_str(line).expect("JSON");
        if let Some(object) = line.as_object_mut() {
            object.remove("setup");
        }
        if let Some(body) = line.get_mut("value").and_then(Json::as_object_mut) {
            body.remove("planned");
        }
        line.to_string() + "\n"
    });
    // The order of fields means nothing, but the header is the first line.
    let header = lines.next().expect("a header");
    header + &lines.collect::<String>()
}

#[test]
fn what_a_history_does_not_say_is_inferred_or_guessed_and_told() {
    let bench = bench();
    bench.write("old.jsonl", silent(&history(&bench)));
    replay(&bench, "old.jsonl", &["--world", "sim", "--times", "4"])
        .with_code(0)
        .telling("made of the history; not quite the one that made it")
        .telling("inferred  200 ms without faults, then 1800 ms with faults, from the phases")
        .telling("inferred  10 keys")
        .telling("guessed   live world")
        .telling("of 4 runs: ")
        .telling("quorate replay results/runs/");
    replay(&bench, "latest", &[])
        .with_code(0)
        .telling("byte-identical with the saved history: 1 of 1");
}

#[test]
fn a_history_that_was_changed_does_not_repeat() {
    let bench = bench();
    let changed = history(&bench).replacen("\"epoch\":1", "\"epoch\":2", 1);
    let path = bench.path("results/runs/latest/history.jsonl");
    fs::write(path, changed).expect("a history");
    replay(&bench, "latest", &["--times", "2"])
        .with_code(70)
        .telling("byte-identical with the saved history: 0 of 2; line ")
        .telling("is the first to differ");
}

#[test]
fn a_plan_that_was_changed_is_not_compared_with_the_history_of_another() {
    let bench = bench();
    let path = bench.path("results/runs/latest/plan.json");
    let plan = fs::read_to_string(&path).expect("a plan");
    fs::write(&path, plan.replacen("\"seed\": 7", "\"seed\": 8", 1)).expect("a plan");
    replay(&bench, "latest", &["--times", "2"])
        .with_code(0)
        .telling("byte-identical with each other: 2 of 2; not compared with the saved history")
        .telling("saved  results/runs/");
    replay(&bench, "results/runs/latest/plan.json", &["--keep", "none"])
        .with_code(0)
        .telling("any broken promise, as no history says what it showed");
}

#[test]
fn a_run_that_was_ended_early_repeats_until_then() {
    let bench = Bench::new();
    let early = ["--claim", "3/2/2", "--stop-on-first"];
    bench
        .run(&[STALE, &early].concat())
        .with_code(1)
        .telling("stopped at the first broken promise");
    replay(&bench, "failed", &["--times", "2"])
        .with_code(1)
        .telling("where that was ended (stopped at the first broken promise")
        .telling(": 2 of 2");
}

#[test]
fn an_archive_is_as_good_as_the_directory() {
    let bench = bench();
    let checked = bench
        .run(&["check", "latest", "--format", "json"])
        .with_code(0);
    for name in ["run.tar.gz", "run.tar.zst", "run.tar"] {
        bench
            .run(&["export", "latest", name])
            .with_code(0)
            .telling(&format!(" to {name}: "));
    }
    fs::remove_dir_all(bench.path("results")).expect("runs");
    for name in ["run.tar.gz", "run.tar.zst", "run.tar"] {
        replay(&bench, name, &["--times", "2"])
            .with_code(0)
            .telling("saved with the run")
            .telling("byte-identical with the saved history: 2 of 2");
        let again = bench.run(&["check", name, "--format", "json"]).with_code(0);
        assert_eq!(again.stdout, checked.stdout, "{name}");
        // Cut off within its history it is damaged, not shorter.
        let whole = fs::read(bench.path(name)).expect("an archive");
        bench.write("cut", &whole[..whole.len() / 4]);
        bench.run(&["check", "cut"]).refused("cannot read cut");
        replay(&bench, "cut", &[]).refused("cut");
    }
}

#[test]
fn what_cannot_be_run_again_is_refused_with_a_reason() {
    let bench = bench();
    let refused = |run: &str, words: &str| replay(&bench, run, &[]).refused(words);
    refused("nope", "no run `nope`");
    bench.write("plan.toml", "for = \"1s\"\n");
    refused("plan.toml", "`quorate run plan.toml` runs it");
    bench.write("plan.json", "{}");
    refused("plan.json", "plan.json is not a plan");
    bench.write("other.edn", "{:type :invoke}\n");
    refused("other.edn", "not a header");
    fs::create_dir(bench.path("empty")).expect("a directory");
    refused("empty", "empty holds neither plan.json nor history.jsonl");
    bench.write("far.jsonl", file(&broken()).replace("\"n1\"", "\"north\""));
    refused("far.jsonl", "only quorate's own nodes");
    bench.write(
        "odd.jsonl",
        HEADER.replace("\"seed\":1", "\"seed\":1,\"sabotage\":[\"drop\"]"),
    );
    refused("odd.jsonl", "unknown sabotage `drop`");
    replay(&bench, "latest", &["--find", "stale-reed"]).refused("did you mean `stale-read`?");
    replay(&bench, "latest", &["--times", "0"]).refused("--times");
    replay(&bench, "latest", &["--world", "moon"]).refused("--world");
}

#[test]
fn what_is_no_run_is_not_exported() {
    let bench = bench();
    let refused = |args: &[&str], words: &str| {
        bench.run(&[&["export"], args].concat()).refused(words);
    };
    refused(&["nope"], "no run `nope`");
    refused(
        &["latest", "run.zip"],
        "end it in .tar.gz, .tar.zst or .tar",
    );
    refused(
        &["latest", "nowhere/run.tar"],
        "cannot create nowhere/run.tar",
    );
    fs::create_dir(bench.path("empty")).expect("a directory");
    refused(&["empty"], "it holds neither plan.json nor history.jsonl");
    bench.write("some.jsonl", "");
    refused(&["some.jsonl"], "is a file");
    assert!(!bench.path("run.zip").exists());
}
