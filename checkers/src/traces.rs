//! From a history to one [`Trace`] per key, as the register judges want it: dense values instead of what was written.
//!
//! A delete writes "nothing", which is also what the key holds in the beginning. Census answers are no reads of the register:
//! they ask one replica each. Where every value was written once, the index knows already who wrote what; else equal values get equal ids.
//! Nothing is judged here.

use crate::history::index::{KeyIndex, Read, Source, Write};
use crate::history::{Function, History, Index, KeyId, Operation, Status, Value};
use crate::missing::WRITTEN_TWICE;
use crate::register::{Action, RegisterOp, Trace, ValueId};

/// One key of a history.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyTrace {
    /// Its operations; places are those in `History::operations`.
    pub(crate) trace: Trace,
    /// How many ok reads it has.
    pub(crate) reads: u64,
    /// Whether something was written that is no integer, or by an operation that nobody knows: then values have no ids, and there is
    /// no trace.
    pub(crate) is_foreign: bool,
}

/// The traces of a history, in the order of its keys. Each is made when it is asked for, but those of keys with repeated values, which
/// are made together.
pub(crate) fn of(history: &History, index: &Index) -> impl Iterator<Item = KeyTrace> {
    let repeats = |key: &KeyIndex| key.unmapped == Some(WRITTEN_TWICE);
    let mut repeating = if index.keys.iter().any(repeats) {
        by_values(history, |key| repeats(&index.keys[key.0 as usize]))
    } else {
        Vec::new()
    };
    index
        .keys
        .iter()
        .enumerate()
        .map(move |(at, key)| match key.unmapped {
            None => of_mapped(key),
            Some(WRITTEN_TWICE) => std::mem::take(&mut repeating[at]),
            Some(_) => KeyTrace {
                is_foreign: true,
                ..KeyTrace::default()
            },
        })
}

/// The trace of a key whose values are mapped to writes: the id of a value is the place of its write, from 1.
fn of_mapped(key: &KeyIndex) -> KeyTrace {
    let id = |at: usize| ValueId(u32::try_from(at + 1).unwrap_or(u32::MAX));
    let mut values = id(key.writes.len()).0;
    let mut ops = Vec::with_capacity(key.writes.len() + key.reads.len());
    let written = |(at, write): (usize, &Write)| RegisterOp {
        call: write.call.0,
        ret: write.ret.0,
        action: Action::Write(if write.is_delete() {
            ValueId::INITIAL
        } else {
            id(at)
        }),
        status: write.status,
        place: place(write.operation()),
    };
    let mut value = |read: &Read| match read.source() {
        Source::Nothing => ValueId::INITIAL,
        Source::Written(at) | Source::Refused(at) | Source::Future(at) => id(at),
        Source::Nobody => {
            values = values.saturating_add(1);
            ValueId(values - 1)
        }
    };
    let mut writes = key.writes.iter().enumerate().peekable();
    for read in &key.reads {
        while let Some(next) = writes.next_if(|(_, write)| write.operation() < read.operation()) {
            ops.push(written(next));
        }
        ops.push(RegisterOp {
            call: read.call.0,
            ret: read.ret.0,
            action: Action::Read(value(read)),
            status: Status::Ok,
            place: place(read.operation()),
        });
    }
    ops.extend(writes.map(written));
    KeyTrace {
        trace: Trace { ops, values },
        reads: key.reads.len() as u64,
        is_foreign: false,
    }
}

/// A history has fewer operations than numbers of 32 bits.
fn place(operation: usize) -> u32 {
    u32::try_from(operation).unwrap_or(u32::MAX)
}

