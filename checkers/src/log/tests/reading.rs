//! What the formats may look like.

use super::*;

const REGISTER: [&str; 4] = [
    "{:process 0, :type :invoke, :f :write, :value 3}",
    "{:process 1, :type :invoke, :f :read, :value nil}",
    "{:process 0, :type :ok, :f :write, :value 3}",
    "{:process 1, :type :ok, :f :read, :value 3}",
];

#[test]
fn edn_is_a_stream_a_vector_or_a_list() {
    let stream = REGISTER.join("\n");
    let log = parse(&stream);
    assert_eq!((log.format, log.events.len()), (InputFormat::Edn, 4));
    for text in [
        format!("[{stream}]\n"),
        format!("({stream})"),
        format!("; a comment\n[{}]", REGISTER.join(" ; and another\n")),
        format!("#_ {{:type :ok}} {stream} #_(1 2)"),
        stream.replace('{', "#jepsen.history.Op{"),
        stream.replace('{', "#jepsen.history.Op {"),
        stream.replace(", ", "   ,,"),
        stream.replace(":f :", ":f #_ :other :"),
        format!("\u{feff}{stream}"),
    ] {
        let other = parse(&text);
        assert_eq!(other.events, log.events, "{text}");
        assert!(!other.torn_tail);
    }
}

#[test]
fn places_of_events_are_known() {
    let log = parse("[{:type :ok}\n {:type :info} #_ é {:type :fail}]");
    let places =
        [(1, 2), (2, 2), (2, 21)].map(|(line, column)| super::super::Place { line, column });
    assert_eq!(log.places, places);
    let log = parse("[{\"type\":\"ok\"},\n  {\"type\":\"info\"}]");
    assert_eq!(log.place(1), super::super::Place { line: 2, column: 3 });
}

#[test]
fn edn_holds_every_kind_of_value() {
    let text = |text: &str| Datum::text(text);
    for (edn, expected) in [
        ("nil", Datum::Nil),
        ("true", Datum::Bool(true)),
        ("-12", Datum::Int(-12)),
        ("+7", Datum::Int(7)),
        ("7N", Datum::Int(7)),
        ("-9223372036854775808", Datum::Int(i64::MIN)),
        (
            "9223372036854775808",
            Datum::Number("9223372036854775808N".into()),
        ),
        ("-2/6", Datum::Number("-2/6".into())),
        ("1.50M", Datum::Number("1.50M".into())),
        ("1.5e3", Datum::Float(Float(1500.0))),
        ("##-Inf", Datum::Float(Float(f64::NEG_INFINITY))),
        ("##NaN", Datum::Float(Float(f64::NAN))),
        ("\\a", Datum::Char('a')),
        ("\\(", Datum::Char('(')),
        ("\\newline", Datum::Char('\n')),
        ("\\u00e9", Datum::Char('é')),
        ("\\o101", Datum::Char('A')),
        ("\"a\\n\\\"\\u00e9\\ud83d\\ude00\\101\"", text("a\n\"é😀A")),
        ("\"\"", text("")),
        (":timed-out", Datum::keyword("timed-out")),
        (":jepsen/x", Datum::keyword("jepsen/x")),
        ("foo/bar", Datum::Symbol("foo/bar".into())),
        ("-", Datum::Symbol("-".into())),
        ("#{}", Datum::Set(vec![])),
        (
            "(1 [2])",
            Datum::List(vec![Datum::Int(1), Datum::Vector(vec![Datum::Int(2)])]),
        ),
        (
            "#inst \"2026\"",
            Datum::Tagged(Box::new(("inst".into(), text("2026")))),
        ),
        (
            "{:a 1, #_ :b #_ 2}",
            Datum::Map(vec![(Datum::keyword("a"), Datum::Int(1))]),
        ),
        (
            "#:n{:a 1}",
            Datum::Map(vec![(Datum::keyword("n/a"), Datum::Int(1))]),
        ),
        ("#_#_ 1 2 3", Datum::Int(3)),
    ] {
        assert_eq!(value(edn), expected, "{edn}");
    }
}

#[test]
fn equal_values_have_one_canonical_form() {
    for (one, other) in [
        ("(1 2)", "[1 2]"),
        ("#{3 1 2 1}", "#{1 2 3}"),
        ("{:a 1 :b (2)}", "{:b [2] :a 1}"),
    ] {
        assert_ne!(value(one), value(other));
        assert_eq!(value(one).canonical(), value(other).canonical());
    }
    assert_ne!(value("#{1}").canonical(), value("[1]").canonical());
}

