//! Why a log cannot be read or paired, with the line, the column, and what to do about it.

use std::fmt;

use thiserror::Error;

/// A place in a text. Both count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: u64,
    /// The column, characters.
    pub column: u64,
}

impl Default for Place {
    fn default() -> Place {
        Place { line: 1, column: 1 }
    }
}

impl Place {
    /// The place of a byte of a text.
    pub(crate) fn of(bytes: &[u8], offset: usize) -> Place {
        Place::default().after(&bytes[..offset.min(bytes.len())])
    }

    /// The place after `text`, which begins here.
    #[must_use]
    pub(crate) fn after(self, text: &[u8]) -> Place {
        // Bytes that continue a character are no column of their own.
        let columns =
            |bytes: &[u8]| bytes.iter().filter(|&&byte| byte & 0xC0 != 0x80).count() as u64;
        match memchr::memrchr(b'\n', text) {
            None => Place {
                line: self.line,
                column: self.column + columns(text),
            },
            Some(last) => Place {
                line: self.line + memchr::memchr_iter(b'\n', text).count() as u64,
                column: 1 + columns(&text[last + 1..]),
            },
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a log cannot be read or paired.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{place}: {problem}")]
pub struct LogError {
    /// Where.
    pub place: Place,
    /// What, and what to do.
    pub problem: Problem,
}

impl LogError {
    pub(crate) fn new(place: Place, problem: Problem) -> LogError {
        LogError { place, problem }
    }

    pub(crate) fn syntax(place: Place, what: impl Into<String>) -> LogError {
        LogError::new(place, Problem::Syntax(what.into()))
    }
}

/// What is wrong at a place.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// The content is of no format that we read.
    #[error(
        "no format can be told from this: name it with --input-format (quorate, edn, elle-json, jsonl or jepsen-log)"
    )]
    FormatUnknown,
    /// The text breaks the rules of its format.
    #[error("{0}")]
    Syntax(String),
    /// A field has a value that it cannot have.
    #[error("`{field}` is {found}: {wanted}")]
    BadField {
        /// The field.
        field: &'static str,
        /// What was found.
        found: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// A field is there twice.
    #[error("the field `{0}` is there twice: remove one")]
    FieldTwice(&'static str),
    /// An event has no type.
    #[error("an event without `type`: give it one of invoke, ok, fail and info")]
    TypeMissing,
    /// Indexes do not ascend.
    #[error(
        "index {index} follows, but {least} or more must: put the events in the order of their indexes"
    )]
    IndexDescends {
        /// The index.
        index: u64,
        /// The least that may stand here.
        least: u64,
    },
    /// A process invoked while its last operation was open.
    #[error(
        "process {process} invokes, but its invocation at {open} is not complete: a process does one thing at a time, so give \
         each client its own `process`"
    )]
    DoubleInvoke {
        /// The process.
        process: String,
        /// Where its open invocation is.
        open: Place,
    },
    /// A completion completes nothing.
    #[error(
        "process {process} completes, but invoked nothing: restore its invocation (type invoke) above"
    )]
    NoInvocation {
        /// The process.
        process: String,
    },
    /// A completion is of another operation than the invocation.
    #[error(
        "process {process} completes {found}, but invoked {invoked} at {open}: completions must repeat `f`"
    )]
    OtherOperation {
        /// The process.
        process: String,
        /// What it completes.
        found: String,
        /// What it invoked.
        invoked: String,
        /// Where.
        open: Place,
    },
}
