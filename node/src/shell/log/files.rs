//! Files that survive a crash whole: written under another name, synced, renamed, the directory synced.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::error::LogError;

/// The extension of files that are not finished.
pub(super) const TEMPORARY: &str = "tmp";

/// Puts a file in place, all of it or nothing.
pub(super) fn place(path: &Path, bytes: &[u8]) -> Result<(), LogError> {
    let temporary = unfinished(path);
    let mut file = File::create(&temporary).map_err(LogError::io("create", &temporary))?;
    file.write_all(bytes)
        .map_err(LogError::io("write", &temporary))?;
    file.sync_all().map_err(LogError::io("sync", &temporary))?;
    fs::rename(&temporary, path).map_err(LogError::io("rename to", path))?;
    path.parent().map_or(Ok(()), sync_directory)
}

/// Makes the names in a directory durable.
pub(super) fn sync_directory(path: &Path) -> Result<(), LogError> {
    let directory = File::open(path).map_err(LogError::io("open", path))?;
    directory.sync_all().map_err(LogError::io("sync", path))
}

/// The name of a file while it is not finished.
fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(TEMPORARY);
    name.into()
}

/// Removes a file that is no longer needed.
pub(super) fn remove(path: &Path) -> Result<(), LogError> {
    fs::remove_file(path).map_err(LogError::io("remove", path))
}
