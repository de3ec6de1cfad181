//! The store as a state machine: no I/O, no clock, no threads, no randomness.
//!
//! [`Replica::step`] is the only way in, and everything that must happen comes back from it. `shell` runs it in a real process; a
//! simulator may run many of them in one thread. Both owe it the same: deliver what is sent (or lose it), write what is to be persisted
//! *in order* and say so with [`Input::Persisted`], and send a [`Input::Tick`] when [`Replica::deadline`] has come.

mod anti_entropy;
mod content;
mod coordinator;
mod gossip;
mod handoff;
mod hints;
mod histogram;
mod holdings;
mod interface;
pub mod leader;
mod links;
mod machine;
pub mod membership;
pub mod merkle;
mod message;
mod minting;
pub mod placement;
mod purge;
mod record;
mod replica;
mod report;
mod ring;
mod ring_change;
mod ring_copy;
mod siblings;
mod snapshot;
mod stamps;
mod store;
mod time;
mod topology;
mod version;

#[cfg(test)]
mod tests;

pub use content::{CONTENT_BYTES_MAX, Content};
pub use histogram::{BOUNDS_NS, Histogram, Took};
pub use interface::{Input, Output, Tag};
pub use machine::Machine;
pub use message::{PeerMessage, RequestId};
pub use record::Record;
pub use replica::Replica;
pub use ring::Ring;
pub use siblings::{Actor, Dot, Siblings, VersionVector};
pub use snapshot::Snapshot;
pub use store::Token;
pub use time::{Nanos, Now, WallNanos};
pub use topology::Topology;
pub use version::{Key, Version};
