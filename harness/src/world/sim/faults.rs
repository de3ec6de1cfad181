//! How each fault is done and undone in the simulated world.
//!
//! A heal undoes what its own fault did, to the very process it did it to. When, and to whom, is the plan's business.

use std::collections::BTreeMap;

use super::cluster::Cluster;
use super::network::{Rule, lose};
use super::node::Stimulus;
use super::trace::{Loss, What};
use crate::fault::{Effect, Fault};
use crate::world::node_name;

/// Nanoseconds in a millisecond.
const NS_PER_MS: i64 = 1_000_000;

/// A process that a fault was done to.
#[derive(Clone, Copy, Debug)]
struct Victim {
    node: u16,
    epoch: u64,
}

/// The faults in force, by their places in the plan's timeline.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    victims: BTreeMap<usize, Vec<Victim>>,
    /// Clock faults, oldest first, with the offset of each node, ms.
    clocks: Vec<(usize, Vec<(u16, i64)>)>,
}

impl Ledger {
    /// How far the clock of `node` is off, ns: what the latest fault says about it.
    fn offset_ns(&self, node: u16) -> i64 {
        let offsets = self.clocks.iter().rev().flat_map(|(_, offsets)| offsets);
        let latest = offsets.into_iter().find(|&&(other, _)| other == node);
        latest.map_or(0, |&(_, offset_ms)| offset_ms.saturating_mul(NS_PER_MS))
    }
}

impl Cluster {
    /// Does the fault; says whether it took. It is skipped only if it can be done to none of its nodes.
    pub(super) fn strike(&mut self, index: usize, fault: &Fault) -> Effect {
        match fault {
            Fault::Kill { nodes } => self.each_alive(index, nodes, Cluster::kill),
            Fault::Pause { nodes } => self.each_alive(index, nodes, Cluster::pause),
            Fault::Partition { cut, links, .. } => {
                self.network
                    .impose(links, Rule::from(*cut), &mut self.queue);
                Effect::Installed
            }
            Fault::Slow {
                links,
                delay_ms,
                jitter_ms,
            } => {
                let rule = Rule::delay(*delay_ms, *jitter_ms);
                self.network.impose(links, rule, &mut self.queue);
                Effect::Installed
            }
            Fault::Clock { offsets_ms } => {
                self.ledger.clocks.push((index, offsets_ms.clone()));
                self.set_clocks();
                Effect::Installed
            }
            // A change of the ring takes time: see `rings.rs`.
            Fault::Ring(_) => Effect::Skipped("it was not asked for".to_owned()),
        }
    }

    /// Undoes what the fault did; says whether that took, and when that can be known, ns from now.
    pub(super) fn lift(&mut self, index: usize, fault: &Fault) -> (Effect, u64) {
        let victims = self.ledger.victims.remove(&index).unwrap_or_default();
        match fault {
            Fault::Kill { .. } => return self.revive(&victims),
            Fault::Pause { .. } => return (self.resume(&victims), 0),
            Fault::Partition { cut, links, .. } => {
                self.network.lift(links, Rule::from(*cut), &mut self.queue);
            }
            Fault::Slow {
                links,
                delay_ms,
                jitter_ms,
            } => {
                let rule = Rule::delay(*delay_ms, *jitter_ms);
                self.network.lift(links, rule, &mut self.queue);
            }
            Fault::Clock { .. } => {
                self.ledger.clocks.retain(|(other, _)| *other != index);
                self.set_clocks();
            }
            Fault::Ring(_) => return (self.ring_effect(), 0),
        }
        (Effect::Installed, 0)
    }

    /// All links pass, all processes run, all clocks are right, and the dead start.
    pub(super) fn lift_all(&mut self) {
        self.ledger = Ledger::default();
        self.network.lift_all(&mut self.queue);
        self.set_clocks();
        let alive = self.nodes.iter().filter(|node| node.process.is_some());
        let alive: Vec<(u16, u64)> = alive.map(|node| (node.id.0, node.epoch)).collect();
        for (node, epoch) in alive {
            self.go_on(Victim { node, epoch });
        }
        self.boot_the_dead();
    }

