//! The directory of a run: where each value of the straight line is a file.
//!
//! It knows names and places, never contents: what a plan or a verdict looks like is its own business.

mod directory;
mod reference;

pub(crate) use directory::at;
pub use directory::{HistoryFile, ResultsError, RunDirectory};
pub use reference::{Found, find, find_history};
