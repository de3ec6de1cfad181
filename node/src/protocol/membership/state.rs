//! Who is in the ring, and on the way in or out: what administrators decided, as every node has heard it so far. It is a join
//! semilattice: any two views merge into one, in any order and as often as one likes, so gossip may repeat and overtake. It does not know who
//! is alive: a dead node stays in the ring until somebody decides otherwise (Dynamo 4.8).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::{Deserialize, Serialize};

use crate::config::{NODES_MAX, NodeId};

/// Longest name of a data centre, bytes.
pub const DATA_CENTRE_BYTES_MAX: usize = 64;

/// How far a change has got. In both phases writes go to the old *and* the new owners. Nodes learn of a phase at different times,
/// so only neighbouring phases may meet, and do (as in Cassandra's transactional cluster metadata).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Phase {
    /// The new owners copy; reads ask the old owners.
    Copy,
    /// The new owners have everything; reads ask them.
    Switch,
}

/// A node's place in the ring. The order is that in which one version beats another of the same number: a switch beats an abort
/// that did not know of it, because reads have moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Status {
    /// In.
    Normal,
    /// On its way out: still an owner.
    Leaving(Phase),
    /// Out. It is remembered, so that older news cannot bring it back.
    Removed,
    /// On its way in: pending.
    Joining(Phase),
}

/// One stay of a node in the ring, from coming to going. A node whose place was taken may come back later, for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stay {
    /// The node.
    pub node: NodeId,
    /// The how manieth of its stays, from 1.
    pub number: u64,
}

/// What was decided about one node. The larger of two versions wins; the order of the fields is the order of comparison, so that two
/// administrators who decide at once, each with the same number, are still understood alike by everybody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RingMember {
    /// How often something was decided about the node.
    pub version: u64,
    /// What was decided.
    pub status: Status,
    /// The node that took the command.
    pub author: NodeId,
    /// Where its change stands in the queue of changes: smaller is earlier.
    pub ticket: u64,
    /// How often it has been told to come into the ring.
    pub stay: u64,
    /// Whose place it takes: a dead node's, in that stay.
    pub replaces: Option<Stay>,
    /// Whose tokens it has: its own, or those of a node replaced.
    pub tokens_of: NodeId,
    /// The data centre it is in; may be empty.
    pub data_centre: String,
}

impl RingMember {
    /// Whether it owns what its tokens say, unless somebody has taken its place.
    pub(super) fn is_owner(&self) -> bool {
        matches!(self.status, Status::Normal | Status::Leaving(_))
    }

    pub(super) fn phase(&self) -> Option<Phase> {
        match self.status {
            Status::Joining(phase) | Status::Leaving(phase) => Some(phase),
            Status::Normal | Status::Removed => None,
        }
    }
}

/// The change that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Change {
    /// The node that comes or goes.
    pub node: NodeId,
    /// What happens.
    pub kind: ChangeKind,
    /// How far it is.
    pub phase: Phase,
    /// Its place in the queue; with the node it tells this change from earlier ones of the same node.
    pub ticket: u64,
}

/// What kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ChangeKind {
    /// A node comes, with tokens of its own.
    Join,
    /// A node comes and takes the tokens of this one, which is dead.
    Replace(NodeId),
    /// A node goes.
    Leave,
}

/// Everything that was decided, as one node knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingState {
    pub(super) members: BTreeMap<NodeId, RingMember>,
}

/// A view that no cluster can have. Only a malformed message or record holds one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// An impossible node.
    #[error("{0} in the ring: ids are 1 to {NODES_MAX}")]
    Node(NodeId),
    /// A name that is too long.
    #[error("a data centre's name of {0} bytes: at most {DATA_CENTRE_BYTES_MAX} are remembered")]
    DataCentre(usize),
}

impl RingState {
    /// The ring that a cluster begins with: these nodes, each in its data centre. The same for everybody who is told the same.
    pub fn initial(nodes: impl IntoIterator<Item = (NodeId, String)>) -> RingState {
        let member = |(node, data_centre)| {
            let member = RingMember {
                version: 1,
                status: Status::Normal,
                author: node,
                ticket: 0,
                stay: 1,
                replaces: None,
                tokens_of: node,
                data_centre,
            };
            (node, member)
        };
        RingState {
            members: nodes.into_iter().map(member).collect(),
        }
    }

