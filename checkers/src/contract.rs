//! What a configuration promises, and why, in words with the numbers in.
//!
//! It looks at settings and exposure only, never at what was observed. The formulas are those of strict quorums: reads meet writes
//! iff W + R > N + f. What else siblings change is in `siblings.rs`.

mod siblings;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::exposure::{Clocks, Exposure};
use crate::guarantee::Guarantee;
use crate::history::{Function, Header, History, Operation, Quorum, ReadRepair, Sync, Versions};

/// Whether one guarantee is promised, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The guarantee.
    pub guarantee: Guarantee,
    /// Whether it is promised.
    pub promised: bool,
    /// Why, in words.
    pub reason: String,
}

/// All promises of a configuration under an exposure, in the order of [`Guarantee::ALL`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// One per guarantee.
    pub promises: Vec<Promise>,
    /// The N, R and W that the promises are made with.
    pub quorum: Quorum,
}

/// The smallest levels that operations asked for, where those differ from the configured ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Levels {
    /// The smallest R of an ok read, if some read set its own.
    pub r: Option<u32>,
    /// The smallest W of an ok write or delete, if some write set its own.
    pub w: Option<u32>,
}

impl Levels {
    /// The levels found in a history. An operation at the configured level counts as at `base`, the level judged by.
    fn of(history: &History, base: Quorum) -> Levels {
        let configured = history.header.quorum;
        let smallest = |reads: bool, configured: u32, base: u32| {
            let asked = |op: &&Operation| {
                op.is_ok() && (op.f == Function::Read) == reads && op.f != Function::Census
            };
            let levels = history
                .operations
                .iter()
                .filter(asked)
                .map(|op| match op.level() {
                    Some(level) if level != configured => level,
                    _ => base,
                });
            levels.min().filter(|&level| level != base)
        };
        Levels {
            r: smallest(true, configured.r, base.r),
            w: smallest(false, configured.w, base.w),
        }
    }
}

impl Contract {
    /// The promises of a header's settings under an exposure.
    pub fn of(header: &Header, exposure: &Exposure) -> Contract {
        Contract::with_levels(header, exposure, Levels::default())
    }

    /// The promises of a history. Where requests set their own levels, the smallest R and the smallest W count, as any
    /// read may meet any write: that weakens the promise rather than raise a false alarm.
    pub fn of_history(history: &History, exposure: &Exposure) -> Contract {
        let base = history.header.claim.unwrap_or(history.header.quorum);
        Contract::with_levels(&history.header, exposure, Levels::of(history, base))
    }

    /// The promises of a header's settings when operations asked for levels of their own.
    pub(crate) fn with_levels(header: &Header, exposure: &Exposure, levels: Levels) -> Contract {
        let base = header.claim.unwrap_or(header.quorum);
        let terms = Terms {
            n: base.n,
            r: levels.r.unwrap_or(base.r),
            w: levels.w.unwrap_or(base.w),
            forgotten: exposure.forgotten,
            header,
            exposure,
            levels,
        };
        let promises = Guarantee::ALL
            .into_iter()
            .map(|guarantee| {
                let (promised, reason) = terms.judge(guarantee);
                Promise {
                    guarantee,
                    promised,
                    reason,
                }
            })
            .collect();
        Contract {
            promises,
            quorum: Quorum {
                n: terms.n,
                r: terms.r,
                w: terms.w,
            },
        }
    }

    /// The promise about one guarantee.
    pub fn promise(&self, guarantee: Guarantee) -> Option<&Promise> {
        self.promises
            .iter()
            .find(|promise| promise.guarantee == guarantee)
    }
}

/// Everything the formulas speak of.
struct Terms<'a> {
    n: u32,
    r: u32,
    w: u32,
    forgotten: u32,
    header: &'a Header,
    exposure: &'a Exposure,
    levels: Levels,
}

