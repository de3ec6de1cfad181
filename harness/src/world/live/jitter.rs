//! Random delays that depend on nothing but a seed.
//!
//! `SplitMix64`, our own so that the numbers stay the same for ever. Not for secrets, and not for the load: this is the
//! network's dice alone.

use std::time::Duration;

/// A seeded source of delays.
#[derive(Clone, Debug)]
pub(super) struct Jitter(u64);

impl Jitter {
    /// The source for `lane` (a link, a connection) of a network with this seed.
    pub(super) fn of(seed: u64, lane: u64) -> Jitter {
        Jitter(Jitter(seed ^ lane.rotate_left(32)).next())
    }

    /// The next delay, from zero to `widest`.
    pub(super) fn draw(&mut self, widest: Duration) -> Duration {
        let widest_ns = u64::try_from(widest.as_nanos()).unwrap_or(u64::MAX);
        // The high half of the product maps a random word to 0..=widest without a division.
        let scaled = u128::from(self.next()) * (u128::from(widest_ns) + 1);
        Duration::from_nanos(u64::try_from(scaled >> 64).unwrap_or(widest_ns))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix_gives_its_published_numbers() {
        let mut dice = Jitter(1_234_567);
        let words = [dice.next(), dice.next(), dice.next()];
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        assert_eq!(words, published);
    }

    #[test]
    fn delays_stay_within_bounds_and_fill_them() {
        let widest = Duration::from_nanos(3);
        let mut dice = Jitter::of(1, 1);
        let mut seen = [0_u32; 4];
        for _ in 0..1_000 {
            let delay = dice.draw(widest);
            assert!(delay <= widest);
            seen[usize::try_from(delay.as_nanos()).expect("at most 3")] += 1;
        }
        assert!(seen.iter().all(|&count| count > 150), "{seen:?}");
        assert_eq!(dice.draw(Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn lanes_of_one_seed_differ_and_repeat() {
        let first = |seed, lane| Jitter::of(seed, lane).draw(Duration::from_secs(1));
        assert_ne!(first(1, 1), first(1, 2));
        assert_ne!(first(1, 1), first(2, 1));
        assert_eq!(first(7, 3), first(7, 3));
    }
}
