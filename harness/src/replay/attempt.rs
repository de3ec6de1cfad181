//! One run of a replay: whether it shows what is looked for, where, and whether it is the saved run byte for byte.
//!
//! Reads histories and verdicts; runs nothing and counts nothing.

use quorate_checkers::history::{History, Nanos};
use quorate_checkers::verdict::{Outcome, Row, Verdict};
use serde::Serialize;

use super::load::began;
use crate::conductor::Phase;
use crate::target::Target;

/// What the conductor's notes are called in a history.
const NOTE: &[u8] = b"\"f\":\"note\"";

/// Where in a run an anomaly shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sighting {
    /// What it is.
    pub anomaly: &'static str,
    /// How many of it the run shows.
    pub seen: u64,
    /// On which key the first of them is; none if on the whole store.
    pub key: Option<String>,
    /// When it showed, ns of the run.
    pub at_ns: u64,
    /// The same, ms after the storm began; negative before.
    pub storm_ms: Option<i64>,
    /// When the first operation of it was invoked, ms after the storm began.
    pub since_storm_ms: Option<i64>,
    /// In which phase.
    pub phase: String,
    /// The faults that were in force between its first operation and its showing: ids and kinds.
    pub faults: Vec<String>,
}

impl Sighting {
    /// The first anomaly of a row; none if the row shows none.
    fn of(history: &History, row: &Row) -> Option<Sighting> {
        let anomaly = row.finding.anomalies.first()?;
        let at = anomaly.at;
        let places = anomaly.witness.operations();
        let operations = places.iter().filter_map(|&at| history.operations.get(at));
        let since = operations.map(|op| op.call).min().unwrap_or(at).min(at);
        let faults = history.faults.iter().filter(|window| {
            let (from, until) = window.span();
            window.may_have_taken() && from <= at && since <= until
        });
        let mut phases = history.phases.iter().rev();
        let phase = phases.find(|(began, _)| *began <= at);
        let storm = began(history, Phase::Storm);
        Some(Sighting {
            anomaly: anomaly.name(),
            seen: row.finding.seen,
            key: anomaly.key.clone(),
            at_ns: at.0,
            storm_ms: storm.map(|storm| ms_between(storm, at)),
            since_storm_ms: storm.map(|storm| ms_between(storm, since)),
            phase: phase.map_or_else(String::new, |(_, name)| name.clone()),
            faults: faults
                .map(|window| format!("{} {}", window.id, window.kind.as_str()))
                .collect(),
        })
    }
}

fn ms_between(from: Nanos, to: Nanos) -> i64 {
    let ms = |ns: u64| i64::try_from(ns / 1_000_000).unwrap_or(i64::MAX);
    if to >= from {
        ms(to.since(from).0)
    } else {
        -ms(from.since(to).0)
    }
}

/// How the history of a simulated run compares with the saved one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sameness {
    /// Byte for byte.
    Identical,
    /// Byte for byte, as far as the saved run went: its load was ended early.
    UntilItEnded {
        /// The first line of the saved history that is another.
        line: u64,
    },
    /// They differ.
    Differs {
        /// In this line first, counting from 1.
        line: u64,
    },
}

/// Compares the history of a simulated run with the saved one.
pub(super) fn compare(saved: &[u8], made: &[u8], ended_early: bool) -> Sameness {
    if saved == made {
        return Sameness::Identical;
    }
    let mut line = 1;
    let mut made = made.split_inclusive(|&byte| byte == b'\n');
    for saved in saved.split_inclusive(|&byte| byte == b'\n') {
        if made.next() != Some(saved) {
            let is_note = saved.windows(NOTE.len()).any(|part| part == NOTE);
            return if ended_early && is_note {
                Sameness::UntilItEnded { line }
            } else {
                Sameness::Differs { line }
            };
        }
        line += 1;
    }
    Sameness::Differs { line }
}

/// One run of a replay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// Which one, from 1.
    pub number: u64,
    /// The seed of its plan.
    pub seed: u64,
    /// What came of its promises.
    pub outcome: Outcome,
    /// Where it shows what is looked for; none if it does not.
    pub sighting: Option<Sighting>,
    /// How its history compares with the saved one, if it can be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sameness: Option<Sameness>,
    /// A digest of its history, if it was simulated.
    #[serde(skip)]
    pub digest: Option<u64>,
    /// Where it is kept, if it is.
    pub saved: Option<String>,
}

impl Attempt {
    /// What came of a run: its history and its verdict.
    pub(super) fn of(number: u64, target: Target, history: &History, verdict: &Verdict) -> Attempt {
        let row = target.shown_by(verdict);
        Attempt {
            number,
            seed: history.header.seed,
            outcome: verdict.outcome,
            sighting: row.and_then(|row| Sighting::of(history, row)),
            sameness: None,
            digest: None,
            saved: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Sameness, compare};

    #[test]
    fn the_first_line_that_differs_is_named() {
        let saved = b"header\none\ntwo\n";
        assert_eq!(compare(saved, saved, false), Sameness::Identical);
        for (made, line) in [
            (&b"header\none\n"[..], 3),
            (b"header\none\ntwo\nthree\n", 4),
            (b"header\nOne\ntwo\n", 2),
            (b"", 1),
        ] {
            assert_eq!(compare(saved, made, false), Sameness::Differs { line });
        }
    }

    #[test]
    fn a_run_that_was_ended_early_is_compared_until_then() {
        let saved = b"header\none\n{\"f\":\"note\"}\nrest\n";
        let made = b"header\none\ntwo\nthree\n";
        let until = Sameness::UntilItEnded { line: 3 };
        assert_eq!(compare(saved, made, true), until);
        assert_eq!(compare(saved, made, false), Sameness::Differs { line: 3 });
        let other = b"header\nOne\ntwo\n";
        assert_eq!(compare(saved, other, true), Sameness::Differs { line: 2 });
    }
}
