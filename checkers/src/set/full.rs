//! What became of every element: there for good, lost, or never read; and how long until then. The classes of Jepsen's `set-full`.
//!
//! An element becomes *known* when its add is acknowledged or when a read that has it completes, whichever is first. Of the reads that
//! completed after the first attempt to add it, the last one to begin that has it and the last one to begin that lacks it decide:
//!
//! - *stable*: a read has it, and no read that began later lacks it;
//! - *lost*: it was known before the last read that lacks it began, and no read that began later has it;
//! - *never read*: anything else.
//!
//! A stable element that was missed after it was known is *stale*. Beyond Jepsen's checker this one reports repeated elements, elements
//! that nobody tried to add, elements that were refused or not yet attempted, and staleness below a millisecond; see
//! [`SetFull::jepsen_would_say`].

use std::cmp::Reverse;

use serde::Serialize;

use super::fate::{Fate, Outcome, fates};
use super::history::{SetHistory, SetRead};
use super::latency::{NS_PER_MS, Quantiles};
use super::names::{Element, intervals};
use super::presence::Presence;
use super::rule::Rules;
use super::sift::Odd;
use super::validity::{JepsenSays, Validity};
use super::violation::{Docket, Kind, Violation};

/// Entries of [`SetFull::worst_stale`].
const WORST_STALE_MAX: usize = 8;

/// How strict to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FullOptions {
    /// Whether a stale element makes the history invalid: every read must have all that was known when it began.
    pub linearizable: bool,
}

/// A stable element that was missed after it was known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StaleElement {
    /// Which.
    pub element: Element,
    /// How long it was known when it was last missed, whole ms.
    pub stable_latency: u64,
    /// The same in ns.
    pub stable_latency_ns: u64,
    /// The place of the operation that made it known.
    pub known: u32,
    /// The place of the last read that lacks it.
    pub last_absent: u32,
}

/// An element that a read returned more than once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Repeated {
    /// Which.
    pub element: Element,
    /// How often at most.
    pub times: u64,
}

/// What is known about a set and its elements. Lists of elements are in their own order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SetFull {
    /// Invalid if anything is lost, repeated, from nowhere, refused and yet there, or (if so asked) stale. Otherwise unknown if no
    /// element is stable.
    pub valid: Validity,
    /// Elements that somebody tried to add.
    pub attempt_count: u64,
    /// Reads that returned.
    pub read_count: u64,
    /// Elements that are there for good.
    pub stable_count: u64,
    /// Elements that are lost.
    pub lost_count: u64,
    /// Which.
    pub lost: Vec<Element>,
    /// Elements of which the reads say nothing: not known, or only missed while they may be missed.
    pub never_read_count: u64,
    /// Which.
    pub never_read: Vec<Element>,
    /// Stable elements that were missed after they were known.
    pub stale_count: u64,
    /// Which.
    pub stale: Vec<Element>,
    /// Those that were missed the longest.
    pub worst_stale: Vec<StaleElement>,
    /// Latencies of the stable elements until they were there for good, whole ms; none if there are none.
    pub stable_latencies: Option<Quantiles>,
    /// The same in ns.
    pub stable_latencies_ns: Option<Quantiles>,
    /// How long the lost elements were known when they were last seen, whole ms; none if there are none.
    pub lost_latencies: Option<Quantiles>,
    /// The same in ns.
    pub lost_latencies_ns: Option<Quantiles>,
    /// Elements that a read returned more than once.
    pub duplicated_count: u64,
    /// Which, and how often at most.
    pub duplicated: Vec<Repeated>,
    /// Elements that a read returned although nobody ever tried to add them.
    pub unexpected_count: u64,
    /// Which.
    pub unexpected: Vec<Element>,
    /// Elements that a read returned although every add of them was refused.
    pub failed_add_seen_count: u64,
    /// Which.
    pub failed_add_seen: Vec<Element>,
    /// Elements that a read returned before the first attempt to add them.
    pub from_the_future_count: u64,
    /// Which.
    pub from_the_future: Vec<Element>,
    /// Elements that somebody tried to add more than once. They are judged from the first attempt on; Jepsen begins anew with each.
    pub added_again_count: u64,
    /// The first violations of each kind; the one of the fewest operations first. Stale elements are among them only if they are forbidden.
    pub violations: Vec<Violation>,
    /// What Jepsen's `set-full` says of the same history, if that differs from `valid`; and why.
    pub jepsen_would_say: Option<JepsenSays>,
}

