//! Tests of whole replicas talking to each other: `cluster.rs` is the little world they talk in.

pub(super) mod cluster;
mod golden;
mod incarnations;
mod refusals;
mod repair;
mod sabotage;
mod storm;
