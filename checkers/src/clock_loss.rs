//! Clock loss: acknowledged writes that were beaten by a write that had finished before they began.
//!
//! Last-write-wins compares stamps, so a slow clock lets the later write lose. Every beaten write counts. Writes that
//! their replicas forgot are not beaten but lost: see `lost_write.rs`.

use crate::census::{Coroner, Fate, Settled, settle};
use crate::finding::{Checker, Finding};
use crate::guarantee::Guarantee;
use crate::history::index::Write;
use crate::history::{History, Index, Nanos};
use crate::witness::{Anomaly, Part};

/// The judge of [`Guarantee::NoClockLoss`].
#[derive(Clone, Copy, Debug)]
pub struct ClockLoss;

impl Checker for ClockLoss {
    fn guarantee(&self) -> Guarantee {
        Guarantee::NoClockLoss
    }

    fn check(&self, history: &History, index: &Index) -> Finding {
        let mut finding = Finding::new(self.guarantee(), "acknowledged writes");
        finding.skip_unmapped(index);
        let coroner = Coroner::new(history, index);
        for settled in settle(history, index, &mut finding) {
            let at = settled.index;
            finding.judged += successors(&settled);
            for beaten in settled.gone.iter().map(|&gone| &at.writes[gone as usize]) {
                if coroner.fate(&settled, beaten) == Fate::Lost {
                    continue;
                }
                finding.see(beaten.call, || Anomaly {
                    guarantee: self.guarantee(),
                    at: beaten.call,
                    key: Some(history.key_name(settled.key).to_owned()),
                    witness: settled
                        .trace()
                        .with(Part::Newer, beaten.operation())
                        .with_census(settled.answers()),
                    details: Vec::new(),
                    tale: None,
                });
            }
        }
        finding
    }
}

/// Acknowledged writes that began after another one of their key had finished: those that an older one could beat.
fn successors(settled: &Settled<'_>) -> u64 {
    let first_end = settled.index.acked_writes().map(|write| write.ret).min();
    let after = |write: &&Write| write.call > first_end.unwrap_or(Nanos::NEVER);
    settled.index.acked_writes().filter(after).count() as u64
}

#[cfg(test)]
mod tests {
    use crate::guarantee::Guarantee;
    use crate::testing::judged_and_seen;

    fn check(drawing: &str) -> (u64, u64) {
        judged_and_seen(Guarantee::NoClockLoss, drawing)
    }

    #[test]
    fn an_older_write_outlives_two_newer_ones() {
        let drawing = "
            c1: |--w k 1--|   |--w k 2--|   |--w k 3--|
            n1:                                           |c k 1|
            n2:                                           |c k 1|
            n3:                                           |c k 1|";
        assert_eq!(check(drawing), (2, 2));
    }

    #[test]
    fn writes_that_touch_are_concurrent() {
        let drawing = "
            c1: |--w k 1--|
            c2:           |--w k 2--|
            n1:                         |c k 1|
            n2:                         |c k 1|
            n3:                         |c k 1|";
        assert_eq!(check(drawing), (0, 0));
    }

    #[test]
    fn nothing_beats_a_write_only_if_a_delete_may_have() {
        let drawing = "
            c1: |--w k 1--|
            n1:                         |c k nil|
            n2:                         |c k nil|
            n3:                         |c k nil|";
        assert_eq!(check(drawing), (0, 0));
        let drawing = "
            c1: |--d k--|   |--w k 1--|
            n1:                         |c k nil|
            n2:                         |c k nil|
            n3:                         |c k nil|";
        assert_eq!(check(drawing), (1, 1));
    }

    #[test]
    fn with_skewed_clocks_even_a_killed_node_is_no_excuse() {
        let drawing = "
            fault clock n1 -500: |--
            fault kill n1:                     |---|
            c1: |--w k 1--|   |--w k 2--|
            n1:                                    |c k 1|
            n2:                                    |c k 1|
            n3:                                    |c k 1|";
        assert_eq!(check(drawing), (1, 1));
    }
}
