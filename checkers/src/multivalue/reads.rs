//! Reads of siblings: stale ones, inverted ones, what sessions miss, and what comes back after it was deleted.
//!
//! What a read misses, and what it returns although it was replaced, is found in `sweep.rs`; here it is counted, promise by promise.

use std::collections::BTreeMap;

use crate::finding::{Checker, Finding};
use crate::guarantee::Guarantee;
use crate::history::{History, Index};
use crate::missing::INCOMPLETE;
use crate::statistics::{Distribution, Rate};
use crate::witness::{Amount, Anomaly, Measure, Part};

use super::cast::{Cast, Words};
use super::keys::{Key, Keys, Read, Write};
use super::sweep::{Sweep, Wrong};

/// The judge of one guarantee about reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reads(pub(super) Guarantee);

/// What convicts a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Charge {
    /// It misses an acknowledged write.
    Missed(u32),
    /// It returns a value that an acknowledged delete had replaced.
    Back { value: u32, delete: u32 },
    /// It misses a write that a read before it had shown.
    Forgot { write: u32, shown: u32 },
    /// It returns a value that a read had shown, and a later one had not.
    Flipped { write: u32, shown: u32, hidden: u32 },
}

impl Checker for Reads {
    fn guarantee(&self) -> Guarantee {
        self.0
    }

    fn check(&self, history: &History, index: &Index) -> Finding {
        let mut finding = Finding::new(self.0, "reads");
        let keys = Keys::get(history, index);
        keys.skip_unmapped(&mut finding);
        let (mut behind, mut versions) = (Distribution::default(), Distribution::default());
        let is_of_sessions = matches!(
            self.0,
            Guarantee::ReadYourWrites | Guarantee::MonotonicReads
        );
        let mapped: Vec<(&Key, &Sweep)> = if is_of_sessions {
            keys.mapped_for_sessions().collect()
        } else {
            keys.mapped().collect()
        };
        for (key, sweep) in mapped {
            for (place, read) in key.reads.iter().enumerate() {
                if !read.is_sound() {
                    continue;
                }
                finding.judged += u64::from(self.is_judged(key, read));
                let Some(wrong) = sweep.wrong.get(place) else {
                    continue;
                };
                let Some(charge) = self.charge(key, place, wrong) else {
                    continue;
                };
                if let (Guarantee::FreshReads, Charge::Missed(write)) = (self.0, charge) {
                    behind.add(read.call.since(key.write(write).ret).0);
                    versions.add(wrong.missed_count);
                }
                finding.see(read.call, || self.tell(history, key, read, charge, wrong));
            }
        }
        match self.0 {
            Guarantee::FreshReads => staleness(&mut finding, &versions, &behind),
            Guarantee::NoResurrection => self.census(history, keys, &mut finding),
            _ => {}
        }
        finding
    }
}

/// How stale the stale reads were.
fn staleness(finding: &mut Finding, versions: &Distribution, times: &Distribution) {
    let worst = |all: &Distribution| all.quantiles().map_or(0, |quantiles| quantiles.max);
    finding.measure("worst siblings missed", Amount::Count(worst(versions)));
    finding.measure("worst time behind", Amount::Ns(worst(times)));
    if finding.judged > 0 {
        let rate = Rate::new(finding.seen, finding.judged);
        finding.measure("stale reads", Amount::Rate(rate));
    }
}

impl Reads {
    /// Whether something happened before a read that it might get wrong.
    fn is_judged(self, key: &Key, read: &Read) -> bool {
        // A session does one thing after the other, whatever the clock says.
        let is_own = |first: &BTreeMap<u64, usize>| {
            first
                .get(&read.process)
                .is_some_and(|&at| at < read.operation)
        };
        match self.0 {
            Guarantee::FreshReads => key.first_ack.is_some_and(|ret| ret < read.call),
            Guarantee::NoInversion => key.first_read.is_some_and(|ret| ret < read.call),
            Guarantee::ReadYourWrites => is_own(&key.own_ack),
            Guarantee::MonotonicReads => is_own(&key.own_read),
            _ => key.first_burial.is_some_and(|ret| ret < read.call),
        }
    }

