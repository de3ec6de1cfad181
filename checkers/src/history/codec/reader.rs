//! A history from blocks of its file, cut anywhere: no more of the file is held than one block.
//!
//! Lines are read in any order, by as many as the executor has, and paired in the order of the file. What comes out, errors
//! included, does not depend on how the file was cut or on who read it.

use super::canonical::Line;
use super::jsonl::{is_json, refusal};
use crate::executor::Executor;
use crate::history::error::HistoryError;
use crate::history::event::Event;
use crate::history::header::Header;
use crate::history::operation::History;
use crate::history::pairing::{Pairing, line_of};
use crate::log::Place;

/// Lines are read by others in pieces of about this size, bytes: large enough that handing one over costs nothing, and small
/// enough for what is read to be still in the cache when it is paired.
const PIECE_BYTES: usize = 64 * 1024;

/// No event is shorter, bytes.
const LINE_BYTES_MIN: usize = 40;

/// An index that is not where it belongs, but may come later.
#[derive(Clone, Copy)]
struct Missing {
    place: Place,
    index: u64,
    expected: u64,
}

/// Reads a history block by block.
pub struct HistoryReader {
    /// The beginning of a line whose end is in a later block.
    tail: Vec<u8>,
    /// None until the header was read.
    pairing: Option<Pairing>,
    missing: Option<Missing>,
    piece_bytes: usize,
}

