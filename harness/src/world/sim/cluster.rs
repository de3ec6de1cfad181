//! The simulated cluster: carries out what nodes, disks, links and clients want, one happening at a time.
//!
//! It is to `Replica` what the node's shell is in the live world: same inputs, same order of outputs. When which fault
//! strikes is the plan's business; how it does is in `faults.rs`.

use quorate_checkers::history::Nanos;
use quorate_node::config::NodeId;
use quorate_node::protocol::{Input, Output, Token};
use quorate_workloads::Rng;

use super::clients::Clients;
use super::disk::Wants;
use super::faults::Ledger;
use super::network::{Network, Parcel, lose};
use super::node::{Node, Stimulus};
use super::queue::{Happening, Queue};
use super::rings::{ADMINISTRATOR, Rings};
use super::trace::{Loss, What};
use super::weather::Weather;
use crate::fault::Link;
use crate::plan::Plan;
use crate::world::ClientOp;

/// All nodes, what is between them, and their clients.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) weather: Weather,
    pub(super) queue: Queue,
    pub(super) network: Network,
    pub(super) nodes: Vec<Node>,
    pub(super) clients: Clients,
    pub(super) ledger: Ledger,
    pub(super) rings: Rings,
    /// For everything that is nobody's in particular.
    pub(super) rng: Rng,
}

impl Cluster {
    /// A cluster whose nodes are about to start.
    pub(super) fn new(plan: &Plan, weather: Weather) -> Cluster {
        let node = |number| Node::new(number, &plan.store, plan.seed, &weather);
        let mut cluster = Cluster {
            weather,
            queue: Queue::new(),
            network: Network::new(plan.store.nodes, plan.seed, weather),
            nodes: (1..=plan.store.nodes).map(node).collect(),
            clients: Clients::new(plan, weather),
            ledger: Ledger::default(),
            rings: Rings::default(),
            rng: Rng::stream(plan.seed, "faults"),
        };
        cluster.boot_the_dead();
        cluster
    }

    /// Starts every dead node but those that are gone for good; returns how long that takes, ns.
    pub(super) fn boot_the_dead(&mut self) -> u64 {
        let rings = &self.rings;
        let dead = self.nodes.iter();
        let dead = dead.filter(|node| node.process.is_none() && !rings.is_gone(node.id.0));
        let dead: Vec<u16> = dead.map(|node| node.id.0).collect();
        self.boot_soon(&dead)
    }

    /// Starts these nodes; returns how long that takes, ns.
    pub(super) fn boot_soon(&mut self, nodes: &[u16]) -> u64 {
        let mut longest_ns = 0;
        for &node in nodes {
            let boot_ns = self.weather.boot.draw_ns(&mut self.rng);
            self.queue.after(boot_ns, Happening::Boot { node });
            longest_ns = longest_ns.max(boot_ns);
        }
        longest_ns
    }

    /// Lets a client carry out an operation; [`Happening::Answered`] or [`Happening::GaveUp`] tells what came of it.
    pub(super) fn invoke(&mut self, client: usize, node: u16, op: ClientOp) {
        let alive = self.node(node).filter(|node| node.process.is_some());
        let epoch = alive.map(|node| node.epoch);
        self.clients
            .invoke(client, node, op, epoch, &mut self.queue);
    }

    /// How much each wall clock gains in a second, µs; nothing if none can.
    pub(super) fn drifts_ppm(&self) -> Option<Vec<i64>> {
        let drifts = self.nodes.iter().map(|node| node.drift_ppm);
        (self.weather.drift_ppm_max > 0).then(|| drifts.collect())
    }

    /// Whether every node runs and is connected to all others.
    pub(super) fn is_ready(&self) -> bool {
        let rings = &self.rings;
        let is_ready = |node: &Node| rings.is_gone(node.id.0) || node.is_running();
        self.nodes.iter().all(is_ready) && self.network.is_connected(|node| !rings.is_gone(node))
    }

    /// Whether nobody has anything left to do.
    pub(super) fn is_at_rest(&self) -> bool {
        let rings = &self.rings;
        let is_at_rest = |node: &Node| rings.is_gone(node.id.0) || node.is_at_rest();
        self.nodes.iter().all(is_at_rest) && self.network.is_at_rest()
    }

    pub(super) fn node(&mut self, number: u16) -> Option<&mut Node> {
        let place = usize::from(number).checked_sub(1)?;
        self.nodes.get_mut(place)
    }

