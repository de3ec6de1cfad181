//! Searching for a seed: what is found is saved and judged like any other run, and what is not is told with its own exit code.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::bench::{Bench, Ended};

/// A load that is simulated in a moment.
const SMALL: [&str; 7] = ["run", "--world", "sim", "--for", "500ms", "--rate", "300"];

fn small<'a>(more: &[&'a str]) -> Vec<&'a str> {
    SMALL.iter().chain(more).copied().collect()
}

fn runs(bench: &Bench) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(bench.path("results/runs")) else {
        return Vec::new();
    };
    let paths = entries.flatten().map(|entry| entry.path());
    paths
        .filter(|path| path.is_dir() && !path.is_symlink())
        .collect()
}

#[test]
fn a_broken_promise_is_found_saved_and_repeated() {
    let bench = Bench::new();
    let args = small(&["--sabotage", "unchecked-key", "--until", "broken"]);
    let ended = bench.run(&args).with_code(1);
    let ended = ended
        .telling("search  seeds 0.. for a broken promise")
        .telling("found: broken promise with seed")
        .telling("seeds/s")
        .telling("times as fast as real time")
        .telling("BROKEN no phantoms");
    let [directory] = runs(&bench).try_into().expect("one run is saved");
    let plan = directory.join("plan.json").display().to_string();
    let again = bench.run(&["run", &plan]).with_code(1);
    let judged = |stdout: &str| {
        let rows = stdout.lines().filter(|line| line.contains("✗ BROKEN"));
        rows.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        judged(&again.stdout),
        judged(&ended.stdout),
        "{ended}\n{again}"
    );
}

#[test]
fn an_anomaly_that_nobody_promised_to_prevent_is_no_failure() {
    let bench = Bench::new();
    let args = small(&[
        "-R",
        "1",
        "-W",
        "1",
        "--seeds",
        "0..300",
        "--find",
        "stale-read",
    ]);
    bench
        .run(&args)
        .with_code(0)
        .telling("search  seeds 0..300 for a stale-read")
        .telling("found: stale-read with seed");
    assert_eq!(runs(&bench).len(), 1);
}

#[test]
fn nothing_found_saves_nothing() {
    let bench = Bench::new();
    let calm = small(&["--faults", "none", "--seeds", "5..8"]);
    bench
        .run(&calm)
        .with_code(0)
        .telling("tried  3 seeds")
        .telling("kept: no seed broke a promise");
    let seek = small(&[
        "--faults",
        "none",
        "--seeds",
        "5..8",
        "--find",
        "lost-write",
    ]);
    bench
        .run(&seek)
        .with_code(3)
        .telling("not found, which proves nothing");
    let as_json = [calm, vec!["--format", "json"]].concat();
    let ended = bench.run(&as_json).with_code(0);
    let document: serde_json::Value = serde_json::from_str(&ended.stdout).expect("a document");
    assert_eq!(document["seeds_tried"], 3, "{ended}");
    assert_eq!(document["found"], serde_json::Value::Null, "{ended}");
    assert_eq!(document["guarantees"]["no-phantoms"]["kept"], 3, "{ended}");
    assert!(runs(&bench).is_empty());
}

#[test]
fn a_plan_file_is_searched_and_a_flag_wins_over_its_seed() {
    let bench = Bench::new();
    bench.write(
        "plan.toml",
        "seed = 7\nfor = \"500ms\"\nrate = 300\n[[timeline]]\nat = \"100ms\"\nfor = \"100ms\"\nfault.kill.nodes = [1]\n",
    );
    bench
        .run(&["run", "plan.toml", "--seeds", "2..4"])
        .with_code(0)
        .telling("seeds 2..4")
        .telling("tried  2 seeds");
    let until = [
        "run",
        "plan.toml",
        "--until",
        "broken",
        "--sabotage",
        "unchecked-key",
    ];
    bench.run(&until).with_code(1).telling("seeds 7.. for");
}

#[test]
fn searches_that_cannot_be() {
    let bench = Bench::new();
    let refused: [(&[&str], &str); 7] = [
        (
            &["--world", "live", "--seeds", "0..9"],
            "leave out --world live",
        ),
        (
            &["--seeds", "9..0"],
            "seeds `9..0` is not a range FIRST..END",
        ),
        (&["--seeds", "many"], "such as 0..10000"),
        (&["--find", "stale-reed"], "did you mean `stale-read`?"),
        (&["--until", "dawn"], "possible values: broken"),
        (&["--seeds", "0..9", "--seed", "3"], "cannot be used with"),
        (&["--seeds", "0..9", "-R", "7"], "R = 7 is not possible"),
    ];
    for (args, words) in refused {
        bench.run(&[&["run"], args].concat()).refused(words);
        assert!(runs(&bench).is_empty(), "{args:?} has run something");
    }
}

#[test]
fn a_saved_plan_is_searched_for_others_like_it() {
    let bench = Bench::new();
    let sabotaged = small(&["--sabotage", "unchecked-key", "--seed", "1"]);
    bench.run(&sabotaged).with_code(1);
    let [directory] = runs(&bench).try_into().expect("one run is saved");
    let plan = directory.join("plan.json").display().to_string();
    bench
        .run(&["run", &plan, "--find", "phantom"])
        .with_code(1)
        .telling("found: phantom with seed");
    assert_eq!(runs(&bench).len(), 2);
    bench
        .run(&["run", &plan, "--find", "phantom", "--world", "live"])
        .refused("leave out --world live");
    bench
        .run(&["run", &plan, "--find", "phantom", "-R", "1"])
        .refused("leave out -R");
}

#[test]
fn an_interrupt_ends_the_search_and_tells_what_was_explored() {
    let bench = Bench::new();
    let args = small(&[
        "--faults",
        "none",
        "--until",
        "broken",
        "--progress",
        "lines",
    ]);
    let mut command = bench.command(&args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    // It has begun once it says so.
    let mut stderr = BufReader::new(child.stderr.take().expect("stderr"));
    let mut line = String::new();
    stderr.read_line(&mut line).expect("a line");
    assert!(line.contains("seeds 0.. for a broken promise"), "{line}");
    let pid = i32::try_from(child.id()).expect("a process id");
    kill(Pid::from_raw(pid), Signal::SIGINT).expect("it is told");
    let ended = Ended::from(child.wait_with_output().expect("it ends"));
    ended
        .with_code(130)
        .telling("tried  ")
        .telling("interrupted: nothing was found until then");
    assert!(runs(&bench).is_empty());
}
