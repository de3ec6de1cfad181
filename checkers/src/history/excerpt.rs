//! Part of a history, as a history: the chosen operations with every nemesis line, numbered anew.
//!
//! Times and processes stay as they were, so that `check` sees in the excerpt what it saw in the whole. It does not
//! choose the operations: a witness does.

use super::event::{Event, EventType, Process, Value};
use super::operation::{Function, History, Operation, Status};

impl History {
    /// The lines of an excerpt: the header, the operations at these places in [`History::operations`], and all
    /// nemesis lines. Places that do not exist are passed over.
    pub fn excerpt(&self, operations: &[usize]) -> Vec<u8> {
        let mut out = Vec::new();
        self.header.to_line(&mut out);
        for event in self.excerpt_events(operations) {
            event.to_line(&mut out);
        }
        out
    }

    /// The events of an excerpt, numbered from 0.
    pub fn excerpt_events(&self, operations: &[usize]) -> Vec<Event> {
        let mut chosen = operations.to_vec();
        chosen.sort_unstable();
        chosen.dedup();
        let mut events = self.nemesis.clone();
        for operation in chosen.iter().filter_map(|&at| self.operations.get(at)) {
            events.push(self.invocation(operation));
            events.extend(self.completion(operation));
        }
        events.sort_by_key(|event| event.index);
        for (index, event) in (0..).zip(&mut events) {
            event.index = index;
        }
        events
    }

    fn invocation(&self, operation: &Operation) -> Event {
        let written = operation.f == Function::Write;
        Event {
            index: operation.invoke_index(),
            time: operation.call,
            kind: EventType::Invoke,
            process: Process::Client(operation.process),
            f: operation.f.into(),
            key: Some(self.key_name(operation.key).to_owned()),
            value: if written {
                operation.value.clone()
            } else {
                Value::Nil
            },
            context: operation.context().map(<[Value]>::to_vec),
            error: None,
            node: operation.node().map(|node| self.node_name(node).to_owned()),
            level: operation.level(),
            evidence: None,
            extra: serde_json::Map::new(),
        }
    }

    fn completion(&self, operation: &Operation) -> Option<Event> {
        let kind = match operation.status {
            Status::Ok => EventType::Ok,
            Status::Fail => EventType::Fail,
            Status::Info => EventType::Info,
        };
        Some(Event {
            index: operation.complete_index()?,
            time: operation.completed()?,
            kind,
            value: operation.value.clone(),
            context: None,
            error: operation.error().map(str::to_owned),
            evidence: operation.evidence(),
            ..self.invocation(operation)
        })
    }
}
