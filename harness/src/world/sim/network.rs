//! The network of a simulated cluster: directed links that delay, hold, reset and lose, as the proxies of the live world do.
//!
//! A connection is a stream: what was sent over it arrives in that order, or not at all. Between links nothing is ordered,
//! and a stream that outlives its killed sender may be overtaken by its successor. It carries messages and knows no replica.

use std::collections::{BTreeMap, VecDeque};

use quorate_checkers::history::Nanos;
use quorate_node::protocol::PeerMessage;
use quorate_node::shell::QUEUE_MESSAGES_MAX;
use quorate_workloads::Rng;

use super::queue::{Happening, Queue, later};
use super::trace::{Loss, What};
use super::weather::{Fate, Weather};
use crate::fault::{Cut, Link};

/// Nanoseconds in a millisecond.
const NS_PER_MS: u64 = 1_000_000;

/// One connection of one link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StreamId(u64);

/// What one fault does to one link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Nothing gets through until the heal, and nothing is lost.
    Hold,
    /// Connections break, and new ones too.
    Reset,
    /// Everything is late.
    Delay { delay_ms: u64, jitter_ms: u64 },
}

impl Rule {
    pub(super) fn delay(delay_ms: u64, jitter_ms: u64) -> Rule {
        Rule::Delay {
            delay_ms,
            jitter_ms,
        }
    }
}

impl From<Cut> for Rule {
    fn from(cut: Cut) -> Rule {
        match cut {
            Cut::Hold => Rule::Hold,
            Cut::Reset => Rule::Reset,
        }
    }
}

/// What a connection is to its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Dialled; the peer has not greeted back.
    Greeting,
    /// Up.
    Up,
    /// Broken, which the sender does not know yet: it sends into the void.
    Broken,
    /// Nobody sends over it any more. What was sent before still arrives.
    Orphaned,
}

#[derive(Debug)]
struct Stream {
    stage: Stage,
    /// What was sent and has not arrived. Times of arrival never decrease.
    in_flight: VecDeque<InFlight>,
}

/// A message that was sent and has not arrived.
#[derive(Debug)]
struct InFlight {
    /// When it arrives.
    due: Nanos,
    parcel: Parcel,
}

/// A message, and the number by which it is told from all others of the run.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    pub(super) number: u64,
    pub(super) message: PeerMessage,
}

/// One directed link.
#[derive(Debug)]
struct Wire {
    rng: Rng,
    rules: Vec<Rule>,
    streams: BTreeMap<StreamId, Stream>,
    dialled: u64,
}

/// All links.
#[derive(Debug)]
pub(super) struct Network {
    weather: Weather,
    nodes: u16,
    /// In the order of their links.
    wires: Vec<(Link, Wire)>,
    /// Messages sent so far.
    sent: u64,
}

impl Network {
    pub(super) fn new(nodes: u16, seed: u64, weather: Weather) -> Network {
        let links = (1..=nodes).flat_map(|from| (1..=nodes).map(move |to| Link { from, to }));
        let wire = |link: Link| {
            let name = format!("link n{} n{}", link.from, link.to);
            let wire = Wire {
                rng: Rng::stream(seed, &name),
                rules: Vec::new(),
                streams: BTreeMap::new(),
                dialled: 0,
            };
            (link, wire)
        };
        Network {
            weather,
            nodes,
            wires: links
                .filter(|link| link.from != link.to)
                .map(wire)
                .collect(),
            sent: 0,
        }
    }

    /// The links on which `node` sends.
    pub(super) fn links_from(&self, node: u16) -> Vec<Link> {
        let links = self.wires.iter().map(|&(link, _)| link);
        links.filter(|link| link.from == node).collect()
    }

    /// The sender tries to connect; `is_served` says whether the receiver answers. If it fails, it tries again later.
    pub(super) fn dial(&mut self, link: Link, epoch: u64, is_served: bool, queue: &mut Queue) {
        let weather = self.weather;
        let Some(wire) = self.wire(link) else {
            return;
        };
        if wire.current().is_some() {
            return;
        }
        if wire.is_cut() || !is_served {
            let rest_ns = weather.redial.draw_ns(&mut wire.rng);
            queue.after(rest_ns, Happening::Dial { link, epoch });
            return;
        }
        let stream = wire.open(Stage::Greeting, VecDeque::new());
        let there_ns = wire.late_by_ns(&weather);
        let back_ns = weather.transit.draw_ns(&mut wire.rng);
        queue.after(there_ns + back_ns, Happening::Greeted { link, stream });
    }

    /// The receiver's greeting came. Whether the link is up now.
    pub(super) fn greeted(&mut self, link: Link, stream: StreamId) -> bool {
        match self.stream(link, stream) {
            Some(stream) if stream.stage == Stage::Greeting => {
                stream.stage = Stage::Up;
                true
            }
            _ => false,
        }
    }

