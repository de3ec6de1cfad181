//! Stretches of time that may overlap, as few that do not.
//!
//! It knows neither operations nor what the stretches are of. Millions of them take little room, because those that overlap are joined
//! while more are added.

/// So many are kept before any are joined.
const JOINED_FROM: usize = 1_024;

/// A set of moments, as closed stretches.
#[derive(Clone, Debug, Default)]
pub(super) struct Stretches {
    /// First and last moment of each. Once settled, they are in order and have no moment in common.
    all: Vec<(u64, u64)>,
}

impl Stretches {
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Adds a stretch, if there is one.
    pub(super) fn extend(&mut self, stretch: Option<(u64, u64)>) {
        let Some(stretch) = stretch else {
            return;
        };
        if self.all.len() == self.all.capacity() {
            self.settle();
            self.all.reserve(self.all.len().max(JOINED_FROM));
        }
        self.all.push(stretch);
    }

    /// Puts them in order and joins those that overlap.
    pub(super) fn settle(&mut self) {
        self.all.sort_unstable();
        self.all.dedup_by(|next, joined| {
            let overlap = next.0 <= joined.1;
            if overlap {
                joined.1 = joined.1.max(next.1);
            }
            overlap
        });
    }

    /// Whether a moment is in one of them, once they are settled.
    pub(super) fn hold(&self, moment: u64) -> bool {
        let at = self.all.partition_point(|&(_, last)| last < moment);
        self.all.get(at).is_some_and(|&(first, _)| first <= moment)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn as_if_every_stretch_were_asked(
            drafts in prop::collection::vec((0..4_000u64, 0..4u64), 0..3_000),
            moments in prop::collection::vec(0..4_010u64, 50),
        ) {
            let mut stretches = Stretches::default();
            for &(first, length) in &drafts {
                stretches.extend(Some((first, first + length)));
                stretches.extend(None);
            }
            stretches.settle();
            prop_assert!(stretches.all.windows(2).all(|pair| pair[0].1 < pair[1].0));
            for moment in moments {
                let mut all = drafts.iter();
                let expected = all.any(|&(first, length)| (first..=first + length).contains(&moment));
                prop_assert_eq!(stretches.hold(moment), expected);
            }
        }
    }
}
