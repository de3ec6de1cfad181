//! Why a history cannot be judged, with the line and what to do about it.
//!
//! A torn last line is no error: it is what a killed writer leaves (see `History::torn_tail`).

use thiserror::Error;

use super::header::FORMAT;
use crate::log::Place;

/// Why a history cannot be judged. Lines count from 1; the header is line 1. Columns are bytes, from 1; where there is no text, as of events
/// that were never in a file, they are 1.
#[derive(Debug, Error)]
pub enum HistoryError {
    /// The first line is not a header.
    #[error(
        "line 1, column 1: not a header (no `format`): give a history.jsonl that quorate wrote, from its first line on, or judge another tool's by --model"
    )]
    HeaderMissing,
    /// The header has a format that this build does not read.
    #[error(
        "{place}: format {found} is not {FORMAT}, the one that this build reads: use the build that wrote it"
    )]
    FormatUnknown {
        /// Where.
        place: Place,
        /// The header's format.
        found: u64,
    },
    /// The header lacks a field or has one of another type.
    #[error(
        "line 1, column {}: bad header: {}: correct the header",
        column(source),
        bare(source)
    )]
    HeaderInvalid {
        /// What serde says.
        source: serde_json::Error,
    },
    /// The header names a guarantee that does not exist.
    #[error(
        "{place}: `judges` names `{name}`, which is no guarantee: use the names that `list` prints"
    )]
    GuaranteeUnknown {
        /// Where.
        place: Place,
        /// The name.
        name: String,
    },
    /// A line is not JSON.
    #[error(
        "line {line}, column {}: not JSON: {}: remove the line or restore the file",
        column(source),
        bare(source)
    )]
    NotJson {
        /// The line.
        line: u64,
        /// What serde says.
        source: serde_json::Error,
    },
    /// A line is JSON, but no event.
    #[error(
        "line {line}, column {}: not an event: {}: correct the field",
        column(source),
        bare(source)
    )]
    BadField {
        /// The line.
        line: u64,
        /// What serde says, with the field's name.
        source: serde_json::Error,
    },
    /// An index came before.
    #[error(
        "{place}: index {index} is there twice (expected {expected}): remove the duplicate line"
    )]
    IndexDuplicate {
        /// Where.
        place: Place,
        /// Its index.
        index: u64,
        /// The index that belongs there.
        expected: u64,
    },
    /// Indexes are not there at all.
    #[error("{place}: index {index} follows, but {expected} is missing: restore the missing lines")]
    IndexMissing {
        /// Where.
        place: Place,
        /// Its index.
        index: u64,
        /// The index that belongs there.
        expected: u64,
    },
    /// An index comes later in the file.
    #[error(
        "{place}: index {index} comes before {expected}: put the lines back in the order of `index`"
    )]
    IndexReordered {
        /// Where.
        place: Place,
        /// Its index.
        index: u64,
        /// The index that belongs there.
        expected: u64,
    },
    /// Time runs backwards.
    #[error(
        "{place}: time {time} is before {before}, that of the line above: use one monotonic clock"
    )]
    TimeBackwards {
        /// Where.
        place: Place,
        /// Its time, ns.
        time: u64,
        /// The time of the line before, ns.
        before: u64,
    },
    /// A process invoked while its last operation was open.
    #[error(
        "{place}: process {process} invokes, but its invocation on line {open_line} is not complete: \
         a process does one thing at a time"
    )]
    DoubleInvoke {
        /// Where.
        place: Place,
        /// The process.
        process: u64,
        /// The line of the open invocation.
        open_line: u64,
    },
    /// A completion completes nothing.
    #[error("{place}: process {process} completes, but invoked nothing: restore its invocation")]
    NoInvocation {
        /// Where.
        place: Place,
        /// The process.
        process: u64,
    },
    /// A completion is of another operation than the invocation.
    #[error(
        "{place}: process {process} completes another {what} than it invoked on line {open_line}: \
         completions must repeat f, key and the value written"
    )]
    Mismatch {
        /// Where.
        place: Place,
        /// The process.
        process: u64,
        /// What differs: `f`, `key` or `value`.
        what: &'static str,
        /// The line of the invocation.
        open_line: u64,
    },
    /// A process went on after an operation of unknown outcome.
    #[error(
        "{place}: process {process} goes on after its info on line {info_line}: \
         a client takes a new process id (old + concurrency) after an info"
    )]
    AfterInfo {
        /// Where.
        place: Place,
        /// The process.
        process: u64,
        /// The line of the info.
        info_line: u64,
    },
    /// A client operation has no key.
    #[error("{place}: a {f} without a key: give it a key")]
    KeyMissing {
        /// Where.
        place: Place,
        /// What was asked.
        f: String,
    },
    /// A nemesis line that cannot be understood.
    #[error("{place}: bad nemesis line: {why}")]
    Nemesis {
        /// The field that is wrong.
        field: &'static str,
        /// Where.
        place: Place,
        /// Why, and what to do.
        why: String,
    },
    /// More distinct names than can be numbered.
    #[error("{place}: more than {limit} distinct keys or nodes: split the history")]
    TooManyNames {
        /// Where.
        place: Place,
        /// The limit.
        limit: u32,
    },
    /// More lines than can be numbered.
    #[error("{place}: more than {limit} events: split the history")]
    TooManyLines {
        /// Where.
        place: Place,
        /// The limit.
        limit: u32,
    },
}

