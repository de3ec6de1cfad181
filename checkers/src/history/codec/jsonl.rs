//! `history.jsonl`: a header line, then one event per line.
//!
//! It splits bytes into lines and says which line is wrong. How one line is written is in `line.rs`; what follows from the
//! lines is in `pairing.rs`.

use serde::de::IgnoredAny;
use serde_json::Value as Json;

use crate::history::error::HistoryError;
use crate::history::event::Event;
use crate::history::header::Header;
use crate::history::operation::History;
use crate::history::pairing::{Pairing, line_of};

impl History {
    /// Reads a whole file. A torn last line (no newline, not JSON) is dropped and noted in `torn_tail`.
    ///
    /// # Errors
    /// The first line that cannot be part of a history, and why.
    pub fn parse(bytes: &[u8]) -> Result<History, HistoryError> {
        let (first, mut rest) = split_line(bytes);
        let mut pairing = Pairing::new(Header::parse(first.text)?);
        while !rest.is_empty() {
            let (line, after) = split_line(rest);
            match serde_json::from_slice::<Event>(line.text) {
                Ok(event) => pairing
                    .push(event)
                    .map_err(|error| reordered(error, after))?,
                Err(_) if !line.terminated && !is_json(line.text) => {
                    return Ok(pairing.finish(true));
                }
                Err(source) => {
                    return Err(refusal(line.text, line_of(pairing.index_next()), source));
                }
            }
            rest = after;
        }
        Ok(pairing.finish(false))
    }
}

impl Header {
    /// Reads the header line.
    ///
    /// # Errors
    /// When it is no header, of another format, or lacks something.
    pub fn parse(line: &[u8]) -> Result<Header, HistoryError> {
        let Ok(json) = serde_json::from_slice::<Json>(line) else {
            return Err(HistoryError::HeaderMissing);
        };
        let Some(found) = json.get("format").and_then(Json::as_u64) else {
            return Err(HistoryError::HeaderMissing);
        };
        // The format comes first: a newer one may well have other fields.
        if found != u64::from(crate::history::FORMAT) {
            return Err(HistoryError::FormatUnknown { found });
        }
        let header: Header = serde_json::from_value(json)
            .map_err(|source| HistoryError::HeaderInvalid { source })?;
        header.check()?;
        Ok(header)
    }

    /// Appends the header line, with its newline.
    #[expect(
        clippy::missing_panics_doc,
        reason = "a header has string keys only: it always serialises"
    )]
    pub fn to_line(&self, out: &mut Vec<u8>) {
        let text = serde_json::to_string(self).expect("a header has string keys only");
        out.extend_from_slice(text.as_bytes());
        out.push(b'\n');
    }
}

struct Line<'a> {
    text: &'a [u8],
    terminated: bool,
}

fn split_line(bytes: &[u8]) -> (Line<'_>, &[u8]) {
    match memchr::memchr(b'\n', bytes) {
        Some(end) => (
            Line {
                text: &bytes[..end],
                terminated: true,
            },
            &bytes[end + 1..],
        ),
        None => (
            Line {
                text: bytes,
                terminated: false,
            },
            &[],
        ),
    }
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

fn refusal(text: &[u8], line: u64, source: serde_json::Error) -> HistoryError {
    if is_json(text) {
        HistoryError::BadField { line, source }
    } else {
        HistoryError::NotJson { line, source }
    }
}

/// A missing index that comes later is not missing: the lines were reordered.
fn reordered(error: HistoryError, mut rest: &[u8]) -> HistoryError {
    let HistoryError::IndexMissing {
        line,
        index,
        expected,
    } = error
    else {
        return error;
    };
    while !rest.is_empty() {
        let (next, after) = split_line(rest);
        if serde_json::from_slice::<Event>(next.text).is_ok_and(|event| event.index == expected) {
            return HistoryError::IndexReordered {
                line,
                index,
                expected,
            };
        }
        rest = after;
    }
    error
}
