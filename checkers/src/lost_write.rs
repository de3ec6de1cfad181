//! Lost writes: acknowledged writes that are on no replica, and nothing that may have replaced them is either.
//!
//! One anomaly per key, with the gone write that began last: it, or something that replaced it, had to be there. Writes
//! that an older one beat by its stamp are not lost but beaten: see `clock_loss.rs`.

use crate::census::{Coroner, Fate, settle};
use crate::finding::{Checker, Finding};
use crate::guarantee::Guarantee;
use crate::history::{History, Index};
use crate::witness::{Amount, Anomaly, Measure, Part};

/// The judge of [`Guarantee::NoLostWrites`].
#[derive(Clone, Copy, Debug)]
pub struct LostWrite;

impl Checker for LostWrite {
    fn guarantee(&self) -> Guarantee {
        Guarantee::NoLostWrites
    }

    fn check(&self, history: &History, index: &Index) -> Finding {
        let mut finding = Finding::new(self.guarantee(), "acknowledged writes");
        finding.skip_unmapped(index);
        let coroner = Coroner::new(history, index);
        for settled in settle(history, index, &mut finding) {
            let at = settled.index;
            finding.judged += at.acked.len() as u64;
            let gone = settled.gone.iter().map(|&gone| &at.writes[gone as usize]);
            let lost = gone.filter(|gone| coroner.fate(&settled, gone) == Fate::Lost);
            let (count, newest) = lost.fold((0, None), |(count, _), lost| (count + 1, Some(lost)));
            let Some(newest) = newest else { continue };
            finding.see(settled.call, || Anomaly {
                guarantee: self.guarantee(),
                at: settled.call,
                key: Some(history.key_name(settled.key).to_owned()),
                witness: settled
                    .trace()
                    .with(Part::Newer, newest.operation())
                    .with_some(Part::NewerShown, settled.shown(newest))
                    .with_census(settled.answers()),
                details: vec![Measure::new("lost writes of the key", Amount::Count(count))],
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
        judged_and_seen(Guarantee::NoLostWrites, drawing)
    }

    #[test]
    fn an_acknowledged_write_that_no_replica_holds() {
        let drawing = "
            c1: |--w k 1--|
            n1:              |c k nil|
            n2:              |c k nil|
            n3:              |c k nil|";
        assert_eq!(check(drawing), (1, 1));
    }

    #[test]
    fn one_replica_is_enough() {
        let drawing = "
            c1: |--w k 1--|
            n1:              |c k nil|
            n2:              |c k nil|
            n3:              |c k 1|";
        assert_eq!(check(drawing), (1, 0));
    }

    #[test]
    fn a_replica_that_did_not_answer_may_hold_it() {
        let drawing = "
            c1: |--w k 1--|
            n1:              |c k nil|
            n2:              |c k nil|";
        assert_eq!(check(drawing), (0, 0));
    }

    #[test]
    fn writes_that_were_replaced_need_not_survive() {
        let drawing = "
            c1: |--w k 1--|   |--w k 2--|   |--d k--|
            n1:                                        |c k nil|
            n2:                                        |c k nil|
            n3:                                        |c k nil|";
        assert_eq!(check(drawing), (3, 0));
    }

    #[test]
    fn an_older_value_where_a_node_was_killed_is_a_loss() {
        let drawing = "
            c1: |--w k 1--|   |--w k 2--|
            fault kill n1:                 |---|
            n1:                                    |c k 1|
            n2:                                    |c k 1|
            n3:                                    |c k 1|";
        assert_eq!(check(drawing), (2, 1));
        let without_kill = drawing.replace("fault kill n1:", "fault slow n1:");
        assert_eq!(check(&without_kill), (2, 0));
    }

    #[test]
    fn a_kill_counts_from_the_moment_the_write_begins_to_the_end_of_the_census() {
        let history = |kill: &str| {
            let drawing = "
            c1:            |--w k 1--|   |--w k 2--|
            n1:                                        |c k 1|
            n2:                                        |c k 1|
            n3:                                        |c k 1|";
            format!("{drawing}\n            {kill}")
        };
        let healed_as_it_begins = "fault kill n1: |-------------|";
        let injected_as_it_ends = "fault kill n1:                                   |";
        assert_eq!(check(&history(healed_as_it_begins)), (2, 1));
        assert_eq!(check(&history(injected_as_it_ends)), (2, 1));
        let healed_before = "fault kill n1: |------------|";
        let injected_after = "fault kill n1:                                    |";
        assert_eq!(check(&history(healed_before)), (2, 0));
        assert_eq!(check(&history(injected_after)), (2, 0));
    }

    #[test]
    fn a_gone_delete_may_be_what_a_read_of_nothing_saw_if_that_ended_no_sooner_than_it_began() {
        let seen = "
            c1: |--w k 1--|   |--d k--|
            c2: |---r k nil---|
            n1:                           |c k 1|
            n2:                           |c k 1|
            n3:                           |c k 1|";
        assert_eq!(check(seen), (2, 1));
        let too_soon = seen.replace("nil---|", "nil--|");
        assert_eq!(check(&too_soon), (2, 0));
    }

    #[test]
    fn an_older_value_although_the_newer_was_read_is_a_loss() {
        let drawing = "
            c1: |--w k 1--|   |--w k 2--|   |-r k 2-|
            n1:                                        |c k 1|
            n2:                                        |c k 1|
            n3:                                        |c k 1|";
        assert_eq!(check(drawing), (2, 1));
    }

    #[test]
    fn one_per_key() {
        let drawing = "
            c1: |--w k 1--|   |--w k 2--|   |--w k 3--|
            n1:                                           |c k nil|
            n2:                                           |c k nil|
            n3:                                           |c k nil|";
        assert_eq!(check(drawing), (3, 1));
    }
}
