//! From a violation to the fewest operations that show it: leave out one after another while a violation remains.
//!
//! What is left cannot lose any operation, so it is its own witness when it is judged alone. What is left out first decides what can be
//! left out later, so both ends are tried. It does not know what a violation is.

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
    let chosen = renumbered(&chosen);
    let late_first = left(&chosen, true, &broken);
    let early_first = left(&chosen, false, &broken);
    if early_first.len() < late_first.len() {
        early_first
    } else {
        late_first
    }
}

/// What is left when one operation after another is left out, the late ones first or the early ones.
fn left(
    chosen: &[SessionOp],
    late_first: bool,
    broken: &impl Fn(&[SessionOp]) -> bool,
) -> Vec<SessionOp> {
    let mut left = chosen.to_vec();
    loop {
        let before = left.len();
        for tried in 0..before {
            let at = if late_first {
                before - 1 - tried
            } else {
                // Those that were tried and are still there stand before the next one.
                tried - (before - left.len())
            };
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
