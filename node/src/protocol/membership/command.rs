//! What an administrator may decide about the ring (Dynamo 4.8: explicitly, never because a node seems dead), and how a decision
//! becomes a new version of what is known. Whether the data is where the decision needs it is `bootstrap`'s business: without its
//! certificate no change gets past copying.

use serde::{Deserialize, Serialize};

use crate::config::NodeId;

use super::bootstrap::Copied;
use super::state::{ChangeKind, DATA_CENTRE_BYTES_MAX, Phase, RingMember, RingState, Status, Stay};

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// A node shall come into the ring.
    Join {
        /// The node.
        node: NodeId,
        /// Its data centre; may be empty.
        data_centre: String,
        /// The dead node whose tokens it takes; none for tokens of its own.
        replaces: Option<NodeId>,
    },
    /// A node shall go. It may be dead.
    Leave(NodeId),
    /// Forget a change that is still waiting or copying.
    Abort(NodeId),
}

/// A decision that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    /// Not in the ring.
    #[error("{0} is not in the ring: only its nodes can leave or be replaced")]
    NotIn(NodeId),
    /// In the ring already, or on its way.
    #[error("{0} is in the ring or on its way into it: let it leave first")]
    AlreadyIn(NodeId),
    /// On its way already.
    #[error("{0} is on its way in or out: wait, or abort that first")]
    Changing(NodeId),
    /// Another node has its tokens.
    #[error("{node} cannot come back while {holder} has its tokens: let {holder} leave first")]
    TokensTaken {
        /// The node.
        node: NodeId,
        /// Who has them.
        holder: NodeId,
    },
    /// The node to be replaced lives.
    #[error("{0} seems to be alive: let it leave, or stop it before it is replaced")]
    Alive(NodeId),
    /// Nobody would be left.
    #[error("{0} is the last node of the ring: join another first")]
    Last(NodeId),
    /// Nothing to go on with.
    #[error("no change of {0} is at that point: look at the change under way")]
    NotUnderWay(NodeId),
    /// Reads have moved already.
    #[error("the change of {0} is past copying and can only be finished")]
    TooLate(NodeId),
    /// A name that is too long.
    #[error("a data centre's name of {0} bytes: choose at most {DATA_CENTRE_BYTES_MAX}")]
    DataCentre(usize),
}

impl RingState {
    /// Carries out a decision that node `author` was told.
    pub fn command(&mut self, author: NodeId, command: Command) -> Result<(), RingError> {
        match command {
            Command::Join {
                node,
                data_centre,
                replaces,
            } => self.join(author, node, data_centre, replaces),
            Command::Leave(node) => self.leave(author, node),
            Command::Abort(node) => self.abort(author, node),
        }
    }

    /// Copying is done: reads move to the new owners.
    pub fn switch(&mut self, author: NodeId, copied: &Copied) -> Result<(), RingError> {
        let change = self.change().filter(|change| *change == copied.change());
        let node = change
            .ok_or(RingError::NotUnderWay(copied.change().node))?
            .node;
        self.decide(author, node, |member| match member.status {
            Status::Joining(_) => Status::Joining(Phase::Switch),
            Status::Leaving(_) => Status::Leaving(Phase::Switch),
            done => done,
        });
        Ok(())
    }

    /// Every node reads from the new owners: the change is done, and the old owners are needed no more.
    pub fn settle(&mut self, author: NodeId, node: NodeId) -> Result<(), RingError> {
        let change = self
            .change()
            .filter(|change| change.node == node && change.phase == Phase::Switch)
            .ok_or(RingError::NotUnderWay(node))?;
        if change.kind == ChangeKind::Leave {
            self.retire(author, node);
        } else {
            self.decide(author, node, |_| Status::Normal);
            let replaced = self
                .member(node)
                .and_then(|member| self.replaced_by(member));
            if let Some(replaced) = replaced {
                self.retire(author, replaced);
            }
        }
        Ok(())
    }

