//! Operations and violations of a log in words: the lines under *Let*, and what a judge has to say about them.

use super::report::ModelAnomaly;
use super::subject::Subject;
use crate::explain::words::moment;
use crate::explain::{Explanation, Named};
use crate::history::{Nanos, Status};
use crate::log::{Datum, LogOperation};
use crate::tale::Tale;

/// Elements of a collection that are shown; of larger ones only their number is.
const ELEMENTS_SHOWN_MAX: usize = 12;

impl Subject<'_> {
    /// A violation in words, with the operations that it names.
    pub(super) fn anomaly(&self, name: &str, key: Option<&Datum>, tale: Tale) -> ModelAnomaly {
        let title = name.replace('-', " ").to_uppercase();
        let title = match key {
            Some(key) => format!("{title}  key {}", key.plain()),
            None => title,
        };
        let lets = tale.lets.iter().enumerate();
        let lets = lets.filter_map(|(position, &place)| self.named(Tale::letter(position), place));
        let index = |place: &usize| {
            let operation = self.operations.get(*place)?;
            self.log.events[operation.invocation].index
        };
        ModelAnomaly {
            name: name.to_owned(),
            witness: tale.lets.iter().filter_map(index).collect(),
            explanation: Explanation {
                title,
                lets: lets.collect(),
                then: tale.then,
                however: tale.however,
                why: Vec::new(),
            },
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
            ("read", Status::Ok) => format!("{f}{key} -> {}", shown(self.result(operation))),
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

/// A value, unless it is too large to be read.
fn shown(value: &Datum) -> String {
    match value.elements() {
        Some(elements) if elements.len() > ELEMENTS_SHOWN_MAX => {
            format!("{} elements", elements.len())
        }
        _ => value.to_string(),
    }
}
