//! From a violation to the fewest operations that show it: leave out one after another while a violation remains.
//!
//! What is left cannot lose any operation, so it is its own witness when it is judged alone. It does not know what a
//! violation is.

use super::trace::{SessionOp, renumbered};

/// The operations at these positions, without those that are not needed to break the rule.
pub(super) fn shrunk(
    ops: &[SessionOp],
    positions: impl IntoIterator<Item = u32>,
    broken: impl Fn(&[SessionOp]) -> bool,
) -> Vec<SessionOp> {
    let mut positions: Vec<u32> = positions.into_iter().collect();
    positions.sort_unstable();
    positions.dedup();
    let chosen: Vec<SessionOp> = positions
        .iter()
        .filter_map(|&at| ops.get(at as usize).copied())
        .collect();
    let mut left = renumbered(&chosen);
    loop {
        let before = left.len();
        let mut at = left.len();
        while at > 0 {
            at -= 1;
            let mut fewer = left.clone();
            fewer.remove(at);
            if broken(&renumbered(&fewer)) {
                left = fewer;
            }
        }
        if left.len() == before {
            return renumbered(&left);
        }
    }
}