    /// Sends a message; without a connection it is lost.
    pub(super) fn send(&mut self, link: Link, message: PeerMessage, queue: &mut Queue) {
        let weather = self.weather;
        self.sent += 1;
        let number = self.sent;
        let Some(wire) = self.wire(link) else {
            return;
        };
        queue.tell(|tracer, now| tracer.sent(now, number, link, &message));
        let due = later(queue.now(), wire.late_by_ns(&weather));
        let (fate, is_held) = (weather.fate(&mut wire.rng), wire.is_held());
        let Some((&stream, up)) = wire.current().filter(|(_, s)| s.stage == Stage::Up) else {
            lose(link, number, Loss::NoConnection, queue);
            return;
        };
        if is_held && up.in_flight.len() >= QUEUE_MESSAGES_MAX {
            lose(link, number, Loss::QueueFull, queue);
            return;
        }
        let parcel = Parcel { number, message };
        match fate {
            Fate::Arrives | Fate::Repeated => {}
            Fate::Lost => {
                lose(link, number, Loss::Weather, queue);
                return;
            }
            Fate::Breaks => {
                wire.break_streams(link, &weather, queue);
                lose(link, number, Loss::ConnectionBroke, queue);
                return;
            }
            Fate::Overtaken => {
                wire.stray(link, parcel, due, &weather, queue);
                return;
            }
        }
        let before = up.in_flight.back().map_or(Nanos(0), |last| last.due);
        let due = due.max(before);
        let copy = (fate == Fate::Repeated).then(|| parcel.clone());
        up.in_flight.push_back(InFlight { due, parcel });
        queue.at(due, Happening::Arrival { link, stream });
        if let Some(copy) = copy {
            wire.stray(link, copy, due, &weather, queue);
        }
    }

    /// The next message of a stream that has arrived by now.
    pub(super) fn arrived(&mut self, link: Link, id: StreamId, now: Nanos) -> Option<Parcel> {
        let wire = self.wire(link).filter(|wire| !wire.is_cut())?;
        let stream = wire.streams.get_mut(&id)?;
        let next = stream.in_flight.front()?;
        if next.due > now {
            return None;
        }
        let arrived = stream.in_flight.pop_front();
        if stream.stage == Stage::Orphaned && stream.in_flight.is_empty() {
            wire.streams.remove(&id);
        }
        arrived.map(|arrived| arrived.parcel)
    }

    /// The sender notices that its connection broke, unless news of that is held back too. Whether it noticed.
    pub(super) fn hung_up(&mut self, link: Link, id: StreamId) -> bool {
        let Some(wire) = self.wire(link) else {
            return false;
        };
        let is_broken = |stream: &Stream| stream.stage == Stage::Broken;
        if wire.is_held() || !wire.streams.get(&id).is_some_and(is_broken) {
            return false;
        }
        wire.streams.remove(&id);
        true
    }

    /// The sending process of these links was killed. Some first part of what each had sent is still under way.
    pub(super) fn sender_died(&mut self, node: u16, queue: &mut Queue) {
        for (link, wire) in self.wires.iter_mut().filter(|(link, _)| link.from == node) {
            for stream in wire.streams.values_mut() {
                if matches!(stream.stage, Stage::Greeting | Stage::Up) {
                    let left = wire.rng.between(0, stream.in_flight.len() as u64);
                    let left = usize::try_from(left).unwrap_or(0);
                    for lost in stream.in_flight.drain(left..) {
                        lose(*link, lost.parcel.number, Loss::SenderDied, queue);
                    }
                }
                stream.stage = Stage::Orphaned;
            }
            wire.streams
                .retain(|_, stream| !stream.in_flight.is_empty());
        }
    }

    /// The receiving process of these links was killed.
    pub(super) fn receiver_died(&mut self, node: u16, queue: &mut Queue) {
        for (link, wire) in self.wires.iter_mut().filter(|(link, _)| link.to == node) {
            wire.break_streams(*link, &self.weather, queue);
        }
    }

    /// One more rule is in force on these links.
    pub(super) fn impose(&mut self, links: &[Link], rule: Rule, queue: &mut Queue) {
        let weather = self.weather;
        for link in links {
            let Some(wire) = self.wire(*link) else {
                continue;
            };
            wire.rules.push(rule);
            if rule == Rule::Reset {
                wire.break_streams(*link, &weather, queue);
            }
        }
    }

    /// A rule like this is no longer in force on these links.
    pub(super) fn lift(&mut self, links: &[Link], rule: Rule, queue: &mut Queue) {
        let weather = self.weather;
        for link in links {
            let Some(wire) = self.wire(*link) else {
                continue;
            };
            if let Some(place) = wire.rules.iter().position(|&other| other == rule) {
                wire.rules.swap_remove(place);
            }
            wire.release(*link, &weather, queue);
        }
    }

    /// No rule is in force any more.
    pub(super) fn lift_all(&mut self, queue: &mut Queue) {
        for (link, wire) in &mut self.wires {
            wire.rules.clear();
            wire.release(*link, &self.weather, queue);
        }
    }

    /// Whether every link between two nodes that count is up.
    pub(super) fn is_connected(&self, counts: impl Fn(u16) -> bool) -> bool {
        let wires = self.wires.iter();
        let mut wires = wires.filter(|(link, _)| counts(link.from) && counts(link.to));
        wires.all(|(_, wire)| wire.streams.values().any(|s| s.stage == Stage::Up))
    }

