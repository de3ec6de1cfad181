//! Sessions: does each client see what it did and saw before, and does what it sees agree with what others see?
//!
//! Everything here works on [`SessionOp`]s: operations as plain numbers, of one key or of many. Values are unique per key. Where the
//! operations come from is known to `import.rs` alone; promises and rows of a verdict are in `rows.rs`.

mod calm;
pub mod causal;
pub(crate) mod claims;
pub mod exposed;
mod graph;
mod import;
pub mod order;
pub mod rows;
mod scan;
mod shrink;
mod stretches;
mod tell;
#[cfg(test)]
pub(crate) mod tests;
pub mod trace;

pub use order::{Kind, Rules, Violation};
pub use tell::explain;
pub use trace::{Action, SessionOp};
