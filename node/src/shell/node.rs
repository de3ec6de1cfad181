//! The one task that owns the replica: it turns what happens into inputs and carries out what comes back.
//!
//! It never waits for a socket or a disk: a queue that is full loses its newest message, as a network would.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::select;
use tokio::sync::mpsc::{Receiver, UnboundedReceiver};
use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval, sleep_until};
use tracing::warn;

use crate::config::{Health, NodeId, Seat};
use crate::protocol::{Input, Machine, Nanos, Now, Output, Snapshot, Tag};
use crate::wire::{ClientFrame, Request, Response, ServerFrame, Status};

use super::clock::Clock;
use super::error::NodeError;
use super::intake::Room;
use super::links::{Links, Parcel};
use super::log::{Event as LogEvent, Log};
use super::monitor::Look;
use super::outbox::Outbox;
use super::replies::{Added, Replies};

/// Most events that are handled between two looks at the log, the timers and the signal to stop.
const EVENTS_AT_ONCE_MAX: usize = 128;

/// Something that happened on a connection.
#[derive(Debug)]
pub(super) enum Event {
    /// Something came from a peer.
    Peer {
        from: NodeId,
        parcel: Parcel,
        room: Room,
    },
    /// The link to a peer is up, and carries what is put into this queue.
    LinkUp { peer: NodeId, queue: Outbox<Parcel> },
    /// It is down, and its queue is lost.
    LinkDown { peer: NodeId },
    /// A client connected, and is told what is added to its replies.
    ClientUp {
        connection: u64,
        replies: Arc<Replies>,
    },
    /// A client asked.
    Client {
        connection: u64,
        frames: Vec<ClientFrame>,
        room: Room,
    },
    /// A client is gone.
    ClientDown { connection: u64 },
    /// Somebody wants to know how the node is.
    Look(oneshot::Sender<Box<Look>>),
}

/// The node's state: the replica, and everything around it.
#[derive(Debug)]
pub(super) struct Node {
    replica: Machine,
    log: Log,
    /// The snapshot that is being taken.
    snapshot: Option<Snapshot>,
    clock: Clock,
    duty: Duty,
    links: Links,
    clients: BTreeMap<u64, Arc<Replies>>,
    /// Those with replies that are not written yet.
    unflushed: Vec<Arc<Replies>>,
    /// Requests refused here, which the replica has not seen.
    refused: u64,
    /// Whether too many records wait for their sync.
    is_behind: bool,
    /// Comparisons with peers, and when their number was last seen to have grown.
    compared: (u64, Option<Nanos>),
}

/// What a seat says that the node needs while it runs.
#[derive(Clone, Debug)]
pub(super) struct Duty {
    id: NodeId,
    peers: Vec<NodeId>,
    test_hooks: bool,
    health: Health,
    unsynced_max: u64,
    /// How old the last comparison with a peer may be, ms.
    repair_age_ms_max: Option<u64>,
}

impl Duty {
    pub(super) fn of(seat: &Seat) -> Duty {
        let anti_entropy = seat.store.options.anti_entropy;
        Duty {
            id: seat.id,
            peers: seat.peers.keys().copied().collect(),
            test_hooks: seat.test_hooks,
            health: seat.health,
            unsynced_max: seat.store.options.limits.unsynced_max,
            repair_age_ms_max: seat.health.repair_age_ms_max(anti_entropy.interval_ms),
        }
    }
}

impl Node {
    pub(super) fn new(replica: Machine, log: Log, clock: Clock, duty: Duty) -> Node {
        Node {
            replica,
            log,
            snapshot: None,
            clock,
            duty,
            links: Links::default(),
            clients: BTreeMap::new(),
            refused: 0,
            is_behind: false,
            compared: (0, None),
            unflushed: Vec::new(),
        }
    }

