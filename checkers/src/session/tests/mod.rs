//! The judges of sessions against brute force, on all small histories and on random ones, and against judges with a defect.
//!
//! `QUORATE_CASES`, when the tests are built, asks for another number of random histories.

pub(crate) mod causal;
mod draws;
mod exposed;
mod fewest;
pub(crate) mod order;
