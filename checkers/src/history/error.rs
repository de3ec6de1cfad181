//! Why a history cannot be judged, with the line and what to do about it.
//!
//! A torn last line is no error: it is what a killed writer leaves (see `History::torn_tail`).

use thiserror::Error;

use super::header::FORMAT;

/// Why a history cannot be judged. Lines count from 1; the header is line 1.
#[derive(Debug, Error)]
pub enum HistoryError {
    /// The first line is not a header.
    #[error(
        "line 1: not a header (no `format`): give a history.jsonl that quorate wrote, from its first line on, or judge another tool's by --model"
    )]
    HeaderMissing,
    /// The header has a format that this build does not read.
    #[error(
        "line 1: format {found} is not {FORMAT}, the one that this build reads: use the build that wrote it"
    )]
    FormatUnknown {
        /// The header's format.
        found: u64,
    },
    /// The header lacks a field or has one of another type.
    #[error("line 1: bad header: {source}: correct the header")]
    HeaderInvalid {
        /// What serde says.
        source: serde_json::Error,
    },
    /// The header names a guarantee that does not exist.
    #[error(
        "line 1: `judges` names `{name}`, which is no guarantee: use the names that `list` prints"
    )]
    GuaranteeUnknown {
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
        "line {line}: index {index} is there twice (expected {expected}): remove the duplicate line"
    )]
    IndexDuplicate {
        /// The line.
        line: u64,
        /// Its index.
        index: u64,
        /// The index that belongs there.
        expected: u64,
    },
    /// Indexes are not there at all.
    #[error(
        "line {line}: index {index} follows, but {expected} is missing: restore the missing lines"
    )]
    IndexMissing {
        /// The line.
        line: u64,
        /// Its index.
        index: u64,
        /// The index that belongs there.
        expected: u64,
    },
    /// An index comes later in the file.
    #[error(
        "line {line}: index {index} comes before {expected}: put the lines back in the order of `index`"
    )]
    IndexReordered {
        /// The line.
        line: u64,
        /// Its index.
        index: u64,
        /// The index that belongs there.
        expected: u64,
    },
    /// Time runs backwards.
    #[error(
        "line {line}: time {time} is before {before}, that of the line above: use one monotonic clock"
    )]
    TimeBackwards {
        /// The line.
        line: u64,
        /// Its time, ns.
        time: u64,
        /// The time of the line before, ns.
        before: u64,
    },
    /// A process invoked while its last operation was open.
    #[error(
        "line {line}: process {process} invokes, but its invocation on line {open_line} is not complete: \
         a process does one thing at a time"
    )]
    DoubleInvoke {
        /// The line.
        line: u64,
        /// The process.
        process: u64,
        /// The line of the open invocation.
        open_line: u64,
    },
    /// A completion completes nothing.
    #[error(
        "line {line}: process {process} completes, but invoked nothing: restore its invocation"
    )]
    NoInvocation {
        /// The line.
        line: u64,
        /// The process.
        process: u64,
    },
    /// A completion is of another operation than the invocation.
    #[error(
        "line {line}: process {process} completes another {what} than it invoked on line {open_line}: \
         completions must repeat f, key and the value written"
    )]
    Mismatch {
        /// The line.
        line: u64,
        /// The process.
        process: u64,
        /// What differs: `f`, `key` or `value`.
        what: &'static str,
        /// The line of the invocation.
        open_line: u64,
    },
    /// A process went on after an operation of unknown outcome.
    #[error(
        "line {line}: process {process} goes on after its info on line {info_line}: \
         a client takes a new process id (old + concurrency) after an info"
    )]
    AfterInfo {
        /// The line.
        line: u64,
        /// The process.
        process: u64,
        /// The line of the info.
        info_line: u64,
    },
    /// A client operation has no key.
    #[error("line {line}: a {f} without a key: give it a key")]
    KeyMissing {
        /// The line.
        line: u64,
        /// What was asked.
        f: String,
    },
    /// A nemesis line that cannot be understood.
    #[error("line {line}: bad nemesis line: {why}")]
    Nemesis {
        /// The line.
        line: u64,
        /// Why, and what to do.
        why: String,
    },
    /// More distinct names than can be numbered.
    #[error("line {line}: more than {limit} distinct keys or nodes: split the history")]
    TooManyNames {
        /// The line.
        line: u64,
        /// The limit.
        limit: u32,
    },
    /// More lines than can be numbered.
    #[error("line {line}: more than {limit} events: split the history")]
    TooManyLines {
        /// The line.
        line: u64,
        /// The limit.
        limit: u32,
    },
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
