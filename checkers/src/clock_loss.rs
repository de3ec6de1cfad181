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
            for beaten in settled.gone.iter().map(|&gone| &at.writes[gone]) {
                if coroner.fate(&settled, beaten) == Fate::Lost {
                    continue;
                }
                finding.see(beaten.call, || Anomaly {
                    guarantee: self.guarantee(),
                    at: beaten.call,
                    key: Some(history.key_name(settled.key).to_owned()),
                    witness: settled
                        .trace()
                        .with(Part::Newer, beaten.operation)
                        .with_census(settled.answers()),
                    details: Vec::new(),
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
