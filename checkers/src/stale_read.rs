//! Stale reads: reads of a value that an acknowledged write had replaced before the read began.
//!
//! A read r of the value of w is stale iff some acknowledged write or delete w' began after w was in effect and
//! finished before r began. "In effect" is deliberately sooner than the end of w when some read had returned its value
//! before: with synchronised clocks such a value has a smaller stamp than any write that begins later. One read is
//! judged by itself; two reads that go back in time are in `inversion.rs`.

use crate::fenwick::Counter;
use crate::finding::{Checker, Finding};
use crate::guarantee::Guarantee;
use crate::history::index::{KeyIndex, Read, Write};
use crate::history::{History, Index};
use crate::statistics::{Distribution, Rate};
use crate::witness::{Amount, Anomaly, Measure, Part, Witness};

/// The judge of [`Guarantee::FreshReads`].
#[derive(Clone, Copy, Debug)]
pub struct StaleRead;

/// A stale read, with how stale it is.
struct Stale<'a> {
    read: &'a Read,
    /// Acknowledged writes that replaced its value before it began.
    versions_behind: u64,
    /// The one of them that finished first: since then the read had to know better.
    newer: &'a Write,
}

impl Checker for StaleRead {
    fn guarantee(&self) -> Guarantee {
        Guarantee::FreshReads
    }

    fn check(&self, history: &History, index: &Index) -> Finding {
        let mut finding = Finding::new(self.guarantee(), "reads");
        finding.skip_unmapped(index);
        let (mut versions, mut times) = (Distribution::default(), Distribution::default());
        for (key, at) in index.mapped() {
            let (judged, stale) = sweep(at);
            finding.judged += judged;
            for Stale {
                read,
                versions_behind,
                newer,
            } in stale
            {
                let behind = read.call.since(newer.ret);
                versions.add(versions_behind);
                times.add(behind.0);
                finding.see(read.call, || Anomaly {
                    guarantee: self.guarantee(),
                    at: read.call,
                    key: Some(history.key_name(key).to_owned()),
                    witness: at
                        .trace(Witness::default(), read)
                        .with(Part::Newer, newer.operation())
                        .with(Part::Reader, read.operation()),
                    details: vec![
                        Measure::new("versions behind", Amount::Count(versions_behind)),
                        Measure::new("behind", Amount::Ns(behind.0)),
                    ],
                    tale: None,
                });
            }
        }
        let worst = |all: &Distribution| all.quantiles().map_or(0, |quantiles| quantiles.max);
        finding.measure("worst versions behind", Amount::Count(worst(&versions)));
        finding.measure("worst time behind", Amount::Ns(worst(&times)));
        if finding.judged > 0 {
            let rate = Rate::new(finding.seen, finding.judged);
            finding.measure("stale reads", Amount::Rate(rate));
        }
        if let Some(quantiles) = times.quantiles() {
            finding.measure("versions behind", Amount::Histogram(versions.histogram()));
            finding.measure("time behind", Amount::Quantiles(quantiles));
            finding.measure("times behind", Amount::Histogram(times.histogram()));
        }
        finding
    }
}

/// Visits the reads of a key in the order of their invocations, while acknowledged writes return one by one.
///
/// A read is stale iff, of the writes that have returned, the one that began last began after the read's value was in effect.
fn sweep(key: &KeyIndex) -> (u64, Vec<Stale<'_>>) {
    let mut returned = key.acked_by_end();
    let mut youngest = None;
    let (mut judged, mut stale) = (0, Vec::new());
    for read in key.sound_reads() {
        while let Some(place) = returned.ended_before(read.call) {
            youngest = youngest.max(Some(key.writes[place].call));
        }
        judged += u64::from(youngest.is_some());
        if youngest.is_some() && youngest > read.in_effect() {
            stale.push(read);
        }
    }
    (judged, measured(key, stale))
}

/// How stale reads are that are known to be; they come in the order of their invocations.
fn measured<'a>(key: &'a KeyIndex, stale: Vec<&'a Read>) -> Vec<Stale<'a>> {
    if stale.is_empty() {
        return Vec::new();
    }
    let acked: Vec<&Write> = key.acked_writes().collect();
    let first_to_end = first_to_end_from(&acked);
    let mut returned = key.acked_by_end();
    let mut counter = Counter::new(acked.len());
    let measure = |read: &'a Read| {
        while let Some(place) = returned.ended_before(read.call) {
            counter.add(key.acked.partition_point(|&at| (at as usize) < place));
        }
        let newer_from = acked.partition_point(|write| Some(write.call) <= read.in_effect());
        Stale {
            read,
            versions_behind: counter.count_from(newer_from),
            newer: first_to_end[newer_from],
        }
    };
    stale.into_iter().map(measure).collect()
}

