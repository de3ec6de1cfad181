//! The clock, the clients and the register behind a synthetic history: a queue of moments, taken in order of time.
//!
//! It keeps what is under way and nothing else, so a history of any length needs the memory of its clients and keys.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use quorate_checkers::history::{Event, EventType, F, Nanos, Process, Value};
use serde_json::json;

use super::corrupter::{Corrupter, Lie};
use super::{Corruption, NODES, Recipe, Values};
use crate::rng::Rng;

/// The shortest operation, ns.
const LENGTH_NS_MIN: u64 = 100_000;
/// How much longer an ordinary operation may take, ns.
const LENGTH_NS_SPREAD: u64 = 1_900_000;
/// One operation in so many is slow.
const SLOW_ONE_IN: u64 = 32;
/// How many times longer a slow operation takes.
const SLOW_FACTOR: u64 = 8;
/// The longest pause of a client between two operations, ns.
const GAP_NS_MAX: u64 = 200_000;
/// The longest time after its client gave up at which a write may still take effect, ns.
const LATE_NS_MAX: u64 = 50_000_000;

/// Operations of the end of a history with a lost write: a read of what is there, the write, and a read of what is left.
const LAST_ACT: u64 = 3;

/// The steps of the kill that a lost write is explained by.
const KILL_STEPS: [&str; 4] = ["inject", "installed", "heal", "healed"];

/// What is asked of the register.
#[derive(Clone, Copy, Debug)]
enum Ask {
    Read,
    Write(i64),
    Cas(i64, i64),
    Census(usize),
}

/// What will come of an operation, as far as it is known when it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Done,
    Refused,
    /// Acknowledged, and without effect.
    Lost,
    /// The client will not know.
    Unknown,
}

/// An operation under way.
#[derive(Clone, Copy, Debug)]
struct Doing {
    ask: Ask,
    key: u32,
    call: u64,
    fate: Fate,
    /// What a read found, or what it will pretend to have found.
    found: Option<i64>,
    lie: Option<Lie>,
}

/// What happens at a moment. The order of variants decides nothing: moments also have a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// A client asks.
    Ask(u32),
    /// The operation of a client takes effect.
    Take(u32),
    /// A client is answered, or gives up.
    End(u32),
    /// The nodes are killed and come back, step by step.
    Kill(usize),
    /// A write takes effect after its client gave up: key, expected, new.
    Late(u32, Option<i64>, i64),
}

/// A client between and during its operations.
#[derive(Clone, Copy, Debug)]
struct Client {
    process: u64,
    doing: Option<Doing>,
    /// What it last read or wrote, which is what it will expect.
    believes: i64,
}

/// A key of the register.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    value: Option<i64>,
    written: i64,
}

/// A synthetic history, event by event. It begins after the header.
#[derive(Debug)]
pub struct Synthetic {
    recipe: Recipe,
    rng: Rng,
    moments: BinaryHeap<Reverse<(u64, u64, What)>>,
    moment_next: u64,
    clients: Vec<Client>,
    cells: Vec<Cell>,
    corrupter: Corrupter,
    index_next: u64,
    asked: u64,
    /// Clients that are done, because all operations were asked for.
    idle: u64,
    /// Whether all clients have been idle: from then on no write takes effect late.
    at_rest: bool,
    /// The next read of the census.
    census_next: u64,
    now: u64,
}

impl Synthetic {
    pub(super) fn new(recipe: Recipe) -> Synthetic {
        let clients = (0..recipe.clients).map(|process| Client {
            process,
            doing: None,
            believes: 0,
        });
        let mut synthetic = Synthetic {
            rng: Rng::stream(recipe.seed, "synthetic"),
            moments: BinaryHeap::new(),
            moment_next: 0,
            clients: clients.collect(),
            cells: vec![Cell::default(); recipe.keys as usize],
            corrupter: Corrupter::new(recipe.corruption, recipe.operations),
            index_next: 0,
            asked: 0,
            idle: 0,
            at_rest: false,
            census_next: 0,
            now: 0,
            recipe,
        };
        for client in 0..u32::try_from(recipe.clients).unwrap_or(u32::MAX) {
            let at = synthetic.rng.below(LENGTH_NS_SPREAD);
            synthetic.at(at, What::Ask(client));
        }
        synthetic
    }

    /// Index of the event in which the corruption shows, once it has: the completion of the read that lies, or finds too little.
    pub fn corrupted_at(&self) -> Option<u64> {
        self.corrupter.shown_at()
    }

    fn at(&mut self, time: u64, what: What) {
        self.moments.push(Reverse((time, self.moment_next, what)));
        self.moment_next += 1;
    }

    /// Operations that clients ask for while all are at work; a lost write keeps some for the end.
    fn crowd_operations(&self) -> u64 {
        match self.recipe.corruption {
            Corruption::LostWrite => self.recipe.operations.saturating_sub(LAST_ACT),
            _ => self.recipe.operations,
        }
    }

