//! What a node does for clients: it may coordinate any key, whether or not it is a replica of it.
//!
//! A coordinator that is itself a replica treats itself like the others, only without a network between. Counting quorums is `write.rs`
//! and `read.rs`; this file admits requests, routes what they send and hear, and keeps their time.

use std::time::Duration;

use crate::config::{NodeId, ReadFanout, ReadRepair, Sabotage};
use crate::wire::{Evidence, KEY_BYTES_MAX, Request, Response, VALUE_BYTES_MAX};

use super::interface::{Output, Tag};
use super::message::{PeerMessage, RequestId};
use super::read::{Effect, Read};
use super::replica::Replica;
use super::store::Waiter;
use super::time::{Nanos, Now};
use super::version::{Key, Version};
use super::write::Write;

/// Most requests that one node coordinates at a time; more are refused.
const REQUESTS_MAX: usize = 1 << 16;

/// A read turns to other replicas after this part of the request time-out.
const HURRY_DIVISOR: u32 = 4;

/// One request under way.
#[derive(Debug)]
pub(super) struct Coordination {
    tag: Tag,
    key: Key,
    /// When its time is up.
    expiry: Nanos,
    /// When it is looked at next: at its expiry or before.
    timer: Nanos,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Write(Write),
    Read(Read),
}

/// How many replicas a request is about, and how many of them it waits for.
#[derive(Clone, Copy)]
struct Level {
    /// R or W.
    name: &'static str,
    n: u16,
    quorum: u16,
}

/// What a replica (perhaps this one) said to a coordinator.
pub(super) enum Said {
    Held,
    Answer(Option<Version>),
}

impl Replica {
    /// A client asked.
    pub(super) fn serve(&mut self, now: Now, tag: Tag, request: Request, out: &mut Vec<Output>) {
        let served = match request {
            Request::Get { key, n, r } => {
                let level = self.level("R", n, r.unwrap_or(self.config.r));
                self.read(now, tag, key, level, out)
            }
            Request::Put { key, value, n, w } => {
                let level = self.level("W", n, w.unwrap_or(self.config.w));
                self.write(now, tag, key, Some(value), level, out)
            }
            Request::Delete { key, n, w } => {
                let level = self.level("W", n, w.unwrap_or(self.config.w));
                self.write(now, tag, key, None, level, out)
            }
            Request::Inspect { key } => self.inspect(&key).map(|response| {
                out.push(Output::Reply { tag, response });
            }),
            Request::Status => {
                let response = Response::Status(self.status());
                out.push(Output::Reply { tag, response });
                Ok(())
            }
            Request::SetClockOffset { .. } => {
                Err("a replica has no clock: ask the process around it".to_owned())
            }
        };
        if let Err(why) = served {
            let response = Response::Refused { why };
            out.push(Output::Reply { tag, response });
        }
    }

    fn level(&self, name: &'static str, n: Option<u16>, quorum: u16) -> Level {
        let n = n.unwrap_or(self.config.n);
        Level { name, n, quorum }
    }

    fn write(
        &mut self,
        now: Now,
        tag: Tag,
        key: String,
        value: Option<Vec<u8>>,
        level: Level,
        out: &mut Vec<Output>,
    ) -> Result<(), String> {
        let bytes = value.as_ref().map_or(0, Vec::len);
        if bytes > VALUE_BYTES_MAX {
            return Err(format!(
                "a value of {bytes} bytes: at most {VALUE_BYTES_MAX} are held"
            ));
        }
        let replicas = self.admit(&key, level)?;
        let version = Version {
            stamp: self.stamps.take(now.wall),
            value: value.map(Into::into),
        };
        let mut needed = usize::from(level.quorum);
        if self.config.has(Sabotage::AckBeforeQuorum) {
            needed -= 1;
        }
        let evidence = Evidence {
            version: Some(version.stamp),
            ..self.evidence()
        };
        let key = Key::from(key);
        let kind = Kind::Write(Write::new(needed, evidence));
        let id = self.begin(now, tag, key.clone(), kind);
        for to in replicas {
            let (key, version) = (key.clone(), version.clone());
            if to == self.me {
                self.take_write(now, key, version, Waiter::new(to, id), out);
            } else {
                let message = PeerMessage::Write { id, key, version };
                out.push(Output::Send { to, message });
            }
        }
        self.reply_if_written(id.counter, out);
        Ok(())
    }

