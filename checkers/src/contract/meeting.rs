//! Whether reads meet writes, and later reads earlier ones, for every pair of levels that was asked for, in words with the numbers in.
//!
//! For plain numbers of replicas `contract.rs` has shorter words; this is the rule for everything else: named levels, data centres,
//! nodes that stand in, PR and PW, write-back. The brute-force twin is `testing/levels.rs`.

use std::fmt::Write;

use crate::history::{HintHolder, Level, LevelName, ReadRepair};

use super::Terms;
use super::asked::{Access, Asked};
use super::demand::{Demand, Overlap, Topology};

/// What operations at some level are sure of.
struct Held {
    /// Of the key's own replicas.
    own: Demand,
    /// `W = local-quorum in us`.
    words: String,
}

impl Terms<'_> {
    /// Whether every read meets every write, for the weakest pair of levels.
    pub(super) fn meet_writes(&self) -> (bool, String) {
        self.weakest(Access::Write, |asked| self.written(asked))
    }

    /// Whether every read meets what every earlier read returned.
    pub(super) fn meet_reads(&self) -> (bool, String) {
        let (met, sum) = self.weakest(Access::Read, |asked| self.returned(asked));
        (met, format!("{sum} ({})", self.repair_words()))
    }

    fn weakest(&self, first: Access, held: impl Fn(Asked) -> Held) -> (bool, String) {
        let first = self.levels.of_access(first);
        let reads = self.levels.of_access(Access::Read);
        let pairs = first.iter().flat_map(|first| {
            let reads = reads.iter();
            reads.map(|read| (held(*first), self.answered(*read)))
        });
        let overlaps = pairs.map(|(first, read)| {
            let overlap = first.own.overlap(&read.own, &self.topology);
            (overlap, first, read)
        });
        let Some((overlap, first, read)) = overlaps.min_by_key(|(overlap, ..)| overlap.replicas())
        else {
            return (false, "nothing was asked".to_owned());
        };
        let words = format!("{} and {}: {}", first.words, read.words, self.sum(overlap));
        (overlap.outlives(self.forgotten), words)
    }

    /// What an acknowledged write is held by.
    fn written(&self, asked: Asked) -> Held {
        let settings = self.settings();
        let mut full = self.demand(Access::Write, asked);
        let level = self.level(Access::Write, asked);
        if let Some(durable) = settings.dw {
            // The others have received it; nobody says whether reads of them see it yet.
            let durable = durable.max(1).min(full.total);
            if durable < full.total {
                full = Demand::anywhere(durable, &self.topology);
            }
        }
        if self.may_be_hint(level) {
            return Held {
                own: Demand::anywhere(0, &self.topology),
                words: "W = any, which a hint is enough for".to_owned(),
            };
        }
        let own = full.of_own(settings.pw, &self.topology);
        let words = self.words(Access::Write, asked, &full, &own);
        Held { own, words }
    }

    /// What an answered read asked.
    fn answered(&self, asked: Asked) -> Held {
        let full = self.demand(Access::Read, asked);
        let own = full.of_own(self.settings().pr, &self.topology);
        let words = self.words(Access::Read, asked, &full, &own);
        Held { own, words }
    }

    /// What surely holds what a read returned.
    fn returned(&self, asked: Asked) -> Held {
        if self.repairs_before_reply() {
            let write_back = self.settings().write_back.unwrap_or(0);
            let full = self.demand(Access::Read, asked).at_least(write_back);
            let own = full.of_own(self.settings().pr, &self.topology);
            let words = format!("K = {}", own.total);
            return Held { own, words };
        }
        // Where others stand in, it may have come from one of those.
        let sure = u32::from(self.topology.stand_ins == 0);
        Held {
            own: Demand::anywhere(sure, &self.topology),
            words: format!("K = {sure}"),
        }
    }

    fn repairs_before_reply(&self) -> bool {
        self.header.read_repair == ReadRepair::Blocking && self.settings().repair_percent == 100
    }

    fn repair_words(&self) -> String {
        let settings = self.settings();
        let stands_in = if self.topology.stand_ins > 0 {
            ", and those who stand in are none"
        } else {
            ""
        };
        match self.header.read_repair {
            ReadRepair::None => {
                format!(
                    "no read repair: who answered holds what was returned, and nobody else{stands_in}"
                )
            }
            ReadRepair::Async => {
                format!(
                    "asynchronous read repair: who answered holds what was returned, and perhaps nobody else{stands_in}"
                )
            }
            ReadRepair::Blocking if settings.repair_percent < 100 => format!(
                "blocking read repair of {} % of the reads: the others tell nobody what they found{stands_in}",
                settings.repair_percent
            ),
            ReadRepair::Blocking => match settings.write_back {
                Some(replicas) => format!(
                    "blocking read repair: as many replicas as the read asked for, and at least B = {replicas}, hold what was \
                     returned{stands_in}"
                ),
                None => format!(
                    "blocking read repair: as many replicas as the read asked for hold what was returned{stands_in}"
                ),
            },
        }
    }

    /// The level itself.
    pub(super) fn level(&self, access: Access, asked: Asked) -> Level {
        let base = match (access, self.header.claim) {
            (Access::Read, Some(claim)) => Level::Count(claim.r),
            (Access::Write, Some(claim)) => Level::Count(claim.w),
            (access, None) => super::asked::configured(self.header, access),
        };
        asked.level.unwrap_or(base)
    }

    /// What must have answered, whoever that is.
    pub(super) fn demand(&self, access: Access, asked: Asked) -> Demand {
        Demand::of(self.level(access, asked), asked.centre, &self.topology)
    }

    /// Whether a hint alone may be the acknowledgement.
    pub(super) fn may_be_hint(&self, level: Level) -> bool {
        let hints = self.settings().hints;
        level == Level::Named(LevelName::Any)
            && hints.is_some_and(|hints| hints.holder == HintHolder::Coordinator)
    }

    /// `W = local-quorum in us, PW = 1 (2 of them may stand in)`.
    fn words(&self, access: Access, asked: Asked, full: &Demand, own: &Demand) -> String {
        let settings = self.settings();
        let (letter, primaries) = match access {
            Access::Read => ("R", settings.pr),
            Access::Write => ("W", settings.pw),
        };
        let mut words = format!("{letter} = {}", self.level(access, asked));
        if let Some(centre) = self.centre_name(asked.centre) {
            let _ = write!(words, " in {centre}");
        }
        if let (Access::Write, Some(durable)) = (access, settings.dw) {
            let _ = write!(words, ", DW = {durable}");
        }
        if primaries > 0 {
            let _ = write!(words, ", P{letter} = {primaries}");
        }
        let others = full.total.saturating_sub(own.total);
        if others > 0 {
            let _ = write!(words, " ({others} of them may stand in)");
        }
        words
    }

    fn sum(&self, overlap: Overlap) -> String {
        let (left, right) = overlap.sums(self.forgotten);
        let relation = if left > right { ">" } else { "<=" };
        let Overlap {
            left: one,
            right: other,
            centre,
            ..
        } = overlap;
        let forgetting = match self.forgotten {
            0 => String::new(),
            f => format!(" (f = {f}: {})", self.forgetting()),
        };
        match self.centre_name(centre) {
            Some(name) => format!(
                "in {name} {one} + {other} = {left} {relation} RF + f = {right}{forgetting}"
            ),
            None => format!("{one} + {other} = {left} {relation} N + f = {right}{forgetting}"),
        }
    }

    fn centre_name(&self, centre: Option<usize>) -> Option<&str> {
        let centre = self.settings().data_centres.get(centre?)?;
        Some(&centre.name)
    }
}

impl Topology {
    /// Whether a key has replicas in more than one data centre, or others may stand in for them.
    pub(super) fn is_plain(&self) -> bool {
        self.factors.len() == 1 && self.stand_ins == 0
    }
}
