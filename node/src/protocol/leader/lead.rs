//! What a leader does of itself: putting entries into the log, sending them, and finding out when they are committed.
//!
//! Who may become one is decided in `campaign.rs`; what clients are told in `serve.rs`.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::config::NodeId;
use crate::protocol::time::{Nanos, Now};

use super::campaign::Outage;
use super::config::{LeaderConfig, Replication};
use super::forward::Asker;
use super::interface::LeaderOutput;
use super::journal::Then;
use super::lease::Lease;
use super::message::LeaderMessage;
use super::node::{LeaderNode, Part};
use super::phases::Phase;
use super::progress::{Progress, committed, heard_by_majority};
use super::record::{Change, Entry, LeaderRecord};
use super::term::{Position, Term};

/// A write that waits for its copies.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) asker: Asker,
    pub(super) expiry: Nanos,
}

/// What a leader knows.
#[derive(Debug)]
pub(super) struct Leadership {
    /// When it became the leader.
    pub(super) since: Nanos,
    /// When the leases of its predecessors have run out.
    pub(super) serves_from: Nanos,
    /// Whether that was still ahead at the last look.
    waits: bool,
    /// Whether it has begun to serve.
    is_open: bool,
    /// The first entry of its term.
    pub(super) first: u64,
    pub(super) followers: BTreeMap<NodeId, Progress>,
    next_heartbeat: Nanos,
    pub(super) lease: Lease,
    /// Writes that clients wait for, by index. Those of larger indices expire later.
    pub(super) pending: BTreeMap<u64, Pending>,
    /// Entries that are not committed, each with the time at which it was put into the log.
    uncommitted: VecDeque<(u64, Nanos)>,
    /// Whether a semi-synchronous leader has waited too long, and waits no more.
    pub(super) degraded: bool,
    /// What it acknowledged since the last heartbeat.
    acknowledged: Vec<u64>,
}

impl Leadership {
    /// When something is due.
    pub(super) fn deadline(&self, config: &LeaderConfig) -> Nanos {
        let serving = self.waits.then_some(self.serves_from);
        let expiry = self.pending.values().next().map(|pending| pending.expiry);
        let others = [
            serving,
            expiry,
            self.lease.timer(),
            self.fallback_due(config),
        ];
        let others = others.into_iter().flatten();
        others.fold(self.next_heartbeat, Nanos::min)
    }

    /// When it stops waiting for followers.
    fn fallback_due(&self, config: &LeaderConfig) -> Option<Nanos> {
        let Replication::SemiSync {
            fallback_ms: Some(fallback_ms),
            ..
        } = config.replication
        else {
            return None;
        };
        let (_, since) = self.uncommitted.front().filter(|_| !self.degraded)?;
        Some(since.after(Duration::from_millis(fallback_ms)))
    }

    /// Whether enough followers have everything, so that it can wait for them again.
    fn has_caught_up(&self, k: u16, last: u64) -> bool {
        let current = |progress: &&Progress| progress.matched >= last;
        self.followers.values().filter(current).count() >= usize::from(k)
    }
}

impl LeaderNode {
    /// Becomes the leader of the term that it promised, which is durable.
    pub(super) fn lead(&mut self, now: Now, serves_from: Nanos, out: &mut Vec<LeaderOutput>) {
        let last = self.log.last().index;
        if self.config.replication != Replication::Majority {
            // A promoted standby replays all that it received. Only a majority log can tell what of that was acknowledged.
            self.commit = last;
        }
        let followers = self.peers.iter().map(|peer| (*peer, Progress::new(last)));
        self.part = Part::Leader(Box::new(Leadership {
            since: now.monotonic,
            serves_from,
            waits: serves_from > now.monotonic,
            is_open: false,
            first: last.saturating_add(1),
            followers: followers.collect(),
            next_heartbeat: now.monotonic,
            lease: Lease::new(&self.config),
            pending: BTreeMap::new(),
            uncommitted: VecDeque::new(),
            degraded: false,
            acknowledged: Vec::new(),
        }));
        self.tally.promotions += 1;
        self.rejoining = None;
        self.lost_at = None;
        if let Some(outage) = self.outage.take() {
            let Outage { heard_at, acted_at } = outage;
            self.phases
                .add(Phase::Detect, self.term, heard_at, acted_at);
            self.note(Phase::Elect, acted_at, now);
        }
        self.put_in(now, None, out);
        self.lead_on(now, out);
    }

