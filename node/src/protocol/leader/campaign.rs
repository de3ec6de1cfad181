//! How a silent leader is replaced.
//!
//! A node that misses the leader may first ask the others whether they hear it. Then it takes a term of its own, asks them to follow
//! nothing smaller, and learns how far their logs are. What it makes of the answers is the promotion rule's. An election and a promotion
//! of the most advanced node differ only in who finds out: voters deny a candidate that is behind, or the candidate counts and
//! nominates another.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::NodeId;
use crate::protocol::message::RequestId;
use crate::protocol::time::{Nanos, Now};

use super::config::Promotion;
use super::interface::LeaderOutput;
use super::journal::Then;
use super::message::LeaderMessage;
use super::node::{LeaderNode, Part};
use super::progress::majority;
use super::record::LeaderRecord;
use super::term::{Position, Term};

/// A failover that this node tries to end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outage {
    /// When it last heard the old leader.
    pub(super) heard_at: Nanos,
    /// When it acted first.
    pub(super) acted_at: Nanos,
}

/// How far a candidate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It asks whether others hear the leader.
    Probing(RequestId),
    /// It waits until its term is durable.
    Preparing,
    /// It asks for promises.
    Canvassing,
}

/// What a peer said to a candidate.
#[derive(Clone, Copy, Debug)]
struct Answer {
    /// It is for this candidate; of a probe: it does not hear the leader.
    granted: bool,
    /// The end of its log; nothing of a probe.
    last: Position,
}

/// A candidate's state.
#[derive(Debug)]
pub(super) struct Campaign {
    stage: Stage,
    /// When it stops waiting for answers.
    pub(super) due: Nanos,
    answers: BTreeMap<NodeId, Answer>,
    /// When the leases that were granted by those who answered have run out.
    leases_until: Nanos,
}

/// What a candidate makes of its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    Wait,
    GiveUp,
    Canvass,
    Lead,
    Nominate(NodeId),
}

impl LeaderNode {
    /// No sign of a leader for too long.
    pub(super) fn suspect(&mut self, now: Now, out: &mut Vec<LeaderOutput>) {
        self.lost_at.get_or_insert(now.monotonic);
        if !self.config.ask_first || self.config.promotion == Promotion::AnyFollower {
            self.canvass(now, out);
            return;
        }
        let id = self.next_id();
        self.part = Part::Candidate(self.campaign(now, Stage::Probing(id)));
        self.send_all(&LeaderMessage::Probe { id }, out);
        self.decide(now, false, out);
    }

    fn campaign(&self, now: Now, stage: Stage) -> Campaign {
        Campaign {
            stage,
            due: now.monotonic.after(self.poll()),
            answers: BTreeMap::new(),
            leases_until: self.promise.until(),
        }
    }

    fn poll(&self) -> Duration {
        Duration::from_millis(self.config.poll_ms)
    }

    fn send_all(&self, message: &LeaderMessage, out: &mut Vec<LeaderOutput>) {
        for to in self.peers.iter().copied() {
            let message = message.clone();
            out.push(LeaderOutput::Send { to, message });
        }
    }

    /// Takes a new term, in which only this node may lead.
    fn canvass(&mut self, now: Now, out: &mut Vec<LeaderOutput>) {
        let Some(term) = self.term.next(self.me, self.epoch) else {
            self.give_up(now);
            return;
        };
        self.term = term;
        self.persist(LeaderRecord::Promised(term), out);
        self.lost_at.get_or_insert(now.monotonic);
        let outage = Outage {
            heard_at: self.heard_at,
            acted_at: now.monotonic,
        };
        self.outage.get_or_insert(outage);
        self.part = Part::Candidate(self.campaign(now, Stage::Preparing));
        self.after_all(now, Then::Canvass(term), out);
    }

    /// The term of a candidate is durable.
    pub(super) fn canvass_durably(&mut self, now: Now, term: Term, out: &mut Vec<LeaderOutput>) {
        let last = self.log.last();
        match &mut self.part {
            Part::Candidate(campaign)
                if term == self.term && campaign.stage == Stage::Preparing =>
            {
                campaign.stage = Stage::Canvassing;
            }
            _ => return,
        }
        if self.config.promotion != Promotion::AnyFollower {
            self.send_all(&LeaderMessage::Canvass { term, last }, out);
        }
        self.decide(now, false, out);
    }

    /// Another node misses the leader.
    pub(super) fn hear_probe(
        &mut self,
        now: Now,
        from: NodeId,
        id: RequestId,
        out: &mut Vec<LeaderOutput>,
    ) {
        let detect = Duration::from_millis(self.config.detect_ms);
        let leader = match &self.part {
            Part::Leader(_) => true,
            Part::Candidate(_) => false,
            Part::Follower(following) => {
                following.leader.is_some() && now.monotonic < self.heard_at.after(detect)
            }
        };
        let message = LeaderMessage::Hearing { id, leader };
        out.push(LeaderOutput::Send { to: from, message });
    }

    /// The answer to a probe.
    pub(super) fn hear_hearing(
        &mut self,
        now: Now,
        from: NodeId,
        id: RequestId,
        leader: bool,
        out: &mut Vec<LeaderOutput>,
    ) {
        if let Part::Candidate(campaign) = &mut self.part
            && campaign.stage == Stage::Probing(id)
        {
            let answer = Answer {
                granted: !leader,
                last: Position::default(),
            };
            campaign.answers.insert(from, answer);
            self.decide(now, false, out);
        }
    }

