//! Sessions: does each client see what it did and saw before, and does what it sees agree with what others see?
//!
//! Everything here works on [`SessionOp`]s: operations as plain numbers, of one key or of many. Values are unique per key. Where the
//! operations come from is known to `import.rs` alone; promises and rows of a verdict are in `rows.rs`.

pub mod causal;
mod graph;
pub mod order;
mod scan;
mod shrink;
mod tell;
#[cfg(test)]
mod tests;
pub mod trace;

pub use order::{Kind, Rules, Violation};
pub use tell::explain;
pub use trace::{Action, SessionOp};