    /// Ceases to lead. Nobody knows what becomes of the writes under way.
    pub(super) fn step_down(&mut self, now: Now, out: &mut Vec<LeaderOutput>) {
        let due = self.patience(now);
        let Part::Leader(leadership) = &mut self.part else {
            return;
        };
        let pending = std::mem::take(&mut leadership.pending);
        let acknowledged = std::mem::take(&mut leadership.acknowledged);
        self.follow(None, due);
        self.rejoining = Some(now.monotonic);
        self.heard_at = now.monotonic;
        if !acknowledged.is_empty() {
            self.persist(LeaderRecord::Acknowledged(acknowledged), out);
        }
        for (index, Pending { asker, .. }) in pending {
            let why = format!("{} leads no more", self.me);
            self.answer_unknown(asker, index, why, out);
        }
    }

    /// Puts an entry at the end of the log and sends it. None if there is no index left.
    pub(super) fn put_in(
        &mut self,
        now: Now,
        change: Option<Change>,
        out: &mut Vec<LeaderOutput>,
    ) -> Option<Position> {
        let index = self.log.last().index.checked_add(1)?;
        let term = self.term;
        let position = Position { term, index };
        let entry = Entry { position, change };
        if !self.log.append(entry.clone()) {
            return None;
        }
        if let Part::Leader(leadership) = &mut self.part {
            leadership.uncommitted.push_back((index, now.monotonic));
        }
        self.persist(LeaderRecord::Appended(entry), out);
        self.after_all(now, Then::Durable(position), out);
        for peer in self.peers.clone() {
            self.send_entries(now, peer, false, out);
        }
        Some(position)
    }

    /// Sends a follower what it lacks, as much as one message carries. A heartbeat is sent even if that is nothing.
    fn send_entries(
        &mut self,
        now: Now,
        to: NodeId,
        is_heartbeat: bool,
        out: &mut Vec<LeaderOutput>,
    ) {
        let Part::Leader(leadership) = &mut self.part else {
            return;
        };
        let Some(progress) = leadership.followers.get_mut(&to) else {
            return;
        };
        if !self.connected.contains(&to) {
            return;
        }
        let Some(before) = self.log.position(progress.next.saturating_sub(1)) else {
            return;
        };
        let entries = if progress.has_room() {
            self.log.batch(before.index)
        } else {
            Vec::new()
        };
        if entries.is_empty() && !is_heartbeat {
            return;
        }
        progress.next = progress.next.saturating_add(entries.len() as u64);
        let message = LeaderMessage::Append {
            term: self.term,
            sent_ns: now.monotonic.0,
            before,
            entries,
            committed: self.commit,
        };
        out.push(LeaderOutput::Send { to, message });
    }

    /// A connection to a peer is new: it hears from the leader at once.
    pub(super) fn greet_follower(&mut self, now: Now, peer: NodeId, out: &mut Vec<LeaderOutput>) {
        if let Part::Leader(leadership) = &mut self.part
            && let Some(progress) = leadership.followers.get_mut(&peer)
        {
            progress.reconnected();
            self.send_entries(now, peer, true, out);
        }
    }

    /// A follower holds everything up to `matched`.
    pub(super) fn hear_copied(
        &mut self,
        now: Now,
        from: NodeId,
        term: Term,
        sent: Nanos,
        matched: u64,
        out: &mut Vec<LeaderOutput>,
    ) {
        let last = self.log.last().index;
        let Part::Leader(leadership) = &mut self.part else {
            return;
        };
        if term != self.term || sent > now.monotonic || matched > last {
            return;
        }
        let Some(progress) = leadership.followers.get_mut(&from) else {
            return;
        };
        progress.copied(matched, sent);
        self.renew_lease(now);
        self.commit_more(now, out);
        self.trust_followers_again();
        self.send_entries(now, from, false, out);
    }

