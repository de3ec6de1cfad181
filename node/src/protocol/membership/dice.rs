//! The seeded numbers behind every random choice of the failure detector: `SplitMix64` (Steele, Lea and Flood, OOPSLA 2014). Not for
//! secrets, and the only source of chance in this room: the same seed and the same inputs make the same outputs.

use std::convert::Infallible;

use rand_core::TryRng;

/// A seeded stream of numbers.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`; 0 if `bound` is 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        u64::try_from((u128::from(self.roll()) * u128::from(bound)) >> 64).unwrap_or(0)
    }
}

impl TryRng for Dice {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        // The high half: the better mixed one.
        Ok(u32::try_from(self.roll() >> 32).unwrap_or(u32::MAX))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.roll())
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), Infallible> {
        for chunk in target.chunks_mut(8) {
            let bytes = self.roll().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_frozen() {
        // The published test vector of SplitMix64 for seed 1234567.
        let mut dice = Dice::new(1_234_567);
        let Ok(first) = dice.try_next_u64();
        let mut bytes = [0; 8];
        let Ok(()) = dice.try_fill_bytes(&mut bytes);
        assert_eq!(first, 6_457_827_717_110_365_317);
        assert_eq!(u64::from_le_bytes(bytes), 3_203_168_211_198_807_973);
    }
}
