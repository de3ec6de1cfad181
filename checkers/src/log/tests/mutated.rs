//! No file makes a reader panic, and every refusal names a line and a column. Files of all formats, mutated at random.

use proptest::prelude::*;

use super::*;
use crate::history::History;
use crate::stream::StreamReader;
use crate::testing::is_placed;

/// A small file of a format.
fn file(format: InputFormat) -> Vec<u8> {
    let edn = "; made by hand\n{:index 0, :time 5, :type :invoke, :process 0, :f :write, :value [1 #{2 :a} \"x\\n\\u00e9\"]}\n\
               #jepsen.history.Op{:index 3, :time 9, :type :ok, :process 0, :f :write, :value (1 {:a 1.5 \\b nil}), :error #_ 1 foo}\n";
    let lines = "{\"index\":0,\"time\":5,\"type\":\"invoke\",\"process\":0,\"f\":\"write\",\"key\":\"k\",\"value\":7}\n\
                 {\"index\":1,\"time\":9,\"type\":\"ok\",\"process\":0,\"f\":\"write\",\"key\":\"k\",\"value\":7,\"é\":[1.5,null]}\n";
    match format {
        InputFormat::Edn => edn.into(),
        InputFormat::Jsonl => lines.into(),
        InputFormat::ElleJson => format!("[{}]\n", lines.trim_end().replace("}\n", "},\n")).into(),
        InputFormat::JepsenLog => b"INFO  jepsen.util - 0\t:invoke\t:cas\t[1 2]\nx\nINFO  jepsen.util - 0\t:info\t:cas\t:timed-out\n".into(),
        InputFormat::Quorate => {
            let mut bytes = Vec::new();
            crate::testing::header(3, 2, 2).to_line(&mut bytes);
            bytes.extend_from_slice(lines.as_bytes());
            bytes.extend_from_slice(
                b"{\"index\":2,\"time\":9,\"type\":\"info\",\"process\":\"nemesis\",\"f\":\"kill\",\"value\":{\"id\":\"f1\",\"step\":\"inject\"}}\n",
            );
            bytes
        }
    }
}

/// What can happen to a file.
#[derive(Clone, Debug)]
enum Mutation {
    Truncate(usize),
    Flip(usize, u8),
    Insert(usize, Vec<u8>),
    Move(usize, usize, usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = || 0..1000_usize;
    let marks = proptest::sample::select(b"{}[]()\"\\:;#_,\n\t 0-.eN/tu\xc3".to_vec());
    prop_oneof![
        at().prop_map(Mutation::Truncate),
        (at(), any::<u8>()).prop_map(|(at, mask)| Mutation::Flip(at, mask)),
        (at(), proptest::collection::vec(marks, 1..6))
            .prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        (at(), 1..40_usize, at()).prop_map(|(from, length, to)| Mutation::Move(from, length, to)),
    ]
}

fn mutate(bytes: &mut Vec<u8>, mutation: &Mutation) {
    let size = bytes.len().max(1);
    match mutation {
        Mutation::Truncate(at) => bytes.truncate(at % size),
        Mutation::Flip(at, mask) => bytes
            .iter_mut()
            .skip(at % size)
            .take(1)
            .for_each(|byte| *byte ^= mask),
        Mutation::Insert(at, more) => {
            let at = (at % size).min(bytes.len());
            bytes.splice(at..at, more.iter().copied());
        }
        Mutation::Move(from, length, to) => {
            let from = (from % size).min(bytes.len());
            let end = (from + length).min(bytes.len());
            let moved: Vec<u8> = bytes.drain(from..end).collect();
            let to = (to % size).min(bytes.len());
            bytes.splice(to..to, moved);
        }
    }
}

fn survives(bytes: &[u8]) -> Result<(), TestCaseError> {
    let formats = InputFormat::ALL.map(|format| Log::parse_as(bytes, format));
    for read in formats.into_iter().chain([Log::parse(bytes)]) {
        let judged = read.and_then(|mut log| {
            log.key_values();
            log.repeat_arguments()
        });
        if let Err(error) = judged {
            prop_assert!(is_placed(&error.to_string()), "{}", error);
            let lines = memchr::memchr_iter(b'\n', bytes).count() as u64 + 1;
            prop_assert!(error.place.line <= lines, "{} of {} lines", error, lines);
        }
    }
    Ok(())
}

/// Our own format is also read as a history, at once and block by block.
fn survives_as_history(bytes: &[u8]) -> Result<(), TestCaseError> {
    let whole = History::parse(bytes).map_err(|error| error.to_string());
    if let Err(error) = &whole {
        prop_assert!(is_placed(error), "{}", error);
    }
    let mut reader = StreamReader::new(None);
    let blocks = bytes.chunks(50).map(|block| reader.push_block(block));
    let streamed = blocks.collect::<Result<(), _>>();
    let streamed = streamed.and_then(|()| reader.finish());
    let streamed = streamed.map_err(|error| error.to_string());
    if let Err(error) = streamed {
        prop_assert!(is_placed(&error), "{}", error);
        prop_assert!(whole.is_err(), "refused in pieces: {}", error);
    }
    Ok(())
}

#[test]
fn the_files_are_of_their_formats() {
    for format in InputFormat::ALL {
        let bytes = file(format);
        assert_eq!(InputFormat::detect(&bytes), Ok(format));
        let log = Log::parse(&bytes).unwrap_or_else(|error| panic!("{format:?}: {error}"));
        assert_eq!(
            log.operations().map(|operations| operations.len()),
            Ok(1),
            "{format:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_mutation_makes_a_reader_panic(
        format in proptest::sample::select(InputFormat::ALL.to_vec()),
        mutations in proptest::collection::vec(mutation(), 1..4),
    ) {
        let mut bytes = file(format);
        for mutation in &mutations {
            mutate(&mut bytes, mutation);
        }
        survives(&bytes)?;
        survives_as_history(&bytes)?;
    }

    #[test]
    fn no_history_is_refused_without_a_place(
        mutations in proptest::collection::vec(mutation(), 1..4),
    ) {
        let mut bytes = file(InputFormat::Quorate);
        for mutation in &mutations {
            mutate(&mut bytes, mutation);
        }
        survives_as_history(&bytes)?;
    }

    #[test]
    fn no_garbage_makes_a_reader_panic(garbage in proptest::collection::vec(any::<u8>(), 0..100)) {
        survives(&garbage)?;
        survives_as_history(&garbage)?;
    }
}
