//! What a configuration promises, and why, in words with the numbers in.
//!
//! It looks at settings and exposure only, never at what was observed. The formulas here are those of strict quorums with
//! last-write-wins: reads meet writes iff W + R > N + f. Named levels, data centres and stand-ins are in `meeting.rs`, hints, anti-entropy
//! and tombstones in `lasting.rs`, stores with a leader in `leader.rs`, what siblings change in `siblings.rs`, and what must be within reach in `reach.rs`.

mod asked;
mod demand;
mod lasting;
#[cfg(test)]
mod lasting_tests;
mod leader;
mod meeting;
pub(crate) mod reach;
mod run;
mod siblings;
#[cfg(test)]
mod tests;

use crate::exposure::{Clocks, Exposure};
use crate::guarantee::Guarantee;
use crate::history::{
    Header, History, Level, Quorum, ReadRepair, Settings, StampSource, Sync, Versions,
};
pub use asked::Levels;
pub(crate) use asked::{Access, configured};
use demand::{Demand, Topology};
use run::Run;

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

impl Contract {
    /// The promises of a header's settings under an exposure.
    pub fn of(header: &Header, exposure: &Exposure) -> Contract {
        Contract::with_levels(header, exposure, Levels::default())
    }

    /// The promises of a history. Where requests set their own levels, those of every pair that was asked for count, as any read may
    /// meet any write: that weakens the promise rather than raise a false alarm.
    pub fn of_history(history: &History, exposure: &Exposure) -> Contract {
        let levels = Levels::of(history);
        Contract::after(&history.header, exposure, levels, Run::of(history))
    }

    /// The promises of a header's settings when operations asked for levels of their own.
    pub(crate) fn with_levels(header: &Header, exposure: &Exposure, levels: Levels) -> Contract {
        Contract::after(header, exposure, levels, Run::UNKNOWN)
    }

