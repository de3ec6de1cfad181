//! The store as a state machine: no I/O, no clock, no threads, no randomness.
//!
//! [`Replica::step`] is the only way in, and everything that must happen comes back from it. `shell` runs it in a real process; a
//! simulator may run many of them in one thread. Both owe it the same: deliver what is sent (or lose it), write what is to be persisted
//! *in order* and say so with [`Input::Persisted`], and send a [`Input::Tick`] when [`Replica::deadline`] has come.

mod coordinator;
mod interface;
mod message;
mod read;
mod replica;
mod ring;
mod stamps;
mod store;
mod time;
mod version;
mod write;

#[cfg(test)]
mod tests;

pub use interface::{Input, Output, Tag};
pub use message::{PeerMessage, RequestId};
pub use replica::Replica;
pub use ring::Ring;
pub use store::Token;
pub use time::{Nanos, Now, WallNanos};
pub use version::{Key, Record, Version};
