//! One key holds a set, and clients read it, add an element, and write it back: how much survives? In the eight lines that have been
//! printed for such tests since 2013.
//!
//! Last-write-wins loses what was added between another client's read and its write, with no fault at all. The judge is that of
//! `last_read.rs`; only the report differs, and rates come with an interval: a run is a sample.

use std::fmt;

use serde::Serialize;

use super::eight_lines::EightLines;
use super::final_read::{Final, Standing};
use super::history::SetHistory;
use super::last_read::violations;
use super::rule::Rules;
use super::validity::Validity;
use super::violation::Violation;
use crate::statistics::Rate;

/// How much of a set survived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReadModifyWrite {
    /// Invalid if an acknowledged element is lost, or anything is there that nobody added. Unknown if the set was never read.
    pub valid: Validity,
    /// Elements that somebody tried to add.
    pub total: u64,
    /// Elements that were acknowledged.
    pub acknowledged: u64,
    /// Elements of the last read that somebody tried to add.
    pub survivors: u64,
    /// Elements that were acknowledged before the last read began, and are not in it.
    pub acknowledged_lost: u64,
    /// Elements of the last read that were not acknowledged.
    pub unacknowledged_found: u64,
    /// Acknowledged, of all.
    pub ack_rate: Rate,
    /// Lost, of the acknowledged.
    pub loss_rate: Rate,
    /// Unacknowledged but found. The classic line divides by the acknowledged, as does [`fmt::Display`]; a share, which can have an
    /// interval, it is of the unacknowledged, and so told beside.
    pub unacknowledged_but_successful_rate: Rate,
    /// Elements of the last read that nobody tried to add.
    pub unexpected: u64,
    /// Elements of the last read whose adds were all refused.
    pub failed_add_seen: u64,
    /// Elements that are not in the last read, but were acknowledged only after it began.
    pub too_late: u64,
    /// The first violations of each kind.
    pub violations: Vec<Violation>,
}

/// Counts what survived.
pub fn read_modify_write(history: &SetHistory) -> ReadModifyWrite {
    judge(history, Rules::ALL)
}

pub(super) fn judge(history: &SetHistory, rules: Rules) -> ReadModifyWrite {
    let end = Final::of(history, rules);
    let total = u64::from(history.added());
    let acknowledged = end.count(Standing::is_acknowledged);
    let lost = end.count(Standing::is_lost);
    let found = end.count(Standing::is_recovered);
    let unexpected = end.count(Standing::is_unexpected);
    let failed_add_seen = end.count(Standing::is_refused_and_there);
    ReadModifyWrite {
        valid: match end.read {
            None => Validity::Unknown,
            Some(_) if lost + unexpected + failed_add_seen > 0 => Validity::Invalid,
            Some(_) => Validity::Valid,
        },
        total,
        acknowledged,
        survivors: end.count(Standing::is_there),
        acknowledged_lost: lost,
        unacknowledged_found: found,
        ack_rate: Rate::new(acknowledged, total),
        loss_rate: Rate::new(lost, acknowledged),
        unacknowledged_but_successful_rate: Rate::new(found, total.saturating_sub(acknowledged)),
        unexpected,
        failed_add_seen,
        too_late: end.count(Standing::is_too_late),
        violations: violations(history, &end),
    }
}

impl ReadModifyWrite {
    /// The counts that the classic lines are made of.
    pub fn lines(&self) -> EightLines {
        EightLines {
            total: self.total,
            acknowledged: self.acknowledged,
            survivors: self.survivors,
            lost: self.acknowledged_lost,
            found: self.unacknowledged_found,
        }
    }
}

/// The eight lines, with intervals of 95 % confidence.
impl fmt::Display for ReadModifyWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().fmt(f)
    }
}
