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

/// As [`sessions`] on one key, with a version beside each answer.
fn versioned(operations: &[(u32, &str, &str, &str)]) -> String {
    let lines = operations.iter().map(|(process, f, value, version)| {
        format!(
            "{{:process {process}, :type :invoke, :f :{f}, :value {value}}}\n\
             {{:process {process}, :type :ok, :f :{f}, :value {value}, :version {version}}}\n"
        )
    });
    lines.collect()
}

#[test]
fn versions_are_told_and_change_no_answer() {
    let report = |older: &str| {
        let operations = [
            (0, "write", "1", "7"),
            (0, "read", "1", "7"),
            (0, "read", "2", older),
            (1, "write", "2", "9"),
        ];
        judged(Model::Sessions, &versioned(&operations), |_| {})
    };
    let (right, wrong, silent) = (report("9"), report("3"), report("nil"));
    assert_eq!(right.keys, wrong.keys);
    assert_eq!(right.keys, silent.keys);
    let told = |report: &Report| -> Vec<(&'static str, u64, u64)> {
        let claims = report.claims.iter();
        claims
            .map(|claim| (claim.part, claim.older.seen, claim.older.of))
            .collect()
    };
    let (own, reads) = ("read-your-writes", "monotonic-reads");
    assert_eq!(told(&right), [(own, 0, 2), (reads, 0, 1)]);
    assert_eq!(told(&wrong), [(own, 1, 2), (reads, 1, 1)]);
    assert_eq!(told(&silent), [(own, 0, 1)]);
    let first = wrong.claims[1].first.as_ref().expect("a first one");
    assert_eq!(first.witness, [2, 4]);
    let words = first.explanation.render();
    assert!(
        words.contains("A, whose answer claims version 7, and then B"),
        "{words}"
    );
    assert!(
        words.contains("the answer to B claims version 3"),
        "{words}"
    );
    assert!(words.contains("That is a claim, not a proof."), "{words}");
}
