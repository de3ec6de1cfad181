//! One event of a log, and how it is put together from the fields that a format names.
//!
//! It checks each field alone. Whether events fit together is checked in `pairing.rs`.

use std::fmt;
use std::sync::Arc;

use super::datum::{Datum, named};
use super::error::Problem;

/// What kind of event it is (`:type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogEventType {
    /// A process asked.
    Invoke,
    /// It happened.
    Ok,
    /// It certainly did not happen.
    Fail,
    /// Unknown; also every event of the nemesis.
    Info,
}

impl LogEventType {
    /// The word in files.
    pub fn as_str(self) -> &'static str {
        match self {
            LogEventType::Invoke => "invoke",
            LogEventType::Ok => "ok",
            LogEventType::Fail => "fail",
            LogEventType::Info => "info",
        }
    }

    fn from_word(word: &str) -> Option<LogEventType> {
        Some(match word {
            "invoke" => LogEventType::Invoke,
            "ok" => LogEventType::Ok,
            "fail" => LogEventType::Fail,
            "info" => LogEventType::Info,
            _ => return None,
        })
    }
}

/// Who did it (`:process`).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogProcess {
    /// The log does not say: all such events are of one process.
    #[default]
    Missing,
    /// A client by its number.
    Numbered(i64),
    /// A client by its name, or the nemesis.
    Named(Arc<str>),
}

impl LogProcess {
    /// The name of the process that makes faults.
    pub const NEMESIS: &'static str = "nemesis";

    /// Whether it makes faults instead of asking the store.
    pub fn is_nemesis(&self) -> bool {
        matches!(self, LogProcess::Named(name) if &**name == LogProcess::NEMESIS)
    }
}

impl fmt::Display for LogProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogProcess::Missing => f.write_str("(none)"),
            LogProcess::Numbered(number) => write!(f, "{number}"),
            LogProcess::Named(name) => f.write_str(name),
        }
    }
}

/// One event. Arguments are in the value of the invocation, results in the value of the completion.
#[derive(Clone, Debug, PartialEq)]
pub struct LogEvent {
    /// Its number; given to all events when a file was read. They ascend, but need be neither dense nor begin with 0.
    pub index: Option<u64>,
    /// When, ns since the start of the run; none if the log does not say.
    pub time: Option<u64>,
    /// Invocation, completion or note.
    pub kind: LogEventType,
    /// Who.
    pub process: LogProcess,
    /// What; empty if the log does not say.
    pub f: Arc<str>,
    /// With what, or what came of it.
    pub value: Datum,
    /// Why it failed, or why nothing is known.
    pub error: Datum,
    /// Fields that we do not know, in their order.
    pub extra: Vec<(Datum, Datum)>,
}

impl LogEvent {
    /// An unknown field by its name.
    pub fn extra(&self, name: &str) -> Option<&Datum> {
        named(&self.extra, name)
    }
}

/// Names that occur again and again, each kept once.
#[derive(Debug, Default)]
pub(super) struct Words {
    known: Vec<Arc<str>>,
}

impl Words {
    /// Names kept at most: a log has a handful; one with thousands is served without sharing.
    const KEPT_MAX: usize = 64;

    pub(super) fn word(&mut self, word: &str) -> Arc<str> {
        if let Some(known) = self.known.iter().find(|known| &***known == word) {
            return Arc::clone(known);
        }
        let fresh: Arc<str> = word.into();
        if self.known.len() < Words::KEPT_MAX {
            self.known.push(Arc::clone(&fresh));
        }
        fresh
    }
}

/// An event in the making.
#[derive(Debug, Default)]
pub(super) struct Draft {
    index: Option<u64>,
    time: Option<u64>,
    kind: Option<LogEventType>,
    process: LogProcess,
    f: Option<Arc<str>>,
    value: Datum,
    error: Datum,
    extra: Vec<(Datum, Datum)>,
    /// A bit per known field that was met.
    met: u8,
}

/// The known fields, in the order in which they are written.
const FIELDS: [&str; 7] = ["index", "time", "type", "process", "f", "value", "error"];

