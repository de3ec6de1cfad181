//! Tests of whole nodes talking to each other: `world.rs` is the little world they talk in, `storm.rs` what happens to it by chance,
//! `judge.rs` what is wrong about what clients then saw.

mod failover;
mod garbage;
mod judge;
mod replication;
mod split;
mod steps;
mod storm;
mod table;
mod world;
