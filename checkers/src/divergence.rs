//! Divergence: replicas of one key that hold different values in the end.
//!
//! It compares values only. Replicas that hold the same value under different stamps agree for every reader, and
//! stamps are evidence, which never convicts.

use crate::census::is_complete;
use crate::finding::{Checker, Finding};
use crate::guarantee::Guarantee;
use crate::history::index::Read;
use crate::history::{History, Index, KeyId, Nanos};
use crate::missing::INCOMPLETE;
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
            let value = |at: usize| &history.operations[key.census[at].operation()].value;
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
                witness: Witness::default().with_census(key.census.iter().map(Read::operation)),
                details: Vec::new(),
                tale: None,
            });
        }
        finding
    }
}

#[cfg(test)]
mod tests {
    use crate::guarantee::Guarantee;
    use crate::testing::judged_and_seen;

    fn check(drawing: &str) -> (u64, u64) {
        judged_and_seen(Guarantee::Convergence, drawing)
    }

    #[test]
    fn replicas_that_differ() {
        let drawing = "
            c1: |--w k 1--|
            n1:              |c k 1|
            n2:              |c k nil|
            n3:              |c k 1|";
        assert_eq!(check(drawing), (1, 1));
    }

    #[test]
    fn a_replica_that_was_asked_again_counts_with_its_last_answer() {
        let drawing = "
            c1: |--w k 1--|
            n1:              |c k 1|
            n2:              |c k nil| |c k 1|
            n3:              |c k 1|";
        assert_eq!(check(drawing), (1, 0));
    }

    #[test]
    fn without_all_replicas_nothing_is_judged() {
        let drawing = "
            c1: |--w k 1--|
            n1:              |c k 1|
            n2:              |c k nil|";
        assert_eq!(check(drawing), (0, 0));
    }
}
