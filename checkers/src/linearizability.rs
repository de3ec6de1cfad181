//! Linearizability: whether no client can tell a key from one that does one thing at a time.
//!
//! The judges are in `register/`; this file gives them the keys of a history one by one, and turns what they say into a finding.
//! A key counts once, however much is wrong with it: single stale reads and inversions are counted by judges of their own.
//! A key that nobody could decide is skipped, and never kept.

use crate::explain::words;
use crate::finding::{Checker, Finding, Share};
use crate::guarantee::Guarantee;
use crate::history::{History, Index, Nanos};
use crate::missing;
use crate::register::frontier::Budget;
use crate::register::{
    Algorithm, Decision, Judgement, Proof, Trace, Violation, decide_within, distance,
};
use crate::traces;
use crate::witness::{Amount, Anomaly, Measure, Part, Witness};

/// What a key may cost whose values repeat: well below a second.
const BUDGET: Budget = Budget {
    steps: 5_000_000,
    bytes: 256 << 20,
};

/// The judge of [`Guarantee::Linearizability`].
#[derive(Clone, Copy, Debug)]
pub struct Linearizability;

impl Checker for Linearizability {
    fn guarantee(&self) -> Guarantee {
        Guarantee::Linearizability
    }

    fn copies_operations(&self) -> bool {
        true
    }

    fn check(&self, history: &History, index: &Index) -> Finding {
        self.check_within(history, index, BUDGET)
    }
}

impl Linearizability {
    fn check_within(self, history: &History, index: &Index, budget: Budget) -> Finding {
        let mut finding = Finding::new(self.guarantee(), "keys");
        let mut shares = Algorithm::ALL.map(|algorithm| Share::new(algorithm.name()));
        let mut worst = Vec::new();
        for (name, key) in history.keys.iter().zip(traces::of(history, index)) {
            if key.is_foreign {
                finding.skip(missing::NOT_OURS);
                continue;
            }
            let decision = decide_within(&key.trace, budget);
            if let Judgement::Undecided(why) = &decision.judgement {
                finding.skip(given_up(decision.algorithm));
                finding.note(|| note(name, &decision, why));
                continue;
            }
            shares[decision.algorithm as usize].add(name, decision.operations, decision.steps);
            finding.judged += u64::from(key.reads > 0);
            if let Judgement::Violated(violations) = &decision.judgement
                && let Some(first) = violations.kept.first()
            {
                let distances = distances(&key.trace);
                raise(&mut worst, &distances);
                finding.see(Nanos(first.at), || {
                    let mut anomaly = anomaly(history, name, &key.trace, &decision, first);
                    anomaly.details.extend(measures(distances));
                    anomaly
                });
            }
        }
        for share in shares.into_iter().filter(|share| share.keys > 0) {
            let by = share.algorithm;
            finding.measure(format!("keys by {by}"), Amount::Count(share.keys));
            finding.measure(
                format!("operations by {by}"),
                Amount::Count(share.operations),
            );
            finding.decided.push(share);
        }
        // What is true of some wrong keys only would say too little about the rest.
        worst.retain(|(_, _, keys)| *keys == finding.seen);
        let worst = worst.into_iter().map(|(name, ns, _)| (name, ns));
        finding.measures.extend(measures(worst));
        finding
    }
}

/// Why a key was passed over, by who gave up.
fn given_up(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Frontier => missing::TOO_REPETITIVE,
        Algorithm::Zones | Algorithm::Chains => missing::OUT_OF_ORDER,
    }
}

/// Why nobody knows about a key, in the words of who gave up.
fn note(key: &str, decision: &Decision, why: &str) -> String {
    let by = decision.algorithm.name();
    format!(
        "key {key} ({by}, {} operations): {why}",
        decision.operations
    )
}

