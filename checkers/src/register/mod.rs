//! One register: is what its clients saw linearizable, and how far from it?
//!
//! Everything here works on a [`Trace`]: the operations of one key, dense and without names. Where a trace comes from (our own
//! histories, or another tool's) is not known here.

pub mod certificate;
pub mod chains;
pub mod distance;
pub mod frontier;
pub mod linear;
pub mod minimise;
mod naming;
pub mod no_order;
pub mod stream;
pub(crate) mod table;
pub mod trace;
pub mod violation;
mod words;
pub mod zones;

#[cfg(test)]
pub(crate) mod testing;

pub use certificate::{Flaw, Order, verify};
pub use distance::{Age, Distance, ages, distance};
pub use linear::{Algorithm, Decision, Judgement, decide, decide_within};
pub use minimise::minimise;
pub use no_order::NoOrder;
pub use stream::RegisterStream;
pub use trace::{Action, RegisterOp, Trace, ValueId};
pub use violation::{Kind, Proof, Violation, Violations};
pub use zones::{Answer, Unfit};
