//! What the replicas of a key hold in the end, against what was acknowledged and nothing replaced.
//!
//! A write that is gone was *forgotten* if some node that may forget was away meanwhile, or if nothing else is left; it was *beaten* if all that is
//! left had been there before it began, as only stamps could tell the store to do; and it was *dropped* for a write that did
//! not know it. Stores that keep siblings may forget, but neither beat nor drop. One anomaly per key for what is forgotten, one per write
//! for the others.

use crate::census::Coroner;
use crate::finding::{Checker, Finding};
use crate::guarantee::Guarantee;
use crate::history::{History, Index, Nanos};
use crate::missing::INCOMPLETE;
use crate::witness::{Amount, Anomaly, Measure, Part};

use super::cast::{Cast, Words};
use super::keys::{Key, Keys, Read};
use super::reads::cast_of_gone_delete;

/// The judge of one guarantee about the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending(pub(super) Guarantee);

/// Why an acknowledged write is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Forgotten,
    Beaten,
    /// For this survivor.
    Dropped(u32),
}

impl Checker for Ending {
    fn guarantee(&self) -> Guarantee {
        self.0
    }

    fn check(&self, history: &History, index: &Index) -> Finding {
        let mut finding = Finding::new(self.0, "acknowledged writes");
        let keys = Keys::get(history, index);
        keys.skip_unmapped(&mut finding);
        let coroner = Coroner::new(history, index);
        let held = keys.all.iter().any(|key| !key.census.is_empty());
        for (key, _) in keys.mapped() {
            if !key.is_complete {
                if held {
                    finding.skip(INCOMPLETE);
                }
                continue;
            }
            finding.judged += self.judged(key);
            let gone: Vec<u32> = key.gone().collect();
            let fates = gone.into_iter().map(|at| (at, fate(key, at, &coroner)));
            let mine: Vec<(u32, Fate)> = fates.filter(|&(_, fate)| self.counts(fate)).collect();
            if self.0 == Guarantee::NoLostWrites {
                let newest = mine.iter().max_by_key(|&&(at, _)| (key.write(at).call, at));
                if let Some(&(at, fate)) = newest {
                    let count =
                        Measure::new("lost writes of the key", Amount::Count(mine.len() as u64));
                    let when = key.census_call();
                    finding.see(when, || {
                        self.tell(history, key, at, fate, when, vec![count])
                    });
                }
                continue;
            }
            for (at, fate) in mine {
                let when = key.write(at).call;
                finding.see(when, || self.tell(history, key, at, fate, when, Vec::new()));
            }
        }
        finding
    }
}

impl Ending {
    fn counts(self, fate: Fate) -> bool {
        match self.0 {
            Guarantee::NoLostWrites => fate == Fate::Forgotten,
            Guarantee::NoClockLoss => fate == Fate::Beaten,
            _ => matches!(fate, Fate::Dropped(_)),
        }
    }

    fn judged(self, key: &Key) -> u64 {
        let acked = || key.writes.iter().filter(|write| write.is_acked());
        let count = match self.0 {
            Guarantee::NoLostWrites => acked().count(),
            Guarantee::NoClockLoss => {
                let first = key.first_ack.unwrap_or(Nanos::NEVER);
                acked().filter(|write| write.call > first).count()
            }
            _ => acked().filter(|write| !write.is_delete).count(),
        };
        count as u64
    }

    fn tell(
        self,
        history: &History,
        key: &Key,
        gone: u32,
        fate: Fate,
        at: Nanos,
        details: Vec<Measure>,
    ) -> Anomaly {
        if key.write(gone).is_delete {
            let cast = cast_of_gone_delete(history, key, gone);
            let mut then = cast.burials(gone);
            then.extend(excuse(fate));
            let however = format!(
                "However, in the census every replica holds some of that: {} is gone.",
                cast.of(gone)
            );
            return cast.anomaly(self.0, at, details, Words { then, however });
        }
        let cast = match fate {
            Fate::Dropped(survivor) => Cast::new(history, key).write(Part::Older, survivor),
            Fate::Forgotten => Cast::new(history, key),
            Fate::Beaten => survivors(key).fold(Cast::new(history, key), |cast, survivor| {
                let is_late = key.write(survivor).ret >= key.write(gone).call;
                let shown = key.first_shown(survivor).filter(|_| is_late);
                let cast = cast.write(Part::Older, survivor);
                match shown {
                    Some(read) => cast.with(Part::OlderShown, read.operation),
                    None => cast,
                }
            }),
        };
        let cast = cast.write(Part::Newer, gone).census();
        let (a, value) = (cast.of(gone), cast.written(gone));
        let mut then = vec![format!(
            "{a} was acknowledged, nobody deleted {value}, and the writers of what is held had not read it."
        )];
        then.extend(excuse(fate));
        if let Fate::Dropped(survivor) = fate {
            then.push(format!(
                "{} is held, and did not know {value}: the two are siblings, and both had to stay.",
                cast.of(survivor)
            ));
        }
        let however = format!("However, in the census no replica holds {value}: {a} is gone.");
        cast.anomaly(self.0, at, details, Words { then, however })
    }
}

/// What a fate follows from.
fn excuse(fate: Fate) -> Option<String> {
    (fate == Fate::Beaten).then(|| {
        "No node that may forget was away since, and all that is held had been there before it began.".to_owned()
    })
}

/// What the replicas hold.
fn survivors(key: &Key) -> impl Iterator<Item = u32> {
    let mut held: Vec<u32> = key.census.iter().flat_map(Read::writes).collect();
    held.sort_unstable();
    held.dedup();
    held.into_iter()
}

fn fate(key: &Key, gone: u32, coroner: &Coroner) -> Fate {
    let write = key.write(gone);
    if coroner.may_be_forgotten(write.call, key.census_ret()) || survivors(key).next().is_none() {
        return Fate::Forgotten;
    }
    // What a delete replaced is older, whatever else is held.
    let rival = survivors(key).find(|&other| key.in_effect(other) >= write.call);
    match rival {
        Some(survivor) if !write.is_delete => Fate::Dropped(survivor),
        _ => Fate::Beaten,
    }
}
