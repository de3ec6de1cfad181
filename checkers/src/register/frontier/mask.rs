//! A set of slots: one bit for every operation that is in flight. Fixed width, so that sets are compared in a few instructions.

/// A set of slots below `64 * W`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mask<const W: usize>([u64; W]);

impl<const W: usize> Mask<W> {
    pub(super) const EMPTY: Mask<W> = Mask([0; W]);

    pub(super) fn bit(slot: u32) -> Mask<W> {
        let mut mask = Mask::EMPTY;
        mask.insert(slot);
        mask
    }

    pub(super) fn insert(&mut self, slot: u32) {
        self.0[slot as usize / 64] |= 1 << (slot % 64);
    }

    pub(super) fn remove(&mut self, slot: u32) {
        self.0[slot as usize / 64] &= !(1 << (slot % 64));
    }

    pub(super) fn has(&self, slot: u32) -> bool {
        self.0[slot as usize / 64] >> (slot % 64) & 1 == 1
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().fold(0, |all, word| all | word) == 0
    }

    pub(super) fn and(self, other: Mask<W>) -> Mask<W> {
        self.zip(other, |a, b| a & b)
    }

    pub(super) fn or(self, other: Mask<W>) -> Mask<W> {
        self.zip(other, |a, b| a | b)
    }

    pub(super) fn xor(self, other: Mask<W>) -> Mask<W> {
        self.zip(other, |a, b| a ^ b)
    }

    pub(super) fn without(self, other: Mask<W>) -> Mask<W> {
        self.zip(other, |a, b| a & !b)
    }

    fn zip(mut self, other: Mask<W>, f: impl Fn(u64, u64) -> u64) -> Mask<W> {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = f(*mine, theirs);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_beyond_one_word() {
        let mut mask = Mask::<3>::bit(130);
        mask.insert(0);
        assert!(mask.has(130) && mask.has(0) && !mask.has(64));
        let other = Mask::bit(130);
        assert_eq!(mask.without(other), Mask::bit(0));
        assert_eq!(mask.and(other), other);
        assert_eq!(mask.xor(other), Mask::bit(0));
        assert_eq!(Mask::bit(0).or(other), mask);
        mask.remove(0);
        mask.remove(130);
        assert!(mask.is_empty());
    }
}
