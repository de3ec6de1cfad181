//! The clients of a simulated cluster: one operation each at a time, over a connection that breaks when its node dies.
//!
//! They say what they know and no more, in the words of the live world's clients. Which operations they carry out is the
//! conductor's business.

use quorate_node::protocol::Tag;
use quorate_node::wire::{Request, Response};
use quorate_workloads::Rng;

use super::node::wall_ns;
use super::queue::{Happening, Queue};
use super::weather::Weather;
use crate::plan::Plan;
use crate::world::client_clock::ClientClock;
use crate::world::exchange::{outcome, request};
use crate::world::{ClientOp, OpKind, Outcome, node_name};

/// Nanoseconds in a millisecond.
const NS_PER_MS: u64 = 1_000_000;

/// An operation under way.
#[derive(Debug)]
struct Asked {
    op: ClientOp,
    node: u16,
    /// What its client's clock showed, where that counts.
    stamp_ns: Option<i64>,
    /// Whether the node has answered, so that its death changes nothing any more.
    is_answered: bool,
}

#[derive(Debug, Default)]
struct Client {
    /// How many operations it began.
    ops: u64,
    asked: Option<Asked>,
}

/// All clients.
#[derive(Debug)]
pub(super) struct Clients {
    weather: Weather,
    rng: Rng,
    op_timeout_ms: u64,
    clock: Option<ClientClock>,
    /// By their numbers.
    all: Vec<Client>,
}

impl Clients {
    pub(super) fn new(plan: &Plan, weather: Weather) -> Clients {
        let count = usize::try_from(plan.load.clients).unwrap_or(usize::MAX);
        Clients {
            weather,
            rng: Rng::stream(plan.seed, "clients"),
            op_timeout_ms: plan.load.op_timeout_ms,
            clock: ClientClock::of(&plan.store),
            all: (0..count).map(|_| Client::default()).collect(),
        }
    }

    /// `client` asks `node`, whose process was started for the `epoch`th time; none if it is dead.
    pub(super) fn invoke(
        &mut self,
        client: usize,
        node: u16,
        op: ClientOp,
        epoch: Option<u64>,
        queue: &mut Queue,
    ) {
        let there_ns = self.weather.client.draw_ns(&mut self.rng);
        let Some(asking) = self.all.get_mut(client) else {
            return;
        };
        asking.ops += 1;
        let number = asking.ops;
        let wall_ns = wall_ns(queue.now());
        asking.asked = Some(Asked {
            op,
            node,
            stamp_ns: self.clock.as_mut().map(|clock| clock.stamp(wall_ns)),
            is_answered: false,
        });
        let wait_ns = self.op_timeout_ms.saturating_mul(NS_PER_MS);
        queue.after(wait_ns, Happening::GaveUp { client, op: number });
        let next = match epoch {
            Some(epoch) => Happening::Asked {
                client,
                op: number,
                epoch,
            },
            None => Happening::Answered {
                client,
                op: number,
                outcome: Outcome::Fail {
                    error: format!("cannot connect to {}: connection refused", node_name(node)),
                    evidence: None,
                },
            },
        };
        queue.after(there_ns, next);
    }

    /// What nodes know the operation of a client by that is under way.
    pub(super) fn tag(&self, client: usize) -> Tag {
        Tag {
            connection: client as u64,
            request: self.all.get(client).map_or(0, |asking| asking.ops),
        }
    }

    /// The request of an operation that is still under way, and to whom it goes.
    pub(super) fn request(&self, client: usize, op: u64) -> Option<(u16, Tag, Request)> {
        let asked = self.asked(client, op)?;
        Some((
            asked.node,
            self.tag(client),
            request(&asked.op, asked.stamp_ns),
        ))
    }

    /// A node answers.
    pub(super) fn reply(&mut self, tag: Tag, response: Response, queue: &mut Queue) {
        let back_ns = self.weather.client.draw_ns(&mut self.rng);
        let client = usize::try_from(tag.connection).unwrap_or(usize::MAX);
        let Some(asking) = self.all.get_mut(client) else {
            return;
        };
        let is_this = asking.ops == tag.request;
        let Some(asked) = asking.asked.as_mut().filter(|_| is_this) else {
            return;
        };
        asked.is_answered = true;
        let answered = Happening::Answered {
            client,
            op: tag.request,
            outcome: outcome(&asked.op, response),
        };
        queue.after(back_ns, answered);
    }

    /// A node died, and its connections with it. An answer that it had sent still arrives.
    pub(super) fn node_died(&mut self, node: u16, queue: &mut Queue) {
        for (client, asking) in self.all.iter_mut().enumerate() {
            let Some(asked) = &mut asking.asked else {
                continue;
            };
            if asked.node != node || asked.is_answered {
                continue;
            }
            asked.is_answered = true;
            let error = "the connection broke: connection reset".to_owned();
            let broke = Happening::Answered {
                client,
                op: asking.ops,
                outcome: Outcome::unknown(&asked.op.f, error, None),
            };
            queue.after(self.weather.client.draw_ns(&mut self.rng), broke);
        }
    }

    /// An operation has come to its end; false if it had before.
    pub(super) fn finish(&mut self, client: usize, op: u64) -> bool {
        let is_open = self.asked(client, op).is_some();
        if is_open && let Some(asking) = self.all.get_mut(client) {
            asking.asked = None;
        }
        is_open
    }

    /// What is known of an operation that took too long; none if it has come to its end.
    pub(super) fn overdue(&self, client: usize, op: u64) -> Option<Outcome> {
        let f: &OpKind = &self.asked(client, op)?.op.f;
        let error = format!("no reply within {} ms", self.op_timeout_ms);
        Some(Outcome::unknown(f, error, None))
    }

    fn asked(&self, client: usize, op: u64) -> Option<&Asked> {
        let asking = self.all.get(client).filter(|asking| asking.ops == op)?;
        asking.asked.as_ref()
    }
}
