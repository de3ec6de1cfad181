//! The codec against files: what it keeps, what it refuses and how it says so, and that no bytes make it panic.

use proptest::prelude::*;

use crate::history::{
    Answer, Event, EventType, Evidence, F, History, Level, LevelName, Nanos, Process, Stamp, Value,
};
use crate::testing::{header, is_placed};
use crate::verdict::judge;

pub(super) const EVENTS: [&str; 4] = [
    r#"{"index":0,"time":5,"type":"invoke","process":1,"f":"write","key":"k","value":7,"node":"n1"}"#,
    r#"{"index":1,"time":6,"type":"invoke","process":2,"f":"read","key":"k"}"#,
    r#"{"index":2,"time":7,"type":"ok","process":1,"f":"write","key":"k","value":7}"#,
    r#"{"index":3,"time":9,"type":"ok","process":2,"f":"read","key":"k","value":7}"#,
];

/// A file with these lines after the header.
pub(super) fn file(lines: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    header(3, 2, 2).to_line(&mut bytes);
    for line in lines {
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
    }
    bytes
}

fn refusal(lines: &[&str]) -> String {
    History::parse(&file(lines))
        .expect_err("refused")
        .to_string()
}

#[test]
fn lines_become_operations() {
    let history = History::parse(&file(&EVENTS)).expect("a history");
    let [write, read] = history.operations.as_slice() else {
        panic!("two operations")
    };
    assert_eq!(
        (write.call, write.ret, &write.value),
        (Nanos(5), Nanos(7), &Value::Int(7))
    );
    assert_eq!(
        (read.call, read.ret, &read.value),
        (Nanos(6), Nanos(9), &Value::Int(7))
    );
    assert!(!write.precedes(read) && !read.precedes(write));
    assert!(!history.torn_tail);
}

/// The same line at another place in the file.
fn renumbered(line: &str, index: u64, time: u64) -> String {
    let mut event: Event = serde_json::from_str(line).expect("an event");
    (event.index, event.time) = (index, Nanos(time));
    let mut out = Vec::new();
    event.to_line(&mut out);
    String::from_utf8(out).expect("text").trim_end().to_owned()
}

fn refuses(table: Vec<(Vec<&str>, &str)>) {
    for (lines, expected) in table {
        let refusal = refusal(&lines);
        assert!(
            refusal.contains(expected),
            "{refusal}\ndoes not say\n{expected}"
        );
    }
}

