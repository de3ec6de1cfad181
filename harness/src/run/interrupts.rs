//! The signals that end a run early: SIGINT and SIGTERM.
//!
//! What they mean is up to whoever drives the run.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGINT and SIGTERM. Handlers are installed by hand because background jobs start with SIGINT ignored.
pub(super) struct Interrupts {
    int: Signal,
    term: Signal,
}

impl Interrupts {
    pub(super) fn new() -> std::io::Result<Interrupts> {
        Ok(Interrupts {
            int: signal(SignalKind::interrupt())?,
            term: signal(SignalKind::terminate())?,
        })
    }

    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.int.recv() => {}
            _ = self.term.recv() => {}
        }
    }
}