impl SetFull {
    /// A list of elements in short, such as `#{0..3 5}`.
    pub fn short(elements: &[Element]) -> String {
        intervals(elements)
    }
}

/// Judges a set by what became of its elements.
pub fn full(history: &SetHistory, options: FullOptions) -> SetFull {
    judge(history, options, Rules::ALL)
}

pub(super) fn judge(history: &SetHistory, options: FullOptions, rules: Rules) -> SetFull {
    let (fates, presence) = fates(history, rules);
    let mut court = Court::new(history, &fates, options);
    court.classes();
    court.repeated(&presence);
    court.unattempted(&presence);
    court.refused();
    court.close()
}

/// Puts the result together.
struct Court<'a> {
    history: &'a SetHistory,
    fates: &'a [Fate],
    options: FullOptions,
    /// Stale elements whose latency Jepsen would not round to nothing.
    stale_for_ms: u64,
    result: SetFull,
    docket: Docket,
}

impl<'a> Court<'a> {
    fn new(history: &'a SetHistory, fates: &'a [Fate], options: FullOptions) -> Court<'a> {
        Court {
            history,
            fates,
            options,
            stale_for_ms: 0,
            result: SetFull {
                attempt_count: u64::from(history.added()),
                read_count: history.reads().len() as u64,
                ..empty()
            },
            docket: Docket::default(),
        }
    }

    fn read(&self, number: u32) -> Option<&'a SetRead> {
        self.history.reads().get(number as usize)
    }

    fn elements(&self, kept: impl Fn(&Fate) -> bool) -> Vec<Element> {
        let ids = (0..)
            .zip(self.fates)
            .filter(|(_, fate)| kept(fate))
            .map(|(id, _)| id);
        self.history.names().sorted(ids)
    }

    fn classes(&mut self) {
        self.result.lost = self.elements(|fate| fate.outcome == Outcome::Lost);
        self.result.never_read = self.elements(|fate| fate.outcome == Outcome::NeverRead);
        self.result.stale = self.elements(Fate::is_stale);
        let count = |outcome| {
            self.fates
                .iter()
                .filter(|fate| fate.outcome == outcome)
                .count() as u64
        };
        self.result.stable_count = count(Outcome::Stable);
        self.result.lost_count = count(Outcome::Lost);
        self.result.never_read_count = count(Outcome::NeverRead);
        self.result.stale_count = self.result.stale.len() as u64;
        self.result.added_again_count =
            self.fates.iter().filter(|fate| fate.attempts > 1).count() as u64;
        let latencies = |outcome| {
            let of = self.fates.iter().filter(|fate| fate.outcome == outcome);
            Quantiles::of(of.map(|fate| fate.latency_ns).collect())
        };
        self.result.stable_latencies_ns = latencies(Outcome::Stable);
        self.result.lost_latencies_ns = latencies(Outcome::Lost);
        self.result.stable_latencies = self.result.stable_latencies_ns.map(Quantiles::in_ms);
        self.result.lost_latencies = self.result.lost_latencies_ns.map(Quantiles::in_ms);
        let stable = self
            .fates
            .iter()
            .filter(|fate| fate.outcome == Outcome::Stable);
        self.stale_for_ms = stable.filter(|fate| fate.latency_ns >= NS_PER_MS).count() as u64;
        for (element, fate) in (0..).zip(self.fates) {
            if fate.outcome == Outcome::Lost {
                self.lost(element, fate);
            } else if fate.is_stale() && self.options.linearizable {
                self.stale(element, fate);
            }
        }
        self.result.worst_stale = self.worst_stale();
    }

    fn worst_stale(&self) -> Vec<StaleElement> {
        let mut stale: Vec<(u32, &Fate)> = (0..)
            .zip(self.fates)
            .filter(|(_, fate)| fate.is_stale())
            .collect();
        stale.sort_by_key(|&(element, fate)| (Reverse(fate.latency_ns), element));
        let entry = |&(element, fate): &(u32, &Fate)| StaleElement {
            element: self.history.names().of(element),
            stable_latency: fate.latency_ns / NS_PER_MS,
            stable_latency_ns: fate.latency_ns,
            known: fate.known_place(self.history),
            last_absent: self.read(fate.last_absent).map_or(0, |read| read.place),
        };
        stale.iter().take(WORST_STALE_MAX).map(entry).collect()
    }

    /// The add, the read that made the element known (if none but it did so in time), and the last read without it.
    fn lost(&mut self, element: u32, fate: &Fate) {
        let Some(last) = self.read(fate.last_absent) else {
            return;
        };
        let acknowledged = self.history.adds().get(fate.acknowledged as usize);
        let in_time = acknowledged.filter(|add| add.completed < last.invoked);
        let (mut operations, since) = match (in_time, self.read(fate.first_to_show)) {
            (Some(add), _) => (vec![add.place as usize], add.ret),
            (None, Some(shown)) => (
                vec![fate.first_place as usize, shown.place as usize],
                shown.ret,
            ),
            (None, None) => return,
        };
        operations.push(last.place as usize);
        self.keep(
            Kind::Lost,
            element,
            operations,
            last.call,
            last.call.saturating_sub(since),
        );
    }

    fn stale(&mut self, element: u32, fate: &Fate) {
        let (Some(without), Some(with)) =
            (self.read(fate.last_absent), self.read(fate.last_present))
        else {
            return;
        };
        let mut operations = match self.read(fate.shown_first()) {
            Some(shown) => vec![fate.first_place as usize, shown.place as usize],
            None => vec![fate.known_place(self.history) as usize],
        };
        operations.extend([without.place as usize, with.place as usize]);
        self.keep(
            Kind::Stale,
            element,
            operations,
            without.call,
            fate.latency_ns,
        );
    }

    fn repeated(&mut self, presence: &Presence) {
        let mut repeated = presence.repeated.clone();
        repeated.sort_by_key(|&(odd, times)| (odd.element, Reverse(times), odd.read));
        repeated.dedup_by_key(|(odd, _)| odd.element);
        for &(odd, times) in &repeated {
            if let Some(read) = self.read(odd.read) {
                self.keep(
                    Kind::Duplicate,
                    odd.element,
                    vec![read.place as usize],
                    read.call,
                    times,
                );
            }
        }
        let names = self.history.names();
        let entry = |(odd, times): &(Odd, u64)| Repeated {
            element: names.of(odd.element),
            times: *times,
        };
        self.result.duplicated = repeated.iter().map(entry).collect();
        self.result
            .duplicated
            .sort_by(|a, b| a.element.cmp(&b.element));
        self.result.duplicated_count = repeated.len() as u64;
    }

    /// Elements that nobody had tried to add when they were read: never, or only later.
    fn unattempted(&mut self, presence: &Presence) {
        let mut odd = presence.unattempted.clone();
        odd.sort_by_key(|odd| (odd.element, odd.read));
        odd.retain(
            |odd| match (self.fates.get(odd.element as usize), self.read(odd.read)) {
                // Log order is not enough to convict: at equal times, the two are concurrent.
                (Some(fate), Some(read)) => read.ret < fate.first_call,
                _ => true,
            },
        );
        odd.dedup_by_key(|odd| odd.element);
        for one in &odd {
            let Some(read) = self.read(one.read) else {
                continue;
            };
            let place = read.place as usize;
            match self.fates.get(one.element as usize) {
                Some(fate) => {
                    let operations = vec![place, fate.first_call_place as usize];
                    self.keep(Kind::FromTheFuture, one.element, operations, read.call, 0);
                }
                None => self.keep(Kind::Phantom, one.element, vec![place], read.call, 0),
            }
        }
        let added = self.history.added();
        let (future, nowhere): (Vec<u32>, Vec<u32>) = odd
            .iter()
            .map(|odd| odd.element)
            .partition(|&element| element < added);
        self.result.unexpected = self.history.names().sorted(nowhere);
        self.result.unexpected_count = self.result.unexpected.len() as u64;
        self.result.from_the_future = self.history.names().sorted(future);
        self.result.from_the_future_count = self.result.from_the_future.len() as u64;
    }

    fn refused(&mut self) {
        self.result.failed_add_seen = self.elements(Fate::is_refused_and_seen);
        self.result.failed_add_seen_count = self.result.failed_add_seen.len() as u64;
        for (element, fate) in (0..).zip(self.fates) {
            if let Some(read) = self
                .read(fate.first_to_show)
                .filter(|_| fate.is_refused_and_seen())
            {
                let operations = vec![fate.first_place as usize, read.place as usize];
                self.keep(Kind::FailedAddSeen, element, operations, read.call, 0);
            }
        }
    }

    fn keep(&mut self, kind: Kind, element: u32, operations: Vec<usize>, at: u64, amount: u64) {
        let names = self.history.names();
        self.docket.see(kind, at, || Violation {
            kind,
            elements: vec![names.of(element)],
            operations,
            at_ns: at,
            amount,
        });
    }

    fn close(mut self) -> SetFull {
        let result = &mut self.result;
        let verdict = |also_wrong: bool, stale: u64| {
            if result.lost_count > 0 || also_wrong {
                Validity::Invalid
            } else if result.stable_count == 0 {
                Validity::Unknown
            } else if self.options.linearizable && stale > 0 {
                Validity::Invalid
            } else {
                Validity::Valid
            }
        };
        let blind = [
            (
                result.duplicated_count,
                "it never reports that an element was returned twice",
            ),
            (
                result.unexpected_count,
                "it ignores elements that nobody tried to add",
            ),
            (
                result.failed_add_seen_count,
                "it takes a refused add that was seen for an add",
            ),
            (
                result.from_the_future_count,
                "it ignores elements that are read before anybody tried to add them",
            ),
        ];
        let also_wrong = blind.iter().any(|(count, _)| *count > 0);
        let (ours, theirs) = (
            verdict(also_wrong, result.stale_count),
            verdict(false, self.stale_for_ms),
        );
        let mut because: Vec<&'static str> = blind
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(_, why)| *why)
            .collect();
        if self.options.linearizable && result.stale_count > self.stale_for_ms {
            because.push("it rounds latencies below a millisecond to nothing");
        }
        result.valid = ours;
        result.jepsen_would_say = (ours != theirs).then_some(JepsenSays {
            valid: theirs,
            because,
        });
        result.violations = self.docket.close();
        self.result
    }
}

/// A result about nothing.
fn empty() -> SetFull {
    SetFull {
        valid: Validity::Unknown,
        attempt_count: 0,
        read_count: 0,
        stable_count: 0,
        lost_count: 0,
        lost: Vec::new(),
        never_read_count: 0,
        never_read: Vec::new(),
        stale_count: 0,
        stale: Vec::new(),
        worst_stale: Vec::new(),
        stable_latencies: None,
        stable_latencies_ns: None,
        lost_latencies: None,
        lost_latencies_ns: None,
        duplicated_count: 0,
        duplicated: Vec::new(),
        unexpected_count: 0,
        unexpected: Vec::new(),
        failed_add_seen_count: 0,
        failed_add_seen: Vec::new(),
        from_the_future_count: 0,
        from_the_future: Vec::new(),
        added_again_count: 0,
        violations: Vec::new(),
        jepsen_would_say: None,
    }
}
