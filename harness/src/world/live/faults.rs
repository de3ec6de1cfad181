//! How each fault is done and undone in the live world.
//!
//! When, and to whom, is the plan's business. Here it is carried out, confirmed, and told whether it took.

use std::time::Duration;

use futures_util::future::join_all;

use super::ledger::Victim;
use super::rules::Rule;
use super::supervisor::{NodeState, Signalled};
use super::{LiveWorld, WorldError, control};
use crate::fault::{Cut, Effect, Fault, Link};
use crate::world::node_name;

/// What came of a fault, or of its heal, for one node.
enum Done {
    /// It took. The victim, if there is a process to undo it to.
    Took(Option<Victim>),
    /// Not done, and why.
    Skipped(String),
    /// Perhaps done, and why nobody knows. The victim, if there may be something to undo.
    Unknown(String, Option<Victim>),
}

impl LiveWorld {
    /// Does `fault`; says whether it took. It is skipped only if it can be done to none of its nodes.
    pub async fn inject(&self, fault: &Fault) -> Effect {
        match fault {
            Fault::Kill { nodes } => {
                let done = join_all(nodes.iter().map(|&node| self.kill(node))).await;
                self.record(fault, done)
            }
            Fault::Pause { nodes } => {
                let done = join_all(nodes.iter().map(|&node| self.pause(node))).await;
                self.record(fault, done)
            }
            Fault::Partition { cut, links, .. } => self.impose(fault, links, cut_rule(*cut)).await,
            Fault::Slow {
                links,
                delay_ms,
                jitter_ms,
            } => {
                self.impose(fault, links, slow_rule(*delay_ms, *jitter_ms))
                    .await
            }
            Fault::Clock { offsets_ms } => {
                // Recorded first, because clocks are set to what the ledger says.
                self.ledger().add(fault, Vec::new());
                let effect = effect_of(self.each_clock(offsets_ms, clock_set).await);
                if matches!(effect, Effect::Skipped(_)) {
                    self.ledger().remove(fault);
                }
                effect
            }
            Fault::Ring(change) => self.change_ring(fault, *change).await,
        }
    }

    /// Undoes what [`inject`](Self::inject) of the same fault did; says whether that took (`Installed`: it is healed).
    pub async fn heal(&self, fault: &Fault) -> Effect {
        let removed = self.ledger().remove(fault);
        let Some(victims) = removed else {
            return Effect::Skipped("it is not in force".to_owned());
        };
        match fault {
            Fault::Kill { .. } => {
                effect_of(join_all(victims.iter().map(|&victim| self.revive(victim))).await)
            }
            Fault::Pause { .. } => {
                effect_of(join_all(victims.iter().map(|&victim| self.resume(victim))).await)
            }
            Fault::Partition { cut, links, .. } => self.lift(links, cut_rule(*cut)).await,
            Fault::Slow {
                links,
                delay_ms,
                jitter_ms,
            } => self.lift(links, slow_rule(*delay_ms, *jitter_ms)).await,
            Fault::Clock { offsets_ms } => {
                effect_of(self.each_clock(offsets_ms, clock_healed).await)
            }
            Fault::Ring(_) => self.ring_effect().await,
        }
    }

    /// The final heal, idempotent: all links pass, all paused nodes run, all dead ones are restarted, all offsets are 0.
    pub async fn heal_everything(&self) -> Result<(), WorldError> {
        self.ledger().clear();
        self.network
            .lift_all()
            .await
            .map_err(|why| WorldError::Network { why })?;
        self.supervisor.resume_all().await?;
        let restored = join_all(self.here().into_iter().map(|node| self.restore(node))).await;
        restored.into_iter().collect()
    }

    async fn restore(&self, node: u16) -> Result<(), WorldError> {
        let _hand = self.hand_on(node).await;
        match self.supervisor.state(node).await? {
            NodeState::Down => self.start_node(node).await,
            NodeState::Running(_) | NodeState::Paused(_) => self.settle_clock(node).await.map(drop),
        }
    }

    /// Kills `node`, which must not come back.
    pub(super) async fn kill_for_good(&self, node: u16) -> Result<(), WorldError> {
        let _hand = self.hand_on(node).await;
        self.ledger().lose(node);
        self.supervisor.kill(node).await.map(drop)
    }

    async fn kill(&self, node: u16) -> Done {
        let _hand = self.hand_on(node).await;
        match self.victim(node).await {
            Ok(victim) => signalled(victim, self.supervisor.kill(node).await),
            Err(done) => done,
        }
    }

    async fn revive(&self, victim: Victim) -> Done {
        let Victim { node, .. } = victim;
        let _hand = self.hand_on(node).await;
        if self.ledger().is_gone(node) {
            return Done::Skipped(format!("{} is gone for good", node_name(node)));
        }
        match self.supervisor.state(node).await {
            Ok(NodeState::Down) => match self.start_node(node).await {
                Ok(()) => Done::Took(None),
                Err(error) => unknown(&error),
            },
            Ok(NodeState::Running(now) | NodeState::Paused(now)) if now == victim.incarnation => {
                Done::Unknown(format!("{} was never seen dead", node_name(node)), None)
            }
            Ok(_) => Done::Skipped(format!("{} is up already", node_name(node))),
            Err(error) => unknown(&error),
        }
    }

    async fn pause(&self, node: u16) -> Done {
        let _hand = self.hand_on(node).await;
        match self.victim(node).await {
            Ok(victim) => signalled(victim, self.supervisor.pause(node).await),
            Err(done) => done,
        }
    }

