//! Copying to the new owners of a range: the node as a *source*. It sends what it holds key by key, a bounded number at a time, each again
//! until the target has it in its log, and then tells the driver of the change. It does not know what is enough.

use std::collections::BTreeMap;

use crate::config::NodeId;

use super::interface::Output;
use super::membership::{Bootstrap, Sources, TokenRange};
use super::message::{PeerMessage, RequestId};
use super::replica::Replica;
use super::ring::Ring;
use super::store::Store;
use super::time::{Nanos, Now};
use super::version::Key;

/// Most keys that one stream has under way at a time.
const WINDOW: usize = 64;

/// Most keys that are looked at in one step, so that a large store stays responsive.
const LOOKS_MAX: usize = 1 << 12;

/// A task of a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Errand {
    driver: NodeId,
    id: RequestId,
    task: u32,
}

/// What is sent for one task.
#[derive(Debug)]
struct Stream {
    target: NodeId,
    ranges: Vec<TokenRange>,
    /// The last key that was looked at.
    at: Option<Key>,
    /// Whether that was the last of all.
    at_end: bool,
    /// Sent and not acknowledged, by name.
    open: BTreeMap<u64, Key>,
    due: Nanos,
}

impl Stream {
    fn is_finished(&self) -> bool {
        self.at_end && self.open.is_empty()
    }

    /// The next keys of its ranges that there is room for.
    fn next(&mut self, store: &Store) -> Vec<Key> {
        let mut found = Vec::new();
        let room = WINDOW.saturating_sub(self.open.len());
        let mut last = None;
        let mut at_end = true;
        for (looks, (key, _)) in store.contents_after(self.at.as_ref()).enumerate() {
            if found.len() == room || looks == LOOKS_MAX {
                at_end = false;
                break;
            }
            last = Some(key);
            let place = Ring::place_of(key.as_str());
            if self.ranges.iter().any(|range| range.contains(place)) {
                found.push(key.clone());
            }
        }
        let last = last.cloned();
        self.at_end = at_end;
        if last.is_some() {
            self.at = last;
        }
        found
    }
}

/// All that a node copies for others.
#[derive(Debug, Default)]
pub(super) struct Streams {
    streams: BTreeMap<Errand, Stream>,
}

impl Streams {
    /// When something is overdue, or there is more to look at.
    pub(super) fn deadline(&self) -> Option<Nanos> {
        let busy = self.streams.values().filter(|stream| !stream.is_finished());
        busy.map(|stream| stream.due).min()
    }

    /// The ring has changed: nobody needs any of it.
    pub(super) fn clear(&mut self) {
        self.streams.clear();
    }
}

impl Replica {
    /// A driver asks for a task, perhaps again.
    pub(super) fn asked_to_copy(
        &mut self,
        now: Now,
        driver: NodeId,
        id: RequestId,
        ring: u64,
        task: u32,
        out: &mut Vec<Output>,
    ) {
        // A node that sees another ring, or another phase, would number the tasks otherwise.
        if ring != self.ring.fingerprint() {
            return;
        }
        let errand = Errand { driver, id, task };
        let Some(gossip) = &mut self.gossip else {
            return;
        };
        let streams = &mut gossip.streams.streams;
        if streams.contains_key(&errand) {
            self.tell_if_copied(now, errand, out);
            return;
        }
        let me = self.me;
        let bootstrap = Bootstrap::new(&self.ring, Sources::One, |_| false);
        let tasks = bootstrap.as_ref().map_or(&[][..], Bootstrap::tasks);
        let wanted = usize::try_from(task).ok().and_then(|task| tasks.get(task));
        let Some(wanted) = wanted.filter(|task| task.sources.contains(&me)) else {
            return;
        };
        // An earlier attempt of the same driver is over.
        streams.retain(|other, _| other.driver != driver || other.id == id);
        let stream = Stream {
            target: wanted.target,
            ranges: wanted.ranges.clone(),
            at: None,
            at_end: false,
            open: BTreeMap::new(),
            due: now.monotonic,
        };
        streams.insert(errand, stream);
        self.send_more(now, errand, out);
    }

    /// A node has something that it was sent under this name.
    pub(super) fn transferred(&mut self, now: Now, from: NodeId, name: u64, out: &mut Vec<Output>) {
        let Some(gossip) = &mut self.gossip else {
            return;
        };
        let mut streams = gossip.streams.streams.iter_mut();
        let found = streams.find_map(|(errand, stream)| {
            let is_open = stream.target == from && stream.open.remove(&name).is_some();
            is_open.then_some(*errand)
        });
        if let Some(errand) = found {
            self.send_more(now, errand, out);
        }
    }

    /// Time passed: what is overdue is sent again.
    pub(super) fn copy_on_time(&mut self, now: Now, out: &mut Vec<Output>) {
        let Some(gossip) = &mut self.gossip else {
            return;
        };
        let streams = gossip.streams.streams.iter();
        let due =
            streams.filter(|(_, stream)| !stream.is_finished() && stream.due <= now.monotonic);
        for errand in due.map(|(errand, _)| *errand).collect::<Vec<_>>() {
            self.send_again(errand, out);
            self.send_more(now, errand, out);
        }
    }

    /// Sends as much as there is room for, and tells the driver if there is nothing left.
    fn send_more(&mut self, now: Now, errand: Errand, out: &mut Vec<Output>) {
        let patience = now.monotonic.after(self.timeout());
        let store = &self.store;
        let Some(gossip) = &mut self.gossip else {
            return;
        };
        let Some(stream) = gossip.streams.streams.get_mut(&errand) else {
            return;
        };
        for key in stream.next(store) {
            self.counter += 1;
            self.counters.keys_transferred += 1;
            stream.open.insert(self.counter, key);
            let (name, epoch) = (self.counter, self.epoch);
            out.extend(transfer(store, stream, name, epoch));
        }
        // With nothing under way nobody's answer makes it go on.
        let waits = stream.at_end || !stream.open.is_empty();
        stream.due = if waits { patience } else { now.monotonic };
        self.tell_if_copied(now, errand, out);
    }

    fn send_again(&mut self, errand: Errand, out: &mut Vec<Output>) {
        let (store, epoch) = (&self.store, self.epoch);
        let Some(gossip) = &mut self.gossip else {
            return;
        };
        if let Some(stream) = gossip.streams.streams.get_mut(&errand) {
            // What was forgotten meanwhile need not be copied.
            stream
                .open
                .retain(|_, key| store.visible(key.as_str()).is_some());
            for name in stream.open.keys() {
                out.extend(transfer(store, stream, *name, epoch));
            }
        }
    }

    fn tell_if_copied(&mut self, now: Now, errand: Errand, out: &mut Vec<Output>) {
        let Errand { driver, id, task } = errand;
        let streams = self.gossip.as_ref().map(|gossip| &gossip.streams.streams);
        let stream = streams.and_then(|streams| streams.get(&errand));
        if !stream.is_some_and(Stream::is_finished) {
            return;
        }
        if driver == self.me {
            self.copied(now, driver, id, task, out);
        } else {
            let message = PeerMessage::Copied { id, task };
            out.push(Output::Send {
                to: driver,
                message,
            });
        }
    }
}

/// What is held of a key, for its new owner.
fn transfer(store: &Store, stream: &Stream, counter: u64, epoch: u64) -> Option<Output> {
    let key = stream.open.get(&counter)?.clone();
    let content = store.visible(key.as_str())?.clone();
    let id = RequestId { epoch, counter };
    Some(Output::Send {
        to: stream.target,
        message: PeerMessage::Transfer { id, key, content },
    })
}
