//! Divergence: replicas of one key that hold different values in the end.
//!
//! It compares values only. Replicas that hold the same value under different stamps agree for every reader, and
//! stamps are evidence, which never convicts.

use crate::census::{INCOMPLETE, is_complete};
use crate::finding::{Checker, Finding};
use crate::guarantee::Guarantee;
use crate::history::{History, Index, KeyId, Nanos};
use crate::witness::{Anomaly, Witness};

/// The judge of [`Guarantee::Convergence`].
#[derive(Clone, Copy, Debug)]
pub struct Divergence;

impl Checker for Divergence {
    fn guarantee(&self) -> Guarantee {
        Guarantee::Convergence
    }

    fn check(&self, history: &History, index: &Index) -> Finding {
        let mut finding = Finding::new(self.guarantee(), "keys");
        let held = index.keys.iter().any(|key| !key.census.is_empty());
        for (id, key) in (0..).map(KeyId).zip(&index.keys) {
            if !is_complete(history, key) {
                if held {
                    finding.skip(INCOMPLETE);
                }
                continue;
            }
            finding.judged += 1;
            let value = |at: usize| &history.operations[key.census[at].operation].value;
            if (1..key.census.len()).all(|at| value(at) == value(0)) {
                continue;
            }
            let at = key
                .census
                .iter()
                .map(|read| read.call)
                .min()
                .unwrap_or(Nanos(0));
            finding.see(at, || Anomaly {
                guarantee: self.guarantee(),
                at,
                key: Some(history.key_name(id).to_owned()),
                witness: Witness::default()
                    .with_census(key.census.iter().map(|read| read.operation)),
                details: Vec::new(),
            });
        }
        finding
    }
}
