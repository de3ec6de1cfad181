//! A quick way to see that nothing is wrong: if every key is linearizable, so is the whole store, and then it is causal too.
//!
//! (Locality: Herlihy and Wing, TOPLAS 1990. Zones of a register with unique values: Gibbons and Korach, SIAM J. Comput. 1997.) It takes
//! O(n) whatever the number of sessions. When it says no, nothing follows.

use crate::history::History;
use crate::register::ValueId;

use super::import::Processes;
use super::scan::Writes;
use super::trace::SessionOp;

/// Whether each session does one thing strictly after another, so that its order is one of real time.
pub(super) fn is_sequential(history: &History, processes: &Processes) -> bool {
    let mut ended = vec![None; processes.len()];
    history.operations.iter().all(|op| {
        let ended = &mut ended[processes.number(op.process) as usize];
        let is_later = ended.is_none_or(|ended| ended < op.call);
        *ended = Some(op.ret);
        is_later
    })
}

/// The span that a value claims for itself: from the end of the first operation on it to the beginning of the last.
#[derive(Clone, Copy)]
struct Zone {
    first_end: u64,
    last_begin: u64,
}

impl Zone {
    /// Whether each of two values must come before the other.
    fn conflicts(self, other: Zone) -> bool {
        self.first_end < other.last_begin && other.first_end < self.last_begin
    }
}

/// Whether the operations of one key, in the order of their invocations, are explained by one order of all. Ids must be dense.
pub(super) fn is_linearizable(ops: &[SessionOp], writes: &Writes) -> bool {
    let mut initial_until = None;
    let mut soonest: Option<Zone> = None;
    // One walk backwards meets the zones in falling order of their ends, so it is enough to know the one that began first.
    let count = u32::try_from(ops.len()).unwrap_or(u32::MAX);
    for (at, op) in (0..count).zip(ops).rev() {
        let value = op.action.value();
        let is_read = op.is_ok_read();
        if !is_read && !op.is_live_write() {
            continue;
        }
        if is_read && value == ValueId::INITIAL {
            initial_until = initial_until.max(Some(op.call));
            continue;
        }
        let Some(write) = writes.happened(ops, value) else {
            // A write that nobody saw and that may never have happened; or a read from nowhere.
            if is_read {
                return false;
            }
            continue;
        };
        if is_read && op.ret <= ops[write.at as usize].call {
            return false;
        }
        if write.last != at {
            continue;
        }
        let zone = Zone {
            first_end: write.in_effect,
            last_begin: op.call,
        };
        if soonest.is_some_and(|soonest| zone.conflicts(soonest)) {
            return false;
        }
        if soonest.is_none_or(|soonest| zone.first_end < soonest.first_end) {
            soonest = Some(zone);
        }
    }
    soonest.is_none_or(|soonest| Some(soonest.first_end) >= initial_until)
}
