//! What can go wrong with the world itself.
//!
//! These are failures of the harness or of its machine, never outcomes of operations.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use thiserror::Error;

/// A failure of the live world.
#[derive(Debug, Error)]
pub enum WorldError {
    /// The path of this executable is unknown.
    #[error("cannot find this executable, name one with LaunchOptions.program: {source}")]
    OwnProgram {
        /// Why.
        source: io::Error,
    },
    /// A file or directory of the run could not be read or written.
    #[error("cannot {action} {path}: {source}")]
    File {
        /// What was attempted, a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A seat could not be put into words.
    #[error("cannot write the seat of n{node} as JSON: {source}")]
    Seat {
        /// The node.
        node: u16,
        /// Why.
        source: serde_json::Error,
    },
    /// A thread of the harness could not be started, or its runtime not be built.
    #[error("cannot start the {thread} thread: {source}")]
    Thread {
        /// Its name.
        thread: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A thread of the harness has ended before its time.
    #[error("the {thread} thread has ended; see the log")]
    ThreadGone {
        /// Its name.
        thread: &'static str,
    },
    /// A proxy could not listen.
    #[error("cannot listen on 127.0.0.1 for the link n{from} -> n{to}: {source}")]
    Bind {
        /// Sender.
        from: u16,
        /// Receiver.
        to: u16,
        /// Why.
        source: io::Error,
    },
    /// A node could not be started.
    #[error("cannot start n{node} with {program}: {source}")]
    Spawn {
        /// The node.
        node: u16,
        /// What was to be run.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A node process is there already.
    #[error("n{node} is running already")]
    Running {
        /// The node.
        node: u16,
    },
    /// There is no node with this number.
    #[error("there is no n{node} in this cluster")]
    NoSuchNode {
        /// The number.
        node: u16,
    },
    /// A node ended before it was ready.
    #[error("n{node} ended before it was ready; its last words:\n{last_words}")]
    EndedEarly {
        /// The node.
        node: u16,
        /// The end of its stderr.
        last_words: String,
    },
    /// A node was not ready in time.
    #[error("n{node} printed no ready line within {waited:?}; its last words:\n{last_words}")]
    NotReady {
        /// The node.
        node: u16,
        /// How long it was given.
        waited: Duration,
        /// The end of its stderr.
        last_words: String,
    },
    /// The line that a node printed is not a ready line of it.
    #[error("n{node} printed {line:?} where its ready line was due")]
    BadReadyLine {
        /// The node.
        node: u16,
        /// The line.
        line: String,
    },
    /// The cluster did not come together.
    #[error("nodes are not connected after {waited:?}: {missing}")]
    NotConnected {
        /// How long they were given.
        waited: Duration,
        /// Which node misses which peers.
        missing: String,
    },
    /// Links did not obey.
    #[error("cannot heal the network: {why}")]
    Network {
        /// Why.
        why: String,
    },
    /// A node refused or did not answer a control request.
    #[error("n{node} did not {request}: {why}")]
    Control {
        /// The node.
        node: u16,
        /// What was asked.
        request: &'static str,
        /// Why not.
        why: String,
    },
    /// A signal could not be sent, or its effect was not seen in time.
    #[error("cannot {action} n{node}: {why}")]
    Signal {
        /// What was attempted, a verb.
        action: &'static str,
        /// The node.
        node: u16,
        /// Why.
        why: String,
    },
}

/// A node ended although nobody here ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeDied {
    /// The node.
    pub node: u16,
    /// How it ended.
    pub status: ExitStatus,
}

/// How a node was at the end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeEnd {
    /// It was down already.
    WasDown,
    /// It ended by itself when asked to.
    Ended(ExitStatus),
    /// It did not end in time and was killed.
    Killed,
}
