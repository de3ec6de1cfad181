//! Shrinking in the simulated world: what is found becomes as small as a person would have written it, and stays true.
//!
//! What a script is and how a run is cut is tested where it is written; here whole runs are found, shrunk and run again.

#[path = "shrinking/found.rs"]
mod found;
#[path = "shrinking/promised.rs"]
mod promised;
#[path = "shrinking/same.rs"]
mod same;
