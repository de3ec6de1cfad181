//! What came of judging a log by a model, as data and as a JSON document.
//!
//! How it looks on a terminal is the harness's business.

use serde::{Serialize, Serializer};

use super::claims::Claim;
use super::options::Model;
use crate::explain::Explanation;
use crate::log::Datum;

/// Anomalies of one key that a report keeps; it counts all of them.
pub(super) const ANOMALIES_KEPT_MAX: usize = 20;

/// What came of a key, or of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It is as the model asks.
    Kept,
    /// It is not.
    Broken,
    /// Nobody knows.
    Undecided,
}

/// How the operations of a log ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcomes {
    /// Happened.
    pub ok: u64,
    /// Certainly did not.
    pub fail: u64,
    /// Unknown.
    pub info: u64,
}

impl Outcomes {
    /// All operations.
    pub fn total(&self) -> u64 {
        self.ok + self.fail + self.info
    }
}

/// One violation, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelAnomaly {
    /// Its name, such as `stale-read`.
    pub name: String,
    /// Indexes of the events that prove it: the invocations of its operations.
    pub witness: Vec<u64>,
    /// What it means.
    #[serde(serialize_with = "rendered")]
    pub explanation: Explanation,
}

fn rendered<S: Serializer>(explanation: &Explanation, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(explanation.render().lines())
}

/// What came of one key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KeyReport {
    /// The key; none if the log has none.
    pub key: Option<String>,
    /// Which part of the question, if the model asks several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<&'static str>,
    /// Who decided, or gave up.
    pub algorithm: &'static str,
    /// How many operations were judged.
    pub judged: u64,
    /// How many of them could have shown a violation.
    pub evidence: u64,
    /// Steps that it took.
    pub steps: u64,
    /// What came of it.
    pub answer: Answer,
    /// Why nobody knows, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How many violations there are.
    pub seen: u64,
    /// The first of them.
    pub anomalies: Vec<ModelAnomaly>,
    /// What its judge has to say in lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub summary: Vec<String>,
    /// The same and more in its own fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<serde_json::Value>,
}

impl KeyReport {
    /// A report of nothing found.
    pub(super) fn new(key: Option<&Datum>, algorithm: &'static str) -> KeyReport {
        KeyReport {
            key: key.map(Datum::plain),
            part: None,
            algorithm,
            judged: 0,
            evidence: 0,
            steps: 0,
            answer: Answer::Kept,
            why: None,
            seen: 0,
            anomalies: Vec::new(),
            summary: Vec::new(),
            result: None,
        }
    }

    /// Nobody knows, for this reason.
    pub(super) fn undecided(mut self, why: impl Into<String>) -> KeyReport {
        self.answer = Answer::Undecided;
        self.why = Some(why.into());
        self
    }
}

/// What came of a log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Version of this document.
    pub format: u32,
    /// The model.
    pub model: Model,
    /// What was asked.
    pub question: &'static str,
    /// The format that the log had.
    pub input_format: &'static str,
    /// What was taken for granted about failures and empty reads, in words.
    pub assumptions: Vec<String>,
    /// What came of all keys together.
    pub answer: Answer,
    /// Why nobody knows, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Events of the log, the nemesis's included.
    pub events: u64,
    /// Whether the last event was torn and dropped.
    pub torn_tail: bool,
    /// The operations that the model knows.
    pub operations: Outcomes,
    /// Operations that the model does not know, and how many there are of each.
    pub ignored: Vec<Ignored>,
    /// One per key.
    pub keys: Vec<KeyReport>,
    /// Violations of each key and question that are told at most, if somebody asked.
    #[serde(skip)]
    pub told_max: Option<usize>,
    /// What the versions claim that answers came with; it changes no answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
    /// What the reader should know beside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Operations that the model does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ignored {
    /// Their name.
    pub f: String,
    /// How many.
    pub count: u64,
}

impl Serialize for Model {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Report {
    /// The document, ending in a newline.
    #[expect(
        clippy::missing_panics_doc,
        reason = "the document has string keys only: it always serialises"
    )]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("the document has string keys only") + "\n"
    }

    /// Joins the answers of the keys: one that is broken breaks all; one that is undecided leaves all undecided, unless nothing was there to
    /// decide; and where nothing was there at all, nothing was kept.
    pub(super) fn settle(&mut self) {
        let count = |answer: Answer| {
            self.keys
                .iter()
                .filter(|key| key.answer == answer && key.evidence > 0)
                .count()
        };
        let broken = self.keys.iter().any(|key| key.answer == Answer::Broken);
        let (kept, undecided) = (count(Answer::Kept), count(Answer::Undecided));
        (self.answer, self.why) = match (broken, undecided, kept) {
            (true, ..) => (Answer::Broken, None),
            (false, 0, 1..) => (Answer::Kept, None),
            _ => {
                let first = self.keys.iter().find(|key| key.answer == Answer::Undecided);
                (Answer::Undecided, first.and_then(|key| key.why.clone()))
            }
        };
    }
}
