//! The node as a *coordinator*: any node, replica of the key or not, may be asked by a client.
//!
//! It treats the replica in itself like the others, only without a network between. What a level asks for is `quorum.rs`, whom a request
//! is about `admit.rs`, counting answers `write.rs` and `read.rs`; this file begins requests, routes what they send and hear, and keeps their time.

mod admit;
mod quorum;
mod read;
mod route;
mod write;

use std::time::Duration;

use crate::config::{ReadRepair, Sabotage, Speculation, Versions};
use crate::wire::{Context, Evidence, Quorum, Request, Response, Stamp, VALUE_BYTES_MAX};

use super::content::{Content, read_of, shared};
use super::interface::{Output, Tag};
use super::message::{PeerMessage, RequestId};
use super::replica::Replica;
use super::store::Waiter;
use super::time::{Nanos, Now};
use super::version::{Key, Version};

use admit::Admitted;
use quorum::Access;
use read::{Manner, Read};
use write::{Missed, Write};

pub(super) use route::Said;

/// A request turns to other nodes after this part of its time-out, unless the settings say otherwise.
const HURRY_DIVISOR: u32 = 4;

/// How many of its last reads a coordinator judges by when it takes one for slow.
const LATENCIES_KEPT: usize = 128;

/// One request under way.
#[derive(Debug)]
pub(super) struct Coordination {
    tag: Tag,
    key: Key,
    began: Nanos,
    /// When its time is up.
    expiry: Nanos,
    /// When it is looked at next: at its expiry or before.
    timer: Nanos,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Write(Box<Write>),
    Read(Box<Read>),
}

/// What a client wants written.
struct Wish {
    key: String,
    value: Option<Vec<u8>>,
    quorum: Quorum,
    context: Option<Context>,
    stamp_ns: Option<i64>,
}

impl Replica {
    /// A client asked.
    pub(super) fn serve(&mut self, now: Now, tag: Tag, request: Request, out: &mut Vec<Output>) {
        let served = match request {
            Request::Get { key, quorum } => {
                self.counters.reads += 1;
                self.read(now, tag, key, quorum, out)
            }
            Request::Put {
                key,
                value,
                quorum,
                context,
                stamp_ns,
            } => {
                let value = Some(value);
                let wish = Wish {
                    key,
                    value,
                    quorum,
                    context,
                    stamp_ns,
                };
                self.write(now, tag, wish, out)
            }
            Request::Delete {
                key,
                quorum,
                context,
                stamp_ns,
            } => {
                let value = None;
                let wish = Wish {
                    key,
                    value,
                    quorum,
                    context,
                    stamp_ns,
                };
                self.write(now, tag, wish, out)
            }
            Request::ChangeRing(command) => self.change_ring(now, tag, command, out),
            other => self.answer_operator(now, other, out).map(|response| {
                out.push(Output::Reply { tag, response });
            }),
        };
        if let Err(why) = served {
            self.counters.refused += 1;
            let response = Response::Refused { why };
            out.push(Output::Reply { tag, response });
        }
    }

    /// What is answered at once: an operator asked.
    fn answer_operator(
        &mut self,
        now: Now,
        request: Request,
        out: &mut Vec<Output>,
    ) -> Result<Response, String> {
        match request {
            Request::Inspect { key } => self.inspect(&key),
            Request::Status => Ok(Response::Status(Box::new(self.status()))),
            Request::Repair => {
                self.repair_all(now, out);
                Ok(Response::Done)
            }
            Request::Hints => Ok(Response::Hints(self.hints_kept())),
            Request::Ring { key } => self.ring_seen(key.as_deref()).map(Response::Ring),
            Request::Health | Request::Metrics => {
                Err("a replica has no sockets: ask the process around it".to_owned())
            }
            _ => Err("a replica has no clock: ask the process around it".to_owned()),
        }
    }

