//! The judges of siblings and sets: against their twins on random histories, with defects, and on drawn timelines.

mod mutants;
mod random;
mod timelines;
mod twin;
mod updates;

use proptest::prelude::*;

use crate::guarantee::Guarantee;
use crate::history::{History, Index};
use crate::testing::Drawn;
use crate::verdict::{checkers_of, judge};

use random::any_siblings;

/// Guarantees with a twin of their own; divergence and availability are judged as those of registers are.
const TWINNED: [Guarantee; 12] = [
    Guarantee::NoPhantoms,
    Guarantee::NoFailedWrites,
    Guarantee::FreshReads,
    Guarantee::NoInversion,
    Guarantee::ReadYourWrites,
    Guarantee::MonotonicReads,
    Guarantee::CausalConsistency,
    Guarantee::NoLostWrites,
    Guarantee::NoResurrection,
    Guarantee::NoClockLoss,
    Guarantee::NoConcurrentLoss,
    Guarantee::NoSiblingExplosion,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_judge_agrees_with_its_twin(drawn in any_siblings()) {
        let Drawn(history) = drawn;
        let index = Index::of(&history);
        for checker in checkers_of(&history.header) {
            let guarantee = checker.guarantee();
            if !TWINNED.contains(&guarantee) {
                continue;
            }
            let finding = checker.check(&history, &index);
            let found = (finding.judged, finding.seen, !finding.skipped.is_empty());
            prop_assert_eq!(found, twin::tally(&history, guarantee), "{}", guarantee);
            prop_assert_eq!(finding.anomalies.len() as u64, finding.seen.min(20));
        }
    }

    #[test]
    fn a_witness_proves_its_anomaly_alone(drawn in any_siblings()) {
        let Drawn(history) = drawn;
        for row in judge(&history).rows {
            for (anomaly, explanation) in row.finding.anomalies.iter().zip(&row.explanations) {
                let excerpt = History::parse(&anomaly.excerpt(&history)).expect("a witness is a history");
                let again = judge(&excerpt);
                let found = &again.row(anomaly.guarantee).expect("judged again").finding;
                let is_same = |other: &crate::Anomaly| (&other.key, other.at) == (&anomaly.key, anomaly.at);
                prop_assert!(
                    found.anomalies.iter().any(is_same),
                    "{} at {:?} is not in {:#?}", anomaly.name(), anomaly.at, found.anomalies
                );
                let text = explanation.render();
                prop_assert!(text.contains("However"), "{}", text);
                prop_assert!(!text.contains("the history shows what must not be"), "{}", text);
            }
        }
    }

    #[test]
    fn a_history_of_siblings_survives_its_file(drawn in any_siblings()) {
        let Drawn(history) = drawn;
        let all: Vec<usize> = (0..history.operations.len()).collect();
        let read = History::parse(&history.excerpt(&all)).expect("what was written can be read");
        prop_assert_eq!(&read, &history);
        prop_assert_eq!(judge(&read).to_json(), judge(&history).to_json());
    }
}

/// A twin that never sees anything would agree with a judge that never does.
#[test]
fn random_histories_show_every_anomaly_of_siblings() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut missing = TWINNED.to_vec();
    for _ in 0..2000 {
        let tree = any_siblings().new_tree(&mut runner).expect("a history");
        let Drawn(history) = tree.current();
        let verdict = judge(&history);
        missing.retain(|&guarantee| {
            let row = verdict.row(guarantee).expect("it is judged");
            row.finding.seen == 0
        });
    }
    assert_eq!(missing, []);
}
