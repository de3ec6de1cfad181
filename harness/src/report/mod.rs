//! Reports: a verdict told to people and machines. Nothing here judges.

pub mod counting;
pub mod explained;
pub mod model;
pub mod progress;
mod remarks;
pub mod replay;
pub mod scenario;
pub mod searching;
pub mod shrinking;
pub mod stream;
pub mod style;
pub mod text;
pub mod watching;
