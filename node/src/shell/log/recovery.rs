//! What a data directory remembers: its newest snapshot, and every segment since.
//!
//! A crash can tear only the end of the newest segment, and only what was never called durable: that is cut off. Damage anywhere else
//! is no crash and is not papered over.

use std::fs::{self, File, OpenOptions};
use std::path::Path;

use tracing::warn;

use crate::protocol::Record;

use super::directory::{Directory, Listing};
use super::entry::{self, Break, Entry};
use super::error::LogError;
use super::files;

/// A log that is ready to be continued.
#[derive(Debug)]
pub(super) struct Recovered {
    /// Everything durable, in the order in which it was written.
    pub(super) records: Vec<Record>,
    /// The number of the segment to continue.
    pub(super) segment: u64,
    /// The segment, open at its end.
    pub(super) file: File,
    /// Its length, bytes.
    pub(super) segment_bytes: u64,
}

/// Reads everything, and leaves only files that are still needed.
pub(super) fn recover(directory: &Directory) -> Result<Recovered, LogError> {
    let listing = directory.list()?;
    let base = listing.snapshots.last().copied();
    let mut records = match base {
        Some(number) => read_snapshot(&directory.snapshot(number))?,
        None => Vec::new(),
    };
    let first = base.unwrap_or(1);
    remove_before(directory, first, &listing)?;
    let segments = listing
        .segments
        .into_iter()
        .filter(|number| *number >= first);
    let mut newest = first;
    for (expected, number) in (first..).zip(segments) {
        if number != expected {
            return Err(LogError::Missing(directory.segment(expected)));
        }
        if number > first {
            // There is a later segment, so that the one before is not the newest and cannot be torn.
            records.extend(read_segment(&directory.segment(newest))?);
        }
        newest = number;
    }
    let path = directory.segment(newest);
    if !path.exists() && base.is_some() {
        return Err(LogError::Missing(path));
    }
    let mut open = OpenOptions::new();
    let file = open.append(true).create(true).open(&path);
    let file = file.map_err(LogError::io("open", &path))?;
    files::sync_directory(directory.path())?;
    let (tail, segment_bytes) = read_newest(&path, &file)?;
    records.extend(tail);
    Ok(Recovered {
        records,
        segment: newest,
        file,
        segment_bytes,
    })
}

/// Removes what a newer snapshot replaces.
pub(super) fn remove_before(
    directory: &Directory,
    first: u64,
    listing: &Listing,
) -> Result<(), LogError> {
    for number in listing.segments.iter().filter(|number| **number < first) {
        files::remove(&directory.segment(*number))?;
    }
    for number in listing.snapshots.iter().filter(|number| **number < first) {
        files::remove(&directory.snapshot(*number))?;
    }
    Ok(())
}

fn read_snapshot(path: &Path) -> Result<Vec<Record>, LogError> {
    let bytes = fs::read(path).map_err(LogError::io("read", path))?;
    let (mut entries, broken) = entry::scan(&bytes);
    let end = entries.pop();
    let records = records_of(entries).filter(|records| {
        let count = records.len() as u64;
        broken.is_none() && end == Some(Entry::End { records: count })
    });
    records.ok_or_else(|| {
        let cut_short = Break {
            offset: bytes.len(),
            why: "the snapshot has no proper end",
        };
        damaged(path, broken.unwrap_or(cut_short))
    })
}

fn read_segment(path: &Path) -> Result<Vec<Record>, LogError> {
    let bytes = fs::read(path).map_err(LogError::io("read", path))?;
    let (entries, broken) = entry::scan(&bytes);
    if let Some(broken) = broken {
        return Err(damaged(path, broken));
    }
    records_of(entries).ok_or_else(|| damaged(path, MISPLACED_END))
}

/// Reads the newest segment, and cuts off its torn end.
fn read_newest(path: &Path, file: &File) -> Result<(Vec<Record>, u64), LogError> {
    let bytes = fs::read(path).map_err(LogError::io("read", path))?;
    let (entries, broken) = entry::scan(&bytes);
    let whole_bytes = broken.map_or(bytes.len(), |broken| broken.offset) as u64;
    if let Some(Break { offset, why }) = broken {
        let lost_bytes = bytes.len() - offset;
        warn!(path = %path.display(), offset, lost_bytes, why, "the log's torn end is cut off");
        file.set_len(whole_bytes)
            .map_err(LogError::io("cut", path))?;
        file.sync_all().map_err(LogError::io("sync", path))?;
    }
    let records = records_of(entries).ok_or_else(|| damaged(path, MISPLACED_END))?;
    Ok((records, whole_bytes))
}

const MISPLACED_END: Break = Break {
    offset: 0,
    why: "the segment has a snapshot's end in it",
};

/// The records, if there is nothing but records.
fn records_of(entries: Vec<Entry>) -> Option<Vec<Record>> {
    let records = entries.into_iter().map(|entry| match entry {
        Entry::Record(record) => Some(record),
        Entry::End { .. } => None,
    });
    records.collect()
}

fn damaged(path: &Path, Break { offset, why }: Break) -> LogError {
    LogError::Damaged {
        path: path.to_owned(),
        offset,
        why,
    }
}
