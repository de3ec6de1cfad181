//! What happened inside a simulated run, step by step, for whoever asked to see it: messages, disks, processes, clocks.
//!
//! Plain data, in the order in which it happened. It takes no part in what happens: a traced run makes the same history as
//! one that is not, and one that is not pays nothing for it. Operations are named by the index of their invocation in that history.

use std::collections::{BTreeMap, BTreeSet};

use quorate_checkers::history::Nanos;
use quorate_node::protocol::{
    Content, Input, Machine, Output, PeerMessage, Record, RequestId, Tag, Token,
};

use crate::fault::Link;

/// Something that happened, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Virtual time since the beginning.
    pub at: Nanos,
    /// What.
    pub what: What,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A client sent a request to a node.
    Invoked {
        /// The operation: the index of its invocation in the history.
        op: u64,
        /// Whom it asks.
        node: u16,
    },
    /// The request reached the node.
    Asked {
        /// The operation.
        op: u64,
        /// Who got it.
        node: u16,
    },
    /// The node sent its answer.
    Replied {
        /// The operation.
        op: u64,
        /// Who answers.
        node: u16,
    },
    /// The client learned what came of it, or gave up.
    Completed {
        /// The operation.
        op: u64,
        /// The index of the completion in the history.
        completion: u64,
    },
    /// A node gave a message to the network.
    Sent {
        /// The message: no other of this run has this number.
        message: u64,
        /// From whom to whom.
        link: Link,
        /// What it says.
        says: Says,
    },
    /// A message reached its receiver; it may do so more than once.
    Delivered {
        /// The message.
        message: u64,
        /// From whom to whom.
        link: Link,
    },
    /// A message that nobody will ever get.
    Lost {
        /// The message.
        message: u64,
        /// From whom to whom.
        link: Link,
        /// Why.
        why: Loss,
    },
    /// A connection is up: its sender begins to use it.
    LinkUp(Link),
    /// The sender noticed that a connection broke.
    LinkDown(Link),
    /// A process began to serve.
    Booted {
        /// Whose.
        node: u16,
        /// How often that node was started, this time included.
        epoch: u64,
    },
    /// A process was killed.
    Killed {
        /// Whose.
        node: u16,
    },
    /// A kill took back a record that had not reached the disk.
    Forgot {
        /// Who forgot it.
        node: u16,
        /// What.
        record: Record,
    },
    /// A process was stopped for a while.
    Paused {
        /// Whose.
        node: u16,
    },
    /// It runs again.
    Resumed {
        /// Whose.
        node: u16,
    },
    /// A disk has finished a sync.
    Synced {
        /// Whose.
        node: u16,
        /// How many records are durable since.
        records: usize,
    },
    /// What reads see of a key at one replica changed to this.
    Holds {
        /// Whose.
        node: u16,
        /// The key.
        key: String,
        /// What it holds now; none if it holds nothing any more.
        content: Option<Content>,
    },
    /// A wall clock is off by this much from now on.
    ClockSet {
        /// Whose.
        node: u16,
        /// Its offset, ns.
        offset_ns: i64,
    },
}

/// What a message between nodes says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Says {
    /// What it is for.
    pub kind: Kind,
    /// The key that it is about.
    pub key: Option<String>,
    /// What is to be held, or is held, if that is said.
    pub content: Option<Content>,
    /// The coordinator of its request.
    pub coordinator: u16,
    /// The coordinator's name for the request; none if it belongs to none.
    pub request: Option<RequestId>,
    /// The operation of that request.
    pub op: Option<u64>,
}

/// What a message between nodes is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Hold this: a client wrote it.
    Write,
    /// Hold this: a read found you behind.
    Repair,
    /// I hold what you sent.
    Held,
    /// What do you hold?
    Read,
    /// I hold this.
    Answer,
    /// What I hold has this digest.
    Digest,
    /// Give this write its dot.
    Mint,
    /// I gave it its dot.
    Minted,
    /// I have received what you sent.
    Received,
    /// I kept this for you.
    Handoff,
    /// What do your hash trees say?
    Compare,
    /// They say this.
    Compared,
    /// Our hash trees differ here.
    Level,
    /// What nodes of a store with a leader say.
    Led,
    /// May this tombstone be forgotten, it may, or forget it.
    Purge,
    /// Who is alive, and who is in the ring.
    Gossip,
    /// The ring changes: copy what you hold.
    Copy,
    /// Hold this, you are going to own it.
    Transfer,
    /// It is copied.
    Copied,
}