    /// A follower lacks what comes before the entries that it was sent.
    pub(super) fn hear_missing(
        &mut self,
        now: Now,
        from: NodeId,
        term: Term,
        sent: Nanos,
        hint: u64,
        out: &mut Vec<LeaderOutput>,
    ) {
        let Part::Leader(leadership) = &mut self.part else {
            return;
        };
        if term == self.term
            && let Some(progress) = leadership.followers.get_mut(&from)
            && progress.missing(hint, sent, now.monotonic)
        {
            self.send_entries(now, from, true, out);
        }
    }

    fn renew_lease(&mut self, now: Now) {
        if let Part::Leader(leadership) = &mut self.part
            && let Some(heard) = heard_by_majority(now.monotonic, &leadership.followers)
        {
            leadership.lease.renew(heard, now);
        }
    }

    /// A degraded leader waits for followers again, once enough of them have everything.
    fn trust_followers_again(&mut self) {
        if let Part::Leader(leadership) = &mut self.part
            && let Replication::SemiSync { k, .. } = self.config.replication
            && leadership.degraded
            && leadership.has_caught_up(k, self.log.last().index)
        {
            leadership.degraded = false;
        }
    }

    /// Finds out what is committed by now, and answers those who waited for it.
    ///
    /// Only entries of the leader's own term count (Raft, section 5.4.2): with one of them everything before it is committed.
    pub(super) fn commit_more(&mut self, now: Now, out: &mut Vec<LeaderOutput>) {
        let Part::Leader(leadership) = &mut self.part else {
            return;
        };
        let reached = committed(
            self.config.replication,
            leadership.degraded,
            self.log.durable(),
            &leadership.followers,
        );
        if reached >= leadership.first && reached > self.commit {
            self.commit = reached;
            let waits = leadership.pending.split_off(&reached.saturating_add(1));
            let done = std::mem::replace(&mut leadership.pending, waits);
            let uncommitted = &mut leadership.uncommitted;
            let reached_here = uncommitted.partition_point(|(index, _)| *index <= reached);
            uncommitted.drain(..reached_here);
            leadership.acknowledged.extend(done.keys());
            for (index, Pending { asker, .. }) in done {
                self.answer_written(asker, index, out);
            }
        }
        self.note_open(now);
    }

    /// Everything that a leader does because time passed.
    pub(super) fn lead_on(&mut self, now: Now, out: &mut Vec<LeaderOutput>) {
        let Part::Leader(leadership) = &mut self.part else {
            return;
        };
        leadership.lease.tick(now);
        leadership.waits &= leadership.serves_from > now.monotonic;
        let fallback = leadership.fallback_due(&self.config);
        if fallback.is_some_and(|due| due <= now.monotonic) {
            leadership.degraded = true;
        }
        let is_overdue = |pending: &Pending| pending.expiry <= now.monotonic;
        let overdue = leadership.pending.iter();
        let overdue: Vec<u64> = overdue
            .take_while(|(_, pending)| is_overdue(pending))
            .map(|(index, _)| *index)
            .collect();
        let is_beat = leadership.next_heartbeat <= now.monotonic;
        self.commit_more(now, out);
        for index in overdue {
            self.expire_pending(index, out);
        }
        if is_beat {
            self.beat(now, out);
        }
        self.note_open(now);
    }

    /// Sends the heartbeat, and saves what was acknowledged since the last.
    fn beat(&mut self, now: Now, out: &mut Vec<LeaderOutput>) {
        let Part::Leader(leadership) = &mut self.part else {
            return;
        };
        let period = Duration::from_millis(self.config.heartbeat_ms);
        leadership.next_heartbeat = now.monotonic.after(period);
        leadership.followers.values_mut().for_each(Progress::beat);
        let acknowledged = std::mem::take(&mut leadership.acknowledged);
        self.renew_lease(now);
        if !acknowledged.is_empty() {
            self.persist(LeaderRecord::Acknowledged(acknowledged), out);
        }
        for peer in self.peers.clone() {
            self.send_entries(now, peer, true, out);
        }
    }

    fn note_open(&mut self, now: Now) {
        if self.may_serve_reads(now).is_ok()
            && let Part::Leader(leadership) = &mut self.part
            && !leadership.is_open
        {
            leadership.is_open = true;
            let since = leadership.since;
            self.note(Phase::Open, since, now);
        }
    }
}
