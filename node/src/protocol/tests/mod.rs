//! Tests of whole replicas talking to each other: `cluster.rs` is the little world they talk in.

mod anti_entropy;
pub(super) mod cluster;
mod digests;
mod golden;
mod handoff;
mod hostile;
mod incarnations;
mod limits;
mod refusals;
mod repair;
mod ring;
mod sabotage;
mod siblings;
mod sloppy;
mod snapshots;
mod storm;
