//! Reports: a verdict told to people and machines. Nothing here judges.

pub mod progress;
pub mod style;
pub mod text;
pub mod watching;
