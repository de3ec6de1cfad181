//! The verdict: what was observed joined with what was promised.
//!
//! [`judge`] is the one way from a history to a verdict. How it looks as JSON is in `document.rs`.

use serde::Serialize;

use crate::contract::{Contract, Promise};
use crate::executor::{Executor, Sequential};
use crate::explain::{Explanation, explain};
use crate::exposure::Exposure;
use crate::finding::{Checker, Finding};
use crate::guarantee::Guarantee;
use crate::history::{Header, History, Index, Quorum};
use crate::session::Kind;
use crate::session::causal::Model;
use crate::session::rows::{Causality, Session};
use crate::{
    availability, clock_loss, concurrent_loss, divergence, failed_write, inversion,
    linearizability, lost_write, missing, multivalue, phantom, resurrected_delete, stale_read,
};

/// What came of one guarantee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ruling {
    /// Promised, not violated, and enough was judged.
    Kept,
    /// Promised and violated.
    Broken,
    /// Violated, but never promised.
    Allowed,
    /// Not violated and never promised.
    NotSeen,
    /// Not violated, but too little was judged to say so.
    Undecided,
}

impl Ruling {
    /// Joins a finding with its promise. What could not be judged can hide a violation, but never excuse one.
    pub fn of(promised: bool, finding: &Finding) -> Ruling {
        match (finding.seen > 0, promised) {
            (true, true) => Ruling::Broken,
            (true, false) => Ruling::Allowed,
            (false, _) if finding.judged == 0 || !finding.skipped.is_empty() => Ruling::Undecided,
            (false, true) => Ruling::Kept,
            (false, false) => Ruling::NotSeen,
        }
    }

    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Ruling::Kept => "kept",
            Ruling::Broken => "broken",
            Ruling::Allowed => "allowed",
            Ruling::NotSeen => "not seen",
            Ruling::Undecided => "undecided",
        }
    }
}

/// What came of the whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every promise was kept.
    Kept,
    /// A promise was broken.
    Broken,
    /// None was broken, but about some promise too little was judged.
    Undecided,
}

/// One guarantee in a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What was promised, and why.
    pub promise: Promise,
    /// What was observed.
    pub finding: Finding,
    /// What follows.
    pub ruling: Ruling,
    /// Why it is undecided and what to do, and what judges said that gave up.
    pub notes: Vec<String>,
    /// One per anomaly of the finding.
    pub explanations: Vec<Explanation>,
}

/// What was observed joined with what was promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What came of the run.
    pub outcome: Outcome,
    /// One row per judged guarantee, in the order of [`Guarantee::ALL`].
    pub rows: Vec<Row>,
    /// What the run was exposed to.
    pub exposure: Exposure,
    /// The N, R and W that it was judged by.
    pub quorum: Quorum,
    /// Number of operations in the history.
    pub operations: u64,
    /// Number of keys in the history.
    pub keys: u64,
    /// Whether the history's last line was torn.
    pub torn_tail: bool,
}

impl Verdict {
    /// The row of a guarantee, if it was judged.
    pub fn row(&self, guarantee: Guarantee) -> Option<&Row> {
        self.rows
            .iter()
            .find(|row| row.promise.guarantee == guarantee)
    }
}

/// The judges of histories with such a header, in the order of [`Guarantee::ALL`].
pub fn checkers_of(header: &Header) -> Vec<&'static dyn Checker> {
    if header.is_of_registers() {
        checkers().to_vec()
    } else {
        multivalue::judges(header)
    }
}

/// The judges of registers, in the order of [`Guarantee::ALL`].
pub fn checkers() -> [&'static dyn Checker; 17] {
    [
        &phantom::Phantom,
        &failed_write::FailedWrite,
        &stale_read::StaleRead,
        &inversion::Inversion,
        &linearizability::Linearizability,
        &Session(Kind::ReadYourWrites),
        &Session(Kind::MonotonicReads),
        &Session(Kind::MonotonicWrites),
        &Session(Kind::WritesFollowReads),
        &Causality(Model::Causal),
        &Causality(Model::Convergent),
        &lost_write::LostWrite,
        &resurrected_delete::ResurrectedDelete,
        &clock_loss::ClockLoss,
        &concurrent_loss::ConcurrentLoss,
        &divergence::Divergence,
        &availability::Availability,
    ]
}

/// Judges a history by the guarantees that its header names, or by all.
pub fn judge(history: &History) -> Verdict {
    judge_with(history, &Sequential)
}

/// As [`judge`], with as many guarantees at once as the executor can, but for those whose judges copy operations. The verdict is the same.
pub fn judge_with(history: &History, executor: &impl Executor) -> Verdict {
    let index = Index::with(history, executor);
    let contract = Contract::of_history(history, &index.exposure);
    let names = history.header.judges.as_ref();
    let is_judged = |guarantee: Guarantee| {
        names.is_none_or(|names| {
            names
                .iter()
                .any(|n| Guarantee::from_name(n) == Some(guarantee))
        })
    };
    let judged = checkers_of(&history.header).into_iter();
    let judged: Vec<(&dyn Checker, Promise)> = judged
        .filter_map(|checker| Some((checker, contract.promise(checker.guarantee())?.clone())))
        .filter(|(_, promise)| is_judged(promise.guarantee))
        .collect();
    let rows = executor.map(shares(judged), |share| {
        let row = |(checker, promise)| {
            let row = row(history, &index, checker, promise);
            executor.judged(row.promise.guarantee);
            row
        };
        share.into_iter().map(row).collect::<Vec<Row>>()
    });
    let rows: Vec<Row> = rows.into_iter().flatten().collect();
    Verdict {
        outcome: outcome(&rows),
        rows,
        exposure: index.exposure,
        quorum: contract.quorum,
        operations: history.operations.len() as u64,
        keys: history.keys.len() as u64,
        torn_tail: history.torn_tail,
    }
}

/// What is to be judged, in shares that may be judged at once: neighbours that copy operations are one.
fn shares(judged: Vec<(&dyn Checker, Promise)>) -> Vec<Vec<(&dyn Checker, Promise)>> {
    let mut shares: Vec<Vec<(&dyn Checker, Promise)>> = Vec::new();
    for (checker, promise) in judged {
        let copies = checker.copies_operations();
        match shares.last_mut() {
            Some(share) if copies && share.iter().all(|(other, _)| other.copies_operations()) => {
                share.push((checker, promise));
            }
            _ => shares.push(vec![(checker, promise)]),
        }
    }
    shares
}

fn row(history: &History, index: &Index, checker: &dyn Checker, promise: Promise) -> Row {
    let finding = checker.check(history, index);
    let ruling = Ruling::of(promise.promised, &finding);
    let explanations = finding
        .anomalies
        .iter()
        .map(|anomaly| explain(history, &index.exposure, anomaly))
        .collect();
    let has_census = index.keys.iter().any(|key| !key.census.is_empty());
    Row {
        promise,
        notes: missing::notes(&finding, ruling, has_census),
        finding,
        ruling,
        explanations,
    }
}

/// What follows from the rows together.
pub(crate) fn outcome(rows: &[Row]) -> Outcome {
    let undecided = |row: &Row| row.ruling == Ruling::Undecided && row.promise.promised;
    if rows.iter().any(|row| row.ruling == Ruling::Broken) {
        Outcome::Broken
    } else if rows.is_empty() || rows.iter().any(undecided) {
        Outcome::Undecided
    } else {
        Outcome::Kept
    }
}
