//! The node's links to its peers, and when it last heard of each. What travels over them is `link.rs` and `peers.rs`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::config::NodeId;
use crate::protocol::{Nanos, PeerMessage};
use crate::wire::PeerSeen;

use super::outbox::Outbox;

/// What a link carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Parcel {
    /// A message of the protocol.
    Message(PeerMessage),
    /// Are you there?
    Ping,
    /// I am.
    Pong,
}

/// A link that is up.
#[derive(Debug)]
struct Link {
    queue: Outbox<Parcel>,
    /// Parcels lost because the queue was full.
    lost: u64,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Links {
    up: BTreeMap<NodeId, Link>,
    heard: BTreeMap<NodeId, Nanos>,
}

impl Links {
    /// A link is up, and carries what is put into this queue.
    pub(super) fn up(&mut self, peer: NodeId, queue: Outbox<Parcel>) {
        self.up.insert(peer, Link { queue, lost: 0 });
    }

    /// A link is down.
    pub(super) fn down(&mut self, peer: NodeId) {
        if let Some(Link { lost, .. }) = self.up.remove(&peer)
            && lost > 0
        {
            warn!(%peer, lost, "messages were lost while the link was up");
        }
    }

    /// Sends something if the link is up and has room.
    pub(super) fn send(&mut self, to: NodeId, parcel: Parcel) {
        if let Some(link) = self.up.get_mut(&to)
            && !link.queue.put(parcel)
        {
            if link.lost == 0 {
                warn!(peer = %to, "messages are lost: the link is too slow");
            }
            link.lost += 1;
        }
    }

    /// Asks everybody for a sign of life.
    pub(super) fn ping(&mut self) {
        let peers: Vec<NodeId> = self.up.keys().copied().collect();
        for peer in peers {
            self.send(peer, Parcel::Ping);
        }
    }

    /// A peer said something.
    pub(super) fn heard(&mut self, peer: NodeId, at: Nanos) {
        self.heard.insert(peer, at);
    }

    /// Parcels that wait to be sent.
    pub(super) fn queued(&self) -> u64 {
        self.up.values().map(|link| link.queue.waiting()).sum()
    }

    /// What is known of these peers' lives.
    pub(super) fn seen(&self, peers: impl Iterator<Item = NodeId>, now: Nanos) -> Vec<PeerSeen> {
        let ms_since = |then: &Nanos| now.0.saturating_sub(then.0) / 1_000_000;
        let seen = |node| PeerSeen {
            node,
            connected: self.up.contains_key(&node),
            heard_ms_ago: self.heard.get(&node).map(ms_since),
        };
        peers.map(seen).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::RequestId;
    use crate::shell::outbox::outbox;

    use super::*;

    #[test]
    fn a_full_link_loses_the_newest_and_a_missing_one_everything() {
        let peer = NodeId(2);
        let message = |counter| {
            let id = RequestId { epoch: 1, counter };
            Parcel::Message(PeerMessage::Held { id })
        };
        let mut links = Links::default();
        links.send(peer, message(0));
        let (queue, mut sent) = outbox(2, 1 << 20);
        links.up(peer, queue);
        for counter in 1..=5 {
            links.send(peer, message(counter));
        }
        assert_eq!(links.queued(), 2);
        assert_eq!(links.up[&peer].lost, 3);
        assert_eq!(sent.queue.try_recv(), Ok(message(1)));
        assert_eq!(sent.queue.try_recv(), Ok(message(2)));
        links.down(peer);
        assert!(sent.queue.is_closed());
        assert_eq!(links.queued(), 0);
    }

    #[test]
    fn a_peer_is_known_by_what_it_said_last() {
        let (queue, mut sent) = outbox(2, 1 << 20);
        let mut links = Links::default();
        links.up(NodeId(2), queue);
        links.heard(NodeId(3), Nanos(2_000_000));
        links.ping();
        assert_eq!(sent.queue.try_recv(), Ok(Parcel::Ping));
        let seen = links.seen([2, 3].map(NodeId).into_iter(), Nanos(7_000_000));
        let told = |(node, connected, heard_ms_ago)| PeerSeen {
            node: NodeId(node),
            connected,
            heard_ms_ago,
        };
        assert_eq!(seen, [(2, true, None), (3, false, Some(5))].map(told));
    }
}
