//! Files that survive a crash whole: written under another name, synced, renamed, the directory synced.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::error::LogError;

/// The extension of files that are not finished.
pub(super) const TEMPORARY: &str = "tmp";

/// Puts a file in place, all of it or nothing.
pub(super) fn place(path: &Path, bytes: &[u8]) -> Result<(), LogError> {
    let mut file = Unfinished::create(path.to_owned())?;
    file.write(bytes)?;
    file.place()
}

/// A file that has another name until all of it is there.
#[derive(Debug)]
pub(super) struct Unfinished {
    path: PathBuf,
    temporary: PathBuf,
    file: File,
}

impl Unfinished {
    /// Begins a file that will be called `path`.
    pub(super) fn create(path: PathBuf) -> Result<Unfinished, LogError> {
        let temporary = unfinished(&path);
        let file = File::create(&temporary).map_err(LogError::io("create", &temporary))?;
        Ok(Unfinished {
            path,
            temporary,
            file,
        })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), LogError> {
        let written = self.file.write_all(bytes);
        written.map_err(LogError::io("write", &self.temporary))
    }

    /// Makes durable what was written so far.
    pub(super) fn sync(&self) -> Result<(), LogError> {
        let synced = self.file.sync_data();
        synced.map_err(LogError::io("sync", &self.temporary))
    }

    /// Gives it its name, durably.
    pub(super) fn place(self) -> Result<(), LogError> {
        let synced = self.file.sync_all();
        synced.map_err(LogError::io("sync", &self.temporary))?;
        let renamed = fs::rename(&self.temporary, &self.path);
        renamed.map_err(LogError::io("rename to", &self.path))?;
        self.path.parent().map_or(Ok(()), sync_directory)
    }
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
