//! Values that cannot be where they were read: from nobody, from a write that was refused, or beside what replaced them.
//!
//! These look at one read or one answer of the census at a time. A value that was written twice is no hindrance to the first two: the write
//! that explains it best counts.

use std::collections::BTreeSet;

use crate::finding::{Checker, Finding};
use crate::guarantee::Guarantee;
use crate::history::{History, Index};
use crate::statistics::Rate;
use crate::witness::{Amount, Anomaly, Part};

use super::cast::{Cast, Words};
use super::keys::{Found, Key, Keys, Read};

/// The judge of one guarantee about values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values(pub(super) Guarantee);

/// What is wrong with a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Charge {
    Found(Found),
    /// One value twice.
    Twice(u32),
    /// A value beside what replaced it.
    Beside {
        older: u32,
        newer: u32,
    },
}

impl Checker for Values {
    fn guarantee(&self) -> Guarantee {
        self.0
    }

    fn check(&self, history: &History, index: &Index) -> Finding {
        let mut finding = Finding::new(self.0, "reads");
        let keys = Keys::get(history, index);
        let is_about_siblings = self.0 == Guarantee::NoSiblingExplosion;
        let mut crowd = Crowd::default();
        for key in &keys.all {
            let hindrance = if is_about_siblings {
                key.unmapped()
            } else {
                key.unreadable
            };
            if let Some(why) = hindrance {
                finding.skip(why);
                continue;
            }
            crowd.add_writes(key);
            for read in key.reads.iter().chain(&key.census) {
                crowd.add_read(read);
                finding.judged += u64::from(!is_about_siblings || tells_of_contexts(key, read));
                if let Some(charge) = self.charge(key, read) {
                    finding.see(read.call, || self.tell(history, key, read, charge));
                }
            }
        }
        if is_about_siblings {
            crowd.measure(&mut finding);
        }
        finding
    }
}

/// How many siblings there are, and why.
#[derive(Default)]
struct Crowd {
    most: u64,
    crowded: u64,
    reads: u64,
    blind: u64,
    writes: u64,
}

impl Crowd {
    fn add_writes(&mut self, key: &Key) {
        let writes = key.writes.iter().filter(|write| write.may_be());
        for write in writes {
            self.writes += 1;
            self.blind += u64::from(write.is_blind);
        }
    }

    fn add_read(&mut self, read: &Read) {
        self.reads += 1;
        self.most = self.most.max(read.found.len() as u64);
        self.crowded += u64::from(read.found.len() > 1);
    }

    fn measure(self, finding: &mut Finding) {
        finding.measure("most siblings", Amount::Count(self.most));
        if self.reads > 0 {
            let rate = Rate::new(self.crowded, self.reads);
            finding.measure("reads with siblings", Amount::Rate(rate));
        }
        if self.writes > 0 {
            let rate = Rate::new(self.blind, self.writes);
            finding.measure("blind writes", Amount::Rate(rate));
        }
    }
}

/// Whether a read returned the value of a write that replaced something, for only such a one can be beside what it replaced; or one value twice.
fn tells_of_contexts(key: &Key, read: &Read) -> bool {
    let replaces = |at: u32| !key.write(at).context.is_empty();
    read.writes().any(replaces) || doubled(read).is_some()
}

impl Values {
    fn charge(self, key: &Key, read: &Read) -> Option<Charge> {
        let first = |is_wrong: fn(&Found) -> bool| {
            let found = read.found.iter().copied().find(is_wrong);
            found.map(Charge::Found)
        };
        match self.0 {
            Guarantee::NoPhantoms => {
                first(|found| matches!(found, Found::Nobody | Found::Future(_)))
            }
            Guarantee::NoFailedWrites => first(|found| matches!(found, Found::Refused(_))),
            _ => crowding(key, read),
        }
    }

    fn tell(self, history: &History, key: &Key, read: &Read, charge: Charge) -> Anomaly {
        let cast = Cast::new(history, key).with(Part::Reader, read.operation);
        let (cast, words) = match charge {
            Charge::Found(Found::Refused(write)) => {
                let cast = cast.write(Part::Refused, write);
                let then = format!("{} was refused, so it must never show.", cast.of(write));
                let words = cast.returned(
                    read,
                    vec![then],
                    &format!("{} among it", cast.written(write)),
                );
                (cast, words)
            }
            Charge::Found(Found::Future(write)) => {
                let cast = cast.write(Part::Newer, write);
                let (a, r) = (cast.of(write), cast.letter(read.operation));
                let then = format!("{r} had ended before {a} began.");
                let words = cast.returned(
                    read,
                    vec![then],
                    &format!("{} among it", cast.written(write)),
                );
                (cast, words)
            }
            Charge::Found(_) => {
                let then = format!(
                    "{} may return only what somebody wrote to that key.",
                    cast.letter(read.operation)
                );
                let words = cast.returned(read, vec![then], "a value among it that nobody wrote");
                (cast, words)
            }
            Charge::Twice(write) => {
                let cast = cast.write(Part::Older, write);
                let then = format!("{} was written once.", cast.written(write));
                let words = cast.returned(read, vec![then], "that value twice");
                (cast, words)
            }
            Charge::Beside { older, newer } => {
                let cast = cast
                    .write(Part::Older, older)
                    .way(newer, older)
                    .write(Part::Newer, newer);
                let then = cast.replaced(newer, older);
                let words = cast.returned(
                    read,
                    vec![then],
                    &format!(
                        "{} beside {}, which replaced it",
                        cast.written(older),
                        cast.written(newer)
                    ),
                );
                (cast, words)
            }
        };
        cast.anomaly(self.0, read.call, Vec::new(), words)
    }
}

/// A value that a read returned twice, or beside what replaced it: the oldest such value.
fn crowding(key: &Key, read: &Read) -> Option<Charge> {
    if let Some(twice) = doubled(read) {
        return Some(Charge::Twice(twice));
    }
    let all: BTreeSet<u32> = read.writes().collect();
    all.iter().find_map(|&older| {
        let newer = key.replaced_by_any(older, &all)?;
        Some(Charge::Beside { older, newer })
    })
}

/// A value that a read returned twice.
fn doubled(read: &Read) -> Option<u32> {
    let mut all: Vec<u32> = read.writes().collect();
    all.sort_unstable();
    let pair = all.windows(2).find(|pair| pair[0] == pair[1])?;
    Some(pair[0])
}

impl Cast<'_> {
    fn returned(&self, read: &Read, then: Vec<String>, what: &str) -> Words {
        let (r, found) = (self.letter(read.operation), self.value(read.operation));
        Words {
            then,
            however: format!("However, {r} returned {found}: {what}."),
        }
    }
}
