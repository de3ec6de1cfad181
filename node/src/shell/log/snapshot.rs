//! A snapshot while it is written: under another name, a piece at a time, until it is whole.
//!
//! Where it belongs among the segments is for `writer.rs` to say.

use std::path::PathBuf;

use crate::protocol::Record;

use super::entry::{self, Entry};
use super::error::LogError;
use super::files::Unfinished;

/// What is written is synced in pieces of this size, so that no sync takes long, bytes.
const SYNC_BYTES: u64 = 8 << 20;

/// A snapshot that is not finished.
#[derive(Debug)]
pub(super) struct Snapshot {
    file: Unfinished,
    records: u64,
    bytes: u64,
    unsynced_bytes: u64,
    buffer: Vec<u8>,
}

impl Snapshot {
    /// Begins one that will be called `path`.
    pub(super) fn begin(path: PathBuf) -> Result<Snapshot, LogError> {
        Ok(Snapshot {
            file: Unfinished::create(path)?,
            records: 0,
            bytes: 0,
            unsynced_bytes: 0,
            buffer: Vec::new(),
        })
    }

    /// Writes these records after those before.
    pub(super) fn append(&mut self, records: &[Record]) -> Result<(), LogError> {
        for record in records {
            entry::append(&Entry::Record(record), &mut self.buffer)?;
        }
        self.records += records.len() as u64;
        self.write()
    }

    /// Puts it in place, durably; returns its records and its bytes.
    pub(super) fn finish(mut self) -> Result<(u64, u64), LogError> {
        let records = self.records;
        entry::append(&Entry::<Record>::End { records }, &mut self.buffer)?;
        self.write()?;
        self.file.place()?;
        Ok((records, self.bytes))
    }

    fn write(&mut self) -> Result<(), LogError> {
        self.file.write(&self.buffer)?;
        let bytes = self.buffer.len() as u64;
        self.buffer.clear();
        self.bytes += bytes;
        self.unsynced_bytes += bytes;
        if self.unsynced_bytes >= SYNC_BYTES {
            self.unsynced_bytes = 0;
            self.file.sync()?;
        }
        Ok(())
    }
}