impl Terms<'_> {
    fn judge(&self, guarantee: Guarantee) -> (bool, String) {
        match self.header.versions {
            Versions::Lww => self.of_lww(guarantee),
            Versions::Dvv => self
                .of_siblings(guarantee)
                .unwrap_or_else(|| self.of_lww(guarantee)),
        }
    }

    fn of_lww(&self, guarantee: Guarantee) -> (bool, String) {
        match guarantee {
            Guarantee::NoPhantoms => (true, "no configuration may invent values".to_owned()),
            Guarantee::NoFailedWrites => {
                (true, "a refusal means that nothing was sent to any replica".to_owned())
            }
            Guarantee::FreshReads | Guarantee::ReadYourWrites => self.overlap_of_writes(""),
            Guarantee::NoResurrection => self.overlap_of_writes("a delete is a write: "),
            Guarantee::NoInversion | Guarantee::MonotonicReads => self.overlap_of_reads(),
            Guarantee::MonotonicWrites | Guarantee::WritesFollowReads => {
                self.with_clocks(self.overlap_of_reads())
            }
            Guarantee::Linearizability
            | Guarantee::CausalConsistency
            | Guarantee::CausalConvergence => self.linearizable(),
            Guarantee::NoLostWrites => self.survivors(),
            Guarantee::NoClockLoss => match &self.exposure.clocks {
                Clocks::Synchronised => {
                    (true, "clocks are synchronised, so the later write has the larger stamp".to_owned())
                }
                Clocks::Skewed(why) => (false, format!("clocks may disagree: {why}")),
            },
            Guarantee::NoConcurrentLoss => (
                false,
                "last-write-wins keeps one of concurrent writes and drops the others".to_owned(),
            ),
            Guarantee::NoLostUpdates => (
                false,
                "last-write-wins keeps one of the sets that were made from the same version, and drops what the others added"
                    .to_owned(),
            ),
            Guarantee::NoSiblingExplosion => (false, "last-write-wins keeps no siblings".to_owned()),
            Guarantee::Convergence if self.exposure.lossless => (
                true,
                "no fault of this run can lose a message, so every replica gets every write".to_owned(),
            ),
            Guarantee::Convergence => (
                false,
                "a fault may have lost messages, and there are no hints and no anti-entropy to send them again"
                    .to_owned(),
            ),
            Guarantee::Availability => (
                true,
                format!(
                    "a write needs {} and a read {} of {} replicas within reach of its coordinator{}",
                    self.w,
                    self.r,
                    self.n,
                    self.origin()
                ),
            ),
        }
    }

    fn overlap_of_writes(&self, prefix: &str) -> (bool, String) {
        let (overlaps, sum) = self.compare("W", self.w);
        let origin = self.origin();
        match (&self.exposure.clocks, overlaps) {
            (Clocks::Synchronised, true) => (
                true,
                format!("{prefix}{sum}, and clocks are synchronised{origin}"),
            ),
            (Clocks::Skewed(why), true) => (
                false,
                format!("{prefix}{sum}, but clocks may disagree: {why}{origin}"),
            ),
            (_, false) => (
                false,
                format!("{prefix}{sum}: a read may miss every replica that remembers{origin}"),
            ),
        }
    }

    /// A promise that needs synchronised clocks on top of another one.
    fn with_clocks(&self, (promised, reason): (bool, String)) -> (bool, String) {
        match &self.exposure.clocks {
            Clocks::Synchronised if promised => {
                (true, format!("{reason}; clocks are synchronised"))
            }
            Clocks::Skewed(why) if promised => (false, format!("clocks may disagree: {why}")),
            _ => (false, reason),
        }
    }

    /// If reads are fresh and never go back, every key is linearizable, and so is the store.
    fn linearizable(&self) -> (bool, String) {
        let (fresh, why_fresh) = self.overlap_of_writes("");
        let (forward, why_forward) = self.overlap_of_reads();
        match (fresh, forward) {
            (false, _) => (false, why_fresh),
            (_, false) => (false, why_forward),
            _ => (true, format!("{why_fresh}; {why_forward}")),
        }
    }

    fn overlap_of_reads(&self) -> (bool, String) {
        let (k, held) = self.held();
        let (promised, sum) = self.compare("K", k);
        let clocks = if promised && !self.exposure.is_synchronised() {
            "; clocks may disagree, so only flip-flops count"
        } else {
            ""
        };
        (promised, format!("{sum} ({held}){clocks}{}", self.origin()))
    }

    /// K, the number of replicas that surely hold what a read returned, and why.
    fn held(&self) -> (u32, &'static str) {
        match self.header.read_repair {
            ReadRepair::Blocking => (
                self.r,
                "blocking read repair: R replicas hold what was returned",
            ),
            ReadRepair::Async => (
                1,
                "asynchronous read repair: only 1 replica surely holds what was returned",
            ),
            ReadRepair::None => (
                1,
                "no read repair: only 1 replica surely holds what was returned",
            ),
        }
    }

    /// `W > f` in words.
    fn outlives(&self) -> (bool, String) {
        let promised = self.w > self.forgotten;
        let relation = if promised { ">" } else { "<=" };
        let forgetting = self.forgetting();
        (
            promised,
            format!(
                "W = {} {relation} f = {} ({forgetting})",
                self.w, self.forgotten
            ),
        )
    }

    fn survivors(&self) -> (bool, String) {
        let (promised, sum) = self.outlives();
        let clocks = if promised && !self.exposure.is_synchronised() {
            "; clocks may disagree, so a write that an older one outlived counts as clock loss"
        } else {
            ""
        };
        (promised, format!("{sum}{clocks}{}", self.origin()))
    }

    /// `X + R > N + f` in words.
    fn compare(&self, letter: &str, held: u32) -> (bool, String) {
        let left = u64::from(held) + u64::from(self.r);
        let right = u64::from(self.n) + u64::from(self.forgotten);
        let relation = if left > right { ">" } else { "<=" };
        let forgetting = match self.forgotten {
            0 => String::new(),
            f => format!(" (f = {f}: {})", self.forgetting()),
        };
        (
            left > right,
            format!("{letter} + R = {left} {relation} N + f = {right}{forgetting}"),
        )
    }

    fn forgetting(&self) -> String {
        match (self.header.sync, self.forgotten) {
            (Sync::EachWrite, _) => "every write is on disk before it is acknowledged".to_owned(),
            (Sync::EveryMs(_), 0) => "no node died".to_owned(),
            (Sync::EveryMs(ms), f) => format!(
                "logs are synced every {ms} ms, and up to {f} {} died so close together that {} may have forgotten \
                 the same write",
                if f == 1 { "node" } else { "nodes" },
                if f == 1 { "it" } else { "all" },
            ),
        }
    }

    /// Where the numbers come from, when not from the configuration.
    fn origin(&self) -> String {
        let claim = self.header.claim.map(|claim| {
            let Quorum { n, r, w } = self.header.quorum;
            format!(
                "; judged by the claim {}/{}/{}, not by the configured {n}/{r}/{w}",
                claim.n, claim.r, claim.w
            )
        });
        let asked = |who: &str, level: u32, base: u32, letter: char| {
            if level < base {
                format!("; some {who} asked for only {letter} = {level}")
            } else {
                format!("; all {who} asked for at least {letter} = {level}")
            }
        };
        let base = self.header.claim.unwrap_or(self.header.quorum);
        let reads = self.levels.r.map(|r| asked("reads", r, base.r, 'R'));
        let writes = self.levels.w.map(|w| asked("writes", w, base.w, 'W'));
        [claim, reads, writes].into_iter().flatten().collect()
    }
}