/// The traces of some keys by the values that were written and read, in the order of all keys.
fn by_values(history: &History, is_wanted: impl Fn(KeyId) -> bool) -> Vec<KeyTrace> {
    let parts = || {
        let all = (0..).zip(&history.operations);
        all.filter(|(_, op): &(u32, &Operation)| is_part(op) && is_wanted(op.key))
    };
    let mut ids = Ids::of_keys(history.keys.len(), || parts().map(|(_, op)| op));
    let open = |ids: &Ids| KeyTrace {
        trace: Trace {
            ops: Vec::with_capacity(ids.operations),
            values: ids.next,
        },
        ..KeyTrace::default()
    };
    let mut keys: Vec<KeyTrace> = ids.iter().map(open).collect();
    for (place, operation) in parts() {
        let at = operation.key.0 as usize;
        let (key, ids) = (&mut keys[at], &mut ids[at]);
        let is_read = operation.f == Function::Read;
        let value = match (operation.f, &operation.value) {
            (Function::Delete, _) => ValueId::INITIAL,
            (_, Value::Nil) if is_read => ValueId::INITIAL,
            (_, Value::Int(value)) => ids.id(*value),
            // Nobody can have written what a read returned here.
            _ => ids.fresh(),
        };
        key.trace.values = ids.next;
        key.reads += u64::from(is_read);
        key.trace.ops.push(RegisterOp {
            call: operation.call.0,
            ret: operation.ret.0,
            action: if is_read {
                Action::Read(value)
            } else {
                Action::Write(value)
            },
            status: operation.status,
            place,
        });
    }
    keys
}

/// Whether the register judges are to see an operation.
fn is_part(operation: &Operation) -> bool {
    match operation.f {
        Function::Census => false,
        Function::Read => operation.status == Status::Ok,
        Function::Write | Function::Delete => true,
    }
}

/// Slots that a table of ids may have per operation, and those that any table may have.
const SLOTS_PER_OPERATION_MAX: u64 = 4;
const SLOTS_FREE: u64 = 64;

/// The ids of the values of one key. Values of our own workloads are dense, so a plain table finds them; any others are sorted.
struct Ids {
    /// How many operations the key has.
    operations: usize,
    /// The next id that is free.
    next: u32,
    table: Table,
}

enum Table {
    /// One slot per value from `least` on; the id of the initial value is in those that have none yet.
    Dense { least: i64, ids: Vec<u32> },
    /// The values, ascending. Their ids are their places, from 1.
    Sorted(Vec<i64>),
}

impl Ids {
    /// Those of each of so many keys with some operations.
    fn of_keys<'a, P: Iterator<Item = &'a Operation>>(
        keys: usize,
        parts: impl Fn() -> P,
    ) -> Vec<Ids> {
        let mut spans = vec![(i64::MAX, i64::MIN, 0_u64); keys];
        for operation in parts() {
            let (least, most, count) = &mut spans[operation.key.0 as usize];
            *count += 1;
            if let Value::Int(value) = operation.value {
                (*least, *most) = ((*least).min(value), (*most).max(value));
            }
        }
        let mut all: Vec<Ids> = spans.iter().map(|&span| Ids::spanning(span)).collect();
        for operation in parts() {
            if let (Table::Sorted(values), Value::Int(value)) =
                (&mut all[operation.key.0 as usize].table, &operation.value)
            {
                values.push(*value);
            }
        }
        for ids in &mut all {
            if let Table::Sorted(values) = &mut ids.table {
                values.sort_unstable();
                values.dedup();
                ids.next = u32::try_from(values.len()).map_or(u32::MAX, |n| n.saturating_add(1));
            }
        }
        all
    }

    fn spanning((least, most, count): (i64, i64, u64)) -> Ids {
        let slots = if least > most {
            0
        } else {
            most.abs_diff(least).saturating_add(1)
        };
        let table = match usize::try_from(slots) {
            Ok(length) if slots <= count * SLOTS_PER_OPERATION_MAX + SLOTS_FREE => Table::Dense {
                least,
                ids: vec![ValueId::INITIAL.0; length],
            },
            _ => Table::Sorted(Vec::new()),
        };
        Ids {
            operations: usize::try_from(count).unwrap_or(0),
            next: 1,
            table,
        }
    }

    /// The id of a value of this key.
    fn id(&mut self, value: i64) -> ValueId {
        match &mut self.table {
            Table::Dense { least, ids } => {
                let slot = usize::try_from(value.abs_diff(*least)).unwrap_or(usize::MAX);
                let Some(id) = ids.get_mut(slot) else {
                    return self.fresh();
                };
                if *id == ValueId::INITIAL.0 {
                    *id = self.next;
                    self.next = self.next.saturating_add(1);
                }
                ValueId(*id)
            }
            Table::Sorted(values) => {
                let place = values.partition_point(|&other| other < value);
                ValueId(u32::try_from(place).map_or(u32::MAX, |place| place.saturating_add(1)))
            }
        }
    }

