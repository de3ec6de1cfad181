//! The loop between a conductor and a simulated cluster, in virtual time.
//!
//! It is the twin of `run/drive.rs`: it carries out what the one decides in the other, and hands back what came of it. Who
//! advances it takes the events out, and may look at it in between; looking changes nothing.

use quorate_checkers::history::{Event, Nanos};
use quorate_node::protocol::Topology;

use super::SimError;
use super::cluster::Cluster;
use super::queue::{Happening, later};
use super::trace::Step;
use super::weather::Weather;
use crate::conductor::{Action, Conductor};
use crate::fault::{Effect, Fault};
use crate::plan::{Phases, Plan, replicas_in};
use crate::world::{ClientOp, Outcome};

/// Nanoseconds in a millisecond.
const NS_PER_MS: u64 = 1_000_000;

/// How long nodes may take to connect to all their peers, ms.
const READY_MS_MAX: u64 = 10_000;

/// Pause between two looks at a cluster that is waited for, ns.
const LOOK_NS: u64 = 10 * NS_PER_MS;

/// Looks in a row that must find the cluster at rest, as in the live world.
const RESTING_LOOKS: u32 = 2;

/// More happenings than any plan needs: beyond this something runs in circles.
const HAPPENINGS_MAX: u64 = 1_000_000_000;

/// What the conductor waits for.
#[derive(Clone, Copy, Debug)]
enum Waiting {
    Nothing,
    /// For the cluster to come together, until then.
    Settled(Nanos),
    /// For it to come together after the last heal, until then.
    Healed(Nanos),
    /// For it to come to rest.
    Quiet(Quiet),
}

/// A wait for rest.
#[derive(Clone, Copy, Debug)]
struct Quiet {
    /// Not sooner than this.
    from: Nanos,
    /// Not longer than this.
    until: Nanos,
    /// Looks in a row that found the cluster at rest.
    resting: u32,
}

/// One drive of a conductor through a simulated cluster.
pub struct Simulation {
    conductor: Conductor,
    cluster: Cluster,
    waiting: Waiting,
    phases: Phases,
    /// How long everything may take to be healed, ms: longer where the ring may have to finish its change.
    healed_ms_max: u64,
    topology: Topology,
    /// Whether the conductor may have something new to say.
    is_news: bool,
    happenings: u64,
}

impl Simulation {
    /// A simulation of this plan, at its beginning.
    ///
    /// # Errors
    /// When the plan cannot be carried out anywhere.
    pub fn new(plan: &Plan, weather: Weather) -> Result<Simulation, SimError> {
        Ok(Simulation {
            conductor: Conductor::new(plan, Box::new(plan.replicas()))?,
            cluster: Cluster::new(plan, weather),
            waiting: Waiting::Nothing,
            phases: plan.phases,
            healed_ms_max: READY_MS_MAX + plan.ring_ms_max(),
            topology: Topology::of(&plan.store),
            is_news: false,
            happenings: 0,
        })
    }

    /// Takes down everything that happens from now on, for [`take_steps`](Self::take_steps). That changes nothing else.
    #[must_use]
    pub fn traced(mut self) -> Simulation {
        self.cluster.queue.trace();
        self
    }

    /// Takes out what happened since the last call, if the simulation is [`traced`](Self::traced).
    pub fn take_steps(&mut self) -> Vec<Step> {
        self.cluster.queue.take_steps()
    }

    /// Goes on until there may be something new in the history; false at the end.
    ///
    /// # Errors
    /// When the run comes to no end.
    pub fn advance(&mut self) -> Result<bool, SimError> {
        let Some(until) = self.act() else {
            return Ok(false);
        };
        self.is_news = false;
        while !self.is_news
            && let Some(happening) = self.cluster.queue.next(until)
        {
            self.happenings += 1;
            if self.happenings > HAPPENINGS_MAX {
                return Err(SimError::Endless {
                    limit: HAPPENINGS_MAX,
                });
            }
            self.happen(happening)?;
        }
        Ok(true)
    }

