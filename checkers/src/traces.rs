//! From a history to one [`Trace`] per key, as the register judges want it: dense values instead of what was written.
//!
//! A delete writes "nothing", which is also what the key holds in the beginning. Census answers are no reads of the register:
//! they ask one replica each. Nothing is judged here.

use crate::history::{Function, History, Status, Value};
use crate::register::{Action, RegisterOp, Trace, ValueId};

/// One key of a history.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyTrace {
    /// Its operations; places are those in `History::operations`.
    pub(crate) trace: Trace,
    /// How many ok reads it has.
    pub(crate) reads: u64,
    /// Whether something was written that is no integer: then values have no ids.
    pub(crate) is_foreign: bool,
}

/// The traces of a history, in the order of its keys.
pub(crate) fn of(history: &History) -> Vec<KeyTrace> {
    let mut lengths = vec![0; history.keys.len()];
    for operation in &history.operations {
        lengths[operation.key.0 as usize] += 1;
    }
    let open = |&length: &usize| KeyTrace {
        trace: Trace {
            ops: Vec::with_capacity(length),
            values: 1,
        },
        ..KeyTrace::default()
    };
    let mut keys: Vec<KeyTrace> = lengths.iter().map(open).collect();
    let mut ids = Ids::for_at_most(history.operations.len());
    for (place, operation) in (0..).zip(&history.operations) {
        let key = &mut keys[operation.key.0 as usize];
        let is_read = operation.f == Function::Read;
        if operation.f == Function::Census || (is_read && operation.status != Status::Ok) {
            continue;
        }
        let value = match (operation.f, &operation.value) {
            (Function::Delete, _) => ValueId::INITIAL,
            (_, Value::Nil) if is_read => ValueId::INITIAL,
            (_, Value::Int(value)) => ids.id(operation.key.0, *value, &mut key.trace.values),
            // Nobody can have written what a read returned here.
            _ => {
                key.is_foreign |= !is_read;
                next(&mut key.trace.values)
            }
        };
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

fn next(values: &mut u32) -> ValueId {
    let value = ValueId(*values);
    *values = values.saturating_add(1);
    value
}

/// The id of each value of each key: a table with open addressing, because a hot key has a million values.
struct Ids {
    slots: Vec<Option<(u32, ValueId, i64)>>,
}

impl Ids {
    fn for_at_most(values: usize) -> Ids {
        Ids {
            slots: vec![None; (2 * values).next_power_of_two()],
        }
    }

    fn id(&mut self, key: u32, value: i64, values: &mut u32) -> ValueId {
        let mask = self.slots.len() - 1;
        let mixed = (value.cast_unsigned() ^ u64::from(key).rotate_left(40))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut slot = usize::try_from(mixed >> 32).unwrap_or(0) & mask;
        loop {
            match self.slots[slot] {
                Some((k, id, v)) if k == key && v == value => return id,
                Some(_) => slot = (slot + 1) & mask,
                None => {
                    let id = next(values);
                    self.slots[slot] = Some((key, id, value));
                    return id;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::draw;

    #[test]
    fn values_get_ids_per_key_and_deletes_write_nothing() {
        let history = draw(
            "
            c1: |--w k 7--| |--w j 7--| |--d k--|
            c2:   |--r k 9--|   |--r k nil--|   |--r k 7--?
            n1:                                                |c k 7|",
        );
        let traces = of(&history);
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
}
