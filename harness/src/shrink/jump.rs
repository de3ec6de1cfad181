//! The shortest way from a large plan to a small one: ask only what the anomaly's proof needs, under only the faults of that time.
//!
//! It guesses; whether a guess still shows the anomaly is tried elsewhere.

use std::collections::BTreeSet;

use quorate_checkers::history::{History, KeyId};
use quorate_checkers::minimise::{Proof, proofs};
use quorate_checkers::verdict::Row;

use super::Size;
use super::scripted::{load_began, places, with_script};
use super::times::{NS_PER_MS, squeezed, until_ns};
use crate::plan::{Plan, Scheduled};

/// Proofs that are tried, smallest first.
const PROOFS_MAX: usize = 6;

/// Pauses that are left between operations, ns.
const GAPS_NS: [u64; 3] = [100_000, NS_PER_MS, 10 * NS_PER_MS];

/// What is asked around an anomaly may matter this long before it, ns.
const CONTEXT_NS: u64 = 100 * NS_PER_MS;

/// Plans that may show what this run of a plan shows in a row of its verdict, and are smaller: the smallest first.
pub(super) fn guesses(plan: &Plan, history: &History, row: &Row) -> Vec<Plan> {
    let guesses = Guesses {
        plan,
        history,
        began: load_began(history).0,
    };
    let size = Size::of(plan);
    let mut plans: Vec<Plan> = proofs(history, row)
        .iter()
        .take(PROOFS_MAX)
        .flat_map(|proof| guesses.of(proof))
        .filter(|guess| Size::of(guess) < size)
        .collect();
    plans.sort_by_key(Size::of);
    plans.dedup();
    plans
}

struct Guesses<'a> {
    plan: &'a Plan,
    history: &'a History,
    /// When the load began, ns.
    began: u64,
}

impl Guesses<'_> {
    fn of(&self, proof: &Proof) -> Vec<Plan> {
        let spans = self.spans(&proof.operations);
        let first = spans.iter().map(|span| span.0).min().unwrap_or(0);
        let last = proof.anomaly.at.0.saturating_sub(self.began);
        let meanwhile = |scheduled: &&Scheduled| {
            scheduled.at_ms.saturating_mul(NS_PER_MS) <= last && until_ns(scheduled) >= first
        };
        let timeline = &self.plan.timeline;
        let timelines = [
            Vec::new(),
            timeline.iter().filter(meanwhile).cloned().collect(),
            timeline.clone(),
        ];
        let mut guesses = Vec::new();
        for timeline in timelines {
            let under = Plan {
                timeline,
                ..self.plan.clone()
            };
            let Some(bare) = self.asking(&under, &proof.operations) else {
                continue;
            };
            let squeezed = GAPS_NS.map(|gap_ns| squeezed(&bare, &spans, gap_ns));
            guesses.extend(squeezed);
            guesses.push(bare);
            for around in self.around(proof, first, last) {
                guesses.extend(self.asking(&under, &around));
            }
        }
        guesses
    }

    /// The operations of the proof with those on its keys a little before, then with all on its keys.
    fn around(&self, proof: &Proof, first: u64, last: u64) -> [Vec<usize>; 2] {
        let operations = &self.history.operations;
        let keys: BTreeSet<KeyId> = proof
            .operations
            .iter()
            .map(|&op| operations[op].key)
            .collect();
        let of_keys = || (0..operations.len()).filter(|&op| keys.contains(&operations[op].key));
        let from = first.saturating_sub(CONTEXT_NS);
        let is_near = |op: &usize| {
            let call = operations[*op].call.0.saturating_sub(self.began);
            (from..=last).contains(&call) || proof.operations.contains(op)
        };
        [of_keys().filter(is_near).collect(), of_keys().collect()]
    }

    /// The plan that asks only these operations of the history; none if they are none.
    fn asking(&self, plan: &Plan, operations: &[usize]) -> Option<Plan> {
        let places = places(self.plan, self.history);
        let asked: BTreeSet<usize> = operations
            .iter()
            .filter_map(|op| places.get(op).copied())
            .collect();
        if asked.is_empty() {
            return None;
        }
        let script = &self.plan.load.script;
        let script = asked.into_iter().map(|place| script[place].clone());
        Some(with_script(plan, script.collect()))
    }

    /// When operations were under way, ns after the load began.
    fn spans(&self, operations: &[usize]) -> Vec<(u64, u64)> {
        let timeout_ns = self.plan.load.op_timeout_ms.saturating_mul(NS_PER_MS);
        let operations = operations.iter().map(|&op| &self.history.operations[op]);
        let span = operations.map(|op| {
            let call = op.call.0.saturating_sub(self.began);
            let completed = op.completed().map(|at| at.0.saturating_sub(self.began));
            (call, completed.unwrap_or(call.saturating_add(timeout_ns)))
        });
        span.collect()
    }
}
