//! Lines to operations: pairs each completion with its invocation and refuses what cannot be a history.
//!
//! One pass, one event at a time, so that a file of any length needs memory only for what it tells. It knows nothing of
//! JSON; the codec feeds it.

use std::collections::BTreeMap;

use super::codec::Line;
use super::error::HistoryError;
use super::event::{Event, EventType, F, Nanos, Process, Value};
use super::header::Header;
use super::names::Places;
use super::operation::{Function, History, KeyId, LINES_MAX, NodeIndex, Operation, Status};
use super::windows::Windows;
use crate::log::Place;

/// Lines before the first event: the header.
const LINES_BEFORE_EVENTS: u64 = 2;

/// The line of an event, counting from 1.
pub(crate) fn line_of(index: u64) -> u64 {
    index.saturating_add(LINES_BEFORE_EVENTS)
}

/// The beginning of that line; the column is known to those who have its text.
pub(crate) fn place_of(index: u64) -> Place {
    Place {
        line: line_of(index),
        column: 1,
    }
}

/// Processes below this are found by their number, others in a tree. A client takes a new number only after an operation of
/// unknown outcome, so real histories stay below.
const DENSE_PROCESSES: u64 = 1 << 20;

/// What a process is doing. Places are 32 bits wide, as those of lines are.
#[derive(Clone, Copy, Default)]
enum Doing {
    #[default]
    Nothing,
    /// An operation at this place in [`History::operations`].
    Operation(u32),
    /// Another tool's operation, invoked at this index.
    Foreign(u32),
    /// Nothing any more: an operation of unknown outcome ended at this index.
    Gone(u32),
}

/// What each process is doing.
#[derive(Default)]
struct Processes {
    dense: Vec<Doing>,
    sparse: BTreeMap<u64, Doing>,
}

impl Processes {
    fn get(&mut self, process: u64) -> &mut Doing {
        if process >= DENSE_PROCESSES {
            return self.sparse.entry(process).or_default();
        }
        let place = usize::try_from(process).unwrap_or(0);
        if place >= self.dense.len() {
            self.dense.resize(place + 1, Doing::Nothing);
        }
        &mut self.dense[place]
    }
}

/// Builds a [`History`] from events in the order of the file.
pub(crate) struct Pairing {
    history: History,
    keys: Places,
    nodes: Places,
    processes: Processes,
    /// What the foreign operations are that are open, by process.
    foreign: BTreeMap<u64, (F, Option<String>)>,
    windows: Windows,
    index_next: u64,
}

impl Pairing {
    pub(crate) fn new(header: Header) -> Pairing {
        let history = History::new(header);
        let nodes = Places::of(&history.nodes);
        Pairing {
            keys: Places::of(&history.keys),
            history,
            nodes,
            processes: Processes::default(),
            foreign: BTreeMap::new(),
            windows: Windows::default(),
            index_next: 0,
        }
    }

    /// The index that the next event must have.
    pub(crate) fn index_next(&self) -> u64 {
        self.index_next
    }

    pub(crate) fn push(&mut self, event: Event) -> Result<(), HistoryError> {
        let claims = event.evidence.as_ref().map(|evidence| evidence.to_text());
        if let Some(line) = Line::of(&event, claims.as_deref()) {
            return self.push_line(line);
        }
        let (place, index) = self.admit(event.index, event.time)?;
        match (event.process, event.kind) {
            (Process::Nemesis, EventType::Info) => self.nemesis(event, place),
            (Process::Nemesis, _) => Err(HistoryError::Nemesis {
                place,
                field: "type",
                why: "its type is not info: nemesis lines are notes, and always info".to_owned(),
            }),
            (Process::Client(process), EventType::Invoke) => {
                self.check_idle(process, place)?;
                *self.processes.get(process) = Doing::Foreign(index);
                // What only looks changes no key.
                let is_harmless = event.f == F::Inspect;
                self.history.foreign_operations += u64::from(!is_harmless);
                match &event.key {
                    _ if is_harmless => {}
                    Some(name) => {
                        let key = intern(&mut self.keys, &mut self.history.keys, name, place)?;
                        self.history.foreign_keys.push(KeyId(key));
                    }
                    None => self.history.foreign_anywhere = true,
                }
                self.foreign.insert(process, (event.f, event.key));
                Ok(())
            }
            (Process::Client(process), kind) => self.close_foreign(process, kind, &event, place),
        }
    }

