//! Seeing a change of the ring through: the node as its *driver*, the one that was told the command.
//!
//! Command -> all agree -> one request time-out -> copying -> switch -> all agree -> settle -> all agree. What must be copied is `membership`'s
//! `Bootstrap`, and copying is `ring_copy.rs`. A driver that was restarted goes on: the ring, which it has in its log, names it as the author
//! of the change and says how far that is. Only what had been copied is copied again, because nobody remembers. If the driver never comes
//! back the change stands still, safely, until any other node is told to abort it (or, past copying, for ever).

use std::collections::{BTreeMap, BTreeSet};

use crate::config::NodeId;
use crate::wire::{Response, RingCommand};

use super::gossip::Gossip;
use super::interface::{Output, Tag};
use super::membership::{
    Bootstrap, Change, Command, Life, Membership, Phase, Sources, Status, Stay,
};
use super::message::{PeerMessage, RequestId};
use super::replica::Replica;
use super::time::{Nanos, Now};

/// The change that a node sees through.
#[derive(Debug)]
pub(super) struct Drive {
    change: Change,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// Until everybody knows of the phase.
    Agreeing,
    /// Until writes that did not know of the change have ended.
    Waiting(Nanos),
    /// Until the new owners have what they need.
    Copying(Copying),
    /// It is settled; until everybody knows.
    Ending,
}

/// An attempt at copying.
#[derive(Debug)]
struct Copying {
    name: RequestId,
    bootstrap: Bootstrap,
    /// When sources are asked again.
    due: Nanos,
    /// Whether they have been asked before.
    asked: bool,
    /// The start counts of the targets when it began.
    starts: BTreeMap<NodeId, u64>,
}

impl Drive {
    /// When it must be looked at next.
    pub(super) fn deadline(&self) -> Option<Nanos> {
        match &self.step {
            Step::Agreeing | Step::Ending => None,
            Step::Waiting(until) => Some(*until),
            Step::Copying(copying) => Some(copying.due),
        }
    }
}

impl Replica {
    /// An administrator decides something about the ring; answered when the decision is in the log.
    pub(super) fn change_ring(
        &mut self,
        now: Now,
        tag: Tag,
        command: RingCommand,
        out: &mut Vec<Output>,
    ) -> Result<(), String> {
        let command = self.decision(command)?;
        // Whoever did not hear the answer asks again.
        if !self.is_decided(&command) {
            let mut decided = Ok(());
            self.with_membership(now, out, |membership, said| {
                decided = membership.command(command, said);
            });
            decided.map_err(|error| error.to_string())?;
        }
        let gossip = self.gossip.as_mut();
        if let Some((token, gossip)) = gossip.and_then(|gossip| Some((gossip.unsynced()?, gossip)))
        {
            gossip.commands.push((token, tag));
        } else {
            let response = Response::Done;
            out.push(Output::Reply { tag, response });
        }
        self.drive_on(now, out);
        Ok(())
    }

    /// Whether a command has been taken before, and its change is under way.
    fn is_decided(&self, command: &Command) -> bool {
        let ring = self.gossip.as_ref().map(|gossip| gossip.membership.ring());
        let status_of = |node| {
            ring?
                .member(node)
                .map(|member| (member.status, member.replaces))
        };
        match command {
            Command::Join { node, replaces, .. } => {
                let under_way = |(status, stay): (Status, Option<Stay>)| {
                    matches!(status, Status::Joining(_)) && stay.map(|stay| stay.node) == *replaces
                };
                status_of(*node).is_some_and(under_way)
            }
            Command::Leave(node) => {
                status_of(*node).is_some_and(|(status, _)| matches!(status, Status::Leaving(_)))
            }
            Command::Abort(_) => false,
        }
    }

