//! Reading a data directory on a thread of its own, while the replica already takes what was read.

use std::iter;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use crate::protocol::Record;

use super::directory::Directory;
use super::error::LogError;
use super::recovery::{self, Recovered};

/// Records that are handed over at once, and how many such batches may wait.
const BATCH_RECORDS: usize = 1_024;
const BATCHES_MAX: usize = 8;

/// A directory that is being read.
#[derive(Debug)]
pub(super) struct Reading {
    batches: Receiver<Vec<Record>>,
    thread: JoinHandle<Result<Recovered, LogError>>,
}

impl Reading {
    pub(super) fn begin(directory: &Arc<Directory>) -> Result<Reading, LogError> {
        let (sender, batches) = sync_channel(BATCHES_MAX);
        let read = directory.clone();
        let thread = thread::Builder::new().name("recovery".to_owned());
        let thread = thread.spawn(move || read_all(&read, &sender));
        let thread = thread.map_err(LogError::io("start the thread for", directory.path()))?;
        Ok(Reading { batches, thread })
    }

    /// The records as they are read. Ends after the last, or at an error, which [`Reading::end`] tells.
    pub(super) fn records(&mut self) -> impl Iterator<Item = Record> {
        iter::from_fn(|| self.batches.recv().ok()).flatten()
    }

    /// Ends, all records taken. What nobody took is read nevertheless, for what it says about the log.
    pub(super) fn end(self, path: &Path) -> Result<Recovered, LogError> {
        self.batches.into_iter().for_each(drop);
        self.thread.join().unwrap_or_else(|_| {
            let gone = std::io::Error::other("the thread that did so panicked");
            Err(LogError::io("read", path)(gone))
        })
    }
}

fn read_all(
    directory: &Directory,
    batches: &SyncSender<Vec<Record>>,
) -> Result<Recovered, LogError> {
    let mut batch = Vec::with_capacity(BATCH_RECORDS);
    let recovered = recovery::recover(directory, |record| {
        batch.push(record);
        if batch.len() == BATCH_RECORDS {
            let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH_RECORDS));
            // Nobody listens if the start was given up: then nothing is lost.
            let _ = batches.send(full);
        }
    });
    let _ = batches.send(batch);
    recovered
}
