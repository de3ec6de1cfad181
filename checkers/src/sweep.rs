//! Spans that come in the order of their beginnings, handed out in the order of their ends.
//!
//! Judges of order sweep over time: "all writes that had ended before this read began". Sorting a million spans by their ends
//! would be most of the work; but at any time only as many are open as there are clients, so a small heap will do.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::iter::Peekable;

use crate::history::Nanos;

/// A span of time with its place in some list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) call: Nanos,
    /// Not before `call`.
    pub(crate) end: Nanos,
    pub(crate) place: u32,
}

/// Spans by their ends; at equal ends by their places.
pub(crate) struct ByEnd<I: Iterator<Item = Span>> {
    /// Those to come, in the order of their beginnings.
    spans: Peekable<I>,
    open: BinaryHeap<Reverse<(Nanos, u32)>>,
}

impl<I: Iterator<Item = Span>> ByEnd<I> {
    /// Spans in the order of their beginnings.
    pub(crate) fn of(spans: I) -> ByEnd<I> {
        ByEnd {
            spans: spans.peekable(),
            open: BinaryHeap::new(),
        }
    }

    /// The place of the next span that ended before `time`. Times must not go back.
    pub(crate) fn ended_before(&mut self, time: Nanos) -> Option<usize> {
        while let Some(span) = self.spans.next_if(|span| span.call < time) {
            self.open.push(Reverse((span.end, span.place)));
        }
        let &Reverse((end, place)) = self.open.peek()?;
        if end >= time {
            return None;
        }
        self.open.pop();
        Some(place as usize)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn as_if_all_were_sorted(
            mut drafts in prop::collection::vec((0..30u64, 0..20u64), 0..40),
            mut times in prop::collection::vec(0..60u64, 0..20),
        ) {
            drafts.sort_by_key(|&(call, _)| call);
            times.sort_unstable();
            let spans: Vec<Span> = (0..)
                .zip(&drafts)
                .map(|(place, &(call, length))| Span { call: Nanos(call), end: Nanos(call + length), place })
                .collect();
            let mut sorted = spans.clone();
            sorted.sort_by_key(|span| span.end);
            let mut sorted = sorted.into_iter().peekable();
            let mut sweep = ByEnd::of(spans.into_iter());
            for time in times.into_iter().map(Nanos) {
                while let Some(span) = sorted.next_if(|span| span.end < time) {
                    prop_assert_eq!(sweep.ended_before(time), Some(span.place as usize));
                }
                prop_assert_eq!(sweep.ended_before(time), None);
            }
        }
    }
}
