//! Search: many seeds of one idea, simulated on all cores, until one shows what is sought.
//!
//! What a seed means is in [`plan_of`] and [`plan_like`]. What is found is a plan, and the caller's business: nothing is saved or reported here, and
//! what it answers does not depend on how many threads there are.

mod explore;
mod swarm;
mod tally;

use std::ops::Range;
use std::time::Duration;

use thiserror::Error;

pub use explore::explore;
pub use swarm::{Idea, plan_like, plan_of};
pub use tally::{Counts, Tally};

use crate::plan::Plan;
use crate::target::Target;
use crate::trial::TrialError;

/// What is sought where.
#[derive(Clone, Debug)]
pub struct Hunt {
    /// The seeds to try, in this order.
    pub seeds: Range<u64>,
    /// What ends it.
    pub target: Target,
    /// How many seeds are tried at once.
    pub threads: usize,
}

/// A seed could not be tried.
#[derive(Debug, Error)]
#[error("seed {seed}: {source}")]
pub struct SearchError {
    /// Which.
    pub seed: u64,
    /// Why.
    pub source: TrialError,
}

/// What was sought.
#[derive(Clone, Debug)]
pub struct Found {
    /// The lowest seed that shows it.
    pub seed: u64,
    /// What that seed means.
    pub plan: Plan,
}

/// A search that came to its end.
#[derive(Clone, Debug)]
pub struct Explored {
    /// What was sought, if it was found.
    pub found: Option<Found>,
    /// What was seen on the way, in all seeds up to the one that was found.
    pub tally: Tally,
    /// Whether it was ended before it had tried all seeds.
    pub interrupted: bool,
    /// How long it took.
    pub took: Duration,
}
