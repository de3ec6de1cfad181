//! The log's own thread: syncing blocks, and must not block the node.
//!
//! Under `EachWrite` it takes everything that has queued up, writes it at once, syncs once, and reports it all. Under `EveryMs` a record
//! is not even written before its sync is due: it lives in this process's memory only, so that `kill -9` loses it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;
use tracing::info;

use crate::config::SyncPolicy;
use crate::protocol::{Record, Token};

use super::directory::Directory;
use super::entry::{self, Entry};
use super::error::LogError;
use super::recovery::{self, Recovered};
use super::{Command, Event, files};

/// At most about this much is written between two syncs of `EachWrite`, bytes.
const COMMIT_BYTES_MAX: usize = 1 << 20;

/// Writes the log.
pub(super) struct Writer {
    directory: Arc<Directory>,
    commands: Receiver<Command>,
    events: UnboundedSender<Event>,
    sync: SyncPolicy,
    /// Records given to the log and not synced, shared with the node for its status.
    unsynced: Arc<AtomicU64>,
    segment: u64,
    file: File,
    segment_bytes: u64,
    /// A snapshot is asked for when the segment is larger than this.
    segment_bytes_max: u64,
    snapshot_asked: bool,
    buffer: Vec<u8>,
    tokens: Vec<Token>,
    /// When the buffer must be synced, under `EveryMs`.
    due: Option<Instant>,
}

/// What the writer does next.
enum Next {
    Obey(Command),
    Sync,
    Abandon,
}

impl Writer {
    pub(super) fn new(
        directory: Arc<Directory>,
        recovered: Recovered,
        (commands, events): (Receiver<Command>, UnboundedSender<Event>),
        sync: SyncPolicy,
        segment_bytes_max: u64,
        unsynced: Arc<AtomicU64>,
    ) -> Writer {
        Writer {
            directory,
            commands,
            events,
            sync,
            unsynced,
            segment: recovered.segment,
            file: recovered.file,
            segment_bytes: recovered.segment_bytes,
            segment_bytes_max,
            snapshot_asked: false,
            buffer: Vec::new(),
            tokens: Vec::new(),
            due: None,
        }
    }

    /// Runs until it is told to stop (and then syncs everything), or is abandoned (and then syncs nothing more).
    pub(super) fn run(mut self) -> Result<(), LogError> {
        loop {
            match self.next() {
                Next::Obey(Command::Append(token, record)) => self.queue(token, record)?,
                Next::Obey(Command::Snapshot(records)) => self.snapshot(records)?,
                Next::Obey(Command::Stop) => return self.sync(),
                Next::Sync => self.sync()?,
                Next::Abandon => return Ok(()),
            }
        }
    }

    fn next(&self) -> Next {
        if self.tokens.is_empty() {
            return self.commands.recv().map_or(Next::Abandon, Next::Obey);
        }
        match self.due {
            None if self.buffer.len() >= COMMIT_BYTES_MAX => Next::Sync,
            None => match self.commands.try_recv() {
                Ok(command) => Next::Obey(command),
                Err(TryRecvError::Empty) => Next::Sync,
                Err(TryRecvError::Disconnected) => Next::Abandon,
            },
            Some(due) => match due.checked_duration_since(Instant::now()) {
                None => Next::Sync,
                Some(left) => match self.commands.recv_timeout(left) {
                    Ok(command) => Next::Obey(command),
                    Err(RecvTimeoutError::Timeout) => Next::Sync,
                    Err(RecvTimeoutError::Disconnected) => Next::Abandon,
                },
            },
        }
    }

    fn queue(&mut self, token: Token, record: Record) -> Result<(), LogError> {
        if let SyncPolicy::EveryMs(period_ms) = self.sync
            && self.tokens.is_empty()
        {
            self.due = Some(Instant::now() + Duration::from_millis(period_ms));
        }
        self.tokens.push(token);
        entry::append(&Entry::Record(record), &mut self.buffer)?;
        Ok(())
    }

    /// Makes everything queued durable, and reports it.
    fn sync(&mut self) -> Result<(), LogError> {
        self.due = None;
        if self.tokens.is_empty() {
            return Ok(());
        }
        let path = self.directory.segment(self.segment);
        self.file
            .write_all(&self.buffer)
            .map_err(LogError::io("write", &path))?;
        // A failed sync is final: what the kernel did with the pages is unknown, and trying again would hide it.
        self.file.sync_data().map_err(LogError::io("sync", &path))?;
        self.segment_bytes += self.buffer.len() as u64;
        self.buffer.clear();
        let tokens = std::mem::take(&mut self.tokens);
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

    /// Starts a new segment, and replaces all older ones by a snapshot. `records` has everything that was ever given to this log.
    ///
    /// At every point between two steps a crash leaves either all old segments or the whole snapshot.
    fn snapshot(&mut self, records: Vec<Record>) -> Result<(), LogError> {
        self.sync()?;
        let number = self.segment + 1;
        let path = self.directory.segment(number);
        let mut open = OpenOptions::new();
        let file = open.append(true).create_new(true).open(&path);
        self.file = file.map_err(LogError::io("create", &path))?;
        files::sync_directory(self.directory.path())?;
        self.segment = number;
        self.segment_bytes = 0;
        let count = records.len() as u64;
        let mut bytes = Vec::new();
        for record in records {
            entry::append(&Entry::Record(record), &mut bytes)?;
        }
        entry::append(&Entry::End { records: count }, &mut bytes)?;
        files::place(&self.directory.snapshot(number), &bytes)?;
        recovery::remove_before(&self.directory, number, &self.directory.list()?)?;
        // A large store is not rewritten for every small segment.
        self.segment_bytes_max = self.segment_bytes_max.max(bytes.len() as u64);
        self.snapshot_asked = false;
        info!(number, records = count, "snapshot taken");
        Ok(())
    }
}
