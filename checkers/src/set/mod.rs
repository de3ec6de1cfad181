//! One set: clients add elements to it and read all of it. Is anything lost, stale, or otherwise not as it should be?
//!
//! Everything here works on a [`SetHistory`]: the operations of one set, dense and without names. Where it comes from is not known
//! here; [`SetHistory::builder`] is how it is made. The judges:
//!
//! - [`grow_only()`]: is there an order of the operations that explains every reply? Exact, with a proof either way.
//! - [`full()`]: what became of every element: stable, lost, never read; and how long until it was there for good.
//! - [`last_read()`]: does the last read have all that was acknowledged?
//! - [`read_modify_write()`]: the same question in the classic eight lines.

mod builder;
pub mod certificate;
mod chain;
pub mod eight_lines;
mod fate;
mod final_read;
pub mod full;
pub mod grow_only;
mod history;
pub mod last_read;
mod latency;
mod names;
mod order;
mod presence;
pub mod read_modify_write;
mod rule;
mod sift;
#[cfg(test)]
mod testing;
mod validity;
mod violation;
mod words;

pub use builder::{SetHistoryBuilder, SetOp};
pub use eight_lines::{Contention, EightLines};
pub use full::{FullOptions, SetFull, full};
pub use grow_only::{GrowOnly, grow_only};
pub use history::{Add, NEVER, SetHistory, SetRead};
pub use last_read::{LastRead, last_read};
pub use latency::Quantiles;
pub use names::{Element, ElementNames, ElementRef, intervals};
pub use read_modify_write::{ReadModifyWrite, read_modify_write};
pub use validity::{JepsenSays, Validity};
pub use violation::{Kind, VIOLATIONS_KEPT_MAX, Violation};
