//! What a leader knows of its followers, and what follows from it. It sends nothing.

use std::collections::BTreeMap;

use crate::config::NodeId;
use crate::protocol::time::Nanos;

use super::config::Replication;

/// How far a follower may be ahead of its acknowledgements, entries.
const WINDOW_ENTRIES: u64 = 4_096;

/// One follower.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    /// The last index that it holds durably, as far as it said.
    pub(super) matched: u64,
    /// What it is sent next.
    pub(super) next: u64,
    /// When the latest of the messages that it answered was sent.
    pub(super) heard: Option<Nanos>,
    /// Whether it said something since the last heartbeat.
    answered: bool,
    /// When it was sent back to an earlier entry.
    reset_at: Nanos,
}

impl Progress {
    /// A follower that is believed to hold everything up to here; it will say if it does not.
    pub(super) fn new(last: u64) -> Progress {
        Progress {
            matched: 0,
            next: last.saturating_add(1),
            heard: None,
            answered: true,
            reset_at: Nanos(0),
        }
    }

    /// It durably holds everything up to `matched`; the message that it answers was sent at `sent`.
    pub(super) fn copied(&mut self, matched: u64, sent: Nanos) {
        self.matched = self.matched.max(matched);
        self.next = self.next.max(self.matched.saturating_add(1));
        self.heard = self.heard.max(Some(sent));
        self.answered = true;
    }

    /// It lacks entries. Whether there is something else to send now: not for answers to what was sent before the last time.
    pub(super) fn missing(&mut self, hint: u64, sent: Nanos, now: Nanos) -> bool {
        self.answered = true;
        let next = hint.saturating_add(1);
        if sent < self.reset_at || next >= self.next {
            return false;
        }
        self.reset_at = now;
        self.next = next;
        // It may have lost what it had: a log that is not synced with each write forgets.
        self.matched = self.matched.min(hint);
        true
    }

    /// A heartbeat is due: what was not answered is sent again. Who never answered is sent no more than the heartbeat.
    pub(super) fn beat(&mut self) {
        if !self.answered && self.heard.is_some() {
            self.next = self.matched.saturating_add(1);
        }
        self.answered = false;
    }

    /// The connection is new: what was under way is lost.
    pub(super) fn reconnected(&mut self) {
        self.next = self.next.min(self.matched.saturating_add(1));
    }

    /// Whether it may be sent more before it answers.
    pub(super) fn has_room(&self) -> bool {
        self.next <= self.matched.saturating_add(WINDOW_ENTRIES)
    }
}

/// Nodes that make a majority of all: `followers` and the leader.
pub(super) fn majority(followers: usize) -> usize {
    followers.div_ceil(2) + 1
}

/// The last index with as many durable copies as an acknowledgement needs.
pub(super) fn committed(
    replication: Replication,
    degraded: bool,
    durable: u64,
    followers: &BTreeMap<NodeId, Progress>,
) -> u64 {
    let mut matched: Vec<u64> = followers
        .values()
        .map(|progress| progress.matched)
        .collect();
    match replication {
        Replication::Async => durable,
        Replication::SemiSync { .. } if degraded => durable,
        Replication::SemiSync { k, .. } => {
            matched.sort_unstable_by(|a, b| b.cmp(a));
            let kth = usize::from(k).checked_sub(1);
            kth.map_or(durable, |kth| {
                durable.min(matched.get(kth).copied().unwrap_or(0))
            })
        }
        Replication::Majority => {
            let needed = majority(matched.len());
            matched.push(durable);
            matched.sort_unstable_by(|a, b| b.cmp(a));
            matched.get(needed - 1).copied().unwrap_or(0)
        }
    }
}

/// The latest moment such that a majority, the leader included, has heard what was sent then. None if there is none.
pub(super) fn heard_by_majority(
    now: Nanos,
    followers: &BTreeMap<NodeId, Progress>,
) -> Option<Nanos> {
    let mut heard: Vec<_> = followers.values().map(|progress| progress.heard).collect();
    let needed = majority(heard.len());
    heard.push(Some(now));
    heard.sort_unstable_by(|a, b| b.cmp(a));
    heard.get(needed - 1).copied().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn followers(matched: &[u64]) -> BTreeMap<NodeId, Progress> {
        let ids = (2..).map(NodeId);
        ids.zip(matched.iter().map(|matched| {
            let mut progress = Progress::new(0);
            progress.copied(*matched, Nanos(*matched));
            progress
        }))
        .collect()
    }

    fn semi_sync(k: u16) -> Replication {
        Replication::SemiSync {
            k,
            fallback_ms: None,
        }
    }

    #[test]
    fn majorities() {
        for (followers, needed) in [(0, 1), (1, 2), (2, 2), (3, 3), (4, 3)] {
            assert_eq!(majority(followers), needed);
        }
    }

    #[test]
    fn each_rule_counts_its_copies() {
        let copies = followers(&[5, 8]);
        let count = |replication, degraded| committed(replication, degraded, 7, &copies);
        assert_eq!(count(Replication::Async, false), 7);
        assert_eq!(
            count(semi_sync(1), false),
            7,
            "not before it is durable here"
        );
        assert_eq!(count(semi_sync(2), false), 5);
        assert_eq!(count(semi_sync(2), true), 7);
        assert_eq!(count(semi_sync(3), false), 0, "nobody to wait for");
        assert_eq!(count(Replication::Majority, false), 7);
        assert_eq!(committed(Replication::Majority, false, 1, &copies), 5);
        assert_eq!(
            committed(Replication::Majority, false, 3, &followers(&[])),
            3
        );
    }

    #[test]
    fn a_lease_needs_a_majority_that_heard() {
        let heard = |matched: &[u64]| heard_by_majority(Nanos(10), &followers(matched));
        assert_eq!(heard(&[]), Some(Nanos(10)));
        assert_eq!(heard(&[3, 6]), Some(Nanos(6)));
        assert_eq!(heard(&[3, 4, 6, 9]), Some(Nanos(6)));
        let silent = BTreeMap::from([(NodeId(2), Progress::new(0))]);
        assert_eq!(heard_by_majority(Nanos(10), &silent), None);
    }

    #[test]
    fn what_is_not_answered_is_sent_again() {
        let mut progress = Progress::new(0);
        progress.copied(0, Nanos(1));
        progress.next = 5;
        progress.beat();
        assert_eq!(progress.next, 5, "it has time until the next heartbeat");
        progress.beat();
        assert_eq!(progress.next, 1);
    }

    #[test]
    fn a_follower_that_forgot_or_reconnected_is_sent_everything_again() {
        let mut progress = Progress::new(9);
        progress.copied(7, Nanos(1));
        assert!(progress.missing(4, Nanos(2), Nanos(3)));
        assert_eq!((progress.matched, progress.next), (4, 5));
        progress.next = 8;
        progress.reconnected();
        assert_eq!(progress.next, 5);
    }

    #[test]
    fn old_complaints_are_not_heard_twice() {
        let mut progress = Progress::new(9);
        assert!(progress.missing(4, Nanos(1), Nanos(2)));
        progress.next = 8;
        assert!(!progress.missing(4, Nanos(1), Nanos(3)));
        assert_eq!(progress.next, 8);
        assert!(progress.missing(4, Nanos(2), Nanos(3)));
        assert_eq!(progress.next, 5);
    }
}