impl HistoryError {
    /// The place that it names, and the field that it is about; none if the library knows better.
    fn about(&mut self) -> Option<(&mut Place, &'static str)> {
        Some(match self {
            HistoryError::FormatUnknown { place, .. } => (place, "format"),
            HistoryError::GuaranteeUnknown { place, .. } => (place, "judges"),
            HistoryError::IndexDuplicate { place, .. }
            | HistoryError::IndexMissing { place, .. }
            | HistoryError::IndexReordered { place, .. }
            | HistoryError::TooManyLines { place, .. } => (place, "index"),
            HistoryError::TimeBackwards { place, .. } => (place, "time"),
            HistoryError::DoubleInvoke { place, .. }
            | HistoryError::NoInvocation { place, .. }
            | HistoryError::AfterInfo { place, .. } => (place, "process"),
            HistoryError::Mismatch { place, what, .. } => (place, what),
            HistoryError::KeyMissing { place, .. } => (place, "f"),
            HistoryError::TooManyNames { place, .. } => (place, "key"),
            HistoryError::Nemesis { place, field, .. } => (place, field),
            HistoryError::HeaderMissing
            | HistoryError::HeaderInvalid { .. }
            | HistoryError::NotJson { .. }
            | HistoryError::BadField { .. } => return None,
        })
    }

    /// The same, elsewhere.
    #[must_use]
    pub(crate) fn at(mut self, elsewhere: Place) -> HistoryError {
        if let Some((place, _)) = self.about() {
            *place = elsewhere;
        }
        self
    }

    /// The same, with the column of the field that it is about in the text of its line.
    #[must_use]
    pub(crate) fn in_line(mut self, text: &[u8]) -> HistoryError {
        if let Some((place, field)) = self.about() {
            place.column = column_of(text, field);
        }
        self
    }

    /// As [`HistoryError::in_line`], of one of several lines, the first of which has this number.
    #[must_use]
    pub(crate) fn in_lines(mut self, lines: &[u8], first: u64) -> HistoryError {
        let line = self.about().map_or(0, |(place, _)| place.line);
        let before = usize::try_from(line.saturating_sub(first)).unwrap_or(usize::MAX);
        match lines.split(|&byte| byte == b'\n').nth(before) {
            Some(text) => self.in_line(text),
            None => self,
        }
    }
}

/// Where a field of a JSON object begins, bytes from 1; 1 if it has no such field.
fn column_of(text: &[u8], field: &str) -> u64 {
    let (mut depth, mut at) = (0_u32, 0);
    while let Some(&byte) = text.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let end = end_of_string(text, at);
                let is_name = text[end..].trim_ascii_start().starts_with(b":");
                let name = text.get(at + 1..end - 1);
                if depth == 1 && is_name && name == Some(field.as_bytes()) {
                    return at as u64 + 1;
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    1
}

/// Where a string ends that begins at a quote.
fn end_of_string(text: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

/// The column that the library names, characters of ASCII from 1.
fn column(source: &serde_json::Error) -> usize {
    source.column().max(1)
}

/// What the library says, without the place in the line that it was given.
fn bare(source: &serde_json::Error) -> String {
    let text = source.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
