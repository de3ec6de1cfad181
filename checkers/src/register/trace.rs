//! The operations of one register as plain numbers: the input of every judge in this room.
//!
//! Values are dense ids, times are ns (or positions, where a log has no times). What a failed compare-and-set means is decided
//! by whoever builds the trace: as a read, as nothing, or kept as a failed [`Action::Cas`] ("the value was not the expected one").

use crate::history::Status;

/// A value by its dense id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueId(pub u32);

impl ValueId {
    /// What the register holds before anything was written.
    pub const INITIAL: ValueId = ValueId(0);
}

/// What was asked of the register; for an ok read, what it answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A read that returned a value.
    Read(ValueId),
    /// A blind write.
    Write(ValueId),
    /// A compare-and-set.
    Cas {
        /// What the register must hold.
        expected: ValueId,
        /// What it holds afterwards.
        new: ValueId,
    },
}

/// One operation of one register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterOp {
    /// When it was invoked.
    pub call: u64,
    /// When it completed; [`Trace::NEVER`] if its outcome is unknown.
    pub ret: u64,
    /// What was asked.
    pub action: Action,
    /// How it ended. Reads that are not ok are not part of a trace.
    pub status: Status,
    /// Its place in the list that the trace was made from, for witnesses.
    pub place: u32,
}

/// The operations of one register, in the order of their invocations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The operations.
    pub ops: Vec<RegisterOp>,
    /// Ids of values are below this; the initial value is always one of them.
    pub values: u32,
}

impl Trace {
    /// Later than every real time.
    pub const NEVER: u64 = u64::MAX;

    /// The trace of some operations, in whatever order they come.
    pub fn of(mut ops: Vec<RegisterOp>) -> Trace {
        ops.sort_by_key(|op| (op.call, op.place));
        let named = ops.iter().map(|op| match op.action {
            Action::Read(value) | Action::Write(value) => value.0,
            Action::Cas { expected, new } => expected.0.max(new.0),
        });
        let values = named.max().unwrap_or(0).saturating_add(1);
        Trace { ops, values }
    }

    /// For each value, a write or compare-and-set of it that may have happened, as a place in [`Trace::ops`].
    pub fn writers(&self) -> Vec<Option<u32>> {
        let mut writers = vec![None; self.values as usize];
        for (at, op) in (0..).zip(&self.ops) {
            if let Some(value) = op.written()
                && let Some(writer) = writers.get_mut(value.0 as usize)
            {
                *writer = Some(at);
            }
        }
        writers
    }

    /// For each value that was there for certain, an operation that found it: an ok read, or a compare-and-set that
    /// happened. As places in [`Trace::ops`].
    pub fn seen_by(&self) -> Vec<Option<u32>> {
        let mut seen_by = vec![None; self.values as usize];
        let mut new = Vec::new();
        let mut see = |value: ValueId, by: u32, new: &mut Vec<ValueId>| {
            if let Some(seen) = seen_by.get_mut(value.0 as usize)
                && seen.is_none()
            {
                *seen = Some(by);
                new.push(value);
            }
        };
        for (at, op) in (0..).zip(&self.ops).filter(|(_, op)| op.is_ok()) {
            match op.action {
                Action::Read(value)
                | Action::Cas {
                    expected: value, ..
                } => {
                    see(value, at, &mut new);
                }
                Action::Write(_) => {}
            }
        }
        let writers = self.writers();
        while let Some(value) = new.pop() {
            let Some(writer) = writers[value.0 as usize] else {
                continue;
            };
            if let Action::Cas { expected, .. } = self.ops[writer as usize].action {
                see(expected, writer, &mut new);
            }
        }
        seen_by
    }
}

impl RegisterOp {
    /// Whether it happened for certain.
    pub fn is_ok(&self) -> bool {
        self.status == Status::Ok
    }

    /// The value that it wrote, or may have written.
    pub fn written(&self) -> Option<ValueId> {
        match self.action {
            Action::Write(value) | Action::Cas { new: value, .. }
                if self.status != Status::Fail =>
            {
                Some(value)
            }
            _ => None,
        }
    }

    /// When it was over for certain; [`Trace::NEVER`] if its outcome is unknown, whatever `ret` says.
    pub fn end(&self) -> u64 {
        if self.status == Status::Info {
            Trace::NEVER
        } else {
            self.ret
        }
    }

    /// Real-time order. Spans are closed: equal times are concurrent.
    pub fn precedes(&self, later: &RegisterOp) -> bool {
        self.end() < later.call
    }
}