#[test]
fn what_is_no_event_is_refused_with_the_line() {
    let [invoke, ..] = EVENTS;
    let unknown_type = invoke.replace("invoke", "ask");
    let no_key = invoke.replace(r#","key":"k""#, "");
    let kill = r#"{"index":0,"time":1,"type":"info","process":"nemesis","f":"kill","value":3}"#;
    let boss = kill.replace("nemesis", "boss");
    let half = kill.replace('3', r#"{"id":"f1","step":"half"}"#);
    refuses(vec![
        (vec!["nonsense"], "line 2, column 2: not JSON"),
        (
            vec![invoke, "[1,2]"],
            "line 3, column 1: not an event: invalid type: sequence",
        ),
        (
            vec![r#"{"index":"0"}"#],
            "line 2, column 12: not an event: field `index`: invalid type: string",
        ),
        (
            vec![r#"{"index":0,"index":0}"#],
            "line 2, column 18: not an event: field `index` is there twice",
        ),
        (
            vec![r#"{"index":0}"#],
            "line 2, column 11: not an event: missing field `time`",
        ),
        (vec![&unknown_type], "unknown type `ask`"),
        (vec![&no_key], "line 2, column 49: a write without a key"),
        (
            vec![kill],
            "line 2, column 66: bad nemesis line: a kill without a body",
        ),
        (
            vec![&half],
            "line 2, column 66: bad nemesis line: unknown step `half`",
        ),
        (
            vec![&boss],
            "line 2, column 50: not an event: field `process`",
        ),
    ]);
}

#[test]
fn what_does_not_fit_together_is_refused_with_the_line() {
    let [invoke, read, ok, _] = EVENTS;
    let again = renumbered(invoke, 1, 6);
    let early = renumbered(ok, 1, 4);
    let done = renumbered(ok, 1, 6);
    let other_key = done.replace("\"k\"", "\"j\"");
    let other_f = done.replace("write", "delete").replace(",\"value\":7", "");
    let other_value = done.replace(":7}", ":8}");
    let info = done.replace("ok", "info");
    let after_info = renumbered(invoke, 2, 7);
    let unasked = renumbered(ok, 0, 6);
    let open = "line 3, column 37: process 1 invokes, but its invocation on line 2 is not complete";
    refuses(vec![
        (
            vec![invoke, invoke],
            "line 3, column 2: index 0 is there twice (expected 1)",
        ),
        (
            vec![invoke, ok],
            "line 3, column 2: index 2 follows, but 1 is missing",
        ),
        (
            vec![read, invoke, ok],
            "line 2, column 2: index 1 comes before 0",
        ),
        (
            vec![invoke, &early],
            "line 3, column 12: time 4 is before 5",
        ),
        (vec![invoke, &again], open),
        (
            vec![&unasked],
            "line 2, column 33: process 1 completes, but invoked nothing",
        ),
        (
            vec![invoke, &other_key],
            "line 3, column 57: process 1 completes another key than it invoked on line 2",
        ),
        (
            vec![invoke, &other_f],
            "line 3, column 45: process 1 completes another f than it invoked on line 2",
        ),
        (
            vec![invoke, &other_value],
            "line 3, column 67: process 1 completes another value than it invoked on line 2",
        ),
        (
            vec![invoke, &info, &after_info],
            "line 4, column 37: process 1 goes on after its info on line 3",
        ),
    ]);
}

#[test]
fn headers_are_refused_for_what_they_lack() {
    let text = String::from_utf8(file(&[])).expect("text");
    for (bytes, expected) in [
        (String::new(), "not a header"),
        (EVENTS[0].to_owned(), "not a header"),
        (
            text.replace(r#""format":1"#, r#""format":2"#),
            "column 2: format 2 is not 1",
        ),
        (text.replace(r#""seed":1,"#, ""), "missing field `seed`"),
        (
            text.replace("\"seed\":1", r#""seed":1,"judges":["luck"]"#),
            "column 59: `judges` names `luck`",
        ),
    ] {
        let error = History::parse(bytes.as_bytes())
            .expect_err("refused")
            .to_string();
        assert!(is_placed(&error) && error.contains(expected), "{error}");
    }
    let known = text.replace(
        "\"seed\":1",
        r#""seed":1,"judges":["stale-read","no-phantoms"]"#,
    );
    let history = History::parse(known.as_bytes()).expect("names of guarantees and of anomalies");
    assert_eq!(judge(&history).rows.len(), 2);
}

#[test]
fn a_torn_last_line_is_dropped_and_noted() {
    let whole = file(&EVENTS);
    let torn = History::parse(&whole[..whole.len() - 4]).expect("torn, but a history");
    assert!(torn.torn_tail);
    assert_eq!(torn.operations[1].complete_index(), None);
    let unterminated =
        History::parse(&whole[..whole.len() - 1]).expect("only the newline is missing");
    assert!(!unterminated.torn_tail);
    assert!(unterminated.operations[1].is_ok());
}

#[test]
fn unknown_keys_survive_a_round_trip() {
    let line = r#"{"index":0,"time":5,"type":"ok","process":1,"f":"read","key":"k","value":7,"evidence":{"version":null,"hinted_to":["n3"]},"colour":{"of":"money"}}"#;
    let event: Event = serde_json::from_str(line).expect("an event");
    let mut out = Vec::new();
    event.to_line(&mut out);
    assert_eq!(String::from_utf8_lossy(&out).trim_end(), line);
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,4}", Just("a \"b\"\\\n\u{1}\u{e9}".to_owned())]
}

fn stamp() -> impl Strategy<Value = Option<Stamp>> {
    proptest::option::of((any::<i64>(), name()).prop_map(|(wall_ns, node)| Stamp { wall_ns, node }))
}

fn evidence() -> impl Strategy<Value = Evidence> {
    let names = || proptest::collection::vec(name(), 0..3);
    let answer = (name(), stamp()).prop_map(|(node, version)| Answer { node, version });
    let answers = proptest::collection::vec(answer, 0..3);
    (stamp(), any::<Option<u64>>(), names(), answers, names()).prop_map(
        |(version, epoch, acked_by, answered_by, repaired)| Evidence {
            version,
            epoch,
            acked_by,
            answered_by,
            repaired,
            extra: serde_json::Map::new(),
        },
    )
}

fn value() -> impl Strategy<Value = Value> {
    let json = |value: serde_json::Value| Value::Json(Box::new(value));
    prop_oneof![
        Just(Value::Nil),
        any::<i64>().prop_map(Value::Int),
        name().prop_map(move |text| json(text.into())),
        Just(json(serde_json::json!([1, null, {"a": true}]))),
        Just(json(u64::MAX.into())),
    ]
}

pub(super) fn any_event() -> impl Strategy<Value = Event> {
    let kind = prop_oneof![
        Just(EventType::Invoke),
        Just(EventType::Ok),
        Just(EventType::Fail),
        Just(EventType::Info),
    ];
    let process = prop_oneof![
        any::<u64>().prop_map(Process::Client),
        Just(Process::Nemesis)
    ];
    let who = (any::<u64>(), any::<u64>(), kind, process, name());
    let optional = || proptest::option::of(name());
    let context = proptest::option::of(proptest::collection::vec(value(), 0..3));
    let what = (
        optional(),
        (value(), context),
        optional(),
        optional(),
        level(),
    );
    (who, what, proptest::option::of(evidence()), optional()).prop_map(
        |(
            (index, time, kind, process, f),
            (key, (value, context), error, node, level),
            evidence,
            extra,
        )| {
            Event {
                index,
                time: Nanos(time),
                kind,
                process,
                f: F::from(f.as_str()),
                key,
                value,
                context,
                error,
                node,
                level,
                evidence: evidence.map(Box::new),
                extra: extra
                    .map(|name| (format!("x{name}"), serde_json::json!({"y": 1})))
                    .into_iter()
                    .collect(),
            }
        },
    )
}

fn level() -> impl Strategy<Value = Option<Level>> {
    prop_oneof![
        Just(None),
        any::<u32>().prop_map(|count| Some(Level::Count(count))),
        proptest::sample::select(LevelName::ALL.to_vec()).prop_map(|name| Some(Level::Named(name))),
    ]
}

/// What can happen to a file.
#[derive(Clone, Debug)]
pub(super) enum Mutation {
    Truncate(usize),
    Swap(usize, usize),
    Duplicate(usize),
    Remove(usize),
    Flip(usize, u8),
    Insert(usize, Vec<u8>),
}

pub(super) fn mutation() -> impl Strategy<Value = Mutation> {
    let at = 0..2000usize;
    prop_oneof![
        at.clone().prop_map(Mutation::Truncate),
        (at.clone(), at.clone()).prop_map(|(a, b)| Mutation::Swap(a, b)),
        at.clone().prop_map(Mutation::Duplicate),
        at.clone().prop_map(Mutation::Remove),
        (at.clone(), any::<u8>()).prop_map(|(at, mask)| Mutation::Flip(at, mask)),
        (at, proptest::collection::vec(any::<u8>(), 0..20))
            .prop_map(|(at, b)| Mutation::Insert(at, b)),
    ]
}

pub(super) fn mutate(bytes: &mut Vec<u8>, mutation: &Mutation) {
    if bytes.is_empty() {
        return;
    }
    let mut lines: Vec<Vec<u8>> = bytes
        .split_inclusive(|&b| b == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    let (size, count) = (bytes.len(), lines.len());
    match mutation {
        Mutation::Truncate(at) => return bytes.truncate(at % size),
        Mutation::Flip(at, mask) => return bytes[at % size] ^= mask,
        Mutation::Insert(at, garbage) => {
            let at = at % size;
            drop(bytes.splice(at..at, garbage.iter().copied()));
            return;
        }
        Mutation::Swap(a, b) => lines.swap(a % count, b % count),
        Mutation::Duplicate(at) => lines.insert(at % count, lines[at % count].clone()),
        Mutation::Remove(at) => drop(lines.remove(at % count)),
    }
    *bytes = lines.concat();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn events_survive_their_line(event in any_event()) {
        let mut line = Vec::new();
        event.to_line(&mut line);
        let read: Event = serde_json::from_slice(&line).expect("what was written can be read");
        prop_assert_eq!(read, event);
        prop_assert_eq!(memchr::memchr(b'\n', &line), Some(line.len() - 1));
    }

    #[test]
    fn no_bytes_make_it_panic(mutations in proptest::collection::vec(mutation(), 0..4)) {
        let kill = r#"{"index":4,"time":9,"type":"info","process":"nemesis","f":"kill","value":{"id":"f1","step":"inject","nodes":["n1"]}}"#;
        let mut lines = EVENTS.to_vec();
        lines.push(kill);
        let mut bytes = file(&lines);
        for mutation in &mutations {
            mutate(&mut bytes, mutation);
        }
        match History::parse(&bytes) {
            Ok(history) => drop(judge(&history).to_json()),
            Err(error) => {
                let text = error.to_string();
                let is_of_text = text.contains("not JSON") || text.contains("not an event");
                prop_assert!(text.starts_with("line ") && (!is_of_text || text.contains(", column ")), "{}", text);
            }
        }
    }

    #[test]
    fn no_garbage_makes_it_panic(garbage in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = file(&[]);
        bytes.extend_from_slice(&garbage);
        if let Ok(history) = History::parse(&bytes) {
            prop_assert!(history.operations.is_empty());
        }
        prop_assert!(History::parse(&garbage).is_err());
    }
}
