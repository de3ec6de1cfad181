//! File formats of histories. They turn bytes into events and back, and know nothing of operations.

mod canonical;
mod jsonl;
mod line;
mod reader;

pub(crate) use canonical::Line;
pub(crate) use jsonl::{is_json, refusal};
pub use reader::HistoryReader;

#[cfg(test)]
mod reader_tests;
#[cfg(test)]
mod tests;
