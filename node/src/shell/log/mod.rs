//! The write-ahead log: records become durable here, and nowhere else.
//!
//! Segments `wal-<number>.log` of entries, and `snapshot-<number>` of everything before the segment of the same number. It merges nothing
//! and answers no reads: what records mean is the protocol's business.

mod directory;
mod entry;
mod error;
mod files;
mod recovery;
mod torn;
mod writer;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::config::SyncPolicy;
use crate::protocol::{Record, Token};

use directory::Directory;
use writer::Writer;

pub use error::LogError;
pub use torn::survivors;

/// A snapshot replaces the log's segments when the newest is larger than this, bytes.
pub(super) const SEGMENT_BYTES_MAX: u64 = 4 << 20;

/// What the node tells the log's thread.
enum Command {
    Append(Token, Record),
    Snapshot(Vec<Record>),
    Stop,
}

/// What the log's thread tells the node.
#[derive(Debug)]
pub(super) enum Event {
    /// These records are durable.
    Synced(Vec<Token>),
    /// The segment is large: [`Log::snapshot`] is due.
    SnapshotWanted,
}

/// What a data directory remembered when it was opened.
#[derive(Debug)]
pub(super) struct Opened {
    /// The log, ready for more.
    pub(super) log: Log,
    /// What it tells; ends when its thread does.
    pub(super) events: UnboundedReceiver<Event>,
    /// Everything durable.
    pub(super) records: Vec<Record>,
    /// How often the directory was opened, this time included.
    pub(super) epoch: u64,
}

/// The log of one node. Dropping it, unlike [`Log::close`], loses what is not synced, as `kill -9` does.
#[derive(Debug)]
pub(super) struct Log {
    commands: Option<Sender<Command>>,
    thread: Option<JoinHandle<Result<(), LogError>>>,
    unsynced: Arc<AtomicU64>,
    sync: SyncPolicy,
}

impl Log {
    /// Opens or makes the log in this data directory.
    pub(super) fn open(
        path: &Path,
        sync: SyncPolicy,
        segment_bytes_max: u64,
    ) -> Result<Opened, LogError> {
        let directory = Arc::new(Directory::open(path)?);
        let mut recovered = recovery::recover(&directory)?;
        let epoch = directory.next_epoch()?;
        let records = std::mem::take(&mut recovered.records);
        let unsynced = Arc::new(AtomicU64::new(0));
        let (commands, queue) = channel();
        let (reports, events) = unbounded_channel();
        let writer = Writer::new(
            directory,
            recovered,
            (queue, reports),
            sync,
            segment_bytes_max,
            unsynced.clone(),
        );
        let thread = thread::Builder::new().name("log".to_owned());
        let thread = thread.spawn(move || writer.run());
        let log = Log {
            commands: Some(commands),
            thread: Some(thread.map_err(LogError::io("start the thread for", path))?),
            unsynced,
            sync,
        };
        Ok(Opened {
            log,
            events,
            records,
            epoch,
        })
    }

    /// Appends a record. True if it counts as persisted at once; else [`Event::Synced`] tells.
    pub(super) fn append(&self, token: Token, record: Record) -> bool {
        self.unsynced.fetch_add(1, Ordering::Relaxed);
        self.tell(Command::Append(token, record));
        matches!(self.sync, SyncPolicy::EveryMs(_))
    }

    /// Replaces everything appended so far by these records.
    pub(super) fn snapshot(&self, records: Vec<Record>) {
        self.tell(Command::Snapshot(records));
    }

    /// Records appended and not synced.
    pub(super) fn unsynced(&self) -> u64 {
        self.unsynced.load(Ordering::Relaxed)
    }

    /// Syncs everything and stops. Also tells why the log's thread ended, if it did.
    pub(super) fn close(mut self) -> Result<(), LogError> {
        self.tell(Command::Stop);
        self.join().unwrap_or(Ok(()))
    }

    /// A thread that is gone is noticed where its events end.
    fn tell(&self, command: Command) {
        if let Some(commands) = &self.commands {
            let _ = commands.send(command);
        }
    }

    fn join(&mut self) -> Option<Result<(), LogError>> {
        self.commands = None;
        self.thread.take()?.join().ok()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.join();
    }
}
