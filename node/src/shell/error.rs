//! Why a node could not start, or stopped by itself.

use std::io;

use crate::config::ConfigError;

use super::log::LogError;

/// A node's own failure. What goes wrong with one connection or one request is not among these.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The seat makes no sense.
    #[error("the seat cannot be taken: {0}")]
    Seat(#[from] ConfigError),
    /// The data directory cannot be used, or a sync failed.
    #[error("the log failed: {0}")]
    Log(#[from] LogError),
    /// The log's thread is gone and left no reason.
    #[error("the log's thread ended unasked")]
    LogEnded,
    /// No port could be had.
    #[error("cannot listen on 127.0.0.1: {0}")]
    Listen(#[source] io::Error),
    /// The operating system refused something that the process needs.
    #[error("cannot {action}: {source}")]
    Process {
        /// What was tried.
        action: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// The process that started this node died before it could say hello.
    #[error("the process that started this node is gone")]
    Orphaned,
}

impl NodeError {
    /// Gives an I/O error its context.
    pub(super) fn process(action: &'static str) -> impl FnOnce(io::Error) -> NodeError {
        move |source| NodeError::Process { action, source }
    }
}