impl Kind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Write => "write",
            Kind::Repair => "repair",
            Kind::Held => "held",
            Kind::Read => "read",
            Kind::Answer => "answer",
            Kind::Digest => "digest",
            Kind::Mint => "mint",
            Kind::Minted => "minted",
            Kind::Received => "received",
            Kind::Handoff => "handoff",
            Kind::Compare => "compare",
            Kind::Compared => "compared",
            Kind::Level => "level",
            Kind::Led => "led",
            Kind::Purge => "purge",
            Kind::Gossip => "gossip",
            Kind::Copy => "copy",
            Kind::Transfer => "transfer",
            Kind::Copied => "copied",
        }
    }

    /// Whether it asks for something, and is not an answer to that.
    fn is_asked(self) -> bool {
        match self {
            Kind::Write
            | Kind::Repair
            | Kind::Read
            | Kind::Mint
            | Kind::Handoff
            | Kind::Compare
            | Kind::Level
            | Kind::Led
            | Kind::Purge
            | Kind::Gossip
            | Kind::Copy
            | Kind::Transfer => true,
            Kind::Held
            | Kind::Answer
            | Kind::Digest
            | Kind::Minted
            | Kind::Received
            | Kind::Compared
            | Kind::Copied => false,
        }
    }

    fn of(message: &PeerMessage) -> Kind {
        match message {
            PeerMessage::Write { .. } => Kind::Write,
            PeerMessage::Repair { .. } => Kind::Repair,
            PeerMessage::Handoff { .. } => Kind::Handoff,
            PeerMessage::Mint { .. } => Kind::Mint,
            PeerMessage::Minted { .. } => Kind::Minted,
            PeerMessage::Received { .. } => Kind::Received,
            PeerMessage::Held { .. } => Kind::Held,
            PeerMessage::Read { .. } => Kind::Read,
            PeerMessage::Answer { .. } => Kind::Answer,
            PeerMessage::Digest { .. } => Kind::Digest,
            PeerMessage::Compare { .. } => Kind::Compare,
            PeerMessage::Compared { .. } => Kind::Compared,
            PeerMessage::Level { .. } => Kind::Level,
            PeerMessage::Led(_) => Kind::Led,
            PeerMessage::MayForget { .. }
            | PeerMessage::MayBeForgotten { .. }
            | PeerMessage::Forget { .. } => Kind::Purge,
            PeerMessage::Gossip(_) => Kind::Gossip,
            PeerMessage::Copy { .. } => Kind::Copy,
            PeerMessage::Transfer { .. } => Kind::Transfer,
            PeerMessage::Copied { .. } => Kind::Copied,
        }
    }
}

/// Why a message is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Its sender had no connection.
    NoConnection,
    /// Its connection broke before it arrived.
    ConnectionBroke,
    /// Its sender was killed before it had sent all of it.
    SenderDied,
    /// It reached a process that is no more.
    ReceiverDied,
    /// Too many messages waited for the same receiver.
    QueueFull,
    /// The weather is such that some are.
    Weather,
}

impl Loss {
    /// Why, in words.
    pub fn words(self) -> &'static str {
        match self {
            Loss::NoConnection => "there was no connection",
            Loss::ConnectionBroke => "the connection broke",
            Loss::SenderDied => "its sender was killed",
            Loss::ReceiverDied => "its receiver was dead",
            Loss::QueueFull => "the queue was full",
            Loss::Weather => "the network lost it",
        }
    }
}

/// A request, by its coordinator and that coordinator's name for it.
type RequestName = (u16, u64, u64);

/// Takes the steps down.
#[derive(Debug, Default)]
pub(super) struct Tracer {
    steps: Vec<Step>,
    /// Operations, by what the nodes know them by.
    ops: BTreeMap<Tag, u64>,
    /// What each request is about.
    requests: BTreeMap<RequestName, (String, Option<u64>)>,
    /// The operation that the node under way was asked for.
    asked: Option<u64>,
    /// The record that it was told to be persisted.
    persisted: Option<Token>,
    /// The keys of the records that were given to the logs.
    logged: BTreeMap<(u16, Token), String>,
    /// What reads see, by node and key.
    seen: BTreeMap<(u16, String), Content>,
}