impl Draft {
    /// Takes a field whose value is a word: a keyword, or a string that stands for one.
    pub(super) fn take_word(
        &mut self,
        name: &str,
        word: &str,
        words: &mut Words,
    ) -> Result<bool, Problem> {
        let plain = word.strip_prefix(':').unwrap_or(word);
        match name {
            "type" => {
                self.meet(2)?;
                let kind = LogEventType::from_word(plain);
                self.kind = Some(kind.ok_or_else(|| {
                    bad(
                        "type",
                        format!("`{word}`"),
                        "one of invoke, ok, fail and info",
                    )
                })?);
            }
            "process" => {
                self.meet(3)?;
                self.process = LogProcess::Named(words.word(plain));
            }
            "f" => {
                self.meet(4)?;
                self.f = Some(words.word(plain));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Takes a field by its name.
    pub(super) fn take(
        &mut self,
        name: &str,
        value: Datum,
        words: &mut Words,
    ) -> Result<(), Problem> {
        if let Datum::Keyword(word) | Datum::Text(word) | Datum::Symbol(word) = &value
            && self.take_word(name, word, words)?
        {
            return Ok(());
        }
        match name {
            "index" => {
                self.meet(0)?;
                self.index = whole(
                    "index",
                    &value,
                    "a whole number from 0; or leave it out everywhere",
                )?;
            }
            "time" => {
                self.meet(1)?;
                // Jepsen writes -1 where it has no time.
                let wanted = "a whole number of ns since the start of the run; or leave it out";
                self.time = whole("time", &value, wanted)?;
            }
            "process" => {
                self.meet(3)?;
                self.process = match value {
                    Datum::Nil => LogProcess::Missing,
                    Datum::Int(number) => LogProcess::Numbered(number),
                    other => {
                        return Err(bad(
                            "process",
                            kind_of(&other).to_owned(),
                            "a number or a name",
                        ));
                    }
                };
            }
            "type" => {
                return Err(bad(
                    "type",
                    kind_of(&value).to_owned(),
                    "one of invoke, ok, fail and info",
                ));
            }
            "f" if value.is_nil() => self.meet(4)?,
            "f" => {
                return Err(bad(
                    "f",
                    kind_of(&value).to_owned(),
                    "the name of what was done",
                ));
            }
            "value" => {
                self.meet(5)?;
                self.value = value;
            }
            "error" => {
                self.meet(6)?;
                self.error = value;
            }
            _ => self.extra.push((Datum::keyword(name), value)),
        }
        Ok(())
    }

    /// Keeps a field whose name is no word.
    pub(super) fn keep(&mut self, key: Datum, value: Datum) {
        self.extra.push((key, value));
    }

    pub(super) fn finish(self, words: &mut Words) -> Result<LogEvent, Problem> {
        Ok(LogEvent {
            index: self.index,
            time: self.time,
            kind: self.kind.ok_or(Problem::TypeMissing)?,
            process: self.process,
            f: self.f.unwrap_or_else(|| words.word("")),
            value: self.value,
            error: self.error,
            extra: self.extra,
        })
    }

    fn meet(&mut self, field: usize) -> Result<(), Problem> {
        let bit = 1_u8 << field;
        if self.met & bit != 0 {
            return Err(Problem::FieldTwice(FIELDS[field]));
        }
        self.met |= bit;
        Ok(())
    }
}

fn bad(field: &'static str, found: String, wanted: &'static str) -> Problem {
    Problem::BadField {
        field,
        found,
        wanted,
    }
}

fn whole(field: &'static str, value: &Datum, wanted: &'static str) -> Result<Option<u64>, Problem> {
    match value {
        Datum::Nil | Datum::Int(-1) => Ok(None),
        Datum::Int(number) => match u64::try_from(*number) {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(bad(field, number.to_string(), wanted)),
        },
        Datum::Number(text) => match text.trim_end_matches('N').parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(bad(field, text.to_string(), wanted)),
        },
        other => Err(bad(field, kind_of(other).to_owned(), wanted)),
    }
}

/// What a value is, for messages.
pub(super) fn kind_of(value: &Datum) -> &'static str {
    match value {
        Datum::Nil => "nothing",
        Datum::Bool(_) => "true or false",
        Datum::Int(_) => "a whole number",
        Datum::Float(_) | Datum::Number(_) => "a number",
        Datum::Char(_) => "a character",
        Datum::Text(_) => "a string",
        Datum::Keyword(_) => "a keyword",
        Datum::Symbol(_) => "a symbol",
        Datum::List(_) => "a list",
        Datum::Vector(_) => "an array",
        Datum::Set(_) => "a set",
        Datum::Map(_) => "a map",
        Datum::Tagged(_) => "a tagged value",
    }
}