#[test]
fn json_says_the_same_as_edn() {
    let edn = parse(
        "{:index 1 :time 5 :type :invoke, :process 0, :f :cas, :value [1 2]}
         {:index 4 :time 9 :type :info, :process :nemesis, :f :kill, :value {:nodes [\"n1\"]}, :error \"no\", :x 1.5}",
    );
    let lines = [
        r#"{"index":1,"time":5,"type":"invoke","process":0,"f":"cas","value":[1,2]}"#,
        r#"{"error":"no","index":4,"time":9,"f":":kill","type":":info","process":"nemesis","value":{"nodes":["n1"]},"x":1.5}"#,
    ];
    for (text, format) in [
        (lines.join("\n"), InputFormat::Jsonl),
        (lines.join("\n\n") + "\n", InputFormat::Jsonl),
        (format!("[{}]", lines.join(",\n")), InputFormat::ElleJson),
    ] {
        let log = parse(&text);
        assert_eq!((log.format, &log.events), (format, &edn.events));
    }
    assert!(edn.events[1].process.is_nemesis());
}

#[test]
fn heads_of_micro_operations_are_keywords() {
    let log = parse(
        r#"[{"type":"ok","f":"txn","value":[["r",1,null],["append",1,2]]},{"type":"ok","value":["a"]}]"#,
    );
    assert_eq!(log.events[0].value, value("[[:r 1 nil] [:append 1 2]]"));
    assert_eq!(log.events[1].value, value("[\"a\"]"));
}

#[test]
fn the_log_of_jepsen_is_read_between_other_lines() {
    let text = "INFO  jepsen.core - starting\nINFO  jepsen.util - 3\t:invoke\t:cas\t[1 2]\n\
                INFO  jepsen.util - :nemesis\t:info\t:start\t\"cut off [:n1]\"\n\
                INFO  jepsen.util - 3\t:info\t:cas\t:timed-out\n";
    let log = parse(text);
    assert_eq!((log.format, log.events.len()), (InputFormat::JepsenLog, 3));
    assert_eq!(log.events[0].value, value("[1 2]"));
    assert!(log.events[1].process.is_nemesis());
    let operations = log.operations().expect("one operation");
    assert_eq!(operations[0].argument(&log), &value("[1 2]"));
    // The same as Jepsen's history.txt, which has no logger before the process.
    let bare = parse(
        "3\t:invoke\t:cas\t[1 2]\n:nemesis\t:info\t:start\t\"cut off [:n1]\"\n3\t:info\t:cas\t:timed-out\t\"x\"\n",
    );
    assert_eq!(bare.events[..2], log.events[..2]);
    assert_eq!(bare.events[2].error, Datum::text("x"));
}

#[test]
fn our_own_format_keeps_its_fields() {
    let mut bytes = Vec::new();
    crate::testing::header(3, 2, 2).to_line(&mut bytes);
    bytes.extend_from_slice(b"{\"index\":0,\"time\":5,\"type\":\"invoke\",\"process\":1,\"f\":\"write\",\"key\":\"k\",\"value\":7,\"node\":\"n1\"}\n");
    let mut log = Log::parse(&bytes).expect("a log");
    assert_eq!(log.format, InputFormat::Quorate);
    assert_eq!(log.events[0].extra("node"), Some(&Datum::text("n1")));
    assert_eq!(log.place(0).line, 2);
    log.key_values();
    assert_eq!(log.events[0].value, value("[\"k\" 7]"));
    assert_eq!(log.events[0].extra("key"), None);
}

#[test]
fn indexes_are_given_if_the_first_event_has_none_and_kept_otherwise() {
    let indexes = |text: &str| {
        parse(text)
            .events
            .iter()
            .map(|event| event.index)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        indexes("{:type :ok} {:type :ok, :index 7}"),
        [Some(0), Some(1)]
    );
    assert_eq!(
        indexes("{:type :ok, :index 3} {:type :ok} {:type :ok, :index 9}"),
        [Some(3), Some(4), Some(9)]
    );
}

#[test]
fn a_torn_last_event_is_dropped_and_noted() {
    let stream = REGISTER.join("\n");
    let last = stream.rfind('{').expect("a map");
    for end in last + 1..stream.len() {
        let log = parse(&stream[..end]);
        assert!(log.torn_tail && log.events.len() == 3, "{}", &stream[..end]);
    }
    let whole = r#"{"type":"ok","value":"é"}"#;
    for end in 2..whole.len() {
        let mut bytes = format!("{whole}\n").into_bytes();
        bytes.extend_from_slice(&whole.as_bytes()[..end]);
        let log = Log::parse(&bytes).expect("torn, but a log");
        assert!(log.torn_tail && log.events.len() == 1, "{end}");
    }
    // What ends in the middle of an enclosing collection may lack any number of events.
    let refusal = refusal(&format!("\n [{}", &stream[..last]), InputFormat::Edn);
    assert_eq!(
        refusal,
        "line 2, column 2: the collection that begins here has no end: restore the rest of the file"
    );
}
