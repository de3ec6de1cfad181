//! Histories: what was asked and what came back, in order, paired into operations.
//!
//! Nothing here judges. [`History::parse`] reads a file that is in memory, [`HistoryReader`] one that comes in blocks; this
//! crate opens none.

pub mod codec;
pub mod error;
pub mod event;
pub mod excerpt;
pub mod fault;
pub mod header;
pub mod index;
pub mod level;
pub(crate) mod names;
pub mod operation;
pub(crate) mod pairing;
pub mod settings;
mod windows;
mod writers;

pub use codec::HistoryReader;
pub use error::HistoryError;
pub use event::{Answer, Event, EventType, Evidence, F, Nanos, Process, Stamp, Value};
pub use fault::{Effect, FaultKind, FaultWindow};
pub use header::{FORMAT, Header, Quorum, ReadRepair, Sync, Values, Versions};
pub use index::Index;
pub use level::{Level, LevelName};
pub use operation::{Function, History, KeyId, NodeIndex, Operation, Status};
pub use settings::{
    DataCentre, HintHolder, Hints, Leader, Promotion, Purge, Replication, Settings, StampSource,
    Stamps,
};
