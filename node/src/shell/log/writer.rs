//! The log's own thread: syncing blocks, and must not block the node.
//!
//! Under `EachWrite` it takes everything that has queued up, writes it at once, syncs once, and reports it all. Under `EveryMs` a record
//! is not even written before its sync is due: it lives in this process's memory only, so that `kill -9` loses it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc::UnboundedSender;
use tracing::info;

use crate::protocol::Record;

use super::directory::Directory;
use super::error::LogError;
use super::queue::{Batch, Command, Queue};
use super::recovery::{self, Recovered};
use super::snapshot::Snapshot;
use super::{Event, files};

/// Writes the log.
pub(super) struct Writer {
    directory: Arc<Directory>,
    queue: Arc<Queue>,
    events: UnboundedSender<Event>,
    /// Records given to the log and not synced, shared with the node for its status.
    unsynced: Arc<AtomicU64>,
    segment: u64,
    file: File,
    segment_bytes: u64,
    /// A snapshot is asked for when the segment is larger than this.
    segment_bytes_max: u64,
    snapshot_asked: bool,
    /// The snapshot that is being written: it will be of everything before the segment.
    snapshot: Option<Snapshot>,
}

impl Writer {
    pub(super) fn new(
        directory: Arc<Directory>,
        recovered: Recovered,
        (queue, events): (Arc<Queue>, UnboundedSender<Event>),
        segment_bytes_max: u64,
        unsynced: Arc<AtomicU64>,
    ) -> Writer {
        Writer {
            directory,
            queue,
            events,
            unsynced,
            segment: recovered.segment,
            file: recovered.file,
            segment_bytes: recovered.segment_bytes,
            segment_bytes_max: segment_bytes_max.max(recovered.snapshot_bytes),
            snapshot_asked: false,
            snapshot: None,
        }
    }

    /// Runs until it is told to stop (and has synced everything then), or is abandoned (and then syncs nothing more).
    pub(super) fn run(mut self) -> Result<(), LogError> {
        while let Some(command) = self.queue.next() {
            match command {
                Command::Append(batch) => self.sync(batch)?,
                Command::Begin(records) => {
                    let snapshot = self.begin_snapshot()?;
                    self.go_on(snapshot, &records)?;
                }
                Command::GoOn(records) => {
                    if let Some(snapshot) = self.snapshot.take() {
                        self.go_on(snapshot, &records)?;
                    }
                }
                Command::Fail(error) => return Err(error.into()),
                Command::Stop => return Ok(()),
            }
        }
        Ok(())
    }

    /// Makes a batch durable, and reports it.
    fn sync(&mut self, Batch { bytes, tokens }: Batch) -> Result<(), LogError> {
        let path = self.directory.segment(self.segment);
        self.file
            .write_all(&bytes)
            .map_err(LogError::io("write", &path))?;
        // A failed sync is final: what the kernel did with the pages is unknown, and trying again would hide it.
        self.file.sync_data().map_err(LogError::io("sync", &path))?;
        self.segment_bytes += bytes.len() as u64;
        self.queue.give_back(bytes);
        self.unsynced
            .fetch_sub(tokens.len() as u64, Ordering::Relaxed);
        // Nobody listens any more if the node is stopping: then nobody needs to know either.
        let _ = self.events.send(Event::Synced(tokens));
        if self.segment_bytes > self.segment_bytes_max && !self.snapshot_asked {
            self.snapshot_asked = true;
            let _ = self.events.send(Event::SnapshotWanted);
        }
        Ok(())
    }

    /// Takes a piece of a snapshot and asks for the next, or finishes it if there are no records in it.
    fn go_on(&mut self, mut snapshot: Snapshot, records: &[Record]) -> Result<(), LogError> {
        if records.is_empty() {
            return self.finish_snapshot(snapshot);
        }
        snapshot.append(records)?;
        self.snapshot = Some(snapshot);
        let _ = self.events.send(Event::SnapshotWanted);
        Ok(())
    }

    /// Starts a new segment: what was given to the log before is in older ones, and will be in the snapshot.
    ///
    /// At every point between two steps, from here to the end of the snapshot, a crash leaves either all old segments or the whole snapshot.
    fn begin_snapshot(&mut self) -> Result<Snapshot, LogError> {
        let number = self.segment + 1;
        let path = self.directory.segment(number);
        let mut open = OpenOptions::new();
        let file = open.append(true).create_new(true).open(&path);
        self.file = file.map_err(LogError::io("create", &path))?;
        files::sync_directory(self.directory.path())?;
        self.segment = number;
        self.segment_bytes = 0;
        Snapshot::begin(self.directory.snapshot(number))
    }

    /// Replaces all older segments by the snapshot.
    fn finish_snapshot(&mut self, snapshot: Snapshot) -> Result<(), LogError> {
        let number = self.segment;
        let (records, bytes) = snapshot.finish()?;
        recovery::remove_before(&self.directory, number, &self.directory.list()?)?;
        // A large store is not rewritten for every small segment.
        self.segment_bytes_max = self.segment_bytes_max.max(bytes);
        self.snapshot_asked = false;
        info!(number, records, "snapshot taken");
        Ok(())
    }
}
