//! Where the operations of a run come from: drawn by a workload from the seed, or read from a script.
//!
//! It hands out what is due and says when there will be more. Who is busy is known by `clients.rs`; what comes back is told to the workload,
//! whose client may do something about it at once.

use std::collections::{BTreeSet, VecDeque};

use quorate_checkers::history::Nanos;
use quorate_node::config::Level;
use quorate_workloads::{Action as Turn, Op, Rng, Seen, Workload};

use super::clients::Clients;
use crate::plan::{Plan, PlanError, ScriptedOp};
use crate::world::{ClientOp, OpKind};

/// What a client is to do now.
pub(super) struct Assignment {
    pub(super) client: usize,
    /// The node to ask; none = the client's own coordinator.
    pub(super) node: Option<u16>,
    pub(super) op: ClientOp,
}

/// Where operations come from.
pub(super) struct Source {
    kind: SourceKind,
    /// Of reads, and of writes and deletes.
    levels: (Level, Level),
    /// What clients do at once about what came back.
    at_once: VecDeque<(usize, Op)>,
}

enum SourceKind {
    Drawn(Box<dyn Workload>),
    Script(Script),
}

impl Source {
    pub(super) fn new(plan: &Plan) -> Result<Source, PlanError> {
        let (kind, settings) = plan.load.kind()?;
        let kind = if plan.load.script.is_empty() {
            SourceKind::Drawn(kind.build(&settings))
        } else {
            SourceKind::Script(Script::new(plan))
        };
        Ok(Source {
            kind,
            at_once: VecDeque::new(),
            levels: plan.levels(),
        })
    }

    /// The load begins.
    pub(super) fn start(&mut self, now: Nanos) {
        if let SourceKind::Script(script) = &mut self.kind {
            script.began = now;
        }
    }

    /// What some client is to do now, if anything.
    pub(super) fn due(
        &mut self,
        now: Nanos,
        clients: &mut Clients,
        rng: &mut Rng,
    ) -> Option<Assignment> {
        if let Some((client, turn)) = self.at_once.pop_front() {
            return Some(self.assign(client, turn));
        }
        match &mut self.kind {
            SourceKind::Drawn(workload) => {
                let client = clients.due(now, rng)?;
                let turn = workload.next(client as u64, rng);
                Some(self.assign(client, turn))
            }
            SourceKind::Script(script) => {
                let (client, scripted) = script.due(now, clients)?;
                let f = OpKind::from(scripted.op);
                let level = scripted.level.unwrap_or_else(|| self.level(&f));
                Some(Assignment {
                    client,
                    node: Some(scripted.node),
                    op: ClientOp::new(f, scripted.key, Some(level)),
                })
            }
        }
    }

    /// What a client does by a workload, at its own coordinator.
    fn assign(&self, client: usize, turn: Op) -> Assignment {
        let f = match turn.action {
            Turn::Read => OpKind::Read,
            Turn::Write(value) => OpKind::Write(value),
            Turn::WriteSet(set) => OpKind::WriteSet(set.into()),
            Turn::Delete => OpKind::Delete,
        };
        let level = self.level(&f);
        Assignment {
            client,
            node: None,
            op: ClientOp::new(f, turn.key, Some(level)),
        }
    }

    /// Tells what came of an operation of a client, who may do something about it at once.
    pub(super) fn observe(&mut self, client: usize, key: &str, seen: &Seen<'_>) {
        if let SourceKind::Drawn(workload) = &mut self.kind {
            let next = workload.observe(client as u64, key, seen);
            self.at_once.extend(next.map(|op| (client, op)));
        }
    }

    /// When [`due`](Self::due) may have an answer again, if nothing comes back before.
    pub(super) fn next_due(&self, now: Nanos, clients: &Clients) -> Nanos {
        if !self.at_once.is_empty() {
            return now;
        }
        match &self.kind {
            SourceKind::Drawn(_) => clients.next_due(now),
            SourceKind::Script(script) => script.next_due(clients),
        }
    }

    /// Every key that was handed out, for the final reads.
    pub(super) fn keys(&self) -> Vec<String> {
        match &self.kind {
            SourceKind::Drawn(workload) => workload.keys(),
            SourceKind::Script(script) => script.keys.iter().cloned().collect(),
        }
    }

    /// Operations that were written down and never asked, because their clients were busy until the end.
    pub(super) fn unasked(&self) -> usize {
        match &self.kind {
            SourceKind::Drawn(_) => 0,
            SourceKind::Script(script) => script.waiting.iter().map(VecDeque::len).sum(),
        }
    }

    fn level(&self, f: &OpKind) -> Level {
        let (r, w) = self.levels;
        if f.has_effect() { w } else { r }
    }
}

/// Operations that are written down.
struct Script {
    began: Nanos,
    /// By client, in order of time.
    waiting: Vec<VecDeque<ScriptedOp>>,
    keys: BTreeSet<String>,
}

impl Script {
    fn new(plan: &Plan) -> Script {
        let clients = usize::try_from(plan.load.clients).unwrap_or(0);
        let mut waiting = vec![VecDeque::new(); clients];
        let mut ops = plan.load.script.clone();
        ops.sort_by_key(|op| op.at_ns);
        let keys = ops.iter().map(|op| op.key.clone()).collect();
        for op in ops {
            let client = usize::try_from(op.client).unwrap_or(usize::MAX);
            if let Some(queue) = waiting.get_mut(client) {
                queue.push_back(op);
            }
        }
        Script {
            began: Nanos::NEVER,
            waiting,
            keys,
        }
    }

    /// The oldest operation that is due and whose client is free.
    fn due(&mut self, now: Nanos, clients: &Clients) -> Option<(usize, ScriptedOp)> {
        let (at, client) = self.fronts(clients).min()?;
        if at > now {
            return None;
        }
        Some((client, self.waiting[client].pop_front()?))
    }

    fn next_due(&self, clients: &Clients) -> Nanos {
        self.fronts(clients)
            .min()
            .map_or(Nanos::NEVER, |(at, _)| at)
    }

    /// The next operation of every free client: when, and whose.
    fn fronts(&self, clients: &Clients) -> impl Iterator<Item = (Nanos, usize)> {
        let free = self.waiting.iter().enumerate();
        free.filter(|(client, _)| !clients.is_busy(*client))
            .filter_map(|(client, queue)| {
                let at = self.began.0.saturating_add(queue.front()?.at_ns);
                Some((Nanos(at), client))
            })
    }
}
