//! Events to operations: each completion joined with its invocation, process by process.
//!
//! Events of the nemesis stand apart: they are notes. An invocation without a completion is of unknown outcome, and so is one
//! that ended `info`; either may still take effect at any later time. What a value means is not known here.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::{LogError, Problem};
use super::event::{LogEventType, LogProcess};
use super::{Datum, Log};
use crate::history::Status;

/// An invocation joined with its completion.
#[derive(Clone, Debug, PartialEq)]
pub struct LogOperation {
    /// Who asked.
    pub process: LogProcess,
    /// What was asked.
    pub f: Arc<str>,
    /// Place of the invocation in [`Log::events`].
    pub invocation: usize,
    /// Place of the completion; none if the log ends before that.
    pub completion: Option<usize>,
    /// How it ended.
    pub status: Status,
}

impl LogOperation {
    /// With what it was asked. A completion that ended `ok` may say what the invocation left open.
    pub fn argument<'a>(&self, log: &'a Log) -> &'a Datum {
        match (log.value(Some(self.invocation)), self.status) {
            (Datum::Nil, Status::Ok) => self.result(log),
            (asked, _) => asked,
        }
    }

    /// What came of it; nothing if it did not complete.
    pub fn result<'a>(&self, log: &'a Log) -> &'a Datum {
        log.value(self.completion)
    }
}

impl Log {
    fn value(&self, event: Option<usize>) -> &Datum {
        let event = event.and_then(|event| self.events.get(event));
        event.map_or(&Datum::Nil, |event| &event.value)
    }

    /// The operations, in the order of their invocations.
    ///
    /// # Errors
    /// The first event that does not fit those before it: a second invocation, a completion of nothing or of something else.
    pub fn operations(&self) -> Result<Vec<LogOperation>, LogError> {
        let mut operations: Vec<LogOperation> = Vec::new();
        let mut open: BTreeMap<&LogProcess, usize> = BTreeMap::new();
        for (at, event) in self.events.iter().enumerate() {
            if event.process.is_nemesis() {
                continue;
            }
            let refuse = |problem| Err(LogError::new(self.place(at), problem));
            let process = || event.process.to_string();
            if event.kind == LogEventType::Invoke {
                if let Some(before) = open.insert(&event.process, operations.len()) {
                    let open = self.place(operations[before].invocation);
                    return refuse(Problem::DoubleInvoke {
                        process: process(),
                        open,
                    });
                }
                operations.push(LogOperation {
                    process: event.process.clone(),
                    f: Arc::clone(&event.f),
                    invocation: at,
                    completion: None,
                    status: Status::Info,
                });
                continue;
            }
            let Some(place) = open.remove(&event.process) else {
                let is_named = matches!(event.process, LogProcess::Named(_));
                if is_named && event.kind == LogEventType::Info {
                    // A note of a process that asks nothing, as the nemesis's are.
                    continue;
                }
                return refuse(Problem::NoInvocation { process: process() });
            };
            let operation = &mut operations[place];
            if !event.f.is_empty() && event.f != operation.f {
                let open = self.place(operation.invocation);
                let (found, invoked) = (event.f.to_string(), operation.f.to_string());
                return refuse(Problem::OtherOperation {
                    process: process(),
                    found,
                    invoked,
                    open,
                });
            }
            operation.completion = Some(at);
            operation.status = match event.kind {
                LogEventType::Ok => Status::Ok,
                LogEventType::Fail => Status::Fail,
                LogEventType::Info | LogEventType::Invoke => Status::Info,
            };
        }
        Ok(operations)
    }

    /// Gives completions that ended `fail` or `info` the value of their invocation, which existing checkers rely on. What they said
    /// instead becomes their error, if they had none.
    ///
    /// # Errors
    /// As [`Log::operations`].
    pub fn repeat_arguments(&mut self) -> Result<(), LogError> {
        for operation in self.operations()? {
            let Some(completion) = operation
                .completion
                .filter(|_| operation.status != Status::Ok)
            else {
                continue;
            };
            let asked = self.events[operation.invocation].value.clone();
            let event = &mut self.events[completion];
            let said = std::mem::replace(&mut event.value, asked);
            if event.error.is_nil() && said != event.value {
                event.error = said;
            }
        }
        Ok(())
    }

    /// Makes values of keyed operations `[key value]` from the field `key`, as Jepsen's independent tests have them.
    pub fn key_values(&mut self) {
        for event in &mut self.events {
            let is_key = |(name, _): &(Datum, Datum)| *name == Datum::keyword("key");
            if let Some(place) = event.extra.iter().position(is_key) {
                let (_, key) = event.extra.remove(place);
                let value = std::mem::take(&mut event.value);
                event.value = Datum::Vector(vec![key, value]);
            }
        }
    }
}
