//! Where the operations of a run come from: drawn by a workload from the seed, or read from a script.
//!
//! It hands out what is due and says when there will be more. Who is busy is known by `clients.rs`; what comes back is told to the workload,
//! whose client may do something about it at once.

use std::collections::{BTreeSet, VecDeque};

use quorate_checkers::history::Nanos;
use quorate_node::config::Level;
use quorate_workloads::{Action as Turn, Op, Rng, Seen, Workload};

use super::clients::Clients;
use super::cues::Signs;
use crate::plan::{Ask, Plan, PlanError, ScriptedOp, is_cued};
use crate::world::{ClientOp, OpKind, Outcome};

/// What is asked again until it is answered as wanted rests so long in between, ns.
const AGAIN_NS: u64 = 20_000_000;

/// What a client is to do now.
pub(super) struct Assignment {
    pub(super) client: usize,
    /// The node to ask; none = the client's own coordinator.
    pub(super) node: Option<u16>,
    pub(super) op: ClientOp,
    /// Its name, if a script gives it one.
    pub(super) step: Option<String>,
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
        signs: &Signs,
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
                let (client, scripted) = script.due(now, clients, signs)?;
                let f = OpKind::from(scripted.op);
                let level = scripted.level.unwrap_or_else(|| self.level(&f));
                Some(Assignment {
                    client,
                    node: Some(scripted.node),
                    op: ClientOp::new(f, scripted.key, Some(level)),
                    step: scripted.name,
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
            step: None,
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
    pub(super) fn next_due(&self, now: Nanos, clients: &Clients, signs: &Signs) -> Nanos {
        if !self.at_once.is_empty() {
            return now;
        }
        match &self.kind {
            SourceKind::Drawn(_) => clients.next_due(now),
            SourceKind::Script(script) => script.next_due(clients, signs),
        }
    }

    /// The operation of `client` came back; says which one of the script that was, unless that is not the end of it: what is asked until it
    /// is answered so may be asked again.
    pub(super) fn completed(
        &mut self,
        now: Nanos,
        client: usize,
        outcome: &Outcome,
    ) -> Option<String> {
        match &mut self.kind {
            SourceKind::Drawn(_) => None,
            SourceKind::Script(script) => script.completed(now, client, outcome),
        }
    }

    /// Whether a script whose operations wait for things has nothing more to ask.
    pub(super) fn is_through(&self) -> bool {
        match &self.kind {
            SourceKind::Drawn(_) => false,
            SourceKind::Script(script) => {
                script.is_cued && script.waiting.iter().all(VecDeque::is_empty)
            }
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
    /// By client: in order of time, or as they are written if any of them waits for something.
    waiting: Vec<VecDeque<ScriptedOp>>,
    /// What each client was last asked to do.
    asked: Vec<Option<ScriptedOp>>,
    /// Not to be asked again before.
    rests_until: Vec<Nanos>,
    keys: BTreeSet<String>,
    is_cued: bool,
    nodes: u16,
}

impl Script {
    fn new(plan: &Plan) -> Script {
        let clients = usize::try_from(plan.load.clients).unwrap_or(0);
        let mut waiting = vec![VecDeque::new(); clients];
        let mut ops = plan.load.script.clone();
        let is_cued = is_cued(&ops);
        if !is_cued {
            ops.sort_by_key(|op| op.at_ns);
        }
        let keyed = ops.iter().filter(|op| !op.key.is_empty());
        let keys = keyed.map(|op| op.key.clone()).collect();
        for op in ops {
            let client = usize::try_from(op.client).unwrap_or(usize::MAX);
            if let Some(queue) = waiting.get_mut(client) {
                queue.push_back(op);
            }
        }
        Script {
            began: Nanos::NEVER,
            waiting,
            asked: vec![None; clients],
            rests_until: vec![Nanos(0); clients],
            keys,
            is_cued,
            nodes: plan.store.nodes,
        }
    }

    /// The oldest operation that is due and whose client is free.
    fn due(&mut self, now: Nanos, clients: &Clients, signs: &Signs) -> Option<(usize, ScriptedOp)> {
        let (at, client) = self.fronts(clients, signs).min()?;
        if at > now {
            return None;
        }
        let op = self.waiting[client].pop_front()?;
        self.asked[client] = Some(op.clone());
        Some((client, op))
    }

    fn next_due(&self, clients: &Clients, signs: &Signs) -> Nanos {
        self.fronts(clients, signs)
            .min()
            .map_or(Nanos::NEVER, |(at, _)| at)
    }

    fn completed(&mut self, now: Nanos, client: usize, outcome: &Outcome) -> Option<String> {
        let mut op = self.asked.get_mut(client)?.take()?;
        if op.until.as_ref().is_none_or(|until| until.is_met(outcome)) {
            return op.name;
        }
        if let Ask::FindLeader(first) = op.op {
            op.node = if op.node >= self.nodes {
                first
            } else {
                op.node + 1
            };
        }
        self.rests_until[client] = Nanos(now.0.saturating_add(AGAIN_NS));
        self.waiting[client].push_front(op);
        None
    }

    /// The next operation of every free client: when, and whose.
    fn fronts(&self, clients: &Clients, signs: &Signs) -> impl Iterator<Item = (Nanos, usize)> {
        let free = self.waiting.iter().enumerate();
        free.filter(|(client, _)| !clients.is_busy(*client))
            .filter_map(|(client, queue)| {
                let op = queue.front()?;
                let begins = signs.last_of(&op.after, self.began)?;
                // Equal times count as concurrent: what waits for something comes after it.
                let gap_ns = op.at_ns.max(u64::from(!op.after.is_empty()));
                let at = Nanos(begins.0.saturating_add(gap_ns));
                Some((at.max(self.rests_until[client]), client))
            })
    }
}
