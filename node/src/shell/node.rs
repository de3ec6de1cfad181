//! The one task that owns the replica: it turns what happens into inputs and carries out what comes back.
//!
//! It never waits for a socket or a disk: a queue that is full loses its newest message, as a network would.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;

use tokio::select;
use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver};
use tokio::time::sleep_until;
use tracing::warn;

use crate::config::NodeId;
use crate::protocol::{Input, Machine, Nanos, Output, PeerMessage, Tag};
use crate::wire::{ClientFrame, Request, Response, ServerFrame, Status};

use super::clock::Clock;
use super::error::NodeError;
use super::log::{Event as LogEvent, Log};

/// Most events that wait for the node; whoever has more waits.
pub(super) const EVENTS_MAX: usize = 4_096;

/// Most events that are handled between two looks at the log, the timers and the signal to stop.
const EVENTS_AT_ONCE_MAX: usize = 128;

/// Something that happened on a connection.
#[derive(Debug)]
pub(super) enum Event {
    /// A message came from a peer.
    Peer { from: NodeId, message: PeerMessage },
    /// The link to a peer is up, and carries what is put into this queue.
    LinkUp {
        peer: NodeId,
        queue: Sender<PeerMessage>,
    },
    /// It is down, and its queue is lost.
    LinkDown { peer: NodeId },
    /// A client connected, and is sent what is put into this queue.
    ClientUp {
        connection: u64,
        replies: Sender<ServerFrame>,
    },
    /// A client asked.
    Client { connection: u64, frame: ClientFrame },
    /// A client is gone.
    ClientDown { connection: u64 },
}

/// A link that is up.
#[derive(Debug)]
struct Link {
    queue: Sender<PeerMessage>,
    /// Messages lost because the queue was full.
    lost: u64,
}

/// The node's state: the replica, and everything around it.
#[derive(Debug)]
pub(super) struct Node {
    replica: Machine,
    log: Log,
    clock: Clock,
    test_hooks: bool,
    links: BTreeMap<NodeId, Link>,
    clients: BTreeMap<u64, Sender<ServerFrame>>,
}

impl Node {
    pub(super) fn new(replica: Machine, log: Log, clock: Clock, test_hooks: bool) -> Node {
        Node {
            replica,
            log,
            clock,
            test_hooks,
            links: BTreeMap::new(),
            clients: BTreeMap::new(),
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
        let mut batch = Vec::with_capacity(EVENTS_AT_ONCE_MAX);
        loop {
            let deadline = self.replica.deadline();
            if let Some(due) = deadline {
                if due <= self.clock.now().monotonic {
                    self.step(Input::Tick);
                    continue;
                }
                alarm.as_mut().reset(self.clock.instant_at(due).into());
            }
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
                _ = events.recv_many(&mut batch, EVENTS_AT_ONCE_MAX) => {
                    for event in batch.drain(..) {
                        self.on_event(event);
                    }
                }
                () = &mut alarm, if deadline.is_some() => {}
            }
        }
    }

    fn on_log(&mut self, event: LogEvent) {
        match event {
            LogEvent::Synced(tokens) => {
                for token in tokens {
                    self.step(Input::Persisted(token));
                }
            }
            LogEvent::SnapshotWanted => self.log.snapshot(self.replica.snapshot().collect()),
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Peer { from, message } => self.step(Input::Peer { from, message }),
            Event::LinkUp { peer, queue } => {
                self.links.insert(peer, Link { queue, lost: 0 });
                self.step(Input::PeerUp(peer));
            }
            Event::LinkDown { peer } => {
                self.step(Input::PeerDown(peer));
                if let Some(Link { lost, .. }) = self.links.remove(&peer)
                    && lost > 0
                {
                    warn!(%peer, lost, "messages were lost while the link was up");
                }
            }
            Event::ClientUp {
                connection,
                replies,
            } => {
                self.clients.insert(connection, replies);
            }
            Event::ClientDown { connection } => _ = self.clients.remove(&connection),
            Event::Client { connection, frame } => self.on_request(connection, frame),
        }
    }

