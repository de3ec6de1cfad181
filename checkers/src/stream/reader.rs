//! A file, block by block, into a judge: what of it can be promised so far, and what was found.

use std::collections::VecDeque;

use super::follower::Follower;
use super::judge::Alarm;
use super::lines::Lines;
use super::result::Streamed;
use crate::contract::Contract;
use crate::exposure::Exposure;
use crate::history::codec::{Line, is_json, refusal};
use crate::history::pairing::line_of;
use crate::history::{Event, Header, HistoryError, Quorum};

/// Reads and judges a history in one go.
#[derive(Default)]
pub struct StreamReader {
    claim: Option<Quorum>,
    lines: Lines,
    /// None until the header was read.
    begun: Option<Follower>,
    is_torn: bool,
}

/// What came of a whole file.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// The first line.
    pub header: Header,
    /// What was found.
    pub streamed: Streamed,
    /// Alarms that nobody took.
    pub alarms: VecDeque<Alarm>,
    /// What the run was exposed to.
    pub exposure: Exposure,
    /// What was promised.
    pub contract: Contract,
    /// Whether the last line was torn and dropped.
    pub is_torn: bool,
}

impl StreamReader {
    /// A reader of a file that is judged by another claim than its own, if one is given.
    pub fn new(claim: Option<Quorum>) -> StreamReader {
        StreamReader {
            claim,
            ..StreamReader::default()
        }
    }

    /// Takes the next block. After an error the reader is of no use any more.
    ///
    /// # Errors
    /// The first line that cannot be part of a history, and why.
    pub fn push_block(&mut self, block: &[u8]) -> Result<(), HistoryError> {
        let mut lines = std::mem::take(&mut self.lines);
        let taken = lines.push(block, |line| self.line(line));
        self.lines = lines;
        taken
    }

    /// The next alarm, if there is one.
    pub fn next_alarm(&mut self) -> Option<Alarm> {
        self.begun.as_mut()?.next_alarm()
    }

    /// Events taken so far.
    pub fn events(&self) -> u64 {
        self.begun.as_ref().map_or(0, Follower::events)
    }

    /// Whether an anomaly breaks a promise, by all that happened so far.
    ///
    /// # Errors
    /// When some line of the nemesis cannot be understood.
    pub fn is_promised(&self, alarm: &Alarm) -> Result<bool, HistoryError> {
        let begun = self.begun.as_ref();
        begun.map_or(Ok(false), |begun| begun.is_promised(alarm))
    }

    /// What came of it, when all blocks were taken. A torn last line (no newline, not JSON) is dropped.
    ///
    /// # Errors
    /// As [`StreamReader::push_block`].
    pub fn finish(mut self) -> Result<Read, HistoryError> {
        let tail = self.lines.finish();
        if self.begun.is_none() || (!tail.is_empty() && is_json(&tail)) {
            self.line(&tail)?;
        } else {
            self.is_torn = !tail.is_empty();
        }
        let Some(begun) = self.begun else {
            return Err(HistoryError::HeaderMissing);
        };
        let (exposure, contract) = begun.contract()?;
        let (header, streamed, alarms) = begun.finish();
        Ok(Read {
            header,
            streamed,
            alarms,
            exposure,
            contract,
            is_torn: self.is_torn,
        })
    }

    fn line(&mut self, text: &[u8]) -> Result<(), HistoryError> {
        let Some(begun) = &mut self.begun else {
            let mut header = Header::parse(text)?;
            header.claim = self.claim.or(header.claim);
            self.begun = Some(Follower::new(header));
            return Ok(());
        };
        if let Some(line) = Line::read(text) {
            return begun.push_line(&line).map_err(|error| error.in_line(text));
        }
        let number = line_of(begun.events());
        let event: Event =
            serde_json::from_slice(text).map_err(|source| refusal(text, number, source))?;
        begun.push(&event).map_err(|error| error.in_line(text))
    }
}
