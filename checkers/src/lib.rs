//! Pure judges of leaderless replication: histories in, findings and verdicts out.
//!
//! No I/O, no clock, no threads, no hash maps. Everything here is a total function of the history.

pub mod guarantee;
pub mod history;
