//! What a store promises that keeps siblings, told apart by dotted version vectors, and in words why.
//!
//! Quorums meet as they do under last-write-wins, and clocks decide nothing. Which replicas remember is said in `contract.rs`.

use super::Terms;
use crate::guarantee::Guarantee;

/// What follows from there being no stamps.
const NO_CLOCKS: &str = "; version vectors need no clocks";

impl Terms<'_> {
    /// The promise about a guarantee, where it is another one than under last-write-wins.
    pub(super) fn of_siblings(&self, guarantee: Guarantee) -> Option<(bool, String)> {
        Some(match guarantee {
            Guarantee::FreshReads | Guarantee::ReadYourWrites => self.siblings_meet_writes(""),
            Guarantee::NoResurrection => {
                self.stay_deleted(self.siblings_meet_writes("a delete is a write: "))
            }
            Guarantee::NoInversion | Guarantee::MonotonicReads => self.siblings_meet_reads(),
            Guarantee::CausalConsistency => {
                let (fresh, why_fresh) = self.siblings_meet_writes("");
                let (forward, why_forward) = self.siblings_meet_reads();
                match (fresh, forward) {
                    (false, _) => (false, why_fresh),
                    (_, false) => (false, why_forward),
                    _ => (true, format!("{why_fresh}; {why_forward}")),
                }
            }
            Guarantee::Linearizability
            | Guarantee::MonotonicWrites
            | Guarantee::WritesFollowReads
            | Guarantee::CausalConvergence => (
                false,
                "a key with siblings is no register: its writes have no one order".to_owned(),
            ),
            Guarantee::NoLostWrites => {
                let (promised, sum) = self.survive();
                (promised, format!("{sum}{}", self.origin()))
            }
            Guarantee::NoClockLoss => (
                true,
                "what replaces what is said by contexts, and no stamp is compared".to_owned(),
            ),
            Guarantee::NoConcurrentLoss => (
                true,
                "a write stays beside whatever did not name it in its context".to_owned(),
            ),
            Guarantee::NoLostUpdates => {
                let (promised, sum) = self.survive();
                let union = "a set that was written without knowing another stays beside it, and clients unite them";
                (promised, format!("{union}: {sum}{}", self.origin()))
            }
            Guarantee::NoSiblingExplosion => (
                true,
                "a write replaces what its context names, and every value has a dot of its own"
                    .to_owned(),
            ),
            Guarantee::NoPhantoms
            | Guarantee::NoFailedWrites
            | Guarantee::Convergence
            | Guarantee::Availability => return None,
        })
    }

    fn siblings_meet_writes(&self, prefix: &str) -> (bool, String) {
        let (overlaps, sum) = self.writes_met();
        let then = if overlaps {
            NO_CLOCKS
        } else {
            ": a read may miss every replica that remembers"
        };
        (overlaps, format!("{prefix}{sum}{then}{}", self.origin()))
    }

    fn siblings_meet_reads(&self) -> (bool, String) {
        let (promised, sum) = self.reads_met();
        (promised, format!("{sum}{}", self.origin()))
    }
}
