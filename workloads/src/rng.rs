//! The generator behind every saved seed: `SplitMix64` (Steele, Lea and Flood, OOPSLA 2014).
//!
//! Our own twenty lines, frozen by a test vector, so that a seed means the same for ever. Not for secrets.

/// A seeded stream of numbers.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The stream of this seed.
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    /// An independent stream for the part of a run called `name`, so that drawing more in one part
    /// does not change another.
    #[must_use]
    pub fn stream(seed: u64, name: &str) -> Rng {
        // FNV-1a of the name, mixed once: cheap, stable, and far from neighbouring seeds.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Rng(Rng(seed ^ hash).next_u64())
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`; 0 if `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The high half of a 128-bit product: unbiased enough for bounds far below 2^64, and without a division.
        u64::try_from((u128::from(self.next_u64()) * u128::from(bound)) >> 64).unwrap_or(0)
    }

    /// A number in `low..=high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True in `percent` of 100 cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A number in `[0, 1)`.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double")]
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A gap between two arrivals of a Poisson stream whose gaps are `mean` long on average.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a gap is far below 2^53"
    )]
    pub fn exponential(&mut self, mean: u64) -> u64 {
        (-natural_logarithm(1.0 - self.unit()) * mean as f64) as u64
    }

    /// Puts `items` in random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = usize::try_from(self.below(last as u64 + 1)).unwrap_or(0);
            items.swap(last, other);
        }
    }

    /// One of `items`, or none if there are none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(usize::try_from(self.below(items.len() as u64)).unwrap_or(0))
    }
}

/// The natural logarithm of a positive, normal number, by additions, multiplications and divisions alone: these are the same on every
/// machine and at every level of optimisation, which that of the standard library is not.
fn natural_logarithm(x: f64) -> f64 {
    const MANTISSA_BITS: u32 = 52;
    const BIAS: i32 = 1_023;
    let bits = x.to_bits();
    let biased = i32::try_from(bits >> MANTISSA_BITS).unwrap_or(BIAS);
    let mantissa = bits & ((1 << MANTISSA_BITS) - 1);
    // x = m * 2^exponent with m in [1, 2), brought to [1/sqrt 2, sqrt 2) so that the series is short.
    let one_to_two = f64::from_bits(mantissa | 1.0_f64.to_bits());
    let (m, exponent) = if one_to_two > std::f64::consts::SQRT_2 {
        (one_to_two / 2.0, biased - BIAS + 1)
    } else {
        (one_to_two, biased - BIAS)
    };
    // ln m = 2 artanh s = 2 (s + s^3/3 + s^5/5 + ...), of which the terms beyond s^23 are below the last bit.
    let s = (m - 1.0) / (m + 1.0);
    let series = (0..=11).rev().fold(0.0, |sum, term| {
        sum * (s * s) + 1.0 / f64::from(2 * term + 1)
    });
    2.0 * s * series + f64::from(exponent) * std::f64::consts::LN_2
}

#[cfg(test)]
mod tests {
    use super::{Rng, natural_logarithm};

    #[test]
    fn the_stream_of_a_seed_is_frozen() {
        // The published test vector of SplitMix64 for seed 1234567.
        let mut rng = Rng::new(1_234_567);
        let drawn: Vec<u64> = (0..5).map(|_| rng.next_u64()).collect();
        assert_eq!(
            drawn,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ]
        );
    }

    #[test]
    fn bounds_hold_and_are_reached() {
        let mut rng = Rng::stream(42, "bounds");
        let drawn: Vec<u64> = (0..1_000).map(|_| rng.between(3, 7)).collect();
        assert_eq!(drawn.iter().min(), Some(&3));
        assert_eq!(drawn.iter().max(), Some(&7));
        assert_eq!(rng.below(0), 0);
        assert!((0..1_000).all(|_| rng.unit() < 1.0));
    }

    #[test]
    fn streams_of_one_seed_differ_by_name() {
        assert_ne!(
            Rng::stream(1, "load").next_u64(),
            Rng::stream(1, "faults").next_u64()
        );
        assert_ne!(
            Rng::stream(1, "load").next_u64(),
            Rng::stream(2, "load").next_u64()
        );
    }

    #[test]
    fn gaps_are_frozen_and_of_the_mean_that_was_asked_for() {
        let mut rng = Rng::new(7);
        let drawn: Vec<u64> = (0..5).map(|_| rng.exponential(2_000_000)).collect();
        assert_eq!(drawn, [988_034, 33_861, 4_620_441, 1_749_003, 1_204_573]);
        let sum: u64 = (0..10_000).map(|_| rng.exponential(1_000)).sum();
        assert!((9_700_000..10_300_000).contains(&sum), "{sum}");
        assert_eq!(rng.exponential(0), 0);
    }

    #[test]
    fn our_logarithm_is_the_logarithm() {
        let mut rng = Rng::new(3);
        for _ in 0..10_000 {
            let x = 1.0 - rng.unit();
            let error = (natural_logarithm(x) - x.ln()).abs();
            assert!(error <= 1e-15 * x.ln().abs().max(1.0), "ln {x}");
        }
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..50).collect();
        Rng::new(9).shuffle(&mut items);
        assert_ne!(items, (0..50).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }
}
