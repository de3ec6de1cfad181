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
                let write = match read.source {
                    Source::Nobody => None,
                    Source::Future(write) => Some(at.writes[write].operation),
                    _ => continue,
                };
                finding.see(read.call, || Anomaly {
                    guarantee: self.guarantee(),
                    at: read.call,
                    key: Some(history.key_name(key).to_owned()),
                    witness: Witness::default()
                        .with(Part::Reader, read.operation)
                        .with_some(Part::Newer, write),
                    details: Vec::new(),
                });
            }
        }
        finding
    }
}