    fn ask(&mut self, client: u32) -> Option<Event> {
        if self.asked >= self.crowd_operations() {
            return self.ask_alone(client);
        }
        self.asked += 1;
        let key = u32::try_from(self.rng.below(self.recipe.keys.into())).unwrap_or(0);
        let ask = self.draw_ask(client, key);
        let mut fate = Fate::Done;
        if !matches!(ask, Ask::Read) {
            let die = self.rng.below(100);
            let unknown = self.recipe.info_percent;
            if die < unknown {
                fate = Fate::Unknown;
            } else if matches!(ask, Ask::Write(_)) && die < unknown + self.recipe.fail_percent {
                fate = Fate::Refused;
            }
        }
        let now = self.now;
        let lie = match ask {
            Ask::Read => self.corrupter.read_begins(self.asked, key, now),
            Ask::Write(value) => {
                let refused = fate == Fate::Refused;
                if self.corrupter.write_begins(self.asked, key, value, refused) {
                    fate = Fate::Refused;
                }
                None
            }
            _ => None,
        };
        Some(self.begin(client, ask, key, fate, lie))
    }

    /// The end of the history, when everybody else is done: a write that is lost between two reads, then the census.
    fn ask_alone(&mut self, client: u32) -> Option<Event> {
        self.idle += 1;
        if self.idle < self.recipe.clients {
            return None;
        }
        self.idle -= 1;
        self.at_rest = true;
        if self.asked < self.recipe.operations {
            self.asked += 1;
            let ask = match self.recipe.operations - self.asked {
                1 => self.write_next(0),
                0 => {
                    self.corrupter.shows(self.index_next + 1);
                    Ask::Read
                }
                _ => Ask::Read,
            };
            return Some(self.begin(client, ask, 0, Fate::Lost, None));
        }
        let replicas = NODES.len() as u64;
        let reads = u64::from(self.recipe.keys) * replicas;
        if !self.recipe.has_census() || self.census_next == reads {
            return None;
        }
        let key = u32::try_from(self.census_next / replicas).unwrap_or(0);
        let node = usize::try_from(self.census_next % replicas).unwrap_or(0);
        self.census_next += 1;
        Some(self.begin(client, Ask::Census(node), key, Fate::Done, None))
    }

    fn draw_ask(&mut self, client: u32, key: u32) -> Ask {
        let die = self.rng.below(100);
        if die < self.recipe.read_percent {
            return Ask::Read;
        }
        let write = self.write_next(key);
        match write {
            Ask::Write(new) if die < self.recipe.read_percent + self.recipe.cas_percent => {
                // Mostly what it believes, which is often out of date; sometimes what is true.
                let cell = self.cells[key as usize].value;
                let believed = self.clients[client as usize].believes;
                let expected = if self.rng.percent(50) { cell } else { None };
                Ask::Cas(expected.unwrap_or(believed), new)
            }
            _ => write,
        }
    }

    fn write_next(&mut self, key: u32) -> Ask {
        match self.recipe.values {
            Values::Unique => {
                let cell = &mut self.cells[key as usize];
                cell.written += 1;
                Ask::Write(cell.written)
            }
            Values::Small(values) => {
                Ask::Write(i64::try_from(self.rng.below(values.into())).unwrap_or(0))
            }
        }
    }

    fn begin(&mut self, client: u32, ask: Ask, key: u32, fate: Fate, lie: Option<Lie>) -> Event {
        let call = self.now;
        let mut length = LENGTH_NS_MIN + self.rng.below(LENGTH_NS_SPREAD);
        if self.rng.below(SLOW_ONE_IN) == 0 {
            length *= SLOW_FACTOR;
        }
        let end = call + length;
        let takes = call + self.rng.below(length);
        match (fate, ask) {
            (Fate::Refused, _) | (Fate::Lost, Ask::Write(_) | Ask::Cas(..)) => {}
            (Fate::Unknown, Ask::Write(_) | Ask::Cas(..)) => match self.rng.below(3) {
                0 => self.at(takes, What::Take(client)),
                1 => {
                    let late = end + self.rng.below(LATE_NS_MAX);
                    match ask {
                        Ask::Cas(expected, new) => {
                            self.at(late, What::Late(key, Some(expected), new));
                        }
                        Ask::Write(new) => self.at(late, What::Late(key, None, new)),
                        Ask::Read | Ask::Census(_) => {}
                    }
                }
                _ => {}
            },
            _ => self.at(takes, What::Take(client)),
        }
        self.at(end, What::End(client));
        let doing = Doing {
            ask,
            key,
            call,
            fate,
            found: None,
            lie,
        };
        self.clients[client as usize].doing = Some(doing);
        self.event(EventType::Invoke, client, &doing)
    }

