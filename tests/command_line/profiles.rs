//! `--profile`, and what `list` and `explain` tell of profiles.

use serde_json::Value as Json;

use crate::bench::Bench;

#[test]
fn profiles_are_listed_with_the_source_of_every_setting() {
    let bench = Bench::new();
    let ended = bench
        .run(&["list", "profiles"])
        .with_code(0)
        .telling("cassandra")
        .telling("store.tie = \"larger-value\"")
        .telling("db/rows/Cells.resolveRegular")
        .telling("store.sloppy = true")
        .telling("scaled 1:100");
    assert!(ended.stderr.is_empty(), "{ended}");
    // Among everything there is one line is enough.
    let all = bench.run(&["list"]).with_code(0).telling("profiles");
    assert!(!all.stdout.contains("larger-value"), "{all}");
}

#[test]
fn a_profile_is_explained_with_what_differs_from_the_real_system() {
    Bench::new()
        .run(&["explain", "riak"])
        .with_code(0)
        .telling("riak (profile: --profile riak)")
        .telling("Differs from the real one")
        .telling("delete_mode 3000 ms");
}

#[test]
fn a_run_as_a_profile_is_judged_by_what_that_promises() {
    let bench = Bench::new();
    let arguments = [
        "run",
        "--profile",
        "cassandra",
        "--write-level",
        "local-one",
        "--world",
        "sim",
        "--for",
        "500ms",
        "--seed",
        "3",
        "--faults",
        "none",
        "--format",
        "json",
        "--results",
        "runs",
    ];
    let ended = bench.run(&arguments);
    let verdict: Json = serde_json::from_str(&ended.stdout).expect("JSON");
    let rows = verdict["guarantees"].as_array().expect("rows");
    let fresh = rows.iter().find(|row| row["guarantee"] == "fresh-reads");
    let reason = fresh.expect("a row")["reason"].as_str().expect("a reason");
    assert!(
        reason.starts_with("W = local-one and R = quorum: 1 + 2 = 3 <= N + f = 3"),
        "{reason}"
    );
}

#[test]
fn a_profile_that_is_none_is_refused_with_those_that_there_are() {
    Bench::new()
        .run(&["run", "--profile", "reak"])
        .with_code(2)
        .complaining("did you mean `riak`?");
}
