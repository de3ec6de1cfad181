//! Who does several pieces of work, and how many of them at once.
//!
//! This crate spawns nothing. Where work can be cut into pieces that know nothing of each other it says so with an [`Executor`],
//! and whoever owns threads brings them. What comes out never depends on who did the work.

use crate::guarantee::Guarantee;

/// Does pieces of work.
pub trait Executor: Sync {
    /// How many pieces it can do at once.
    fn width(&self) -> usize;

    /// Does one piece of work per item. The results are in the order of the items.
    fn map<T, R, W>(&self, items: Vec<T>, work: W) -> Vec<R>
    where
        T: Send,
        R: Send,
        W: Fn(T) -> R + Send + Sync;

    /// Is told that one guarantee was judged, for whoever shows progress.
    fn judged(&self, _guarantee: Guarantee) {}
}

/// Does one piece after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sequential;

impl Executor for Sequential {
    fn width(&self) -> usize {
        1
    }

    fn map<T, R, W>(&self, items: Vec<T>, work: W) -> Vec<R>
    where
        T: Send,
        R: Send,
        W: Fn(T) -> R + Send + Sync,
    {
        items.into_iter().map(work).collect()
    }
}
