//! Values to the writes that wrote them: a plain table where values are dense, as those of our own workloads are, else a sorted list.
//!
//! It knows integers and places, nothing else.

/// A table may have so many slots per value, and some more.
const SLOTS_PER_VALUE_MAX: u64 = 4;
/// Slots that any table may have.
const SLOTS_FREE: u64 = 1_024;

/// A slot without a write.
const NONE: u32 = u32::MAX;

/// Finds the write of a value.
pub(super) enum Writers {
    /// The place of the write of `least + slot`.
    Dense {
        /// The smallest value.
        least: i64,
        /// One slot per value from there on.
        slots: Vec<u32>,
    },
    /// Values with the places of their writes, in order.
    Sorted(Vec<(i64, u32)>),
}

impl Writers {
    /// The writers of these values, with their places; none if a value was written twice.
    pub(super) fn of(written: impl Iterator<Item = (i64, u32)> + Clone) -> Option<Writers> {
        let bounds = |(least, most, count): (i64, i64, u64), (value, _): (i64, u32)| {
            (value.min(least), value.max(most), count + 1)
        };
        let (least, most, count) = written.clone().fold((i64::MAX, i64::MIN, 0), bounds);
        let slots_max = count * SLOTS_PER_VALUE_MAX + SLOTS_FREE;
        if count == 0 || most.abs_diff(least) >= slots_max {
            return Writers::sorted(written.collect());
        }
        let slots = usize::try_from(most.abs_diff(least)).unwrap_or(0) + 1;
        let mut slots = vec![NONE; slots];
        for (value, place) in written {
            let slot = slots.get_mut(usize::try_from(value.abs_diff(least)).ok()?)?;
            if std::mem::replace(slot, place) != NONE {
                return None;
            }
        }
        Some(Writers::Dense { least, slots })
    }

    fn sorted(mut writers: Vec<(i64, u32)>) -> Option<Writers> {
        writers.sort_unstable();
        let twice = writers.windows(2).any(|pair| pair[0].0 == pair[1].0);
        (!twice).then_some(Writers::Sorted(writers))
    }

    /// The place of the write of a value.
    pub(super) fn find(&self, value: i64) -> Option<usize> {
        let place = match self {
            Writers::Dense { least, slots } if value >= *least => {
                let slot = usize::try_from(value.abs_diff(*least)).ok()?;
                *slots.get(slot)?
            }
            Writers::Dense { .. } => return None,
            Writers::Sorted(writers) => {
                let found = writers.binary_search_by_key(&value, |&(value, _)| value);
                writers[found.ok()?].1
            }
        };
        (place != NONE).then_some(place as usize)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Writers;

    fn values() -> impl Strategy<Value = Vec<i64>> {
        let value = prop_oneof![
            8 => -20..40i64,
            1 => any::<i64>(),
            1 => Just(i64::MIN),
            1 => Just(i64::MAX),
        ];
        prop::collection::vec(value, 0..12)
    }

    proptest! {
        #[test]
        fn tables_and_lists_find_the_same(values in values(), asked in values()) {
            let written = (0..).zip(&values).map(|(place, &value)| (value, place));
            let twice = (1..values.len()).any(|at| values[..at].contains(&values[at]));
            let (some, list) = (Writers::of(written.clone()), Writers::sorted(written.collect()));
            prop_assert_eq!((some.is_none(), list.is_none()), (twice, twice));
            let (Some(some), Some(list)) = (some, list) else { return Ok(()) };
            for value in values.iter().chain(&asked).copied() {
                let place = values.iter().position(|&other| other == value);
                prop_assert_eq!((some.find(value), list.find(value)), (place, place));
            }
        }
    }

    #[test]
    fn dense_values_get_a_table() {
        let dense = Writers::of((0..10_000).map(|place| (i64::from(place) * 2 - 7, place)));
        assert!(matches!(dense, Some(Writers::Dense { .. })));
        let sparse = Writers::of([(i64::MIN, 0), (i64::MAX, 1)].into_iter());
        assert!(matches!(sparse, Some(Writers::Sorted(_))));
    }
}
