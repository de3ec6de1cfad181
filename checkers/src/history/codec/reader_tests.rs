//! The reader against itself: the fast reader of lines against the general one, blocks against the whole, many hands against one.

use proptest::prelude::*;

use super::canonical::Line;
use super::reader::HistoryReader;
use super::tests::{EVENTS, Mutation, any_event, file, mutate, mutation};
use crate::executor::{Executor, Sequential};
use crate::history::{Event, F, History, Process, Value};
use crate::testing::{Backwards, Drawn, any_history};

fn read(blocks: &[&[u8]], piece_bytes: usize, executor: &impl Executor) -> Result<History, String> {
    let mut reader = HistoryReader::in_pieces(piece_bytes);
    for block in blocks {
        reader
            .push_block(block, executor)
            .map_err(|error| error.to_string())?;
    }
    reader.finish().map_err(|error| error.to_string())
}

/// The bytes cut at these places.
fn cut<'a>(mut bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut blocks = Vec::new();
    for cut in cuts {
        let (block, rest) = bytes.split_at(cut % (bytes.len() + 1));
        blocks.push(block);
        bytes = rest;
    }
    blocks.push(bytes);
    blocks
}

/// An event of the kind that the fast reader is made for.
fn plain_event() -> impl Strategy<Value = Event> {
    let f = prop::sample::select(vec![F::Read, F::Write, F::Delete, F::Census]);
    let value = prop_oneof![
        Just(Value::Nil),
        any::<i64>().prop_map(Value::Int),
        (-20..20i64).prop_map(Value::Int),
    ];
    (any_event(), f, 0..300u64, value).prop_map(|(mut event, f, process, value)| {
        event.process = Process::Client(process);
        event.key.get_or_insert_with(|| "k".to_owned());
        event.extra.clear();
        event.context = None;
        (event.f, event.value) = (f, value);
        event
    })
}

fn line_of(event: &Event) -> Vec<u8> {
    let mut line = Vec::new();
    event.to_line(&mut line);
    line.pop();
    line
}

/// What the fast reader says must be what the general one says, and its evidence must be what our writer would write.
fn agrees(text: &[u8]) -> Result<bool, TestCaseError> {
    let Some(line) = Line::read(text) else {
        return Ok(false);
    };
    let event: Event = serde_json::from_slice(text)
        .map_err(|error| TestCaseError::fail(format!("only the fast one reads it: {error}")))?;
    let claims = event.evidence.as_ref().map(|evidence| evidence.to_text());
    prop_assert_eq!(Some(line), Line::of(&event, claims.as_deref()));
    prop_assert!(event.extra.is_empty(), "the fast one forgot unknown keys");
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_fast_reader_agrees_on_what_is_written(event in any_event()) {
        agrees(&line_of(&event))?;
    }

    #[test]
    fn the_fast_reader_agrees_on_plain_lines_and_knows_most(event in plain_event()) {
        let text = line_of(&event);
        let escaped = text.contains(&b'\\');
        let digits = [event.index, event.time.0].iter().any(|number| *number > 9_999_999_999_999_999_999);
        let long = digits || event.evidence.as_ref().is_some_and(|e| e.epoch.is_some_and(|n| n > 9_999_999_999_999_999_999));
        let edge = |number: i64| number == i64::MIN;
        let least = matches!(event.value, Value::Int(number) if edge(number));
        if !agrees(&text)? {
            prop_assert!(escaped || long || least || event.evidence.is_some(), "{}", String::from_utf8_lossy(&text));
        }
    }

    #[test]
    fn the_fast_reader_agrees_on_damaged_lines(
        event in plain_event(),
        flips in prop::collection::vec((0..500usize, prop_oneof![any::<u8>(), prop::sample::select(b"0123456789,:{}\"[]\\-.e nul \t".to_vec())]), 1..4),
        insert in any::<bool>(),
    ) {
        let mut text = line_of(&event);
        for (at, byte) in flips {
            let at = at % text.len();
            if insert {
                text.insert(at, byte);
            } else {
                text[at] = byte;
            }
        }
        agrees(&text)?;
    }

    #[test]
    fn any_cut_gives_the_same_history(
        drawn in any_history(),
        cuts in prop::collection::vec(any::<usize>(), 0..6),
        piece_bytes in 1..2_000usize,
    ) {
        let Drawn(history) = drawn;
        let all: Vec<usize> = (0..history.operations.len()).collect();
        let bytes = history.excerpt(&all);
        let blocks = cut(&bytes, &cuts);
        prop_assert_eq!(read(&blocks, piece_bytes, &Sequential), Ok(history.clone()));
        prop_assert_eq!(read(&blocks, piece_bytes, &Backwards), Ok(history));
    }

    #[test]
    fn any_cut_of_a_damaged_file_is_refused_alike(
        mutations in prop::collection::vec(mutation(), 0..4),
        cuts in prop::collection::vec(any::<usize>(), 0..6),
        piece_bytes in 1..500usize,
    ) {
        let bytes = damaged(&mutations);
        let whole = History::parse(&bytes).map_err(|error| error.to_string());
        let blocks = cut(&bytes, &cuts);
        prop_assert_eq!(&read(&blocks, piece_bytes, &Sequential), &whole);
        prop_assert_eq!(&read(&blocks, piece_bytes, &Backwards), &whole);
    }
}

