//! From chosen steps to lanes, rows and spans: what each of them looks like and is called.

use std::collections::{BTreeMap, BTreeSet};

use quorate_checkers::history::{
    Event, EventType, F, FaultKind, FaultWindow, History, Nanos, Process, Value,
};
use quorate_node::protocol::{Content, Version};

use super::choose::Chosen;
use super::watch::Watched;
use super::{Fate, Lane, Row, Shape, Sign, Span, State, lasting};
use crate::fault::Link;
use crate::world::node_name;
use crate::world::sim::trace::{Kind, Says, What};

/// A message that takes longer than this is called late, ns.
const LATE_NS: u64 = 10_000_000;

/// The name of the lane of clients that play no part.
const OTHERS: &str = "rest";

/// The name of the lane of the reads that ask each replica in the end.
const CENSUS: &str = "end";

pub(super) fn rows(
    history: &History,
    watched: &Watched,
    chosen: &Chosen<'_>,
) -> (Vec<Lane>, Vec<Row>, Vec<Span>) {
    let mut maker = Maker::new(watched, chosen);
    for (at, what) in chosen.steps.iter().map(|step| (step.at, &step.what)) {
        maker.take(at, what);
    }
    maker.links(&history.faults);
    maker.spans(&history.faults);
    maker.rows.sort_by_key(|row| row.at);
    (maker.lanes, maker.rows, maker.spans)
}

struct Maker<'a> {
    watched: &'a Watched,
    chosen: &'a Chosen<'a>,
    lanes: Vec<Lane>,
    /// When each operation was asked for, and answered.
    invoked: BTreeMap<u64, Nanos>,
    replied: BTreeMap<u64, (Nanos, u16)>,
    /// Operations that some node heard of.
    heard: BTreeSet<u64>,
    rows: Vec<Row>,
    spans: Vec<Span>,
}