    /// A command as a decision, if the ring would still hold all replicas.
    fn decision(&self, command: RingCommand) -> Result<Command, String> {
        let Some(gossip) = &self.gossip else {
            return Err(
                "the ring of this store never changes: start it with gossip membership".to_owned(),
            );
        };
        let node = self.me;
        let join = |replaces| Command::Join {
            node,
            data_centre: self.topology.label(node),
            replaces,
        };
        let known = |node: NodeId| {
            let is_known = (1..=self.config.nodes).contains(&node.0);
            is_known
                .then_some(node)
                .ok_or_else(|| format!("{node} is no node of this cluster"))
        };
        let owners = || -> BTreeSet<NodeId> {
            gossip
                .membership
                .ring()
                .owners_after()
                .into_keys()
                .collect()
        };
        match command {
            RingCommand::Join => Ok(join(None)),
            RingCommand::Replace(dead) => {
                let mut left = owners();
                left.remove(&known(dead)?);
                left.insert(node);
                if !self.topology.is_enough(&left) {
                    return Err(format!(
                        "{node} cannot replace {dead}: choose a node of its data centre"
                    ));
                }
                Ok(join(Some(dead)))
            }
            RingCommand::Leave(leaver) => {
                let mut left = owners();
                left.remove(&known(leaver)?);
                if !self.topology.is_enough(&left) {
                    return Err(format!(
                        "without {leaver} there are too few nodes for all replicas: join another first"
                    ));
                }
                Ok(Command::Leave(leaver))
            }
            RingCommand::Abort(node) => Ok(Command::Abort(known(node)?)),
        }
    }

    /// The changes that this node has not seen through yet, and the peers that it takes for dead although they are connected: it will
    /// soon hear that they live.
    pub(super) fn ring_changes_left(&self) -> u64 {
        let drive = self
            .gossip
            .as_ref()
            .and_then(|gossip| gossip.drive.as_ref());
        let doubted = self.links.doubted();
        let doubted = doubted.filter(|node| !self.is_gone_for_good(*node));
        u64::from(drive.is_some()) + doubted.count() as u64
    }

    /// Takes the change as far as it goes now.
    pub(super) fn drive_on(&mut self, now: Now, out: &mut Vec<Output>) {
        while self.drive_once(now, out) {}
    }

    /// One step of the change; false if there is none to take.
    fn drive_once(&mut self, now: Now, out: &mut Vec<Output>) -> bool {
        let Some(gossip) = &mut self.gossip else {
            return false;
        };
        // What is not in the log yet is not decided.
        if gossip.unsynced().is_some() {
            return false;
        }
        let membership = &gossip.membership;
        let own = own_change(membership, self.me);
        let Some(drive) = &mut gossip.drive else {
            gossip.drive = own.map(|change| Drive {
                change,
                step: Step::Agreeing,
            });
            return own.is_some();
        };
        if own != Some(drive.change) {
            // Another phase, another change, or none any more.
            match own {
                Some(change) => {
                    drive.change = change;
                    drive.step = Step::Agreeing;
                    return true;
                }
                None if membership.all_agree() => gossip.drive = None,
                None => drive.step = Step::Ending,
            }
            return false;
        }
        match (&mut drive.step, drive.change.phase) {
            (Step::Agreeing | Step::Ending, _) if !membership.all_agree() => false,
            (Step::Agreeing | Step::Ending, Phase::Copy) => {
                let patience = std::time::Duration::from_millis(self.config.request_timeout_ms);
                drive.step = Step::Waiting(now.monotonic.after(patience));
                true
            }
            (_, Phase::Switch) => {
                let node = drive.change.node;
                self.decide(now, out, |membership, said| membership.settle(node, said))
            }
            (Step::Waiting(until), Phase::Copy) => {
                *until <= now.monotonic && self.begin_to_copy(now, out)
            }
            (Step::Copying(copying), Phase::Copy) => {
                if let Some(certificate) = copying.bootstrap.certificate() {
                    return self.decide(now, out, |membership, said| {
                        membership.switch(&certificate, said)
                    });
                }
                if copying.due <= now.monotonic {
                    self.ask_sources(now, out);
                }
                false
            }
        }
    }

    /// The driver goes on to the next phase; false if that cannot be, which only a change that somebody else has made can be the reason of.
    fn decide<E>(
        &mut self,
        now: Now,
        out: &mut Vec<Output>,
        decision: impl FnOnce(&mut Membership, &mut Vec<super::membership::Output>) -> Result<(), E>,
    ) -> bool {
        let mut decided = false;
        self.with_membership(now, out, |membership, said| {
            decided = decision(membership, said).is_ok();
        });
        decided
    }

