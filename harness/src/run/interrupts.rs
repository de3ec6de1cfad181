//! The signals that end a run early: SIGINT and SIGTERM.
//!
//! What they mean is up to whoever drives the run.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGINT and SIGTERM. Handlers are installed by hand because background jobs start with SIGINT ignored.
pub(crate) struct Interrupts {
    int: Signal,
    term: Signal,
}

impl Interrupts {
    pub(crate) fn new() -> std::io::Result<Interrupts> {
        Ok(Interrupts {
            int: signal(SignalKind::interrupt())?,
            term: signal(SignalKind::terminate())?,
        })
    }

    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.int.recv() => {}
            _ = self.term.recv() => {}
        }
    }

    /// Whether one has come since the last time somebody asked.
    pub(crate) async fn has_come(&mut self) -> bool {
        tokio::select! {
            biased;
            () = self.next() => true,
            // Lets the runtime look at what came from outside.
            () = tokio::task::yield_now() => false,
        }
    }
}
