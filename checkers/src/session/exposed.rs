//! Session guarantees where every answer tells its version: O(n), one remembered operation per session and guarantee.
//!
//! Versions are stamps, dots or anything else with a total order that the store shows. What a store says of its versions is a claim, and a
//! claim convicts nobody: `claims.rs` and the model `sessions` tell it beside what the values prove. (Terry et al., PDIS 1994.)

use crate::history::Status;
use crate::register::ValueId;

use super::graph::NONE;
use super::order::Kind;
use super::trace::{Action, SessionOp, is_sparse, renumbered};

/// An operation whose version is older than one of its session's before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Older {
    /// Position of the later operation in the list.
    pub later: u32,
    /// What it breaks.
    pub kind: Kind,
    /// Position of the earlier operation.
    pub earlier: u32,
}

/// What came of one key, or of several together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Pairs that were compared, in the order of [`Kind::ALL`].
    pub judged: [u64; 4],
    /// The violations, in the order of the list.
    pub violations: Vec<Older>,
}

/// What a session remembers: positions of operations.
#[derive(Clone, Copy)]
struct Memory {
    /// The read with the newest version.
    read: u32,
    /// The acknowledged write with the newest version.
    write: u32,
}

/// Judges the operations of one key, in the order of their invocations, with the version that each answer told.
///
/// Operations without a version are passed over, but for reads of the initial value, which is older than all versions. So are writes of
/// unknown outcome: their answer never came.
pub fn judge<V: Copy + Ord>(ops: &[SessionOp], versions: &[Option<V>]) -> Report {
    if is_sparse(ops) {
        return judge(&renumbered(ops), versions);
    }
    let processes = ops.iter().map(|op| op.process as usize + 1).max();
    let nothing = Memory {
        read: NONE,
        write: NONE,
    };
    let mut memory = vec![nothing; processes.unwrap_or(0)];
    let mut report = Report::default();
    for ((later, op), &version) in (0..).zip(ops).zip(versions) {
        let is_initial = op.action == Action::Read(ValueId::INITIAL);
        if op.status != Status::Ok || version.is_none() && !is_initial {
            continue;
        }
        let known = &mut memory[op.process as usize];
        let is_read = matches!(op.action, Action::Read(_));
        let kinds = if is_read {
            [Kind::MonotonicReads, Kind::ReadYourWrites]
        } else {
            [Kind::WritesFollowReads, Kind::MonotonicWrites]
        };
        for (kind, earlier) in kinds.into_iter().zip([known.read, known.write]) {
            let Some(before) = versions.get(earlier as usize) else {
                continue;
            };
            report.judged[kind as usize] += 1;
            // A read may return the same version again, a write never makes the same one.
            if version < *before || !is_read && version == *before {
                report.violations.push(Older {
                    later,
                    kind,
                    earlier,
                });
            }
        }
        let slot = if is_read {
            &mut known.read
        } else {
            &mut known.write
        };
        if versions
            .get(*slot as usize)
            .is_none_or(|newest| version >= *newest)
        {
            *slot = later;
        }
    }
    report
}