    /// Runs until the shutdown or a failure of the log, and closes the log.
    pub(super) async fn run(
        mut self,
        mut events: Receiver<Event>,
        mut log_events: UnboundedReceiver<LogEvent>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), NodeError> {
        let mut shutdown = pin!(shutdown);
        let mut alarm = pin!(sleep_until(self.clock.instant_at(Nanos(0)).into()));
        let mut pings = interval(Duration::from_millis(self.duty.health.ping_interval_ms));
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::with_capacity(EVENTS_AT_ONCE_MAX);
        let mut armed = None;
        loop {
            let deadline = self.replica.deadline();
            if let Some(due) = deadline {
                let now = self.clock.now();
                if due <= now.monotonic {
                    self.step(now, Input::Tick);
                    continue;
                }
                if armed != deadline {
                    alarm.as_mut().reset(self.clock.instant_at(due).into());
                    armed = deadline;
                }
            }
            self.flush();
            select! {
                biased;
                () = &mut shutdown => {
                    self.log.close()?;
                    return Ok(());
                }
                event = log_events.recv() => {
                    let Some(event) = event else {
                        self.log.close()?;
                        return Err(NodeError::LogEnded);
                    };
                    self.on_log(event);
                }
                _ = pings.tick() => {
                    self.links.ping();
                    self.watch_comparisons();
                }
                _ = events.recv_many(&mut batch, EVENTS_AT_ONCE_MAX) => {
                    for event in batch.drain(..) {
                        self.on_event(event);
                    }
                }
                () = &mut alarm, if deadline.is_some() => armed = None,
            }
        }
    }

    fn on_log(&mut self, event: LogEvent) {
        match event {
            // They were taken for persisted when they were appended.
            LogEvent::Synced(_) if self.log.counts_at_once() => {}
            LogEvent::Synced(tokens) => {
                let now = self.clock.now();
                for token in tokens {
                    self.step(now, Input::Persisted(token));
                }
            }
            LogEvent::SnapshotWanted => self.go_on_with_snapshot(),
        }
    }

    fn go_on_with_snapshot(&mut self) {
        let begun = self.snapshot.take();
        let begins = begun.is_none();
        let mut snapshot = begun.unwrap_or_else(|| self.replica.begin_snapshot());
        let piece = self.replica.next_piece(&mut snapshot);
        self.snapshot = (!piece.is_empty()).then_some(snapshot);
        if begins {
            self.log.begin_snapshot(piece);
        } else {
            self.log.go_on_with_snapshot(piece);
        }
    }

    fn on_event(&mut self, event: Event) {
        let now = self.clock.now();
        match event {
            Event::Peer { from, parcel, room } => {
                self.links.heard(from, now.monotonic);
                match parcel {
                    Parcel::Message(message) => {
                        // As if it were lost: who is not told that it is held asks again, or another.
                        if !(message.is_to_be_held() && self.is_behind()) {
                            self.step(now, Input::Peer { from, message });
                        }
                    }
                    Parcel::Ping => self.links.send(from, Parcel::Pong),
                    Parcel::Pong => {}
                }
                drop(room);
            }
            Event::LinkUp { peer, queue } => {
                self.links.up(peer, queue);
                self.step(now, Input::PeerUp(peer));
            }
            Event::LinkDown { peer } => {
                self.step(now, Input::PeerDown(peer));
                self.links.down(peer);
            }
            Event::ClientUp {
                connection,
                replies,
            } => {
                self.clients.insert(connection, replies);
            }
            Event::ClientDown { connection } => _ = self.clients.remove(&connection),
            Event::Client {
                connection,
                frames,
                room,
            } => {
                for frame in frames {
                    self.on_request(now, connection, frame);
                }
                drop(room);
            }
            // Who asked may have gone.
            Event::Look(reply) => _ = reply.send(Box::new(self.look())),
        }
    }

