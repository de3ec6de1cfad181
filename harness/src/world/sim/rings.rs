//! Changes of the ring in the simulated world: the harness as an administrator who asks a node until it has decided, and looks whether the
//! change is finished. What a change means is the nodes' business.

use std::collections::{BTreeMap, BTreeSet};

use quorate_checkers::history::Nanos;
use quorate_node::config::NodeId;
use quorate_node::protocol::{Input, Tag};
use quorate_node::wire::{Request, Response, RingStatus};

use super::cluster::Cluster;
use super::node::{Node, Stimulus};
use super::queue::{Happening, later};
use crate::fault::{Effect, RingChange};
use crate::world::{RING_DECIDED_MS_MAX, command};

/// The connection that no client has.
pub(super) const ADMINISTRATOR: u64 = u64::MAX;

/// Pause before the node is asked again, ns.
const AGAIN_NS: u64 = 100_000_000;

/// A change that no node has decided yet.
#[derive(Debug)]
struct Wanted {
    change: RingChange,
    /// When it is given up.
    until: Nanos,
    /// The node that was asked, and its start count then.
    asked: Option<(u16, u64)>,
    answer: Option<Response>,
}

/// The changes that are asked for, and who they have cost.
#[derive(Debug, Default)]
pub(super) struct Rings {
    wanted: BTreeMap<usize, Wanted>,
    gone: BTreeSet<u16>,
}

impl Rings {
    /// Whether a node was killed for good.
    pub(super) fn is_gone(&self, node: u16) -> bool {
        self.gone.contains(&node)
    }

    /// A node has answered the administrator.
    pub(super) fn answered(&mut self, tag: Tag, response: Response) {
        let index = usize::try_from(tag.request).ok();
        if let Some(wanted) = index.and_then(|index| self.wanted.get_mut(&index)) {
            wanted.answer = Some(response);
        }
    }
}

impl Cluster {
    /// Begins to change the ring; skipped, with the reason, if another change is under way.
    pub(super) fn want_ring(&mut self, index: usize, change: RingChange) -> Result<(), String> {
        if !self.rings.wanted.is_empty() {
            return Err("another change is not decided yet".to_owned());
        }
        if let Some(why) = crate::world::ring_busy(self.ring_statuses()) {
            return Err(why);
        }
        if let Some(dead) = change.gone() {
            self.rings.gone.insert(dead);
            self.kill(dead);
        }
        let wanted = Wanted {
            change,
            until: later(self.queue.now(), RING_DECIDED_MS_MAX * 1_000_000),
            asked: None,
            answer: None,
        };
        self.rings.wanted.insert(index, wanted);
        self.queue.after(0, Happening::ChangeRing(index));
        Ok(())
    }

    /// Goes on with a change that is wanted; says whether it took when that is known.
    pub(super) fn change_ring(&mut self, index: usize) -> Option<Effect> {
        let now = self.queue.now();
        let wanted = self.rings.wanted.get_mut(&index)?;
        let (change, asked) = (wanted.change, wanted.asked);
        let answer = wanted.answer.take();
        let (is_late, is_silent) = (now >= wanted.until, answer.is_none());
        let effect = match answer {
            Some(Response::Done) => Some(Effect::Installed),
            Some(answer) if is_late => {
                Some(Effect::Indeterminate(format!("it answered {answer:?}")))
            }
            None if is_late => Some(Effect::Indeterminate("no node has decided it".to_owned())),
            Some(_) | None => None,
        };
        if effect.is_some() {
            self.rings.wanted.remove(&index);
            return effect;
        }
        // A request dies with the process that it was sent to.
        let is_open =
            is_silent && asked.is_some_and(|(node, epoch)| self.is_serving(node) == Some(epoch));
        if !is_open {
            self.ask_for_ring(index, change);
        }
        self.queue.after(AGAIN_NS, Happening::ChangeRing(index));
        None
    }

    fn ask_for_ring(&mut self, index: usize, change: RingChange) {
        let (driver, command) = command(
            change,
            |node| self.is_serving(node).is_some(),
            self.nodes.len(),
        );
        let Some(epoch) = self.is_serving(driver) else {
            return;
        };
        if let Some(wanted) = self.rings.wanted.get_mut(&index) {
            wanted.asked = Some((driver, epoch));
        }
        let tag = Tag {
            connection: ADMINISTRATOR,
            request: index as u64,
        };
        let request = Request::ChangeRing(command);
        let input = Input::Client { tag, request };
        self.stimulate(driver, epoch, Stimulus::Input(input));
    }

    /// The start count of a node whose process is there.
    fn is_serving(&self, number: u16) -> Option<u64> {
        let place = usize::from(number).checked_sub(1)?;
        let node = self.nodes.get(place)?;
        node.process.as_ref().map(|_| node.epoch)
    }

    /// What every node that is there knows of the ring; nothing if rings never change here.
    fn ring_statuses(&self) -> impl Iterator<Item = RingStatus> {
        let processes = self.nodes.iter().filter_map(|node| node.process.as_ref());
        processes.filter_map(|process| process.replica.status().ring.map(|ring| *ring))
    }

    /// Installed if no change is under way and all nodes know it.
    pub(super) fn ring_effect(&self) -> Effect {
        let is_here = |node: &Node| self.rings.is_gone(node.id.0) || node.process.is_some();
        let all_here = self.nodes.iter().all(is_here);
        crate::world::ring_effect(self.ring_statuses(), all_here, |node| {
            self.rings.is_gone(node)
        })
    }

    /// The owners of the ring, each with the node whose tokens it has, as the first node that is there knows it.
    pub(super) fn ring_owners(&self) -> Option<Vec<(NodeId, NodeId)>> {
        self.ring_statuses().next().map(|ring| ring.owners)
    }
}
