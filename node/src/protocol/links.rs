//! Whom this node can reach: peers with a connection that the failure detector does not believe dead. It speaks to nobody itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::NodeId;

use super::time::Nanos;

/// What is known of the way to each peer.
#[derive(Debug, Default)]
pub(super) struct Links {
    connected: BTreeSet<NodeId>,
    /// Believed dead by the failure detector, if there is one.
    dead: BTreeSet<NodeId>,
    /// Since when peers that are out of reach are so; since the start if there is no entry.
    gone_since: BTreeMap<NodeId, Nanos>,
}

impl Links {
    /// Messages to this peer have a chance from now on.
    pub(super) fn up(&mut self, now: Nanos, peer: NodeId) {
        self.connected.insert(peer);
        self.note(now, peer);
    }

    /// Messages to this peer are lost from now on.
    pub(super) fn down(&mut self, now: Nanos, peer: NodeId) {
        self.connected.remove(&peer);
        self.note(now, peer);
    }

    /// The failure detector has made up its mind.
    pub(super) fn believe(&mut self, now: Nanos, peer: NodeId, is_dead: bool) {
        let before = self.reaches(peer);
        if is_dead {
            self.dead.insert(peer);
        } else {
            self.dead.remove(&peer);
        }
        if before != self.reaches(peer) {
            self.note(now, peer);
        }
    }

    /// Whether it makes sense to send this peer something.
    pub(super) fn reaches(&self, peer: NodeId) -> bool {
        self.connected.contains(&peer) && !self.dead.contains(&peer)
    }

    /// Peers that there is a connection to.
    pub(super) fn connected(&self) -> impl Iterator<Item = NodeId> {
        self.connected.iter().copied()
    }

    /// Peers that are connected and yet believed dead.
    pub(super) fn doubted(&self) -> impl Iterator<Item = NodeId> {
        self.connected.intersection(&self.dead).copied()
    }

    /// For how long a peer has been out of reach, ms; 0 if it is within.
    pub(super) fn gone_ms(&self, now: Nanos, peer: NodeId) -> u64 {
        if self.reaches(peer) {
            return 0;
        }
        let since = self.gone_since.get(&peer).copied().unwrap_or_default();
        now.0.saturating_sub(since.0) / 1_000_000
    }

    fn note(&mut self, now: Nanos, peer: NodeId) {
        if self.reaches(peer) {
            self.gone_since.remove(&peer);
        } else {
            self.gone_since.entry(peer).or_insert(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_believed_dead_is_out_of_reach_however_well_connected() {
        let (peer, mut links) = (NodeId(2), Links::default());
        assert_eq!(
            (links.reaches(peer), links.gone_ms(Nanos(5_000_000), peer)),
            (false, 5)
        );
        links.up(Nanos(6_000_000), peer);
        assert_eq!(
            (links.reaches(peer), links.gone_ms(Nanos(7_000_000), peer)),
            (true, 0)
        );
        links.believe(Nanos(8_000_000), peer, true);
        links.down(Nanos(9_000_000), peer);
        links.up(Nanos(10_000_000), peer);
        assert_eq!(
            (links.reaches(peer), links.gone_ms(Nanos(11_000_000), peer)),
            (false, 3)
        );
        links.believe(Nanos(12_000_000), peer, false);
        assert!(links.reaches(peer));
    }
}
