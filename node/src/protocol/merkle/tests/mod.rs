//! Tests of trees and of whole exchanges. `replica.rs` is the little world: a side of an exchange, and the brute-force twin that every
//! comparison is held against.

mod cost;
mod exchanges;
mod golden;
mod hostile;
mod replica;
mod storm;
mod trees;
