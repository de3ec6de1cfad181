//! `quorate check` on files: verdicts of whole ones, refusals of malformed ones, and what can be said of torn ones.

use serde_json::Value as Json;

use crate::bench::{Bench, Ended};
use crate::histories::{HEADER, broken, file, kept, undecided};

/// Every how many bytes a history is cut off: often enough to meet every kind of place, seldom enough to be quick.
const CUT_STEP_BYTES: usize = 13;

fn check(text: impl AsRef<[u8]>) -> Ended {
    let bench = Bench::new();
    bench.write("history.jsonl", text);
    bench.run(&["check", "history.jsonl"])
}

#[test]
fn the_exit_code_is_the_verdict() {
    let ended = check(file(&kept()))
        .with_code(0)
        .telling("kept: every promise of N=3 R=2 W=2");
    assert!(ended.stderr.is_empty(), "{ended}");
    let ended = check(file(&broken()))
        .with_code(1)
        .telling("BROKEN fresh reads");
    assert!(ended.stderr.is_empty(), "{ended}");
    check(file(&undecided()))
        .with_code(3)
        .telling("undecided: nothing broken, but too little evidence");
    check(format!("{HEADER}\n")).with_code(3).telling("0 ops");
}

#[test]
fn it_says_who_decided_which_keys_and_why_a_row_is_undecided() {
    let bench = Bench::new();
    let judged_by = |lines: &[String], names: &str| {
        let text = file(lines).replace(r#""fresh-reads""#, names);
        bench.write("history.jsonl", text);
        bench.run(&["check", "history.jsonl"])
    };
    judged_by(&kept(), r#""linearizability","no-lost-writes""#)
        .with_code(3)
        .telling("decided    zones: k (1 key, 3 operations)")
        .telling("undecided  no lost writes: no census in this history: final reads of each key at each replica are missing");
    judged_by(&undecided(), r#""fresh-reads""#)
        .with_code(3)
        .telling("undecided  fresh reads: no read began after a write of its key was acknowledged; let clients");
}

#[test]
fn a_claim_is_judged_instead_of_the_configuration() {
    let bench = Bench::new();
    bench.write("history.jsonl", file(&broken()));
    let check = |claim| bench.run(&["check", "history.jsonl", "--claim", claim]);
    check("3/1/1").with_code(0).telling("seen");
    check("3/2/2").with_code(1);
    check("3/2/5").refused("claim `3/2/5` is not N/R/W");
}

#[test]
fn json_is_the_verdict_alone() {
    let bench = Bench::new();
    bench.write("history.jsonl", file(&broken()));
    let ended = bench
        .run(&["check", "history.jsonl", "--format", "json"])
        .with_code(1);
    let verdict: Json = serde_json::from_str(&ended.stdout).expect("one JSON document");
    assert_eq!(verdict["outcome"], "broken");
    assert_eq!(verdict["guarantees"][0]["guarantee"], "fresh-reads");
    assert_eq!(verdict["guarantees"][0]["ruling"], "broken");
    assert_eq!(
        verdict["guarantees"][0]["anomalies"][0]["name"],
        "stale-read"
    );
    assert!(ended.stderr.is_empty(), "{ended}");
}

#[test]
fn what_is_no_history_is_refused() {
    check("").refused("line 1, column 1: not a header");
    check("garbage\n").refused("line 1, column 1: not a header");
    check([0xff, 0xfe, 0, b'\n', 0xff]).refused("line 1, column 1: not a header");
    check("{}\n").refused("line 1, column 1: not a header");
    check(HEADER.replace("\"format\":1", "\"format\":9"))
        .refused("line 1, column 2: format 9 is not 1");
    check(HEADER.replace("fresh-reads", "fresh-read"))
        .refused("`fresh-read`, which is no guarantee");
    check(HEADER.replace("\"seed\":1,", ""))
        .refused("line 1, column 212: bad header: missing field `seed`");
}

#[test]
fn malformed_lines_are_named() {
    let changed = |change: fn(&mut Vec<String>)| {
        let mut lines = kept();
        change(&mut lines);
        check(file(&lines))
    };
    changed(|lines| lines.insert(3, lines[2].clone()))
        .refused("line 4, column 2: index 1 is there twice");
    changed(|lines| lines.swap(2, 3)).refused("line 3, column 2: index 2 comes before 1");
    changed(|lines| drop(lines.remove(3)))
        .refused("line 4, column 2: index 3 follows, but 2 is missing");
    changed(|lines| lines[4].truncate(20)).refused("line 5, column 20: not JSON");
    changed(|lines| lines[3] = "garbage".to_owned()).refused("line 4, column 1: not JSON");
    changed(|lines| lines[6] = lines[6].replace("\"key\":\"k\"", "\"key\":\"j\""))
        .refused("line 7, column 57: process 1 completes another key than it invoked on line 6");
    changed(|lines| lines[4] = lines[4].replace(":40,", ":4,"))
        .refused("line 5, column 12: time 4 is before 30");
}

#[test]
fn numbers_at_the_end_of_their_range_are_judged_like_others() {
    let most = u32::MAX.to_string();
    let claim = format!("{most}/{most}/{most}");
    let text = file(&kept())
        .replace("500", &u64::MAX.to_string())
        .replace(":60,", &format!(":{},", u64::MAX));
    let bench = Bench::new();
    bench.write("history.jsonl", text);
    bench
        .run(&["check", "history.jsonl", "--claim", &claim])
        .with_code(0)
        .telling("R + W = 8589934590, overlap 4294967295");
}

#[test]
fn a_torn_last_line_is_told_and_the_rest_is_judged() {
    let whole = file(&broken());
    let torn = format!("{whole}{{\"index\":6,\"time\":7");
    check(&torn).with_code(1).telling("the last line is torn");
    let last_line = whole.trim_end().rfind('\n').expect("lines") + 1;
    let middle = usize::midpoint(last_line, whole.len());
    check(&whole[..middle])
        .with_code(3)
        .telling("the last line is torn");
    // Without the newline alone nothing is missing.
    let ended = check(whole.trim_end()).with_code(1);
    assert!(!ended.stdout.contains("torn"), "{ended}");
}

#[test]
fn wherever_a_history_is_cut_off_the_rest_can_be_judged() {
    let bench = Bench::new();
    let whole = file(&broken());
    for end in (HEADER.len()..whole.len()).step_by(CUT_STEP_BYTES) {
        bench.write("history.jsonl", &whole[..end]);
        bench.run(&["check", "history.jsonl"]).with_code(3);
    }
    bench.write("history.jsonl", &HEADER[..HEADER.len() / 2]);
    bench
        .run(&["check", "history.jsonl"])
        .refused("line 1, column 1: not a header");
}

#[test]
fn runs_are_found_by_their_names_or_refused() {
    let bench = Bench::new();
    bench
        .run(&["check", "nope"])
        .refused("no run `nope`: no such file, and there are no runs in results/runs");
    let run = bench.path("results/runs/20260101-000000-abcd");
    std::fs::create_dir_all(&run).expect("a run");
    bench
        .run(&["check", "nope"])
        .refused("no run in results/runs begins so");
    bench
        .run(&["check", "abcd"])
        .refused("holds no history.jsonl");
    std::fs::write(run.join("history.jsonl"), file(&broken())).expect("a history");
    for name in ["abcd", "2026", "results/runs/20260101-000000-abcd"] {
        bench.run(&["check", name]).with_code(1).telling("BROKEN");
    }
}
