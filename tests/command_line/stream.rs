//! `quorate check --stream` and `quorate check -`: the same verdict as of the whole file, the first anomaly at once, and what is not judged.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::Value as Json;

use crate::bench::{Bench, Ended};
use crate::histories::{HEADER, broken, file, kept, undecided};

fn stream(text: impl AsRef<[u8]>) -> Ended {
    let bench = Bench::new();
    bench.write("history.jsonl", text);
    bench.run(&["check", "--stream", "history.jsonl"])
}

#[test]
fn the_exit_code_is_the_verdict() {
    let ended = stream(file(&kept()))
        .with_code(0)
        .telling("linearizable  1 keys")
        .telling("judged        fresh reads")
        .telling("the exit code is about these alone")
        .telling("zones of a stream: k (1 key, ");
    assert!(ended.stderr.is_empty(), "{ended}");
    stream(file(&broken()))
        .with_code(1)
        .telling("BROKEN fresh reads")
        .complaining("0:00.0 stale read on k: 1 was returned in line 7 (promised: yes)");
    stream(file(&undecided())).with_code(3).telling("undecided");
    stream(format!("{HEADER}\n")).with_code(3).telling("0 ops");
    stream("garbage\n").refused("line 1, column 1: not a header");
    stream(format!("{HEADER}\ngarbage\n")).refused("line 2, column 1: not JSON");
    stream(format!("{}{{\"index\":6", file(&broken())))
        .with_code(1)
        .telling("the last line is torn");
}

#[test]
fn stdin_is_judged_while_it_is_read() {
    let bench = Bench::new();
    bench.write("history.jsonl", file(&broken()));
    let stdin = File::open(bench.path("history.jsonl")).expect("a file");
    let ended = Ended::of(bench.command(&["check", "-"]).stdin(stdin));
    ended.with_code(1).telling("BROKEN fresh reads");

    // Through a pipe that stays open: the anomaly is told before the history has ended.
    let mut child = bench
        .command(&["check", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let later =
        r#"{"index":6,"time":70,"type":"invoke","process":0,"f":"read","key":"k","node":"n1"}"#;
    writeln!(stdin, "{}{later}", file(&broken())).expect("written");
    let mut told = String::new();
    let stderr = child.stderr.take().expect("a pipe");
    BufReader::new(stderr).read_line(&mut told).expect("a line");
    assert!(told.contains("stale read on k"), "{told}");
    drop(stdin);
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
}

#[test]
fn a_claim_decides_what_is_promised() {
    let bench = Bench::new();
    bench.write("history.jsonl", file(&broken()));
    bench
        .run(&["check", "--stream", "history.jsonl", "--claim", "3/1/1"])
        .with_code(0)
        .complaining("(promised: no)")
        .telling("seen");
}

#[test]
fn json_has_the_rows_of_the_whole_verdict() {
    let bench = Bench::new();
    let generated = [
        "generate-history",
        "-n",
        "3000",
        "-k",
        "4",
        "--info",
        "5",
        "--fail",
        "3",
    ];
    for corruption in [
        "none",
        "stale-read",
        "phantom",
        "failed-write",
        "inversion",
        "future",
    ] {
        let mut args = generated.to_vec();
        args.extend(["--corrupt", corruption, "-o", "history.jsonl"]);
        bench.run(&args).with_code(0);
        let rows = |stream: &[&str]| {
            let mut args = vec!["check", "history.jsonl", "--format", "json"];
            args.extend(stream);
            let ended = bench.run(&args);
            let verdict: Json = serde_json::from_str(&ended.stdout).expect("one JSON document");
            let rows: Vec<Json> = verdict["guarantees"]
                .as_array()
                .expect("rows")
                .iter()
                .map(|row| {
                    Json::from(vec![
                        row["guarantee"].clone(),
                        row["promised"].clone(),
                        row["ruling"].clone(),
                        row["judged"].clone(),
                        // A value that was forgotten makes a stale read, and may hide that it is an inversion, too.
                        if row["guarantee"] == "no-inversion" {
                            Json::Null
                        } else {
                            row["seen"].clone()
                        },
                    ])
                })
                .collect();
            (ended.code, rows)
        };
        let (offline, streamed) = (rows(&[]), rows(&["--stream"]));
        assert_eq!(offline.0, streamed.0, "{corruption}");
        for (offline, streamed) in offline.1.iter().zip(&streamed.1) {
            if corruption != "stale-read" || offline[0] != "no-inversion" {
                assert_eq!(offline, streamed, "{corruption}");
            }
        }
    }
}

#[test]
fn a_file_is_looked_at_again_for_the_proof() {
    let bench = Bench::new();
    for (corruption, title) in [
        ("stale-read", "STALE READ  key k0"),
        ("phantom", "PHANTOM  key k0"),
        ("failed-write", "FAILED WRITE VISIBLE  key k0"),
        ("inversion", "INVERSION  key k0"),
    ] {
        let args = [
            "generate-history",
            "-c",
            "20",
            "--corrupt",
            corruption,
            "-o",
            "history.jsonl",
        ];
        bench.run(&args).with_code(0);
        bench
            .run(&["check", "--stream", "history.jsonl"])
            .with_code(1)
            .telling(title)
            .telling("However, ");
    }
}

#[test]
fn what_does_not_stream_is_said() {
    let bench = Bench::new();
    let args = [
        "generate-history",
        "-n",
        "300",
        "--census",
        "-o",
        "history.jsonl",
    ];
    bench.run(&args).with_code(0);
    bench
        .run(&["check", "--stream", "history.jsonl"])
        .with_code(0)
        .telling("not judged    no lost writes, convergence (3 answers of the census)");
    let args = [
        "generate-history",
        "-n",
        "300",
        "--values",
        "small:3",
        "-o",
        "history.jsonl",
    ];
    bench.run(&args).with_code(0);
    bench
        .run(&["check", "--stream", "history.jsonl"])
        .with_code(3)
        .telling("1 undecided: keys whose values do not ascend");
}
