//! Why: what the nodes' evidence, the record of faults and the settings suggest about the cause.
//!
//! Attribution, not proof: nodes may be wrong about themselves. Each cause says what it rests on, those that the evidence supports
//! best come first, and what is not known is said. Nothing here decides whether there is an anomaly.

mod faults;
mod quorums;
mod replicas;
mod stamps;
mod surfaced;

use serde::Serialize;

use super::words::list;
use crate::exposure::Exposure;
use crate::guarantee::Guarantee;
use crate::history::{Answer, FaultWindow, Function, History, Operation, Stamp, Status, Versions};
use crate::witness::{Anomaly, Part};

/// What may have made an anomaly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The stamps of two writes contradict the order in which they happened.
    SkewedStamp,
    /// Two writes have the same time in their stamps, and a rule that knows nothing of time chose.
    TimestampTie,
    /// A replica was killed and came back without what it had acknowledged.
    LostInCrash,
    /// A replica came to miss what it had acknowledged, and no fault tells why.
    NotKept,
    /// A replica acknowledged a delete and kept no mark of it.
    ForgottenDelete,
    /// A write that was refused, or whose outcome its client never learned, took effect.
    SurfacedWrite,
    /// No replica was in both quorums.
    NoOverlap,
    /// Of two concurrent writes the store keeps the one with the larger stamp.
    LastWriteWins,
    /// A replica never got a write, and nothing sent it again.
    MissedWrite,
    /// Replicas hold a stamp that no write is known by.
    UnknownStamp,
    /// A value of one key came back for another.
    WrongKey,
    /// Coordinators refused, or waited in vain.
    Refusals,
    /// The store was built with a defect on purpose.
    Sabotage,
    /// Something was done to the cluster meanwhile.
    Faults,
    /// Nothing that was recorded tells.
    Unknown,
}

impl Cause {
    /// A few words for it.
    pub fn title(self) -> &'static str {
        match self {
            Cause::SkewedStamp => "skewed stamps",
            Cause::TimestampTie => "a tie of timestamps",
            Cause::LostInCrash => "records lost in a crash",
            Cause::NotKept => "a record that was not kept",
            Cause::ForgottenDelete => "a delete that left no mark",
            Cause::SurfacedWrite => "a write that surfaced",
            Cause::NoOverlap => "quorums that do not overlap",
            Cause::LastWriteWins => "last write wins",
            Cause::MissedWrite => "a write that a replica missed",
            Cause::UnknownStamp => "stamps of no known write",
            Cause::WrongKey => "one key taken for another",
            Cause::Refusals => "coordinators that refused or waited in vain",
            Cause::Sabotage => "a defect built in on purpose",
            Cause::Faults => "faults at that time",
            Cause::Unknown => "not known",
        }
    }
}

/// What an attribution rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// What nodes say of themselves: who acknowledged, who answered, with which stamps.
    NodeEvidence,
    /// What clients and the harness recorded.
    Record,
    /// How the store was configured.
    Settings,
    /// Nothing.
    Nothing,
}

impl Basis {
    /// The words behind the title of a cause; none if it rests on nothing.
    fn words(self) -> Option<&'static str> {
        match self {
            Basis::NodeEvidence => Some("inferred from node evidence"),
            Basis::Record => Some("as recorded"),
            Basis::Settings => Some("as configured"),
            Basis::Nothing => None,
        }
    }
}

/// One cause that fits, with what supports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attribution {
    /// The cause.
    pub cause: Cause,
    /// What it rests on.
    pub basis: Basis,
    /// What supports it, sentence by sentence.
    pub sentences: Vec<String>,
    /// Ids of the faults that the sentences name.
    pub faults: Vec<String>,
}

impl Attribution {
    fn inferred(cause: Cause, sentences: Vec<String>) -> Attribution {
        Attribution {
            cause,
            basis: Basis::NodeEvidence,
            sentences,
            faults: Vec::new(),
        }
    }

