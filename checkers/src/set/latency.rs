//! Quantiles of latencies, at the points that Jepsen's set checker reports.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// The points, in hundredths, and how they are written.
const POINTS: [(u64, &str); 5] = [
    (0, "0"),
    (50, "0.5"),
    (95, "0.95"),
    (99, "0.99"),
    (100, "1"),
];

/// Nanoseconds in a millisecond.
pub(super) const NS_PER_MS: u64 = 1_000_000;

/// A distribution at the points 0, 0.5, 0.95, 0.99 and 1. Written as a map from the point to the latency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantiles(pub [u64; 5]);

impl Quantiles {
    /// The quantiles of some latencies; none of none.
    ///
    /// A point p of n latencies is the one at place p n, rounded down, from the smallest.
    pub fn of(mut latencies: Vec<u64>) -> Option<Quantiles> {
        latencies.sort_unstable();
        let last = (latencies.len() as u64).checked_sub(1)?;
        let at = |percent: u64| {
            let place = (last + 1).saturating_mul(percent) / 100;
            usize::try_from(place.min(last)).map_or(0, |place| latencies[place])
        };
        Some(Quantiles(POINTS.map(|(percent, _)| at(percent))))
    }

    /// The same in whole milliseconds, rounded down as Jepsen does.
    #[must_use]
    pub fn in_ms(self) -> Quantiles {
        Quantiles(self.0.map(|ns| ns / NS_PER_MS))
    }
}

impl Serialize for Quantiles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(POINTS.len()))?;
        for ((_, point), latency) in POINTS.iter().zip(self.0) {
            map.serialize_entry(point, &latency)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_rounded_down() {
        assert_eq!(Quantiles::of(vec![]), None);
        assert_eq!(Quantiles::of(vec![7]), Some(Quantiles([7; 5])));
        assert_eq!(Quantiles::of(vec![3, 1]), Some(Quantiles([1, 3, 3, 3, 3])));
        let hundred = (0..100).rev().collect();
        assert_eq!(Quantiles::of(hundred), Some(Quantiles([0, 50, 95, 99, 99])));
    }

    /// Jepsen multiplies in binary floating point, where 0.95 is a little less than it says.
    #[test]
    fn whole_numbers_and_floating_point_agree() {
        for n in 1..200_000_u32 {
            for (percent, point) in [(50, 0.5), (95, 0.95), (99, 0.99)] {
                let floating = (f64::from(n) * point).floor();
                assert!(
                    (floating - f64::from(n * percent / 100)).abs() < 0.5,
                    "{n} at {point}"
                );
            }
        }
    }

    #[test]
    fn they_are_written_as_a_map() {
        let json = serde_json::to_string(&Quantiles([1, 2, 3, 4, 5])).expect("JSON");
        assert_eq!(json, r#"{"0":1,"0.5":2,"0.95":3,"0.99":4,"1":5}"#);
    }
}
