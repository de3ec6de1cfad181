//! What a checker observed: how much it could judge, what it had to skip, and what it saw.
//!
//! A finding does not know what was promised; the verdict joins the two.

use serde::Serialize;

use crate::guarantee::Guarantee;
use crate::history::{History, Index, Nanos};
use crate::witness::{Amount, Anomaly, Measure};

/// Anomalies that a finding keeps; it counts all of them.
pub const ANOMALIES_KEPT_MAX: usize = 20;

/// Things that a finding could not judge and of which it keeps the words of the judge that gave up.
pub const NOTES_KEPT_MAX: usize = 5;

/// Keys of one algorithm that a finding keeps the names of; it counts all of them.
pub const KEYS_KEPT_MAX: usize = 100;

/// A judge of one guarantee. Total and pure: any history yields a finding.
pub trait Checker: Sync {
    /// What it judges.
    fn guarantee(&self) -> Guarantee;

    /// Judges a history.
    fn check(&self, history: &History, index: &Index) -> Finding;

    /// Whether it makes a copy of all operations while it works. Such judges work one after another, so that a history is there
    /// twice at most, however many hands there are.
    fn copies_operations(&self) -> bool {
        false
    }
}

/// Something that could not be judged, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// How many.
    pub count: u64,
    /// Of what and why, such as `keys whose census is incomplete`.
    pub why: &'static str,
}

/// What an algorithm decided of one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyShare {
    /// The key.
    pub key: String,
    /// Its operations.
    pub operations: u64,
    /// Steps that it took: passes over operations, or configurations of a search.
    pub steps: u64,
}

/// What one of several algorithms decided.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// The algorithm.
    pub algorithm: &'static str,
    /// How many keys.
    pub keys: u64,
    /// How many operations these have.
    pub operations: u64,
    /// Steps that they took.
    pub steps: u64,
    /// The first of the keys, in the order of keys.
    pub each: Vec<KeyShare>,
}

impl Share {
    /// A share of nothing yet.
    pub fn new(algorithm: &'static str) -> Share {
        Share {
            algorithm,
            keys: 0,
            operations: 0,
            steps: 0,
            each: Vec::new(),
        }
    }

    /// Adds a key.
    pub fn add(&mut self, key: &str, operations: u64, steps: u64) {
        self.keys += 1;
        self.operations += operations;
        self.steps = self.steps.saturating_add(steps);
        if self.each.len() < KEYS_KEPT_MAX {
            self.each.push(KeyShare {
                key: key.to_owned(),
                operations,
                steps,
            });
        }
    }
}

/// What a checker observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was judged.
    pub guarantee: Guarantee,
    /// How many things gave evidence.
    pub judged: u64,
    /// What these things are, in the plural.
    pub unit: &'static str,
    /// What could not be judged.
    pub skipped: Vec<Skipped>,
    /// What the judges of the first of these said when they gave up: where they stood, and what to do.
    pub notes: Vec<String>,
    /// Who decided what, where several algorithms share the work.
    pub decided: Vec<Share>,
    /// How many violations there are.
    pub seen: u64,
    /// The first of them, earliest first.
    pub anomalies: Vec<Anomaly>,
    /// Numbers, in a fixed order.
    pub measures: Vec<Measure>,
}

impl Finding {
    /// A finding of nothing yet.
    pub fn new(guarantee: Guarantee, unit: &'static str) -> Finding {
        Finding {
            guarantee,
            judged: 0,
            unit,
            skipped: Vec::new(),
            notes: Vec::new(),
            decided: Vec::new(),
            seen: 0,
            anomalies: Vec::new(),
            measures: Vec::new(),
        }
    }

    /// Counts something that could not be judged.
    pub fn skip(&mut self, why: &'static str) {
        match self.skipped.iter_mut().find(|skipped| skipped.why == why) {
            Some(skipped) => skipped.count += 1,
            None => self.skipped.push(Skipped { count: 1, why }),
        }
    }

    /// Keeps the words of a judge that gave up, if they are among the first.
    pub fn note(&mut self, words: impl FnOnce() -> String) {
        if self.notes.len() < NOTES_KEPT_MAX {
            self.notes.push(words());
        }
    }

    /// Counts the keys whose values cannot be mapped to writes.
    pub(crate) fn skip_unmapped(&mut self, index: &Index) {
        for why in index.keys.iter().filter_map(|key| key.unmapped) {
            self.skip(why);
        }
    }

    /// Counts a violation that showed at a time, and keeps it if it is among the first.
    ///
    /// It is built only if it is kept. Of violations at the same time, the one told first comes first.
    pub fn see(&mut self, at: Nanos, build: impl FnOnce() -> Anomaly) {
        self.seen += 1;
        let place = self.anomalies.partition_point(|kept| kept.at <= at);
        if place < ANOMALIES_KEPT_MAX {
            self.anomalies.truncate(ANOMALIES_KEPT_MAX - 1);
            self.anomalies.insert(place, build());
        }
    }

    /// Adds a number.
    pub fn measure(&mut self, name: impl Into<String>, amount: Amount) {
        self.measures.push(Measure::new(name, amount));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::witness::{Part, Witness};

    #[test]
    fn the_first_twenty_are_kept_in_the_order_of_time_and_then_of_telling() {
        let mut finding = Finding::new(Guarantee::FreshReads, "reads");
        for told in 0..30 {
            let at = Nanos(100 - told as u64 / 2);
            finding.see(at, || Anomaly {
                guarantee: Guarantee::FreshReads,
                at,
                key: None,
                witness: Witness::default().with(Part::Reader, told),
                details: Vec::new(),
                tale: None,
            });
        }
        assert_eq!(finding.seen, 30);
        let kept: Vec<usize> = finding
            .anomalies
            .iter()
            .map(|anomaly| anomaly.witness.roles[0].operation)
            .collect();
        let expected: Vec<usize> = (5..15)
            .rev()
            .flat_map(|pair| [2 * pair, 2 * pair + 1])
            .collect();
        assert_eq!(kept, expected);
    }
}
