//! Runs in the simulated world, from outside: the same bytes every time, interrupts, gates, and flags that mean nothing there.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::bench::{Bench, Ended};

/// Longer than any process needs to begin.
const PATIENCE: Duration = Duration::from_secs(60);

/// The history of the only run kept in this directory.
fn history(bench: &Bench, results: &str) -> Option<PathBuf> {
    let runs = fs::read_dir(bench.path(results)).ok()?;
    let histories = runs.filter_map(|run| {
        let run = run.ok()?;
        let is_link = run.file_type().ok()?.is_symlink();
        let history = run.path().join("history.jsonl");
        (!is_link && history.exists()).then_some(history)
    });
    let histories: Vec<PathBuf> = histories.collect();
    assert!(histories.len() <= 1, "{histories:?}");
    histories.into_iter().next()
}

/// What the same command line leaves as its history when it is run for the first and for the second time.
fn twice(args: &[&str], code: i32) -> [String; 2] {
    let bench = Bench::new();
    ["first", "second"].map(|results| {
        let args = [args, &["--results", results]].concat();
        bench.run(&args).with_code(code);
        let history = history(&bench, results).expect("it is kept");
        fs::read_to_string(history).expect("text")
    })
}

#[test]
fn the_same_seed_makes_the_same_file() {
    let flags = "run --world sim --seed 7 --for 5s --faults kill,pause,partition,slow,clock";
    let args: Vec<&str> = flags.split(' ').collect();
    let [first, second] = twice(&args, 0);
    assert!(first.lines().count() > 1_000, "too little to compare");
    assert!(first == second, "two histories of one seed differ");
}

#[test]
fn a_load_that_is_stopped_at_the_first_broken_promise_always_stops_there() {
    let flags = "run --world sim --seed 7 -N 3 -R 1 -W 1 --claim 3/2/2 --faults slow --for 30s --stop-on-first";
    let args: Vec<&str> = flags.split(' ').collect();
    let [first, second] = twice(&args, 1);
    assert!(first.contains("stopped at the first broken promise"));
    assert!(first == second, "two histories of one seed differ");
}

#[test]
fn an_interrupted_simulation_is_saved_and_judged() {
    let bench = Bench::new();
    // Days of virtual time: it does not end by itself meanwhile.
    let mut command = bench.command(&["run", "--world", "sim", "--for", "23h", "--faults", "none"]);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let began = Instant::now();
    let has_begun = || {
        let history = history(&bench, "results/runs");
        let lines = history.and_then(|history| fs::metadata(history).ok());
        lines.is_some_and(|file| file.len() > 10_000)
    };
    while !has_begun() {
        assert!(began.elapsed() < PATIENCE, "no history grows");
        sleep(Duration::from_millis(5));
    }
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
    kill(pid, Signal::SIGINT).expect("it lives");
    let ended = Ended::from(child.wait_with_output().expect("it ends"));
    ended
        .with_code(130)
        .complaining("interrupted: healing, saving and judging")
        .telling("no phantoms");
    let history = history(&bench, "results/runs").expect("it is kept");
    let history = fs::read_to_string(history).expect("text");
    assert!(history.contains("interrupted"));
    assert!(history.contains(r#""f":"census""#), "it was not read out");
}

#[test]
fn what_only_processes_have_is_refused() {
    let bench = Bench::new();
    bench
        .run(&["run", "--world", "sim", "--keep-data"])
        .refused("--keep-data means nothing in the simulated world");
    bench
        .run(&["run", "--world", "sim", "--node-bin", "/bin/true"])
        .refused("--node-bin means nothing in the simulated world");
    assert!(!bench.path("results").exists(), "something was run");
}

/// A canary and a promise, simulated.
const GATE: &str = r#"
[[case]]
name = "majorities"
expect = "kept"
runs = 2
plan = { world = "sim", for = "5s", faults = ["partition"], weather = { gust_percent = 10 } }

[[case]]
name = "no overlap"
expect = "broken:fresh-reads"
runs = 5
plan = { world = "sim", n = 3, r = 1, w = 1, claim = "3/2/2", for = "5s", faults = ["slow"] }
"#;

#[test]
fn gates_may_be_simulated() {
    let bench = Bench::new();
    bench.write("gate.toml", GATE);
    bench
        .run(&["gate"])
        .with_code(0)
        .telling("kept")
        .telling("sang");
    bench
        .run(&["gate", "--node-bin", "/bin/true"])
        .refused("--node-bin means nothing in the simulated world");
}

/// The same load on a store that keeps the larger stamp, and on one that keeps siblings: most of a set is lost, or nothing.
#[test]
fn a_set_that_clients_add_to_is_told_in_the_eight_classic_lines() {
    let bench = Bench::new();
    let told = |versions: &str| {
        let flags = format!(
            "run --world sim --workload set-rmw --clients 5 --rate 0 --for 1s --faults none --seed 1 --versions {versions}"
        );
        let args: Vec<&str> = flags.split(' ').collect();
        bench.run(&args).with_code(0).stdout
    };
    let number = |text: &str, what: &str| -> f64 {
        let line = text.lines().find(|line| line.contains(what)).expect(what);
        let words = line.trim().trim_start_matches("sets").split_whitespace();
        words
            .take(1)
            .find_map(|word| word.parse().ok())
            .expect(line)
    };
    let (lww, dvv) = (told("lww"), told("dvv"));
    for text in [&lww, &dvv] {
        let lines = [
            " total",
            " acknowledged",
            " survivors",
            " acknowledged writes lost",
            " unacknowledged writes found",
            " ack rate",
            " loss rate",
            " unacknowledged but successful rate",
        ];
        assert!(lines.iter().all(|line| text.contains(line)), "{text}");
        assert!(text.contains("additions per version read"), "{text}");
    }
    assert!(number(&lww, " loss rate") > 0.5, "{lww}");
    assert!(number(&dvv, " survivors") > 100.0, "{dvv}");
    assert!(number(&dvv, " acknowledged writes lost") == 0.0, "{dvv}");
}
