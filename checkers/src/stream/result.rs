//! What a stream came to: findings as the judges of whole histories make them, and what is linearizable.

use super::key::{Counts, KeyStream};
use crate::finding::{Finding, Skipped};
use crate::guarantee::Guarantee;

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
    pub(super) fn of(keys: &[KeyStream], operations: u64, census: u64, foreign: u64) -> Streamed {
        let mut streamed = Streamed {
            operations,
            keys: keys.len() as u64,
            census,
            foreign,
            ..Streamed::default()
        };
        for key in keys {
            let decision = key.is_linearizable();
            streamed.decided_and_read += u64::from(decision.is_ok() && key.counts.reads > 0);
            match decision {
                Ok(true) => streamed.linearizable += 1,
                Ok(false) => streamed.violated += 1,
                Err(why) => count(&mut streamed.undecided, why),
            }
            match key.unjudged {
                None => streamed.counts.add(&key.counts),
                Some(why) => count(&mut streamed.unjudged, why),
            }
        }
        streamed
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
}

fn count(reasons: &mut Vec<Skipped>, why: &'static str) {
    match reasons.iter_mut().find(|skipped| skipped.why == why) {
        Some(skipped) => skipped.count += 1,
        None => reasons.push(Skipped { count: 1, why }),
    }
}
