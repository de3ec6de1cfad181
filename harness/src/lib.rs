//! The harness: everything impure. It makes plans, runs clusters, breaks them, writes histories, and tells people what came of it.
//!
//! The straight line: [`plan`] -> [`world`] (driven by [`conductor`] in [`run`]) -> history -> findings and verdict (crate
//! `quorate-checkers`) -> [`report`]. Every arrow is one function; every value is a file in the run's directory ([`results`]).

pub mod archive;
pub mod cli;
pub mod conductor;
pub mod exit;
pub mod fault;
pub mod gate;
pub mod input;
pub mod judging;
pub mod plan;
pub mod profile;
pub mod replay;
pub mod report;
pub mod results;
pub mod run;
pub mod scenario;
pub mod search;
pub mod shrink;
pub mod spacetime;
pub mod streaming;
pub mod target;
pub mod trial;
pub mod world;
