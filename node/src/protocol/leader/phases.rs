//! What a failover was made of, as one node saw it. Times are of its own monotonic clock, and compare with those of no other node, but for
//! nodes of one machine or one simulation.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::protocol::time::Nanos;

use super::term::Term;

/// Most that are remembered; the oldest are forgotten first.
const PHASES_MAX: usize = 1_024;

/// One part of a failover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// From the last sign of the old leader until a node acted on the silence. Seen by the new leader, if that is that node.
    Detect,
    /// From then until it was the leader, all attempts included. Seen by the new leader.
    Elect,
    /// From then until it served: the old lease had run out, and what it held was committed. Seen by the new leader.
    Open,
    /// From the moment in which a node knew no leader any more until it knew the new one, and where to send its clients. Seen by each follower.
    Redirect,
    /// From the moment in which a leader (or a node that was one when it died) ceased to be one until its log was that of its successor.
    /// Seen by the old leader.
    Rejoin,
}

impl Phase {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Detect => "detect",
            Phase::Elect => "elect",
            Phase::Open => "open",
            Phase::Redirect => "redirect",
            Phase::Rejoin => "rejoin",
        }
    }
}

/// One phase that is over. Those of one failover have the same term, and the new leader's follow each other without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseEvent {
    /// Which.
    pub phase: Phase,
    /// The leadership that it led to.
    pub term: Term,
    /// When it began, ns.
    pub from_ns: u64,
    /// When it ended, ns.
    pub to_ns: u64,
}

/// The phases so far.
#[derive(Debug, Default)]
pub(super) struct Phases {
    over: VecDeque<PhaseEvent>,
}

impl Phases {
    pub(super) fn add(&mut self, phase: Phase, term: Term, from: Nanos, to: Nanos) {
        if self.over.len() == PHASES_MAX {
            self.over.pop_front();
        }
        self.over.push_back(PhaseEvent {
            phase,
            term,
            from_ns: from.0,
            to_ns: to.0,
        });
    }

    /// In the order in which they ended.
    pub(super) fn iter(&self) -> impl Iterator<Item = &PhaseEvent> {
        self.over.iter()
    }
}