    fn begin_to_copy(&mut self, now: Now, out: &mut Vec<Output>) -> bool {
        // A write that DW lets be acknowledged with less than W in logs survives only by that.
        let w = self
            .config
            .w
            .min(self.config.options.dw.unwrap_or(u16::MAX))
            .max(1);
        let name = self.name_request();
        let Some(gossip) = &mut self.gossip else {
            return false;
        };
        let bootstrap = Bootstrap::new(&self.ring, Sources::Meeting { w }, |_| false);
        let (Some(drive), Some(bootstrap)) = (&mut gossip.drive, bootstrap) else {
            return false;
        };
        let start = |task: &super::membership::Task| {
            let life = gossip.membership.life(task.target)?;
            Some((task.target, life.epoch))
        };
        drive.step = Step::Copying(Copying {
            name,
            starts: bootstrap.tasks().iter().filter_map(start).collect(),
            bootstrap,
            due: now.monotonic,
            asked: false,
        });
        self.ask_sources(now, out);
        true
    }

    /// Asks for everything that is missing, of sources within reach: at first of the one that will do alone or of as many as are needed,
    /// then of all, because some seem not to answer.
    fn ask_sources(&mut self, now: Now, out: &mut Vec<Output>) {
        let due = now.monotonic.after(self.timeout());
        let ring = self.ring.fingerprint();
        let (me, links) = (self.me, &self.links);
        let Some(Step::Copying(copying)) = self.gossip.as_mut().and_then(Gossip::step) else {
            return;
        };
        copying.due = due;
        let is_again = std::mem::replace(&mut copying.asked, true);
        let id = copying.name;
        let mut asked = Vec::new();
        for (number, task) in (0..).zip(copying.bootstrap.tasks()) {
            if task.is_done() {
                continue;
            }
            let reaches = |node: &NodeId| *node == me || links.reaches(*node);
            let left = task.left().into_iter().filter(reaches);
            let left: Vec<NodeId> = left.collect();
            let wanted = match left.first() {
                _ if is_again => left.len(),
                Some(first) if task.loser == Some(*first) => 1,
                _ => task.needed,
            };
            asked.extend(left.into_iter().take(wanted).map(|source| (source, number)));
        }
        for (to, task) in asked {
            if to == me {
                self.asked_to_copy(now, me, id, ring, task, out);
            } else {
                let message = PeerMessage::Copy { id, ring, task };
                out.push(Output::Send { to, message });
            }
        }
    }

    /// A source says that the target of a task holds all that it held.
    pub(super) fn copied(
        &mut self,
        now: Now,
        from: NodeId,
        id: RequestId,
        task: u32,
        out: &mut Vec<Output>,
    ) {
        if let Some(Step::Copying(copying)) = self.gossip.as_mut().and_then(Gossip::step)
            && copying.name == id
            && let Ok(task) = usize::try_from(task)
        {
            copying.bootstrap.copied(task, from);
            self.drive_on(now, out);
        }
    }

    /// A node is in another life: if it had been copying, it may have lost what was not synced, and begins again.
    pub(super) fn copy_anew_to(&mut self, life: Life) {
        let name = self.name_request();
        if let Some(Step::Copying(copying)) = self.gossip.as_mut().and_then(Gossip::step)
            && let Some(start) = copying.starts.get_mut(&life.node)
            && *start < life.epoch
        {
            *start = life.epoch;
            copying.bootstrap.restart(life.node);
            copying.name = name;
            (copying.due, copying.asked) = (Nanos(0), false);
        }
    }
}

impl Gossip {
    fn step(&mut self) -> Option<&mut Step> {
        self.drive.as_mut().map(|drive| &mut drive.step)
    }
}

/// The change under way, if this node sees it through.
fn own_change(membership: &Membership, me: NodeId) -> Option<Change> {
    let change = membership.ring().change()?;
    let author = membership.ring().member(change.node)?.author;
    (author == me).then_some(change)
}