    fn on_request(&mut self, connection: u64, ClientFrame { tag, request }: ClientFrame) {
        let tag = Tag {
            connection,
            request: tag,
        };
        match request {
            Request::SetClockOffset { .. } | Request::Status if !self.test_hooks => {
                let why = "test hooks are off in this node's seat".to_owned();
                self.reply(tag, Response::Refused { why });
            }
            Request::SetClockOffset { offset_ns } => {
                self.clock.offset_ns = offset_ns;
                self.reply(tag, Response::Done);
            }
            Request::Status => self.reply(tag, Response::Status(self.status())),
            request => self.step(Input::Client { tag, request }),
        }
    }

    /// One step of the protocol, and everything that must happen because of it.
    fn step(&mut self, input: Input) {
        for output in self.replica.step(self.clock.now(), input) {
            match output {
                Output::Send { to, message } => self.send(to, message),
                Output::Reply { tag, response } => self.reply(tag, response),
                Output::Persist { token, record } => {
                    if self.log.append(token, record) {
                        self.step(Input::Persisted(token));
                    }
                }
            }
        }
    }

    fn send(&mut self, to: NodeId, message: PeerMessage) {
        if let Some(link) = self.links.get_mut(&to)
            && link.queue.try_send(message).is_err()
        {
            if link.lost == 0 {
                warn!(peer = %to, "messages are lost: the link is too slow");
            }
            link.lost += 1;
        }
    }

    /// A client that does not read its replies is let go: its queue closes, and with it the connection.
    fn reply(&mut self, tag: Tag, response: Response) {
        let Tag {
            connection,
            request,
        } = tag;
        let frame = ServerFrame {
            tag: request,
            response,
        };
        if let Some(replies) = self.clients.get(&connection)
            && replies.try_send(frame).is_err()
        {
            self.clients.remove(&connection);
        }
    }

    fn status(&self) -> Status {
        let waiting = |link: &Link| link.queue.max_capacity() - link.queue.capacity();
        Status {
            unsynced: self.log.unsynced(),
            queued: self.links.values().map(|link| waiting(link) as u64).sum(),
            clock_offset_ns: self.clock.offset_ns,
            ..self.replica.status()
        }
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;
    use tokio::sync::mpsc::channel;

    use crate::config::{Options, ReadFanout, ReadRepair, StoreConfig, SyncPolicy};
    use crate::protocol::RequestId;
    use crate::shell::log::{Opened, SEGMENT_BYTES_MAX};

    use super::*;

    #[test]
    fn a_full_link_loses_the_newest_and_a_missing_one_everything() {
        let store = StoreConfig {
            nodes: 2,
            tokens_per_node: 1,
            n: 2,
            r: 1,
            w: 1,
            read_fanout: ReadFanout::Quorum,
            read_repair: ReadRepair::None,
            sync: SyncPolicy::EachWrite,
            request_timeout_ms: 1,
            sabotage: Vec::new(),
            options: Options::default(),
        };
        let dir = TempDir::new().unwrap();
        let opened = Log::open(dir.path(), store.sync, SEGMENT_BYTES_MAX).unwrap();
        let Opened { log, epoch, .. } = opened;
        let peer = NodeId(2);
        let message = |counter| PeerMessage::Held {
            id: RequestId { epoch, counter },
        };
        let replica = Machine::recover(store, NodeId(1), epoch, []);
        let mut node = Node::new(replica, log, Clock::new(0), true);
        node.send(peer, message(0));
        let (queue, mut sent) = channel(2);
        node.on_event(Event::LinkUp { peer, queue });
        for counter in 1..=5 {
            node.send(peer, message(counter));
        }
        assert_eq!(node.status().queued, 2);
        assert_eq!(node.status().connected, [peer]);
        assert_eq!(node.links[&peer].lost, 3);
        assert_eq!(sent.try_recv(), Ok(message(1)));
        assert_eq!(sent.try_recv(), Ok(message(2)));
        node.on_event(Event::LinkDown { peer });
        assert!(sent.is_closed());
        assert_eq!(node.status().connected, []);
    }
}
