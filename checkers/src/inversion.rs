//! Inversions: reads that go back in time.
//!
//! A read r2 of B is inverted iff some read of another value A had returned before r2 began, and B is older than A. There are two
//! proofs of that: B was in effect before the write of A began (*older*), or a read of B had returned before a read of A
//! began (*flip-flop*: B, A, B). When clocks are skewed only the second counts, because the first leans on the
//! real-time order of writes. A read that is also stale counts here too: these are two promises.

use std::num::NonZeroU32;

use crate::finding::{Checker, Finding};
use crate::guarantee::Guarantee;
use crate::history::index::{KeyIndex, Read, Source, Write};
use crate::history::{History, Index, Nanos};
use crate::sweep::{ByEnd, Span};
use crate::witness::{Anomaly, Part, Witness};

/// The judge of [`Guarantee::NoInversion`].
#[derive(Clone, Copy, Debug)]
pub struct Inversion;

impl Checker for Inversion {
    fn guarantee(&self) -> Guarantee {
        Guarantee::NoInversion
    }

    fn check(&self, history: &History, index: &Index) -> Finding {
        let mut finding = Finding::new(self.guarantee(), "reads");
        finding.skip_unmapped(index);
        for (key, at) in index.mapped() {
            let mut seen = seen(at);
            let flips = Flips::of(at);
            let first_ret = at.sound_reads().map(|read| read.ret).min();
            for (place, read) in at.sound_reads().enumerate() {
                finding.judged += u64::from(first_ret.is_some_and(|ret| ret < read.call));
                let older = index
                    .exposure
                    .is_synchronised()
                    .then(|| seen.older(read))
                    .flatten();
                let Some(witness) = older.or_else(|| flips.flip(place, read)) else {
                    continue;
                };
                finding.see(read.call, || Anomaly {
                    guarantee: self.guarantee(),
                    at: read.call,
                    key: Some(history.key_name(key).to_owned()),
                    witness: witness.with(Part::Reader, read.operation()),
                    details: Vec::new(),
                    tale: None,
                });
            }
        }
        finding
    }
}

/// Values that some read had returned so far, and the one of them whose write began last.
struct Seen<'a, I: Iterator<Item = Span>> {
    key: &'a KeyIndex,
    /// Writes whose value was read, by the end of the first such read.
    shown: ByEnd<I>,
    youngest: Option<&'a Write>,
}

/// Writes whose value was read: such a read cannot end before its write began.
fn seen(key: &KeyIndex) -> Seen<'_, impl Iterator<Item = Span>> {
    let shown = (0..).zip(&key.writes).filter_map(|(place, write)| {
        Some(Span {
            call: write.call,
            end: write.first_read()?.ret,
            place,
        })
    });
    Seen {
        key,
        shown: ByEnd::of(shown),
        youngest: None,
    }
}

impl<I: Iterator<Item = Span>> Seen<'_, I> {
    /// The proof that a read's value is older than one that was read before. Reads come in the order of their invocations.
    fn older(&mut self, read: &Read) -> Option<Witness> {
        while let Some(next) = self.shown.ended_before(read.call) {
            let next = &self.key.writes[next];
            if self.youngest.is_none_or(|write| write.call < next.call) {
                self.youngest = Some(next);
            }
        }
        let newer = self
            .youngest
            .filter(|write| read.in_effect() < Some(write.call))?;
        let first = newer.first_read()?;
        let witness = self.key.trace(Witness::default(), read);
        Some(
            witness
                .with(Part::Newer, newer.operation())
                .with(Part::NewerShown, first.operation),
        )
    }
}

/// For each read, in the order of invocations: of it and all later ones, the one that returned first, and the first
/// to return with another value.
struct Flips<'a> {
    key: &'a KeyIndex,
    reads: Vec<&'a Read>,
    /// Places in `reads`.
    from: Vec<(u32, Option<NonZeroU32>)>,
}

