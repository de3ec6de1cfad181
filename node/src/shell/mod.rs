//! The process around the protocol: sockets, timers, clocks, the log on disk, signals. It decides nothing about the store.
//!
//! [`run`] is a whole node process; [`serve`] is the same node without what only a process has (signals, standard streams), so that a
//! test can have several in one.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this is the impure half of the crate: it is here that clocks are read, files written and sockets opened"
)]

mod clients;
mod clock;
mod error;
mod intake;
mod link;
mod links;
mod log;
mod monitor;
mod node;
mod outbox;
mod peers;
mod process;
mod replies;
mod serve;
mod stream;

#[cfg(test)]
mod tests;

pub use error::NodeError;
pub use link::QUEUE_MESSAGES_MAX;
pub use log::{LogError, survivors};
pub use process::run;
pub use serve::serve;