/// For each place, the write from there on that ended first.
fn first_to_end_from<'a>(acked: &[&'a Write]) -> Vec<&'a Write> {
    let mut first: Vec<&Write> = acked.to_vec();
    for place in (1..first.len()).rev() {
        if first[place].ret < first[place - 1].ret {
            first[place - 1] = first[place];
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::{Bucket, Quantiles};
    use crate::testing::{draw, judged_and_seen};

    fn check(drawing: &str) -> (u64, u64) {
        judged_and_seen(Guarantee::FreshReads, drawing)
    }

    #[test]
    fn the_old_value_after_the_new_one_was_acknowledged() {
        let drawing = "
            c1: |--w k 1--|
            c2:              |--w k 2--|
            c3:                            |--r k 1--|";
        assert_eq!(check(drawing), (1, 1));
    }

    #[test]
    fn the_initial_value_after_a_write() {
        let drawing = "
            c1: |--w k 1--|
            c2:              |--r k nil--|";
        assert_eq!(check(drawing), (1, 1));
    }

    #[test]
    fn a_read_that_begins_as_the_write_ends_is_concurrent() {
        let drawing = "
            c1: |--w k 1--|
            c2:              |--w k 2--|
            c3:                        |--r k 1--|";
        assert_eq!(check(drawing), (1, 0));
    }

    #[test]
    fn a_write_that_begins_as_the_other_ends_is_concurrent() {
        let drawing = "
            c1: |--w k 1--|
            c2:           |--w k 2--|
            c3:                         |--r k 1--|";
        assert_eq!(check(drawing), (1, 0));
    }

    #[test]
    fn a_write_of_unknown_outcome_may_take_effect_late() {
        let drawing = "
            c1: |--w k 1--?
            c2:              |--w k 2--|
            c3:                            |--r k 1--|";
        assert_eq!(check(drawing), (1, 0));
    }

    #[test]
    fn but_not_once_it_was_read() {
        let drawing = "
            c1: |--w k 1--?
            c4:              |-r k 1-|
            c2:                         |--w k 2--|
            c3:                                       |--r k 1--|";
        assert_eq!(check(drawing), (1, 1));
    }

    #[test]
    fn a_write_of_unknown_outcome_makes_nothing_stale() {
        let drawing = "
            c1: |--w k 1--|
            c2:              |--w k 2--?
            c3:                            |--r k 1--|";
        assert_eq!(check(drawing), (1, 0));
    }

    #[test]
    fn nothing_may_be_any_delete_that_had_begun() {
        let drawing = "
            c1: |--w k 1--|              |--d k--|
            c2:              |--w k 2--|
            c3:                                     |--r k nil--|";
        assert_eq!(check(drawing), (1, 0));
        let drawing = "
            c1: |--d k--|
            c2:              |--w k 2--|
            c3:                            |--r k nil--|";
        assert_eq!(check(drawing), (1, 1));
    }

    #[test]
    fn staleness_is_counted_in_versions_and_in_time() {
        let history = draw(
            "
            c1: |-w k 1-| |-w k 2-| |-w k 3-| |-w k 4-|
            c2:                                        |-r k 1-|",
        );
        let finding = StaleRead.check(&history, &Index::of(&history));
        let expected = vec![
            Measure::new("worst versions behind", Amount::Count(3)),
            Measure::new("worst time behind", Amount::Ns(2_100_000_000)),
            Measure::new("stale reads", Amount::Rate(Rate::new(1, 1))),
            Measure::new(
                "versions behind",
                Amount::Histogram(vec![Bucket {
                    from: 2,
                    to: 3,
                    count: 1,
                }]),
            ),
            Measure::new(
                "time behind",
                Amount::Quantiles(Quantiles {
                    p50: 2_100_000_000,
                    p90: 2_100_000_000,
                    p99: 2_100_000_000,
                    max: 2_100_000_000,
                }),
            ),
            Measure::new(
                "times behind",
                Amount::Histogram(vec![Bucket {
                    from: 1 << 30,
                    to: (1 << 31) - 1,
                    count: 1,
                }]),
            ),
        ];
        assert_eq!(finding.measures, expected);
    }
}
