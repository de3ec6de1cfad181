//! A quick way to see that nothing is wrong: if every key is linearizable, so is the whole store, and then it is causal too.
//!
//! (Locality: Herlihy and Wing, TOPLAS 1990. Zones of a register with unique values: Gibbons and Korach, SIAM J. Comput. 1997.) It takes
//! O(n log n) whatever the number of sessions. When it says no, nothing follows.

use crate::history::History;
use crate::register::ValueId;

use super::import::Processes;
use super::scan::Writes;
use super::trace::{Action, SessionOp};

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

/// Whether the operations of one key, in the order of their invocations, are explained by one order of all. Ids must be dense.
pub(super) fn is_linearizable(ops: &[SessionOp]) -> bool {
    let writes = Writes::of(ops);
    let mut zones: Vec<Option<Zone>> = vec![None; writes.values()];
    let mut initial_until = None;
    for op in ops {
        let value = op.action.value();
        if let Action::Read(_) = op.action {
            if !op.is_ok_read() {
                continue;
            }
            if value == ValueId::INITIAL {
                initial_until = initial_until.max(Some(op.call));
                continue;
            }
        }
        let Some(write) = writes.happened(ops, value) else {
            // A write that nobody saw and that may never have happened; or a read from nowhere.
            if op.is_ok_read() {
                return false;
            }
            continue;
        };
        if op.is_ok_read() && op.ret <= ops[write.at as usize].call {
            return false;
        }
        let zone = zones[value.0 as usize].get_or_insert(Zone {
            first_end: write.in_effect,
            last_begin: op.call,
        });
        zone.last_begin = zone.last_begin.max(op.call);
    }
    let mut zones: Vec<Zone> = zones.into_iter().flatten().collect();
    if zones
        .iter()
        .any(|zone| Some(zone.first_end) < initial_until)
    {
        return false;
    }
    zones.sort_by_key(|zone| zone.first_end);
    let mut latest: Option<Zone> = None;
    for zone in zones {
        if latest.is_some_and(|latest| {
            latest.last_begin > zone.first_end && latest.first_end < zone.last_begin
        }) {
            return false;
        }
        if latest.is_none_or(|latest| zone.last_begin > latest.last_begin) {
            latest = Some(zone);
        }
    }
    true
}
