//! What can go wrong with a data directory.

use std::io;
use std::path::{Path, PathBuf};

/// The log, or the directory that it lives in, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A file operation failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another process uses the directory.
    #[error("{} is in use by another node: give each its own data directory", .0.display())]
    InUse(PathBuf),
    /// A file is damaged in a place that no crash damages.
    #[error("{} is damaged at byte {offset}: {why}; restore it from a copy, or start this node empty", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: u64,
        /// How.
        why: &'static str,
    },
    /// A file is not there although later ones are.
    #[error("{} is missing although later files are there; restore it from a copy, or start this node empty", .0.display())]
    Missing(PathBuf),
    /// The count of starts is no number.
    #[error("{} holds {text:?}, not a count of starts; restore it from a copy", path.display())]
    Epoch {
        /// The file.
        path: PathBuf,
        /// What it holds.
        text: String,
    },
    /// A record does not fit an entry.
    #[error("a record cannot be written: {0}")]
    Record(#[from] postcard::Error),
}

impl LogError {
    /// Gives an I/O error its context.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LogError {
        let path = path.to_owned();
        move |source| LogError::Io {
            action,
            path,
            source,
        }
    }
}