    /// Takes a line about an operation of a client.
    pub(super) fn push_line(&mut self, event: Line<'_>) -> Result<(), HistoryError> {
        let (place, index) = self.admit(event.index, event.time)?;
        let status = match event.kind {
            EventType::Invoke => return self.invoke(event, place, index),
            EventType::Ok => Status::Ok,
            EventType::Fail => Status::Fail,
            EventType::Info => Status::Info,
        };
        self.complete(event, place, index, status)
    }

    pub(super) fn finish(mut self, torn_tail: bool) -> History {
        self.history.faults = self.windows.into_faults();
        self.history.torn_tail = torn_tail;
        self.history.foreign_keys.sort_unstable();
        self.history.foreign_keys.dedup();
        self.history
    }

    /// Whether this may be the next event; its place, and its index as operations keep it.
    fn admit(&mut self, index: u64, time: Nanos) -> Result<(Place, u32), HistoryError> {
        let expected = self.index_next;
        let place = place_of(expected);
        if index < expected {
            return Err(HistoryError::IndexDuplicate {
                place,
                index,
                expected,
            });
        }
        if index > expected {
            return Err(HistoryError::IndexMissing {
                place,
                index,
                expected,
            });
        }
        if time < self.history.end {
            let (time, before) = (time.0, self.history.end.0);
            return Err(HistoryError::TimeBackwards {
                place,
                time,
                before,
            });
        }
        let limit = LINES_MAX;
        let narrow = u32::try_from(index).ok().filter(|&index| index < limit);
        let narrow = narrow.ok_or(HistoryError::TooManyLines { place, limit })?;
        self.index_next += 1;
        self.history.end = time;
        Ok((place, narrow))
    }

    fn nemesis(&mut self, event: Event, place: Place) -> Result<(), HistoryError> {
        let explain = |why| HistoryError::Nemesis {
            place,
            field: "value",
            why,
        };
        if event.f == F::Phase {
            let Value::Json(name) = &event.value else {
                return Err(explain(
                    "a phase without a name: give it as `value`".to_owned(),
                ));
            };
            let name = name.as_str().ok_or_else(|| {
                explain("the name of a phase is not a string: give it as `value`".to_owned())
            })?;
            self.history.phases.push((event.time, name.to_owned()));
        } else {
            self.windows.tell(&event).map_err(explain)?;
        }
        self.history.nemesis.push(event);
        Ok(())
    }

    /// Refuses an invocation of a process that is not free.
    fn check_idle(&mut self, process: u64, place: Place) -> Result<(), HistoryError> {
        let open = match *self.processes.get(process) {
            Doing::Nothing => return Ok(()),
            Doing::Gone(at) => {
                let info_line = line_of(u64::from(at));
                return Err(HistoryError::AfterInfo {
                    place,
                    process,
                    info_line,
                });
            }
            Doing::Operation(at) => self.history.operations[at as usize].invoke_index(),
            Doing::Foreign(at) => u64::from(at),
        };
        Err(HistoryError::DoubleInvoke {
            place,
            process,
            open_line: line_of(open),
        })
    }

    fn invoke(&mut self, event: Line<'_>, place: Place, index: u32) -> Result<(), HistoryError> {
        let process = event.process;
        self.check_idle(process, place)?;
        let Some(key) = event.key else {
            return Err(HistoryError::KeyMissing {
                place,
                f: F::from(event.f).as_str().to_owned(),
            });
        };
        let key = KeyId(intern(&mut self.keys, &mut self.history.keys, key, place)?);
        let mut operation = Operation::invoked(process, event.f, key, event.time, index);
        if event.f == Function::Write {
            operation.value = event.value;
        }
        if operation.is_write() {
            operation.set_context(event.context);
        }
        operation.set_node(self.node(event.node, place)?);
        operation.set_level(event.level);
        if let Some(claims) = event.claims {
            operation.set_claims(Some(claims.into()));
        }
        // There are no more operations than lines.
        let place = u32::try_from(self.history.operations.len()).unwrap_or(index);
        *self.processes.get(process) = Doing::Operation(place);
        self.history.operations.push(operation);
        Ok(())
    }

