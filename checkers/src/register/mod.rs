//! One register: is what its clients saw linearizable, and how far from it?
//!
//! Everything here works on a [`Trace`]: the operations of one key, dense and without names. Where a trace comes from (our own
//! histories, or another tool's) is not known here.

pub mod trace;

pub use trace::{Action, RegisterOp, Trace, ValueId};