fn damaged(mutations: &[Mutation]) -> Vec<u8> {
    let kill = r#"{"index":4,"time":9,"type":"info","process":"nemesis","f":"kill","value":{"id":"f1","step":"inject","nodes":["n1"]}}"#;
    let foreign = r#"{"index":5,"time":9,"type":"invoke","process":8,"f":"cas","value":[1,2]}"#;
    let mut lines = EVENTS.to_vec();
    lines.extend([kill, foreign]);
    let mut bytes = file(&lines);
    for mutation in mutations {
        mutate(&mut bytes, mutation);
    }
    bytes
}

#[test]
fn every_line_of_a_run_is_read_fast() {
    let read = r#"{"index":17,"time":123456789012,"type":"ok","process":12,"f":"read","key":"k7","value":-42,"node":"n1","level":2,"evidence":{"version":{"wall_ns":1764000000123456789,"node":"n2"},"epoch":1,"answered_by":[{"node":"n1","version":{"wall_ns":1764000000123456789,"node":"n2"}},{"node":"n3","version":null}],"repaired":["n3"]}}"#;
    let refused = r#"{"index":0,"time":0,"type":"fail","process":0,"f":"write","key":"k7","value":0,"error":"no quorum: 1 of 2","node":"n1","level":2}"#;
    let delete = r#"{"index":3,"time":5,"type":"ok","process":4,"f":"delete","key":"é","evidence":{"version":null,"acked_by":["n1","n2"]}}"#;
    for line in [read, refused, delete] {
        assert!(agrees(line.as_bytes()).expect("the same"), "{line}");
    }
}

#[test]
fn what_our_writer_would_not_write_is_left_to_the_general_reader() {
    let line = r#"{"index":1,"time":2,"type":"ok","process":3,"f":"read","key":"k","value":7}"#;
    assert!(Line::read(line.as_bytes()).is_some());
    for (from, to) in [
        ("\"value\":7", "\"value\":07"),
        ("\"value\":7", "\"value\":-0"),
        ("\"value\":7", "\"value\":7.0"),
        ("\"value\":7", "\"value\":null"),
        ("\"value\":7", "\"value\":9223372036854775808"),
        ("\"value\":7", "\"value\":7,\"value\":7"),
        ("\"k\"", "\"\\u006b\""),
        ("\"k\"", "\"\u{7}\""),
        ("\"index\":1", "\"index\":+1"),
        ("\"index\":1", "\"index\": 1"),
        ("\"read\"", "\"reads\""),
        ("}", "} "),
        ("}", ""),
    ] {
        let other = line.replace(from, to);
        assert_ne!(line, other);
        assert_eq!(Line::read(other.as_bytes()), None, "{other}");
    }
}