    /// Another node wants to lead.
    pub(super) fn hear_canvass(
        &mut self,
        now: Now,
        from: NodeId,
        term: Term,
        last: Position,
        out: &mut Vec<LeaderOutput>,
    ) {
        // Who leads and cannot be fenced does not believe that it needs a successor.
        let leads_on = matches!(self.part, Part::Leader(_)) && !self.config.fencing;
        if term.node != from || leads_on {
            return;
        }
        if term < self.term {
            let promised = self.term;
            let message = LeaderMessage::Fenced { promised };
            out.push(LeaderOutput::Send { to: from, message });
            return;
        }
        self.promise(now, term, out);
        let patience = self.patience(now);
        let Part::Follower(following) = &mut self.part else {
            return;
        };
        if following.leader.is_some() {
            // It heard this candidate lead already: the question is late.
            return;
        }
        let is_election = self.config.promotion == Promotion::Election;
        let granted = !is_election || last >= self.log.last();
        if granted {
            following.due = patience;
        }
        let ballot = LeaderMessage::Ballot {
            term,
            granted,
            last: self.log.last(),
            lease_left_ns: self.promise.left_ns(now),
        };
        self.after_all(now, Then::Send(term, from, ballot), out);
    }

    /// Somebody promised more than this node asked for.
    pub(super) fn hear_fenced(&mut self, now: Now, promised: Term, out: &mut Vec<LeaderOutput>) {
        let leads_on = matches!(self.part, Part::Leader(_)) && !self.config.fencing;
        if !leads_on {
            self.promise(now, promised, out);
        }
    }

    /// A voter promised.
    pub(super) fn hear_ballot(
        &mut self,
        now: Now,
        from: NodeId,
        term: Term,
        (granted, last, lease_left): (bool, Position, Duration),
        out: &mut Vec<LeaderOutput>,
    ) {
        if let Part::Candidate(campaign) = &mut self.part
            && campaign.stage == Stage::Canvassing
            && term == self.term
        {
            campaign.answers.insert(from, Answer { granted, last });
            let until = now.monotonic.after(lease_left);
            campaign.leases_until = campaign.leases_until.max(until);
            self.decide(now, false, out);
        }
    }

    /// A candidate found that this node is more advanced.
    pub(super) fn hear_nominate(&mut self, now: Now, term: Term, out: &mut Vec<LeaderOutput>) {
        if term == self.term
            && let Part::Follower(following) = &self.part
            && following.leader.is_none()
        {
            self.canvass(now, out);
        }
    }

    /// Looks whether the answers are enough. `ended`: no more are waited for.
    pub(super) fn decide(&mut self, now: Now, ended: bool, out: &mut Vec<LeaderOutput>) {
        let Part::Candidate(campaign) = &self.part else {
            return;
        };
        let leases_until = campaign.leases_until;
        let complete = ended
            || self
                .connected
                .iter()
                .all(|peer| campaign.answers.contains_key(peer));
        let decision = match campaign.stage {
            Stage::Probing(_) => self.judge_probe(campaign, complete),
            Stage::Preparing => Decision::Wait,
            Stage::Canvassing => self.judge_ballots(campaign, complete),
        };
        match decision {
            Decision::Wait if ended => self.give_up(now),
            Decision::Wait => {}
            Decision::GiveUp => self.give_up(now),
            Decision::Canvass => self.canvass(now, out),
            Decision::Lead => self.lead(now, leases_until, out),
            Decision::Nominate(to) => {
                let term = self.term;
                let message = LeaderMessage::Nominate { term };
                out.push(LeaderOutput::Send { to, message });
                self.give_up(now);
            }
        }
    }

    fn judge_probe(&self, campaign: &Campaign, complete: bool) -> Decision {
        let granted = campaign.answers.values().filter(|answer| answer.granted);
        let granted = granted.count();
        let needs = match self.config.promotion {
            // Who takes whatever answers may not hear one who objects.
            Promotion::AnyFollower | Promotion::MostAdvancedOfReachable => {
                let objects = granted < campaign.answers.len();
                if objects {
                    return Decision::GiveUp;
                }
                if complete { 0 } else { usize::MAX }
            }
            Promotion::MostAdvancedOfMajority | Promotion::Election => {
                majority(self.peers.len()) - 1
            }
        };
        if granted >= needs {
            Decision::Canvass
        } else if complete {
            Decision::GiveUp
        } else {
            Decision::Wait
        }
    }

    fn judge_ballots(&self, campaign: &Campaign, complete: bool) -> Decision {
        let granted = campaign.answers.values().filter(|answer| answer.granted);
        let is_majority = granted.count() + 1 >= majority(self.peers.len());
        match self.config.promotion {
            Promotion::AnyFollower => Decision::Lead,
            Promotion::Election if is_majority => Decision::Lead,
            Promotion::MostAdvancedOfMajority if is_majority && complete => {
                self.most_advanced(campaign)
            }
            Promotion::MostAdvancedOfReachable if complete => self.most_advanced(campaign),
            _ => Decision::Wait,
        }
    }

    fn most_advanced(&self, campaign: &Campaign) -> Decision {
        let answers = campaign.answers.iter();
        let best = answers.max_by_key(|(_, answer)| answer.last);
        match best {
            Some((node, answer)) if answer.last > self.log.last() => Decision::Nominate(*node),
            _ => Decision::Lead,
        }
    }

    /// Tries again later.
    fn give_up(&mut self, now: Now) {
        let due = now.monotonic.after(self.poll()).after(self.jitter());
        self.follow(None, due);
    }
}