impl Tracer {
    pub(super) fn note(&mut self, at: Nanos, what: What) {
        self.steps.push(Step { at, what });
    }

    pub(super) fn take(&mut self) -> Vec<Step> {
        std::mem::take(&mut self.steps)
    }

    /// A client begins an operation.
    pub(super) fn invoked(&mut self, at: Nanos, tag: Tag, op: u64, node: u16) {
        self.ops.insert(tag, op);
        self.note(at, What::Invoked { op, node });
    }

    /// A client's operation is over.
    pub(super) fn completed(&mut self, at: Nanos, tag: Tag, completion: u64) {
        if let Some(&op) = self.ops.get(&tag) {
            self.note(at, What::Completed { op, completion });
        }
    }

    /// A node is about to take a step.
    pub(super) fn begins(&mut self, at: Nanos, node: u16, input: &Input) {
        (self.asked, self.persisted) = (None, None);
        match input {
            Input::Client { tag, .. } => self.asked = self.ops.get(tag).copied(),
            Input::Persisted(token) => self.persisted = Some(*token),
            _ => {}
        }
        if let Some(op) = self.asked {
            self.note(at, What::Asked { op, node });
        }
    }

    /// It took the step, and these are its outputs.
    pub(super) fn ends(&mut self, at: Nanos, node: u16, replica: &Machine, outputs: &[Output]) {
        if let Some(token) = self.persisted.take()
            && let Some(key) = self.logged.remove(&(node, token))
        {
            self.see(at, node, key, replica);
        }
        for output in outputs {
            match output {
                Output::Send { message, .. } => self.remember(node, message),
                Output::Reply { tag, .. } => {
                    if let Some(&op) = self.ops.get(tag) {
                        self.note(at, What::Replied { op, node });
                    }
                }
                Output::Persist { token, record } => {
                    if let Some(key) = record.key() {
                        let key = key.as_str().to_owned();
                        self.logged.insert((node, *token), key);
                    }
                }
            }
        }
    }

    /// A node was started: it may hold less than before its death, or what it never showed.
    pub(super) fn booted(&mut self, at: Nanos, node: u16, epoch: u64, replica: &Machine) {
        self.note(at, What::Booted { node, epoch });
        let of_node = self.seen.keys().filter(|(whose, _)| *whose == node);
        let mut keys: BTreeSet<String> = of_node.map(|(_, key)| key.clone()).collect();
        keys.extend(
            replica
                .snapshot()
                .filter_map(|record| Some(record.key()?.as_str().to_owned())),
        );
        for key in keys {
            self.see(at, node, key, replica);
        }
    }

    /// Notes what reads see of a key, if that has changed.
    fn see(&mut self, at: Nanos, node: u16, key: String, replica: &Machine) {
        let content = replica.visible(&key);
        let place = (node, key.clone());
        let before = match &content {
            Some(content) => self.seen.insert(place, content.clone()),
            None => self.seen.remove(&place),
        };
        if before != content {
            self.note(at, What::Holds { node, key, content });
        }
    }

    /// The first message of a request tells what the request is about.
    fn remember(&mut self, coordinator: u16, message: &PeerMessage) {
        let (Some(id), Some(key)) = (message.id(), message.key()) else {
            return;
        };
        let name = (coordinator, id.epoch, id.counter);
        let op = self.asked;
        let about = || (key.as_str().to_owned(), op);
        self.requests.entry(name).or_insert_with(about);
    }

    pub(super) fn sent(&mut self, at: Nanos, message: u64, link: Link, says: &PeerMessage) {
        let says = self.says(link, says);
        self.note(
            at,
            What::Sent {
                message,
                link,
                says,
            },
        );
    }

    fn says(&self, link: Link, message: &PeerMessage) -> Says {
        let kind = Kind::of(message);
        let coordinator = if kind.is_asked() { link.from } else { link.to };
        let request = message.id();
        let name = request.map(|id| (coordinator, id.epoch, id.counter));
        let about = name.and_then(|name| self.requests.get(&name).cloned());
        let (key, op) = about.map_or((None, None), |(key, op)| (Some(key), op));
        let key = key.or_else(|| Some(message.key()?.as_str().to_owned()));
        Says {
            kind,
            key,
            content: message.content(),
            coordinator,
            request,
            op,
        }
    }
}
