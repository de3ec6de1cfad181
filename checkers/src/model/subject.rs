//! A log as a model sees it: operations that the model knows, each with its key, its argument, its result and its span of time.

use std::collections::BTreeMap;

use super::error::{ModelError, models_that_fit};
use super::options::ModelOptions;
use crate::explain::Named;
use crate::explain::words::moment;
use crate::history::{Nanos, Status};
use crate::log::{Datum, InputFormat, Log, LogOperation};

/// A log, paired and ready to be judged.
pub(super) struct Subject<'a> {
    pub(super) log: &'a Log,
    pub(super) options: &'a ModelOptions,
    /// All operations of clients, in the order of their invocations.
    pub(super) operations: Vec<LogOperation>,
    /// Whether events are ordered by their times. Elsewhere the order of the events is that of one recorder, and says more than times.
    timed: bool,
}

/// A key, and the places of its operations.
pub(super) type KeyOperations = (Option<Datum>, Vec<usize>);

/// Later than every real time.
const NEVER: u64 = u64::MAX;

static NIL: Datum = Datum::Nil;

impl<'a> Subject<'a> {
    pub(super) fn of(log: &'a Log, options: &'a ModelOptions) -> Result<Subject<'a>, ModelError> {
        let operations = log.operations()?;
        let mut times = log.events.iter().map(|event| event.time);
        let ascend = times.try_fold(0, |before, time| time.filter(|time| *time >= before));
        let subject = Subject {
            log,
            options,
            operations,
            timed: log.format == InputFormat::Quorate && ascend.is_some(),
        };
        let known = options.model.functions();
        if !subject
            .operations
            .iter()
            .any(|operation| known.contains(&&*operation.f))
        {
            let seen = subject.functions();
            let seen: Vec<&str> = seen.iter().map(|(f, _)| *f).collect();
            let hint = models_that_fit(&seen);
            let seen = if seen.is_empty() {
                "no operations".to_owned()
            } else {
                seen.join(", ")
            };
            return Err(ModelError::NothingFits {
                model: options.model,
                seen,
                hint,
            });
        }
        Ok(subject)
    }

    /// The names of the operations, and how many there are of each.
    pub(super) fn functions(&self) -> Vec<(&str, u64)> {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for operation in &self.operations {
            *counts.entry(&operation.f).or_default() += 1;
        }
        counts.into_iter().collect()
    }

    fn clock(&self, event: usize) -> u64 {
        match self.log.events.get(event).and_then(|event| event.time) {
            Some(time) if self.timed => time,
            _ => event as u64,
        }
    }

    /// When an operation was invoked.
    pub(super) fn call(&self, operation: &LogOperation) -> u64 {
        self.clock(operation.invocation)
    }

    /// When an operation completed; never if its outcome is unknown.
    pub(super) fn ret(&self, operation: &LogOperation) -> u64 {
        match (operation.status, operation.completion) {
            (Status::Ok | Status::Fail, Some(completion)) => self.clock(completion),
            _ => NEVER,
        }
    }

    /// Places of the operations that the model knows, by key, in the order in which keys are first met. Without keys there is one.
    pub(super) fn keys(&self) -> Result<Vec<KeyOperations>, ModelError> {
        let mut places: BTreeMap<Option<Datum>, usize> = BTreeMap::new();
        let mut keys: Vec<KeyOperations> = Vec::new();
        for (place, operation) in self.operations.iter().enumerate() {
            if !self.options.model.functions().contains(&&*operation.f) {
                continue;
            }
            let key = self.key(operation)?.map(Datum::canonical);
            let at = *places.entry(key).or_insert_with_key(|key| {
                keys.push((key.clone(), Vec::new()));
                keys.len() - 1
            });
            keys[at].1.push(place);
        }
        Ok(keys)
    }

    /// The key of an operation: of its value if values are keyed, else its field `key`.
    pub(super) fn key(&self, operation: &LogOperation) -> Result<Option<&Datum>, ModelError> {
        let event = &self.log.events[operation.invocation];
        if !self.options.keyed {
            return Ok(event.extra("key"));
        }
        match event.value.pair() {
            Some((key, _)) => Ok(Some(key)),
            None => Err(self.bad_value(
                operation,
                "with keyed values each is [key value]: judge without --keyed, or correct it",
            )),
        }
    }

    /// With what an operation was asked.
    pub(super) fn argument(&self, operation: &LogOperation) -> &Datum {
        let asked = self.unkeyed(&self.log.events[operation.invocation].value);
        if asked.is_nil() && operation.status == Status::Ok {
            return self.result(operation);
        }
        asked
    }

    /// What came of an operation.
    pub(super) fn result(&self, operation: &LogOperation) -> &Datum {
        self.unkeyed(operation.result(self.log))
    }

    fn unkeyed<'d>(&self, value: &'d Datum) -> &'d Datum {
        match value.pair() {
            _ if !self.options.keyed => value,
            Some((_, value)) => value,
            None => &NIL,
        }
    }

    pub(super) fn bad_value(&self, operation: &LogOperation, wanted: &'static str) -> ModelError {
        ModelError::BadValue {
            place: self.log.place(operation.invocation),
            f: operation.f.to_string(),
            found: self.log.events[operation.invocation].value.to_string(),
            wanted,
        }
    }

    /// An operation under a letter: what was done, by whom, when, and how it ended.
    pub(super) fn named(&self, letter: char, place: usize) -> Option<Named> {
        let operation = self.operations.get(place)?;
        let key = self.key(operation).ok().flatten();
        let what = self.told(operation, key);
        let end = match operation.completion {
            Some(completion) => format!("to {}", self.moment(completion)),
            None => "and then no answer".to_owned(),
        };
        let is_read = operation.f.starts_with("read");
        let ended = match operation.status {
            Status::Ok if is_read => String::new(),
            Status::Ok => "acknowledged".to_owned(),
            Status::Fail => self.reasoned("failed", operation),
            Status::Info => self.reasoned("outcome unknown", operation),
        };
        let when = format!("{} {end}", self.moment(operation.invocation));
        let who = format!("process {}", operation.process);
        Some(Named {
            letter,
            columns: [what, who, when, ended],
        })
    }

    fn told(&self, operation: &LogOperation, key: Option<&Datum>) -> String {
        let f = &operation.f;
        let key = key.map_or_else(String::new, |key| format!(" {}", key.plain()));
        match (&**f, operation.status) {
            ("read", Status::Ok) => format!("{f}{key} -> {}", self.result(operation)),
            ("read" | "delete", _) => format!("{f}{key}"),
            ("cas", _) => match self.argument(operation).pair() {
                Some((expected, new)) => format!("{f}{key} {expected} -> {new}"),
                None => format!("{f}{key} {}", self.argument(operation)),
            },
            _ if key.is_empty() => format!("{f} {}", self.argument(operation)),
            _ => format!("{f}{key} = {}", self.argument(operation)),
        }
    }

    /// When an event was: its time, or its number if it has none.
    fn moment(&self, event: usize) -> String {
        let Some(event) = self.log.events.get(event) else {
            return "never".to_owned();
        };
        match event.time {
            Some(time) => moment(Nanos(time)),
            None => format!("event {}", event.index.unwrap_or_default()),
        }
    }

    fn reasoned(&self, word: &str, operation: &LogOperation) -> String {
        let completion = operation
            .completion
            .and_then(|event| self.log.events.get(event));
        match completion.map(|event| &event.error) {
            None | Some(Datum::Nil) => word.to_owned(),
            Some(error) => format!("{word}: {}", error.plain()),
        }
    }
}
