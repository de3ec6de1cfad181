//! Sessions and causality of other tools' registers, from text to answer.

use super::*;

/// EDN of operations that are done one after the other: `(process, f, key, value)`.
fn sessions(operations: &[(u32, &str, &str, &str)]) -> String {
    let lines = operations.iter().map(|(process, f, key, value)| {
        let asked = if *f == "read" { "nil" } else { value };
        format!(
            "{{:process {process}, :type :invoke, :f :{f}, :value [{key} {asked}]}}\n\
             {{:process {process}, :type :ok, :f :{f}, :value [{key} {value}]}}\n"
        )
    });
    lines.collect()
}

fn answers(model: Model, operations: &[(u32, &str, &str, &str)]) -> Vec<(&'static str, Answer)> {
    let report = judged(model, &sessions(operations), |options| options.keyed = true);
    let parts = report
        .keys
        .iter()
        .map(|key| (key.part.expect("a part"), key.answer));
    parts.collect()
}

#[test]
fn each_guarantee_has_its_own_answer() {
    use Answer::{Broken, Kept, Undecided};
    let operations = [
        (0, "write", ":x", "1"),
        (1, "write", ":x", "2"),
        (0, "read", ":x", "1"),
        (0, "read", ":x", "2"),
        (0, "read", ":x", "1"),
    ];
    let found = answers(Model::Sessions, &operations);
    let expected = [
        ("read-your-writes", Broken),
        ("monotonic-reads", Broken),
        ("monotonic-writes", Undecided),
        ("writes-follow-reads", Undecided),
    ];
    assert_eq!(
        found.iter().map(|(part, _)| *part).collect::<Vec<_>>(),
        expected.map(|(part, _)| part)
    );
    assert_eq!(found[1..], expected[1..]);
    // To read one's own write, and then another's, and never one's own again, is no contradiction.
    assert_eq!(answers(Model::Sessions, &operations[..4])[0].1, Kept);
}

#[test]
fn going_back_is_seen_and_told() {
    let operations = [
        (0, "write", ":x", "1"),
        (1, "read", ":x", "1"),
        (2, "write", ":x", "2"),
        (1, "read", ":x", "2"),
        (1, "read", ":x", "1"),
    ];
    let report = judged(Model::Sessions, &sessions(&operations), |options| {
        options.keyed = true;
    });
    let reads = report
        .keys
        .iter()
        .find(|key| key.part == Some("monotonic-reads"))
        .expect("a part");
    assert_eq!(
        (report.answer, reads.answer, reads.seen),
        (Answer::Broken, Answer::Broken, 1)
    );
    let words = reads.anomalies[0].explanation.render();
    assert!(words.contains("NOT MONOTONIC READS  key :x"), "{words}");
    assert!(words.contains("read :x -> 1"), "{words}");
}

#[test]
fn causality_is_judged_over_all_keys() {
    // Who sees the answer must see the question.
    let operations = [
        (0, "write", ":question", "1"),
        (1, "read", ":question", "1"),
        (1, "write", ":answer", "2"),
        (2, "read", ":answer", "2"),
        (2, "read", ":question", "nil"),
    ];
    let report = judged(Model::Causal, &sessions(&operations), |options| {
        options.keyed = true;
        options.nil_reads = Some(NilReads::Initial);
    });
    assert_eq!(report.answer, Answer::Broken);
    assert_eq!(report.keys[0].anomalies[0].name, "WriteCOInitRead");
    let kept = answers(Model::Causal, &operations[..4]);
    assert_eq!(
        kept,
        [
            ("causal-consistency", Answer::Kept),
            ("causal-convergence", Answer::Kept)
        ]
    );
}

#[test]
fn repeated_values_are_not_judged() {
    let operations = [
        (0, "write", ":x", "1"),
        (1, "write", ":x", "1"),
        (1, "read", ":x", "1"),
    ];
    for model in [Model::Sessions, Model::Causal] {
        for (part, answer) in answers(model, &operations) {
            assert_eq!(answer, Answer::Undecided, "{part}");
        }
        let report = judged(model, &sessions(&operations), |options| {
            options.keyed = true;
        });
        assert_eq!(report.answer, Answer::Undecided);
        assert!(report.why.is_some_and(|why| why.contains("values repeat")));
    }
}
