//! Judging a history while it is read: what can be said of each read when it has returned, in the memory of what is under way.
//!
//! A stream knows whether each key without deletes is linearizable, and counts phantoms, visible refused writes, stale reads and inversions as the judges
//! of whole histories do. What needs the whole is not here: the census, and so lost writes, clock loss and convergence; availability;
//! resurrection as such (a read that misses a delete is a stale read here); and the witness, for which the file must be looked at again.
//!
//! What it cannot tell: a value that can no longer be read is taken for an old one of its key if the key has seen a larger one, although it
//! may have been another key's. An inversion whose older value was forgotten counts as a stale read only, so inversions are *at least* so many.
//! A process that goes on after an operation of unknown outcome is not refused. A value from nowhere whose write is refused later is a phantom.
//!
//! Memory: some hundred bytes per key, 40 to 100 per unresolved write of unknown outcome, 8 per refused one, and what is held back: all events since
//! the oldest operation under way began, at most about a million.

mod follower;
mod hold;
mod judge;
pub(crate) mod key;
mod lines;
mod proof;
mod reader;
mod result;
mod verdict;

#[cfg(test)]
mod tests;

pub use follower::Follower;
pub use judge::{Alarm, StreamJudge};
pub use proof::{Proof, Prover};
pub use reader::{Read, StreamReader};
pub use result::Streamed;
