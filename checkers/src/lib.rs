//! Pure judges of leaderless replication: histories in, findings and verdicts out.
//!
//! No I/O, no clock, no threads, no hash maps. Everything here is a total function of the history:
//!
//! ```
//! use quorate_checkers::{History, judge};
//!
//! # fn judge_bytes(bytes: &[u8]) -> Result<String, quorate_checkers::HistoryError> {
//! let history = History::parse(bytes)?;
//! let verdict = judge(&history);
//! # Ok(verdict.to_json())
//! # }
//! ```

pub mod contract;
pub mod ddmin;
mod document;
pub mod executor;
pub mod explain;
pub mod exposure;
mod fenwick;
pub mod finding;
pub mod guarantee;
pub mod history;
pub mod log;
pub mod minimise;
pub mod model;
pub mod register;
pub mod set;
pub mod statistics;
mod sweep;
pub mod tale;
mod ties;
pub mod verdict;
pub mod witness;

pub mod availability;
mod census;
pub mod clock_loss;
pub mod concurrent_loss;
pub mod divergence;
pub mod failed_write;
pub mod inversion;
pub mod linearizability;
pub mod lost_write;
mod missing;
mod multivalue;
pub mod phantom;
pub mod resurrected_delete;
pub mod session;
pub mod siblings;
pub mod stale_read;
pub mod stream;
mod traces;

#[cfg(test)]
mod testing;

pub use contract::{Contract, Promise};
pub use executor::{Executor, Sequential};
pub use explain::Explanation;
pub use exposure::{Clocks, Exposure};
pub use finding::{Checker, Finding};
pub use guarantee::Guarantee;
pub use history::{History, HistoryError, Index};
pub use verdict::{Outcome, Row, Ruling, Verdict, judge, judge_with};
pub use witness::{Anomaly, Witness};