/// What one line says.
enum Said<'a> {
    Line(Line<'a>),
    Event(Box<Event>),
    /// It cannot be read; why is found out when its turn comes.
    Nothing(&'a [u8]),
}

impl Default for HistoryReader {
    fn default() -> HistoryReader {
        HistoryReader::new()
    }
}

impl HistoryReader {
    /// A reader of a file's first block.
    pub fn new() -> HistoryReader {
        HistoryReader::in_pieces(PIECE_BYTES)
    }

    /// A reader that cuts lines into pieces of this size.
    pub(super) fn in_pieces(piece_bytes: usize) -> HistoryReader {
        HistoryReader {
            tail: Vec::new(),
            pairing: None,
            missing: None,
            piece_bytes,
        }
    }

    /// Takes the next block of the file. After an error the reader is of no use any more.
    ///
    /// # Errors
    /// As [`History::parse`].
    pub fn push_block(
        &mut self,
        block: &[u8],
        executor: &impl Executor,
    ) -> Result<(), HistoryError> {
        let mut lines = block;
        if !self.tail.is_empty() {
            let end = memchr::memchr(b'\n', block).map_or(block.len(), |end| end + 1);
            self.tail.extend_from_slice(&block[..end]);
            lines = &block[end..];
            if self.tail.ends_with(b"\n") {
                let line = std::mem::take(&mut self.tail);
                self.read(&line, executor)?;
            }
        }
        let whole = memchr::memrchr(b'\n', lines).map_or(0, |end| end + 1);
        self.tail.extend_from_slice(&lines[whole..]);
        self.read(&lines[..whole], executor)
    }

    /// The history, when all blocks were taken.
    ///
    /// # Errors
    /// As [`History::parse`].
    pub fn finish(mut self) -> Result<History, HistoryError> {
        let tail = std::mem::take(&mut self.tail);
        let Some(mut pairing) = self.pairing.take() else {
            return Ok(Pairing::new(Header::parse(&tail)?).finish(false));
        };
        if let Some(missing) = self.missing {
            return Err(missing.error(missing.comes_in(&tail)));
        }
        if tail.is_empty() {
            return Ok(pairing.finish(false));
        }
        let said = Said::of(&tail);
        if matches!(said, Said::Nothing(_)) && !is_json(&tail) {
            return Ok(pairing.finish(true));
        }
        match said
            .push(&mut pairing)
            .map_err(|error| error.in_line(&tail))
        {
            Err(error) => Err(Missing::of(&error).map_or(error, |missing| missing.error(false))),
            Ok(()) => Ok(pairing.finish(false)),
        }
    }

    /// Reads lines, each with its newline.
    fn read(&mut self, mut lines: &[u8], executor: &impl Executor) -> Result<(), HistoryError> {
        if lines.is_empty() {
            return Ok(());
        }
        if self.pairing.is_none() {
            let (first, rest) = split_line(lines);
            self.pairing = Some(Pairing::new(Header::parse(first)?));
            lines = rest;
        }
        if let (None, Some(pairing)) = (self.missing, &mut self.pairing)
            && let first = line_of(pairing.index_next())
            && let Err(error) = pair(pairing, lines, self.piece_bytes, executor)
        {
            let error = error.in_lines(lines, first);
            self.missing = Some(Missing::of(&error).ok_or(error)?);
        }
        // All lines before the one that came too soon have smaller indexes, so they may be looked at again.
        match self.missing {
            Some(missing) if missing.comes_in(lines) => Err(missing.error(true)),
            _ => Ok(()),
        }
    }
}

/// Reads lines and pairs them in order.
fn pair(
    pairing: &mut Pairing,
    mut lines: &[u8],
    piece_bytes: usize,
    executor: &impl Executor,
) -> Result<(), HistoryError> {
    if executor.width() <= 1 || lines.len() <= piece_bytes {
        while !lines.is_empty() {
            let (line, rest) = split_line(lines);
            Said::of(line).push(pairing)?;
            lines = rest;
        }
        return Ok(());
    }
    let said = executor.map(pieces(lines, piece_bytes), |mut piece| {
        // Most lines are about as long as the first one.
        let guess = piece.len() / split_line(piece).0.len().max(LINE_BYTES_MIN);
        let mut said = Vec::with_capacity(guess);
        while !piece.is_empty() {
            let (line, rest) = split_line(piece);
            said.push(Said::of(line));
            piece = rest;
        }
        said
    });
    said.into_iter()
        .flatten()
        .try_for_each(|said| said.push(pairing))
}

/// Cuts lines into pieces of whole lines.
fn pieces(mut lines: &[u8], piece_bytes: usize) -> Vec<&[u8]> {
    let mut pieces = Vec::with_capacity(lines.len() / piece_bytes.max(1) + 1);
    while !lines.is_empty() {
        let least = piece_bytes.min(lines.len() - 1);
        let end = memchr::memchr(b'\n', &lines[least..]).map_or(lines.len(), |at| least + at + 1);
        let (piece, rest) = lines.split_at(end);
        pieces.push(piece);
        lines = rest;
    }
    pieces
}

impl<'a> Said<'a> {
    fn of(text: &'a [u8]) -> Said<'a> {
        if let Some(line) = Line::read(text) {
            return Said::Line(line);
        }
        match serde_json::from_slice(text) {
            Ok(event) => Said::Event(Box::new(event)),
            Err(_) => Said::Nothing(text),
        }
    }

    fn push(self, pairing: &mut Pairing) -> Result<(), HistoryError> {
        match self {
            Said::Line(line) => pairing.push_line(line),
            Said::Event(event) => pairing.push(*event),
            Said::Nothing(text) => match serde_json::from_slice::<Event>(text) {
                Ok(event) => pairing.push(event),
                Err(source) => Err(refusal(text, line_of(pairing.index_next()), source)),
            },
        }
    }

    fn index(&self) -> Option<u64> {
        match self {
            Said::Line(line) => Some(line.index),
            Said::Event(event) => Some(event.index),
            Said::Nothing(_) => None,
        }
    }
}

impl Missing {
    fn of(error: &HistoryError) -> Option<Missing> {
        match *error {
            HistoryError::IndexMissing {
                place,
                index,
                expected,
            } => Some(Missing {
                place,
                index,
                expected,
            }),
            _ => None,
        }
    }

    fn comes_in(self, mut lines: &[u8]) -> bool {
        while !lines.is_empty() {
            let (line, rest) = split_line(lines);
            if Said::of(line).index() == Some(self.expected) {
                return true;
            }
            lines = rest;
        }
        false
    }

    /// A missing index that comes later is not missing: the lines were reordered.
    fn error(self, comes_later: bool) -> HistoryError {
        let Missing {
            place,
            index,
            expected,
        } = self;
        if comes_later {
            HistoryError::IndexReordered {
                place,
                index,
                expected,
            }
        } else {
            HistoryError::IndexMissing {
                place,
                index,
                expected,
            }
        }
    }
}

/// The first line without its newline, and all that follows.
fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b'\n', bytes) {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &[]),
    }
}
