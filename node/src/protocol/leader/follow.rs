//! What a follower takes from a leader, refuses, and takes out of its log.

use crate::config::NodeId;
use crate::protocol::time::Now;

use super::interface::LeaderOutput;
use super::journal::Then;
use super::message::LeaderMessage;
use super::node::{LeaderNode, Part};
use super::phases::Phase;
use super::record::{Entry, LeaderRecord};
use super::term::{Position, Term};

impl LeaderNode {
    pub(super) fn hear_append(
        &mut self,
        now: Now,
        from: NodeId,
        message: LeaderMessage,
        out: &mut Vec<LeaderOutput>,
    ) {
        let LeaderMessage::Append {
            term,
            sent_ns,
            before,
            entries,
            committed,
        } = message
        else {
            return;
        };
        if term.node != from || !are_consecutive(before, &entries, term) {
            return;
        }
        if !self.takes_from(now, term, out) {
            return;
        }
        self.promise.renew(now);
        if !self.log.holds(before) {
            let hint = self.log.hint(before);
            let message = LeaderMessage::Missing {
                term,
                sent_ns,
                hint,
            };
            out.push(LeaderOutput::Send { to: from, message });
            return;
        }
        let agreed = entries.last().map_or(before, |entry| entry.position);
        self.copy(now, entries, out);
        self.commit = self.commit.max(committed.min(agreed.index));
        if self.log.last() == agreed && committed <= agreed.index {
            self.note_rejoined(now);
        }
        let then = Then::Copied {
            to: from,
            term,
            sent_ns,
            agreed,
        };
        self.after_all(now, then, out);
    }

    /// Whether entries of this term's leader are taken. If it is the latest leader, it is followed from here on.
    fn takes_from(&mut self, now: Now, term: Term, out: &mut Vec<LeaderOutput>) -> bool {
        if term < self.term {
            if self.config.fencing {
                self.tally.fenced += 1;
                let promised = self.term;
                let message = LeaderMessage::Fenced { promised };
                let to = term.node;
                out.push(LeaderOutput::Send { to, message });
                return false;
            }
            // Without a token to tell them by, an old leader's entries are as good as a new one's.
            return matches!(self.part, Part::Follower(_));
        }
        self.promise(now, term, out);
        self.heard_at = now.monotonic;
        self.outage = None;
        let due = self.patience(now);
        let leader = Some(term.node);
        if self.leader() != leader
            && let Some(lost_at) = self.lost_at.take()
        {
            self.note(Phase::Redirect, lost_at, now);
        }
        self.follow(leader, due);
        true
    }

    /// Makes the log that of the leader, as far as these entries tell. They follow something that is in both.
    fn copy(&mut self, now: Now, entries: Vec<Entry>, out: &mut Vec<LeaderOutput>) {
        let mut last = None;
        for entry in entries {
            let position = entry.position;
            if self.log.holds(position) {
                continue;
            }
            if self.log.position(position.index).is_some() {
                self.cut(position.index, out);
            }
            if self.log.append(entry.clone()) {
                self.persist(LeaderRecord::Appended(entry), out);
                last = Some(position);
            }
        }
        if let Some(position) = last {
            self.after_all(now, Then::Durable(position), out);
        }
    }

    /// Takes out what another leader put where the leader has something else. This is where acknowledged writes are lost.
    fn cut(&mut self, from: u64, out: &mut Vec<LeaderOutput>) {
        let cut = self.log.truncate(from);
        self.tally.truncated += cut.entries;
        self.tally.truncated_acknowledged += cut.acknowledged;
        self.commit = self.commit.min(self.log.last().index);
        self.persist(LeaderRecord::Truncated { from }, out);
    }

    fn note_rejoined(&mut self, now: Now) {
        if let Some(since) = self.rejoining.take() {
            self.note(Phase::Rejoin, since, now);
        }
    }
}

/// Whether these entries may follow each other in a log of this term's leader.
fn are_consecutive(before: Position, entries: &[Entry], term: Term) -> bool {
    let mut last = before;
    entries.iter().all(|entry| {
        let next = entry.position;
        let follows = last.index.checked_add(1) == Some(next.index) && last.term <= next.term;
        last = next;
        follows
    }) && last.term <= term
}