    async fn resume(&self, victim: Victim) -> Done {
        let Victim { node, incarnation } = victim;
        let _hand = self.hand_on(node).await;
        match self.supervisor.resume(node, incarnation).await {
            // While it was paused nobody could set its clock.
            Ok(Signalled::Took(_)) => match self.settle_clock(node).await {
                Ok(_) => Done::Took(None),
                Err(error) => unknown(&error),
            },
            Ok(Signalled::WasDown) => {
                Done::Skipped(format!("{} died while it was paused", node_name(node)))
            }
            Err(error) => unknown(&error),
        }
    }

    /// Makes the clocks of these nodes what the ledger says; `told` puts into words what was found.
    async fn each_clock(
        &self,
        offsets_ms: &[(u16, i64)],
        told: impl Fn(u16, NodeState) -> Done,
    ) -> Vec<Done> {
        let settle = async |node| {
            let _hand = self.hand_on(node).await;
            match self.settle_clock(node).await {
                Ok(state) => told(node, state),
                Err(error) => unknown(&error),
            }
        };
        join_all(offsets_ms.iter().map(|&(node, _)| settle(node))).await
    }

    /// Makes the clock of `node` what the ledger says, if it is running; returns whether it is. Otherwise its restart or
    /// its resume will do so.
    async fn settle_clock(&self, node: u16) -> Result<NodeState, WorldError> {
        let state = self.supervisor.state(node).await?;
        let wanted_ns = self.ledger().offset_ns(node);
        let is_right = self.ledger().told_ns(node) == Some(wanted_ns);
        if matches!(state, NodeState::Running(_)) && !is_right {
            // Unknown until the node has confirmed it.
            self.ledger().tell(node, None);
            control::set_clock(&self.roster, node, wanted_ns).await?;
            self.ledger().tell(node, Some(wanted_ns));
        }
        Ok(state)
    }

    /// The process that is `node` now.
    async fn victim(&self, node: u16) -> Result<Victim, Done> {
        match self.supervisor.state(node).await {
            Ok(NodeState::Down) => Err(Done::Skipped(format!("{} is down", node_name(node)))),
            Ok(NodeState::Running(incarnation) | NodeState::Paused(incarnation)) => {
                Ok(Victim { node, incarnation })
            }
            Err(error) => Err(unknown(&error)),
        }
    }

    async fn impose(&self, fault: &Fault, links: &[Link], rule: Rule) -> Effect {
        if links.is_empty() {
            return Effect::Skipped("it names no link".to_owned());
        }
        if let Some(Link { from, to }) = self.network.first_unknown(links) {
            return Effect::Skipped(format!("there is no link n{from} -> n{to}"));
        }
        self.ledger().add(fault, Vec::new());
        obeyed(self.network.impose(links, rule).await)
    }

    async fn lift(&self, links: &[Link], rule: Rule) -> Effect {
        obeyed(self.network.lift(links, rule).await)
    }

    fn record(&self, fault: &Fault, done: Vec<Done>) -> Effect {
        let victims: Vec<Victim> = done.iter().filter_map(Done::victim).collect();
        if !victims.is_empty() {
            self.ledger().add(fault, victims);
        }
        effect_of(done)
    }
}

impl Done {
    fn victim(&self) -> Option<Victim> {
        match self {
            Done::Took(victim) | Done::Unknown(_, victim) => *victim,
            Done::Skipped(_) => None,
        }
    }
}

fn signalled(victim: Victim, signalled: Result<Signalled, WorldError>) -> Done {
    match signalled {
        Ok(Signalled::Took(_)) => Done::Took(Some(victim)),
        Ok(Signalled::WasDown) => Done::Skipped(format!("{} is down", node_name(victim.node))),
        Err(error) => Done::Unknown(error.to_string(), Some(victim)),
    }
}

fn clock_set(node: u16, found: NodeState) -> Done {
    match found {
        NodeState::Running(_) => Done::Took(None),
        NodeState::Paused(_) => Done::Skipped(format!("{} is paused", node_name(node))),
        NodeState::Down => Done::Skipped(format!("{} is down", node_name(node))),
    }
}

fn clock_healed(node: u16, found: NodeState) -> Done {
    match found {
        // One that is down will start with the right clock.
        NodeState::Running(_) | NodeState::Down => Done::Took(None),
        NodeState::Paused(_) => {
            let why = format!(
                "{} is paused; its clock is set when it resumes",
                node_name(node)
            );
            Done::Unknown(why, None)
        }
    }
}

fn unknown(error: &WorldError) -> Done {
    Done::Unknown(error.to_string(), None)
}

/// One effect for all nodes: unknown if any is, skipped if all are.
fn effect_of(done: Vec<Done>) -> Effect {
    let (mut took, mut skipped, mut unknown) = (0, Vec::new(), Vec::new());
    for one in done {
        match one {
            Done::Took(_) => took += 1,
            Done::Skipped(why) => skipped.push(why),
            Done::Unknown(why, _) => unknown.push(why),
        }
    }
    if !unknown.is_empty() {
        Effect::Indeterminate(unknown.join("; "))
    } else if took > 0 {
        Effect::Installed
    } else if skipped.is_empty() {
        Effect::Skipped("it names no node".to_owned())
    } else {
        Effect::Skipped(skipped.join("; "))
    }
}

fn obeyed(changed: Result<(), String>) -> Effect {
    match changed {
        Ok(()) => Effect::Installed,
        Err(why) => Effect::Indeterminate(why),
    }
}

fn cut_rule(cut: Cut) -> Rule {
    match cut {
        Cut::Hold => Rule::Hold,
        Cut::Reset => Rule::Reset,
    }
}

fn slow_rule(delay_ms: u64, jitter_ms: u64) -> Rule {
    Rule::Delay {
        delay: Duration::from_millis(delay_ms),
        jitter: Duration::from_millis(jitter_ms),
    }
}