    fn read(
        &mut self,
        now: Now,
        tag: Tag,
        key: String,
        level: Level,
        out: &mut Vec<Output>,
    ) -> Result<(), String> {
        let replicas = self.admit(&key, level)?;
        let quorum = usize::from(level.quorum);
        let (asked, spares) = self.choose_readers(&replicas, quorum);
        self.reads += 1;
        let repair = if self.config.has(Sabotage::DropRepair) {
            ReadRepair::None
        } else {
            self.config.read_repair
        };
        let read = Read::new(quorum, repair, &asked, &spares, self.evidence());
        let effects = read.start();
        let id = self.begin(now, tag, key.into(), Kind::Read(read));
        self.carry_out(now, id.counter, effects, out);
        Ok(())
    }

    /// What this replica alone holds.
    fn inspect(&self, key: &str) -> Result<Response, String> {
        if !self
            .ring
            .preference_list(key, self.config.n)
            .contains(&self.me)
        {
            return Err(format!("{} is no replica of this key", self.me));
        }
        let held = self.store.visible(key);
        let stamp = held.map(|version| version.stamp);
        let value = held.and_then(|version| version.value.as_deref());
        Ok(Response::Value {
            value: value.map(<[u8]>::to_vec),
            evidence: Evidence {
                version: stamp,
                answered_by: vec![(self.me, stamp)],
                ..self.evidence()
            },
        })
    }

    /// The replicas of a key, if a quorum of them may be asked. After this nothing is refused any more.
    fn admit(&self, key: &str, level: Level) -> Result<Vec<NodeId>, String> {
        let Level { name, n, quorum } = level;
        if n == 0 || n > self.config.n {
            let most = self.config.n;
            return Err(format!("N = {n}: choose 1 to the store's N = {most}"));
        }
        if quorum == 0 || quorum > n {
            return Err(format!("{name} = {quorum}: choose 1 to N = {n}"));
        }
        if key.len() > KEY_BYTES_MAX {
            let bytes = key.len();
            return Err(format!(
                "a key of {bytes} bytes: at most {KEY_BYTES_MAX} are held"
            ));
        }
        if self.requests.len() >= REQUESTS_MAX {
            return Err(format!(
                "{REQUESTS_MAX} requests are under way: try again later"
            ));
        }
        let replicas = self.ring.preference_list(key, n);
        let reachable = replicas.iter().filter(|node| self.reaches(**node)).count();
        if reachable < usize::from(quorum) {
            return Err(format!(
                "{reachable} of {n} replicas reachable, {name} = {quorum}"
            ));
        }
        Ok(replicas)
    }

    fn reaches(&self, node: NodeId) -> bool {
        node == self.me || self.connected.contains(&node)
    }

    /// Whom a read asks at once, and whom only if those are slow.
    fn choose_readers(&self, replicas: &[NodeId], r: usize) -> (Vec<NodeId>, Vec<NodeId>) {
        if self.config.has(Sabotage::FirstROnly) {
            return (replicas.iter().copied().take(r).collect(), Vec::new());
        }
        let others = replicas.iter().copied().filter(|node| *node != self.me);
        let mut order: Vec<_> = others.collect();
        // Starting elsewhere each time spreads the load, and finds stale replicas that a fixed choice would never ask.
        let turn = self.reads.checked_rem(order.len() as u64).unwrap_or(0);
        order.rotate_left(usize::try_from(turn).unwrap_or(0));
        order.sort_by_key(|node| !self.reaches(*node));
        if replicas.contains(&self.me) {
            order.insert(0, self.me);
        }
        let asked = match self.config.read_fanout {
            ReadFanout::Quorum => r,
            ReadFanout::All => order.iter().filter(|node| self.reaches(**node)).count(),
        };
        let spares = order.split_off(asked);
        (order, spares)
    }

    fn evidence(&self) -> Evidence {
        Evidence {
            coordinator: self.me.0,
            epoch: self.epoch,
            ..Evidence::default()
        }
    }

    fn timeout(&self) -> Duration {
        Duration::from_millis(self.config.request_timeout_ms)
    }

    fn begin(&mut self, now: Now, tag: Tag, key: Key, kind: Kind) -> RequestId {
        self.counter += 1;
        let expiry = now.monotonic.after(self.timeout());
        let timer = match kind {
            Kind::Write(_) => expiry,
            Kind::Read(_) => now.monotonic.after(self.timeout() / HURRY_DIVISOR),
        };
        let coordination = Coordination {
            tag,
            key,
            expiry,
            timer,
            kind,
        };
        self.requests.insert(self.counter, coordination);
        self.timers.insert((timer, self.counter));
        RequestId {
            epoch: self.epoch,
            counter: self.counter,
        }
    }

