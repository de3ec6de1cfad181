//! The read that returned last, and what each element has to do with it.

use super::history::{SetHistory, SetRead};
use super::rule::{Rule, Rules};
use super::sift::NONE;
use crate::history::Status;

/// An element and the last read. Adds by their numbers, or [`NONE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// The attempt with the first line in the log.
    pub(super) attempt: u32,
    /// The attempt that was acknowledged first.
    pub(super) acknowledgement: u32,
    /// Whether that was only after the read had begun.
    too_late: bool,
    /// Whether all attempts were refused.
    refused: bool,
    /// How often the read returned it.
    pub(super) times: u64,
}

impl Standing {
    /// Whether somebody tried to add it.
    pub(super) fn is_attempted(&self) -> bool {
        self.attempt != NONE
    }

    /// Whether an attempt was acknowledged.
    pub(super) fn is_acknowledged(&self) -> bool {
        self.acknowledgement != NONE
    }

    /// In the read, as somebody wanted.
    pub(super) fn is_there(&self) -> bool {
        self.is_attempted() && self.times > 0
    }

    /// In the read, although nobody tried to add it.
    pub(super) fn is_unexpected(&self) -> bool {
        !self.is_attempted() && self.times > 0
    }

    /// Acknowledged before the read began, and not in it.
    pub(super) fn is_lost(&self) -> bool {
        self.is_acknowledged() && !self.too_late && self.times == 0
    }

    /// Not in the read, and acknowledged only after that had begun.
    pub(super) fn is_too_late(&self) -> bool {
        self.is_acknowledged() && self.too_late && self.times == 0
    }

    /// In the read although it was not acknowledged.
    pub(super) fn is_recovered(&self) -> bool {
        self.is_there() && !self.is_acknowledged()
    }

    /// In the read although every attempt was refused.
    pub(super) fn is_refused_and_there(&self) -> bool {
        self.is_there() && self.refused
    }
}

/// The ok read that returned last, and all elements.
#[derive(Debug)]
pub(super) struct Final {
    /// None if the set was never read; then nothing is in it, and nothing is lost.
    pub(super) read: Option<SetRead>,
    /// By the ids of the elements.
    pub(super) standings: Vec<Standing>,
}

impl Final {
    /// Finds the read and looks every element up in it.
    pub(super) fn of(history: &SetHistory, rules: Rules) -> Final {
        let reads = history.reads().iter().copied();
        let read = if rules.keep(Rule::LastToReturnIsFinal) {
            reads.max_by_key(|read| read.completed)
        } else {
            reads.max_by_key(|read| read.invoked)
        };
        let nothing = Standing {
            attempt: NONE,
            acknowledgement: NONE,
            too_late: false,
            refused: true,
            times: 0,
        };
        let mut standings = vec![nothing; history.universe() as usize];
        let completed = |add: u32| history.adds().get(add as usize).map(|add| add.completed);
        for (add, number) in history.adds().iter().zip(0..) {
            let standing = &mut standings[add.element as usize];
            if !standing.is_attempted() {
                standing.attempt = number;
            }
            standing.refused &= add.status == Status::Fail && rules.keep(Rule::RefusedDidNotHappen);
            let acknowledged = add.status == Status::Ok || !rules.keep(Rule::LostWereKnown);
            let earlier = completed(standing.acknowledgement);
            if acknowledged && earlier.is_none_or(|earlier| add.completed < earlier) {
                standing.acknowledgement = number;
            }
        }
        // Whatever was acknowledged is too late for a read that never was.
        let began = read.map_or(0, |read| read.invoked);
        for standing in &mut standings {
            let late = completed(standing.acknowledgement).is_some_and(|at| at >= began);
            standing.too_late = late && rules.keep(Rule::TooLateIsNotLost);
        }
        if let Some(read) = read {
            for &element in history.elements(&read) {
                standings[element as usize].times += 1;
            }
        }
        Final { read, standings }
    }

    /// How many elements are of some sort.
    pub(super) fn count(&self, kept: impl Fn(&Standing) -> bool) -> u64 {
        self.standings
            .iter()
            .filter(|standing| kept(standing))
            .count() as u64
    }
}
