//! One key holds a set, and clients read it, add an element, and write it back: how much survives? In the eight lines that have been
//! printed for such tests since 2013.
//!
//! Last-write-wins loses what was added between another client's read and its write, with no fault at all. The judge is that of
//! `last_read.rs`; only the report differs, and rates come with an interval: a run is a sample.

use std::fmt;

use serde::Serialize;

use super::final_read::{Final, Standing};
use super::history::SetHistory;
use super::last_read::violations;
use super::rule::Rules;
use super::validity::Validity;
use super::violation::Violation;

/// A share of a number of things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Share {
    /// How many of them.
    pub count: u64,
    /// Of how many.
    pub of: u64,
}

impl Share {
    /// The rate; none of nothing.
    #[expect(clippy::cast_precision_loss, reason = "a rate is for display")]
    pub fn rate(self) -> Option<f64> {
        (self.of > 0).then(|| self.count as f64 / self.of as f64)
    }
}

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
    pub ack_rate: Share,
    /// Lost, of the acknowledged.
    pub loss_rate: Share,
    /// Unacknowledged but found. The classic line divides by the acknowledged, as does [`fmt::Display`]; as a share it is one of the
    /// unacknowledged.
    pub unacknowledged_but_successful_rate: Share,
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
    let share = |count, of| Share { count, of };
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
        ack_rate: share(acknowledged, total),
        loss_rate: share(lost, acknowledged),
        unacknowledged_but_successful_rate: share(found, total.saturating_sub(acknowledged)),
        unexpected,
        failed_add_seen,
        too_late: end.count(Standing::is_too_late),
        violations: violations(history, &end),
    }
}

/// The eight lines.
impl fmt::Display for ReadModifyWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = |share: Share| {
            share
                .rate()
                .map_or("no".to_owned(), |rate| format!("{rate:.4}"))
        };
        let classic = Share {
            count: self.unacknowledged_found,
            of: self.acknowledged,
        };
        writeln!(f, "{} total", self.total)?;
        writeln!(f, "{} acknowledged", self.acknowledged)?;
        writeln!(f, "{} survivors", self.survivors)?;
        writeln!(f, "{} acknowledged writes lost", self.acknowledged_lost)?;
        writeln!(
            f,
            "{} unacknowledged writes found",
            self.unacknowledged_found
        )?;
        writeln!(f, "{} ack rate", rate(self.ack_rate))?;
        writeln!(f, "{} loss rate", rate(self.loss_rate))?;
        writeln!(f, "{} unacknowledged but successful rate", rate(classic))
    }
}