    /// Takes out the events recorded since the last call, in order.
    pub fn drain_events(&mut self) -> impl Iterator<Item = Event> + '_ {
        self.conductor.drain_events()
    }

    /// Ends the load now and goes on to heal, drain, read and stop.
    pub fn stop(&mut self, why: &str) {
        self.conductor.stop(self.now(), why);
    }

    /// What decides, to look at: its phase, its faults, how far it is.
    pub fn conductor(&self) -> &Conductor {
        &self.conductor
    }

    /// Virtual time since the beginning.
    pub fn now(&self) -> Nanos {
        self.cluster.queue.now()
    }

    /// Carries out everything that is due; says until when there is nothing more, or none at the end.
    fn act(&mut self) -> Option<Nanos> {
        loop {
            match self.conductor.poll(self.now()) {
                // Time goes on even if the conductor wants it to stand still.
                Action::Wait(until) => return Some(until.max(later(self.now(), 1))),
                Action::Done => return None,
                Action::Invoke { client, node, op } => self.invoke(client, node, op),
                Action::Settle => self.wait_for(Waiting::Settled(self.in_ms(READY_MS_MAX))),
                Action::Inject(index) => self.strike_soon(Happening::Strike(index)),
                Action::Heal(index) => self.strike_soon(Happening::Lift(index)),
                Action::HealAll => self.strike_soon(Happening::LiftAll),
                Action::Quiesce => {
                    self.wait_for(Waiting::Quiet(Quiet {
                        from: self.in_ms(self.phases.quiet_ms_min),
                        until: self.in_ms(self.phases.quiet_ms_max),
                        resting: 0,
                    }));
                }
            }
        }
    }

    fn invoke(&mut self, client: usize, node: u16, op: ClientOp) {
        self.cluster.invoke(client, node, op);
        let (tag, invocation) = (self.cluster.clients.tag(client), self.last_index());
        self.cluster
            .queue
            .tell(|tracer, now| tracer.invoked(now, tag, invocation, node));
    }

    fn completed(&mut self, client: usize, outcome: Outcome) {
        let tag = self.cluster.clients.tag(client);
        self.conductor.completed(self.now(), client, outcome);
        let completion = self.last_index();
        self.cluster
            .queue
            .tell(|tracer, now| tracer.completed(now, tag, completion));
    }

    /// The index of the newest event.
    fn last_index(&self) -> u64 {
        self.conductor.recorded().saturating_sub(1)
    }

    fn in_ms(&self, ms: u64) -> Nanos {
        later(self.now(), ms.saturating_mul(NS_PER_MS))
    }

    fn wait_for(&mut self, waiting: Waiting) {
        self.waiting = waiting;
        self.cluster.queue.after(LOOK_NS, Happening::Look);
    }

    fn strike_soon(&mut self, happening: Happening) {
        let soon_ns = self.cluster.weather.strike.draw_ns(&mut self.cluster.rng);
        self.cluster.queue.after(soon_ns, happening);
    }

    fn happen(&mut self, happening: Happening) -> Result<(), SimError> {
        let now = self.now();
        self.is_news = true;
        match happening {
            Happening::Answered {
                client,
                op,
                outcome,
            } => {
                if self.cluster.clients.finish(client, op) {
                    self.completed(client, outcome);
                }
            }
            Happening::GaveUp { client, op } => {
                if let Some(outcome) = self.cluster.clients.overdue(client, op) {
                    self.cluster.clients.finish(client, op);
                    self.completed(client, outcome);
                }
            }
            Happening::Strike(index) => match self.conductor.fault(index).cloned() {
                Some(Fault::Ring(change)) => {
                    if let Err(why) = self.cluster.want_ring(index, change) {
                        self.strike_soon(Happening::Struck(index, Effect::Skipped(why)));
                    }
                }
                Some(fault) => {
                    let effect = self.cluster.strike(index, &fault);
                    self.strike_soon(Happening::Struck(index, effect));
                }
                None => {}
            },
            Happening::ChangeRing(index) => {
                if let Some(effect) = self.cluster.change_ring(index) {
                    self.strike_soon(Happening::Struck(index, effect));
                }
            }
            Happening::Struck(index, effect) => self.conductor.injected(now, index, &effect),
            Happening::Lift(index) => {
                if let Some(fault) = self.conductor.fault(index).cloned() {
                    let (effect, known_ns) = self.cluster.lift(index, &fault);
                    let lifted = Happening::Lifted(index, effect);
                    // Known after everything that it takes.
                    self.cluster.queue.after(known_ns + LOOK_NS, lifted);
                }
            }
            Happening::Lifted(index, effect) => self.conductor.healed(now, index, &effect),
            Happening::LiftAll => {
                self.cluster.lift_all();
                self.wait_for(Waiting::Healed(self.in_ms(self.healed_ms_max)));
            }
            Happening::Look => self.look()?,
            inside => {
                self.is_news = false;
                self.cluster.happen(&inside);
            }
        }
        Ok(())
    }

    /// The history tells what voids promises although no fault of the plan does.
    fn tell_weather(&mut self, now: Nanos) {
        if self.cluster.weather.is_lossy() {
            self.conductor.links_are_lossy(now);
        }
        if let Some(drifts_ppm) = self.cluster.drifts_ppm() {
            self.conductor.clocks_drift(now, &drifts_ppm);
        }
    }

    /// Looks whether what is waited for has come; if not, looks again a little later.
    fn look(&mut self) -> Result<(), SimError> {
        let now = self.now();
        match self.waiting {
            Waiting::Nothing => return Ok(()),
            Waiting::Settled(_) if self.cluster.is_ready() => {
                self.conductor.settled(now);
                self.tell_weather(now);
            }
            Waiting::Healed(until) if self.cluster.is_ready() => match self.cluster.ring_effect() {
                Effect::Installed | Effect::Skipped(_) => self.conductor.all_healed(now),
                Effect::Indeterminate(why) if now >= until => {
                    self.conductor.not_all_healed(now, &why);
                }
                Effect::Indeterminate(_) => {
                    self.wait_for(self.waiting);
                    return Ok(());
                }
            },
            Waiting::Settled(until) | Waiting::Healed(until) => {
                if now >= until {
                    return Err(SimError::NotConnected {
                        waited_ms: READY_MS_MAX,
                    });
                }
                self.wait_for(self.waiting);
                return Ok(());
            }
            Waiting::Quiet(quiet) => {
                let resting = if self.cluster.is_at_rest() {
                    quiet.resting + 1
                } else {
                    0
                };
                let is_over = resting >= RESTING_LOOKS && now >= quiet.from;
                if !is_over && now < quiet.until {
                    self.wait_for(Waiting::Quiet(Quiet { resting, ..quiet }));
                    return Ok(());
                }
                if let Some(owners) = self.cluster.ring_owners() {
                    let topology = &self.topology;
                    self.conductor
                        .move_to(Box::new(replicas_in(topology, owners)));
                }
                self.conductor.quiet(now, resting >= RESTING_LOOKS);
            }
        }
        self.waiting = Waiting::Nothing;
        Ok(())
    }
}