impl<'a> Maker<'a> {
    fn new(watched: &'a Watched, chosen: &'a Chosen<'a>) -> Maker<'a> {
        let mut maker = Maker {
            watched,
            chosen,
            lanes: Vec::new(),
            invoked: BTreeMap::new(),
            replied: BTreeMap::new(),
            heard: BTreeSet::new(),
            rows: Vec::new(),
            spans: Vec::new(),
        };
        for step in &watched.steps {
            match step.what {
                What::Invoked { op, .. } => {
                    maker.invoked.insert(op, step.at);
                }
                What::Asked { op, .. } => {
                    maker.heard.insert(op);
                }
                What::Replied { op, node } => {
                    maker.replied.insert(op, (step.at, node));
                }
                _ => {}
            }
        }
        maker.lanes = maker.all_lanes();
        maker
    }

    /// Clients of the witness, the others if there are any, and the nodes that the steps speak of.
    fn all_lanes(&self) -> Vec<Lane> {
        let (mut clients, mut nodes) = (BTreeSet::new(), BTreeSet::new());
        for step in &self.chosen.steps {
            match &step.what {
                What::Invoked { op, node } | What::Asked { op, node } => {
                    nodes.insert(*node);
                    let name = self.client(*op);
                    clients.insert((name == OTHERS, name.len(), name));
                }
                What::Sent { link, .. }
                | What::Delivered { link, .. }
                | What::Lost { link, .. } => {
                    nodes.extend([link.from, link.to]);
                }
                What::Holds { node, .. } | What::Forgot { node, .. } => {
                    nodes.insert(*node);
                }
                _ => {}
            }
        }
        let clients = clients.into_iter().map(|(_, _, name)| (name, false));
        let nodes = nodes.into_iter().map(|node| (node_name(node), true));
        let lanes = clients.chain(nodes);
        lanes
            .map(|(name, is_node)| Lane { name, is_node })
            .collect()
    }

    /// The lane of the client of an operation.
    fn client(&self, op: u64) -> String {
        let event = self.watched.events.get(&op);
        match event.map(|event| event.process) {
            _ if event.is_some_and(|event| event.f == F::Census) => CENSUS.to_owned(),
            Some(Process::Client(id)) if self.chosen.witness.contains_key(&op) => format!("c{id}"),
            _ => OTHERS.to_owned(),
        }
    }

    fn lane(&self, name: &str) -> Option<usize> {
        self.lanes.iter().position(|lane| lane.name == name)
    }

    fn node(&self, node: u16) -> Option<usize> {
        self.lane(&node_name(node))
    }

    fn letter(&self, op: Option<u64>) -> Option<char> {
        self.chosen.witness.get(&op?).copied().flatten()
    }

    fn push(&mut self, at: Nanos, shape: Shape, letter: Option<char>, label: &str, words: String) {
        self.rows.push(Row {
            at,
            shape,
            letter,
            label: label.to_owned(),
            words,
        });
    }

    fn mark(&mut self, at: Nanos, node: u16, sign: Sign, label: &str) {
        if let Some(lane) = self.node(node) {
            let words = format!("{} {label}", node_name(node));
            self.push(at, Shape::Mark { lane, sign }, None, label, words);
        }
    }

    fn take(&mut self, at: Nanos, what: &What) {
        match what {
            What::Invoked { op, node } if !self.heard.contains(op) => self.unheard(at, *op, *node),
            What::Asked { op, node } => self.asked(at, *op, *node),
            What::Completed { op, completion } => self.completed(at, *op, *completion),
            What::Delivered { message, link } => self.message(at, *message, *link, None),
            What::Lost { message, link, why } => {
                self.message(at, *message, *link, Some(why.words()));
            }
            What::Holds { node, content, .. } => {
                let holds = format!("holds {}", content.as_ref().map_or("nothing".into(), told));
                self.mark(at, *node, Sign::Holds, &holds);
            }
            What::Forgot { node, record } => {
                let forgot = record.held().map_or("a note".to_owned(), told);
                let forgot = format!("forgot {forgot}");
                self.mark(at, *node, Sign::Forgets, &forgot);
            }
            What::Killed { node } => self.mark(at, *node, Sign::Process, "killed"),
            What::Booted { node, .. } => self.mark(at, *node, Sign::Process, "started"),
            What::Paused { node } => self.mark(at, *node, Sign::Process, "paused"),
            What::Resumed { node } => self.mark(at, *node, Sign::Process, "resumed"),
            What::ClockSet { node, offset_ns } => {
                let ms = offset_ns / 1_000_000;
                self.mark(at, *node, Sign::Clock, &format!("clock {ms:+} ms"));
            }
            What::Invoked { .. }
            | What::Replied { .. }
            | What::Sent { .. }
            | What::LinkUp(_)
            | What::LinkDown(_)
            | What::Synced { .. } => {}
        }
    }

    /// The name of an operation, and what it asks for.
    fn request(&self, op: u64) -> (String, String) {
        let Some(event) = self.watched.events.get(&op) else {
            return (String::new(), String::new());
        };
        let key = event.key.as_deref().unwrap_or_default();
        let what = match event.f {
            F::Write => format!("write {key} = {}", event.value),
            F::Census => format!("tell its {key}"),
            _ => format!("{} {key}", event.f.as_str()),
        };
        let short = match event.f {
            F::Write => format!("write {}", event.value),
            _ => event.f.as_str().to_owned(),
        };
        (self.lettered(op, &short), what)
    }

    fn lettered(&self, op: u64, text: &str) -> String {
        match self.letter(Some(op)) {
            Some(letter) => format!("{letter}: {text}"),
            None => text.to_owned(),
        }
    }

    fn asked(&mut self, at: Nanos, op: u64, node: u16) {
        let client = self.client(op);
        let (Some(from), Some(to)) = (self.lane(&client), self.node(node)) else {
            return;
        };
        let (short, what) = self.request(op);
        let words = self.lettered(
            op,
            &format!("{} asks {} to {what}", who(&client), node_name(node)),
        );
        let sent = self.invoked.get(&op).copied().unwrap_or(at);
        let fate = Fate::Told;
        let shape = Shape::Arrow {
            from,
            to,
            sent,
            fate,
        };
        self.push(at, shape, self.letter(Some(op)), &short, words);
    }

    /// A request that no node ever got.
    fn unheard(&mut self, at: Nanos, op: u64, node: u16) {
        let client = self.client(op);
        let Some(lane) = self.lane(&client) else {
            return;
        };
        let (short, what) = self.request(op);
        let words = format!(
            "{} asks {} to {what}, in vain",
            who(&client),
            node_name(node)
        );
        let shape = Shape::Mark {
            lane,
            sign: Sign::Alone,
        };
        let words = self.lettered(op, &words);
        self.push(at, shape, self.letter(Some(op)), &short, words);
    }

    fn completed(&mut self, at: Nanos, op: u64, completion: u64) {
        let client = self.client(op);
        let (Some(event), Some(to)) = (self.watched.events.get(&completion), self.lane(&client))
        else {
            return;
        };
        let (short, words) = outcome(event);
        let replied = self.replied.get(&op).filter(|(sent, _)| *sent <= at);
        let from = replied.and_then(|&(sent, node)| Some((sent, self.node(node)?)));
        let is_answer = event.error.as_deref().is_none_or(|why| !gave_up(why));
        let shape = match from {
            Some((sent, from)) if is_answer => Shape::Arrow {
                from,
                to,
                sent,
                fate: Fate::Told,
            },
            _ => Shape::Mark {
                lane: to,
                sign: Sign::Alone,
            },
        };
        let (short, words) = (self.lettered(op, &short), self.lettered(op, &words));
        self.push(at, shape, self.letter(Some(op)), &short, words);
    }

    fn message(&mut self, at: Nanos, message: u64, link: Link, lost: Option<&str>) {
        let (Some(from), Some(to)) = (self.node(link.from), self.node(link.to)) else {
            return;
        };
        let Some(&(step, says)) = self.chosen.sent.get(&message) else {
            return;
        };
        let sent = step.at;
        let took = at.since(sent).0;
        let (label, mut words) = said(says, link);
        let fate = match lost {
            Some(why) => {
                words = format!("lost: {words}; {why}");
                Fate::Lost
            }
            None if took > LATE_NS => {
                words = format!("{words}, after {}", lasting(took));
                Fate::Late
            }
            None => Fate::Delivered,
        };
        let shape = Shape::Arrow {
            from,
            to,
            sent,
            fate,
        };
        let letter = self.letter(says.op);
        let words = match letter {
            Some(letter) => format!("{letter}: {words}"),
            None => words,
        };
        self.push(at, shape, letter, &label, words);
    }

    /// Cut and slow links between the nodes that are shown.
    fn links(&mut self, faults: &[FaultWindow]) {
        let (Some(first), Some(last)) = (self.first(), self.last()) else {
            return;
        };
        for fault in faults {
            let Some((word, healed)) = link_words(fault) else {
                continue;
            };
            let shown = |name: &String| self.lane(name).is_some();
            let links = fault.links.iter();
            let links: Vec<String> = links
                .filter(|(from, to)| shown(from) && shown(to))
                .map(|(from, to)| format!("{from}>{to}"))
                .collect();
            let (from, to) = in_force(fault);
            if links.is_empty() || to < first || from > last {
                continue;
            }
            let (id, links) = (&fault.id, links.join(" "));
            let words = if from < first {
                format!("{word} since before this ({id}): {links}")
            } else {
                format!("{word} ({id}): {links}")
            };
            self.push(from.max(first), Shape::Note, None, &words.clone(), words);
            if to <= last {
                let words = format!("{healed} ({id}): {links}");
                self.push(to, Shape::Note, None, &words.clone(), words);
            }
        }
    }

    fn first(&self) -> Option<Nanos> {
        self.rows.iter().map(|row| row.at).min()
    }

    fn last(&self) -> Option<Nanos> {
        self.rows.iter().map(|row| row.at).max()
    }

    /// What each lane was doing, or what was done to it.
    fn spans(&mut self, faults: &[FaultWindow]) {
        self.operations();
        self.processes();
        for fault in faults {
            let state = match fault.kind {
                FaultKind::Partition => State::Cut,
                FaultKind::Slow => State::Slow,
                FaultKind::Clock => State::Skewed,
                _ => continue,
            };
            let (from, to) = in_force(fault);
            let is_shown = |node: &String| {
                let mut links = fault.links.iter();
                let other = |name: &String| self.lane(name).is_some();
                state == State::Skewed
                    || links
                        .any(|(from, to)| (from == node || to == node) && other(from) && other(to))
            };
            let lanes = fault.nodes.iter().filter(|node| is_shown(node));
            let lanes: Vec<usize> = lanes.filter_map(|node| self.lane(node)).collect();
            let spans = lanes.into_iter().map(|lane| Span {
                lane,
                from,
                to,
                state,
            });
            self.spans.extend(spans);
        }
    }

    fn operations(&mut self) {
        for step in &self.watched.steps {
            let What::Completed { op, .. } = step.what else {
                continue;
            };
            let client = self.client(op);
            if let (Some(&from), Some(lane)) = (self.invoked.get(&op), self.lane(&client))
                && self.chosen.witness.contains_key(&op)
            {
                let state = State::Busy(self.letter(Some(op)));
                let to = step.at;
                self.spans.push(Span {
                    lane,
                    from,
                    to,
                    state,
                });
            }
        }
    }

    fn processes(&mut self) {
        let mut since: BTreeMap<(u16, bool), Nanos> = BTreeMap::new();
        let mut ended = Vec::new();
        for step in &self.watched.steps {
            match step.what {
                What::Killed { node } => {
                    since.insert((node, true), step.at);
                    ended.extend(
                        since
                            .remove(&(node, false))
                            .map(|from| (node, false, from, step.at)),
                    );
                }
                What::Paused { node } => {
                    since.insert((node, false), step.at);
                }
                What::Booted { node, .. } => {
                    ended.extend(
                        since
                            .remove(&(node, true))
                            .map(|from| (node, true, from, step.at)),
                    );
                }
                What::Resumed { node } => {
                    ended.extend(
                        since
                            .remove(&(node, false))
                            .map(|from| (node, false, from, step.at)),
                    );
                }
                _ => {}
            }
        }
        let open = since.into_iter();
        ended.extend(open.map(|((node, dead), from)| (node, dead, from, Nanos::NEVER)));
        for (node, dead, from, to) in ended {
            let state = if dead { State::Down } else { State::Paused };
            if let Some(lane) = self.node(node) {
                self.spans.push(Span {
                    lane,
                    from,
                    to,
                    state,
                });
            }
        }
    }
}

/// A client in a sentence.
fn who(client: &str) -> &str {
    match client {
        OTHERS => "another client",
        CENSUS => "the census",
        client => client,
    }
}

/// When a fault was in force, as far as the history tells.
fn in_force(fault: &FaultWindow) -> (Nanos, Nanos) {
    let to = fault.heal_began.or(fault.healed).unwrap_or(Nanos::NEVER);
    if fault.may_have_taken() {
        (fault.injected, to)
    } else {
        (Nanos::NEVER, Nanos::NEVER)
    }
}

fn link_words(fault: &FaultWindow) -> Option<(&'static str, &'static str)> {
    match fault.kind {
        FaultKind::Partition => Some(("links cut", "links healed")),
        FaultKind::Slow => Some(("links slow", "links fast again")),
        _ => None,
    }
}

/// What is held of a key, as a reader of the history knows it.
fn told(content: &Content) -> String {
    let versions: Vec<String> = content.versions().map(written).collect();
    versions.join(" and ")
}

fn written(version: &Version) -> String {
    match version.value.as_deref() {
        Some(value) => String::from_utf8_lossy(value).into_owned(),
        None => "a delete".to_owned(),
    }
}

/// What a message says, short and in words.
fn said(says: &Says, link: Link) -> (String, String) {
    let (from, to) = (node_name(link.from), node_name(link.to));
    let version = says.content.as_ref().map_or("nothing".to_owned(), told);
    match says.kind {
        Kind::Write => (
            format!("hold {version}"),
            format!("{from} tells {to} to hold {version}"),
        ),
        Kind::Repair => (
            format!("repair {version}"),
            format!("{from} repairs {to} with {version}"),
        ),
        Kind::Held => (
            "held".to_owned(),
            format!("{from} tells {to} that it holds that"),
        ),
        Kind::Read => ("read".to_owned(), format!("{from} asks what {to} holds")),
        Kind::Answer => (
            format!("has {version}"),
            format!("{from} tells {to} that it has {version}"),
        ),
        Kind::Digest => (
            "digest".to_owned(),
            format!("{from} tells {to} a digest of what it has"),
        ),
        Kind::Mint => (
            format!("place {version}"),
            format!("{from} asks {to} to give {version} its place among the writes"),
        ),
        Kind::Minted => (
            format!("placed, {version}"),
            format!("{from} tells {to} that it has {version} since then"),
        ),
        Kind::Received => (
            "received".to_owned(),
            format!("{from} tells {to} that it has received that"),
        ),
        Kind::Handoff => (
            format!("hand over {version}"),
            format!("{from} hands over {version}, which it kept for {to}"),
        ),
        Kind::Compare => (
            "compare".to_owned(),
            format!("{from} asks {to} for hashes of what it holds"),
        ),
        Kind::Compared => (
            "hashes".to_owned(),
            format!("{from} tells {to} hashes of what it holds"),
        ),
        Kind::Led => (
            "log".to_owned(),
            format!("{from} and {to} keep the log of their leader"),
        ),
        Kind::Purge => (
            "forget?".to_owned(),
            format!("{from} and {to} settle whether the delete may be forgotten"),
        ),
        Kind::Gossip | Kind::Copy | Kind::Transfer | Kind::Copied => {
            said_of_ring(says.kind, &from, &to, &version)
        }
        Kind::Level => (
            format!("level with {version}"),
            format!("{from} tells {to}, which holds something else, that it has {version}"),
        ),
    }
}

/// What a message about the ring says, short and in words.
fn said_of_ring(kind: Kind, from: &str, to: &str, version: &str) -> (String, String) {
    match kind {
        Kind::Gossip => (
            "gossip".to_owned(),
            format!("{from} tells {to} who is alive, and who is in the ring"),
        ),
        Kind::Copy => (
            "copy".to_owned(),
            format!("{from} asks {to} to send a new owner what it holds"),
        ),
        Kind::Transfer => (
            format!("transfer {version}"),
            format!("{from} tells {to}, which is going to own the key, to hold {version}"),
        ),
        _ => (
            "copied".to_owned(),
            format!("{from} tells {to} that the new owner has all that it held"),
        ),
    }
}

/// How an operation ended, short and in words.
fn outcome(event: &Event) -> (String, String) {
    let why = event.error.as_deref().unwrap_or("no reason given");
    match (event.kind, &event.f) {
        (EventType::Ok, F::Write | F::Delete) => ("done".to_owned(), "acknowledged".to_owned()),
        (EventType::Ok, _) => {
            let value = match &event.value {
                Value::Nil => "nothing".to_owned(),
                value => value.to_string(),
            };
            (format!("-> {value}"), format!("returns {value}"))
        }
        (EventType::Fail, _) => ("failed".to_owned(), format!("failed: {why}")),
        _ => ("unknown".to_owned(), format!("outcome unknown: {why}")),
    }
}

/// Whether the client stopped waiting: an answer that was under way then is not what ended the operation.
fn gave_up(why: &str) -> bool {
    why.starts_with("no reply within")
}
