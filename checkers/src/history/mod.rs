//! Histories: what was asked and what came back, in order, paired into operations.

pub mod event;
pub mod fault;
pub mod header;

pub use event::{Answer, Event, EventType, Evidence, F, Nanos, Process, Stamp, Value};
pub use fault::{Effect, FaultKind, FaultWindow};
pub use header::{FORMAT, Header, Quorum, ReadRepair, Sync};
