//! The loop between a conductor and a live world: carries out what the one decides in the other, and writes the history as it grows.

use std::future::pending;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use quorate_checkers::history::Nanos;
use quorate_node::config::NodeId;
use quorate_node::protocol::Topology;
use tokio::time::{MissedTickBehavior, interval, sleep_until};

use super::RunError;
use super::following::{Following, stopped_at};
use super::host_clock::HostClock;
use super::interrupts::Interrupts;
use crate::conductor::{Action, Conductor, Phase};
use crate::fault::Effect;
use crate::plan::{Plan, replicas_in};
use crate::report::progress::{Glance, Progress};
use crate::results::HistoryFile;
use crate::world::Outcome;
use crate::world::live::{LiveClient, LiveWorld, WorldError};

/// How often the history is handed to the operating system, the host's clock is looked at, and progress is shown.
const TICK: Duration = Duration::from_millis(100);
/// Longest wait without asking the conductor again.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// Where events go.
pub enum Recording {
    /// Into the run's history.
    File(HistoryFile),
    /// Nowhere, and none are made: for measuring what recording costs.
    Off,
}

/// What a drive came to.
#[derive(Debug, Default)]
pub struct Load {
    /// Our own failure that ended it early.
    pub failure: Option<String>,
    /// Whether the user ended it early.
    pub interrupted: bool,
    /// The first broken promise, if the run was to end with it.
    pub stopped: Option<String>,
    /// How long clients worked.
    pub load: Duration,
    /// Operations that clients completed.
    pub ops: u64,
}

/// Something that the world was asked came back.
enum Came {
    Op(usize, Box<LiveClient>, Outcome),
    Settled(Result<(), WorldError>),
    Injected(usize, Effect),
    Healed(usize, Effect),
    /// With why the ring has not finished its change, if it has not.
    AllHealed(Result<Result<(), String>, WorldError>),
    /// With the owners of the ring, if it may have changed.
    Quiet(bool, Option<Vec<(NodeId, NodeId)>>),
}

/// One drive of a conductor through a live world.
pub struct Drive<'a> {
    conductor: Conductor,
    world: &'a LiveWorld,
    recording: Recording,
    clients: Vec<Option<Box<LiveClient>>>,
    op_timeout: Duration,
    /// How long the quiet lasts, at least and at most.
    quiet: (Duration, Duration),
    ring_max: Duration,
    topology: Topology,
    began: Instant,
    host_clock: HostClock,
    load_began: Option<Instant>,
    load: Load,
    /// Judges what has happened so far; none if nothing is recorded.
    following: Option<Following>,
    stop_on_first: bool,
    /// The phase that was last shown: each is, however short.
    shown: Option<Phase>,
}

type Under<'a> = FuturesUnordered<Pin<Box<dyn Future<Output = Came> + 'a>>>;

