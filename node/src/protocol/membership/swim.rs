//! The failure detector: `foca`, which is SWIM (Das, Gupta and Motivala, DSN 2002) with suspicion, incarnations and piggybacked updates,
//! behind the few calls that `gossip` needs. One thing is added to the protocol: whoever is suspected, or thought dead, is told so.

use std::fmt;

use foca::{Foca, Header, NoCustomBroadcast, PostcardCodec};
use serde::{Deserialize, Serialize};

use crate::config::NodeId;

use super::dice::Dice;
use super::life::Life;
use super::packet::PacketError;
use super::settings::Settings;
use super::timers::Outbox;

/// What a node thinks of another. Opinions are local; gossip makes them meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Opinion {
    /// It answers.
    Alive,
    /// It did not answer a probe and has not refuted that yet. It still counts as up.
    Suspect,
    /// It did not refute in time, or left.
    Dead,
}

/// The detector of one node.
pub(super) struct Swim {
    foca: Foca<Life, PostcardCodec, Dice, NoCustomBroadcast>,
    /// By node. Looked through after every packet, so no map: ids are dense.
    known: Vec<Option<Known>>,
    recoveries: u64,
}

/// What is known of another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) life: Life,
    pub(super) opinion: Opinion,
    /// How often it has refuted a suspicion in this life.
    incarnation: u16,
}

/// "You are suspected", or "you are dead": said to the node itself, about the life that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Accusation {
    pub(super) life: Life,
    pub(super) incarnation: u16,
    pub(super) dead: bool,
}

impl fmt::Debug for Swim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Swim")
            .field("life", self.foca.identity())
            .field("known", &self.known)
            .field("recoveries", &self.recoveries)
            .finish_non_exhaustive()
    }
}

impl Swim {
    pub(super) fn new(life: Life, settings: &Settings, nodes: usize, dice: Dice) -> Swim {
        Swim {
            foca: Foca::new(life, settings.swim(nodes), dice, PostcardCodec),
            known: Vec::new(),
            recoveries: 0,
        }
    }

    /// The life that this node is in.
    pub(super) fn life(&self) -> Life {
        *self.foca.identity()
    }

    /// What is known of another node, if it was ever heard of.
    pub(super) fn known(&self, node: NodeId) -> Option<Known> {
        self.known.get(usize::from(node.0)).copied().flatten()
    }

    /// What a message to a node must tell it, so that it can refute, or come back in another life. SWIM only gossips a suspicion, a
    /// bounded number of times, and a node that was away meanwhile would never hear of it (the buddy system of Lifeguard: Dadgar,
    /// Phillips and Currey, DSN-W 2018).
    pub(super) fn accusation(&self, node: NodeId) -> Option<Accusation> {
        let known = self.known(node)?;
        (known.opinion != Opinion::Alive).then_some(Accusation {
            life: known.life,
            incarnation: known.incarnation,
            dead: known.opinion == Opinion::Dead,
        })
    }

    /// How often the library had to mend a state that it should not have got into.
    pub(super) fn recoveries(&self) -> u64 {
        self.recoveries
    }

    /// Whether there is news that is to be passed on.
    pub(super) fn has_news(&self) -> bool {
        self.foca.updates_backlog() > 0
    }

    /// A message arrived from `from`, perhaps with an accusation.
    pub(super) fn hear(
        &mut self,
        from: NodeId,
        bytes: &[u8],
        accused: Option<Accusation>,
        out: &mut Outbox,
    ) -> Result<(), PacketError> {
        let malformed = |why: String| PacketError::Malformed { from, why };
        let (header, _): (Header<Life>, _) =
            postcard::take_from_bytes(bytes).map_err(|error| malformed(error.to_string()))?;
        if header.src.node != from {
            let claimed = header.src.node;
            return Err(PacketError::Impostor { from, claimed });
        }
        if let Some(accused) = accused.filter(|accused| accused.life == self.life()) {
            // First, so that the answer to the message is a refutation already.
            let state = if accused.dead {
                foca::State::Down
            } else {
                foca::State::Suspect
            };
            let said = foca::Member::new(accused.life, accused.incarnation, state);
            let result = self
                .foca
                .apply_many(std::iter::once(said), false, &mut *out);
            self.note(&result);
        }
        self.foca
            .handle_data(bytes, out)
            .map_err(|error| malformed(error.to_string()))
    }

    /// A timer that the library asked for is due.
    pub(super) fn alarm(&mut self, timer: foca::Timer<Life>, out: &mut Outbox) {
        let result = self.foca.handle_timer(timer, out);
        self.note(&result);
    }

    /// Passes news on to some others.
    pub(super) fn gossip(&mut self, out: &mut Outbox) {
        let result = self.foca.gossip(out);
        self.note(&result);
    }

    /// Calls a node, in whatever life it is.
    pub(super) fn announce(&mut self, node: NodeId, out: &mut Outbox) {
        let result = self.foca.announce(Life::new(node, 0), out);
        self.note(&result);
    }

    /// What has changed of the opinions since the last call, by node.
    pub(super) fn changes(&mut self) -> Vec<(Life, Opinion)> {
        let me = self.life().node;
        let mut changes = Vec::new();
        for member in self.foca.iter_membership_state() {
            let known = Known {
                life: *member.id(),
                opinion: match member.state() {
                    foca::State::Alive => Opinion::Alive,
                    foca::State::Suspect => Opinion::Suspect,
                    foca::State::Down => Opinion::Dead,
                },
                incarnation: member.incarnation(),
            };
            if known.life.node == me {
                continue;
            }
            let index = usize::from(known.life.node.0);
            if index >= self.known.len() {
                self.known.resize(index + 1, None);
            }
            let before = self.known[index].replace(known);
            let told = |before: Known| (before.life, before.opinion);
            if before.map(told) != Some(told(known)) {
                changes.push(told(known));
            }
        }
        changes.sort_unstable();
        changes
    }

    fn note(&mut self, result: &Result<(), foca::Error>) {
        if result.is_err() {
            self.recoveries += 1;
        }
    }
}
