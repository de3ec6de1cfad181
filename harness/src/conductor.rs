//! The conductor: decides what happens next in a run, and writes down what happened.
//!
//! Sans-IO. It is told the time and what came back, and answers with the next [`Action`]; it opens no socket, reads no clock and
//! knows no world. The same conductor drives real processes and, later, the simulator. It judges nothing.
//!
//! Phases: Settle -> Warm -> Storm -> Heal -> Quiet -> Census -> Stop. Events come out of [`Conductor::drain_events`] in the order in which they must
//! be written; their times never go backwards, because the conductor itself stamps them: an invocation before the action is handed
//! out, a completion after its outcome came in. So spans err outward only.

mod census;
mod clients;
mod cues;
mod record;
mod source;

use std::collections::{BTreeMap, VecDeque};

use quorate_checkers::history::{Event, Nanos, Value};
use quorate_workloads::{Rng, Seen};

use crate::fault::{Effect, Fault};
use crate::plan::{Cast, Plan, PlanError, Scheduled};
use crate::world::{ClientOp, OpKind, Outcome, Wanted};
use census::Census;
use clients::{Clients, InFlight};
use cues::Signs;
use record::Record;
use source::{Assignment, Source};

/// After the load ended, operations in flight may take this much longer than their own time-out, ms.
const STRAGGLER_MS: u64 = 1_000;

/// Names the nodes that should hold a key, in preference order.
pub type ReplicasOf = Box<dyn Fn(&str) -> Vec<u16> + Send>;

/// A phase of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Nodes start and find each other.
    Settle,
    /// Load, no faults.
    Warm,
    /// Load and faults.
    Storm,
    /// Faults are healed.
    Heal,
    /// Repairs and queues drain.
    Quiet,
    /// Every key is read at every replica.
    Census,
    /// The cluster is stopped.
    Stop,
}

impl Phase {
    /// The word in histories and on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Settle => "settle",
            Phase::Warm => "warm",
            Phase::Storm => "storm",
            Phase::Heal => "heal",
            Phase::Quiet => "quiet",
            Phase::Census => "census",
            Phase::Stop => "stop",
        }
    }
}

/// What the world must do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Wait until all nodes are ready; then call [`Conductor::settled`].
    Settle,
    /// Let a client carry out an operation; then call [`Conductor::completed`].
    Invoke {
        /// The client: 0 to clients - 1.
        client: usize,
        /// The node to ask.
        node: u16,
        /// What to ask.
        op: ClientOp,
    },
    /// Install the fault of this index; then call [`Conductor::injected`].
    Inject(usize),
    /// Heal the fault of this index; then call [`Conductor::healed`].
    Heal(usize),
    /// Undo whatever may be left of any fault; then call [`Conductor::all_healed`].
    HealAll,
    /// Wait, bounded, until queues are empty and repairs done; then call [`Conductor::quiet`].
    Quiesce,
    /// Nothing to do until this time, or until something comes back.
    Wait(Nanos),
    /// The run is over.
    Done,
}

/// Where a fault of the timeline is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Planned,
    Injecting,
    Live,
    Healing,
    /// Its own heal did not take; the last heal of all has to.
    Unhealed,
    Over,
}

/// Decides what happens next.
pub struct Conductor {
    phase: Phase,
    /// Whether the action that opens the phase was handed out already.
    asked: bool,
    timeline: Vec<Scheduled>,
    /// The same as it is done: to the nodes that are meant when it is.
    done: Vec<Scheduled>,
    cast: Cast,
    stages: Vec<Stage>,
    warm: Nanos,
    storm: Nanos,
    op_timeout: Nanos,
    storm_began: Nanos,
    load_ends: Nanos,
    source: Source,
    signs: Signs,
    /// The names of the operations that clients of a script are at.
    steps: BTreeMap<usize, String>,
    rng: Rng,
    clients: Clients,
    census: Census,
    replicas_of: ReplicasOf,
    record: Record,
    /// What clients want to know of what they read.
    wanted: Wanted,
    /// Whether their writes say nothing of that.
    is_blind: bool,
    stopped: bool,
}