impl<'a> Drive<'a> {
    /// A drive of this plan.
    pub fn new(
        plan: &'a Plan,
        world: &'a LiveWorld,
        recording: Recording,
    ) -> Result<Drive<'a>, RunError> {
        let mut conductor = Conductor::new(plan, Box::new(plan.replicas()))?;
        let following = match recording {
            Recording::File(_) => Some(Following::new(plan.header()?)),
            Recording::Off => {
                conductor.record_nothing();
                None
            }
        };
        Ok(Drive {
            conductor,
            world,
            recording,
            clients: (0..plan.load.clients)
                .map(|_| Some(Box::new(world.client())))
                .collect(),
            op_timeout: Duration::from_millis(plan.load.op_timeout_ms),
            quiet: (
                Duration::from_millis(plan.phases.quiet_ms_min),
                Duration::from_millis(plan.phases.quiet_ms_max),
            ),
            ring_max: Duration::from_millis(plan.ring_ms_max()),
            topology: Topology::of(&plan.store),
            began: Instant::now(),
            host_clock: HostClock::new(),
            load_began: None,
            load: Load::default(),
            following,
            stop_on_first: false,
            shown: None,
        })
    }

    /// Ends the load at the first anomaly that breaks a promise, if that is wanted.
    #[must_use]
    pub fn stopping_on_first(self, stop_on_first: bool) -> Drive<'a> {
        Drive {
            stop_on_first,
            ..self
        }
    }

    /// Runs to the end, or to the second interrupt. The history is on disk when this returns.
    pub async fn run(mut self, progress: &mut Progress) -> Result<Load, RunError> {
        let ended = self.drive(progress).await;
        self.write_events()?;
        if let Recording::File(file) = self.recording {
            file.close()?;
        }
        self.load.ops = self.conductor.completed_ops();
        ended.map(|()| self.load)
    }

    async fn drive(&mut self, progress: &mut Progress) -> Result<(), RunError> {
        let mut under: Under<'a> = FuturesUnordered::new();
        let mut interrupts = Interrupts::new().map_err(RunError::Runtime)?;
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            let next = self.act(&mut under);
            if self.shown.replace(self.conductor.phase()) != Some(self.conductor.phase()) {
                self.show(progress);
            }
            let Some(until) = next else {
                return Ok(());
            };
            self.write_events()?;
            self.heed(progress);
            let wake =
                self.began + Duration::from_nanos(until.0).min(self.began.elapsed() + WAIT_MAX);
            tokio::select! {
                Some(came) = under.next() => self.take(came),
                () = sleep_until(wake.into()) => {}
                died = self.world.next_death() => match died {
                    Some(died) => {
                        let why = format!("it ended by itself ({})", died.status);
                        self.conductor.node_died(self.now(), died.node, &why);
                        self.fail(format!("n{}: {why}; its stderr.log may say more", died.node));
                    }
                    None => pending().await,
                },
                () = interrupts.next() => {
                    if self.load.interrupted {
                        return Err(RunError::Killed);
                    }
                    self.load.interrupted = true;
                    progress.say("interrupted: healing, saving and judging; once more to kill all");
                    self.conductor.stop(self.now(), "interrupted");
                }
                _ = tick.tick() => self.tick(progress)?,
            }
        }
    }

    /// Carries out everything that is due; says until when there is nothing more, or none at the end.
    fn act(&mut self, under: &mut Under<'a>) -> Option<Nanos> {
        let world = self.world;
        loop {
            let now = self.now();
            match self.conductor.poll(now) {
                Action::Wait(until) => return Some(until),
                Action::Done => return None,
                Action::Invoke { client, node, op } => {
                    let Some(mut connection) = self.clients[client].take() else {
                        continue;
                    };
                    let limit = self.op_timeout;
                    under.push(Box::pin(async move {
                        let outcome = connection.invoke(node, &op, limit).await;
                        Came::Op(client, connection, outcome)
                    }));
                }
                Action::Settle => {
                    under.push(Box::pin(async { Came::Settled(world.ready().await) }));
                }
                Action::Inject(index) => {
                    let Some(fault) = self.conductor.fault(index).cloned() else {
                        continue;
                    };
                    under.push(Box::pin(async move {
                        Came::Injected(index, world.inject(&fault).await)
                    }));
                }
                Action::Heal(index) => {
                    let Some(fault) = self.conductor.fault(index).cloned() else {
                        continue;
                    };
                    under.push(Box::pin(async move {
                        Came::Healed(index, world.heal(&fault).await)
                    }));
                }
                Action::HealAll => {
                    if let Some(began) = self.load_began {
                        self.load.load = began.elapsed();
                    }
                    let limit = self.ring_max;
                    under.push(Box::pin(async move {
                        Came::AllHealed(heal_all(world, limit).await)
                    }));
                }
                Action::Quiesce => {
                    let (least, limit) = self.quiet;
                    under.push(Box::pin(async move {
                        let drained = world.quiesce(least, limit).await;
                        Came::Quiet(drained, world.ring_owners().await)
                    }));
                }
            }
        }
    }

    fn take(&mut self, came: Came) {
        let now = self.now();
        match came {
            Came::Op(client, connection, outcome) => {
                self.clients[client] = Some(connection);
                self.conductor.completed(now, client, outcome);
            }
            Came::Settled(Ok(())) => {
                self.load_began = Some(Instant::now());
                self.conductor.settled(now);
            }
            Came::Settled(Err(error)) => self.fail(error.to_string()),
            Came::Injected(index, effect) => self.conductor.injected(now, index, &effect),
            Came::Healed(index, effect) => self.conductor.healed(now, index, &effect),
            Came::AllHealed(Ok(Ok(()))) => self.conductor.all_healed(now),
            Came::AllHealed(Ok(Err(unfinished))) => self.conductor.not_all_healed(now, &unfinished),
            Came::AllHealed(Err(error)) => {
                self.conductor.not_all_healed(now, &error.to_string());
                self.fail(error.to_string());
            }
            Came::Quiet(drained, owners) => {
                if let Some(owners) = owners {
                    let replicas = replicas_in(&self.topology, owners);
                    self.conductor.move_to(Box::new(replicas));
                }
                self.conductor.quiet(now, drained);
            }
        }
    }

    /// The first failure of our own starts the controlled stop.
    fn fail(&mut self, why: String) {
        self.conductor
            .stop(self.now(), &format!("harness failure: {why}"));
        self.load.failure.get_or_insert(why);
    }

    fn tick(&mut self, progress: &mut Progress) -> Result<(), RunError> {
        if let Some(step_ns) = self.host_clock.step_ns() {
            self.conductor.host_clock_stepped(self.now(), step_ns);
        }
        if let Recording::File(file) = &mut self.recording {
            file.flush()?;
        }
        self.show(progress);
        Ok(())
    }

    fn show(&self, progress: &mut Progress) {
        let faults = self
            .conductor
            .live_faults()
            .map(|scheduled| scheduled.fault.to_string())
            .collect();
        progress.show(&Glance {
            phase: self.conductor.phase(),
            elapsed: self
                .load_began
                .map_or(Duration::ZERO, |began| began.elapsed()),
            ops: self.conductor.completed_ops(),
            faults,
        });
    }

    fn write_events(&mut self) -> Result<(), RunError> {
        let Recording::File(file) = &mut self.recording else {
            return Ok(());
        };
        for event in self.conductor.drain_events() {
            file.append(&event)?;
            if let Some(following) = &mut self.following {
                following.push(&event);
            }
        }
        Ok(())
    }

    /// Ends the load at the first anomaly that breaks a promise, if that is wanted.
    fn heed(&mut self, progress: &Progress) {
        let broken = self
            .following
            .as_mut()
            .and_then(|following| following.heed(progress));
        if let Some(words) = broken
            && self.stop_on_first
            && self.conductor.phase() < Phase::Heal
        {
            self.conductor.stop(self.now(), &stopped_at(&words));
            self.load.stopped = Some(words);
        }
    }

    fn now(&self) -> Nanos {
        Nanos(u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}

/// Undoes every fault and waits until the nodes have found each other again, and until the ring has finished its change: why not, if it
/// has not within `ring_max`.
async fn heal_all(world: &LiveWorld, ring_max: Duration) -> Result<Result<(), String>, WorldError> {
    world.heal_everything().await?;
    world.ready().await?;
    if ring_max.is_zero() {
        return Ok(Ok(()));
    }
    Ok(world.ring_settled(ring_max).await)
}
