//! Does the last read have all that was acknowledged, and nothing else? Jepsen's `set`, with what it does not see.
//!
//! Only the ok read that returned last counts. What was acknowledged only after that read began may be missing from it; Jepsen's
//! checker calls it lost all the same. And it takes a refused add that is there for one that was recovered; here it is a violation.

use serde::Serialize;

use super::final_read::{Final, Standing};
use super::history::SetHistory;
use super::names::{Element, intervals};
use super::rule::Rules;
use super::sift::NONE;
use super::validity::{JepsenSays, Validity};
use super::violation::{Docket, Kind, Violation};

/// What is known about a set by its last read. Lists of elements are in short, as in `#{0..3 5}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LastRead {
    /// Invalid if anything is lost, unexpected, or refused and yet there. Unknown if the set was never read.
    pub valid: Validity,
    /// Why it is unknown.
    pub error: Option<&'static str>,
    /// Elements that somebody tried to add.
    pub attempt_count: u64,
    /// Elements that were acknowledged.
    pub acknowledged_count: u64,
    /// Elements of the last read that somebody tried to add.
    pub ok_count: u64,
    /// Elements that were acknowledged before the last read began, and are not in it.
    pub lost_count: u64,
    /// Elements of the last read that were not acknowledged, although somebody tried to add them.
    pub recovered_count: u64,
    /// Elements of the last read that nobody tried to add.
    pub unexpected_count: u64,
    /// Which are ok.
    pub ok: String,
    /// Which are lost.
    pub lost: String,
    /// Which are unexpected.
    pub unexpected: String,
    /// Which are recovered.
    pub recovered: String,
    /// Elements of the last read whose adds were all refused. They are among the recovered ones as well.
    pub failed_add_seen_count: u64,
    /// Which.
    pub failed_add_seen: String,
    /// Elements that the last read returned more than once. Makes nothing invalid.
    pub duplicated_count: u64,
    /// Which.
    pub duplicated: String,
    /// Elements that are not in the last read, but were acknowledged only after it began. Nothing is known of them.
    pub too_late_count: u64,
    /// Which.
    pub too_late: String,
    /// The first violations of each kind.
    pub violations: Vec<Violation>,
    /// What Jepsen's `set` says of the same history, if that differs from `valid`; and why.
    pub jepsen_would_say: Option<JepsenSays>,
}

/// Judges a set by its last read.
pub fn last_read(history: &SetHistory) -> LastRead {
    judge(history, Rules::ALL)
}

pub(super) fn judge(history: &SetHistory, rules: Rules) -> LastRead {
    let end = Final::of(history, rules);
    let of = |kept: &dyn Fn(&Standing) -> bool| {
        let elements = end.elements(history, kept);
        (elements.len() as u64, intervals(&elements))
    };
    let was_read = end.read.is_some();
    let (ok_count, ok) = of(&Standing::is_there);
    let (lost_count, lost) = of(&Standing::is_lost);
    let (recovered_count, recovered) = of(&Standing::is_recovered);
    let (unexpected_count, unexpected) = of(&Standing::is_unexpected);
    let (failed_add_seen_count, failed_add_seen) = of(&Standing::is_refused_and_there);
    let (duplicated_count, duplicated) = of(&|standing| standing.times > 1);
    let (too_late_count, too_late) = of(&Standing::is_too_late);
    let mut because = Vec::new();
    let (mut valid, mut theirs) = (Validity::Unknown, Validity::Unknown);
    if was_read {
        let verdict = |wrong: u64| {
            if wrong > 0 {
                Validity::Invalid
            } else {
                Validity::Valid
            }
        };
        valid = verdict(lost_count + unexpected_count + failed_add_seen_count);
        theirs = verdict(lost_count + unexpected_count + too_late_count);
        if failed_add_seen_count > 0 {
            because.push("it takes a refused add that is there for one that was recovered");
        }
        if too_late_count > 0 {
            because.push("it calls lost what was acknowledged only after the last read began");
        }
    }
    LastRead {
        valid,
        error: (!was_read).then_some("the set was never read"),
        attempt_count: u64::from(history.added()),
        acknowledged_count: end.count(Standing::is_acknowledged),
        ok_count,
        lost_count,
        recovered_count,
        unexpected_count,
        ok,
        lost,
        unexpected,
        recovered,
        failed_add_seen_count,
        failed_add_seen,
        duplicated_count,
        duplicated,
        too_late_count,
        too_late,
        violations: violations(history, &end),
        jepsen_would_say: (valid != theirs).then_some(JepsenSays {
            valid: theirs,
            because,
        }),
    }
}

/// What the last read shows, element by element.
pub(super) fn violations(history: &SetHistory, end: &Final) -> Vec<Violation> {
    let mut docket = Docket::default();
    let Some(read) = end.read else {
        return Vec::new();
    };
    for (element, standing) in (0..).zip(&end.standings) {
        let (kind, add) = if standing.is_lost() {
            (Kind::Lost, standing.acknowledgement)
        } else if standing.is_refused_and_there() {
            (Kind::FailedAddSeen, standing.attempt)
        } else if standing.is_unexpected() {
            (Kind::Phantom, NONE)
        } else {
            continue;
        };
        let add = history.adds().get(add as usize);
        let places = add.map(|add| add.place).into_iter().chain([read.place]);
        let known = add.filter(|_| kind == Kind::Lost);
        docket.see(kind, read.call, || Violation {
            kind,
            elements: vec![history.names().of(element)],
            operations: places.map(|place| place as usize).collect(),
            at_ns: read.call,
            amount: known.map_or(0, |add| read.call.saturating_sub(add.ret)),
        });
    }
    docket.close()
}

impl Final {
    /// The names of the elements of some sort, in their own order.
    fn elements(&self, history: &SetHistory, kept: &dyn Fn(&Standing) -> bool) -> Vec<Element> {
        let standings = (0..).zip(&self.standings);
        let ids = standings
            .filter(|(_, standing)| kept(standing))
            .map(|(id, _)| id);
        history.names().sorted(ids)
    }
}