    fn charge(self, key: &Key, place: usize, wrong: &Wrong) -> Option<Charge> {
        let read = &key.reads[place];
        let back = wrong
            .back
            .map(|(value, delete)| Charge::Back { value, delete });
        match self.0 {
            Guarantee::FreshReads => wrong.missed.map(Charge::Missed).or(back),
            Guarantee::NoResurrection => back,
            Guarantee::NoInversion => {
                let forgot = wrong
                    .forgot
                    .map(|(write, shown)| Charge::Forgot { write, shown });
                forgot.or(wrong.flipped.map(|(write, shown, hidden)| Charge::Flipped {
                    write,
                    shown,
                    hidden,
                }))
            }
            // Whoever misses an own write misses an acknowledged one, so no other reads need a closer look.
            Guarantee::ReadYourWrites if wrong.missed.is_some() || back.is_some() => {
                own_write(key, read)
            }
            Guarantee::MonotonicReads if wrong.forgot.is_some() || wrong.flipped.is_some() => {
                own_read(key, read)
            }
            _ => None,
        }
    }

    fn tell(
        self,
        history: &History,
        key: &Key,
        read: &Read,
        charge: Charge,
        wrong: &Wrong,
    ) -> Anomaly {
        let op = |at: u32| key.reads[at as usize].operation;
        let cast = Cast::new(history, key).with(Part::Reader, read.operation);
        let mut details = Vec::new();
        let own = match self.0 {
            Guarantee::ReadYourWrites | Guarantee::MonotonicReads => " of the same session",
            _ => "",
        };
        let (cast, words) = match charge {
            Charge::Missed(write) => {
                let cast = cast.write(Part::Newer, write);
                if self.0 == Guarantee::FreshReads {
                    let behind = read.call.since(key.write(write).ret);
                    details.push(Measure::new(
                        "siblings missed",
                        Amount::Count(wrong.missed_count),
                    ));
                    details.push(Measure::new("behind", Amount::Ns(behind.0)));
                }
                let then = format!(
                    "{}{own} was acknowledged before {} began.",
                    cast.of(write),
                    cast.letter(read.operation)
                );
                let words = cast.missing(then, write, read);
                (cast, words)
            }
            Charge::Back { value, delete } => {
                let cast = cast
                    .write(Part::Older, value)
                    .way(delete, value)
                    .write(Part::Newer, delete);
                let words = cast.back(value, delete, read);
                (cast, words)
            }
            Charge::Forgot { write, shown } => {
                let cast = cast
                    .write(Part::Newer, write)
                    .with(Part::NewerShown, op(shown));
                let then = format!(
                    "{}{own} had returned {} before {} began.",
                    cast.letter(op(shown)),
                    cast.written(write),
                    cast.letter(read.operation)
                );
                let words = cast.missing(then, write, read);
                (cast, words)
            }
            Charge::Flipped {
                write,
                shown,
                hidden,
            } => {
                let cast = cast
                    .write(Part::Older, write)
                    .with(Part::OlderShown, op(shown))
                    .with(Part::NewerShown, op(hidden));
                let words = cast.flipped(write, op(shown), op(hidden), read);
                (cast, words)
            }
        };
        cast.anomaly(self.0, read.call, details, words)
    }

    /// The census of a key counts as one more read of it: what an acknowledged delete replaced is held by all replicas.
    fn census(self, history: &History, keys: &Keys, finding: &mut Finding) {
        let held = keys.all.iter().any(|key| !key.census.is_empty());
        for (key, _) in keys.mapped() {
            if !key.is_complete {
                if held {
                    finding.skip(INCOMPLETE);
                }
                continue;
            }
            finding.judged += u64::from(key.writes.iter().any(Write::is_burial));
            let gone = key.gone().filter(|&at| key.write(at).is_delete);
            let Some(delete) = gone.max_by_key(|&at| (key.write(at).call, at)) else {
                continue;
            };
            let at = key.census_call();
            finding.see(at, || {
                let cast = cast_of_gone_delete(history, key, delete);
                let words = Words {
                    then: cast.burials(delete),
                    however: format!(
                        "However, in the census every replica holds some of that: {}'s work is undone.",
                        cast.of(delete)
                    ),
                };
                cast.anomaly(self.0, at, Vec::new(), words)
            });
        }
    }
}

