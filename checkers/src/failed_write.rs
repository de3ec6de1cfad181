//! Failed writes that are visible: values whose write was refused.
//!
//! A write of unknown outcome (`info`) may become visible at any time; that is no violation.

use crate::finding::{Checker, Finding};
use crate::guarantee::Guarantee;
use crate::history::index::Source;
use crate::history::{History, Index};
use crate::witness::{Anomaly, Part, Witness};

/// The judge of [`Guarantee::NoFailedWrites`].
#[derive(Clone, Copy, Debug)]
pub struct FailedWrite;

impl Checker for FailedWrite {
    fn guarantee(&self) -> Guarantee {
        Guarantee::NoFailedWrites
    }

    fn check(&self, history: &History, index: &Index) -> Finding {
        let mut finding = Finding::new(self.guarantee(), "reads");
        finding.skip_unmapped(index);
        for (key, at) in index.mapped() {
            for read in at.reads.iter().chain(&at.census) {
                finding.judged += 1;
                let Source::Refused(write) = read.source() else {
                    continue;
                };
                finding.see(read.call, || Anomaly {
                    guarantee: self.guarantee(),
                    at: read.call,
                    key: Some(history.key_name(key).to_owned()),
                    witness: Witness::default()
                        .with(Part::Refused, at.writes[write].operation())
                        .with(Part::Reader, read.operation()),
                    details: Vec::new(),
                    tale: None,
                });
            }
        }
        finding
    }
}

#[cfg(test)]
mod tests {
    use crate::guarantee::Guarantee;
    use crate::testing::judged_and_seen;

    fn check(drawing: &str) -> (u64, u64) {
        judged_and_seen(Guarantee::NoFailedWrites, drawing)
    }

    #[test]
    fn a_refused_write_that_is_read() {
        let drawing = "
            c1: |--w k 1--!
            c2:              |--r k 1--|
            n1:                            |c k 1|";
        assert_eq!(check(drawing), (2, 2));
    }

    #[test]
    fn a_write_of_unknown_outcome_may_be_read() {
        let drawing = "
            c1: |--w k 1--?
            c2:              |--r k 1--|";
        assert_eq!(check(drawing), (1, 0));
    }
}