    /// Refuses what no cluster can have decided. To be asked of every view that was read or heard.
    pub fn validate(&self) -> Result<(), StateError> {
        let possible = |node: NodeId| (1..=NODES_MAX).contains(&node.0);
        for (node, member) in &self.members {
            let named = [*node, member.author, member.tokens_of];
            let strange = named
                .into_iter()
                .chain(member.replaces.map(|stay| stay.node))
                .find(|node| !possible(*node));
            if let Some(strange) = strange {
                return Err(StateError::Node(strange));
            }
            if member.data_centre.len() > DATA_CENTRE_BYTES_MAX {
                return Err(StateError::DataCentre(member.data_centre.len()));
            }
        }
        Ok(())
    }

    /// Learns what another view knows. True if that was anything new.
    pub fn merge(&mut self, other: &RingState) -> bool {
        let mut learnt = false;
        for (node, theirs) in &other.members {
            match self.members.entry(*node) {
                Entry::Vacant(entry) => {
                    entry.insert(theirs.clone());
                    learnt = true;
                }
                Entry::Occupied(mut entry) if entry.get() < theirs => {
                    entry.insert(theirs.clone());
                    learnt = true;
                }
                Entry::Occupied(_) => {}
            }
        }
        learnt
    }

    /// What was decided about each node.
    pub fn members(&self) -> impl Iterator<Item = (NodeId, &RingMember)> {
        self.members.iter().map(|(node, member)| (*node, member))
    }

    /// What was decided about a node.
    pub fn member(&self, node: NodeId) -> Option<&RingMember> {
        self.members.get(&node)
    }

    /// Whether a node owns what its tokens say, now: it is in, or still in, and nobody has taken its place.
    pub fn owns(&self, node: NodeId) -> bool {
        self.member(node).is_some_and(|member| {
            let stay = Stay {
                node,
                number: member.stay,
            };
            let taken = |other: &RingMember| other.is_owner() && other.replaces == Some(stay);
            member.is_owner() && !self.members.values().any(taken)
        })
    }

    /// The nodes of the ring as it is, each with the node whose tokens it has.
    pub fn owners(&self) -> BTreeMap<NodeId, NodeId> {
        let mut owners: BTreeMap<_, _> = self
            .members()
            .filter(|(_, member)| member.is_owner())
            .map(|(node, member)| (node, member.tokens_of))
            .collect();
        for member in self.members.values().filter(|member| member.is_owner()) {
            self.remove_replaced(member, &mut owners);
        }
        owners
    }

    /// The change under way: the one that was asked for first. There is one at a time, because the nodes that are pending under two
    /// changes at once would depend on which of them ends first; the others wait.
    pub fn change(&self) -> Option<Change> {
        let (node, member) = self
            .members()
            .filter(|(_, member)| member.phase().is_some())
            .min_by_key(|(node, member)| (member.ticket, *node))?;
        let kind = match (member.status, member.replaces) {
            (Status::Leaving(_), _) => ChangeKind::Leave,
            (_, Some(dead)) => ChangeKind::Replace(dead.node),
            (_, None) => ChangeKind::Join,
        };
        let (phase, ticket) = (member.phase()?, member.ticket);
        Some(Change {
            node,
            kind,
            phase,
            ticket,
        })
    }

    /// The nodes of the ring as it will be when the change under way is done.
    pub fn owners_after(&self) -> BTreeMap<NodeId, NodeId> {
        let mut owners = self.owners();
        let Some(change) = self.change() else {
            return owners;
        };
        match change.kind {
            ChangeKind::Leave => _ = owners.remove(&change.node),
            ChangeKind::Join | ChangeKind::Replace(_) => {
                if let Some(member) = self.member(change.node) {
                    self.remove_replaced(member, &mut owners);
                    owners.insert(change.node, member.tokens_of);
                }
            }
        }
        owners
    }

    /// Removes the node whose place this one takes.
    fn remove_replaced(&self, member: &RingMember, owners: &mut BTreeMap<NodeId, NodeId>) {
        if let Some(node) = self.replaced_by(member) {
            owners.remove(&node);
        }
    }

    /// The node whose place this one takes or has taken, if that is not out anyway, or back for another stay.
    pub(super) fn replaced_by(&self, member: &RingMember) -> Option<NodeId> {
        let replaced = member.replaces?;
        let other = self.member(replaced.node)?;
        (other.is_owner() && other.stay == replaced.number).then_some(replaced.node)
    }
}
