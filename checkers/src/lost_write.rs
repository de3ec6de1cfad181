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
            let gone = settled.gone.iter().map(|&gone| &at.writes[gone]);
            let lost = gone.filter(|gone| coroner.fate(&settled, gone) == Fate::Lost);
            let (count, newest) = lost.fold((0, None), |(count, _), lost| (count + 1, Some(lost)));
            let Some(newest) = newest else { continue };
            finding.see(settled.call, || Anomaly {
                guarantee: self.guarantee(),
                at: settled.call,
                key: Some(history.key_name(settled.key).to_owned()),
                witness: settled
                    .trace()
                    .with(Part::Newer, newest.operation)
                    .with_some(Part::NewerShown, settled.shown(newest))
                    .with_census(settled.answers()),
                details: vec![Measure::new("lost writes of the key", Amount::Count(count))],
            });
        }
        finding
    }
}
