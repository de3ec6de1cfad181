//! Stores that keep siblings, from text to answer.

use super::*;

/// EDN of operations that are done one after the other: `(process, f, value, context)`.
fn history(operations: &[(u32, &str, &str, &str)]) -> String {
    let lines = operations.iter().map(|(process, f, value, context)| {
        let asked = if *f == "read" { "nil" } else { value };
        format!(
            "{{:process {process}, :type :invoke, :f :{f}, :value {asked}{context}}}\n\
             {{:process {process}, :type :ok, :f :{f}, :value {value}}}\n"
        )
    });
    lines.collect()
}

fn report(operations: &[(u32, &str, &str, &str)]) -> Report {
    judged(Model::Siblings, &history(operations), |_| {})
}

#[test]
fn what_nobody_replaced_must_stay() {
    let writes = [(0, "write", "1", ""), (1, "write", "2", "")];
    let read = |value| [writes[0], writes[1], (2, "read", value, "")];
    assert_eq!(report(&read("[1 2]")).answer, Answer::Kept);
    let dropped = report(&read("#{2}"));
    assert_eq!(
        (dropped.answer, dropped.keys[0].anomalies[0].name.as_str()),
        (Answer::Broken, "acknowledged-value-dropped")
    );
    // Who says that it had read 1 replaces it.
    let replaced = [
        writes[0],
        (1, "write", "2", ", :context [1]"),
        (2, "read", "[2]", ""),
    ];
    assert_eq!(report(&replaced).answer, Answer::Kept);
    // And who says so as a delete, too.
    let deleted = [
        writes[0],
        (1, "delete", "nil", ", :context (1)"),
        (2, "read", "nil", ""),
    ];
    assert_eq!(report(&deleted).answer, Answer::Kept);
    let back = [
        writes[0],
        (1, "delete", "nil", ", :context (1)"),
        (2, "read", "[1]", ""),
    ];
    assert_eq!(
        report(&back).keys[0].anomalies[0].name,
        "resurrected-delete"
    );
}

#[test]
fn what_cannot_be_told_is_undecided() {
    let write = (0, "write", "1", "");
    let why = |operations: &[(u32, &str, &str, &str)]| {
        let report = report(operations);
        assert_eq!(report.answer, Answer::Undecided);
        report.why.unwrap_or_default()
    };
    assert!(why(&[write, (1, "write", "1", ""), (2, "read", "[1]", "")]).contains("values repeat"));
    assert!(why(&[(2, "read", "[]", ""), write]).contains("read every key in the end"));
}

#[test]
fn a_read_that_returns_no_collection_is_refused() {
    let log = Log::parse(history(&[(0, "write", "1", ""), (0, "read", "1", "")]).as_bytes())
        .expect("a log");
    let refusal = judge(&log, &ModelOptions::of(Model::Siblings))
        .expect_err("refused")
        .to_string();
    assert_eq!(
        refusal,
        "line 4, column 1: read of 1: a read of siblings returns a collection: correct the value"
    );
}
