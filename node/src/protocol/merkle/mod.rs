//! Anti-entropy: which keys do two replicas of one range of the ring hold differently?
//!
//! Both keep a hash [`Tree`] over what they hold of the range and compare from the root down, so that equal parts cost nothing (Merkle
//! 1987; for replicas, `DeCandia` et al. 2007, section 4.7). [`Exchange`] is the side that asks, [`answer`] the side that is asked, and
//! an answer leaves nothing behind. For d differing keys among n, O(d log(n/d)) nodes are compared; building a tree is O(n).
//!
//! This is *not* the repair: it names keys and moves no version, it knows digests and not which version wins, and it decides neither
//! when to compare nor with whom. Nor does it prove anything against a peer that lies: the hashes are fast, not cryptographic.
//!
//! ```
//! use quorate_node::protocol::Key;
//! use quorate_node::protocol::merkle::{
//!     Exchange, HashRange, Index, Shape, Side, Step, Tree, answer,
//! };
//!
//! let replica = |held: &[(&str, u64)]| {
//!     let mut contents = Index::default();
//!     for (key, digest) in held {
//!         contents.set(&Key::from(*key), Some(*digest));
//!     }
//!     (Tree::build(HashRange::FULL, Shape::default(), &contents), contents)
//! };
//! let (my_tree, mine) = replica(&[("k1", 5), ("k2", 3)]);
//! let (their_tree, theirs) = replica(&[("k1", 5), ("k2", 7)]);
//!
//! let mut exchange = Exchange::new(100, false);
//! let mut differ = Vec::new();
//! loop {
//!     match exchange.next(&my_tree, &mine) {
//!         Step::Ask(question) => {
//!             let answer = answer(&question, &their_tree, &theirs);
//!             exchange.hear(answer, &my_tree, &mine);
//!         }
//!         Step::Found(found) => differ.extend(found),
//!         Step::Finished => break,
//!         Step::GivenUp => panic!("nothing was lost"),
//!     }
//! }
//! assert_eq!(differ.len(), 1);
//! assert_eq!((differ[0].key.as_str(), differ[0].side), ("k2", Side::Both));
//! ```

mod address;
mod contents;
mod exchange;
mod listing;
mod message;
mod range;
mod responder;
mod tree;

#[cfg(test)]
mod tests;

pub use address::{Address, Fanout};
pub use contents::{Contents, Entry, Index};
pub use exchange::{ASKS_MAX, Effort, Exchange, FOUND_MAX, Step};
pub use listing::{Difference, Side};
pub use message::{Answer, Ask, Description, Listed, Question, Told, Wanted};
pub use range::HashRange;
pub use responder::{ANSWER_BYTES_MAX, answer};
pub use tree::{Shape, Summary, Tree};
