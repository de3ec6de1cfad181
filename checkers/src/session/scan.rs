//! What the sessions of one key say about the order of its versions: pairs of operations, each with its kind.
//!
//! Reads whose value cannot have been there (nobody wrote it, its write failed or began later) are passed over: they are violations
//! of their own kind. It says which version must not be older than which; whether that can be is decided in `order.rs`.

use crate::history::Status;
use crate::register::ValueId;

use super::graph::NONE;
use super::order::Kind;
use super::trace::{Action, SessionOp};

/// A write that may have happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    /// When it was in effect at the latest: its own end, or the end of the first read that returned it.
    pub(super) in_effect: u64,
    /// Its position in the list of operations; [`NONE`] if nobody wrote the value.
    pub(super) at: u32,
    /// The read that ended first of those that returned it, by its position; [`NONE`] if nobody read it.
    pub(super) first_read: u32,
    /// The operation that began last, of it and those reads, by its position.
    pub(super) last: u32,
}

impl Written {
    const BY_NOBODY: Written = Written {
        in_effect: SessionOp::NEVER,
        at: NONE,
        first_read: NONE,
        last: NONE,
    };
}

/// The writes of one key by their values.
pub(super) struct Writes {
    /// For each value, its write.
    by_value: Vec<Written>,
}

impl Writes {
    /// The writes among operations of one key, and since when each was in effect.
    pub(super) fn of(ops: &[SessionOp]) -> Writes {
        let values = ops.iter().map(|op| op.action.value().0 as usize + 1);
        let mut by_value = vec![Written::BY_NOBODY; values.max().unwrap_or(1)];
        for (at, op) in (0..).zip(ops).filter(|(_, op)| op.is_live_write()) {
            let write = &mut by_value[op.action.value().0 as usize];
            if write.at == NONE {
                (write.at, write.last) = (at, at);
                if op.status == Status::Ok {
                    write.in_effect = op.ret;
                }
            }
        }
        for (at, op) in (0..).zip(ops).filter(|(_, op)| op.is_ok_read()) {
            let write = &mut by_value[op.action.value().0 as usize];
            if write.at == NONE || op.ret < ops[write.at as usize].call {
                continue;
            }
            if write.first_read == NONE || op.ret < ops[write.first_read as usize].ret {
                write.first_read = at;
            }
            write.in_effect = write.in_effect.min(op.ret);
            write.last = write.last.max(at);
        }
        Writes { by_value }
    }

    /// Number of values, the initial one included.
    pub(super) fn values(&self) -> usize {
        self.by_value.len()
    }

    /// The write of a value, if anybody wrote it.
    fn written(&self, value: u32) -> Option<&Written> {
        let write = self.by_value.get(value as usize)?;
        (write.at != NONE).then_some(write)
    }

    /// The write of a value, if it is known to have happened: acknowledged, or read.
    pub(super) fn happened(&self, ops: &[SessionOp], value: ValueId) -> Option<&Written> {
        let write = self.written(value.0)?;
        let known = ops[write.at as usize].status == Status::Ok || write.first_read != NONE;
        known.then_some(write)
    }

    /// Where a value stands when all are ordered by the beginnings of their writes; the initial one is 0.
    pub(super) fn rank(&self, value: u32) -> u32 {
        let write = self.written(value);
        write.map_or(0, |write| write.at.saturating_add(1))
    }

    /// A time at which a value may have been there, if all had one order: between the end of the first operation on it and the beginning
    /// of the last. Such times never go back where nothing is wrong. The initial value was there before all times.
    pub(super) fn moment(&self, ops: &[SessionOp], value: u32) -> u64 {
        self.written(value).map_or(0, |write| {
            let last_call = ops[write.last as usize].call;
            write.in_effect.min(last_call).saturating_add(1)
        })
    }

    /// Whether a read can have returned what it did.
    fn is_sound(&self, ops: &[SessionOp], read: &SessionOp) -> bool {
        let value = read.action.value();
        value == ValueId::INITIAL
            || self
                .written(value.0)
                .is_some_and(|write| ops[write.at as usize].call <= read.ret)
    }
}

/// Two operations of one session, the earlier one first, by their positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) kind: Kind,
    pub(super) earlier: u32,
    pub(super) later: u32,
}

/// Tells all pairs that matter, in the order of the later operations: each read with the last read and the last acknowledged write
/// of its session before it, and each write likewise. With `initial`, reads of the initial value count too.
///
/// Nothing follows from a write of unknown outcome for what its session does later: it may take effect after that.
pub(super) fn pairs(ops: &[SessionOp], writes: &Writes, initial: bool, mut tell: impl FnMut(Pair)) {
    let processes = ops.iter().map(|op| op.process as usize + 1).max();
    // Per session: the last read, and the last acknowledged write.
    let mut last = vec![(NONE, NONE); processes.unwrap_or(0)];
    for (later, op) in (0..).zip(ops) {
        let value = op.action.value();
        let counts = match op.action {
            Action::Read(_) => {
                op.is_ok_read()
                    && (initial || value != ValueId::INITIAL)
                    && writes.is_sound(ops, op)
            }
            Action::Write(_) => op.is_live_write() && writes.happened(ops, value).is_some(),
        };
        if !counts {
            continue;
        }
        let (read, write) = &mut last[op.process as usize];
        let (after_read, after_write) = match op.action {
            Action::Read(_) => (Kind::MonotonicReads, Kind::ReadYourWrites),
            Action::Write(_) => (Kind::WritesFollowReads, Kind::MonotonicWrites),
        };
        for (kind, earlier) in [(after_read, *read), (after_write, *write)] {
            if earlier != NONE && ops[earlier as usize].ret <= op.call {
                tell(Pair {
                    kind,
                    earlier,
                    later,
                });
            }
        }
        match op.action {
            Action::Read(_) => *read = later,
            Action::Write(_) if op.status == Status::Ok => *write = later,
            Action::Write(_) => {}
        }
    }
}
