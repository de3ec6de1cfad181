//! What a run is searched, replayed or shrunk for: a broken promise, or one kind of anomaly.
//!
//! It reads verdicts and makes none.

use std::fmt;

use quorate_checkers::guarantee::Guarantee;
use quorate_checkers::verdict::{Row, Ruling, Verdict};

use crate::plan::{PlanError, unknown};

/// What to look for in a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Any promise that is broken.
    AnyBreach,
    /// This promise, broken.
    Breach(Guarantee),
    /// An anomaly of this guarantee, promised or not.
    Anomaly(Guarantee),
}

impl Target {
    /// The anomaly of that name, such as `stale-read`.
    ///
    /// # Errors
    /// When nothing is called so.
    pub fn anomaly(name: &str) -> Result<Target, PlanError> {
        let of_name = |guarantee: &Guarantee| guarantee.anomaly_name() == name;
        match Guarantee::ALL.into_iter().find(of_name) {
            Some(guarantee) => Ok(Target::Anomaly(guarantee)),
            None => Err(unknown(
                "anomaly",
                name,
                Guarantee::ALL.map(Guarantee::anomaly_name),
            )),
        }
    }

    /// What a verdict is worth keeping for: its first broken promise, else its first anomaly. None if nothing was seen.
    pub fn of(verdict: &Verdict) -> Option<Target> {
        let first = |ruling| verdict.rows.iter().find(|row| row.ruling == ruling);
        match (first(Ruling::Broken), first(Ruling::Allowed)) {
            (Some(broken), _) => Some(Target::Breach(broken.promise.guarantee)),
            (None, Some(seen)) => Some(Target::Anomaly(seen.promise.guarantee)),
            (None, None) => None,
        }
    }

    /// The first row of the verdict that shows it.
    pub fn shown_by(self, verdict: &Verdict) -> Option<&Row> {
        verdict.rows.iter().find(|row| {
            let guarantee = row.promise.guarantee;
            match self {
                Target::AnyBreach => row.ruling == Ruling::Broken,
                Target::Breach(sought) => guarantee == sought && row.ruling == Ruling::Broken,
                Target::Anomaly(sought) => {
                    guarantee == sought && matches!(row.ruling, Ruling::Broken | Ruling::Allowed)
                }
            }
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::AnyBreach => f.write_str("broken promise"),
            Target::Breach(guarantee) | Target::Anomaly(guarantee) => {
                f.write_str(guarantee.anomaly_name())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_anomaly_is_found_by_its_name() {
        for guarantee in Guarantee::ALL {
            let target = Target::anomaly(guarantee.anomaly_name()).expect("it exists");
            assert_eq!(target, Target::Anomaly(guarantee));
            assert_eq!(target.to_string(), guarantee.anomaly_name());
        }
    }

    #[test]
    fn a_wrong_name_is_answered_with_the_nearest() {
        let refusal = Target::anomaly("stale-reed").expect_err("no such anomaly");
        assert!(refusal.to_string().contains("`stale-read`"), "{refusal}");
    }
}
