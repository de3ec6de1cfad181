//! Logs against models, from text to answer.

mod agreement;
mod sessions;
mod sets;
mod siblings;

use super::*;

use crate::log::InputFormat;

/// Judges a text by a model, with options changed.
fn judged(model: Model, text: &str, change: impl FnOnce(&mut ModelOptions)) -> Report {
    let log = Log::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut options = ModelOptions::of(model);
    change(&mut options);
    judge(&log, &options).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// EDN of operations one after the other: `(f, value, how it ended, value of the completion)`.
fn sequence(operations: &[(&str, &str, &str, &str)]) -> String {
    let lines = operations
        .iter()
        .enumerate()
        .map(|(process, (f, asked, end, got))| {
            format!(
                "{{:process {process}, :type :invoke, :f :{f}, :value {asked}}}\n\
             {{:process {process}, :type :{end}, :f :{f}, :value {got}}}\n"
            )
        });
    lines.collect()
}

fn answer(model: Model, operations: &[(&str, &str, &str, &str)]) -> Answer {
    judged(model, &sequence(operations), |_| {}).answer
}

#[test]
fn a_register_is_judged() {
    let write = ("write", "1", "ok", "1");
    let read = |got| ("read", "nil", "ok", got);
    assert_eq!(answer(Model::Register, &[write, read("1")]), Answer::Kept);
    assert_eq!(answer(Model::Register, &[write, read("2")]), Answer::Broken);
    let again = ("write", "2", "ok", "2");
    assert_eq!(
        answer(Model::Register, &[write, again, read("1")]),
        Answer::Broken
    );
    assert_eq!(
        answer(
            Model::Register,
            &[
                write,
                ("write", "2", "info", ":timed-out"),
                read("1"),
                read("2")
            ]
        ),
        Answer::Kept
    );
    assert_eq!(
        answer(
            Model::Register,
            &[write, ("write", "2", "fail", "2"), read("2")]
        ),
        Answer::Broken
    );
}

#[test]
fn values_are_equal_as_clojure_has_it() {
    let write = ("write", "(1 #{2 3})", "ok", "(1 #{2 3})");
    assert_eq!(
        answer(
            Model::Register,
            &[write, ("read", "nil", "ok", "[1 #{3 2}]")]
        ),
        Answer::Kept
    );
    assert_eq!(
        answer(
            Model::Register,
            &[write, ("read", "nil", "ok", "[1 [3 2]]")]
        ),
        Answer::Broken
    );
}

#[test]
fn what_nothing_contradicts_because_nothing_was_seen_is_undecided() {
    let write = ("write", "1", "ok", "1");
    for operations in [
        [write, ("write", "2", "ok", "2")].as_slice(),
        &[write, ("read", "nil", "fail", "nil")],
        &[write, ("read", "nil", "info", "nil")],
        // To Knossos a read of nil says nothing.
        &[write, ("read", "nil", "ok", "nil")],
    ] {
        let report = judged(Model::Register, &sequence(operations), |_| {});
        assert_eq!(report.answer, Answer::Undecided);
        assert!(
            report
                .why
                .is_some_and(|why| why.contains("nothing could be seen"))
        );
    }
}

#[test]
fn a_nil_read_says_what_the_options_say() {
    let text = sequence(&[
        ("write", "1", "ok", "1"),
        ("read", "nil", "ok", "nil"),
        ("read", "nil", "ok", "1"),
    ]);
    let by = |nil_reads| {
        judged(Model::Register, &text, |options| {
            options.nil_reads = nil_reads;
        })
        .answer
    };
    assert_eq!(by(None), Answer::Kept);
    assert_eq!(by(Some(NilReads::Unknown)), Answer::Kept);
    assert_eq!(by(Some(NilReads::Initial)), Answer::Broken);
    // Porcupine's etcd logs.
    let log =
        "0\t:invoke\t:write\t1\n0\t:ok\t:write\t1\n1\t:invoke\t:read\tnil\n1\t:ok\t:read\tnil\n";
    assert_eq!(judged(Model::Register, log, |_| {}).answer, Answer::Broken);
}

#[test]
fn a_failed_compare_and_set_that_found_what_it_expected_is_a_contradiction() {
    let text = |found: &str| {
        sequence(&[
            ("write", "1", "ok", "1"),
            ("cas", "[1 2]", "fail", found),
            ("read", "nil", "ok", "1"),
        ])
    };
    let reads = |options: &mut ModelOptions| options.failed_cas = Some(FailedCas::Reads);
    let report = judged(Model::CasRegister, &text("1"), reads);
    assert_eq!((report.answer, report.keys[0].seen), (Answer::Broken, 1));
    assert_eq!(report.keys[0].anomalies[0].name, "refused-although-equal");
    let words = report.keys[0].anomalies[0].explanation.render();
    assert!(
        words.contains("A failed and says that it found 1: a contradiction"),
        "{words}"
    );
    // A completion that repeats its invocation tells nothing of what was found.
    assert_eq!(
        judged(Model::CasRegister, &text("[1 2]"), reads).answer,
        Answer::Kept
    );
    assert_eq!(
        judged(Model::CasRegister, &text("7"), reads).answer,
        Answer::Broken
    );
    assert_eq!(
        judged(Model::CasRegister, &text("7"), |_| {}).answer,
        Answer::Kept
    );
}

#[test]
fn values_that_repeat_are_searched_within_the_steps_allowed() {
    let write = |value| ("write", value, "ok", value);
    let text = |last| {
        sequence(&[
            write("1"),
            write("2"),
            write("1"),
            ("read", "nil", "ok", last),
        ])
    };
    let report = judged(Model::Register, &text("1"), |_| {});
    assert_eq!(
        (report.answer, report.keys[0].algorithm),
        (Answer::Kept, "frontier")
    );
    let report = judged(Model::Register, &text("2"), |_| {});
    assert_eq!((report.answer, report.keys[0].seen), (Answer::Broken, 1));
    assert!(
        report.keys[0].anomalies[0]
            .explanation
            .render()
            .contains("a contradiction")
    );
    let report = judged(Model::Register, &text("1"), |options| {
        options.steps = Some(0);
    });
    assert_eq!(report.answer, Answer::Undecided);
    assert!(
        report
            .why
            .is_some_and(|why| why.contains("steps did not suffice"))
    );
}

#[test]
fn compare_and_sets_are_judged_and_failed_ones_as_the_options_say() {
    let cas = |value, end| ("cas", value, end, value);
    let operations = [
        ("write", "1", "ok", "1"),
        cas("[1 2]", "fail"),
        cas("[1 3]", "ok"),
        ("read", "nil", "ok", "3"),
    ];
    let by = |failed_cas| {
        judged(Model::CasRegister, &sequence(&operations), |options| {
            options.failed_cas = failed_cas;
        })
        .answer
    };
    assert_eq!(by(None), Answer::Kept);
    assert_eq!(by(Some(FailedCas::Nothing)), Answer::Kept);
    // It failed, and yet the register held 1 all the while.
    assert_eq!(by(Some(FailedCas::NotEqual)), Answer::Broken);
    assert_eq!(
        answer(
            Model::CasRegister,
            &[operations[0], cas("[1 2]", "ok"), cas("[1 3]", "ok")]
        ),
        Answer::Broken
    );
    let chain = judged(
        Model::CasRegister,
        &sequence(&[operations[0], cas("[1 3]", "ok"), operations[3]]),
        |_| {},
    );
    assert_eq!(
        (chain.answer, chain.keys[0].algorithm),
        (Answer::Kept, "chains")
    );
}

#[test]
fn keys_are_judged_apart() {
    let operations = [
        ("write", "[:x 1]", "ok", "[:x 1]"),
        ("write", "[:y 2]", "ok", "[:y 2]"),
        ("read", "[:x nil]", "ok", "[:x 1]"),
        ("read", "[:y nil]", "ok", "[:y 1]"),
        ("write", "[:z 1]", "ok", "[:z 1]"),
    ];
    let text = sequence(&operations);
    let report = judged(Model::Register, &text, |options| options.keyed = true);
    let keys: Vec<_> = report
        .keys
        .iter()
        .map(|key| (key.key.as_deref(), key.answer))
        .collect();
    let expected = [
        (Some(":x"), Answer::Kept),
        (Some(":y"), Answer::Broken),
        (Some(":z"), Answer::Undecided),
    ];
    assert_eq!(keys, expected);
    assert_eq!(report.answer, Answer::Broken);
    // A key of which nobody saw anything does not leave the others undecided.
    let kept = sequence(&[operations[0], operations[2], operations[4]]);
    assert_eq!(
        judged(Model::Register, &kept, |options| options.keyed = true).answer,
        Answer::Kept
    );
    // Where they are not said to be keyed, pairs are values; the report asks.
    let unkeyed = judged(Model::Register, &text, |_| {});
    assert!(unkeyed.notes[0].contains("judge with --keyed"));
}

#[test]
fn our_own_histories_have_keys_of_their_own() {
    let mut bytes = Vec::new();
    crate::testing::header(3, 2, 2).to_line(&mut bytes);
    let event = |index: u32, process: u32, kind: &str, rest: &str| {
        format!(
            "{{\"index\":{index},\"time\":{index},\"type\":\"{kind}\",\"process\":{process},{rest}}}\n"
        )
    };
    let write = r#""f":"write","key":"k1","value":1"#;
    let text = [
        event(0, 0, "invoke", write),
        event(1, 0, "ok", write),
        event(2, 1, "invoke", r#""f":"read","key":"k2""#),
        event(3, 1, "ok", r#""f":"read","key":"k2""#),
        event(4, 2, "invoke", r#""f":"read","key":"k1""#),
        event(5, 2, "ok", r#""f":"read","key":"k1""#),
        event(6, 3, "invoke", r#""f":"census","key":"k1""#),
    ];
    bytes.extend_from_slice(text.concat().as_bytes());
    let log = Log::parse(&bytes).expect("a log");
    let report = judge(&log, &ModelOptions::of(Model::Register)).expect("judged");
    let keys: Vec<_> = report
        .keys
        .iter()
        .map(|key| (key.key.as_deref(), key.answer))
        .collect();
    assert_eq!(
        keys,
        [(Some("k1"), Answer::Broken), (Some("k2"), Answer::Kept)]
    );
    assert_eq!(
        report.ignored,
        [Ignored {
            f: "census".to_owned(),
            count: 1
        }]
    );
}

#[test]
fn what_a_model_cannot_understand_is_refused_with_the_place_and_what_would_fit() {
    let refused = |model, text: &str, keyed| {
        let log = Log::parse_as(text.as_bytes(), InputFormat::Edn).expect("a log");
        let options = ModelOptions {
            keyed,
            ..ModelOptions::of(model)
        };
        judge(&log, &options).expect_err("refused").to_string()
    };
    let cas = sequence(&[("write", "1", "ok", "1"), ("cas", "1", "ok", "1")]);
    let refusal = refused(Model::CasRegister, &cas, false);
    assert_eq!(
        refusal,
        "line 3, column 1: cas of 1: a compare-and-set has [expected new]: correct the value"
    );
    let refusal = refused(Model::CasRegister, &cas, true);
    assert!(
        refusal.starts_with("line 1, column 1: write of 1: with keyed values each is [key value]"),
        "{refusal}"
    );
    let odd = sequence(&[("transfer", "1", "ok", "1")]);
    let refusal = refused(Model::Register, &odd, false);
    assert_eq!(
        refusal,
        "the model register knows read, write, delete, but the log has transfer: no model fits that"
    );
    let refusal = refused(
        Model::Register,
        &sequence(&[("write", "1", "ok", "1"), ("cas", "[1 2]", "ok", "[1 2]")]),
        false,
    );
    assert_eq!(
        refusal,
        "line 3, column 1: the model register does not know cas, which may have changed what others read: models that fit: cas-register, \
         or --ignore cas if it changes nothing"
    );
    let set = sequence(&[("add", "1", "ok", "1"), ("read", "nil", "ok", "[1]")]);
    assert!(
        refused(Model::Register, &set, false)
            .contains("models that fit: set, set-full, grow-only-set, set-rmw")
    );
    let nemesis = "{:type :info, :process :nemesis, :f :read}";
    assert!(refused(Model::Register, nemesis, false).contains("the log has no operations"));
    let unpaired = "{:type :ok, :process 1, :f :read}";
    assert!(refused(Model::Register, unpaired, false).contains("invoked nothing"));
}

#[test]
fn unknown_operations_that_failed_or_change_nothing_are_passed_over() {
    let text = sequence(&[
        ("write", "1", "ok", "1"),
        ("cas", "[1 2]", "fail", "[1 2]"),
        ("size", "nil", "ok", "1"),
        ("read", "nil", "ok", "1"),
    ]);
    let report = judged(Model::Register, &text, |options| {
        options.ignore.push("size".to_owned());
    });
    assert_eq!(report.answer, Answer::Kept);
    assert_eq!(report.ignored.len(), 2);
}

#[test]
fn models_are_named_for_what_they_know() {
    assert_eq!(
        models_that_fit(&["read", "write"]),
        "models that fit: register, cas-register, sessions, causal, siblings"
    );
    assert_eq!(
        models_that_fit(&["read", "cas"]),
        "models that fit: cas-register"
    );
    assert_eq!(
        models_that_fit(&["cas", "jump"]),
        "models that know some of it: cas-register"
    );
    for model in Model::ALL {
        assert_eq!(Model::from_name(model.name()), Some(model));
    }
}

#[test]
fn the_words_and_the_document_say_who_did_what_and_when() {
    let text = "{:process 0, :type :invoke, :f :write, :value 1, :time 5000000}
        {:process 0, :type :ok, :f :write, :value 1, :time 6000000}
        {:process 1, :type :invoke, :f :write, :value 2, :time 7000000}
        {:process 1, :type :ok, :f :write, :value 2, :time 8000000}
        {:process 2, :type :invoke, :f :read, :time 9000000}
        {:process 2, :type :ok, :f :read, :value 1, :time 9500000}";
    let report = judged(Model::Register, text, |_| {});
    insta::assert_snapshot!(report.keys[0].anomalies[0].explanation.render(), @r"
    STALE READ
      Let    A = write 1     process 0   0.005s to 0.006s   acknowledged
             B = write 2     process 1   0.007s to 0.008s   acknowledged
             C = read -> 1   process 2   0.009s to 0.009s
      Then   A finished before B began, so 2 replaced 1.
             B finished before C began, so C had to return 2 or something newer.
             However, C returned 1: a contradiction.
    ");
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).expect("JSON");
    assert_eq!(json["answer"], "broken");
    assert_eq!(json["keys"][0]["algorithm"], "zones");
    assert_eq!(
        json["keys"][0]["anomalies"][0]["witness"],
        serde_json::json!([0, 2, 4])
    );
}

#[test]
fn the_ages_of_what_reads_returned_are_told_where_something_is_wrong() {
    let operations = [
        ("write", "1", "ok", "1"),
        ("write", "2", "ok", "2"),
        ("write", "3", "ok", "3"),
        ("read", "nil", "ok", "3"),
        ("read", "nil", "ok", "1"),
    ];
    let report = judged(Model::Register, &sequence(&operations), |_| {});
    let [key] = report.keys.as_slice() else {
        panic!("one key")
    };
    let told = [
        "reads that a newer acknowledged version preceded: 1 of 2, 50.0 % (95 %: 9.5 to 90.5)",
        "reads by the version that they returned, 1 = may be the newest: 1: 1, 2 to 3: 1",
        "a newer version had been acknowledged for: 50 % 5 events, 90 % 5 events, 99 % 5 events, all 5 events or less",
    ];
    assert_eq!(key.summary, told);
    let ages = &key.result.as_ref().expect("fields")["ages"];
    assert_eq!(ages["versions"][1]["count"], 1);
    assert_eq!(ages["late-unit"], "events");
    let right = judged(Model::Register, &sequence(&operations[..4]), |_| {});
    assert!(right.keys[0].summary.is_empty() && right.keys[0].result.is_none());
}