impl Conductor {
    /// A conductor for this plan. `replicas_of` names the nodes that should hold a key.
    pub fn new(plan: &Plan, replicas_of: ReplicasOf) -> Result<Conductor, PlanError> {
        let (kind, _) = plan.load.kind()?;
        let ms = |ms: u64| Nanos(ms.saturating_mul(1_000_000));
        Ok(Conductor {
            phase: Phase::Settle,
            asked: false,
            stages: vec![Stage::Planned; plan.timeline.len()],
            timeline: plan.timeline.clone(),
            done: plan.timeline.clone(),
            cast: Cast::new(plan.store.nodes),
            warm: ms(plan.phases.warm_ms),
            storm: ms(plan.phases.storm_ms),
            op_timeout: ms(plan.load.op_timeout_ms),
            storm_began: Nanos::NEVER,
            load_ends: Nanos::NEVER,
            source: Source::new(plan)?,
            signs: Signs::default(),
            steps: BTreeMap::new(),
            rng: Rng::stream(plan.seed, "load"),
            clients: Clients::new(plan, kind.coordinators()),
            census: Census::default(),
            replicas_of,
            record: Record::new(plan.load.clients),
            wanted: plan.wanted()?,
            is_blind: plan.load.blind,
            stopped: false,
        })
    }

    /// The current phase.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Faults that are installed now, for the progress line.
    pub fn live_faults(&self) -> impl Iterator<Item = &Scheduled> {
        self.done
            .iter()
            .zip(&self.stages)
            .filter(|(_, stage)| matches!(stage, Stage::Live | Stage::Healing))
            .map(|(scheduled, _)| scheduled)
    }

    /// The fault of this index.
    pub fn fault(&self, index: usize) -> Option<&Fault> {
        self.done.get(index).map(|scheduled| &scheduled.fault)
    }

