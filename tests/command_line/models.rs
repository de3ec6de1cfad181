//! `quorate check --model` and `quorate convert`: histories of other tools, written by hand as those tools write them.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value as Json;

use crate::bench::Bench;
use crate::histories::{broken, file, kept};

/// Two writes, one after the other, and a read that returns `value`.
fn edn(value: &str) -> String {
    format!(
        "{{:process 0, :type :invoke, :f :write, :value 1, :index 0}}
{{:process 0, :type :ok, :f :write, :value 1, :index 1}}
{{:process 0, :type :invoke, :f :write, :value 2, :index 2}}
{{:process 0, :type :ok, :f :write, :value 2, :index 3}}
{{:process :nemesis, :type :info, :f :start, :value {{:cut #{{\"n1\"}}}}, :index 4}}
{{:process 1, :type :invoke, :f :read, :value nil, :index 5}}
{{:process 1, :type :ok, :f :read, :value {value}, :index 6}}
"
    )
}

/// A bench with a file `history`.
fn bench(content: impl AsRef<[u8]>) -> Bench {
    let bench = Bench::new();
    bench.write("history", content);
    bench
}

const REGISTER: [&str; 4] = ["check", "history", "--model", "register"];

#[test]
fn the_exit_code_is_the_answer_in_every_format() {
    let elle = |value: &str| {
        let event = |process: u8, kind: &str, f: &str, value: &str| {
            format!(r#"{{"process":{process},"type":"{kind}","f":"{f}","value":{value}}}"#)
        };
        [
            event(0, "invoke", "write", "1"),
            event(0, "ok", "write", "1"),
            event(0, "invoke", "write", "2"),
            event(0, "ok", "write", "2"),
            event(1, "invoke", "read", "null"),
            event(1, "ok", "read", value),
        ]
    };
    let log = |value: &str| {
        let lines = elle(value).map(|line| {
            let event: Json = serde_json::from_str(&line).expect("JSON");
            let word = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
            let value = event["value"].to_string().replace("null", "nil");
            format!(
                "INFO  jepsen.util - {}\t:{}\t:{}\t{value}\n",
                event["process"],
                word("type"),
                word("f")
            )
        });
        lines.concat()
    };
    for (format, make) in [
        ("edn", &edn as &dyn Fn(&str) -> String),
        ("elle-json", &|value| {
            format!("[{}]", elle(&value.replace("nil", "null")).join(",\n"))
        }),
        ("jsonl", &|value| {
            elle(&value.replace("nil", "null")).join("\n")
        }),
        ("jepsen-log", &|value| log(&value.replace("nil", "null"))),
    ] {
        let ended = bench(make("2"))
            .run(&REGISTER)
            .with_code(0)
            .telling("kept: linearizable");
        assert!(ended.stderr.is_empty(), "{ended}");
        assert!(
            ended
                .stdout
                .contains(&format!("{format} as register  3 ops")),
            "{ended}"
        );
        bench(make("1"))
            .run(&REGISTER)
            .with_code(1)
            .telling("B finished before C began, so C had to return 2");
        // In Porcupine's logs nil is what there was in the beginning; elsewhere a read of it says nothing.
        let code = if format == "jepsen-log" { 1 } else { 3 };
        bench(make("nil")).run(&REGISTER).with_code(code);
        bench(make("nil"))
            .run(&[REGISTER.as_slice(), &["--nil-reads", "initial"]].concat())
            .with_code(1);
        // The format may be said, and then it counts.
        let named = [REGISTER.as_slice(), &["--input-format", format]].concat();
        bench(make("2")).run(&named).with_code(0);
    }
}

#[test]
fn our_own_histories_are_judged_by_a_model_too() {
    bench(file(&kept()))
        .run(&REGISTER)
        .with_code(0)
        .telling("quorate as register");
    bench(file(&broken()))
        .run(&REGISTER)
        .with_code(1)
        .telling("STALE READ  key k");
}

#[test]
fn compressed_files_are_judged_as_they_are() {
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    };
    let zstd = |bytes: &[u8]| {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    };
    for compress in [&gzip as &dyn Fn(&[u8]) -> Vec<u8>, &zstd] {
        bench(compress(edn("1").as_bytes()))
            .run(&REGISTER)
            .with_code(1);
        let own = compress(file(&broken()).as_bytes());
        bench(&own)
            .run(&["check", "history"])
            .with_code(1)
            .telling("BROKEN fresh reads");
        bench(&own[..own.len() - 9])
            .run(&["check", "history"])
            .refused("cannot read history");
    }
}

#[test]
fn a_history_of_another_tool_needs_a_model() {
    bench(edn("1"))
        .run(&["check", "history"])
        .refused("history: edn of another tool, with read, write: say by --model as what it is to be judged (models that fit: register");
    bench(edn("1"))
        .run(&["check", "history", "--model", "queue"])
        .refused("invalid value 'queue' for '--model");
    bench(edn("1"))
        .run(&["check", "history", "--keyed"])
        .refused("--model");
    bench(edn("1"))
        .run(&[
            "check", "history", "--model", "register", "--claim", "3/2/2",
        ])
        .refused("cannot be used with");
    bench("hello\n")
        .run(&REGISTER)
        .refused("history: line 1, column 1: no format can be told from this");
    bench("hello\n")
        .run(&["check", "history"])
        .refused("judge another tool's by --model");
    bench("{:type :ok}\n{:type :odd}\n")
        .run(&REGISTER)
        .refused("history: line 2, column 8: `type` is `odd`");
    let enqueue = edn("1")
        .replace(":write", ":enqueue")
        .replace(":read", ":dequeue");
    bench(enqueue)
        .run(&REGISTER)
        .refused("the model register knows read, write, delete, but the log has dequeue, enqueue");
}

#[test]
fn sets_sessions_and_causality_are_judged() {
    let set = |reply: &str| {
        edn(reply)
            .replace(":write", ":add")
            .replace(":value nil", ":value nil, :time 5")
    };
    for model in ["set", "set-full", "grow-only-set", "set-rmw"] {
        let check = |reply: &str| bench(set(reply)).run(&["check", "history", "--model", model]);
        check("#{1 2}").with_code(0).telling("kept: ");
        check("#{2}").with_code(1).telling("BROKEN: not ");
        check("nil").with_code(3).telling("undecided: ");
    }
    let ended = bench(set("[2]")).run(&["check", "history", "--model", "set-full"]);
    ended.telling("2 attempted, 1 stable, 1 lost");
    let sessions = |model| bench(edn("2")).run(&["check", "history", "--model", model]);
    sessions("sessions")
        .with_code(3)
        .telling("read-your-writes");
    sessions("causal")
        .with_code(0)
        .telling("kept: causal on 2 of 2 counts");
    bench(set("[2]"))
        .run(&REGISTER)
        .refused("does not know add, which may have changed what others read");
}

#[test]
fn keys_are_judged_apart() {
    let keyed = |value: &str| {
        edn(&format!("[:k {value}]"))
            .replace(":value 1", ":value [:k 1]")
            .replace(":value 2", ":value [:k 2]")
            .replace(":value nil", ":value [:k nil]")
    };
    let args = [REGISTER.as_slice(), &["--keyed"]].concat();
    bench(keyed("2")).run(&args).with_code(0).telling(":k");
    bench(keyed("1"))
        .run(&args)
        .with_code(1)
        .telling("STALE READ  key :k");
    bench(keyed("2"))
        .run(&REGISTER)
        .telling("judge with --keyed");
    bench(edn("2"))
        .run(&args)
        .refused("with keyed values each is [key value]");
}

#[test]
fn the_document_says_who_decided_and_what_was_taken_for_granted() {
    let ended = bench(edn("1"))
        .run(&[REGISTER.as_slice(), &["--format", "json"]].concat())
        .with_code(1);
    let report: Json = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(report["model"], "register");
    assert_eq!(report["input_format"], "edn");
    assert_eq!(report["assumptions"][0], "a read of nil says nothing");
    assert_eq!(report["keys"][0]["algorithm"], "zones");
    assert_eq!(report["keys"][0]["anomalies"][0]["name"], "stale-read");
    assert_eq!(
        report["keys"][0]["anomalies"][0]["witness"],
        serde_json::json!([0, 2, 5])
    );
}

#[test]
fn what_is_converted_is_judged_the_same() {
    let bench = bench(edn("1"));
    for (format, to) in [("edn", "a"), ("elle-json", "b"), ("jsonl", "c")] {
        let ended = bench
            .run(&["convert", "history", to, "--to", format])
            .with_code(0);
        assert!(
            ended.stdout.is_empty() && ended.stderr.is_empty(),
            "{ended}"
        );
        bench
            .run(&["check", to, "--model", "register"])
            .with_code(1)
            .telling(format);
    }
    // EDN holds everything, and the order of fields is the one that Jepsen writes.
    let again = bench
        .run(&["convert", "history", "-", "--to", "edn"])
        .with_code(0);
    let line = "{:index 4, :type :info, :process :nemesis, :f :start, :value {:cut #{\"n1\"}}}\n";
    assert!(again.stdout.contains(line), "{again}");
    bench.write("own", file(&broken()));
    let keyed = bench
        .run(&["convert", "own", "-", "--to", "edn", "--keyed"])
        .with_code(0);
    assert!(
        keyed
            .stdout
            .contains(":f :write, :value [\"k\" 1], :node \"n1\"}"),
        "{keyed}"
    );
    bench
        .run(&["convert", "own", "out", "--to", "xml"])
        .refused("invalid value 'xml'");
    bench
        .run(&["convert", "none", "out", "--to", "edn"])
        .refused("no run `none`");
    bench
        .run(&["convert", "own", "no/such/place", "--to", "edn"])
        .refused("cannot write no/such/place");
}

#[test]
fn as_many_anomalies_are_told_as_are_asked_for() {
    // One session writes twice; five others read the second value and then the first.
    let mut history = String::new();
    let mut done = |process: &str, f: &str, value: &str| {
        let asked = if f == "read" { "nil" } else { value };
        for (kind, value) in [("invoke", asked), ("ok", value)] {
            let event = [
                "{:process ",
                process,
                " :type :",
                kind,
                " :f :",
                f,
                " :value ",
                value,
                "}\n",
            ];
            history.extend(event);
        }
    };
    done("0", "write", "1");
    done("0", "write", "2");
    for process in ["1", "2", "3", "4", "5"] {
        done(process, "read", "2");
        done(process, "read", "1");
    }
    let bench = bench(history);
    let told = |more: &[&str]| {
        let mut args = vec!["check", "history", "--model", "sessions"];
        args.extend(more);
        let ended = bench.run(&args).with_code(1);
        let however = ended.stdout.matches("However").count();
        (however, ended.stdout.contains("--anomalies 5 tells more"))
    };
    let (usual, is_told) = told(&[]);
    assert!(usual < 5 && is_told, "{usual}");
    let (all, is_told) = told(&["--anomalies", "5"]);
    assert!(all >= 5 && !is_told, "{all}");
    let (none, is_told) = told(&["--anomalies", "0"]);
    assert!(none == 0 && is_told, "{none}");
}