    /// Something happens to a node, a link or a request. What is for the harness is not for here.
    pub(super) fn happen(&mut self, happening: &Happening) {
        match *happening {
            Happening::Boot { node } => self.boot(node),
            Happening::Alarm { node, epoch } => self.wake(node, epoch),
            Happening::SyncDue { node, epoch } => self.stimulate(node, epoch, Stimulus::SyncDue),
            Happening::SyncEnded { node, epoch } => self.sync_ended(node, epoch),
            Happening::Dial { link, epoch } => self.dial(link, epoch),
            Happening::Greeted { link, stream } => {
                if self.network.greeted(link, stream) {
                    self.queue.note(|| What::LinkUp(link));
                    self.tell(link.from, Input::PeerUp(NodeId(link.to)));
                }
            }
            Happening::Arrival { link, stream } => {
                let now = self.queue.now();
                while let Some(parcel) = self.network.arrived(link, stream, now) {
                    self.hand_over(link, parcel);
                }
            }
            Happening::HungUp { link, stream } => {
                if self.network.hung_up(link, stream) {
                    self.queue.note(|| What::LinkDown(link));
                    self.tell(link.from, Input::PeerDown(NodeId(link.to)));
                    self.dial_soon(link);
                }
            }
            Happening::Asked { client, op, epoch } => {
                if let Some((node, tag, request)) = self.clients.request(client, op) {
                    let input = Input::Client { tag, request };
                    self.stimulate(node, epoch, Stimulus::Input(input));
                }
            }
            Happening::Answered { .. }
            | Happening::GaveUp { .. }
            | Happening::Strike(_)
            | Happening::Struck(..)
            | Happening::Lift(_)
            | Happening::Lifted(..)
            | Happening::LiftAll
            | Happening::ChangeRing(_)
            | Happening::Look => {}
        }
    }

    fn boot(&mut self, number: u16) {
        let place = usize::from(number).checked_sub(1);
        let node = place.and_then(|place| self.nodes.get_mut(place));
        let Some(node) = node.filter(|node| node.process.is_none()) else {
            return;
        };
        let (epoch, process) = node.boot();
        self.queue
            .tell(|tracer, now| tracer.booted(now, number, epoch, &process.replica));
        for link in self.network.links_from(number) {
            self.dial_soon(link);
        }
        // Some wait for nothing to begin with something: a comparison, or the search for a leader.
        self.arm(number);
    }

    fn dial_soon(&mut self, link: Link) {
        let Some(epoch) = self.node(link.from).map(|node| node.epoch) else {
            return;
        };
        // The first attempt follows at once; only failed ones are spaced out.
        let soon_ns = self.weather.client.draw_ns(&mut self.rng);
        self.queue.after(soon_ns, Happening::Dial { link, epoch });
    }

    fn dial(&mut self, link: Link, epoch: u64) {
        let Some(sender) = self.node(link.from) else {
            return;
        };
        if sender.alive_in(epoch).is_none() {
            return;
        }
        // A process that stands still neither dials nor greets.
        let is_served = sender.is_running() && self.node(link.to).is_some_and(|to| to.is_running());
        self.network.dial(link, epoch, is_served, &mut self.queue);
    }

    fn wake(&mut self, number: u16, epoch: u64) {
        let now = self.queue.now();
        let Some(process) = self.node(number).and_then(|node| node.alive_in(epoch)) else {
            return;
        };
        if process.alarm.is_some_and(|alarm| alarm <= now) {
            process.alarm = None;
        }
        self.stimulate(number, epoch, Stimulus::Input(Input::Tick));
    }

    fn sync_ended(&mut self, number: u16, epoch: u64) {
        // The kernel goes on with a sync while its process stands still, but not beyond its death.
        let Some(node) = self.node(number) else {
            return;
        };
        if node.alive_in(epoch).is_some() {
            let tokens = node.disk.end_sync();
            let records = tokens.len();
            self.queue.note(|| What::Synced {
                node: number,
                records,
            });
            self.stimulate(number, epoch, Stimulus::Synced(tokens));
        }
    }

    /// A message has come to the end of its link.
    fn hand_over(&mut self, link: Link, parcel: Parcel) {
        match self.node(link.to) {
            Some(node) if node.process.is_some() => {
                let epoch = node.epoch;
                self.stimulate(link.to, epoch, Stimulus::Message { link, parcel });
            }
            _ => lose(link, parcel.number, Loss::ReceiverDied, &mut self.queue),
        }
    }