    fn on_request(&mut self, now: Now, connection: u64, ClientFrame { tag, request }: ClientFrame) {
        let tag = Tag {
            connection,
            request: tag,
        };
        match request {
            Request::SetClockOffset { .. }
            | Request::Status
            | Request::Repair
            | Request::Hints
            | Request::Ring { .. }
            | Request::ChangeRing(_)
                if !self.duty.test_hooks =>
            {
                self.refuse(tag, "test hooks are off in this node's seat".to_owned());
            }
            Request::Put { .. } | Request::Delete { .. } if self.is_behind() => {
                let unsynced = self.log.unsynced();
                let why =
                    format!("overloaded: {unsynced} records wait for their sync, try again later");
                self.refuse(tag, why);
            }
            Request::SetClockOffset { offset_ns } => {
                self.clock.offset_ns = offset_ns;
                self.reply(tag, Response::Done);
            }
            Request::Status => self.reply(tag, Response::Status(Box::new(self.status()))),
            Request::Health => {
                let health = self.look().health();
                self.reply(tag, Response::Health(health));
            }
            Request::Metrics => {
                let text = self.look().metrics();
                self.reply(tag, Response::Metrics { text });
            }
            request => self.step(now, Input::Client { tag, request }),
        }
    }

    /// Refuses a request before the replica has seen it.
    fn refuse(&mut self, tag: Tag, why: String) {
        self.refused += 1;
        self.reply(tag, Response::Refused { why });
    }

    /// Whether so many records wait for their sync that no more can be taken.
    fn is_behind(&mut self) -> bool {
        let unsynced = self.log.unsynced();
        let is_behind = unsynced >= self.duty.unsynced_max;
        if is_behind && !self.is_behind {
            warn!(unsynced, "writes are refused until the log has caught up");
        }
        self.is_behind = is_behind;
        is_behind
    }

    /// One step of the protocol, and everything that must happen because of it.
    fn step(&mut self, now: Now, input: Input) {
        for output in self.replica.step(now, input) {
            match output {
                Output::Send { to, message } => self.links.send(to, Parcel::Message(message)),
                Output::Reply { tag, response } => self.reply(tag, response),
                Output::Persist { token, record } => {
                    if self.log.append(token, &record) {
                        self.step(now, Input::Persisted(token));
                    }
                }
            }
        }
    }

    /// A client that does not read its replies is let go.
    fn reply(&mut self, tag: Tag, response: Response) {
        let Tag {
            connection,
            request,
        } = tag;
        let frame = ServerFrame {
            tag: request,
            response,
        };
        let Some(replies) = self.clients.get(&connection) else {
            return;
        };
        match replies.add(&frame) {
            Added::First => self.unflushed.push(replies.clone()),
            Added::Behind => {}
            Added::Refused => {
                replies.let_go();
                self.clients.remove(&connection);
            }
        }
    }

    /// Writes the replies of the events since the last time, a whole batch of each client at once.
    fn flush(&mut self) {
        for replies in self.unflushed.drain(..) {
            replies.flush();
        }
    }

    /// Takes note of comparisons that have come to their end. They are counted where they happen; when, only the shell knows, to within
    /// an interval between pings.
    fn watch_comparisons(&mut self) {
        let (known, _) = self.compared;
        let comparisons = self.replica.comparisons();
        if comparisons > known {
            self.compared = (comparisons, Some(self.clock.now().monotonic));
        }
    }

    fn look(&mut self) -> Look {
        self.watch_comparisons();
        let now = self.clock.now().monotonic;
        let (_, compared) = self.compared;
        let p99 = self.replica.read_p99();
        let (keys, bytes) = self.replica.held();
        Look {
            node: self.duty.id,
            status: self.status(),
            took: self.replica.took(),
            read_p99_ns: p99.map(|took| u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)),
            keys,
            bytes,
            clients: self.clients.len() as u64,
            peers: self.links.seen(self.duty.peers.iter().copied(), now),
            up_ms: now.0 / 1_000_000,
            repaired_ms_ago: compared.map(|then| now.0.saturating_sub(then.0) / 1_000_000),
            repair_age_ms_max: self.duty.repair_age_ms_max,
            thresholds: self.duty.health,
            log_bytes: None,
        }
    }

    fn status(&self) -> Status {
        let mut status = self.replica.status();
        status.counters.refused += self.refused;
        Status {
            unsynced: self.log.unsynced(),
            queued: self.links.queued(),
            clock_offset_ns: self.clock.offset_ns,
            ..status
        }
    }
}
