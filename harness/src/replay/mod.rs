//! Runs a saved plan again, in its own world or the other, and counts how often what it showed shows again.
//!
//! A simulated run repeats exactly, so its bytes are compared. Live interleavings never repeat, so a rate is all that can be
//! told. What the numbers mean to a person is in `report/replay.rs`.

mod attempt;
mod load;
mod original;
mod rebuild;
mod repeat;
mod simulated;
#[cfg(test)]
mod tests;
mod timeline;

pub use attempt::{Attempt, Sameness, Sighting};
pub use original::{Basis, Original, ReplayError, Saved};
pub use rebuild::{Notes, RebuildError, Rebuilt, rebuild};
pub use repeat::{Keep, Manner, Replay, Request, repeat};
