//! How long requests took, counted in fixed classes. It keeps counts, not moments: what it says is for dashboards, not for judges.

use std::time::Duration;

/// Upper bounds of the classes, ns; what took longer than the last is in a class of its own. From a tenth of a millisecond to ten seconds,
/// as Prometheus' customary 1, 2.5, 5.
pub const BOUNDS_NS: [u64; 16] = [
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// Durations, counted by class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: [u64; BOUNDS_NS.len() + 1],
    sum_ns: u64,
}

impl Histogram {
    /// Counts one.
    pub fn note(&mut self, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let class = BOUNDS_NS.partition_point(|bound| *bound < ns);
        if let Some(count) = self.counts.get_mut(class) {
            *count += 1;
        }
        self.sum_ns = self.sum_ns.saturating_add(ns);
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How long they took together, ns.
    pub fn sum_ns(&self) -> u64 {
        self.sum_ns
    }

    /// How many there are in each class that has a bound, with that bound, ns. Not cumulative.
    pub fn classes(&self) -> impl Iterator<Item = (u64, u64)> {
        BOUNDS_NS.into_iter().zip(self.counts)
    }
}

/// How long the requests took that a node coordinated, from their admission to their reply, whatever that was. Refusals are not among
/// them: they take no time and say nothing of replicas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Took {
    /// Reads.
    pub reads: Histogram,
    /// Writes and deletes.
    pub writes: Histogram,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Every duration is in exactly one class: the first whose bound it does not exceed.
        #[test]
        fn each_is_counted_once_in_its_class(all in prop::collection::vec(0..20_000_000_000_u64, 0..40)) {
            let mut histogram = Histogram::default();
            for ns in &all {
                histogram.note(Duration::from_nanos(*ns));
            }
            prop_assert_eq!(histogram.count(), all.len() as u64);
            prop_assert_eq!(histogram.sum_ns(), all.iter().sum::<u64>());
            let mut below = 0;
            for (bound, count) in histogram.classes() {
                let expected = all.iter().filter(|ns| **ns > below && **ns <= bound || below == 0 && **ns == 0);
                prop_assert_eq!(count, expected.count() as u64);
                below = bound;
            }
        }
    }

    #[test]
    fn no_duration_is_too_long() {
        let mut histogram = Histogram::default();
        histogram.note(Duration::MAX);
        histogram.note(Duration::MAX);
        assert_eq!((histogram.count(), histogram.sum_ns()), (2, u64::MAX));
        assert!(histogram.classes().all(|(_, count)| count == 0));
    }
}
