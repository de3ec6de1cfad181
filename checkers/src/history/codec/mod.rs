//! File formats of histories. They turn bytes into events and back, and know nothing of operations.

mod jsonl;
mod line;

#[cfg(test)]
mod tests;
