//! `history.jsonl`: a header line, then one event per line.
//!
//! Here is the header and what is said of a line that cannot be read. How a file is cut into lines is in `reader.rs`, how one
//! line is written in `line.rs`.

use serde::de::IgnoredAny;
use serde_json::Value as Json;

use super::reader::HistoryReader;
use crate::executor::Sequential;
use crate::history::error::HistoryError;
use crate::history::header::Header;
use crate::history::operation::History;
use crate::log::Place;

impl History {
    /// Reads a whole file. A torn last line (no newline, not JSON) is dropped and noted in `torn_tail`.
    ///
    /// # Errors
    /// The first line that cannot be part of a history, and why.
    pub fn parse(bytes: &[u8]) -> Result<History, HistoryError> {
        let mut reader = HistoryReader::new();
        reader.push_block(bytes, &Sequential)?;
        reader.finish()
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
            let place = Place::default();
            return Err(HistoryError::FormatUnknown { place, found }.in_line(line));
        }
        let header: Header = serde_json::from_slice(line)
            .map_err(|source| HistoryError::HeaderInvalid { source })?;
        header.check().map_err(|error| error.in_line(line))?;
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

pub(crate) fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

/// Why a line is no event.
pub(crate) fn refusal(text: &[u8], line: u64, source: serde_json::Error) -> HistoryError {
    if is_json(text) {
        HistoryError::BadField { line, source }
    } else {
        HistoryError::NotJson { line, source }
    }
}
