//! Phantoms: values that nobody wrote to the key, or that were read before their write began.
//!
//! A value whose write was refused is not a phantom: see `failed_write.rs`.

use crate::finding::{Checker, Finding};
use crate::guarantee::Guarantee;
use crate::history::index::Source;
use crate::history::{History, Index};
use crate::witness::{Anomaly, Part, Witness};

/// The judge of [`Guarantee::NoPhantoms`].
#[derive(Clone, Copy, Debug)]
pub struct Phantom;

impl Checker for Phantom {
    fn guarantee(&self) -> Guarantee {
        Guarantee::NoPhantoms
    }

    fn check(&self, history: &History, index: &Index) -> Finding {
        let mut finding = Finding::new(self.guarantee(), "reads");
        finding.skip_unmapped(index);
        for (key, at) in index.mapped() {
            for read in at.reads.iter().chain(&at.census) {
                finding.judged += 1;
                let write = match read.source() {
                    Source::Nobody => None,
                    Source::Future(write) => Some(at.writes[write].operation()),
                    _ => continue,
                };
                finding.see(read.call, || Anomaly {
                    guarantee: self.guarantee(),
                    at: read.call,
                    key: Some(history.key_name(key).to_owned()),
                    witness: Witness::default()
                        .with(Part::Reader, read.operation())
                        .with_some(Part::Newer, write),
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
        judged_and_seen(Guarantee::NoPhantoms, drawing)
    }

    #[test]
    fn a_value_that_nobody_wrote() {
        let drawing = "
            c1: |--w k 1--|
            c2:              |--r k 9--|
            n1:                           |c k 9|";
        assert_eq!(check(drawing), (2, 2));
    }

    #[test]
    fn a_value_of_another_key() {
        let drawing = "
            c1: |--w k 1--|
            c2:              |--r j 1--|";
        assert_eq!(check(drawing), (1, 1));
    }

    #[test]
    fn a_value_from_the_future() {
        let drawing = "
            c1:               |--w k 1--|
            c2: |--r k 1--|";
        assert_eq!(check(drawing), (1, 1));
    }

    #[test]
    fn a_read_that_ends_as_the_write_begins_is_concurrent() {
        let drawing = "
            c1:           |--w k 1--|
            c2: |--r k 1--|";
        assert_eq!(check(drawing), (1, 0));
    }

    #[test]
    fn writes_of_unknown_outcome_and_the_initial_value_are_no_phantoms() {
        let drawing = "
            c1: |--w k 1--?
            c2: |-r k nil-|    |--r k 1--|";
        assert_eq!(check(drawing), (2, 0));
    }

    #[test]
    fn a_key_with_repeated_values_is_skipped() {
        let drawing = "
            c1: |--w k 1--|   |--w k 1--|
            c2:                             |--r k 9--|";
        assert_eq!(check(drawing), (0, 0));
    }
}