    fn write(
        &mut self,
        now: Now,
        tag: Tag,
        wish: Wish,
        out: &mut Vec<Output>,
    ) -> Result<(), String> {
        self.counters.writes += 1;
        let bytes = wish.value.as_ref().map_or(0, Vec::len);
        if bytes > VALUE_BYTES_MAX {
            return Err(format!(
                "a value of {bytes} bytes: at most {VALUE_BYTES_MAX} are held"
            ));
        }
        let (read_stamp, read) = read_of(wish.context.as_ref())?;
        let admitted = self.admit(Access::Write, &wish.key, wish.quorum)?;
        let stamp = self.stamps.of_write(now.wall, wish.stamp_ns, read_stamp)?;
        let version = Version {
            stamp,
            value: shared(wish.value),
        };
        let key = Key::from(wish.key);
        let mut write = self.new_write(admitted, version.stamp);
        match self.config.options.versions {
            Versions::Lww(_) => {
                self.check_room(&write, &key, &version)?;
                let id = self.begin(now, tag, key, Kind::Write(Box::new(write)));
                self.spread(now, id, Content::One(version), out);
            }
            Versions::Dvv { .. } => {
                let minter = write.minter(self.me, |node| self.reaches(node));
                let Some(minter) = minter else {
                    return Err(
                        "no replica is reachable that could give the write its place".to_owned(),
                    );
                };
                write.has(minter.node);
                let hint_for = minter
                    .stands_in_for
                    .map(|owner| self.addressee(key.as_str(), owner));
                let id = self.begin(now, tag, key.clone(), Kind::Write(Box::new(write)));
                if minter.node == self.me {
                    let waiter = Waiter::new(self.me, id);
                    match self.mint(now, key, version, &read, hint_for, waiter, out) {
                        Ok(content) => self.spread(now, id, content, out),
                        Err(why) => {
                            self.end(id.counter);
                            return Err(why);
                        }
                    }
                } else {
                    let message = PeerMessage::Mint {
                        id,
                        key,
                        version,
                        read,
                        hint_for,
                    };
                    let to = minter.node;
                    out.push(Output::Send { to, message });
                }
            }
        }
        Ok(())
    }

    /// Refuses a write that this node would have to hold and cannot: that much is known before anything is sent. Of others it is not.
    fn check_room(&self, write: &Write, key: &Key, version: &Version) -> Result<(), String> {
        if !write.is_held_by(self.me) {
            return Ok(());
        }
        let content = Content::One(version.clone());
        self.store.refusal(key, &content).map_or(Ok(()), Err)
    }

    /// A write that was admitted.
    fn new_write(&self, admitted: Admitted, stamp: Stamp) -> Write {
        let Admitted {
            mut requirement,
            places,
            spares,
            sloppy,
            ..
        } = admitted;
        if self.config.has(Sabotage::AckBeforeQuorum) {
            requirement = requirement.lowered();
        }
        let missed = if self.keeps_hints() {
            Missed::Hint
        } else if sloppy {
            Missed::StandIn
        } else {
            Missed::Nothing
        };
        let evidence = Evidence {
            version: Some(stamp),
            ..self.evidence()
        };
        let write = Write::new(requirement, places, spares, missed, evidence);
        if self.config.has(Sabotage::OneAfterAnother) {
            write.in_turn()
        } else {
            write
        }
    }

    fn read(
        &mut self,
        now: Now,
        tag: Tag,
        key: String,
        quorum: Quorum,
        out: &mut Vec<Output>,
    ) -> Result<(), String> {
        let admitted = self.admit(Access::Read, &key, quorum)?;
        let (asked, spares) = self.choose_readers(&admitted);
        self.reads += 1;
        let options = &self.config.options;
        let percent = u64::from(options.reads.repair_percent);
        let by_chance = percent >= 100 || chance(self.me.0, self.epoch, self.counter) < percent;
        let repair = if self.config.has(Sabotage::DropRepair) || !by_chance {
            ReadRepair::None
        } else {
            self.config.read_repair
        };
        let requirement = admitted.requirement;
        let write_back = options.reads.write_back;
        let mut write_back = write_back.map(|count| requirement.at_least(count));
        // What one read has returned the next must find, also if the ring has changed in between.
        let pending = match repair {
            ReadRepair::Blocking => admitted.pending,
            ReadRepair::None | ReadRepair::Async => Vec::new(),
        };
        if !pending.is_empty() {
            let write_back = write_back.get_or_insert_with(|| requirement.clone());
            write_back.raised(&pending);
        }
        let manner = Manner {
            requirement,
            write_back,
            repair,
            digest: options.reads.digest,
            all_siblings: options.versions != Versions::Dvv { siblings: false },
        };
        let read = Read::new(manner, &asked, &spares, &pending, self.evidence());
        let effects = read.start();
        let id = self.begin(now, tag, key.into(), Kind::Read(Box::new(read)));
        self.carry_out(now, id.counter, effects, out);
        Ok(())
    }

