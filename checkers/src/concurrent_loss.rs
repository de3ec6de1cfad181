//! Concurrent loss: acknowledged writes that nothing later replaced, and yet only a concurrent one survived.
//!
//! Legal for a register and the price of last-write-wins: counted, never an accusation. Writes for which the survivors
//! are too old are lost or beaten, and counted there.

use crate::census::{Settled, settle};
use crate::finding::{Checker, Finding};
use crate::guarantee::Guarantee;
use crate::history::index::{Source, Write};
use crate::history::{History, Index, Nanos, Status};
use crate::witness::{Anomaly, Part};

/// The judge of [`Guarantee::NoConcurrentLoss`].
#[derive(Clone, Copy, Debug)]
pub struct ConcurrentLoss;

impl Checker for ConcurrentLoss {
    fn guarantee(&self) -> Guarantee {
        Guarantee::NoConcurrentLoss
    }

    fn check(&self, history: &History, index: &Index) -> Finding {
        let mut finding = Finding::new(self.guarantee(), "last acknowledged writes");
        finding.skip_unmapped(index);
        for settled in settle(history, index, &mut finding) {
            // What a census with unexplained values leaves room for is anybody's guess.
            if !settled.is_sound() {
                continue;
            }
            for (place, write) in unreplaced(&settled) {
                finding.judged += 1;
                if survives(&settled, place, write) || Some(write.call) > settled.in_effect {
                    continue;
                }
                finding.see(write.call, || Anomaly {
                    guarantee: self.guarantee(),
                    at: write.call,
                    key: Some(history.key_name(settled.key).to_owned()),
                    witness: settled
                        .trace()
                        .with(Part::Newer, write.operation())
                        .with_census(settled.answers()),
                    details: Vec::new(),
                    tale: None,
                });
            }
        }
        finding
    }
}

/// Acknowledged writes after which no other write of the key began that may have happened. One of unknown outcome may have replaced
/// them like any other, and then they were not dropped.
fn unreplaced<'a>(settled: &Settled<'a>) -> impl Iterator<Item = (usize, &'a Write)> {
    let index = settled.index;
    let may_have_happened = |write: &&Write| write.status != Status::Fail;
    let last_call = index
        .writes
        .iter()
        .filter(may_have_happened)
        .map(|write| write.call)
        .max()
        .unwrap_or(Nanos(0));
    let places = index
        .acked
        .iter()
        .map(|&at| (at as usize, &index.writes[at as usize]));
    places.filter(move |(_, write)| write.ret >= last_call)
}

/// Whether a write is among the survivors. Where nothing is, any delete may be.
fn survives(settled: &Settled<'_>, place: usize, write: &Write) -> bool {
    if write.is_delete() {
        return settled.holds_nothing();
    }
    settled
        .index
        .census
        .iter()
        .any(|read| read.source() == Source::Written(place))
}

#[cfg(test)]
mod tests {
    use crate::guarantee::Guarantee;
    use crate::testing::judged_and_seen;

    fn check(drawing: &str) -> (u64, u64) {
        judged_and_seen(Guarantee::NoConcurrentLoss, drawing)
    }

    #[test]
    fn one_of_two_concurrent_writes_survives() {
        let drawing = "
            c1: |--w k 1--|
            c2:       |--w k 2--|
            n1:                     |c k 1|
            n2:                     |c k 1|
            n3:                     |c k 1|";
        assert_eq!(check(drawing), (2, 1));
    }

    #[test]
    fn a_write_that_was_replaced_is_no_loss() {
        let drawing = "
            c1: |--w k 1--|
            c2:              |--w k 2--|
            n1:                            |c k 2|
            n2:                            |c k 2|
            n3:                            |c k 2|";
        assert_eq!(check(drawing), (1, 0));
    }

    #[test]
    fn a_write_that_an_older_one_outlived_is_counted_elsewhere() {
        let drawing = "
            c1: |--w k 1--|
            c2:              |--w k 2--|
            n1:                            |c k 1|
            n2:                            |c k 1|
            n3:                            |c k 1|";
        assert_eq!(check(drawing), (1, 0));
    }

    #[test]
    fn a_write_of_unknown_outcome_that_began_later_replaced_it() {
        let drawing = "
            c1: |--w k 1--|   |--w k 2--?
            n1:                           |c k 2|
            n2:                           |c k 2|
            n3:                           |c k 2|";
        assert_eq!(check(drawing), (0, 0));
        let overlapping = "
            c1: |--w k 1--|
            c2:   |--w k 2--?
            n1:                           |c k 2|
            n2:                           |c k 2|
            n3:                           |c k 2|";
        assert_eq!(check(overlapping), (1, 1));
    }
}
