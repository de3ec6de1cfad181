//! Replicas that do not hold what they had acknowledged, that forgot a delete, or that never got a write.

use std::collections::BTreeSet;

use super::{Actor, Answers, Attribution, Cause, Clues, is_delete, quorums::who};
use crate::explain::words::{duration, list, moment, plural};
use crate::guarantee::Guarantee;
use crate::history::{Answer, FaultKind, FaultWindow, Nanos, Operation, Stamp, Sync};
use crate::witness::Part;

impl Clues<'_> {
    /// Replicas that acknowledged or showed something and later answered as if they had not.
    pub(super) fn not_kept(&self) -> Option<Attribution> {
        let (expected, answers, forgetful) = self.forgetful()?;
        if forgetful.is_empty() || is_delete(expected.operation) && forgetful.iter().any(is_bare) {
            return None;
        }
        let holders = self.holders(expected);
        let mut sentences = vec![who(expected, &holders, &answers)];
        let mut crashes = Vec::new();
        for answer in &forgetful {
            let node = &answer.node;
            let with = if is_bare(answer) {
                "nothing"
            } else {
                "an older version"
            };
            sentences.push(format!(
                "{node} is in both, and answered with {with}: it did not keep what it had held."
            ));
            let crash = self.crash(node, expected.operation);
            crashes.extend(crash);
            match crash {
                Some(fault) => sentences.extend(self.lost(node, fault, expected)),
                None => sentences.push(format!("No crash of {node} is recorded in between.")),
            }
        }
        crashes.dedup_by_key(|fault| &fault.id);
        let cause = if crashes.is_empty() {
            Cause::NotKept
        } else {
            Cause::LostInCrash
        };
        let attribution = Attribution::inferred(cause, sentences);
        Some(crashes.into_iter().fold(attribution, Attribution::naming))
    }

    /// Replicas that acknowledged a delete and answered as if they had never heard of the key.
    pub(super) fn forgotten_delete(&self) -> Option<Attribution> {
        let (delete, answers, forgetful) = self.forgetful()?;
        let bare: Vec<String> = forgetful
            .iter()
            .filter(|answer| is_bare(answer))
            .map(|answer| answer.node.clone())
            .collect();
        if bare.is_empty() || !is_delete(delete.operation) {
            return None;
        }
        let mut sentences = vec![
            who(delete, &self.holders(delete), &answers),
            format!(
                "{} acknowledged the delete and answered with no version at all, not even the mark of a delete (a tombstone).",
                list(&bare)
            ),
        ];
        let older = self.actor(Part::Older).and_then(Actor::stamp);
        let holders = answers
            .each
            .iter()
            .filter(|a| older.is_some() && a.version == older);
        let holders: Vec<String> = holders.map(|answer| answer.node.clone()).collect();
        if !holders.is_empty() {
            sentences.push(format!(
                "{} held what was deleted, and nothing stood against it.",
                list(&holders)
            ));
        }
        Some(Attribution::inferred(Cause::ForgottenDelete, sentences))
    }

    /// What had to be seen, what was answered, and those answers that contradict an acknowledgement of the same replica.
    fn forgetful(&self) -> Option<(Actor<'_>, Answers, Vec<Answer>)> {
        let expected = self.expected()?;
        let stamp = expected.stamp()?;
        let answers = self.answers()?;
        let holders = self.holders(expected);
        let older = self.actor(Part::Older).and_then(Actor::stamp);
        // Smaller is not enough: a store may stamp one write differently at each replica. It must be known as another write's.
        let is_other = |held: &Stamp| {
            let is_older = older.as_ref() == Some(held) || answers.returned.as_ref() == Some(held);
            *held < stamp && (is_older || self.actor(Part::Reader).is_none())
        };
        let forgot = |answer: &&Answer| {
            holders.contains(&answer.node) && answer.version.as_ref().is_none_or(is_other)
        };
        let forgetful = answers.each.iter().filter(forgot).cloned().collect();
        Some((expected, answers, forgetful))
    }

    /// The last death of a node after it may have got something and before it answered without.
    fn crash(&self, node: &str, since: &Operation) -> Option<&FaultWindow> {
        let reader = self.actor(Part::Reader).map(|reader| reader.operation);
        let ends = reader.into_iter().chain(self.census()).map(|op| op.ret);
        let until = ends.max().unwrap_or(Nanos::NEVER);
        let kills = |fault: &&FaultWindow| {
            fault.may_forget()
                && fault.nodes.iter().any(|other| other == node)
                && fault.effect.is_none_or(|(known, _)| known >= since.call)
                && fault.injected <= until
        };
        self.history.faults.iter().rfind(kills)
    }

    /// A death, and what it means for records that were acknowledged before it.
    fn lost(&self, node: &str, fault: &FaultWindow, expected: Actor<'_>) -> [String; 2] {
        let died = match fault.kind {
            FaultKind::Crash => "died by itself",
            _ => "was killed",
        };
        let at = moment(fault.injected);
        let after = match fault.injected.since(expected.operation.ret).0 {
            0 => format!("while {} was under way", expected.letter),
            ns => format!("{} after {} had ended", duration(ns), expected.letter),
        };
        let means = match self.history.header.sync {
            Sync::EveryMs(ms) => format!(
                "Its log is synced every {ms} ms: what it had acknowledged and not synced is gone."
            ),
            Sync::EachWrite => "Its log is to be synced before each acknowledgement: it acknowledged too early, or lost \
                 what was synced."
                .to_owned(),
        };
        [
            format!("{node} {died} at {at} (fault {}), {after}.", fault.id),
            means,
        ]
    }

    /// For replicas that differ in the end: what each of them holds, and who had acknowledged the newest of it.
    pub(super) fn missed_write(&self) -> Option<Attribution> {
        if !self.is(Guarantee::Convergence) {
            return None;
        }
        let answers = self.answers()?;
        let held: Vec<&Answer> = answers.each.iter().filter(|a| !is_bare(a)).collect();
        let newest = held
            .iter()
            .filter_map(|answer| answer.version.as_ref())
            .max()?;
        let told = held.iter().filter_map(|answer| {
            let stamp = answer.version.as_ref()?;
            Some(format!(
                "{} {} of {}",
                answer.node, stamp.wall_ns, stamp.node
            ))
        });
        let told: Vec<String> = told.collect();
        let mut sentences = vec![format!("The stamps they hold: {}.", list(&told))];
        let behind = self
            .census()
            .filter(|op| op.status == crate::history::Status::Ok);
        let behind: BTreeSet<&str> = behind
            .filter(|op| {
                op.evidence()
                    .is_some_and(|e| e.version.as_ref() != Some(newest))
            })
            .filter_map(|op| Some(self.history.node_name(op.node()?)))
            .collect();
        let behind: Vec<String> = behind.into_iter().map(str::to_owned).collect();
        if behind.is_empty() {
            let same =
                "They are the same: replicas chose differently between versions of one stamp.";
            sentences.push(same.to_owned());
            return Some(Attribution::inferred(Cause::TimestampTie, sentences));
        }
        let Some(missed) = self.written_as(newest, &behind) else {
            sentences.push(
                "No write of this key is known by the largest of them: its outcome was never told, or the replicas did not \
                 take one stamp for one write."
                    .to_owned(),
            );
            return Some(Attribution::inferred(Cause::UnknownStamp, sentences));
        };
        sentences.push(missed);
        Some(Attribution::inferred(Cause::MissedWrite, sentences))
    }

    /// The write that has this stamp, and what became of it at the replicas that are behind.
    fn written_as(&self, newest: &Stamp, behind: &[String]) -> Option<String> {
        let key = self.census().next()?.key;
        let has_it =
            |op: &&Operation| op.evidence().and_then(|e| e.version).as_ref() == Some(newest);
        let mut writes = self.history.operations.iter();
        let write = writes.find(|op| op.key == key && op.is_write() && has_it(op))?;
        let evidence = write.evidence()?;
        let acked: Vec<String> = evidence.acked_by;
        let denies = behind.iter().any(|node| acked.contains(node));
        let which = plural(behind.len(), "does", "do");
        Some(if denies {
            format!(
                "The newest is c{}'s write at {}; {} had acknowledged it, and yet {} {which} not hold it.",
                write.process,
                moment(write.call),
                list(&acked),
                list(behind)
            )
        } else {
            format!(
                "The newest is c{}'s write at {}, acknowledged by {}; {} {which} not hold it: it came too late or never, and \
             only reads that find a replica behind send a write again.",
                write.process,
                moment(write.call),
                list(&acked),
                list(behind)
            )
        })
    }
}

fn is_bare(answer: &Answer) -> bool {
    answer.version.is_none()
}
