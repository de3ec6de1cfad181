//! What a scenario is made of, as data: acts, each a plan and the beats of its story, with what is expected at each.
//!
//! Nothing here runs or judges. `play.rs` writes acts, the runner carries out their plans, `judge.rs` compares.

use quorate_checkers::Guarantee;

use super::seen::Seen;
use crate::plan::{Plan, PlanError};

/// A worked example: what it is called, what it shows, and how.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it shows, in a sentence or a few; the first sentence stands alone in lists.
    pub shows: &'static str,
    /// The requirements that it shows, by id.
    pub requirements: &'static [&'static str],
    /// The corrections that it shows, by id.
    pub corrections: &'static [&'static str],
    /// A world that cannot play it, and why.
    pub not_in: Option<(&'static str, &'static str)>,
    /// Its acts, in order.
    pub acts: fn() -> Result<Vec<Act>, PlanError>,
}

/// One run of a scenario.
#[derive(Clone, Debug)]
pub struct Act {
    /// What is different in this act, a fragment; empty if it is the only one.
    pub title: String,
    /// What is carried out.
    pub plan: Plan,
    /// The story, in the order in which it is told.
    pub beats: Vec<Beat>,
}

/// One line of a story, and what is expected there.
#[derive(Clone, Debug)]
pub enum Beat {
    /// Words of the author.
    Tell(String),
    /// An operation of the script.
    Step(Step),
    /// Operations that are told in one line: what they are, and each of them.
    Many(String, Vec<Step>),
    /// What some replicas hold at that moment.
    Replicas(Replicas),
    /// A fault begins. It is expected to take.
    Begins(Strike),
    /// A fault is healed. That is expected to take.
    Ends(Strike),
    /// What the final reads find at each of these replicas of a key.
    Finally {
        /// The key.
        key: String,
        /// The replicas and what each is to hold; none = nothing.
        holds: Vec<(u16, Option<i64>)>,
    },
    /// How many anomalies of a kind the checkers find.
    Found(Guarantee, Count),
    /// Whether the contract of the configuration promises this.
    Promise(Guarantee, bool),
    /// Something that is computed from all of the run.
    Measure(fn(&Seen) -> Measured),
}

/// An operation of the script and what is expected of it.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its name in the script.
    pub name: String,
    /// What is expected to come back.
    pub answer: Answer,
    /// Exactly these replicas acknowledged it, or answered it, before the reply.
    pub by: Option<Vec<u16>>,
    /// Exactly these stood in for replicas.
    pub stood_in: Option<Vec<u16>>,
    /// These were sent the newest version: before the reply or after it, as read repair is set.
    pub repaired: Option<Vec<u16>>,
}

/// What is expected to come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Whatever comes.
    Any,
    /// The write or delete was acknowledged.
    Acknowledged,
    /// The read returned this value; none = nothing.
    Value(Option<i64>),
    /// The read returned these siblings.
    Siblings(Vec<i64>),
    /// Refused before anything was sent, or a read that nobody answered: certainly without effect.
    Failed,
    /// Nobody knows whether it happened.
    Unknown,
    /// Not done, whichever of the two it was called.
    NotDone,
}

/// Inspections that are told together.
#[derive(Clone, Debug)]
pub struct Replicas {
    /// Of which key.
    pub key: String,
    /// Each replica, the name of its inspection in the script, and what it is to hold; none = nothing.
    pub holds: Vec<(u16, String, Option<i64>)>,
}

/// A fault of the timeline, in words.
#[derive(Clone, Debug)]
pub struct Strike {
    /// Its id in the timeline.
    pub id: String,
    /// What happens, in the present tense.
    pub words: String,
}

/// How often something is to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Never.
    None,
    /// So often.
    Exactly(u64),
    /// So often or more.
    AtLeast(u64),
}

impl Count {
    /// Whether `seen` is as expected.
    pub fn is_met(self, seen: u64) -> bool {
        match self {
            Count::None => seen == 0,
            Count::Exactly(count) => seen == count,
            Count::AtLeast(count) => seen >= count,
        }
    }
}

/// What was computed, in words with its numbers in, and whether it is as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// What is so.
    pub words: String,
    /// What was expected, if it is not so.
    pub unlike: Option<String>,
}

impl Measured {
    /// Told with its numbers; `expected` says what should be, if `is_met` is false.
    pub fn of(words: String, is_met: bool, expected: &str) -> Measured {
        Measured {
            words,
            unlike: (!is_met).then(|| expected.to_owned()),
        }
    }
}