    /// What this replica alone holds.
    fn inspect(&self, key: &str) -> Result<Response, String> {
        if !self.ring.owners(key).writes().any(|node| node == self.me) {
            return Err(format!("{} is no replica of this key", self.me));
        }
        let held = self.store.visible(key);
        let stamp = held.and_then(Content::stamp);
        let all = self.config.options.versions != Versions::Dvv { siblings: false };
        Ok(Response::Value {
            values: held.map_or_else(Vec::new, |content| content.values(all)),
            context: super::content::context_of(held),
            evidence: Evidence {
                version: stamp,
                answered_by: vec![(self.me, stamp)],
                ..self.evidence()
            },
        })
    }

    /// Whether this node keeps hints for replicas that miss what it coordinates.
    pub(super) fn keeps_hints(&self) -> bool {
        self.config.options.hints.holder == crate::config::HintHolder::Coordinator
    }

    fn evidence(&self) -> Evidence {
        Evidence {
            coordinator: self.me.0,
            epoch: self.epoch,
            ..Evidence::default()
        }
    }

    pub(super) fn timeout(&self) -> Duration {
        Duration::from_millis(self.config.request_timeout_ms)
    }

    fn begin(&mut self, now: Now, tag: Tag, key: Key, kind: Kind) -> RequestId {
        let id = self.name_request();
        let expiry = now.monotonic.after(self.timeout());
        let timer = match &kind {
            Kind::Write(write) if !write.may_hurry() => expiry,
            Kind::Write(_) => now.monotonic.after(self.timeout() / HURRY_DIVISOR),
            Kind::Read(_) => now.monotonic.after(self.patience()).min(expiry),
        };
        let coordination = Coordination {
            tag,
            key,
            began: now.monotonic,
            expiry,
            timer,
            kind,
        };
        self.requests.insert(id.counter, coordination);
        self.timers.insert((timer, id.counter));
        id
    }

    /// A name that this node has given to nothing else in this life.
    pub(super) fn name_request(&mut self) -> RequestId {
        self.counter += 1;
        RequestId {
            epoch: self.epoch,
            counter: self.counter,
        }
    }

    /// How long a read waits before it turns to others.
    fn patience(&self) -> Duration {
        match self.config.options.reads.speculation {
            Speculation::Quarter => self.timeout() / HURRY_DIVISOR,
            Speculation::AfterMs(ms) => Duration::from_millis(ms),
            Speculation::Percentile(percent) => self
                .latencies
                .percentile(percent)
                .unwrap_or(self.timeout() / HURRY_DIVISOR),
            Speculation::Never => self.timeout(),
        }
    }

    fn end(&mut self, counter: u64) {
        if let Some(coordination) = self.requests.remove(&counter) {
            self.timers.remove(&(coordination.timer, counter));
        }
    }
}

/// A number below 100 that looks drawn, the same for the same request: a replica has no source of chance.
fn chance(node: u16, epoch: u64, counter: u64) -> u64 {
    let mut name = [0; 18];
    name[..2].copy_from_slice(&node.to_le_bytes());
    name[2..10].copy_from_slice(&epoch.to_le_bytes());
    name[10..].copy_from_slice(&counter.to_le_bytes());
    xxhash_rust::xxh3::xxh3_64(&name) % 100
}

/// How long the last reads took.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    last: std::collections::VecDeque<Duration>,
}

impl Latencies {
    fn note(&mut self, latency: Duration) {
        if self.last.len() == LATENCIES_KEPT {
            self.last.pop_front();
        }
        self.last.push_back(latency);
    }

    /// The latency that so many percent of them did not exceed; none if there are too few to tell.
    pub(in crate::protocol) fn percentile(&self, percent: u8) -> Option<Duration> {
        let mut sorted: Vec<Duration> = self.last.iter().copied().collect();
        sorted.sort_unstable();
        let place = sorted.len() * usize::from(percent) / 100;
        sorted
            .get(place)
            .copied()
            .filter(|_| sorted.len() >= LATENCIES_KEPT / 8)
    }
}
