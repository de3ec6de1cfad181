//! Lines to operations: pairs each completion with its invocation and refuses what cannot be a history.
//!
//! One pass, one event at a time, so that a file of any length needs memory only for what it tells. It knows nothing of
//! JSON; the codec feeds it.

use std::collections::BTreeMap;

use super::error::HistoryError;
use super::event::{Event, EventType, F, Process, Value};
use super::header::Header;
use super::names::Places;
use super::operation::{Function, History, KeyId, LINES_MAX, NodeIndex, Operation, Status};
use super::windows::Windows;

/// Lines before the first event: the header.
const LINES_BEFORE_EVENTS: u64 = 2;

/// The line of an event, counting from 1.
pub(super) fn line_of(index: u64) -> u64 {
    index.saturating_add(LINES_BEFORE_EVENTS)
}

/// What a process is doing.
enum Doing {
    /// An operation at this place in [`History::operations`].
    Operation(usize),
    /// Another tool's operation, invoked at this index.
    Foreign(u64, F, Option<String>),
    /// Nothing any more: an operation of unknown outcome ended at this index.
    Gone(u64),
}

/// Builds a [`History`] from events in the order of the file.
pub(super) struct Pairing {
    history: History,
    keys: Places,
    nodes: Places,
    processes: BTreeMap<u64, Doing>,
    windows: Windows,
    index_next: u64,
}

impl Pairing {
    pub(super) fn new(header: Header) -> Pairing {
        let history = History::new(header);
        let nodes = Places::of(&history.nodes);
        Pairing {
            keys: Places::of(&history.keys),
            history,
            nodes,
            processes: BTreeMap::new(),
            windows: Windows::default(),
            index_next: 0,
        }
    }

    /// The index that the next event must have.
    pub(super) fn index_next(&self) -> u64 {
        self.index_next
    }

    pub(super) fn push(&mut self, event: Event) -> Result<(), HistoryError> {
        let line = line_of(self.index_next);
        self.check_order(&event, line)?;
        self.index_next += 1;
        self.history.end = event.time;
        match (event.process, event.kind) {
            (Process::Nemesis, EventType::Info) => self.nemesis(event, line),
            (Process::Nemesis, _) => Err(HistoryError::Nemesis {
                line,
                why: "its type is not info: nemesis lines are notes, and always info".to_owned(),
            }),
            (Process::Client(process), EventType::Invoke) => self.invoke(process, event, line),
            (Process::Client(process), EventType::Ok) => {
                self.complete(process, event, line, Status::Ok)
            }
            (Process::Client(process), EventType::Fail) => {
                self.complete(process, event, line, Status::Fail)
            }
            (Process::Client(process), EventType::Info) => {
                self.complete(process, event, line, Status::Info)
            }
        }
    }

    pub(super) fn finish(mut self, torn_tail: bool) -> History {
        self.history.faults = self.windows.into_faults();
        self.history.torn_tail = torn_tail;
        self.history
    }

    fn check_order(&self, event: &Event, line: u64) -> Result<(), HistoryError> {
        let (index, expected) = (event.index, self.index_next);
        if index < expected {
            return Err(HistoryError::IndexDuplicate {
                line,
                index,
                expected,
            });
        }
        if index > expected {
            return Err(HistoryError::IndexMissing {
                line,
                index,
                expected,
            });
        }
        if event.time < self.history.end {
            let (time, before) = (event.time.0, self.history.end.0);
            return Err(HistoryError::TimeBackwards { line, time, before });
        }
        Ok(())
    }

