//! A node's data directory: one process at a time, and a count of its starts.
//!
//! What the log's files are called is here; what is in them is `entry.rs`.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::error::LogError;
use super::files;

/// A data directory that this process has to itself.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// Locked for as long as it is open; the kernel lets go of it however the process ends.
    _lock: File,
}

impl Directory {
    /// Opens a data directory; makes one if there is none.
    pub(super) fn open(path: &Path) -> Result<Directory, LogError> {
        fs::create_dir_all(path).map_err(LogError::io("create", path))?;
        let lock_path = path.join("lock");
        let lock = File::create(&lock_path).map_err(LogError::io("create", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LogError::InUse(path.to_owned())),
            Err(TryLockError::Error(source)) => {
                return Err(LogError::io("lock", &lock_path)(source));
            }
        }
        let path = path.to_owned();
        Ok(Directory { path, _lock: lock })
    }

    /// Counts this start, durably, before anything else can know of it.
    pub(super) fn next_epoch(&self) -> Result<u64, LogError> {
        let path = self.path.join("epoch");
        let last = match fs::read_to_string(&path) {
            Ok(text) => match text.trim().parse::<u64>() {
                Ok(epoch) => epoch,
                Err(_) => return Err(LogError::Epoch { path, text }),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(error) => return Err(LogError::io("read", &path)(error)),
        };
        let epoch = last.saturating_add(1);
        files::place(&path, format!("{epoch}\n").as_bytes())?;
        Ok(epoch)
    }

    /// The directory itself.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The log segment of this number.
    pub(super) fn segment(&self, number: u64) -> PathBuf {
        self.path.join(format!("wal-{number:010}.log"))
    }

    /// The snapshot of everything before the segment of this number.
    pub(super) fn snapshot(&self, number: u64) -> PathBuf {
        self.path.join(format!("snapshot-{number:010}"))
    }

    /// What is there, ascending. Unfinished files are removed.
    pub(super) fn list(&self) -> Result<Listing, LogError> {
        let mut listing = Listing::default();
        let entries = fs::read_dir(&self.path).map_err(LogError::io("list", &self.path))?;
        for entry in entries {
            let path = entry.map_err(LogError::io("list", &self.path))?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == files::TEMPORARY)
            {
                files::remove(&path)?;
                continue;
            }
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or("");
            let segment = name
                .strip_prefix("wal-")
                .and_then(|name| name.strip_suffix(".log"));
            listing.segments.extend(segment.and_then(number));
            listing
                .snapshots
                .extend(name.strip_prefix("snapshot-").and_then(number));
        }
        listing.segments.sort_unstable();
        listing.snapshots.sort_unstable();
        Ok(listing)
    }
}

/// Numbers of the files in a data directory.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) segments: Vec<u64>,
    pub(super) snapshots: Vec<u64>,
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok()
}