    /// An id for what is no integer.
    fn fresh(&mut self) -> ValueId {
        let id = ValueId(self.next);
        self.next = self.next.saturating_add(1);
        id
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{any_history, draw};

    fn by_all_values(history: &History) -> Vec<KeyTrace> {
        by_values(history, |_| true)
    }

    proptest! {
        /// Ids may differ, but not which of them are equal.
        #[test]
        fn the_index_knows_values_as_well_as_the_values_themselves(drawn in any_history()) {
            let history = drawn.0;
            let index = Index::of(&history);
            let keys = of(&history, &index).zip(by_all_values(&history)).zip(&index.keys);
            for ((known, told), _) in keys.filter(|(_, key)| key.unmapped.is_none()) {
                prop_assert!(!known.is_foreign);
                prop_assert_eq!(known.reads, told.reads);
                prop_assert_eq!(known.trace.ops.len(), told.trace.ops.len());
                let mut pairs = Vec::new();
                for (op, other) in known.trace.ops.iter().zip(&told.trace.ops) {
                    let with = |op: &RegisterOp, value| RegisterOp { action: value, ..*op };
                    let (value, other_value) = match (op.action, other.action) {
                        (Action::Read(value), Action::Read(other))
                        | (Action::Write(value), Action::Write(other)) => (value, other),
                        unequal => panic!("{unequal:?}"),
                    };
                    prop_assert!(value.0 < known.trace.values);
                    let blank = Action::Read(ValueId::INITIAL);
                    prop_assert_eq!(with(op, blank), with(other, blank));
                    pairs.push((value, other_value));
                }
                let written = |value: ValueId| {
                    known.trace.ops.iter().any(|op| op.action == Action::Write(value))
                };
                for &(a, x) in &pairs {
                    prop_assert_eq!(a == ValueId::INITIAL, x == ValueId::INITIAL);
                    // What nobody wrote has an id of its own for each read.
                    for &(b, y) in pairs.iter().filter(|_| written(a)) {
                        prop_assert_eq!(a == b, x == y);
                    }
                }
            }
        }
    }

    #[test]
    fn values_get_ids_per_key_and_deletes_write_nothing() {
        let history = draw(
            "
            c1: |--w k 7--| |--w j 7--| |--d k--|
            c2:   |--r k 9--|   |--r k nil--|   |--r k 7--?
            n1:                                                |c k 7|",
        );
        let traces = by_all_values(&history);
        let actions = |key: usize| -> Vec<Action> {
            traces[key].trace.ops.iter().map(|op| op.action).collect()
        };
        let (seven, nine) = (ValueId(1), ValueId(2));
        assert_eq!(
            actions(0),
            [
                Action::Write(seven),
                Action::Read(nine),
                Action::Read(ValueId::INITIAL),
                Action::Write(ValueId::INITIAL),
            ]
        );
        assert_eq!(actions(1), [Action::Write(seven)]);
        assert_eq!((traces[0].reads, traces[0].trace.values), (2, 3));
    }

    #[test]
    fn values_far_apart_get_ids_as_well() {
        let mut history = draw(
            "
            c1: |--w k 7--|   |--w k 8--|
            c2:                            |--r k 7--|   |--r k 9--|",
        );
        let values = [i64::MIN, i64::MAX, i64::MIN, 0];
        for (operation, value) in history.operations.iter_mut().zip(values) {
            operation.value = Value::Int(value);
        }
        let traces = by_all_values(&history);
        let ids: Vec<ValueId> = traces[0]
            .trace
            .ops
            .iter()
            .map(|op| match op.action {
                Action::Read(value) | Action::Write(value) => value,
                Action::Cas { .. } => ValueId::INITIAL,
            })
            .collect();
        assert_eq!(ids, [ValueId(1), ValueId(3), ValueId(1), ValueId(2)]);
        assert_eq!(traces[0].trace.values, 4);
    }
}
