//! An executor that does the last piece first, so that nothing can lean on the order of the work.

use crate::executor::Executor;

/// Does the last piece first.
pub(crate) struct Backwards;

impl Executor for Backwards {
    fn width(&self) -> usize {
        3
    }

    fn map<T, R, W>(&self, items: Vec<T>, work: W) -> Vec<R>
    where
        T: Send,
        R: Send,
        W: Fn(T) -> R + Send + Sync,
    {
        let mut results: Vec<R> = items.into_iter().rev().map(work).collect();
        results.reverse();
        results
    }
}