    fn take(&mut self, client: u32) {
        let Some(doing) = &mut self.clients[client as usize].doing else {
            return;
        };
        let cell = &mut self.cells[doing.key as usize];
        match doing.ask {
            Ask::Read | Ask::Census(_) => doing.found = cell.value,
            Ask::Write(value) => {
                cell.value = Some(value);
                self.corrupter
                    .takes_effect(doing.key, value, Some(doing.call));
            }
            Ask::Cas(expected, new) => {
                if cell.value == Some(expected) {
                    cell.value = Some(new);
                } else if doing.fate == Fate::Done {
                    doing.fate = Fate::Refused;
                }
            }
        }
    }

    fn end(&mut self, client: u32) -> Event {
        let now = self.now;
        let Some(mut doing) = self.clients[client as usize].doing.take() else {
            // Only operations under way end.
            return self.blank(EventType::Info, Process::Nemesis, F::from("note"));
        };
        if let Some(lie) = doing.lie {
            self.corrupter.shows(self.index_next);
            doing.found = Some(match lie {
                Lie::Value(value) => value,
                Lie::NextWritten => self.cells[doing.key as usize].written + 1,
            });
        }
        match (doing.ask, doing.fate) {
            (Ask::Read, _) => self
                .corrupter
                .read_ends(doing.key, doing.found, doing.call, now),
            (Ask::Write(value), Fate::Done) => {
                self.corrupter.write_ends(doing.key, value, doing.call, now);
            }
            (Ask::Write(value), Fate::Refused) => {
                self.corrupter.refusal_ends(doing.key, value, now);
            }
            _ => {}
        }
        let kind = match doing.fate {
            Fate::Done | Fate::Lost => EventType::Ok,
            Fate::Refused => EventType::Fail,
            Fate::Unknown => EventType::Info,
        };
        let event = self.event(kind, client, &doing);
        let concurrency = self.recipe.clients;
        let gap = self.rng.below(GAP_NS_MAX);
        let known = &mut self.clients[client as usize];
        match doing.ask {
            Ask::Read => known.believes = doing.found.unwrap_or(0),
            Ask::Write(new) | Ask::Cas(_, new) if kind == EventType::Ok => known.believes = new,
            _ => {}
        }
        if kind == EventType::Info {
            known.process += concurrency;
        }
        let mut next = now + 1;
        if doing.fate == Fate::Lost && matches!(doing.ask, Ask::Write(_)) {
            for step in 0..KILL_STEPS.len() {
                self.at(next, What::Kill(step));
                next += GAP_NS_MAX;
            }
        }
        self.at(next + gap, What::Ask(client));
        event
    }

    fn event(&mut self, kind: EventType, client: u32, doing: &Doing) -> Event {
        let process = self.clients[client as usize].process;
        let f = match doing.ask {
            Ask::Read => F::Read,
            Ask::Write(_) => F::Write,
            Ask::Cas(..) => F::from("cas"),
            Ask::Census(_) => F::Census,
        };
        let mut event = self.blank(kind, Process::Client(process), f);
        event.key = Some(format!("k{}", doing.key));
        event.value = match doing.ask {
            Ask::Read | Ask::Census(_) => match doing.found {
                Some(value) if kind == EventType::Ok => Value::Int(value),
                _ => Value::Nil,
            },
            Ask::Write(value) => Value::Int(value),
            Ask::Cas(expected, new) => Value::Json(Box::new(vec![expected, new].into())),
        };
        event.error = match kind {
            EventType::Fail if matches!(doing.ask, Ask::Cas(..)) => {
                Some("another value".to_owned())
            }
            EventType::Fail => Some("refused".to_owned()),
            EventType::Info => Some("timed out".to_owned()),
            EventType::Invoke | EventType::Ok => None,
        };
        let node = match doing.ask {
            Ask::Census(node) => node,
            _ => client as usize % NODES.len(),
        };
        event.node = Some(NODES[node].to_owned());
        event
    }

    fn blank(&mut self, kind: EventType, process: Process, f: F) -> Event {
        let index = self.index_next;
        self.index_next += 1;
        Event {
            index,
            time: Nanos(self.now),
            kind,
            process,
            f,
            key: None,
            value: Value::Nil,
            context: None,
            error: None,
            node: None,
            level: None,
            evidence: None,
            extra: serde_json::Map::new(),
        }
    }
}

impl Iterator for Synthetic {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        while let Some(Reverse((time, _, what))) = self.moments.pop() {
            self.now = time;
            match what {
                What::Take(client) => self.take(client),
                What::Late(key, expected, new) => {
                    let cell = &mut self.cells[key as usize];
                    if !self.at_rest && (expected.is_none() || cell.value == expected) {
                        cell.value = Some(new);
                        self.corrupter.takes_effect(key, new, None);
                    }
                }
                What::Ask(client) => {
                    if let Some(event) = self.ask(client) {
                        return Some(event);
                    }
                }
                What::Kill(step) => {
                    let mut event = self.blank(EventType::Info, Process::Nemesis, F::from("kill"));
                    let body = json!({ "id": "f1", "step": KILL_STEPS[step], "nodes": NODES });
                    event.value = Value::Json(Box::new(body));
                    return Some(event);
                }
                What::End(client) => return Some(self.end(client)),
            }
        }
        None
    }
}
