//! Who held what had to be seen, and who was asked: quorums that overlap, and quorums that do not.

use super::{Actor, Answers, Attribution, Cause, Clues};
use crate::explain::words::list;
use crate::history::ReadRepair;
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
        let r = reader.operation.level().unwrap_or(quorum.r);
        let w = write.operation.level().unwrap_or(quorum.w);
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
