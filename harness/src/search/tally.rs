//! What a search has seen so far, counted seed by seed in their order.
//!
//! It runs nothing. Because it is fed in the order of the seeds it is the same however many threads there were.

use std::collections::BTreeMap;

use quorate_checkers::guarantee::Guarantee;
use quorate_checkers::history::Nanos;
use quorate_checkers::verdict::Ruling;

use crate::exit::Exit;
use crate::target::Target;
use crate::trial::Trial;

/// In how many seeds a guarantee came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Promised, and kept.
    pub kept: u64,
    /// Promised, and broken.
    pub broken: u64,
    /// Seen, and not promised.
    pub allowed: u64,
    /// Promised, but too little was judged.
    pub undecided: u64,
}

/// What came of one seed.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) shows: bool,
    operations: u64,
    lasted: Nanos,
    rows: Vec<(Guarantee, Ruling, bool)>,
}

impl Tried {
    pub(super) fn of(trial: &Trial, target: Target) -> Tried {
        let rows = trial.verdict.rows.iter();
        Tried {
            shows: target.shown_by(&trial.verdict).is_some(),
            operations: trial.verdict.operations,
            lasted: trial.history.end,
            rows: rows
                .map(|row| (row.promise.guarantee, row.ruling, row.promise.promised))
                .collect(),
        }
    }
}

/// What a search has seen so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Seeds that were run.
    pub tried: u64,
    /// Seeds that were not, because their load gives no evidence of what is sought.
    pub passed_over: u64,
    /// Operations of clients in all of them.
    pub operations: u64,
    /// Virtual time of all of them.
    pub virtual_ns: u128,
    /// Per guarantee, in how many seeds it came out how.
    pub counts: BTreeMap<Guarantee, Counts>,
}

impl Tally {
    /// Counts the next seed; none = it was passed over.
    pub(super) fn add(&mut self, tried: Option<&Tried>) {
        let Some(tried) = tried else {
            self.passed_over += 1;
            return;
        };
        self.tried += 1;
        self.operations += tried.operations;
        self.virtual_ns += u128::from(tried.lasted.0);
        for &(guarantee, ruling, promised) in &tried.rows {
            let counts = self.counts.entry(guarantee).or_default();
            match ruling {
                Ruling::Kept => counts.kept += 1,
                Ruling::Broken => counts.broken += 1,
                Ruling::Allowed => counts.allowed += 1,
                Ruling::Undecided if promised => counts.undecided += 1,
                Ruling::Undecided | Ruling::NotSeen => {}
            }
        }
    }

    /// Seeds that are done with.
    pub fn seeds(&self) -> u64 {
        self.tried + self.passed_over
    }

    /// Guarantees that were seen violated, promised or not, and in how many seeds.
    pub fn seen(&self) -> impl Iterator<Item = (Guarantee, u64)> + '_ {
        let counted = self.counts.iter();
        counted
            .map(|(&guarantee, counts)| (guarantee, counts.broken + counts.allowed))
            .filter(|&(_, seeds)| seeds > 0)
    }

    /// Promises about which no seed gave enough evidence.
    pub fn undecided(&self) -> impl Iterator<Item = Guarantee> + '_ {
        let counted = self.counts.iter();
        counted
            .filter(|(_, counts)| counts.undecided > 0 && counts.kept == 0 && counts.broken == 0)
            .map(|(&guarantee, _)| guarantee)
    }

    /// What a search comes to that found nothing. That no promise was broken is worth something if each was kept in some seed;
    /// that an anomaly was not found proves nothing about it.
    pub fn exit(&self, target: Target) -> Exit {
        let any_kept = self.counts.values().any(|counts| counts.kept > 0);
        match target {
            _ if self.tried == 0 => Exit::NothingRan,
            Target::AnyBreach if any_kept && self.undecided().next().is_none() => Exit::Kept,
            Target::AnyBreach | Target::Breach(_) | Target::Anomaly(_) => Exit::Undecided,
        }
    }
}