impl<'a> Flips<'a> {
    fn of(key: &'a KeyIndex) -> Flips<'a> {
        let reads: Vec<&Read> = key.sound_reads().collect();
        // There are no more reads than operations.
        let count = u32::try_from(reads.len()).unwrap_or(u32::MAX);
        let mut from: Vec<(u32, Option<NonZeroU32>)> = vec![(0, None); reads.len()];
        let mut next: Option<(u32, Option<u32>)> = None;
        for (place, &read) in (0..count).zip(&reads).rev() {
            let at = |place: u32| reads[place as usize];
            let now = match next {
                None => (place, None),
                Some((first, other)) if read.source() == at(first).source() => (
                    if read.ret <= at(first).ret {
                        place
                    } else {
                        first
                    },
                    other,
                ),
                Some((first, _)) if read.ret <= at(first).ret => (place, Some(first)),
                Some((first, other)) => {
                    let sooner = other.is_none_or(|other| read.ret <= at(other).ret);
                    (first, if sooner { Some(place) } else { other })
                }
            };
            from[place as usize] = (now.0, now.1.and_then(|other| NonZeroU32::new(other + 1)));
            next = Some(now);
        }
        Flips { key, reads, from }
    }

    /// The proof that a read's value was read, then another one, and then it again. Two reads of nothing may mean two
    /// different deletes, so nothing cannot flip back.
    fn flip(&self, place: usize, read: &Read) -> Option<Witness> {
        let Source::Written(write) = read.source() else {
            return None;
        };
        let write = &self.key.writes[write];
        let first = write.first_read()?;
        if read.call <= first.ret {
            return None;
        }
        let &(soonest, other) = self.from.get(self.first_after(first.ret, place))?;
        let soonest = self.reads[soonest as usize];
        let between = if soonest.source() == read.source() {
            self.reads[other?.get() as usize - 1]
        } else {
            soonest
        };
        if between.ret >= read.call {
            return None;
        }
        let newer = between.origin().map(|at| self.key.writes[at].operation());
        Some(
            Witness::default()
                .with(Part::Older, write.operation())
                .with(Part::OlderShown, first.operation)
                .with_some(Part::Newer, newer)
                .with(Part::NewerShown, between.operation()),
        )
    }

    /// The first read that began after `time`, no later than `last`, which did. It is sought from there, because it is near.
    fn first_after(&self, time: Nanos, last: usize) -> usize {
        let (mut step, mut high) = (1, last);
        while high >= step && self.reads[high - step].call > time {
            high -= step;
            step *= 2;
        }
        let low = high.saturating_sub(step);
        low + self.reads[low..high].partition_point(|read| read.call <= time)
    }
}

#[cfg(test)]
mod tests {
    use crate::guarantee::Guarantee;
    use crate::testing::judged_and_seen;

    fn check(drawing: &str) -> (u64, u64) {
        judged_and_seen(Guarantee::NoInversion, drawing)
    }

    #[test]
    fn the_old_value_after_the_new_one_was_read() {
        let drawing = "
            c1: |--w k 1--|
            c2:              |-------------w k 2-------------|
            c3:                   |--r k 2--|
            c4:                                |--r k 1--|";
        assert_eq!(check(drawing), (1, 1));
    }

    #[test]
    fn reads_that_touch_are_concurrent() {
        let drawing = "
            c1: |--w k 1--|
            c2:              |-------------w k 2-------------|
            c3:                   |--r k 2--|
            c4:                             |--r k 1--|";
        assert_eq!(check(drawing), (0, 0));
    }

    #[test]
    fn values_of_concurrent_writes_may_come_in_any_order() {
        let drawing = "
            c1: |--w k 1--|
            c2: |--w k 2--|
            c3:               |--r k 2--|   |--r k 1--|";
        assert_eq!(check(drawing), (1, 0));
    }

    #[test]
    fn but_may_not_flip_back() {
        let drawing = "
            c1: |--w k 1--|
            c2: |--w k 2--|
            c3:               |-r k 1-|   |-r k 2-|   |-r k 1-|";
        assert_eq!(check(drawing), (2, 1));
    }

    #[test]
    fn with_skewed_clocks_only_flip_flops_count() {
        let drawing = "
            fault clock n1 -500: |--
            c1: |--w k 1--|
            c2:               |--w k 2--|
            c3:                             |-r k 2-|   |-r k 1-|";
        assert_eq!(check(drawing), (1, 0));
        let drawing = "
            fault clock n1 -500: |--
            c1: |--w k 1--|
            c2:               |--w k 2--|
            c3:                             |-r k 1-|   |-r k 2-|   |-r k 1-|";
        assert_eq!(check(drawing), (2, 1));
    }

    #[test]
    fn nothing_after_a_value_is_older_only_without_deletes() {
        let drawing = "
            c1: |-----------------w k 1-----------------?
            c3:      |-r k 1-|   |-r k nil-|";
        assert_eq!(check(drawing), (1, 1));
        let drawing = "
            c1: |-----------------w k 1-----------------?
            c2:          |---------d k---------|
            c3:      |-r k 1-|   |-r k nil-|";
        assert_eq!(check(drawing), (1, 0));
    }
}