/// A number that tells how far from linearizable something is, ns.
type Distance = (&'static str, u64);

/// How far from linearizable a key is whose values are all different.
fn distances(trace: &Trace) -> Vec<Distance> {
    // No widening helps a read of what nobody wrote.
    let Some(distance) = distance(trace).filter(|distance| distance.unmapped == 0) else {
        return Vec::new();
    };
    let mut all = vec![("gamma (widening that would do)", distance.gamma)];
    all.extend(
        distance
            .delta
            .map(|delta| ("delta (earlier reads that would do)", delta)),
    );
    all
}

/// Keeps the largest distance of each name, and how many keys have it.
fn raise(worst: &mut Vec<(&'static str, u64, u64)>, distances: &[Distance]) {
    for &(name, distance) in distances {
        match worst.iter_mut().find(|(other, ..)| *other == name) {
            Some((_, largest, keys)) => (*largest, *keys) = (distance.max(*largest), *keys + 1),
            None => worst.push((name, distance, 1)),
        }
    }
}

fn measures(distances: impl IntoIterator<Item = Distance>) -> impl Iterator<Item = Measure> {
    let measure = |(name, ns)| Measure::new(name, Amount::Ns(ns));
    distances.into_iter().map(measure)
}

fn anomaly(
    history: &History,
    key: &str,
    trace: &Trace,
    decision: &Decision,
    violation: &Violation,
) -> Anomaly {
    let value = |place: usize| {
        history
            .operations
            .get(place)
            .map_or_else(String::new, words::value)
    };
    let mut witness = Witness::default();
    for at in violation.operations() {
        if let Some(op) = trace.ops.get(at as usize) {
            witness = witness.with(part(trace, &violation.proof, at), op.place as usize);
        }
    }
    Anomaly {
        guarantee: Guarantee::Linearizability,
        at: Nanos(violation.at),
        key: Some(key.to_owned()),
        witness,
        details: vec![
            Measure::new(
                format!("operations judged by {}", decision.algorithm.name()),
                Amount::Count(decision.operations),
            ),
            Measure::new("steps", Amount::Count(decision.steps)),
        ],
        tale: Some(violation.tell(trace, &value)),
    }
}

/// The part that an operation plays in a proof.
fn part(trace: &Trace, proof: &Proof, at: u32) -> Part {
    match *proof {
        Proof::FailedWrite { write, .. } if at == write => Part::Refused,
        Proof::Future { write, .. } if at == write => Part::Newer,
        Proof::StaleRead { older, .. } if older == Some(at) => Part::Older,
        Proof::StaleRead { newer, .. } if at == newer => Part::Newer,
        Proof::Phantom { .. }
        | Proof::FailedWrite { .. }
        | Proof::Future { .. }
        | Proof::StaleRead { .. } => Part::Reader,
        Proof::Inversion {
            writes,
            there,
            back,
        } => {
            // The value that the last operation found is the one that came back.
            let call = |at: u32| trace.ops.get(at as usize).map(|op| op.call);
            let is_first_back = back.first.is_some() && call(back.then) >= call(there.then);
            let ([older, newer], to, from) = if is_first_back || there.first.is_none() {
                (writes, there, back)
            } else {
                ([writes[1], writes[0]], back, there)
            };
            match Some(at) {
                it if it == older => Part::Older,
                it if it == newer => Part::Newer,
                _ if at == from.then => Part::Reader,
                it if it == from.first => Part::NewerShown,
                it if it == to.first => Part::OlderShown,
                _ => Part::Entangled,
            }
        }
        Proof::DoubleSuccess { .. }
        | Proof::Circle { .. }
        | Proof::Chain { .. }
        | Proof::FalseFailure { .. }
        | Proof::NoOrder(_) => Part::Entangled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{F, Process};
    use crate::testing::{draw, judged_and_seen};
    use crate::verdict::judge;

    fn check(drawing: &str) -> (u64, u64) {
        judged_and_seen(Guarantee::Linearizability, drawing)
    }

    #[test]
    fn a_key_that_does_one_thing_at_a_time() {
        let drawing = "
            c1: |--w k 1--|    |--w k 2--|
            c2:      |-r k 1-|      |-r k 2-|";
        assert_eq!(check(drawing), (1, 0));
    }

    #[test]
    fn a_stale_read_an_inversion_and_a_phantom_are_one_key_each() {
        let drawing = "
            c1: |--w k 1--|
            c2:              |--w k 2--|
            c3:                            |--r k 1--|  |--r k 1--|";
        assert_eq!(check(drawing), (1, 1));
        let drawing = "
            c1: |--w k 1--|  |-------w k 2-------|
            c3:                |-r k 2-| |-r k 1-|";
        assert_eq!(check(drawing), (1, 1));
        assert_eq!(check("c1: |--r k 9--|"), (1, 1));
    }

    #[test]
    fn two_readers_that_disagree_about_the_order_of_two_writes() {
        // No read is stale, and none goes back in time by itself: the two writes are concurrent.
        let drawing = "
            c1: |--------------w k 1--------------|
            c2: |--------------w k 2--------------|
            c3:    |--r k 1--| |--r k 2--|
            c4:    |--r k 2--| |--r k 1--|";
        assert_eq!(check(drawing), (1, 1));
    }

    #[test]
    fn a_key_without_reads_says_nothing() {
        assert_eq!(check("c1: |--w k 1--| |--d k--|"), (0, 0));
    }

    #[test]
    fn it_says_who_decided_how_much() {
        let history = draw(
            "
            c1: |--w k 1--| |--w j 1--|
            c2:               |--r k 1--| |--r j nil--|",
        );
        let finding = Linearizability.check(&history, &Index::of(&history));
        assert_eq!(
            finding.measures[..2],
            [
                Measure::new("keys by zones", Amount::Count(2)),
                Measure::new("operations by zones", Amount::Count(4)),
            ]
        );
        let names: Vec<&str> = finding.anomalies[0]
            .details
            .iter()
            .map(|measure| measure.name.as_str())
            .collect();
        assert_eq!(
            names,
            [
                "operations judged by zones",
                "steps",
                "gamma (widening that would do)",
                "delta (earlier reads that would do)",
            ]
        );
    }

    #[test]
    fn it_says_which_keys_who_decided() {
        let history = draw(
            "
            c1: |--w k 1--| |--w j 1--| |--w j 1--|
            c2:               |--r k 1--| |--r j 1--| |--r j 1--|",
        );
        let finding = Linearizability.check(&history, &Index::of(&history));
        let told = |share: &Share| (share.algorithm, share.keys, share.operations);
        let shares: Vec<_> = finding.decided.iter().map(told).collect();
        assert_eq!(shares, [("zones", 1, 2), ("frontier", 1, 4)]);
        let each = finding.decided.iter().flat_map(|share| &share.each);
        let keys: Vec<_> = each.map(|one| (one.key.as_str(), one.operations)).collect();
        assert_eq!(keys, [("k", 2), ("j", 4)]);
        assert!(finding.notes.is_empty());
    }

    #[test]
    fn a_search_that_gives_up_says_where_it_stood_and_what_to_do() {
        let history = draw(
            "
            c1: |--w k 1--| |--w j 1--| |--w j 1--|
            c2:               |--r k 1--| |--r j 1--| |--r j 1--|",
        );
        let budget = Budget { steps: 2, ..BUDGET };
        let finding = Linearizability.check_within(&history, &Index::of(&history), budget);
        assert_eq!((finding.judged, finding.decided.len()), (1, 1));
        assert_eq!(finding.skipped[0].why, missing::TOO_REPETITIVE);
        let [note] = finding.notes.as_slice() else {
            panic!("{:?}", finding.notes)
        };
        assert!(
            note.starts_with("key j (frontier, 4 operations): values repeat, and "),
            "{note}"
        );
        assert!(note.contains("operations were passed"), "{note}");
        assert!(note.contains("allow more steps"), "{note}");
    }

    #[test]
    fn it_says_how_far_from_linearizable_the_worst_key_is() {
        // The read of k began 0.5 s after the write had ended, that of j 0.1 s after.
        let history = draw(
            "
            c1: |--w k 1--|    |--w j 1--|
            c2:                |--r k nil--| |--r j nil--|",
        );
        let finding = Linearizability.check(&history, &Index::of(&history));
        let tenths = |ns: &Amount| match ns {
            Amount::Ns(ns) => ns / 100_000_000,
            _ => 0,
        };
        let last = &finding.measures[finding.measures.len() - 2..];
        let told: Vec<u64> = last.iter().map(|measure| tenths(&measure.amount)).collect();
        assert_eq!(told, [5, 5]);
        assert_eq!(tenths(&finding.anomalies[1].details[2].amount), 4);
    }

    /// What a compare-and-set wrote would look like a value from nowhere.
    #[test]
    fn a_key_that_an_unknown_operation_may_have_changed_is_judged_by_nobody() {
        let drawn = draw(
            "
            c1: |--w k 1--|   |--w j 1--|
            c2:                            |--r k 2--|   |--r j 2--|",
        );
        let seen = |key: Option<&str>| -> Vec<(Guarantee, u64)> {
            let mut events = drawn.excerpt_events(&[0, 1, 2, 3]);
            let mut cas = events[0].clone();
            (cas.f, cas.process) = (F::from("cas"), Process::Client(9));
            cas.key = key.map(str::to_owned);
            (cas.index, cas.time) = (events.len() as u64, drawn.end);
            events.push(cas);
            let history = History::from_events(drawn.header.clone(), events).expect("a history");
            let rows = judge(&history).rows.into_iter();
            rows.map(|row| (row.promise.guarantee, row.finding.seen))
                .filter(|(_, seen)| *seen > 0)
                .collect()
        };
        let wrong = [(Guarantee::NoPhantoms, 1), (Guarantee::Linearizability, 1)];
        assert_eq!(seen(Some("k")), wrong);
        assert_eq!(
            seen(Some("elsewhere")),
            wrong.map(|(guarantee, _)| (guarantee, 2))
        );
        assert_eq!(seen(None), []);
    }
}
