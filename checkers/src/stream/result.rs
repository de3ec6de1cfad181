//! What a stream came to: findings as the judges of whole histories make them, and what is linearizable.

use super::key::{Counts, KeyStream};
use crate::finding::{Finding, KEYS_KEPT_MAX, Share, Skipped};
use crate::guarantee::Guarantee;

/// Keys that nobody knows of and that are called by name.
const NAMES_MAX: usize = 12;

/// What a stream came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Streamed {
    /// Client operations, the census not counted.
    pub operations: u64,
    /// Keys.
    pub keys: u64,
    /// Keys that are linearizable.
    pub linearizable: u64,
    /// Keys that are not.
    pub violated: u64,
    /// Keys of which nobody knows, by the reason.
    pub undecided: Vec<Skipped>,
    /// The first of those.
    pub unresolved: Vec<String>,
    /// The keys of which it is known, and their operations.
    pub decided: Share,
    /// Answers of single replicas, which a stream does not judge.
    pub census: u64,
    /// Operations of other tools.
    pub foreign: u64,
    /// What is kept of the keys at the end, bytes.
    pub state_bytes: usize,
    /// The most events that were held back at one time.
    pub held_most: usize,
    /// Keys of which it is known whether they are linearizable, and that were read.
    decided_and_read: u64,
    counts: Counted,
    unjudged: Vec<Skipped>,
}

/// Sums over the keys that were judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counted {
    reads: u64,
    after_ack: u64,
    after_read: u64,
    phantom: u64,
    failed: u64,
    stale: u64,
    older: u64,
    flip: u64,
}

impl Counted {
    fn add(&mut self, key: &Counts) {
        self.reads += key.reads;
        self.after_ack += key.after_ack;
        self.after_read += key.after_read;
        self.phantom += key.phantom;
        self.failed += key.failed;
        self.stale += key.stale;
        self.older += key.older;
        self.flip += key.flip;
    }
}

impl Streamed {
    /// What came of these keys, which have these names.
    pub(super) fn of(names: &[String], keys: &[KeyStream]) -> Streamed {
        let mut streamed = Streamed {
            keys: keys.len() as u64,
            decided: Share::new("zones of a stream"),
            ..Streamed::default()
        };
        for (name, key) in names.iter().zip(keys) {
            let decision = key.is_linearizable();
            streamed.decided_and_read += u64::from(decision.is_ok() && key.counts.reads > 0);
            match decision {
                Ok(true) => streamed.linearizable += 1,
                Ok(false) => streamed.violated += 1,
                Err(why) => {
                    count(&mut streamed.undecided, why);
                    if streamed.unresolved.len() < KEYS_KEPT_MAX {
                        streamed.unresolved.push(name.clone());
                    }
                }
            }
            if decision.is_ok() {
                streamed.decided.add(name, key.operations, key.operations);
            }
            match key.unjudged {
                None => streamed.counts.add(&key.counts),
                Some(why) => count(&mut streamed.unjudged, why),
            }
        }
        streamed
    }

    pub(super) fn with_operations(self, operations: u64, census: u64, foreign: u64) -> Streamed {
        Streamed {
            operations,
            census,
            foreign,
            ..self
        }
    }

    pub(super) fn with_memory(self, state_bytes: usize, held_most: usize) -> Streamed {
        Streamed {
            state_bytes,
            held_most,
            ..self
        }
    }

    /// What was found about the guarantees that a stream can judge, in the order of reports. Inversions are at least so many.
    pub fn findings(&self, clocks_are_synchronised: bool) -> [Finding; 5] {
        let Counted {
            reads,
            after_ack,
            after_read,
            phantom,
            failed,
            stale,
            older,
            flip,
        } = self.counts;
        let inverted = if clocks_are_synchronised { older } else { flip };
        let linearizability = Finding {
            judged: self.decided_and_read,
            seen: self.violated,
            skipped: self.undecided.clone(),
            notes: self.not_decided().into_iter().collect(),
            decided: match self.decided.keys {
                0 => Vec::new(),
                _ => vec![self.decided.clone()],
            },
            ..Finding::new(Guarantee::Linearizability, "keys")
        };
        let [phantom, failed, fresh, inversion] = [
            (Guarantee::NoPhantoms, reads, phantom),
            (Guarantee::NoFailedWrites, reads, failed),
            (Guarantee::FreshReads, after_ack, stale),
            (Guarantee::NoInversion, after_read, inverted),
        ]
        .map(|(guarantee, judged, seen)| Finding {
            judged,
            seen,
            skipped: self.unjudged.clone(),
            ..Finding::new(guarantee, "reads")
        });
        [phantom, failed, fresh, inversion, linearizability]
    }

    /// Which keys nobody knows of, in words; none if all are decided.
    pub fn not_decided(&self) -> Option<String> {
        let all: u64 = self.undecided.iter().map(|skipped| skipped.count).sum();
        let named = &self.unresolved[..self.unresolved.len().min(NAMES_MAX)];
        let more = match all - named.len() as u64 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        (all > 0).then(|| {
            let first = named.join(" ");
            format!("keys {first}{more}; the whole of a saved history may tell more of them")
        })
    }
}

fn count(reasons: &mut Vec<Skipped>, why: &'static str) {
    match reasons.iter_mut().find(|skipped| skipped.why == why) {
        Some(skipped) => skipped.count += 1,
        None => reasons.push(Skipped { count: 1, why }),
    }
}
