//! One simulated node: a replica, its disk and its clocks, and whether its process runs, stands still or is dead.
//!
//! It decides nothing and plans nothing: what follows from a step is carried out by `cluster.rs`.

use quorate_checkers::history::Nanos;
use quorate_node::config::{NodeId, StoreConfig};
use quorate_node::protocol::{self, Input, Machine, Now, Output, Record, Token, WallNanos};
use quorate_workloads::Rng;

use super::disk::Disk;
use super::inbox::Inbox;
use super::network::Parcel;
use super::weather::Weather;
use crate::fault::Link;
use crate::world::node_name;

/// What the wall clock shows when the simulation begins, ns since the Unix epoch. Any number would do.
const WALL_AT_START_NS: i64 = 1_700_000_000_000_000_000;

/// Parts per million that make one.
const PPM_PER_ONE: i64 = 1_000_000;

/// What a wall clock shows that nobody sets off and that does not drift, ns since the Unix epoch.
pub(super) fn wall_ns(now: Nanos) -> i64 {
    WALL_AT_START_NS.saturating_add(since_start_ns(now))
}

fn since_start_ns(now: Nanos) -> i64 {
    i64::try_from(now.0).unwrap_or(i64::MAX)
}

/// Something that a process deals with when it runs.
#[derive(Debug)]
pub(super) enum Stimulus {
    /// An input for the replica.
    Input(Input),
    /// A message that came over a link.
    Message { link: Link, parcel: Parcel },
    /// It is time to sync the log.
    SyncDue,
    /// These records are durable.
    Synced(Vec<Token>),
}

/// A process that is not dead.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) replica: Machine,
    /// What waits for a process that stands still; none if it runs.
    pub(super) inbox: Option<Inbox>,
    /// When it is going to be woken.
    pub(super) alarm: Option<Nanos>,
}

/// One node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: NodeId,
    store: StoreConfig,
    /// How often it was started.
    pub(super) epoch: u64,
    pub(super) process: Option<Process>,
    pub(super) disk: Disk,
    /// How far its wall clock was set off, ns.
    pub(super) offset_ns: i64,
    /// How much it gains in a second, µs.
    pub(super) drift_ppm: i64,
}

impl Node {
    pub(super) fn new(number: u16, store: &StoreConfig, seed: u64, weather: &Weather) -> Node {
        let stream = |of: &str| Rng::stream(seed, &format!("{of} {}", node_name(number)));
        Node {
            id: NodeId(number),
            store: store.clone(),
            epoch: 0,
            process: None,
            disk: Disk::new(store.sync_in_force(), stream("disk")),
            offset_ns: 0,
            drift_ppm: weather.drift_ppm(&mut stream("clock")),
        }
    }

    /// Starts its process, which is dead, on what is on its disk; how often that was done, this time included.
    pub(super) fn boot(&mut self) -> (u64, &Process) {
        self.epoch += 1;
        let records = self.disk.records();
        let replica = Machine::recover(self.store.clone(), self.id, self.epoch, records);
        let process = self.process.insert(Process {
            replica,
            inbox: None,
            alarm: None,
        });
        (self.epoch, process)
    }

    /// `kill -9`. Returns the records that it takes back, and the messages that nobody will read.
    pub(super) fn kill(&mut self) -> (Vec<Record>, Inbox) {
        let process = self.process.take();
        let unread = process.and_then(|process| process.inbox);
        (self.disk.lose_memory(), unread.unwrap_or_default())
    }

    /// Its process, if it is alive and was started for the `epoch`th time.
    pub(super) fn alive_in(&mut self, epoch: u64) -> Option<&mut Process> {
        self.process.as_mut().filter(|_| self.epoch == epoch)
    }

    /// Whether its process runs.
    pub(super) fn is_running(&self) -> bool {
        let process = self.process.as_ref();
        process.is_some_and(|process| process.inbox.is_none())
    }

    /// Whether it has nothing left to do.
    pub(super) fn is_at_rest(&self) -> bool {
        let is_idle = |process: &Process| process.replica.status().coordinating == 0;
        self.is_running() && self.process.as_ref().is_some_and(is_idle) && self.disk.is_synced()
    }

    /// What its wall clock shows.
    fn wall_at(&self, now: Nanos) -> WallNanos {
        let since_start_ns = since_start_ns(now);
        let gained_ns = since_start_ns / PPM_PER_ONE * self.drift_ppm
            + since_start_ns % PPM_PER_ONE * self.drift_ppm / PPM_PER_ONE;
        WallNanos(
            wall_ns(now)
                .saturating_add(gained_ns)
                .saturating_add(self.offset_ns),
        )
    }

    /// One step of its replica; nothing comes of it if the process is dead.
    pub(super) fn step(&mut self, now: Nanos, input: Input) -> Vec<Output> {
        let now = Now {
            monotonic: protocol::Nanos(now.0),
            wall: self.wall_at(now),
        };
        match &mut self.process {
            Some(process) => process.replica.step(now, input),
            None => Vec::new(),
        }
    }
}