    fn after(header: &Header, exposure: &Exposure, levels: Levels, run: Run) -> Contract {
        let terms = Terms::new(header, exposure, levels, run);
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

/// How many of the key's own replicas two operations surely have in common, by the settings: each by what it is, its level (none = as
/// configured) and its coordinator. Not more than 0 if they may have none.
pub(crate) fn in_common(
    header: &Header,
    one: (Access, Option<Level>, Option<&str>),
    other: (Access, Option<Level>, Option<&str>),
) -> i64 {
    let topology = Topology::of(header);
    let own = |(access, level, node): (Access, Option<Level>, Option<&str>)| {
        let level = level.unwrap_or_else(|| configured(header, access));
        let local = node.and_then(|node| header.settings.centre_of(node));
        let primaries = match access {
            Access::Read => header.settings.pr,
            Access::Write => header.settings.pw,
        };
        Demand::of(level, local, &topology).of_own(primaries, &topology)
    };
    own(one).overlap(&own(other), &topology).replicas()
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
    run: Run,
    topology: Topology,
    /// The settings, less what a claim denies: it is of a store in which nobody stands in for replicas, wherever they are.
    settings: Settings,
}

impl Terms<'_> {
    fn new<'a>(header: &'a Header, exposure: &'a Exposure, levels: Levels, run: Run) -> Terms<'a> {
        let mut settings = header.settings.clone();
        if header.claim.is_some() {
            settings = Settings {
                hints: settings.hints,
                anti_entropy_ms: settings.anti_entropy_ms,
                purge: settings.purge,
                repair_percent: settings.repair_percent,
                stamps: settings.stamps,
                ..Settings::default()
            };
        }
        let mut terms = Terms {
            n: header.claim.unwrap_or(header.quorum).n,
            r: 0,
            w: 0,
            forgotten: exposure.forgotten,
            header,
            exposure,
            levels,
            run,
            topology: Topology::judged(header),
            settings,
        };
        terms.r = terms.smallest(Access::Read);
        terms.w = terms.smallest(Access::Write);
        terms
    }

    /// The smallest number of replicas that anybody asked for.
    fn smallest(&self, access: Access) -> u32 {
        let asked = self.levels.of_access(access).iter();
        let totals = asked.map(|asked| self.demand(access, *asked).total);
        totals.min().unwrap_or(0)
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether N and plain numbers of replicas are all that counts.
    fn is_plain(&self) -> bool {
        let Settings {
            pr,
            pw,
            dw,
            write_back,
            repair_percent,
            ..
        } = &self.settings;
        let counts = |access: Access| {
            let mut asked = self.levels.of_access(access).iter();
            asked.all(|asked| self.level(access, *asked).count().is_some())
        };
        self.topology.is_plain()
            && (*pr, *pw, *dw, *write_back) == (0, 0, None, None)
            && *repair_percent == 100
            && counts(Access::Read)
            && counts(Access::Write)
    }

    fn judge(&self, guarantee: Guarantee) -> (bool, String) {
        if let Some(leader) = self.settings.leader {
            return self.of_leader(leader, guarantee);
        }
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
            Guarantee::NoFailedWrites => (
                true,
                "a refusal means that nothing was sent to any replica".to_owned(),
            ),
            Guarantee::FreshReads | Guarantee::ReadYourWrites => self.overlap_of_writes(""),
            Guarantee::NoResurrection => {
                self.stay_deleted(self.overlap_of_writes("a delete is a write: "))
            }
            Guarantee::NoInversion | Guarantee::MonotonicReads => self.overlap_of_reads(),
            Guarantee::MonotonicWrites | Guarantee::WritesFollowReads => {
                self.with_clocks(self.overlap_of_reads())
            }
            Guarantee::Linearizability
            | Guarantee::CausalConsistency
            | Guarantee::CausalConvergence => self.linearizable(),
            Guarantee::NoLostWrites => self.survivors(),
            Guarantee::NoClockLoss => self.ordered_by_stamps(),
            Guarantee::NoConcurrentLoss => (
                false,
                "last-write-wins keeps one of concurrent writes and drops the others".to_owned(),
            ),
            Guarantee::NoLostUpdates => (
                false,
                "last-write-wins keeps one of the sets that were made from the same version, and drops what the others added"
                    .to_owned(),
            ),
            Guarantee::NoSiblingExplosion => (
                false,
                "last-write-wins keeps no siblings".to_owned(),
            ),
            Guarantee::Convergence => self.converge(),
            Guarantee::Availability => (true, self.within_reach()),
        }
    }

    /// Whether of two writes in real-time order the later one wins.
    fn ordered_by_stamps(&self) -> (bool, String) {
        let Clocks::Skewed(why) = &self.exposure.clocks else {
            let why = "clocks are synchronised, so the later write has the larger stamp";
            return (true, why.to_owned());
        };
        let hybrid = if self.settings.stamps.source == StampSource::Hybrid {
            "; a hybrid stamp is larger than what its write had read, but that need not be the last one"
        } else {
            ""
        };
        (false, format!("clocks may disagree: {why}{hybrid}"))
    }

    fn overlap_of_writes(&self, prefix: &str) -> (bool, String) {
        let (overlaps, sum) = self.writes_met();
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
        let (promised, sum) = self.reads_met();
        let clocks = if promised && !self.exposure.is_synchronised() {
            "; clocks may disagree, so only flip-flops count"
        } else {
            ""
        };
        (promised, format!("{sum}{clocks}{}", self.origin()))
    }

    /// Whether every read meets every acknowledged write.
    fn writes_met(&self) -> (bool, String) {
        if self.is_plain() {
            self.compare("W", self.w)
        } else {
            self.meet_writes()
        }
    }

    /// Whether every read meets what every earlier read returned.
    fn reads_met(&self) -> (bool, String) {
        if !self.is_plain() {
            return self.meet_reads();
        }
        let (k, held) = match self.header.read_repair {
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
        };
        let (promised, sum) = self.compare("K", k);
        (promised, format!("{sum} ({held})"))
    }

    fn survivors(&self) -> (bool, String) {
        let (promised, sum) = self.survive();
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
        if !self.is_plain() {
            return claim.unwrap_or_default();
        }
        let base = self.header.claim.unwrap_or(self.header.quorum);
        let reads = (self.r != base.r).then(|| asked("reads", self.r, base.r, 'R'));
        let writes = (self.w != base.w).then(|| asked("writes", self.w, base.w, 'W'));
        [claim, reads, writes].into_iter().flatten().collect()
    }
}
