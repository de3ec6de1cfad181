//! The write-ahead log: records become durable here, and nowhere else.
//!
//! Segments `wal-<number>.log` of entries, and `snapshot-<number>` of everything before the segment of the same number. It merges nothing
//! and answers no reads: what records mean is the protocol's business.

mod directory;
mod entry;
mod error;
mod files;
mod queue;
mod reading;
mod recovery;
mod scan;
mod snapshot;
mod torn;
mod writer;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::config::SyncPolicy;
use crate::protocol::{Record, Token};

use directory::Directory;
use queue::{Command, Queue};
use reading::Reading;
use writer::Writer;

pub use error::LogError;
pub use torn::survivors;

/// A snapshot replaces the log's segments when the newest is larger than this, bytes.
pub(super) const SEGMENT_BYTES_MAX: u64 = 4 << 20;

/// What the log's thread tells the node.
#[derive(Debug)]
pub(super) enum Event {
    /// These records are durable.
    Synced(Vec<Token>),
    /// A piece of a snapshot is due: the first because the segment is large, each later one because that before it has been written.
    SnapshotWanted,
}

/// A data directory that is being read. [`Opening::records`] must be taken before [`Opening::start`].
#[derive(Debug)]
pub(super) struct Opening {
    directory: Arc<Directory>,
    reading: Reading,
    epoch: u64,
}

/// The log of one node. Dropping it, unlike [`Log::close`], loses what is not synced, as `kill -9` does.
#[derive(Debug)]
pub(super) struct Log {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<Result<(), LogError>>>,
    unsynced: Arc<AtomicU64>,
    sync: SyncPolicy,
}

impl Opening {
    /// How often the directory was opened, this time included.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Everything durable, in the order in which it was written; what is before the damage, if there is some.
    pub(super) fn records(&mut self) -> impl Iterator<Item = Record> {
        self.reading.records()
    }

    /// The log, ready for more, what it tells, and how many records it had. Events end when the log's thread does.
    ///
    /// Fails if the records could not all be read.
    pub(super) fn start(
        self,
        sync: SyncPolicy,
        segment_bytes_max: u64,
    ) -> Result<(Log, UnboundedReceiver<Event>, u64), LogError> {
        let Opening {
            directory, reading, ..
        } = self;
        let recovered = reading.end(directory.path())?;
        let records = recovered.records;
        let unsynced = Arc::new(AtomicU64::new(0));
        let queue = Arc::new(Queue::new(sync));
        let (reports, events) = unbounded_channel();
        let writer = Writer::new(
            directory.clone(),
            recovered,
            (queue.clone(), reports),
            segment_bytes_max,
            unsynced.clone(),
        );
        let thread = thread::Builder::new().name("log".to_owned());
        let thread = thread.spawn(move || writer.run());
        let thread = thread.map_err(LogError::io("start the thread for", directory.path()))?;
        let log = Log {
            queue,
            thread: Some(thread),
            unsynced,
            sync,
        };
        Ok((log, events, records))
    }
}

impl Log {
    /// Opens or makes the log in this data directory, counts that, and begins to read it.
    pub(super) fn open(path: &Path) -> Result<Opening, LogError> {
        let directory = Arc::new(Directory::open(path)?);
        let epoch = directory.next_epoch()?;
        let reading = Reading::begin(&directory)?;
        Ok(Opening {
            directory,
            reading,
            epoch,
        })
    }

    /// Appends a record. True if it counts as persisted at once; else [`Event::Synced`] tells.
    pub(super) fn append(&self, token: Token, record: &Record) -> bool {
        self.unsynced.fetch_add(1, Ordering::Relaxed);
        self.queue.append(token, record);
        self.counts_at_once()
    }

    /// Whether records count as persisted before they are synced.
    pub(super) fn counts_at_once(&self) -> bool {
        matches!(self.sync, SyncPolicy::EveryMs(_))
    }

    /// Begins a snapshot, which replaces everything that was appended before, with its first piece.
    ///
    /// What is appended meanwhile is kept, too, and recovered after it: later pieces may have some of it in them already.
    pub(super) fn begin_snapshot(&self, piece: Vec<Record>) {
        self.queue.push(Command::Begin(piece));
    }

    /// The next piece of the snapshot that has begun; the last has no records.
    pub(super) fn go_on_with_snapshot(&self, piece: Vec<Record>) {
        self.queue.push_piece(piece);
    }

    /// Records appended and not synced.
    pub(super) fn unsynced(&self) -> u64 {
        self.unsynced.load(Ordering::Relaxed)
    }

    /// Syncs everything and stops. Also tells why the log's thread ended, if it did.
    pub(super) fn close(mut self) -> Result<(), LogError> {
        self.queue.push(Command::Stop);
        self.join().unwrap_or(Ok(()))
    }

    /// A thread that is gone is noticed where its events end.
    fn join(&mut self) -> Option<Result<(), LogError>> {
        self.thread.take()?.join().ok()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.queue.abandon();
        self.join();
    }
}