/// The delete, what it replaced and is held nevertheless, and the census.
pub(super) fn cast_of_gone_delete<'a>(history: &'a History, key: &'a Key, delete: u32) -> Cast<'a> {
    let held = key.census.iter();
    let back: Vec<u32> = held
        .filter_map(|read| key.brought_back(delete, read))
        .collect();
    let cast = back.iter().fold(Cast::new(history, key), |cast, &value| {
        cast.write(Part::Older, value).way(delete, value)
    });
    cast.write(Part::Newer, delete).census()
}

/// An own write that a read misses.
fn own_write(key: &Key, read: &Read) -> Option<Charge> {
    let writes = (0_u32..).zip(&key.writes);
    let own = writes.filter(|(_, write)| {
        write.process == read.process && write.is_acked() && write.operation < read.operation
    });
    let own: Vec<(u32, &Write)> = own.collect();
    own.into_iter().rev().find_map(|(at, write)| {
        if write.is_delete {
            let value = key.brought_back(at, read)?;
            return Some(Charge::Back { value, delete: at });
        }
        (!key.explains(read, at)).then_some(Charge::Missed(at))
    })
}

/// What an own read had shown and this one misses, or hidden and this one shows again.
fn own_read(key: &Key, read: &Read) -> Option<Charge> {
    let own = (0..).zip(&key.reads).filter(|(_, other)| {
        let is_own = other.process == read.process && other.operation < read.operation;
        is_own && other.is_sound()
    });
    let own: Vec<(u32, &Read)> = own.collect();
    for &(shown, other) in own.iter().rev() {
        for write in other.writes() {
            if !key.explains(read, write) {
                return Some(Charge::Forgot { write, shown });
            }
        }
    }
    for write in read.writes() {
        let mut later = own.iter().skip_while(|(_, other)| !other.shows(write));
        let shown = later.next();
        let hidden = later.find(|(_, other)| !other.shows(write));
        if let (Some(&(shown, _)), Some(&(hidden, _))) = (shown, hidden) {
            return Some(Charge::Flipped {
                write,
                shown,
                hidden,
            });
        }
    }
    None
}

impl Cast<'_> {
    /// A read that misses a write.
    fn missing(&self, then: String, write: u32, read: &Read) -> Words {
        let (r, value) = (self.letter(read.operation), self.written(write));
        Words {
            then: vec![
                then,
                format!("So {r} had to return {value}, or something whose writer had read it."),
            ],
            however: format!(
                "However, {r} returned {}: neither is there.",
                self.value(read.operation)
            ),
        }
    }

    fn back(&self, value: u32, delete: u32, read: &Read) -> Words {
        let r = self.letter(read.operation);
        Words {
            then: vec![
                self.replaced(delete, value),
                format!("{} was acknowledged before {r} began.", self.of(delete)),
            ],
            however: format!(
                "However, {r} returned {}: {} is back.",
                self.value(read.operation),
                self.written(value)
            ),
        }
    }

    fn flipped(&self, write: u32, shown: usize, hidden: usize, read: &Read) -> Words {
        let (value, r) = (self.written(write), self.letter(read.operation));
        Words {
            then: vec![
                format!(
                    "{} had returned {value} before {} began, and that did not: so it was replaced.",
                    self.letter(shown),
                    self.letter(hidden)
                ),
                format!("{} had ended before {r} began.", self.letter(hidden)),
            ],
            however: format!(
                "However, {r} returned {}: it went back in time.",
                self.value(read.operation)
            ),
        }
    }

    /// Says what a delete replaced, value by value, of what the census holds.
    pub(super) fn burials(&self, delete: u32) -> Vec<String> {
        let values = self.older();
        let each = values.into_iter().map(|value| self.replaced(delete, value));
        each.chain([format!("{} was acknowledged.", self.of(delete))])
            .collect()
    }
}