    fn naming(mut self, fault: &FaultWindow) -> Attribution {
        self.faults.push(fault.id.clone());
        self
    }

    fn recorded(cause: Cause, sentences: Vec<String>) -> Attribution {
        Attribution {
            cause,
            basis: Basis::Record,
            sentences,
            faults: Vec::new(),
        }
    }
}

/// Causes that fit, best supported first, then what is not known.
pub(super) fn infer(history: &History, exposure: &Exposure, anomaly: &Anomaly) -> Vec<Attribution> {
    let clues = Clues { history, anomaly };
    let mut why = Vec::new();
    // What contradicts itself comes before what merely may happen, and what is known of the nodes before what was done to them.
    // Siblings are no story of stamps: which of two is the newer, their contexts say.
    let has_stamps = history.header.versions == Versions::Lww;
    if has_stamps {
        why.extend(clues.stamps(exposure));
        why.extend(clues.not_kept());
        why.extend(clues.forgotten_delete());
    }
    why.extend(clues.no_overlap());
    why.extend(clues.surfaced());
    if has_stamps {
        why.extend(clues.missed_write());
    }
    why.extend(clues.other_key());
    why.extend(clues.refusals());
    why.extend(clues.sabotage());
    why.extend(clues.faults(&why));
    why.extend(clues.unknown(&why));
    why
}

/// The lines of the block.
pub(super) fn lines(why: &[Attribution]) -> Vec<String> {
    let is_numbered = why.iter().filter(|a| a.basis != Basis::Nothing).count() > 1;
    let mut lines = Vec::new();
    for (number, attribution) in (1..).zip(why) {
        let title = attribution.cause.title();
        let Some(basis) = attribution.basis.words() else {
            lines.extend(attribution.sentences.clone());
            continue;
        };
        let (number, indent) = if is_numbered {
            (format!("{number}. "), "   ")
        } else {
            (String::new(), "  ")
        };
        lines.push(format!("{number}{title} ({basis})"));
        lines.extend(attribution.sentences.iter().map(|s| format!("{indent}{s}")));
    }
    lines
}

struct Clues<'a> {
    history: &'a History,
    anomaly: &'a Anomaly,
}

/// An operation of the witness with its letter.
#[derive(Clone, Copy)]
struct Actor<'a> {
    letter: char,
    operation: &'a Operation,
}

impl Actor<'_> {
    /// The stamp of what it wrote or returned.
    fn stamp(self) -> Option<Stamp> {
        self.operation.evidence()?.version
    }
}

/// What replicas answered the read, or the census, that convicts.
struct Answers {
    /// `C`, or `the census`.
    by: String,
    each: Vec<Answer>,
    /// What was returned.
    returned: Option<Stamp>,
}

