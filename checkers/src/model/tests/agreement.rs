//! Our own histories, judged by a model from their lines and by the checkers of the verdict from their operations: two ways that share
//! only the judge of traces. And the same histories in the formats of other tools.

use proptest::prelude::*;

use super::*;
use crate::guarantee::Guarantee;
use crate::log::OutputFormat;
use crate::testing::{any_history, tally};

/// How many keys are not linearizable.
fn by_model(log: &Log, keyed: bool) -> u64 {
    let options = ModelOptions {
        keyed,
        nil_reads: Some(NilReads::Initial),
        ..ModelOptions::of(Model::Register)
    };
    match judge(log, &options) {
        Ok(report) => report
            .keys
            .iter()
            .filter(|key| key.answer == Answer::Broken)
            .count() as u64,
        Err(ModelError::NothingFits { .. }) => 0,
        Err(error) => panic!("{error}"),
    }
}

/// Random histories; more on demand: `QUORATE_CASES=100000 cargo test -p quorate-checkers agreement`.
fn cases() -> u32 {
    option_env!("QUORATE_CASES").map_or(500, |cases| cases.parse().expect("a number"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_and_operations_are_judged_alike(drawn in any_history()) {
        let history = drawn.0;
        let all: Vec<usize> = (0..history.operations.len()).collect();
        let (_, seen) = tally(&history, Guarantee::Linearizability);
        let mut log = Log::parse(&history.excerpt(&all)).expect("a log");
        prop_assert_eq!(by_model(&log, false), seen);
        // Elsewhere equal times are no reason for doubt: the order of the events says which came first, and so may say more.
        log.repeat_arguments().expect("operations");
        log.key_values();
        for format in OutputFormat::ALL {
            let read = Log::parse(&log.to_bytes(format));
            prop_assert!(read.map_or(0, |read| by_model(&read, true)) >= seen, "{:?}", format);
        }
    }
}