    /// Takes out the events recorded since the last call, in order.
    pub fn drain_events(&mut self) -> impl Iterator<Item = Event> + '_ {
        self.record.drain()
    }

    /// Makes no events from now on: for measuring what making them costs.
    pub fn record_nothing(&mut self) {
        self.record.off();
    }

    /// How many events were recorded so far: the index of the next one.
    pub fn recorded(&self) -> u64 {
        self.record.recorded()
    }

    /// How many client operations completed so far.
    pub fn completed_ops(&self) -> u64 {
        self.record.completed_ops()
    }

    /// Ends the load now and goes on to heal, drain, read and stop: the controlled stop.
    pub fn stop(&mut self, now: Nanos, why: &str) {
        if self.stopped || self.phase >= Phase::Heal {
            return;
        }
        self.stopped = true;
        self.record.note(now, why);
        if self.phase == Phase::Settle {
            self.enter(Phase::Stop, now);
        } else {
            self.load_ends = now;
            self.enter(Phase::Heal, now);
        }
    }

    /// What to do at this time. Call again after every answer and whenever a wait is over.
    pub fn poll(&mut self, now: Nanos) -> Action {
        match self.phase {
            Phase::Settle => self.once(now, Action::Settle),
            Phase::Warm | Phase::Storm => self.load(now),
            Phase::Heal => self.heal(now),
            Phase::Quiet => self.once(now, Action::Quiesce),
            Phase::Census => self.count(now),
            Phase::Stop => Action::Done,
        }
    }

    /// All nodes are ready: the load begins.
    pub fn settled(&mut self, now: Nanos) {
        if self.phase != Phase::Settle {
            return;
        }
        self.storm_began = Nanos(now.0 + self.warm.0);
        self.load_ends = Nanos(self.storm_began.0 + self.storm.0);
        self.clients.start(now);
        self.source.start(now);
        self.enter(Phase::Warm, now);
    }

    /// A client's operation came back.
    pub fn completed(&mut self, now: Nanos, client: usize, outcome: Outcome) {
        let Some(op) = self.clients.finish(client, now, &outcome, &mut self.rng) else {
            return;
        };
        if op.f == OpKind::Census {
            self.census
                .finish(&op.key, op.node, matches!(outcome, Outcome::Ok { .. }), now);
        } else if !op.f.is_about_a_node() {
            self.learn(client, &op, &outcome);
        }
        if let Some(step) = self.source.completed(now, client, &outcome) {
            self.signs.give(&step, now);
        }
        if let (OpKind::FindLeader(number), Outcome::Ok { value, .. }) = (&op.f, &outcome)
            && *value == Value::Int(1)
        {
            self.cast.give(*number, op.node);
        }
        let step = self.steps.remove(&client);
        self.record.completion(now, &op, outcome, step.as_deref());
    }

    /// A fault took, or not.
    pub fn injected(&mut self, now: Nanos, index: usize, effect: &Effect) {
        let Some(scheduled) = self.done.get(index) else {
            return;
        };
        self.stages[index] = if matches!(effect, Effect::Skipped(_)) {
            Stage::Over
        } else {
            Stage::Live
        };
        self.record.effect(now, scheduled, effect);
        self.signs.give(&scheduled.id, now);
    }

    /// A fault is healed, or not.
    pub fn healed(&mut self, now: Nanos, index: usize, effect: &Effect) {
        let Some(scheduled) = self.done.get(index) else {
            return;
        };
        self.stages[index] = match effect {
            Effect::Installed | Effect::Skipped(_) => Stage::Over,
            Effect::Indeterminate(_) => Stage::Unhealed,
        };
        self.record.healed(now, scheduled, effect);
        self.signs.give_healed(&scheduled.id, now);
    }

    /// Nothing is left of any fault, also of those whose own heal did not take.
    pub fn all_healed(&mut self, now: Nanos) {
        if self.phase != Phase::Heal {
            return;
        }
        for (scheduled, stage) in self.done.iter().zip(&mut self.stages) {
            if *stage == Stage::Unhealed {
                *stage = Stage::Over;
                self.record.healed(now, scheduled, &Effect::Installed);
            }
        }
        self.enter(Phase::Quiet, now);
    }

    /// Something is left of some fault: what can still be read is read, and the windows stay open.
    pub fn not_all_healed(&mut self, now: Nanos, why: &str) {
        if self.phase == Phase::Heal {
            self.record.note(now, why);
            self.enter(Phase::Quiet, now);
        }
    }

    /// The ring has changed: from now on these nodes should hold a key.
    pub fn move_to(&mut self, replicas_of: ReplicasOf) {
        self.replicas_of = replicas_of;
    }

    /// Queues are empty, or the bound was reached. `drained` says which, for the record.
    pub fn quiet(&mut self, now: Nanos, drained: bool) {
        if self.phase != Phase::Quiet {
            return;
        }
        if !drained {
            self.record
                .note(now, "queues were not empty at the end of the quiet time");
        }
        let keys = self.source.keys();
        self.census = Census::new(keys.iter().flat_map(|key| {
            (self.replicas_of)(key)
                .into_iter()
                .map(move |node| (key.clone(), node))
        }));
        self.enter(Phase::Census, now);
    }

    /// A node died although nobody killed it.
    pub fn node_died(&mut self, now: Nanos, node: u16, why: &str) {
        self.record.crash(now, node, why);
    }

    /// Any link may lose messages, as long as the run lasts.
    pub fn links_are_lossy(&mut self, now: Nanos) {
        self.record.lossy(now, self.clients.nodes());
    }

    /// The wall clocks of the nodes gain so much in a second, µs, as long as the run lasts.
    pub fn clocks_drift(&mut self, now: Nanos, drifts_ppm: &[i64]) {
        self.record.drift(now, drifts_ppm);
    }

    /// The wall clock of the machine was stepped: stamps of the nodes no longer follow real time.
    pub fn host_clock_stepped(&mut self, now: Nanos, step_ns: i64) {
        self.record.host_clock(now, step_ns);
    }

    fn enter(&mut self, phase: Phase, now: Nanos) {
        self.phase = phase;
        self.asked = false;
        self.record.phase(now, phase);
    }

    /// Hands out `action` the first time, then waits for its answer.
    fn once(&mut self, now: Nanos, action: Action) -> Action {
        if self.asked {
            return Action::Wait(later(now, 1_000));
        }
        if self.phase == Phase::Settle {
            self.record.phase(now, Phase::Settle);
        }
        self.asked = true;
        action
    }

    fn load(&mut self, now: Nanos) -> Action {
        if self.phase == Phase::Warm && now >= self.storm_began {
            self.enter(Phase::Storm, now);
        }
        if now >= self.load_ends {
            self.note_unasked(now);
            self.enter(Phase::Heal, now);
            return self.heal(now);
        }
        if let Some(action) = self.due_fault(now) {
            return action;
        }
        let (clients, signs, rng) = (&mut self.clients, &self.signs, &mut self.rng);
        if let Some(Assignment {
            client,
            node,
            op,
            step,
        }) = self.source.due(now, clients, signs, rng)
        {
            self.steps.extend(step.map(|step| (client, step)));
            let node = node.map(|node| self.cast.of(node));
            return self.invoke(now, client, op, node);
        }
        if self.is_through() {
            self.load_ends = now;
            self.enter(Phase::Heal, now);
            return self.heal(now);
        }
        let next_op = self.source.next_due(now, &self.clients, &self.signs);
        let next = self.load_ends.min(self.next_fault()).min(next_op);
        let next = if self.phase == Phase::Warm {
            next.min(self.storm_began)
        } else {
            next
        };
        Action::Wait(next.max(now))
    }

    /// Whether a script whose operations wait for things has come to its end, and so have the faults that it changed.
    fn is_through(&self) -> bool {
        let is_changing = |stage: &Stage| matches!(stage, Stage::Injecting | Stage::Healing);
        self.source.is_through() && !self.clients.busy() && !self.stages.iter().any(is_changing)
    }

    fn note_unasked(&mut self, now: Nanos) {
        let unasked = self.source.unasked();
        if unasked > 0 {
            let text = format!(
                "{unasked} operations of the script were never asked: their clients were busy until the load was over"
            );
            self.record.note(now, &text);
        }
    }

    /// Lets `client` ask `node` (or its own coordinator) for `op`.
    fn invoke(&mut self, now: Nanos, client: usize, mut op: ClientOp, node: Option<u16>) -> Action {
        let context = self.prepare(client, &mut op);
        let node = self.clients.begin(client, &op, node);
        let step = self.steps.get(&client).map(String::as_str);
        self.record
            .invocation(now, self.clients.process(client), node, &op, context, step);
        Action::Invoke { client, node, op }
    }

    /// Lets a read say what its client wants to know, and a write what it had read, which is returned as a history tells it.
    fn prepare(&mut self, client: usize, op: &mut ClientOp) -> Option<Vec<Value>> {
        op.wanted = self.wanted;
        if self.is_blind || !op.f.has_effect() {
            return None;
        }
        let returned = self.clients.hand_back(client, &op.key)?;
        op.context = Some(returned.context);
        Some(returned.values)
    }

    /// Tells the workload what came of an operation, and keeps what its client will hand back.
    fn learn(&mut self, client: usize, op: &InFlight, outcome: &Outcome) {
        let seen = match outcome {
            Outcome::Ok {
                returned: Some(returned),
                ..
            } if op.f == OpKind::Read => {
                if !self.is_blind {
                    self.clients.remember(client, &op.key, (**returned).clone());
                }
                Seen::Read(&returned.values)
            }
            Outcome::Ok { .. } => Seen::Done,
            Outcome::Fail { .. } | Outcome::Info { .. } => Seen::Unknown,
        };
        self.source.observe(client, &op.key, &seen);
    }

    fn due_fault(&mut self, now: Nanos) -> Option<Action> {
        for index in 0..self.timeline.len() {
            let scheduled = &self.timeline[index];
            let (at, until) = self.window(scheduled);
            match self.stages[index] {
                Stage::Planned if self.phase == Phase::Storm && now >= at => {
                    self.stages[index] = Stage::Injecting;
                    let cast = &self.cast;
                    self.done[index].fault = scheduled.fault.renumbered(|node| cast.of(node));
                    self.record.inject(now, &self.done[index], scheduled);
                    return Some(Action::Inject(index));
                }
                // What lasts until the end of the storm is healed in the phase of that name.
                Stage::Live if now >= until && until < self.load_ends => {
                    return Some(self.begin_heal(now, index));
                }
                _ => {}
            }
        }
        None
    }

    fn begin_heal(&mut self, now: Nanos, index: usize) -> Action {
        self.stages[index] = Stage::Healing;
        self.record.heal(now, &self.done[index]);
        Action::Heal(index)
    }

    /// When a fault of the timeline begins and ends: never, as long as what it waits for has not come.
    fn window(&self, scheduled: &Scheduled) -> (Nanos, Nanos) {
        let cue = scheduled.cue.as_ref();
        let after = |names: &[String], began| self.signs.last_of(names, began);
        let begins = cue.map_or(Some(self.storm_began), |cue| {
            after(&cue.after, self.storm_began)
        });
        let at = begins.map_or(Nanos::NEVER, |begins| later(begins, scheduled.at_ms));
        let until = match cue.filter(|cue| !cue.until.is_empty()) {
            Some(cue) => after(&cue.until, at).unwrap_or(Nanos::NEVER),
            None => later(at, scheduled.for_ms),
        };
        (at, until.min(self.load_ends))
    }

    fn next_fault(&self) -> Nanos {
        let times = self
            .timeline
            .iter()
            .zip(&self.stages)
            .filter_map(|(scheduled, stage)| match stage {
                Stage::Planned => Some(self.window(scheduled).0),
                Stage::Live => Some(self.window(scheduled).1),
                Stage::Injecting | Stage::Healing | Stage::Unhealed | Stage::Over => None,
            });
        times.min().unwrap_or(Nanos::NEVER)
    }

    /// First the operations in flight come home (bounded), then each live fault is healed, then whatever may be left.
    fn heal(&mut self, now: Nanos) -> Action {
        let patience = Nanos(self.load_ends.0.saturating_add(self.op_timeout.0));
        if self.clients.busy() && now < later(patience, STRAGGLER_MS) {
            return Action::Wait(later(patience, STRAGGLER_MS));
        }
        if let Some(index) = self.stages.iter().position(|&stage| stage == Stage::Live) {
            return self.begin_heal(now, index);
        }
        if self
            .stages
            .iter()
            .any(|stage| matches!(stage, Stage::Injecting | Stage::Healing))
        {
            return Action::Wait(later(now, 1_000));
        }
        self.once(now, Action::HealAll)
    }

    fn count(&mut self, now: Nanos) -> Action {
        if let Some(client) = self.clients.idle(now)
            && let Some((key, node)) = self.census.next(now)
        {
            let op = ClientOp::new(OpKind::Census, key, None);
            return self.invoke(now, client, op, Some(node));
        }
        if self.census.is_done() {
            self.enter(Phase::Stop, now);
            return Action::Done;
        }
        // Both must be there: a read that is due and a client that is free.
        Action::Wait(self.census.next_due(now).max(self.clients.next_idle(now)))
    }
}

/// A queue of things to do, each not before its time.
type Due<T> = VecDeque<(Nanos, T)>;

fn later(time: Nanos, ms: u64) -> Nanos {
    Nanos(time.0.saturating_add(ms.saturating_mul(1_000_000)))
}

#[cfg(test)]
mod tests;