    /// Whether nothing is under way, and no rule is in force.
    pub(super) fn is_at_rest(&self) -> bool {
        let mut wires = self.wires.iter();
        wires.all(|(_, wire)| {
            wire.rules.is_empty() && wire.streams.values().all(|s| s.in_flight.is_empty())
        })
    }

    fn stream(&mut self, link: Link, stream: StreamId) -> Option<&mut Stream> {
        self.wire(link)?.streams.get_mut(&stream)
    }

    fn wire(&mut self, link: Link) -> Option<&mut Wire> {
        let Link { from, to } = link;
        // Nobody has a link to itself: in each row of the table one place is left out.
        let column = to.checked_sub(if to > from { 2 } else { 1 })?;
        let row = usize::from(from.checked_sub(1)?) * usize::from(self.nodes.checked_sub(1)?);
        let (at, wire) = self.wires.get_mut(row + usize::from(column))?;
        (*at == link).then_some(wire)
    }
}

impl Wire {
    /// The connection of the sender that lives, if it has one.
    fn current(&mut self) -> Option<(&StreamId, &mut Stream)> {
        let mut streams = self.streams.iter_mut();
        streams.find(|(_, stream)| stream.stage != Stage::Orphaned)
    }

    fn open(&mut self, stage: Stage, in_flight: VecDeque<InFlight>) -> StreamId {
        self.dialled += 1;
        let stream = StreamId(self.dialled);
        self.streams.insert(stream, Stream { stage, in_flight });
        stream
    }

    /// Lets a message travel by itself, so that it keeps no order with any other.
    fn stray(
        &mut self,
        link: Link,
        parcel: Parcel,
        due: Nanos,
        weather: &Weather,
        queue: &mut Queue,
    ) {
        let due = later(due, weather.gust.draw_ns(&mut self.rng));
        let in_flight = VecDeque::from([InFlight { due, parcel }]);
        let stream = self.open(Stage::Orphaned, in_flight);
        queue.at(due, Happening::Arrival { link, stream });
    }

    /// Whether nothing gets through.
    fn is_cut(&self) -> bool {
        let cuts = |rule: &Rule| matches!(rule, Rule::Hold | Rule::Reset);
        self.rules.iter().any(cuts)
    }

    /// Whether neither side learns anything of the other. A reset link does not hold.
    fn is_held(&self) -> bool {
        self.rules.contains(&Rule::Hold) && !self.rules.contains(&Rule::Reset)
    }

    /// How long a message takes that is sent now, ns. Of several delays the longest counts.
    fn late_by_ns(&mut self, weather: &Weather) -> u64 {
        let (mut longest_ms, mut widest_ms) = (0, 0);
        for rule in &self.rules {
            if let Rule::Delay {
                delay_ms,
                jitter_ms,
            } = *rule
            {
                longest_ms = longest_ms.max(delay_ms);
                widest_ms = widest_ms.max(jitter_ms);
            }
        }
        let jitter_ns = self.rng.between(0, widest_ms.saturating_mul(NS_PER_MS));
        let delay_ns = longest_ms.saturating_mul(NS_PER_MS);
        let transit_ns = weather.transit_ns(&mut self.rng);
        transit_ns.saturating_add(delay_ns.saturating_add(jitter_ns))
    }

    /// Everything in flight is lost, and the sender will hear of it.
    fn break_streams(&mut self, link: Link, weather: &Weather, queue: &mut Queue) {
        for (&id, stream) in &mut self.streams {
            for lost in stream.in_flight.drain(..) {
                lose(link, lost.parcel.number, Loss::ConnectionBroke, queue);
            }
            if stream.stage == Stage::Orphaned {
                continue;
            }
            if stream.stage != Stage::Broken {
                stream.stage = Stage::Broken;
                let heard_ns = weather.transit.draw_ns(&mut self.rng);
                queue.after(heard_ns, Happening::HungUp { link, stream: id });
            }
        }
        self.streams
            .retain(|_, stream| stream.stage != Stage::Orphaned);
    }

    /// Something was lifted: if nothing holds the link any more, what waited in it arrives in one burst.
    fn release(&mut self, link: Link, weather: &Weather, queue: &mut Queue) {
        if self.is_held() {
            return;
        }
        let due = later(queue.now(), self.late_by_ns(weather));
        for (&stream, waiting) in &mut self.streams {
            for coming in &mut waiting.in_flight {
                coming.due = due;
            }
            if !waiting.in_flight.is_empty() {
                queue.at(due, Happening::Arrival { link, stream });
            }
            if waiting.stage == Stage::Broken {
                queue.at(due, Happening::HungUp { link, stream });
            }
        }
    }
}

/// Nobody will ever get this message.
pub(super) fn lose(link: Link, message: u64, why: Loss, queue: &mut Queue) {
    queue.note(|| What::Lost { message, link, why });
}

#[cfg(test)]
mod tests;
