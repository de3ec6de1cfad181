//! A leaderless (Dynamo-style) replicated store.
//!
//! `protocol` is the store itself: a deterministic state machine without I/O, clock or threads. `shell` is the process around it:
//! sockets, timers, the log on disk. `wire` and `config` are what the outside sees. The crate shares no type with its judges.

pub mod config;
pub mod protocol;
pub mod shell;
pub mod wire;