    fn join(
        &mut self,
        author: NodeId,
        node: NodeId,
        data_centre: String,
        replaces: Option<NodeId>,
    ) -> Result<(), RingError> {
        if data_centre.len() > DATA_CENTRE_BYTES_MAX {
            return Err(RingError::DataCentre(data_centre.len()));
        }
        let known = self.member(node);
        if known.is_some_and(|member| member.status != Status::Removed) {
            return Err(RingError::AlreadyIn(node));
        }
        let version = known.map_or(0, |member| member.version).saturating_add(1);
        let stay = known.map_or(0, |member| member.stay).saturating_add(1);
        let (replaces, tokens_of) = match replaces {
            None => (None, node),
            Some(dead) => {
                let member = self.replaceable(dead)?;
                let number = member.stay;
                (Some(Stay { node: dead, number }), member.tokens_of)
            }
        };
        if replaces.is_none()
            && let Some(holder) = self.holder(node)
        {
            return Err(RingError::TokensTaken { node, holder });
        }
        let member = RingMember {
            version,
            status: Status::Joining(Phase::Copy),
            author,
            ticket: self.next_ticket(),
            stay,
            replaces,
            tokens_of,
            data_centre,
        };
        self.members.insert(node, member);
        Ok(())
    }

    fn leave(&mut self, author: NodeId, node: NodeId) -> Result<(), RingError> {
        self.replaceable(node)?;
        if self.owners().len() == 1 {
            return Err(RingError::Last(node));
        }
        let ticket = self.next_ticket();
        self.decide(author, node, |member| {
            member.ticket = ticket;
            Status::Leaving(Phase::Copy)
        });
        Ok(())
    }

    fn abort(&mut self, author: NodeId, node: NodeId) -> Result<(), RingError> {
        let status = self.member(node).map(|member| member.status);
        let back = match status {
            Some(Status::Joining(Phase::Copy)) => Status::Removed,
            Some(Status::Leaving(Phase::Copy)) => Status::Normal,
            Some(Status::Joining(Phase::Switch) | Status::Leaving(Phase::Switch)) => {
                return Err(RingError::TooLate(node));
            }
            _ => return Err(RingError::NotUnderWay(node)),
        };
        self.decide(author, node, |_| back);
        Ok(())
    }

    /// A node that is in the ring, with nothing decided about it yet.
    fn replaceable(&self, node: NodeId) -> Result<&RingMember, RingError> {
        let member = self.member(node).ok_or(RingError::NotIn(node))?;
        let claimed = self.members.values().any(|other| {
            matches!(other.status, Status::Joining(_))
                && other.replaces.is_some_and(|stay| stay.node == node)
        });
        match member.status {
            Status::Normal if claimed => Err(RingError::Changing(node)),
            Status::Normal if self.owns(node) => Ok(member),
            Status::Joining(_) | Status::Leaving(_) => Err(RingError::Changing(node)),
            Status::Normal | Status::Removed => Err(RingError::NotIn(node)),
        }
    }

    /// The node that has the tokens of this one.
    fn holder(&self, owner: NodeId) -> Option<NodeId> {
        let holds =
            |member: &RingMember| member.tokens_of == owner && member.status != Status::Removed;
        self.members()
            .find(|(_, member)| holds(member))
            .map(|(node, _)| node)
    }

    fn next_ticket(&self) -> u64 {
        let last = self.members.values().map(|member| member.ticket).max();
        last.unwrap_or(0).saturating_add(1)
    }

    fn decide(
        &mut self,
        author: NodeId,
        node: NodeId,
        status: impl FnOnce(&mut RingMember) -> Status,
    ) {
        if let Some(member) = self.members.get_mut(&node) {
            member.status = status(member);
            member.version = member.version.saturating_add(1);
            member.author = author;
        }
    }

    /// Puts a node out, and with it those whose place it once took: they must not come back when it goes.
    fn retire(&mut self, author: NodeId, node: NodeId) {
        let mut next = Some(node);
        while let Some(node) = next {
            next = self
                .member(node)
                .and_then(|member| self.replaced_by(member));
            self.decide(author, node, |_| Status::Removed);
        }
    }
}
