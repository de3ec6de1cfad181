//! Numbers to small things: an open-addressed table from which things can be removed again.
//!
//! Not a general map: nothing iterates over it, so its order is nobody's business. A thing that is removed leaves no mark, so a
//! table in which many come and go stays as small as what is in it at the same time.

/// Slots of a table that is not empty; always a power of two.
const SLOTS_MIN: usize = 8;

/// Finds things by a number.
#[derive(Clone, Debug)]
pub(crate) struct Table<T> {
    slots: Vec<Option<(u64, T)>>,
    count: usize,
}

impl<T> Default for Table<T> {
    fn default() -> Table<T> {
        Table {
            slots: Vec::new(),
            count: 0,
        }
    }
}

impl<T: Copy> Table<T> {
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// The memory that it takes, bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Option<(u64, T)>>()
    }

    #[inline]
    pub(crate) fn get(&mut self, number: u64) -> Option<&mut T> {
        if self.slots.is_empty() {
            return None;
        }
        let slot = self.slot(number);
        self.slots[slot].as_mut().map(|(_, thing)| thing)
    }

    /// Puts a thing in; false, and nothing happens, if there is one of that number already.
    pub(crate) fn insert(&mut self, number: u64, thing: T) -> bool {
        if (self.count + 1) * 2 > self.slots.len() {
            self.resize((self.slots.len() * 2).max(SLOTS_MIN));
        }
        let slot = self.slot(number);
        if self.slots[slot].is_some() {
            return false;
        }
        self.slots[slot] = Some((number, thing));
        self.count += 1;
        true
    }

    /// Takes a thing out. Those behind it close up, so that every thing can still be found from its own slot on.
    pub(crate) fn remove(&mut self, number: u64) -> Option<T> {
        if self.slots.is_empty() {
            return None;
        }
        let mask = self.slots.len() - 1;
        let mut hole = self.slot(number);
        let (_, thing) = self.slots[hole].take()?;
        self.count -= 1;
        let mut next = (hole + 1) & mask;
        while let Some((other, _)) = self.slots[next] {
            let own = hash(other) & mask;
            // It may move back to the hole unless its own slot is between the hole and where it is.
            if (next.wrapping_sub(own) & mask) >= (next.wrapping_sub(hole) & mask) {
                self.slots[hole] = self.slots[next].take();
                hole = next;
            }
            next = (next + 1) & mask;
        }
        Some(thing)
    }

    /// The slot of a number, or the empty one where it should be. There always is an empty one.
    fn slot(&self, number: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = hash(number) & mask;
        while let Some((other, _)) = &self.slots[slot] {
            if *other == number {
                break;
            }
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn resize(&mut self, size: usize) {
        let old = std::mem::replace(&mut self.slots, vec![None; size]);
        for (number, thing) in old.into_iter().flatten() {
            let slot = self.slot(number);
            self.slots[slot] = Some((number, thing));
        }
    }
}

/// Fibonacci hashing: values and processes are mostly consecutive, and the high bits of the product spread them.
fn hash(number: u64) -> usize {
    usize::try_from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::Table;

    proptest! {
        #[test]
        fn a_table_is_a_map(steps in prop::collection::vec((0..3_u8, 0..40_u64), 0..400)) {
            let (mut table, mut map) = (Table::default(), BTreeMap::new());
            for (turn, (what, number)) in (0..).zip(steps) {
                // Far apart, next to each other, and equal in their low bits.
                let number = number % 8 + (number / 8) * (1 << 40);
                match what {
                    0 => prop_assert_eq!(table.insert(number, turn), !map.contains_key(&number)),
                    1 => prop_assert_eq!(table.remove(number), map.remove(&number)),
                    _ => prop_assert_eq!(table.get(number).copied(), map.get(&number).copied()),
                }
                if what == 0 {
                    map.entry(number).or_insert(turn);
                }
                prop_assert_eq!(table.len(), map.len());
            }
        }
    }

    #[test]
    fn what_comes_and_goes_takes_no_more_room_than_what_is_there() {
        let mut table = Table::default();
        for number in 0..100_000_u64 {
            assert!(table.insert(number, ()));
            if number >= 50 {
                assert_eq!(table.remove(number - 50), Some(()));
            }
        }
        assert_eq!(table.len(), 50);
        assert!(table.bytes() < 8_192, "{}", table.bytes());
    }
}