impl<'a> Clues<'a> {
    fn actor(&self, part: Part) -> Option<Actor<'a>> {
        let role = self.anomaly.witness.role(part)?;
        Some(Actor {
            letter: role.letter,
            operation: self.history.operations.get(role.operation)?,
        })
    }

    fn actors(&self) -> impl Iterator<Item = Actor<'a>> {
        let operations = &self.history.operations;
        self.anomaly.witness.roles.iter().filter_map(|role| {
            Some(Actor {
                letter: role.letter,
                operation: operations.get(role.operation)?,
            })
        })
    }

    fn census(&self) -> impl Iterator<Item = &'a Operation> {
        let operations = &self.history.operations;
        let places = self.anomaly.witness.census.iter();
        places.filter_map(|&at| operations.get(at))
    }

    fn all_operations(&self) -> impl Iterator<Item = &'a Operation> {
        self.actors()
            .map(|actor| actor.operation)
            .chain(self.census())
    }

    fn is(&self, guarantee: Guarantee) -> bool {
        self.anomaly.guarantee == guarantee
    }

    /// What the read that convicts had to know of: a write, or a read that had returned it.
    fn expected(&self) -> Option<Actor<'a>> {
        if self.is(Guarantee::NoPhantoms) {
            return None;
        }
        let by_a_read = matches!(
            self.anomaly.guarantee,
            Guarantee::NoInversion | Guarantee::Linearizability
        );
        let shown = self.actor(Part::NewerShown).filter(|_| by_a_read);
        shown
            .or_else(|| self.actor(Part::Newer))
            .or_else(|| self.last_step())
    }

    /// In tales of sessions: the last thing about the key that was over when the read that convicts began.
    fn last_step(&self) -> Option<Actor<'a>> {
        self.actor(Part::Step)?;
        let reader = self.actor(Part::Reader)?.operation;
        let steps = self.actors().filter(|step| {
            let op = step.operation;
            op.key == reader.key
                && op.status == Status::Ok
                && op.value != reader.value
                && op.precedes(reader)
        });
        steps.max_by_key(|step| step.operation.ret)
    }

    /// What the replicas said whose answers convict.
    fn answers(&self) -> Option<Answers> {
        if let Some(reader) = self.actor(Part::Reader) {
            let evidence = reader.operation.evidence()?;
            return (!evidence.answered_by.is_empty()).then(|| Answers {
                by: reader.letter.to_string(),
                each: evidence.answered_by,
                returned: evidence.version,
            });
        }
        let each: Vec<Answer> = self
            .census()
            .filter_map(|answer| {
                Some(Answer {
                    node: self.history.node_name(answer.node()?).to_owned(),
                    version: answer.evidence()?.version,
                })
            })
            .collect();
        (!each.is_empty()).then(|| Answers {
            by: "the census".to_owned(),
            each,
            returned: None,
        })
    }

    /// The defects that the header tells of.
    fn sabotage(&self) -> Option<Attribution> {
        let sabotage = &self.history.header.sabotage;
        (!sabotage.is_empty()).then(|| Attribution {
            cause: Cause::Sabotage,
            basis: Basis::Settings,
            sentences: vec![format!(
                "The nodes ran with {}; `quorate explain` tells what that does.",
                list(sabotage)
            )],
            faults: Vec::new(),
        })
    }

    /// What nobody can tell, because nothing was recorded of it or because what was recorded shows no cause.
    fn unknown(&self, why: &[Attribution]) -> Option<Attribution> {
        if self.is(Guarantee::Availability) {
            return None;
        }
        let is_silent = |op: &&Operation| op.status != Status::Fail && !op.has_claims();
        let is_seen = why.iter().any(|a| a.basis == Basis::NodeEvidence);
        // The older write explains little; the others say who took part.
        let main = self.anomaly.witness.roles.iter();
        let main = main.filter(|role| !matches!(role.part, Part::Older | Part::OlderShown));
        let mut silent: Vec<String> = main
            .filter(|role| {
                let operation = self.history.operations.get(role.operation);
                operation.as_ref().is_some_and(is_silent)
            })
            .map(|role| role.letter.to_string())
            .collect();
        if self.census().any(|op| is_silent(&op)) {
            silent.push("the census".to_owned());
        }
        let sentences = if self.all_operations().all(|op| is_silent(&op)) {
            vec!["No evidence was recorded that tells which part each replica played.".to_owned()]
        } else if !silent.is_empty() {
            vec![format!(
                "No evidence was recorded of the replicas that took part in {}.",
                list(&silent)
            )]
        } else if !is_seen {
            let mut sentences: Vec<String> = self.took_part().into_iter().collect();
            sentences.push("What the nodes say of themselves shows no cause.".to_owned());
            sentences
        } else {
            return None;
        };
        Some(Attribution {
            cause: Cause::Unknown,
            basis: Basis::Nothing,
            sentences,
            faults: Vec::new(),
        })
    }
}

fn is_delete(operation: &Operation) -> bool {
    operation.f == Function::Delete
}
