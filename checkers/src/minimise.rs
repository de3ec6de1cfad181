//! The fewest operations of a history that prove one of its anomalies.
//!
//! A witness is what an explanation needs; a proof is what `check` needs, and of a proof no operation can be left out. Leaving operations out may
//! also make a violation up, so a proof must prove an anomaly *of the whole*: the same guarantee on the same key at the same time, and
//! whatever an operation returned was written in it, if it was written at all.

use std::collections::{BTreeMap, BTreeSet};

use crate::ddmin::ddmin;
use crate::guarantee::Guarantee;
use crate::history::{Function, History, KeyId, Nanos, Value};
use crate::verdict::{Row, Ruling, judge};
use crate::witness::Anomaly;

/// A part of a history that shows what the whole shows, and of which no operation can be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The anomaly of the whole that it proves.
    pub anomaly: Anomaly,
    /// Places in [`History::operations`], in order.
    pub operations: Vec<usize>,
}

/// What a part must show to be a proof.
struct Claim<'a> {
    history: &'a History,
    guarantee: Guarantee,
    ruling: Ruling,
    key: Option<String>,
    at: Option<Nanos>,
    /// The beginnings of the operations that convict, where what is left out of a history may make up a violation of the same key
    /// at the same time: writes of siblings replace each other by way of others.
    calls: Option<Vec<Nanos>>,
}

/// The proofs of all anomalies that a row holds, each once, smallest first.
pub fn proofs(history: &History, row: &Row) -> Vec<Proof> {
    let proofs = row.finding.anomalies.iter();
    let mut proofs: Vec<Proof> = proofs
        .filter_map(|anomaly| proof(history, row, anomaly))
        .collect();
    proofs.sort_by_key(|proof| proof.operations.len());
    let mut known = BTreeSet::new();
    proofs.retain(|proof| known.insert(proof.operations.clone()));
    proofs
}

fn proof(history: &History, row: &Row, anomaly: &Anomaly) -> Option<Proof> {
    let mut claim = Claim::of(history, row, anomaly);
    let start = claim.closed(&anomaly.excerpt_operations(history));
    if !claim.is_shown_by(&start) {
        // What several operations show together may show earlier or later without the others.
        claim.at = None;
        if !claim.is_shown_by(&start) {
            return None;
        }
    }
    let needs = claim.needs(&start);
    let is_closed = |part: &[usize]| {
        let needed = part.iter().filter_map(|op| needs.get(op)).flatten();
        needed.into_iter().all(|write| part.contains(write))
    };
    let operations = ddmin(start, |parts| {
        parts
            .iter()
            .position(|part| is_closed(part) && claim.is_shown_by(part))
    });
    Some(Proof {
        anomaly: anomaly.clone(),
        operations,
    })
}

impl<'a> Claim<'a> {
    fn of(history: &'a History, row: &Row, anomaly: &Anomaly) -> Claim<'a> {
        Claim {
            history,
            guarantee: row.promise.guarantee,
            ruling: row.ruling,
            key: anomaly.key.clone(),
            at: Some(anomaly.at),
            calls: (!history.header.is_of_registers()).then(|| calls(history, anomaly)),
        }
    }

    /// Whether the part alone, as a history, shows the same.
    fn is_shown_by(&self, part: &[usize]) -> bool {
        let mut header = self.history.header.clone();
        header.judges = Some(vec![self.guarantee.name().to_owned()]);
        let events = self.history.excerpt_events(part);
        let Ok(alone) = History::from_events(header, events) else {
            return false;
        };
        let is_same = |anomaly: &Anomaly| {
            anomaly.key == self.key
                && self.at.is_none_or(|at| anomaly.at == at)
                && (self.calls.as_ref()).is_none_or(|known| *known == calls(&alone, anomaly))
        };
        judge(&alone).row(self.guarantee).is_some_and(|row| {
            row.ruling == self.ruling && row.finding.anomalies.iter().any(is_same)
        })
    }

    /// The writes of what each of these operations returned.
    fn needs(&self, part: &[usize]) -> BTreeMap<usize, Vec<usize>> {
        let returned = part.iter().filter_map(|&place| {
            let op = self.history.operations.get(place)?;
            let is_answer = matches!(op.f, Function::Read | Function::Census) && op.is_ok();
            is_answer.then(|| {
                self.history
                    .returned(op)
                    .into_iter()
                    .map(move |value| (place, op.key, value))
            })
        });
        let returned: Vec<(usize, KeyId, Value)> = returned.flatten().collect();
        let mut needs: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (write, op) in self.history.operations.iter().enumerate() {
            if op.f != Function::Write {
                continue;
            }
            let readers = returned
                .iter()
                .filter(|(_, key, value)| *key == op.key && *value == op.value);
            for (reader, ..) in readers {
                needs.entry(*reader).or_default().push(write);
            }
        }
        needs
    }

    /// The part, and the writes of what its operations returned.
    fn closed(&self, part: &[usize]) -> Vec<usize> {
        let needed = self.needs(part).into_values().flatten();
        let all: BTreeSet<usize> = part.iter().copied().chain(needed).collect();
        all.into_iter().collect()
    }
}

/// When the operations of a witness began.
fn calls(history: &History, anomaly: &Anomaly) -> Vec<Nanos> {
    let operations = anomaly.witness.operations().into_iter();
    let operations = operations.filter_map(|at| history.operations.get(at));
    operations.map(|operation| operation.call).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{any_history, draw};

    /// Whether the part alone has an anomaly in the row.
    fn is_seen(history: &History, row: &Row, part: &[usize]) -> bool {
        let lines = history.excerpt(part);
        let alone = History::parse(&lines).expect("an excerpt is a history");
        let verdict = judge(&alone);
        let same = verdict.row(row.promise.guarantee).expect("it is judged");
        same.ruling == row.ruling && same.finding.seen > 0
    }

    #[test]
    fn a_stale_read_is_proved_by_what_it_missed() {
        let history = draw(
            "
            c1: |-w x 1-|  |-w x 2-|            |-w x 3-|
            c2:                       |-r x 1-|
            c3: |-w y 4-|                       |-r y 4-|",
        );
        let verdict = judge(&history);
        let row = verdict.row(Guarantee::FreshReads).expect("it is judged");
        let proofs = proofs(&history, row);
        assert_eq!(proofs.len(), 1);
        let proved: Vec<String> = proofs[0]
            .operations
            .iter()
            .map(|&op| history.operations[op].value.to_string())
            .collect();
        assert_eq!(proved, ["1", "2", "1"]);
    }

    proptest! {
        #[test]
        fn a_proof_shows_it_alone_and_nothing_can_be_left_out(drawn in any_history()) {
            let history = drawn.0;
            let verdict = judge(&history);
            for row in verdict.rows.iter().filter(|row| row.finding.seen > 0) {
                for proof in proofs(&history, row).iter().take(3) {
                    let part = &proof.operations;
                    prop_assert!(is_seen(&history, row, part), "{}: {part:?}", proof.anomaly.name());
                    let claim = Claim::of(&history, row, &proof.anomaly);
                    for place in 0..part.len() {
                        let mut fewer = part.clone();
                        fewer.remove(place);
                        let is_proof = claim.closed(&fewer) == fewer && claim.is_shown_by(&fewer);
                        prop_assert!(!is_proof, "{}: {part:?} without {place}", proof.anomaly.name());
                    }
                }
            }
        }
    }
}