    /// Gives a node's process something to deal with, whichever life it is in.
    fn tell(&mut self, number: u16, input: Input) {
        if let Some(epoch) = self.node(number).map(|node| node.epoch) {
            self.stimulate(number, epoch, Stimulus::Input(input));
        }
    }

    /// Gives a process something to deal with: now if it runs, later if it stands still, never if it is dead.
    pub(super) fn stimulate(&mut self, number: u16, epoch: u64, stimulus: Stimulus) {
        let Some(process) = self.node(number).and_then(|node| node.alive_in(epoch)) else {
            return;
        };
        if let Some(inbox) = &mut process.inbox {
            if let Some(Stimulus::Message { link, parcel }) = inbox.put(stimulus) {
                lose(link, parcel.number, Loss::QueueFull, &mut self.queue);
            }
            return;
        }
        match stimulus {
            Stimulus::Input(input) => self.step(number, input),
            Stimulus::Message { link, parcel } => {
                let Parcel {
                    number: message,
                    message: says,
                } = parcel;
                self.queue.note(|| What::Delivered { message, link });
                let from = NodeId(link.from);
                let message = says;
                self.step(number, Input::Peer { from, message });
            }
            Stimulus::SyncDue => {
                let weather = self.weather;
                let wants = self.node(number).map(|node| node.disk.begin_sync(&weather));
                self.grant(number, wants);
            }
            Stimulus::Synced(tokens) => self.synced(number, tokens),
        }
        self.arm(number);
    }

    fn synced(&mut self, number: u16, tokens: Vec<Token>) {
        let wants = self.node(number).map(|node| node.disk.next_sync());
        self.grant(number, wants);
        for token in tokens {
            self.step(number, Input::Persisted(token));
        }
    }

    /// One step of a replica, and everything that must happen because of it, in the order of the node's shell.
    fn step(&mut self, number: u16, input: Input) {
        let now = self.queue.now();
        self.queue
            .tell(|tracer, now| tracer.begins(now, number, &input));
        let place = usize::from(number).checked_sub(1);
        let Some(node) = place.and_then(|place| self.nodes.get_mut(place)) else {
            return;
        };
        let outputs = node.step(now, input);
        if let Some(process) = &node.process {
            self.queue
                .tell(|tracer, now| tracer.ends(now, number, &process.replica, &outputs));
        }
        for output in outputs {
            match output {
                Output::Send { to, message } => {
                    let link = Link {
                        from: number,
                        to: to.0,
                    };
                    self.network.send(link, message, &mut self.queue);
                }
                Output::Reply { tag, response } if tag.connection == ADMINISTRATOR => {
                    self.rings.answered(tag, response);
                }
                Output::Reply { tag, response } => {
                    self.clients.reply(tag, response, &mut self.queue);
                }
                Output::Persist { token, record } => {
                    let Some(node) = self.node(number) else {
                        return;
                    };
                    let wants = node.disk.append(token, record);
                    let is_lazy = node.disk.is_lazy();
                    self.grant(number, Some(wants));
                    if is_lazy {
                        self.step(number, Input::Persisted(token));
                    }
                }
            }
        }
    }

    /// Plans what a disk wants.
    fn grant(&mut self, number: u16, wants: Option<Wants>) {
        let Some(epoch) = self.node(number).map(|node| node.epoch) else {
            return;
        };
        let node = number;
        match wants.unwrap_or(Wants::Nothing) {
            Wants::Nothing => {}
            Wants::Begin(later_ns) => self
                .queue
                .after(later_ns, Happening::SyncDue { node, epoch }),
            Wants::End(later_ns) => self
                .queue
                .after(later_ns, Happening::SyncEnded { node, epoch }),
        }
    }

    /// Plans to wake a node at its deadline, unless it is woken before anyway.
    fn arm(&mut self, number: u16) {
        let Some(node) = self.node(number) else {
            return;
        };
        let epoch = node.epoch;
        let Some(process) = &mut node.process else {
            return;
        };
        let Some(deadline) = process.replica.deadline().map(|due| Nanos(due.0)) else {
            return;
        };
        if process.alarm.is_none_or(|alarm| deadline < alarm) {
            process.alarm = Some(deadline);
            let node = number;
            self.queue.at(deadline, Happening::Alarm { node, epoch });
        }
    }
}
