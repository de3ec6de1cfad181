//! What became of one element: when it became known, and whether it is stable, lost, or was never read.

use super::history::{NEVER, SetHistory};
use super::presence::Presence;
use super::rule::{Rule, Rules};
use super::sift::NONE;
use crate::history::Status;

/// The class of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A read has it, and none that began later lacks it.
    Stable,
    /// It was known when a read began that lacks it, and no read that began later has it.
    Lost,
    /// Neither.
    NeverRead,
}

/// What became of an element. Adds and reads by their numbers, or [`NONE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) outcome: Outcome,
    /// Attempts to add it.
    pub(super) attempts: u32,
    /// The place of the attempt with the first line in the log.
    pub(super) first_place: u32,
    /// When the attempt that began first began, ns; and its place.
    pub(super) first_call: u64,
    pub(super) first_call_place: u32,
    /// Whether all attempts were refused.
    pub(super) refused: bool,
    /// The add that was acknowledged first.
    pub(super) acknowledged: u32,
    /// The first read to complete of those that have it.
    pub(super) first_to_show: u32,
    /// Whether that read made it known, and not an acknowledgement.
    pub(super) shown: bool,
    pub(super) last_present: u32,
    pub(super) last_absent: u32,
    /// How long it was known when it was last missed (if stable) or last seen (if lost), ns: Jepsen's latency of its class.
    pub(super) latency_ns: u64,
    /// Whether it was missed by a read that began after it was known.
    missed: bool,
}

impl Fate {
    /// Stable, but missed after it was known.
    pub(super) fn is_stale(&self) -> bool {
        self.outcome == Outcome::Stable && self.missed && self.latency_ns > 0
    }

    /// Every attempt was refused.
    pub(super) fn is_refused(&self) -> bool {
        self.refused
    }

    /// Seen although every attempt was refused.
    pub(super) fn is_refused_and_seen(&self) -> bool {
        self.refused && self.first_to_show != NONE
    }

    /// The read that made it known, if an acknowledgement did not.
    pub(super) fn shown_first(&self) -> u32 {
        if self.shown { self.first_to_show } else { NONE }
    }

    /// The place of the operation that made it known; 0 if it is not known.
    pub(super) fn known_place(&self, history: &SetHistory) -> u32 {
        let shown = history
            .reads()
            .get(self.shown_first() as usize)
            .map(|read| read.place);
        let acknowledged = history
            .adds()
            .get(self.acknowledged as usize)
            .map(|add| add.place);
        shown.or(acknowledged).unwrap_or(0)
    }
}

/// The fates of all elements that somebody tried to add, and what the reads say about them.
pub(super) fn fates(history: &SetHistory, rules: Rules) -> (Vec<Fate>, Presence) {
    let (mut fates, births) = attempts(history);
    let presence = Presence::of(history, &births, rules);
    for (element, fate) in fates.iter_mut().enumerate() {
        fate.last_present = presence.last_present[element];
        fate.last_absent = presence.last_absent[element];
        fate.first_to_show = presence.first_to_show[element];
        classify(history, fate, rules);
    }
    (fates, presence)
}

/// What the adds say about each element, and the position of its first attempt.
fn attempts(history: &SetHistory) -> (Vec<Fate>, Vec<u64>) {
    let (mut fates, mut births): (Vec<Fate>, Vec<u64>) = (Vec::new(), Vec::new());
    for (add, number) in history.adds().iter().zip(0..) {
        // Elements are numbered in the order of their first attempts.
        if add.element as usize == fates.len() {
            births.push(add.invoked);
            fates.push(Fate {
                outcome: Outcome::NeverRead,
                attempts: 0,
                first_place: add.place,
                first_call: NEVER,
                first_call_place: add.place,
                refused: true,
                acknowledged: NONE,
                first_to_show: NONE,
                shown: false,
                last_present: NONE,
                last_absent: NONE,
                latency_ns: 0,
                missed: false,
            });
        }
        let fate = &mut fates[add.element as usize];
        fate.attempts += 1;
        fate.refused &= add.status == Status::Fail;
        if add.call < fate.first_call {
            (fate.first_call, fate.first_call_place) = (add.call, add.place);
        }
        let earlier = history.adds().get(fate.acknowledged as usize);
        let sooner = earlier.is_none_or(|earlier| add.completed < earlier.completed);
        if add.status == Status::Ok && sooner {
            fate.acknowledged = number;
        }
    }
    (fates, births)
}

fn classify(history: &SetHistory, fate: &mut Fate, rules: Rules) {
    let read = |number: u32| history.reads().get(number as usize);
    let acknowledged = history.adds().get(fate.acknowledged as usize);
    let acknowledged = acknowledged.map(|add| (add.completed, add.ret));
    let shown = read(fate.first_to_show).map(|read| (read.completed, read.ret));
    let shown = shown.filter(|_| acknowledged.is_none() || rules.keep(Rule::ReadsMakeKnown));
    fate.shown = match (shown, acknowledged) {
        (Some(shown), Some(acknowledged)) => shown.0 < acknowledged.0,
        (shown, _) => shown.is_some(),
    };
    let known = if fate.shown { shown } else { acknowledged };
    // Reads are numbered in the order of their invocations.
    let (present, absent) = (after(fate.last_present), after(fate.last_absent));
    let (known_at, known_ns) = known.unwrap_or((NEVER, NEVER));
    let known_before_absent =
        read(fate.last_absent).is_some_and(|absent| known_at < absent.invoked);
    let was_known = known_before_absent || !rules.keep(Rule::LostWereKnown);
    let end = if absent < present {
        fate.outcome = Outcome::Stable;
        fate.last_absent
    } else if absent > 0 && was_known {
        fate.outcome = Outcome::Lost;
        fate.last_present
    } else {
        return;
    };
    let end_ns = read(end).map_or(0, |read| read.call.saturating_add(1));
    fate.latency_ns = end_ns.saturating_sub(known_ns);
    let missed_ns = read(fate.last_absent).is_some_and(|absent| known_ns < absent.call);
    fate.missed = known_before_absent || missed_ns;
}

/// The place of a read in the order of reads, from 1 on; 0 is before all of them.
fn after(read: u32) -> u32 {
    if read == NONE { 0 } else { read + 1 }
}
