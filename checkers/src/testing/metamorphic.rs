//! Laws that hold for every history: what may be changed in it without changing what is found, and what a witness proves.

use proptest::prelude::*;

use super::backwards::Backwards;
use super::random::{Drawn, any_history};
use crate::history::{Event, EventType, History, Nanos, Process};
use crate::session::claims;
use crate::verdict::{Ruling, Verdict, judge, judge_with};
use crate::witness::Part;

/// Every line of a history.
fn events(history: &History) -> Vec<Event> {
    let all: Vec<usize> = (0..history.operations.len()).collect();
    history.excerpt_events(&all)
}

fn changed(history: &History, change: impl Fn(&mut Event)) -> History {
    let mut events = events(history);
    events.iter_mut().for_each(change);
    History::from_events(history.header.clone(), events).expect("still a history")
}

/// Rulings, and how much was judged and seen.
fn outcome(verdict: &Verdict) -> Vec<(Ruling, u64, u64)> {
    verdict
        .rows
        .iter()
        .map(|row| (row.ruling, row.finding.judged, row.finding.seen))
        .collect()
}

/// An anomaly, in words that an excerpt of its history shares: what, where, when, and who did what.
fn fingerprint(history: &History, anomaly: &crate::Anomaly) -> String {
    let operation = |at: usize| {
        let op = &history.operations[at];
        (op.process, op.call, op.value.clone())
    };
    let roles: Vec<_> = anomaly
        .witness
        .roles
        .iter()
        .map(|role| (role.part, operation(role.operation)))
        .collect();
    format!(
        "{} {:?} {:?} {roles:?}",
        anomaly.name(),
        anomaly.key,
        anomaly.at
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn evidence_never_convicts(drawn in any_history()) {
        let Drawn(history) = drawn;
        let bare = changed(&history, |event| event.evidence = None);
        let (verdict, without) = (judge(&history), judge(&bare));
        prop_assert_eq!(outcome(&verdict), outcome(&without));
        for (row, without) in verdict.rows.iter().zip(&without.rows) {
            // All but the numbers that are called claims, and the reasons that evidence suggests.
            let proven = |row: &crate::verdict::Row| {
                let mut finding = row.finding.clone();
                finding.measures.retain(|measure| measure.name != claims::MEASURE);
                (finding, row.notes.clone())
            };
            prop_assert_eq!(proven(row), proven(without));
            for (told, bare) in row.explanations.iter().zip(&without.explanations) {
                let story = |e: &crate::Explanation| {
                    (e.title.clone(), e.lets.clone(), e.then.clone(), e.however.clone())
                };
                prop_assert_eq!(story(told), story(bare));
                let inferred = bare.why.iter().find(|a| a.basis == crate::explain::Basis::NodeEvidence);
                prop_assert_eq!(inferred, None, "inferred from nothing");
            }
        }
    }

    #[test]
    fn a_later_start_changes_nothing(drawn in any_history(), shift in 0..10_000_000_000u64) {
        let Drawn(history) = drawn;
        let later = changed(&history, |event| event.time = Nanos(event.time.0 + shift));
        prop_assert_eq!(outcome(&judge(&history)), outcome(&judge(&later)));
    }

    #[test]
    fn names_of_clients_and_keys_change_nothing(drawn in any_history()) {
        let Drawn(history) = drawn;
        let renamed = changed(&history, |event| {
            if let Process::Client(id) = &mut event.process {
                *id = 5_000_000 - *id;
            }
            if let Some(key) = &mut event.key {
                key.insert_str(0, "another ");
            }
        });
        prop_assert_eq!(outcome(&judge(&history)), outcome(&judge(&renamed)));
    }

    #[test]
    fn a_witness_proves_its_anomaly_alone(drawn in any_history()) {
        let Drawn(history) = drawn;
        for row in judge(&history).rows {
            for anomaly in &row.finding.anomalies {
                let excerpt = History::parse(&anomaly.excerpt(&history)).expect("a witness is a history");
                let again = judge(&excerpt);
                let found = again.row(anomaly.guarantee).expect("judged again");
                // What a search found, a cheaper judge may tell once the other writes of its values are gone.
                let searched = anomaly.witness.roles.iter().all(|role| role.part == Part::Entangled);
                let print = |history: &History, anomaly: &crate::Anomaly| {
                    if searched {
                        format!("{} {:?}", anomaly.name(), anomaly.key)
                    } else {
                        fingerprint(history, anomaly)
                    }
                };
                let wanted = print(&history, anomaly);
                let kept: Vec<String> =
                    found.finding.anomalies.iter().map(|a| print(&excerpt, a)).collect();
                prop_assert!(kept.contains(&wanted), "{wanted}\nnot in {kept:#?}");
            }
        }
    }

    #[test]
    fn a_verdict_is_the_same_twice_and_says_what_it_saw(drawn in any_history()) {
        let Drawn(history) = drawn;
        let verdict = judge(&history);
        let json = verdict.to_json();
        prop_assert!(json.ends_with("}\n"), "no final newline");
        prop_assert_eq!(&json, &judge(&history.clone()).to_json());
        prop_assert_eq!(&verdict, &judge_with(&history, &Backwards));
        for row in &verdict.rows {
            prop_assert_eq!(row.explanations.len(), row.finding.anomalies.len());
            for explanation in &row.explanations {
                let text = explanation.render();
                prop_assert!(text.contains("However"), "{text}");
                prop_assert!(!text.contains("the history shows what must not be"), "{text}");
            }
        }
    }

    #[test]
    fn a_history_survives_its_file(drawn in any_history()) {
        let Drawn(history) = drawn;
        let all: Vec<usize> = (0..history.operations.len()).collect();
        let read = History::parse(&history.excerpt(&all)).expect("what was written can be read");
        prop_assert_eq!(&read, &history);
    }

    #[test]
    fn any_prefix_of_a_file_is_judged(drawn in any_history(), cut in 0.0..1.0f64) {
        let Drawn(history) = drawn;
        let all: Vec<usize> = (0..history.operations.len()).collect();
        let bytes = history.excerpt(&all);
        let header = bytes.iter().position(|&b| b == b'\n').expect("a header line") + 1;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share of a small file")]
        let end = header + ((bytes.len() - header) as f64 * cut) as usize;
        let torn = History::parse(&bytes[..end]).expect("a torn tail is no error");
        let tail = bytes[..end].rsplit(|&b| b == b'\n').next().unwrap_or_default();
        let whole = tail.is_empty() || serde_json::from_slice::<serde_json::Value>(tail).is_ok();
        prop_assert_eq!(torn.torn_tail, !whole);
        judge(&torn);
    }
}

#[test]
fn an_invocation_alone_is_info() {
    let invoke = Event {
        index: 0,
        ..super::timeline::event(
            Nanos(1),
            EventType::Invoke,
            Process::Client(0),
            crate::history::F::Write,
        )
    };
    let event = Event {
        key: Some("k".into()),
        value: crate::history::Value::Int(1),
        ..invoke
    };
    let history = History::from_events(super::header(3, 2, 2), vec![event]).expect("a history");
    assert_eq!(history.operations[0].status, crate::history::Status::Info);
    assert_eq!(history.operations[0].ret, Nanos::NEVER);
}
