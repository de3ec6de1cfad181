//! What a data directory remembers: its newest snapshot, and every segment since.
//!
//! A crash can tear only the end of the newest segment, and only what was never called durable: that is cut off. Damage anywhere else
//! is no crash and is not papered over.

use std::fs::{File, OpenOptions};
use std::path::Path;

use tracing::warn;

use crate::protocol::Record;

use super::directory::{Directory, Listing};
use super::entry::{Break, Entry};
use super::error::LogError;
use super::files;
use super::scan::{Scan, Step};

/// A log that is ready to be continued.
#[derive(Debug)]
pub(super) struct Recovered {
    /// How many records were read.
    pub(super) records: u64,
    /// The bytes of the newest snapshot; 0 if there is none.
    pub(super) snapshot_bytes: u64,
    /// The number of the segment to continue.
    pub(super) segment: u64,
    /// The segment, open at its end.
    pub(super) file: File,
    /// Its length, bytes.
    pub(super) segment_bytes: u64,
}

/// Reads everything durable, in the order in which it was written, and leaves only files that are still needed.
///
/// After an error, what was taken is of no use.
pub(super) fn recover(
    directory: &Directory,
    mut take: impl FnMut(Record),
) -> Result<Recovered, LogError> {
    let listing = directory.list()?;
    let mut records = 0;
    let mut take = |record| {
        records += 1;
        take(record);
    };
    let base = listing.snapshots.last().copied();
    let snapshot_bytes = match base {
        Some(number) => read_snapshot(&directory.snapshot(number), &mut take)?,
        None => 0,
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
            let path = directory.segment(newest);
            if let (_, Some(broken)) = read_segment(&path, &mut take)? {
                return Err(damaged(&path, broken));
            }
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
    let segment_bytes = read_newest(&path, &file, &mut take)?;
    Ok(Recovered {
        records,
        snapshot_bytes,
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

/// Reads a snapshot; returns its bytes.
fn read_snapshot(path: &Path, take: &mut impl FnMut(Record)) -> Result<u64, LogError> {
    let file = File::open(path).map_err(LogError::io("read", path))?;
    let mut scan = Scan::new(file);
    let mut records = 0;
    let mut ended = false;
    loop {
        let offset = scan.offset();
        let why = match scan.next().map_err(LogError::io("read", path))? {
            Step::Entry(Entry::Record(record)) if !ended => {
                records += 1;
                take(record);
                continue;
            }
            Step::Entry(Entry::End { records: all }) if !ended && all == records => {
                ended = true;
                continue;
            }
            Step::End if ended => return Ok(offset),
            Step::End => "the snapshot has no proper end",
            Step::Entry(_) => "the snapshot's end is not where it should be",
            Step::Broken(broken) => broken.why,
        };
        return Err(damaged(path, Break { offset, why }));
    }
}

/// Reads a segment up to its end or to where it makes no sense; returns the bytes until there.
fn read_segment(
    path: &Path,
    take: &mut impl FnMut(Record),
) -> Result<(u64, Option<Break>), LogError> {
    let file = File::open(path).map_err(LogError::io("read", path))?;
    let mut scan = Scan::new(file);
    loop {
        let offset = scan.offset();
        match scan.next().map_err(LogError::io("read", path))? {
            Step::Entry(Entry::Record(record)) => take(record),
            Step::Entry(Entry::End { .. }) => {
                let why = "the segment has a snapshot's end in it";
                return Err(damaged(path, Break { offset, why }));
            }
            Step::Broken(broken) => return Ok((offset, Some(broken))),
            Step::End => return Ok((offset, None)),
        }
    }
}

/// Reads the newest segment, and cuts off its torn end; returns the bytes that are left.
fn read_newest(path: &Path, file: &File, take: &mut impl FnMut(Record)) -> Result<u64, LogError> {
    let (whole_bytes, broken) = read_segment(path, take)?;
    if let Some(Break { offset, why }) = broken {
        let metadata = file.metadata().map_err(LogError::io("look at", path))?;
        let lost_bytes = metadata.len().saturating_sub(offset);
        warn!(path = %path.display(), offset, lost_bytes, why, "the log's torn end is cut off");
        file.set_len(whole_bytes)
            .map_err(LogError::io("cut", path))?;
        file.sync_all().map_err(LogError::io("sync", path))?;
    }
    Ok(whole_bytes)
}

fn damaged(path: &Path, Break { offset, why }: Break) -> LogError {
    LogError::Damaged {
        path: path.to_owned(),
        offset,
        why,
    }
}
