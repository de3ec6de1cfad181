//! Resurrected deletes: a value is read although the last word on it was a delete.
//!
//! These are the stale reads whose missed write is a delete, counted apart because their cause is usually apart too: a
//! tombstone that was dropped. The census of a key counts as one more read of it.

use crate::census::{Settled, settle};
use crate::finding::{Checker, Finding};
use crate::guarantee::Guarantee;
use crate::history::index::{KeyIndex, Read, Source, Write};
use crate::history::{History, Index, KeyId, Nanos};
use crate::witness::{Anomaly, Part, Witness};

/// The judge of [`Guarantee::NoResurrection`].
#[derive(Clone, Copy, Debug)]
pub struct ResurrectedDelete;

impl Checker for ResurrectedDelete {
    fn guarantee(&self) -> Guarantee {
        Guarantee::NoResurrection
    }

    fn check(&self, history: &History, index: &Index) -> Finding {
        let mut finding = Finding::new(self.guarantee(), "reads");
        finding.skip_unmapped(index);
        for (key, at) in index.mapped() {
            self.check_reads(history, key, at, &mut finding);
        }
        for settled in settle(history, index, &mut finding) {
            self.check_census(history, &settled, &mut finding);
        }
        finding
    }
}

impl ResurrectedDelete {
    fn check_reads(self, history: &History, key: KeyId, at: &KeyIndex, finding: &mut Finding) {
        // Without a delete there is nothing to bring back, and nothing to judge.
        if !at.has_delete() {
            return;
        }
        let mut returned = at.acked_by_end();
        let (mut last, mut deleted): (Option<&Write>, bool) = (None, false);
        for read in at.sound_reads() {
            while let Some(place) = returned.ended_before(read.call) {
                let write = &at.writes[place];
                deleted |= write.is_delete();
                last = last
                    .into_iter()
                    .chain([write])
                    .max_by_key(|write| lateness(write));
            }
            finding.judged += u64::from(deleted);
            let Some(delete) = last.filter(|write| brings_back(read, write)) else {
                continue;
            };
            finding.see(read.call, || Anomaly {
                guarantee: self.guarantee(),
                at: read.call,
                key: Some(history.key_name(key).to_owned()),
                witness: at
                    .trace(Witness::default(), read)
                    .with(Part::Newer, delete.operation())
                    .with(Part::Reader, read.operation()),
                details: Vec::new(),
                tale: None,
            });
        }
    }

    fn check_census(self, history: &History, settled: &Settled<'_>, finding: &mut Finding) {
        let at = settled.index;
        finding.judged += u64::from(at.acked_writes().any(Write::is_delete));
        let last = settled
            .gone
            .iter()
            .map(|&gone| &at.writes[gone as usize])
            .max_by_key(|w| lateness(w));
        // A gone delete leaves no replica that holds nothing, as it would explain that; so an older value survived.
        let Some(delete) = last.filter(|write| write.is_delete()) else {
            return;
        };
        finding.see(settled.call, || Anomaly {
            guarantee: self.guarantee(),
            at: settled.call,
            key: Some(history.key_name(settled.key).to_owned()),
            witness: settled
                .trace()
                .with(Part::Newer, delete.operation())
                .with_census(settled.answers()),
            details: Vec::new(),
            tale: None,
        });
    }
}

/// How late a write began; of a write and a delete that began together the write counts as the later one, so that
/// a tie accuses nobody.
fn lateness(write: &Write) -> (Nanos, bool) {
    (write.call, !write.is_delete())
}

fn brings_back(read: &Read, last: &Write) -> bool {
    let is_value = matches!(read.source(), Source::Written(_));
    is_value && last.is_delete() && read.in_effect() < Some(last.call)
}

#[cfg(test)]
mod tests {
    use crate::guarantee::Guarantee;
    use crate::testing::judged_and_seen;

    fn check(drawing: &str) -> (u64, u64) {
        judged_and_seen(Guarantee::NoResurrection, drawing)
    }

    #[test]
    fn a_deleted_value_is_read() {
        let drawing = "
            c1: |--w k 1--|   |--d k--|
            c2:                           |--r k 1--|";
        assert_eq!(check(drawing), (1, 1));
    }

    #[test]
    fn a_deleted_value_is_held_in_the_end() {
        let drawing = "
            c1: |--w k 1--|   |--d k--|
            n1:                           |c k 1|
            n2:                           |c k 1|
            n3:                           |c k 1|";
        assert_eq!(check(drawing), (1, 1));
    }

    #[test]
    fn a_later_write_makes_it_plain_stale() {
        let drawing = "
            c1: |--w k 1--|   |--d k--|   |--w k 2--|
            c2:                                         |--r k 1--|";
        assert_eq!(check(drawing), (1, 0));
    }

    #[test]
    fn a_concurrent_delete_may_lose() {
        let drawing = "
            c1: |--w k 1--|
            c2:           |--d k--|
            c3:                       |--r k 1--|";
        assert_eq!(check(drawing), (1, 0));
    }

    #[test]
    fn a_write_that_began_with_the_delete_counts_as_later() {
        let drawing = "
            c1: |--w k 1--|   |--d k--|
            c2:               |--w k 2--|
            c3:                              |--r k 1--|";
        assert_eq!(check(drawing), (1, 0));
    }
}
