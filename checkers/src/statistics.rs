//! Rates with what they leave open, and distributions in few buckets: plain data, the same for equal input.
//!
//! Nothing here knows what is counted.

use std::fmt;

use serde::Serialize;

/// The normal quantile of 95 %, both sides.
const Z: f64 = 1.96;
/// Parts of one, in which bounds are kept.
const PPM: f64 = 1e6;
/// Buckets of a distribution for each doubling.
const PER_OCTAVE: u64 = 8;

/// How often something was seen, and between which bounds its true share lies with 95 % confidence if the cases are
/// independent: Wilson's score interval (E. B. Wilson, J. Amer. Statist. Assoc. 22, 1927).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rate {
    /// Cases in which it was seen.
    pub seen: u64,
    /// All cases.
    pub of: u64,
    /// The lower bound, millionths.
    pub low_ppm: u32,
    /// The upper bound, millionths.
    pub high_ppm: u32,
}

impl Rate {
    /// The rate of `seen` cases in `of`; without any case it may be anything.
    #[expect(
        clippy::cast_precision_loss,
        reason = "bounds are told to four digits; counts beyond 2^53 do not occur"
    )]
    pub fn new(seen: u64, of: u64) -> Rate {
        if of == 0 {
            return Rate {
                seen,
                of,
                low_ppm: 0,
                high_ppm: 1_000_000,
            };
        }
        let (n, p) = (of as f64, seen.min(of) as f64 / of as f64);
        let spread = Z * Z / n;
        let centre = (p + spread / 2.0) / (1.0 + spread);
        let half = Z * (p * (1.0 - p) / n + spread / (4.0 * n)).sqrt() / (1.0 + spread);
        Rate {
            seen,
            of,
            low_ppm: if seen == 0 { 0 } else { ppm(centre - half) },
            high_ppm: if seen >= of {
                1_000_000
            } else {
                ppm(centre + half)
            },
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the share is between 0 and 1"
)]
fn ppm(share: f64) -> u32 {
    (share.clamp(0.0, 1.0) * PPM).round() as u32
}

impl fmt::Display for Rate {
    /// Such as `3.2 % (95 %: 2.1 to 4.6)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.of == 0 {
            return f.write_str("unknown");
        }
        let share = u128::from(self.seen) * 1_000_000 / u128::from(self.of);
        let share = u32::try_from(share).unwrap_or(u32::MAX);
        let share = share.max(u32::from(self.seen > 0));
        let (share, low, high) = (
            percent(share),
            percent(self.low_ppm),
            percent(self.high_ppm),
        );
        write!(f, "{share} % (95 %: {low} to {high})")
    }
}

/// Millionths as percent with one digit, or up to three if that would be none or all; no share is told as either.
fn percent(ppm: u32) -> String {
    let rounded = |unit: u32| (ppm + unit / 2) / unit;
    match ppm {
        0 => "0".to_owned(),
        1..500 => format!("0.{:03}", rounded(10).max(1)),
        500..9_950 => format!("0.{:02}", rounded(100)),
        999_950..1_000_000 => format!("99.{:03}", ppm / 10 % 1_000),
        _ => format!("{}.{}", rounded(1_000) / 10, rounded(1_000) % 10),
    }
}

/// How many things lie in a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// From this, inclusive.
    pub from: u64,
    /// To this, inclusive.
    pub to: u64,
    /// So many.
    pub count: u64,
}

/// What is typical and what is extreme; each but the largest is at most an eighth too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Quantiles {
    /// Half are no larger.
    pub p50: u64,
    /// Nine in ten are no larger.
    pub p90: u64,
    /// 99 in a hundred are no larger.
    pub p99: u64,
    /// The largest.
    pub max: u64,
}

/// A distribution of numbers in bounded memory: eight buckets for each doubling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distribution {
    counts: Vec<u64>,
    total: u64,
    max: u64,
}

impl Distribution {
    /// Adds a number.
    pub fn add(&mut self, number: u64) {
        let bucket = bucket_of(number);
        if bucket >= self.counts.len() {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.total += 1;
        self.max = self.max.max(number);
    }

    /// How many numbers were added.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The quantiles; none of nothing.
    pub fn quantiles(&self) -> Option<Quantiles> {
        (self.total > 0).then(|| Quantiles {
            p50: self.quantile(50),
            p90: self.quantile(90),
            p99: self.quantile(99),
            max: self.max,
        })
    }

    fn quantile(&self, percent: u64) -> u64 {
        let needed = (u128::from(self.total) * u128::from(percent)).div_ceil(100);
        let mut below = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            below += u128::from(*count);
            if below >= needed {
                return range_of(bucket).1.min(self.max);
            }
        }
        self.max
    }

    /// How many there are from each power of two to the next, without empty buckets.
    pub fn histogram(&self) -> Vec<Bucket> {
        let mut buckets: Vec<Bucket> = Vec::new();
        for (bucket, &count) in self
            .counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
        {
            let (from, to) = octave_of(range_of(bucket).0);
            match buckets.last_mut() {
                Some(last) if last.from == from => last.count += count,
                _ => buckets.push(Bucket { from, to, count }),
            }
        }
        buckets
    }
}