    fn nemesis(&mut self, event: Event, line: u64) -> Result<(), HistoryError> {
        let explain = |why| HistoryError::Nemesis { line, why };
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

    fn invoke(&mut self, process: u64, event: Event, line: u64) -> Result<(), HistoryError> {
        match self.processes.get(&process) {
            Some(Doing::Gone(at)) => {
                let info_line = line_of(*at);
                return Err(HistoryError::AfterInfo {
                    line,
                    process,
                    info_line,
                });
            }
            Some(Doing::Operation(at)) => {
                let open_line = line_of(self.history.operations[*at].invoke_index());
                return Err(HistoryError::DoubleInvoke {
                    line,
                    process,
                    open_line,
                });
            }
            Some(Doing::Foreign(at, ..)) => {
                let open_line = line_of(*at);
                return Err(HistoryError::DoubleInvoke {
                    line,
                    process,
                    open_line,
                });
            }
            None => {}
        }
        let Some(f) = Function::of(&event.f) else {
            let doing = Doing::Foreign(event.index, event.f, event.key);
            self.processes.insert(process, doing);
            self.history.foreign_operations += 1;
            return Ok(());
        };
        let Some(key) = event.key else {
            return Err(HistoryError::KeyMissing {
                line,
                f: event.f.as_str().to_owned(),
            });
        };
        let key = KeyId(intern(&mut self.keys, &mut self.history.keys, key, line)?);
        let node = self.node(event.node, line)?;
        let index = narrow(event.index, line)?;
        let mut operation = Operation::invoked(process, f, key, event.time, index);
        if f == Function::Write {
            operation.value = event.value;
        }
        operation.set_node(node);
        operation.set_level(event.level);
        operation.set_evidence(event.evidence.as_deref());
        self.processes
            .insert(process, Doing::Operation(self.history.operations.len()));
        self.history.operations.push(operation);
        Ok(())
    }

    fn complete(
        &mut self,
        process: u64,
        event: Event,
        line: u64,
        status: Status,
    ) -> Result<(), HistoryError> {
        let after = (status == Status::Info).then_some(Doing::Gone(event.index));
        match self.processes.remove(&process) {
            None => return Err(HistoryError::NoInvocation { line, process }),
            Some(Doing::Gone(at)) => {
                let info_line = line_of(at);
                return Err(HistoryError::AfterInfo {
                    line,
                    process,
                    info_line,
                });
            }
            Some(Doing::Foreign(at, f, key)) => {
                let what = if f == event.f { "key" } else { "f" };
                if f != event.f || (event.key.is_some() && event.key != key) {
                    let open_line = line_of(at);
                    return Err(HistoryError::Mismatch {
                        line,
                        process,
                        what,
                        open_line,
                    });
                }
            }
            Some(Doing::Operation(at)) => self.close(at, event, line, status)?,
        }
        if let Some(gone) = after {
            self.processes.insert(process, gone);
        }
        Ok(())
    }

    fn close(
        &mut self,
        at: usize,
        event: Event,
        line: u64,
        status: Status,
    ) -> Result<(), HistoryError> {
        let node = self.node(event.node, line)?;
        let index = narrow(event.index, line)?;
        let operation = &mut self.history.operations[at];
        let differs = |what| HistoryError::Mismatch {
            line,
            process: operation.process,
            what,
            open_line: line_of(operation.invoke_index()),
        };
        if Function::of(&event.f) != Some(operation.f) {
            return Err(differs("f"));
        }
        let key_invoked = self.history.keys.get(operation.key.0 as usize);
        if event.key.is_none() || event.key.as_ref() != key_invoked {
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
        operation.set_node(node.or(operation.node()));
        operation.set_level(event.level.or(operation.level()));
        operation.set_error(event.error.as_deref());
        if let Some(evidence) = &event.evidence {
            operation.set_evidence(Some(evidence));
        }
        Ok(())
    }

    fn node(&mut self, name: Option<String>, line: u64) -> Result<Option<NodeIndex>, HistoryError> {
        let Some(name) = name else { return Ok(None) };
        let index = intern(&mut self.nodes, &mut self.history.nodes, name, line)?;
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
    name: String,
    line: u64,
) -> Result<u32, HistoryError> {
    let limit = u32::MAX;
    places
        .intern(names, name)
        .ok_or(HistoryError::TooManyNames { line, limit })
}

/// An index as an operation keeps it.
fn narrow(index: u64, line: u64) -> Result<u32, HistoryError> {
    let limit = LINES_MAX;
    u32::try_from(index)
        .ok()
        .filter(|&index| index < limit)
        .ok_or(HistoryError::TooManyLines { line, limit })
}
