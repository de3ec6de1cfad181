//! Who held what had to be seen, and who was asked: quorums that overlap, and quorums that do not.

use super::{Actor, Answers, Attribution, Cause, Clues};
use crate::contract::{Access, configured, in_common};
use crate::explain::words::list;
use crate::history::{Level, ReadRepair};
use crate::witness::Part;

impl Clues<'_> {
    /// The replicas that are known to have held something at its end.
    pub(super) fn holders(&self, expected: Actor<'_>) -> Vec<String> {
        let Some(evidence) = expected.operation.evidence() else {
            return Vec::new();
        };
        if expected.operation.is_write() {
            return evidence.acked_by;
        }
        let held = evidence.answered_by.into_iter();
        let held =
            held.filter(|answer| answer.version.is_some() && answer.version == evidence.version);
        let mut holders: Vec<String> = held.map(|answer| answer.node).collect();
        // Only repairs that a read waits for are known to have come before its answer.
        if self.history.header.read_repair == ReadRepair::Blocking {
            holders.extend(evidence.repaired);
        }
        holders
    }

    /// Nobody who answered had acknowledged. What they have in common otherwise is told by those who did not keep it.
    pub(super) fn no_overlap(&self) -> Option<Attribution> {
        let reader = self.actor(Part::Reader)?;
        let expected = self.expected()?;
        let answers = self.answers()?;
        let holders = self.holders(expected);
        let is_in_both = |answer: &crate::history::Answer| holders.contains(&answer.node);
        if holders.is_empty() || answers.each.iter().any(is_in_both) {
            return None;
        }
        let mut sentences = vec![who(expected, &holders, &answers)];
        if expected.operation.is_write() {
            sentences.push(self.sum(expected, reader, holders.len(), answers.each.len()));
        } else {
            sentences.push(
                "No replica is in both: one that held the newer value was not asked.".to_owned(),
            );
            sentences.extend(self.unrepaired(expected));
        }
        Some(Attribution::inferred(Cause::NoOverlap, sentences))
    }

    /// Who took part, where that tells no cause.
    pub(super) fn took_part(&self) -> Option<String> {
        let expected = self.expected()?;
        let holders = self.holders(expected);
        let answers = self.answers()?;
        (!holders.is_empty()).then(|| who(expected, &holders, &answers))
    }

    /// What N, R and W say about quorums without a common replica.
    fn sum(&self, write: Actor<'_>, reader: Actor<'_>, held: usize, answered: usize) -> String {
        let quorum = self.history.header.quorum;
        let level = |actor: Actor<'_>| actor.operation.level();
        let is_number = |actor| level(actor).is_none_or(|level| level.count().is_some());
        if !self.history.header.settings.is_plain() || !is_number(write) || !is_number(reader) {
            return self.sum_of_levels(write, reader);
        }
        let count = |actor, configured| {
            let count = level(actor).and_then(Level::count);
            count.unwrap_or(configured)
        };
        let (r, w) = (count(reader, quorum.r), count(write, quorum.w));
        let (sum, n) = (u64::from(r) + u64::from(w), quorum.n);
        if sum <= u64::from(n) {
            return format!(
                "No replica is in both: R + W = {sum} is not more than N = {n}, so that may happen."
            );
        }
        format!(
            "No replica is in both, although R + W = {sum} is more than N = {n}: {held} acknowledged and {answered} answered, so \
             one of the quorums was too small or not of this key's replicas."
        )
    }

    /// The same where levels have names, or others may stand in for replicas.
    fn sum_of_levels(&self, write: Actor<'_>, reader: Actor<'_>) -> String {
        let header = &self.history.header;
        let asked = |actor: Actor<'_>| {
            let operation = actor.operation;
            let access = if operation.is_write() {
                Access::Write
            } else {
                Access::Read
            };
            let node = operation.node().map(|node| self.history.node_name(node));
            (access, operation.level(), node)
        };
        let level = |actor: Actor<'_>| {
            let (access, level, _) = asked(actor);
            format!(
                "{}'s level {}",
                actor.letter,
                level.unwrap_or(configured(header, access))
            )
        };
        let (w, r) = (level(write), level(reader));
        let stood_in = [write, reader].map(|actor| {
            let evidence = actor.operation.evidence();
            evidence.is_some_and(|evidence| evidence.extra.contains_key("fallbacks"))
        });
        let others = if stood_in.contains(&true) {
            ", and nodes stood in for replicas"
        } else {
            ""
        };
        if in_common(header, asked(write), asked(reader)) > 0 {
            return format!(
                "No replica is in both, although {w} and {r} always have one in common{others}: one of the quorums was too small or not \
                 of this key's replicas."
            );
        }
        format!(
            "No replica is in both: {w} and {r} need not have one in common{others}, so that may happen."
        )
    }

    /// Why what a read had returned was not everywhere that it had to be.
    fn unrepaired(&self, shown: Actor<'_>) -> Option<String> {
        let letter = shown.letter;
        Some(match self.history.header.read_repair {
            ReadRepair::Blocking => return None,
            ReadRepair::None => {
                format!("{letter} told nobody what it had found: read repair is none.")
            }
            ReadRepair::Async => format!(
                "{letter} did not wait until others had what it found: read repair is async."
            ),
        })
    }
}

/// `B was acknowledged by n1; C was answered by n3.`
pub(super) fn who(expected: Actor<'_>, holders: &[String], answers: &Answers) -> String {
    let holders = list(holders);
    let letter = expected.letter;
    let answered: Vec<String> = answers.each.iter().map(|a| a.node.clone()).collect();
    let held = if expected.operation.is_write() {
        format!("{letter} was acknowledged by {holders}")
    } else {
        format!("{letter} found the newer value at {holders}")
    };
    format!(
        "{held}; {} was answered by {}.",
        answers.by,
        list(&answered)
    )
}
