//! Trials of plans in the simulated world: which is the first of some candidates that still shows it?
//!
//! Candidates are tried on all cores; the answer is the same on any number of them. Each is tried with several seeds, because leaving something
//! out changes what is drawn for the rest. How many trials there may be is counted, not timed.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use quorate_checkers::guarantee::Guarantee;
use quorate_checkers::verdict::{Row, Verdict};
use rayon::prelude::*;

use super::Size;
use crate::plan::Plan;
use crate::target::Target;
use crate::trial::trial_for;

/// What a trial costs besides its operations: a cluster must start and stop.
const COST_OF_A_CLUSTER: u64 = 200;

/// How far shrinking has come. One thread works, another one looks.
#[derive(Debug, Default)]
pub struct Watch {
    /// Simulations so far.
    pub tried: AtomicU64,
    /// Whether to stop, and keep the best so far.
    pub stop: AtomicBool,
    /// The smallest so far.
    pub best: Mutex<Option<Size>>,
}

impl Watch {
    /// Whether somebody asked to stop.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub(super) fn tell(&self, size: Size) {
        if let Ok(mut best) = self.best.lock() {
            *best = Some(size);
        }
    }
}

/// Where plans are tried.
pub(super) struct Lab<'a> {
    target: Target,
    guarantee: Guarantee,
    watch: &'a Watch,
    /// What may still be spent, in operations.
    left: u64,
}

impl<'a> Lab<'a> {
    pub(super) fn new(target: Target, guarantee: Guarantee, watch: &'a Watch, budget: u64) -> Self {
        Lab {
            target,
            guarantee,
            watch,
            left: budget,
        }
    }

    /// The row of a verdict that shows it.
    pub(super) fn row<'v>(&self, verdict: &'v Verdict) -> Option<&'v Row> {
        self.target.shown_by(verdict)
    }

    pub(super) fn watch(&self) -> &'a Watch {
        self.watch
    }

    pub(super) fn is_spent(&self) -> bool {
        self.left == 0
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_spent() || self.watch.is_stopped()
    }

    /// The first candidate that shows it under its own seed or one of the first few, with its place and that seed. What is no plan
    /// shows nothing.
    pub(super) fn first(&mut self, candidates: &[Option<Plan>]) -> Option<(usize, Plan)> {
        let mut trials: Vec<(usize, u64)> = Vec::new();
        let mut costs = Vec::new();
        let mut cost = 0;
        for (place, plan) in candidates.iter().enumerate() {
            let Some(plan) = plan.as_ref().filter(|plan| plan.validate().is_ok()) else {
                continue;
            };
            for seed in seeds(plan) {
                cost += plan.load.script.len() as u64 + COST_OF_A_CLUSTER;
                trials.push((place, seed));
                costs.push(cost);
            }
        }
        // What cannot be paid is not tried.
        trials.truncate(costs.partition_point(|&cost| cost <= self.left));
        let is_all = trials.len() == costs.len();
        let found = (0..trials.len())
            .into_par_iter()
            .with_max_len(1)
            .find_first(|&trial| {
                let (place, seed) = trials[trial];
                let plan = candidates[place].as_ref();
                plan.is_some_and(|plan| self.shows(&with_seed(plan, seed)))
            });
        let spent = match found {
            Some(trial) => costs[trial],
            None if is_all => cost,
            None => self.left,
        };
        self.left -= spent.min(self.left);
        let (place, seed) = trials[found?];
        let plan = with_seed(candidates[place].as_ref()?, seed);
        Some((place, plan))
    }

    /// Whether this plan shows it.
    pub(super) fn shows(&self, plan: &Plan) -> bool {
        if self.watch.is_stopped() {
            return false;
        }
        self.watch.tried.fetch_add(1, Ordering::Relaxed);
        let trial = trial_for(plan, self.guarantee);
        trial.is_ok_and(|trial| self.target.shown_by(&trial.verdict).is_some())
    }
}

/// The seeds that a plan is tried with: the fewer operations, the more.
fn seeds(plan: &Plan) -> impl Iterator<Item = u64> {
    let count = match plan.load.script.len() {
        0..=8 => 48,
        9..=64 => 16,
        65..=512 => 4,
        _ => 2,
    };
    let own = plan.seed;
    let others = (0..count).filter(move |&seed| seed != own);
    std::iter::once(own).chain(others)
}

fn with_seed(plan: &Plan, seed: u64) -> Plan {
    Plan {
        seed,
        ..plan.clone()
    }
}