    /// Does something to every one of these nodes that is not dead.
    fn each_alive(&mut self, index: usize, nodes: &[u16], strike: fn(&mut Cluster, u16)) -> Effect {
        let mut victims = Vec::new();
        for &number in nodes {
            if let Some(node) = self.node(number).filter(|node| node.process.is_some()) {
                victims.push(Victim {
                    node: number,
                    epoch: node.epoch,
                });
                strike(self, number);
            }
        }
        let took = !victims.is_empty();
        self.ledger.victims.insert(index, victims);
        took_or(took, nodes.iter().copied(), "is down")
    }

    pub(super) fn kill(&mut self, number: u16) {
        if let Some(node) = self.node(number) {
            let (forgotten, unread) = node.kill();
            self.queue.note(|| What::Killed { node: number });
            for record in forgotten {
                self.queue.note(|| What::Forgot {
                    node: number,
                    record,
                });
            }
            for stimulus in unread {
                if let Stimulus::Message { link, parcel } = stimulus {
                    lose(link, parcel.number, Loss::ReceiverDied, &mut self.queue);
                }
            }
        }
        self.network.sender_died(number, &mut self.queue);
        self.network.receiver_died(number, &mut self.queue);
        self.clients.node_died(number, &mut self.queue);
    }

    fn pause(&mut self, number: u16) {
        if let Some(process) = self.node(number).and_then(|node| node.process.as_mut()) {
            process.inbox.get_or_insert_default();
            self.queue.note(|| What::Paused { node: number });
        }
    }

    fn revive(&mut self, victims: &[Victim]) -> (Effect, u64) {
        let mut dead = Vec::new();
        for victim in victims {
            let node = self.node(victim.node);
            let is_dead =
                node.is_some_and(|node| node.process.is_none() && node.epoch == victim.epoch);
            if is_dead && !self.rings.is_gone(victim.node) {
                dead.push(victim.node);
            }
        }
        let took = !dead.is_empty();
        let boot_ns = self.boot_soon(&dead);
        let nodes = victims.iter().map(|victim| victim.node);
        (took_or(took, nodes, "is up already"), boot_ns)
    }

    fn resume(&mut self, victims: &[Victim]) -> Effect {
        let mut took = false;
        for &victim in victims {
            took |= self.go_on(victim);
        }
        let nodes = victims.iter().map(|victim| victim.node);
        took_or(took, nodes, "died while it was paused")
    }

    /// Lets a process run, and deal with what came in meanwhile; false if it is dead.
    fn go_on(&mut self, Victim { node, epoch }: Victim) -> bool {
        let Some(process) = self.node(node).and_then(|node| node.alive_in(epoch)) else {
            return false;
        };
        if let Some(inbox) = process.inbox.take() {
            self.queue.note(|| What::Resumed { node });
            for stimulus in inbox {
                self.stimulate(node, epoch, stimulus);
            }
        }
        true
    }

    fn set_clocks(&mut self) {
        for node in &mut self.nodes {
            let offset_ns = self.ledger.offset_ns(node.id.0);
            if std::mem::replace(&mut node.offset_ns, offset_ns) != offset_ns {
                let node = node.id.0;
                self.queue.note(|| What::ClockSet { node, offset_ns });
            }
        }
    }
}

/// Installed if it took for some node, and skipped if all of them stood against it.
fn took_or(took: bool, nodes: impl Iterator<Item = u16>, why_not: &str) -> Effect {
    if took {
        return Effect::Installed;
    }
    let whys: Vec<String> = nodes
        .map(|node| format!("{} {why_not}", node_name(node)))
        .collect();
    Effect::Skipped(if whys.is_empty() {
        "it is done to no node".to_owned()
    } else {
        whys.join("; ")
    })
}