/// Numbers below eight have a bucket of their own; above, the three bits after the first say which.
fn bucket_of(number: u64) -> usize {
    let bucket = match number.checked_ilog2() {
        Some(octave @ 3..) => {
            let octave = u64::from(octave);
            (octave - 2) * PER_OCTAVE + (number >> (octave - 3)) % PER_OCTAVE
        }
        _ => number,
    };
    usize::try_from(bucket).unwrap_or(0)
}

/// The least and the largest number of a bucket.
fn range_of(bucket: usize) -> (u64, u64) {
    let bucket = bucket as u64;
    if bucket < PER_OCTAVE {
        return (bucket, bucket);
    }
    let shift = bucket / PER_OCTAVE - 1;
    let from = (PER_OCTAVE + bucket % PER_OCTAVE) << shift;
    (from, from + ((1 << shift) - 1))
}

fn octave_of(number: u64) -> (u64, u64) {
    match number.checked_ilog2() {
        Some(octave) => (1 << octave, u64::MAX >> (63 - octave)),
        None => (0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numbers: &[u64]) -> Distribution {
        let mut distribution = Distribution::default();
        for &number in numbers {
            distribution.add(number);
        }
        distribution
    }

    #[test]
    fn rates_have_the_bounds_of_the_literature() {
        // R. G. Newcombe, Statistics in Medicine 17, 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
        for ((seen, of), (low, high)) in [
            ((81, 263), (2_553, 3_662)),
            ((15, 148), (624, 1_605)),
            ((0, 20), (0, 1_611)),
            ((1, 29), (61, 1_718)),
        ] {
            let rate = Rate::new(seen, of);
            let rounded = |ppm: u32| (ppm + 50) / 100;
            assert_eq!((rounded(rate.low_ppm), rounded(rate.high_ppm)), (low, high));
        }
    }

    #[test]
    fn rates_are_told_in_percent() {
        let told = |seen, of| Rate::new(seen, of).to_string();
        assert_eq!(told(32, 1_000), "3.2 % (95 %: 2.3 to 4.5)");
        assert_eq!(told(0, 1_000_000), "0 % (95 %: 0 to 0.001)");
        assert_eq!(told(9, 100_000), "0.009 % (95 %: 0.005 to 0.017)");
        assert_eq!(told(1, 10_000_000), "0.001 % (95 %: 0 to 0.001)");
        assert_eq!(
            told(9_999_999, 10_000_000),
            "99.999 % (95 %: 99.999 to 100.0)"
        );
        assert_eq!(told(3, 3), "100.0 % (95 %: 43.8 to 100.0)");
        assert_eq!(told(0, 0), "unknown");
    }

    #[test]
    fn the_bounds_hold_the_share_and_never_leave_the_scale() {
        for of in 1..200_u64 {
            for seen in 0..=of {
                let rate = Rate::new(seen, of);
                let share = u32::try_from(seen * 1_000_000 / of).expect("at most a million");
                assert!(rate.low_ppm <= share && share <= rate.high_ppm, "{rate:?}");
                assert!(rate.high_ppm <= 1_000_000);
            }
        }
    }

    #[test]
    fn buckets_line_up_without_gaps() {
        for bucket in 0..bucket_of(u64::MAX) {
            let (from, to) = range_of(bucket);
            assert_eq!((bucket_of(from), bucket_of(to)), (bucket, bucket));
            assert_eq!(range_of(bucket + 1).0, to + 1);
        }
        assert_eq!(range_of(bucket_of(u64::MAX)).1, u64::MAX);
    }

    #[test]
    fn quantiles_are_close_and_never_too_small() {
        let mut all: Vec<u64> = (0..1_000_u64).map(|n| n * n * n % 100_003).collect();
        let distribution = of(&all);
        all.sort_unstable();
        let quantiles = distribution.quantiles().expect("not empty");
        for (told, exact) in [
            (quantiles.p50, all[499]),
            (quantiles.p90, all[899]),
            (quantiles.p99, all[989]),
        ] {
            assert!(exact <= told && told <= exact + exact / 8, "{told} {exact}");
        }
        assert_eq!(quantiles.max, all[999]);
        assert_eq!(Distribution::default().quantiles(), None);
    }

    #[test]
    fn histograms_go_by_powers_of_two() {
        let distribution = of(&[0, 1, 2, 3, 3, 9, 15, 16, u64::MAX]);
        let told: Vec<(u64, u64, u64)> = distribution
            .histogram()
            .iter()
            .map(|b| (b.from, b.to, b.count))
            .collect();
        let last = (1 << 63, u64::MAX, 1);
        assert_eq!(
            told,
            [
                (0, 0, 1),
                (1, 1, 1),
                (2, 3, 3),
                (8, 15, 2),
                (16, 31, 1),
                last
            ]
        );
    }
}
