//! A log as a model sees it: operations that the model knows, each with its key, its argument, its result and its span of time.

use std::collections::BTreeMap;

use super::error::{ModelError, models_that_fit};
use super::options::{ModelOptions, NilReads};
use crate::history::Status;
use crate::log::{Datum, InputFormat, Log, LogOperation, LogProcess};

/// A log, paired and ready to be judged.
pub(super) struct Subject<'a> {
    pub(super) log: &'a Log,
    pub(super) options: &'a ModelOptions,
    /// All operations of clients, in the order of their invocations.
    pub(super) operations: Vec<LogOperation>,
    /// Whether events are ordered by their times. Elsewhere the order of the events is that of one recorder, and says more than times.
    timed: bool,
    /// Whether all events have times, and in order.
    pub(super) has_times: bool,
    /// The process of each operation as a dense number.
    sessions: Vec<u32>,
}

/// What spans of time are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Nanoseconds.
    Ns,
    /// Events of the log.
    Events,
}

impl Unit {
    /// Its name in documents.
    pub(super) fn name(self) -> &'static str {
        match self {
            Unit::Ns => "ns",
            Unit::Events => "events",
        }
    }
}

/// A key, and the places of its operations.
pub(super) type KeyOperations = (Option<Datum>, Vec<usize>);

/// Operations of ours that read by-passing what a model asks about.
const READS_BESIDE: [&str; 1] = ["census"];

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
            has_times: ascend.is_some(),
            sessions: Vec::new(),
        };
        let sessions = subject.number_sessions();
        let subject = Subject {
            sessions,
            ..subject
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
        subject.refuse_unknown()?;
        Ok(subject)
    }

    /// Refuses operations that the model does not know, unless they failed or are known to change nothing: what others read may be theirs.
    fn refuse_unknown(&self) -> Result<(), ModelError> {
        let known = self.options.model.functions();
        let is_harmless = |f: &str| {
            known.contains(&f)
                || READS_BESIDE.contains(&f)
                || self.options.ignore.iter().any(|ignored| ignored == f)
        };
        let mut all = self.operations.iter();
        let unknown =
            all.find(|operation| operation.status != Status::Fail && !is_harmless(&operation.f));
        let Some(operation) = unknown else {
            return Ok(());
        };
        let all = self.functions();
        let asked: Vec<&str> = all
            .iter()
            .map(|(f, _)| *f)
            .filter(|f| known.contains(f) || !is_harmless(f))
            .collect();
        Err(ModelError::UnknownOperation {
            model: self.options.model,
            f: operation.f.to_string(),
            place: self.log.place(operation.invocation),
            hint: models_that_fit(&asked),
        })
    }

    /// The names of the operations, and how many there are of each.
    pub(super) fn functions(&self) -> Vec<(&str, u64)> {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for operation in &self.operations {
            *counts.entry(&operation.f).or_default() += 1;
        }
        counts.into_iter().collect()
    }

    fn number_sessions(&self) -> Vec<u32> {
        let mut known: BTreeMap<&LogProcess, u32> = BTreeMap::new();
        let all = self.operations.iter().map(|operation| {
            let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
            *known.entry(&operation.process).or_insert(next)
        });
        all.collect()
    }

    /// Whether a read of nil among these operations of a key returned what was there in the beginning. Where something was deleted,
    /// nobody can tell which nothing was read.
    pub(super) fn nil_is_initial(&self, places: &[usize]) -> bool {
        let is_delete = |place: &usize| &*self.operations[*place].f == "delete";
        self.options.nil_reads(self.log.format) == NilReads::Initial
            && !places.iter().any(is_delete)
    }

    /// The process of an operation as a dense number.
    pub(super) fn session(&self, place: usize) -> u32 {
        self.sessions.get(place).copied().unwrap_or(u32::MAX)
    }

    /// When an event was, ns; its position where times are missing or out of order.
    pub(super) fn time(&self, event: usize) -> u64 {
        match self.log.events.get(event).and_then(|event| event.time) {
            Some(time) if self.has_times => time,
            _ => event as u64,
        }
    }

    /// What spans of time are counted in.
    pub(super) fn unit(&self) -> Unit {
        if self.timed { Unit::Ns } else { Unit::Events }
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

    pub(super) fn bad_result(&self, operation: &LogOperation, wanted: &'static str) -> ModelError {
        let completion = operation.completion.unwrap_or(operation.invocation);
        ModelError::BadValue {
            place: self.log.place(completion),
            f: operation.f.to_string(),
            found: self.log.events[completion].value.to_string(),
            wanted,
        }
    }
}
