//! The harness: everything impure.

pub mod fault;
pub mod world;
