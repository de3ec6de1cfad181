//! Inversions: reads that go back in time.
//!
//! A read r2 of B is inverted iff some read of another value A had returned before r2 began, and B is older than A. There are two
//! proofs of that: B was in effect before the write of A began (*older*), or a read of B had returned before a read of A
//! began (*flip-flop*: B, A, B). When clocks are skewed only the second counts, because the first leans on the
//! real-time order of writes. A read that is also stale counts here too: these are two promises.

use crate::finding::{Checker, Finding};
use crate::guarantee::Guarantee;
use crate::history::index::{FirstRead, KeyIndex, Read, Source, Write};
use crate::history::{History, Index};
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
            let mut seen = Seen::of(at);
            let flips = Flips::of(at);
            let first_ret = at.sound_reads().map(|read| read.ret).min();
            for read in at.sound_reads() {
                finding.judged += u64::from(first_ret.is_some_and(|ret| ret < read.call));
                let older = index
                    .exposure
                    .is_synchronised()
                    .then(|| seen.older(read))
                    .flatten();
                let Some(witness) = older.or_else(|| flips.flip(read)) else {
                    continue;
                };
                finding.see(read.call, || Anomaly {
                    guarantee: self.guarantee(),
                    at: read.call,
                    key: Some(history.key_name(key).to_owned()),
                    witness: witness.with(Part::Reader, read.operation),
                    details: Vec::new(),
                    tale: None,
                });
            }
        }
        finding
    }
}

/// Values that some read had returned so far, and the one of them whose write began last.
struct Seen<'a> {
    key: &'a KeyIndex,
    /// Writes whose value was read, by the end of the first such read.
    shown: std::iter::Peekable<std::vec::IntoIter<(FirstRead, &'a Write)>>,
    youngest: Option<(FirstRead, &'a Write)>,
}

impl<'a> Seen<'a> {
    fn of(key: &'a KeyIndex) -> Seen<'a> {
        let mut shown: Vec<(FirstRead, &Write)> = key
            .writes
            .iter()
            .filter_map(|write| Some((write.first_read?, write)))
            .collect();
        shown.sort_by_key(|(read, _)| read.ret);
        Seen {
            key,
            shown: shown.into_iter().peekable(),
            youngest: None,
        }
    }

    /// The proof that a read's value is older than one that was read before. Reads come in the order of their invocations.
    fn older(&mut self, read: &Read) -> Option<Witness> {
        while let Some(next) = self.shown.next_if(|(first, _)| first.ret < read.call) {
            if self
                .youngest
                .is_none_or(|(_, write)| write.call < next.1.call)
            {
                self.youngest = Some(next);
            }
        }
        let (first, newer) = self
            .youngest
            .filter(|(_, write)| read.in_effect < Some(write.call))?;
        let witness = self.key.trace(Witness::default(), read);
        Some(
            witness
                .with(Part::Newer, newer.operation)
                .with(Part::NewerShown, first.operation),
        )
    }
}

/// For each read, in the order of invocations: of it and all later ones, the one that returned first, and the first
/// to return with another value.
struct Flips<'a> {
    key: &'a KeyIndex,
    reads: Vec<&'a Read>,
    from: Vec<(&'a Read, Option<&'a Read>)>,
}

impl<'a> Flips<'a> {
    fn of(key: &'a KeyIndex) -> Flips<'a> {
        let reads: Vec<&Read> = key.sound_reads().collect();
        let mut from: Vec<(&Read, Option<&Read>)> = Vec::with_capacity(reads.len());
        for &read in reads.iter().rev() {
            let next = match from.last() {
                None => (read, None),
                Some(&(first, other)) if read.source == first.source => {
                    (if read.ret <= first.ret { read } else { first }, other)
                }
                Some(&(first, _)) if read.ret <= first.ret => (read, Some(first)),
                Some(&(first, other)) => {
                    let sooner = other.is_none_or(|other| read.ret <= other.ret);
                    (first, if sooner { Some(read) } else { other })
                }
            };
            from.push(next);
        }
        from.reverse();
        Flips { key, reads, from }
    }

    /// The proof that a read's value was read, then another one, and then it again. Two reads of nothing may mean two
    /// different deletes, so nothing cannot flip back.
    fn flip(&self, read: &Read) -> Option<Witness> {
        let Source::Written(place) = read.source else {
            return None;
        };
        let write = &self.key.writes[place];
        let first = write.first_read?;
        let after = self.reads.partition_point(|later| later.call <= first.ret);
        let &(soonest, other) = self.from.get(after)?;
        let between = if soonest.source == read.source {
            other?
        } else {
            soonest
        };
        if between.ret >= read.call {
            return None;
        }
        let newer = between.origin.map(|at| self.key.writes[at].operation);
        Some(
            Witness::default()
                .with(Part::Older, write.operation)
                .with(Part::OlderShown, first.operation)
                .with_some(Part::Newer, newer)
                .with(Part::NewerShown, between.operation),
        )
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