    fn complete(
        &mut self,
        event: Line<'_>,
        place: Place,
        index: u32,
        status: Status,
    ) -> Result<(), HistoryError> {
        let process = event.process;
        let doing = self.processes.get(process);
        let after = match status {
            Status::Info => Doing::Gone(index),
            Status::Ok | Status::Fail => Doing::Nothing,
        };
        match std::mem::replace(doing, after) {
            Doing::Operation(at) => self.close(at, event, place, index, status),
            Doing::Foreign(at) => Err(HistoryError::Mismatch {
                place,
                process,
                what: "f",
                open_line: line_of(u64::from(at)),
            }),
            idle => Err(completes_nothing(idle, process, place)),
        }
    }

    fn close(
        &mut self,
        at: u32,
        event: Line<'_>,
        place: Place,
        index: u32,
        status: Status,
    ) -> Result<(), HistoryError> {
        let node = self.node(event.node, place)?;
        let operation = &mut self.history.operations[at as usize];
        let differs = |what| HistoryError::Mismatch {
            place,
            process: operation.process,
            what,
            open_line: line_of(operation.invoke_index()),
        };
        if event.f != operation.f {
            return Err(differs("f"));
        }
        let key_invoked = self.history.keys.get(operation.key.0 as usize);
        if event.key.is_none() || event.key != key_invoked.map(String::as_str) {
            return Err(differs("key"));
        }
        match (operation.f, status) {
            (Function::Read | Function::Census, Status::Ok) => operation.value = event.value,
            // A reply need not repeat what was written, but must not contradict it.
            (Function::Write, _) if event.value != Value::Nil && event.value != operation.value => {
                return Err(differs("value"));
            }
            _ => {}
        }
        operation.complete(status, event.time, index);
        if node.is_some() {
            operation.set_node(node);
        }
        if event.level.is_some() {
            operation.set_level(event.level);
        }
        if event.error.is_some() {
            operation.set_error(event.error);
        }
        if let Some(claims) = event.claims {
            operation.set_claims(Some(claims.into()));
        }
        Ok(())
    }

    /// The end of another tool's operation, or of one of ours by another tool's word.
    fn close_foreign(
        &mut self,
        process: u64,
        kind: EventType,
        event: &Event,
        place: Place,
    ) -> Result<(), HistoryError> {
        let after = match kind {
            EventType::Info => Doing::Gone(u32::try_from(event.index).unwrap_or(LINES_MAX)),
            _ => Doing::Nothing,
        };
        let doing = std::mem::replace(self.processes.get(process), after);
        let (what, open) = match doing {
            Doing::Foreign(at) => {
                let (f, key) = self.foreign.remove(&process).unwrap_or((F::Phase, None));
                let same_key = event.key.is_none() || event.key == key;
                match (f == event.f, same_key) {
                    (true, true) => return Ok(()),
                    (true, false) => ("key", u64::from(at)),
                    (false, _) => ("f", u64::from(at)),
                }
            }
            Doing::Operation(at) => ("f", self.history.operations[at as usize].invoke_index()),
            idle => return Err(completes_nothing(idle, process, place)),
        };
        Err(HistoryError::Mismatch {
            place,
            process,
            what,
            open_line: line_of(open),
        })
    }

    fn node(
        &mut self,
        name: Option<&str>,
        place: Place,
    ) -> Result<Option<NodeIndex>, HistoryError> {
        let Some(name) = name else { return Ok(None) };
        let index = intern(&mut self.nodes, &mut self.history.nodes, name, place)?;
        Ok(Some(NodeIndex(index)))
    }
}

impl History {
    /// Pairs events into a history. They must be numbered densely from 0.
    ///
    /// # Errors
    /// The same as [`History::parse`], for the lines that the events would have in a file.
    pub fn from_events(header: Header, events: Vec<Event>) -> Result<History, HistoryError> {
        header.check()?;
        let mut pairing = Pairing::new(header);
        for event in events {
            pairing.push(event)?;
        }
        Ok(pairing.finish(false))
    }
}

/// The number of a name, new or old.
fn intern(
    places: &mut Places,
    names: &mut Vec<String>,
    name: &str,
    place: Place,
) -> Result<u32, HistoryError> {
    let limit = u32::MAX;
    places
        .intern(names, name)
        .ok_or(HistoryError::TooManyNames { place, limit })
}

/// Why a process that is not doing anything cannot complete.
fn completes_nothing(idle: Doing, process: u64, place: Place) -> HistoryError {
    match idle {
        Doing::Gone(at) => HistoryError::AfterInfo {
            place,
            process,
            info_line: line_of(u64::from(at)),
        },
        _ => HistoryError::NoInvocation { place, process },
    }
}
