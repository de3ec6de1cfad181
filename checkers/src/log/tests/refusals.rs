//! What is refused, where, and with which words.

use super::*;

/// EDN, and how its refusal begins.
const NOT_EDN: [(&str, &str); 21] = [
    (
        "{:type :ok}\n{:type :what}",
        "line 2, column 8: `type` is `what`: one of invoke",
    ),
    (
        "{:type :ok}\n  {:f :read}",
        "line 2, column 3: an event without `type`",
    ),
    ("{:type :ok :index -2}", "line 1, column 19: `index` is -2"),
    (
        "{:type :ok :time 1.5}",
        "line 1, column 18: `time` is a number: a whole number of ns",
    ),
    (
        "{:type :ok :process [1]}",
        "line 1, column 21: `process` is an array",
    ),
    (
        "{:type :ok :f 3}",
        "line 1, column 15: `f` is a whole number",
    ),
    (
        "{:type :ok :f :a\n :f :b}",
        "line 2, column 5: the field `f` is there twice",
    ),
    (
        "{:type :ok :é 1 :value ]}",
        "line 1, column 24: `]` closes nothing",
    ),
    (
        "{:type :ok :value (1]}",
        "line 1, column 21: `]` closes nothing",
    ),
    (
        "{:type :ok :value}\n",
        "line 1, column 12: a key without a value",
    ),
    (
        "{:type :ok :value {1}}\n",
        "line 1, column 20: a key without a value",
    ),
    (
        "{:type :ok :value 1x }",
        "line 1, column 19: `1x` is no number",
    ),
    (
        "{:type :ok :value \"\\q\" }",
        "line 1, column 20: `\\q` is no escape",
    ),
    (
        "{:type :ok :value \"\\ud800 \" }",
        "line 1, column 20: `\\u` is followed by four",
    ),
    (
        "{:type :ok :value \\abc }",
        "line 1, column 19: `\\abc` is no character",
    ),
    (
        "{:type :ok :value #\"re\" }",
        "line 1, column 19: `#` begins a set",
    ),
    (
        "{:type :ok :value ##Big }",
        "line 1, column 19: `##` is followed by Inf",
    ),
    (
        "{:type :ok :value #:a 1 }",
        "line 1, column 20: a namespace without a map",
    ),
    (
        "{:type :ok} :garbage",
        "line 1, column 13: this is no event",
    ),
    ("[{:type :ok} [1]]", "line 1, column 14: this is no event"),
    (
        "{:type :ok :index 5} {:type :ok :index 5}",
        "line 1, column 22: index 5 follows, but 6 or more must",
    ),
];

#[test]
fn edn_is_refused_with_line_column_and_advice() {
    for (text, expected) in NOT_EDN {
        let refusal = refusal(text, InputFormat::Edn);
        assert!(refusal.starts_with(expected), "{refusal}\nof {text}");
    }
    let bytes = b"{:type :ok}\n{:type \xff\xff";
    let refusal = Log::parse(bytes).expect_err("refused").to_string();
    assert!(
        refusal.starts_with("line 2, column 8: this byte is not UTF-8"),
        "{refusal}"
    );
}

#[test]
fn forms_that_nest_too_deep_are_refused_and_not_followed() {
    for open in ["[", "#_ ", "{:a ", "#{", "#a ", "#_ [", "{nil "] {
        let text = format!("{{:type :ok :value {}", open.repeat(100_000));
        let refusal = refusal(&text, InputFormat::Edn);
        assert!(refusal.contains("forms nest deeper than 128"), "{refusal}");
    }
    let nested = format!("{{\"type\":\"ok\",\"value\":{}", "[".repeat(100_000));
    assert!(refusal(&(nested + "\n"), InputFormat::Jsonl).contains("line 1, column "));
}

#[test]
fn json_is_refused_with_line_column_and_advice() {
    for (text, format, expected) in [
        (
            "{\"type\":\"ok\"}\n{\"type\":\"what\"}\n",
            InputFormat::Jsonl,
            "line 2, column 15: `type` is `what`",
        ),
        (
            "{\"type\":\"ok\"}\n{\"type\":}\n",
            InputFormat::Jsonl,
            "line 2, column 9: expected value",
        ),
        (
            "{\"type\":\"ok\"}\n[1]\n",
            InputFormat::Jsonl,
            "line 2, column 1: invalid type: sequence, expected an event",
        ),
        (
            "{\"type\":\"ok\"} {}\n",
            InputFormat::Jsonl,
            "line 1, column 15: trailing characters",
        ),
        (
            "[{\"type\":\"ok\"},\n {\"type\":3}]",
            InputFormat::ElleJson,
            "line 2, column 11: `type` is a whole number",
        ),
        (
            "[{\"type\":\"ok\"},\n {\"f\":\n\"read\"}]",
            InputFormat::ElleJson,
            "line 3, column 7: an event without `type`",
        ),
        (
            "[{\"type\":\"ok\"},\n",
            InputFormat::ElleJson,
            "line 2, column 1: EOF while parsing",
        ),
        (
            "{\"format\":1}\n",
            InputFormat::Quorate,
            "line 1, column 1: bad header: missing field",
        ),
        (
            "garbage\n",
            InputFormat::Quorate,
            "line 1, column 1: not a header",
        ),
    ] {
        let refusal = refusal(text, format);
        assert!(refusal.starts_with(expected), "{refusal}\nof {text}");
    }
}

#[test]
fn the_log_of_jepsen_is_refused_with_line_and_column() {
    let text = "noise\nINFO  jepsen.util - 3\t:invoke\t:read\tnil\nINFO  jepsen.util - 3\t:okay\t:read\tnil\n";
    let refused = refusal(text, InputFormat::JepsenLog);
    assert!(
        refused.starts_with("line 3, column 21: `type` is `:okay`"),
        "{refused}"
    );
    let refused = refusal("3\t:ok\t:read\t[1\n", InputFormat::JepsenLog);
    assert!(
        refused.starts_with("line 1, column 1: the text ends within a form"),
        "{refused}"
    );
}

#[test]
fn a_format_that_cannot_be_told_is_asked_for() {
    for text in ["", "   \n", "hello\n", "<html>", "1 2 3"] {
        let refusal = Log::parse(text.as_bytes())
            .expect_err("refused")
            .to_string();
        assert!(
            refusal.contains("no format can be told from this: name it with --input-format"),
            "{refusal}"
        );
    }
}