    fn end(&mut self, counter: u64) {
        if let Some(coordination) = self.requests.remove(&counter) {
            self.timers.remove(&(coordination.timer, counter));
        }
    }

    /// A replica (perhaps this one) said something about a request.
    pub(super) fn coordinate(
        &mut self,
        now: Now,
        counter: u64,
        from: NodeId,
        said: Said,
        out: &mut Vec<Output>,
    ) {
        let Some(coordination) = self.requests.get_mut(&counter) else {
            return;
        };
        match (&mut coordination.kind, said) {
            (Kind::Write(write), Said::Held) => {
                write.held(from);
                self.reply_if_written(counter, out);
            }
            (Kind::Write(_), Said::Answer(_)) => {}
            (Kind::Read(read), said) => {
                let was_repairing = read.is_repairing();
                let effects = match said {
                    Said::Held => read.held(from),
                    Said::Answer(version) => read.answered(from, version),
                };
                if read.is_repairing() && !was_repairing {
                    self.hurry_later(now, counter);
                }
                self.carry_out(now, counter, effects, out);
            }
        }
    }

    /// Does what a read wants done. What this replica says to itself comes back at once, and may end the read.
    fn carry_out(&mut self, now: Now, counter: u64, effects: Vec<Effect>, out: &mut Vec<Output>) {
        let Some(Coordination { tag, key, .. }) = self.requests.get(&counter) else {
            return;
        };
        let (tag, key) = (*tag, key.clone());
        let epoch = self.epoch;
        let id = RequestId { epoch, counter };
        for effect in effects {
            match effect {
                Effect::Reply(response) => out.push(Output::Reply { tag, response }),
                Effect::Ask(to) if to == self.me => {
                    let version = self.store.visible(key.as_str()).cloned();
                    self.coordinate(now, counter, to, Said::Answer(version), out);
                }
                Effect::Ask(to) => {
                    let key = key.clone();
                    let message = PeerMessage::Read { id, key };
                    out.push(Output::Send { to, message });
                }
                Effect::Repair(to, version) if to == self.me => {
                    self.hold(now, key.clone(), version, Waiter::new(to, id), out);
                }
                Effect::Repair(to, version) => {
                    let key = key.clone();
                    let message = PeerMessage::Repair { id, key, version };
                    out.push(Output::Send { to, message });
                }
            }
        }
        if let Some(coordination) = self.requests.get(&counter)
            && let Kind::Read(read) = &coordination.kind
            && read.is_finished()
        {
            self.end(counter);
        }
    }

    /// Ends a write that has its quorum. Later acknowledgements are nobody's.
    fn reply_if_written(&mut self, counter: u64, out: &mut Vec<Output>) {
        if let Some(coordination) = self.requests.get(&counter)
            && let Kind::Write(write) = &coordination.kind
            && let Some(response) = write.reply()
        {
            let tag = coordination.tag;
            out.push(Output::Reply { tag, response });
            self.end(counter);
        }
    }

    /// Time passed: slow reads turn to other replicas, and what is overdue ends.
    pub(super) fn expire(&mut self, now: Now, out: &mut Vec<Output>) {
        while let Some((due, counter)) = self.timers.pop_first() {
            if due > now.monotonic {
                self.timers.insert((due, counter));
                return;
            }
            let Some(coordination) = self.requests.get_mut(&counter) else {
                continue;
            };
            if due >= coordination.expiry {
                let tag = coordination.tag;
                let unknown = match &coordination.kind {
                    Kind::Write(_) if self.config.has(Sabotage::RefuseAfterSending) => {
                        let why = "too few acknowledgements in time".to_owned();
                        Some(Response::Refused { why })
                    }
                    Kind::Write(write) => Some(write.unknown()),
                    Kind::Read(read) => read.unknown(),
                };
                out.extend(unknown.map(|response| Output::Reply { tag, response }));
                self.requests.remove(&counter);
            } else {
                coordination.timer = coordination.expiry;
                self.timers.insert((coordination.timer, counter));
                if let Kind::Read(read) = &mut coordination.kind {
                    let effects = read.hurry();
                    self.carry_out(now, counter, effects, out);
                }
            }
        }
    }

    /// A read began to wait for its repairs: it has patience anew, but not beyond its expiry.
    fn hurry_later(&mut self, now: Now, counter: u64) {
        let patience = self.timeout() / HURRY_DIVISOR;
        if let Some(coordination) = self.requests.get_mut(&counter) {
            self.timers.remove(&(coordination.timer, counter));
            coordination.timer = now.monotonic.after(patience).min(coordination.expiry);
            self.timers.insert((coordination.timer, counter));
        }
    }
}
