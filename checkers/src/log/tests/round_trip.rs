//! What is written is read again as it was.

use proptest::prelude::*;

use super::super::OutputFormat;
use super::*;

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,4}", "[a-z]{1,2}/[a-z?!*-]{1,3}"]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,4}",
        Just("a \"b\"\\\n\t\r\u{1}\u{7f}é😀:".to_owned())
    ]
}

fn number() -> impl Strategy<Value = Datum> {
    prop_oneof![
        any::<i64>().prop_map(Datum::Int),
        (-9_i64..9).prop_map(Datum::Int),
        any::<f64>()
            .prop_filter("a number", |float| float.is_finite())
            .prop_map(|float| Datum::Float(Float(float))),
        Just(Datum::Number("9223372036854775808N".into())),
    ]
}

/// Values that JSON can hold.
fn plain() -> impl Strategy<Value = Datum> {
    let leaf = prop_oneof![
        Just(Datum::Nil),
        any::<bool>().prop_map(Datum::Bool),
        number(),
        text().prop_map(|text| Datum::text(&text)),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let entries = proptest::collection::vec(("[a-z]{1,3}", inner.clone()), 0..4);
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Datum::Vector),
            entries.prop_map(|entries| {
                Datum::Map(
                    entries
                        .into_iter()
                        .map(|(key, value)| (Datum::keyword(&key), value))
                        .collect(),
                )
            }),
        ]
    })
}

/// Values that only EDN can hold, too.
fn rich() -> impl Strategy<Value = Datum> {
    let leaf = prop_oneof![
        Just(Datum::Nil),
        number(),
        text().prop_map(|text| Datum::text(&text)),
        name().prop_map(|name| Datum::keyword(&name)),
        name().prop_map(|name| Datum::Symbol(format!("{name}!").into())),
        prop_oneof![any::<char>(), Just(' '), Just('('), Just('\u{a0}')].prop_map(Datum::Char),
        proptest::sample::select(vec!["1/3", "-7/2", "0.10M", "-36893488147419103232N"])
            .prop_map(|text| Datum::Number(text.into())),
        Just(Datum::Float(Float(f64::NEG_INFINITY))),
        Just(Datum::Float(Float(f64::NAN))),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let items = || proptest::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            items().prop_map(Datum::Vector),
            items().prop_map(Datum::List),
            items().prop_map(Datum::Set),
            proptest::collection::vec((inner.clone(), inner.clone()), 0..3).prop_map(Datum::Map),
            (name(), inner.clone())
                .prop_map(|(tag, value)| Datum::Tagged(Box::new((tag.into(), value)))),
        ]
    })
}

fn process() -> impl Strategy<Value = LogProcess> {
    prop_oneof![
        any::<i64>().prop_map(LogProcess::Numbered),
        Just(LogProcess::Named("nemesis".into())),
        Just(LogProcess::Missing),
        name().prop_map(|name| LogProcess::Named(name.as_str().into())),
    ]
}

fn event(value: BoxedStrategy<Datum>) -> impl Strategy<Value = LogEvent> {
    let kind = prop_oneof![
        Just(LogEventType::Invoke),
        Just(LogEventType::Ok),
        Just(LogEventType::Fail),
        Just(LogEventType::Info),
    ];
    let extra = proptest::collection::vec(("x[a-z]{1,3}", value.clone()), 0..3);
    let f = prop_oneof![name(), Just(String::new())];
    let time = proptest::option::of(0..u64::MAX);
    (time, kind, process(), f, value.clone(), value, extra).prop_map(
        |(time, kind, process, f, value, error, extra)| LogEvent {
            index: None,
            time,
            kind,
            process,
            f: f.as_str().into(),
            value,
            error,
            extra: extra
                .into_iter()
                .map(|(key, value)| (Datum::keyword(&key), value))
                .collect(),
        },
    )
}

fn log(value: BoxedStrategy<Datum>) -> impl Strategy<Value = Log> {
    let events = proptest::collection::vec((event(value), 1_u64..9), 1..6);
    events.prop_map(|events| {
        let mut log = Log::new(InputFormat::Edn);
        let mut index = 0;
        for (event, step) in events {
            let event = LogEvent {
                index: Some(index),
                ..event
            };
            log.push(event, super::super::Place::default());
            index += step;
        }
        log
    })
}

fn read_again(log: &Log, format: OutputFormat) -> Vec<LogEvent> {
    let bytes = log.to_bytes(format);
    let read = Log::parse(&bytes);
    let read = read.unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(&bytes)));
    assert!(!read.torn_tail);
    read.events
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn edn_holds_everything(log in log(rich().boxed())) {
        prop_assert_eq!(read_again(&log, OutputFormat::Edn), log.events);
    }

    #[test]
    fn every_format_holds_what_json_can(log in log(plain().boxed())) {
        // Only strings at the head of arrays of arrays are words.
        let is_plain = |event: &LogEvent| !event.value.elements().is_some_and(|items| items.iter().all(|item| item.elements().is_some()));
        prop_assume!(log.events.iter().all(is_plain));
        for format in [OutputFormat::Edn, OutputFormat::Jsonl, OutputFormat::ElleJson] {
            prop_assert_eq!(read_again(&log, format), log.events.clone(), "{:?}", format);
        }
    }

    #[test]
    fn what_json_made_of_it_stays(log in log(rich().boxed())) {
        let mut json = log.clone();
        json.events = read_again(&log, OutputFormat::Jsonl);
        let again = read_again(&json, OutputFormat::ElleJson);
        prop_assert_eq!(again, json.events);
    }
}

#[test]
fn fields_are_written_in_the_order_that_others_write_them() {
    let log = parse(
        r#"{"node":"n1","f":"read","type":"ok","value":[1,null],"process":3,"time":7,"index":2,"error":["x"]}"#,
    );
    let text = |format| String::from_utf8(log.to_bytes(format)).expect("text");
    assert_eq!(
        text(OutputFormat::Edn),
        "{:index 2, :time 7, :type :ok, :process 3, :f :read, :value [1 nil], :error [\"x\"], :node \"n1\"}\n"
    );
    let line = r#"{"index":2,"time":7,"type":"ok","process":3,"f":"read","value":[1,null],"error":["x"],"node":"n1"}"#;
    assert_eq!(text(OutputFormat::Jsonl), format!("{line}\n"));
    assert_eq!(text(OutputFormat::ElleJson), format!("[{line}]\n"));
    assert_eq!(
        Log::new(InputFormat::Edn).to_bytes(OutputFormat::ElleJson),
        b"[]\n"
    );
}
