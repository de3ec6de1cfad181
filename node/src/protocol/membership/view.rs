//! Who reads and who writes a key while the ring changes: placement before and after the change under way, side by side. A view is a
//! fixed value; a new one is made when the state of the ring has changed. It does not know who is alive.
//!
//! The rule is Cassandra's (`ConsistencyLevel.blockForWrite`): a write goes to the old and the new owners and needs one more
//! acknowledgement for each node that it goes to beyond those that reads ask. Then any W + p of N + p replicas meet any R of the N,
//! before reads move and after.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::Xxh3Default;

use crate::config::NodeId;
use crate::protocol::placement::{Placement, Replication};
use crate::protocol::ring::Ring;

use super::state::{Change, Phase, RingState};

/// What a ring change does about nodes that are on their way to be owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// Writes go to them too, and wait for as many acknowledgements more.
    Counted,
    /// They are owners at once, empty as they are, and W stays: a defect, for sabotage.
    Ignored,
}

/// Who is asked about one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owners {
    /// The replicas that reads ask, clockwise.
    pub reads: Vec<NodeId>,
    /// Those that only writes go to: the new owners while they copy, the old ones after reads have moved.
    pub pending: Vec<NodeId>,
}

impl Owners {
    /// All that a write goes to: the replicas that reads ask first, then the pending ones.
    pub fn writes(&self) -> impl Iterator<Item = NodeId> {
        self.reads.iter().chain(&self.pending).copied()
    }

    /// The acknowledgements that a write of quorum `w` waits for.
    pub fn block_for(&self, w: u16) -> usize {
        usize::from(w) + self.pending.len()
    }
}

/// One state of the ring, worked out.
#[derive(Clone, Debug)]
pub struct RingView {
    change: Option<Change>,
    before: Placement,
    after: Option<Placement>,
    fingerprint: u64,
}

impl RingView {
    /// Works out a state of the ring.
    pub fn new(
        state: &RingState,
        tokens_per_node: u32,
        replication: &Replication,
        pending: Pending,
    ) -> RingView {
        let data_centres: BTreeMap<_, _> = state
            .members()
            .map(|(node, member)| (node, member.data_centre.clone()))
            .collect();
        let place = |owners: BTreeMap<NodeId, NodeId>| {
            Placement::new(
                Ring::of(owners, tokens_per_node),
                replication,
                &data_centres,
            )
        };
        let change = state.change();
        let (before, after) = match (change, pending) {
            (None, _) => (state.owners(), None),
            (Some(_), Pending::Counted) => (state.owners(), Some(state.owners_after())),
            (Some(_), Pending::Ignored) => (state.owners_after(), None),
        };
        RingView::of(change, place(before), after.map(place))
    }

    /// A ring that never changes.
    pub fn fixed(placement: Placement) -> RingView {
        RingView::of(None, placement, None)
    }

    fn of(change: Option<Change>, before: Placement, after: Option<Placement>) -> RingView {
        let mut hasher = Xxh3Default::new();
        for placement in [Some(&before), after.as_ref()].into_iter().flatten() {
            for (token, node) in placement.ring().tokens() {
                hasher.update(&token.to_le_bytes());
                hasher.update(&node.0.to_le_bytes());
            }
            hasher.update(b"ring");
        }
        if let Some(change) = change {
            hasher.update(&change.ticket.to_le_bytes());
            hasher.update(&[u8::from(change.phase == Phase::Switch)]);
        }
        RingView {
            change,
            before,
            after,
            fingerprint: hasher.digest(),
        }
    }

    /// Equal on two nodes that see the same ring in the same phase of the same change: then the parts of the ring and the tasks of
    /// the change have the same numbers.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// The change under way.
    pub fn change(&self) -> Option<Change> {
        self.change
    }

    /// Who owns a key, with the number of replicas of the store.
    pub fn owners(&self, key: &str) -> Owners {
        let place = Ring::place_of(key);
        let after = self.after.as_ref().map(|after| after.replicas_at(place));
        self.split(self.before.replicas_at(place), after)
    }

    /// Who owns a key, for a request that asks for `n` replicas instead of the store's number.
    pub fn owners_of(&self, key: &str, n: u16) -> Owners {
        let n = usize::from(n);
        let before = self.before.preference_list(key, n);
        match &self.after {
            Some(after) => self.split(&before, Some(&after.preference_list(key, n))),
            None => Owners {
                reads: before,
                pending: Vec::new(),
            },
        }
    }

    /// The nodes that would stand in for these owners of a key under a sloppy quorum, in this order: the other nodes of the ring,
    /// clockwise (Dynamo 4.6).
    pub fn stand_ins(&self, key: &str, owners: &Owners) -> Vec<NodeId> {
        let mut list = self.reading().preference_list(key, usize::MAX);
        list.retain(|node| owners.writes().all(|owner| owner != *node));
        list
    }

    /// The replicas of every range in the ring as it is, without regard to the change.
    pub fn before(&self) -> &Placement {
        &self.before
    }

    /// The replicas of every range when the change is done; as it is if there is none.
    pub fn after(&self) -> &Placement {
        self.after.as_ref().unwrap_or(&self.before)
    }

    /// The placement that reads follow.
    pub fn reading(&self) -> &Placement {
        if self.switched() {
            self.after()
        } else {
            &self.before
        }
    }

    fn switched(&self) -> bool {
        self.change
            .is_some_and(|change| change.phase == Phase::Switch)
    }

    fn split(&self, before: &[NodeId], after: Option<&[NodeId]>) -> Owners {
        let (reads, others) = match after {
            None => (before, [].as_slice()),
            Some(after) if self.switched() => (after, before),
            Some(after) => (before, after),
        };
        let pending = others.iter().filter(|node| !reads.contains(node));
        Owners {
            reads: reads.to_vec(),
            pending: pending.copied().collect(),
        }
    }
}
