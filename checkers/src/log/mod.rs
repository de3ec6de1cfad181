//! Logs: histories of any tool, as events with the names that Jepsen gave them, and nothing that a format can hold lost.
//!
//! A [`Log`] is what a file says; it is neutral about what the events mean. A [`History`](crate::History) is narrower: our own
//! format, with keys, nodes and evidence, for the judges of quorums. Files become logs in `edn.rs`, `json.rs` and `text.rs`; logs become files in
//! `write.rs`; events become operations in `pairing.rs`; what they mean is for [`model`](crate::model) to say.

mod datum;
mod detect;
mod edn;
mod error;
mod event;
mod json;
mod pairing;
mod text;
mod write;

#[cfg(test)]
mod tests;

pub use datum::{Datum, Float};
pub use detect::InputFormat;
pub use error::{LogError, Place, Problem};
pub use event::{LogEvent, LogEventType, LogProcess};
pub use pairing::LogOperation;
pub use write::OutputFormat;

/// The events of a file, in its order.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// The format that it was read from.
    pub format: InputFormat,
    /// The events.
    pub events: Vec<LogEvent>,
    /// Where each event begins in the file.
    pub places: Vec<Place>,
    /// Whether the last event was torn and dropped: its writer was killed.
    pub torn_tail: bool,
}

impl Log {
    /// Reads a file of a known format.
    ///
    /// # Errors
    /// The first thing in the file that cannot be part of a log, with its line and column.
    pub fn parse_as(bytes: &[u8], format: InputFormat) -> Result<Log, LogError> {
        let bytes = unmarked(bytes);
        let mut log = match format {
            InputFormat::Edn => edn::read(bytes),
            InputFormat::ElleJson => json::read_array(bytes),
            InputFormat::Jsonl => json::read_lines(bytes),
            InputFormat::JepsenLog => text::read(bytes),
            InputFormat::Quorate => json::read_own(bytes),
        }?;
        log.number()?;
        Ok(log)
    }

    /// Reads a file, whatever its format.
    ///
    /// # Errors
    /// As [`Log::parse_as`], or when no format can be told from the content.
    pub fn parse(bytes: &[u8]) -> Result<Log, LogError> {
        Log::parse_as(bytes, InputFormat::detect(bytes)?)
    }

    /// A log without events.
    pub fn new(format: InputFormat) -> Log {
        Log {
            format,
            events: Vec::new(),
            places: Vec::new(),
            torn_tail: false,
        }
    }

    pub(crate) fn push(&mut self, event: LogEvent, place: Place) {
        self.events.push(event);
        self.places.push(place);
    }

    /// Where an event begins in the file; the beginning of the file for events that came from none.
    pub fn place(&self, event: usize) -> Place {
        self.places.get(event).copied().unwrap_or_default()
    }

    /// Gives every event an index: its own if the first event has one (then they must ascend), else its position.
    fn number(&mut self) -> Result<(), LogError> {
        let numbered = self
            .events
            .first()
            .is_some_and(|event| event.index.is_some());
        let mut least = 0_u64;
        for (position, event) in (0_u64..).zip(&mut self.events) {
            let index = match event.index {
                Some(index) if numbered => index,
                _ if numbered => least,
                _ => position,
            };
            if index < least {
                let place = self
                    .places
                    .get(usize::try_from(position).unwrap_or(usize::MAX));
                let problem = Problem::IndexDescends { index, least };
                return Err(LogError::new(place.copied().unwrap_or_default(), problem));
            }
            event.index = Some(index);
            least = index.saturating_add(1);
        }
        Ok(())
    }
}

/// A text without the mark of its byte order, which some editors put before it.
fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}
