//! Values to dense ids, in the order in which they are first met.

use std::collections::BTreeMap;

use crate::log::Datum;
use crate::register::ValueId;

/// The values of one key. Nil is the initial value.
#[derive(Debug, Default)]
pub(super) struct Values {
    known: BTreeMap<Datum, u32>,
}

impl Values {
    /// The id of a value. Equal values have equal ids, however they are written.
    pub(super) fn id(&mut self, value: &Datum) -> ValueId {
        if value.is_nil() {
            return ValueId::INITIAL;
        }
        let next = self.count();
        ValueId(*self.known.entry(value.canonical()).or_insert(next))
    }

    /// How many ids there are, that of the initial value included.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.known.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1)
    }
}
