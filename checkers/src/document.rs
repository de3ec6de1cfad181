//! The verdict as `verdict.json`: stable, pretty, byte for byte the same for equal histories.
//!
//! Kinds are kebab-case, times are integers of nanoseconds, and the order of fields is that of the structs below. Readers
//! in other rooms use [`Verdict`] itself.

use serde::Serialize;

use crate::explain::Explanation;
use crate::exposure::Exposure;
use crate::finding::{Share, Skipped};
use crate::history::Quorum;
use crate::verdict::{Outcome, Row, Ruling, Verdict};
use crate::witness::{Anomaly, Measure, Part};

/// Version of this document.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    outcome: Outcome,
    operations: u64,
    keys: u64,
    torn_tail: bool,
    quorum: Quorum,
    exposure: &'a Exposure,
    guarantees: Vec<RowDocument<'a>>,
}

#[derive(Serialize)]
struct RowDocument<'a> {
    guarantee: &'static str,
    promised: bool,
    reason: &'a str,
    ruling: Ruling,
    judged: u64,
    unit: &'static str,
    seen: u64,
    skipped: &'a [Skipped],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'a [String],
    #[serde(skip_serializing_if = "<[Share]>::is_empty")]
    decided: &'a [Share],
    measures: &'a [Measure],
    anomalies: Vec<AnomalyDocument<'a>>,
}

#[derive(Serialize)]
struct AnomalyDocument<'a> {
    name: &'static str,
    at_ns: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    witness: Vec<RoleDocument>,
    census: &'a [usize],
    details: &'a [Measure],
    explanation: Vec<String>,
}

#[derive(Serialize)]
struct RoleDocument {
    letter: char,
    part: Part,
    operation: usize,
}

impl Verdict {
    /// The document, ending in a newline.
    #[expect(
        clippy::missing_panics_doc,
        reason = "the document has string keys only: it always serialises"
    )]
    pub fn to_json(&self) -> String {
        let document = Document {
            format: FORMAT,
            outcome: self.outcome,
            operations: self.operations,
            keys: self.keys,
            torn_tail: self.torn_tail,
            quorum: self.quorum,
            exposure: &self.exposure,
            guarantees: self.rows.iter().map(row).collect(),
        };
        let text = serde_json::to_string_pretty(&document);
        text.expect("the document has string keys only") + "\n"
    }
}

fn row(row: &Row) -> RowDocument<'_> {
    let finding = &row.finding;
    RowDocument {
        guarantee: row.promise.guarantee.name(),
        promised: row.promise.promised,
        reason: &row.promise.reason,
        ruling: row.ruling,
        judged: finding.judged,
        unit: finding.unit,
        seen: finding.seen,
        skipped: &finding.skipped,
        notes: &row.notes,
        decided: &finding.decided,
        measures: &finding.measures,
        anomalies: finding
            .anomalies
            .iter()
            .zip(&row.explanations)
            .map(|(anomaly, explanation)| describe(anomaly, explanation))
            .collect(),
    }
}

fn describe<'a>(anomaly: &'a Anomaly, explanation: &Explanation) -> AnomalyDocument<'a> {
    let roles = anomaly.witness.roles.iter();
    AnomalyDocument {
        name: anomaly.name(),
        at_ns: anomaly.at.0,
        key: anomaly.key.as_deref(),
        witness: roles
            .map(|r| RoleDocument {
                letter: r.letter,
                part: r.part,
                operation: r.operation,
            })
            .collect(),
        census: &anomaly.witness.census,
        details: &anomaly.details,
        explanation: explanation.render().lines().map(str::to_owned).collect(),
    }
}
