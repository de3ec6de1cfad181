//! Names to dense numbers: an open-addressed table of places in a list that somebody else owns.
//!
//! Not a general map: names are never removed, and nothing iterates over the table, so its order is nobody's business. A history
//! may have as many keys as operations, and a tree of strings was half of the cost of reading one.

/// A slot that holds nothing.
const EMPTY: u32 = u32::MAX;
/// Slots of a new table; always a power of two.
const SLOTS_MIN: usize = 16;

/// Finds names by their text.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    slots: Vec<u32>,
}

impl Places {
    /// The places of these names, each of which must occur once.
    pub(crate) fn of(names: &[String]) -> Places {
        let mut places = Places {
            slots: vec![EMPTY; SLOTS_MIN],
        };
        places.grow(names);
        places
    }

    /// The place of `name` in `names`, which are those that this table knows; the name is appended if it is new. None if there
    /// is no number left for it.
    pub(crate) fn intern(&mut self, names: &mut Vec<String>, name: &str) -> Option<u32> {
        let slot = self.slot(names, name);
        if self.slots[slot] != EMPTY {
            return Some(self.slots[slot]);
        }
        let place = u32::try_from(names.len())
            .ok()
            .filter(|&place| place != EMPTY)?;
        self.slots[slot] = place;
        names.push(name.to_owned());
        if names.len() * 2 > self.slots.len() {
            self.grow(names);
        }
        Some(place)
    }

    /// The slot that holds the place of `name`, or the empty one that should.
    fn slot(&self, names: &[String], name: &str) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = hash(name) & mask;
        loop {
            match self.slots[slot] {
                EMPTY => return slot,
                place if names.get(place as usize).is_some_and(|known| known == name) => {
                    return slot;
                }
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    /// Rebuilds the table so that at most a quarter of it is full.
    fn grow(&mut self, names: &[String]) {
        let size = (names.len() * 4).next_power_of_two().max(SLOTS_MIN);
        self.slots = vec![EMPTY; size];
        for (place, name) in (0..EMPTY).zip(names) {
            let slot = self.slot(names, name);
            self.slots[slot] = place;
        }
    }
}

/// FNV-1a with a last mix, because the table uses the low bits and names differ mostly in their last letters.
fn hash(name: &str) -> usize {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> 32).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Places;

    proptest! {
        /// Numbers are given in order of first appearance, as a linear search would.
        #[test]
        fn names_are_numbered_as_they_come(words in prop::collection::vec("[ab]{0,6}", 0..200), known in 0..3_usize) {
            let mut names: Vec<String> = (0..known).map(|n| format!("n{n}")).collect();
            let mut slow = names.clone();
            let mut places = Places::of(&names);
            for word in words {
                let expected = slow.iter().position(|name| *name == word).unwrap_or_else(|| {
                    slow.push(word.clone());
                    slow.len() - 1
                });
                let place = places.intern(&mut names, &word);
                prop_assert_eq!(place.map(|place| place as usize), Some(expected));
            }
            prop_assert_eq!(names, slow);
        }
    }

    #[test]
    fn many_names_stay_apart() {
        let mut names = Vec::new();
        let mut places = Places::of(&names);
        for round in 0..2 {
            for n in 0..20_000_u32 {
                assert_eq!(
                    places.intern(&mut names, &format!("w{n}")),
                    Some(n),
                    "round {round}"
                );
            }
        }
        assert_eq!(names.len(), 20_000);
    }
}
