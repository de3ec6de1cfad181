//! When each element was there and when it was not: one pass over all elements that were returned, and nothing for those that were not.
//!
//! Reads are visited from the last one to begin to the first. An element that was in all reads visited so far costs one comparison;
//! when it is met again after a gap, the gap tells the last read that lacks it. A read says nothing about elements that nobody had tried
//! to add when it returned. Elements are numbered in the order of their first attempts, so for each read these are the ones from some
//! number on.

use super::history::SetHistory;
use super::rule::{Rule, Rules};
use super::sift::{NONE, Odd};

/// What the reads say about each element that somebody tried to add: numbers of reads, or [`NONE`].
#[derive(Debug, Default)]
pub(super) struct Presence {
    /// The last read to begin of those that have the element.
    pub(super) last_present: Vec<u32>,
    /// The last read to begin of those that lack it.
    pub(super) last_absent: Vec<u32>,
    /// The first read to complete of those that have it.
    pub(super) first_to_show: Vec<u32>,
    /// Elements that a read has, but that nobody had tried to add when it returned. Once for each read and element.
    pub(super) unattempted: Vec<Odd>,
    /// Elements that a read returned more than once, and how often.
    pub(super) repeated: Vec<(Odd, u64)>,
}

impl Presence {
    /// Visits all reads. `births` are the positions of the first attempts.
    pub(super) fn of(history: &SetHistory, births: &[u64], rules: Rules) -> Presence {
        let mut visit = Visit::new(history, births, rules);
        let reads = history.reads();
        for (number, read) in (0..number(reads.len())).zip(reads).rev() {
            let attempted = visit.attempted_before(read.completed);
            visit.list(history.elements(read), number, attempted);
            let since = visit.attempted_before(read.invoked);
            visit.under_way(number, since, attempted);
        }
        visit.finish()
    }
}

struct Visit<'a> {
    history: &'a SetHistory,
    births: &'a [u64],
    rules: Rules,
    /// The last visited read that has the element; the number of reads, if there is none.
    seen: Vec<u32>,
    /// The last read to begin that lacks the element, of those visited before one that has it.
    gap: Vec<u32>,
    /// The last read to begin that lacks the element, of those that were under way when it was first attempted.
    gap_under_way: Vec<u32>,
    last_present: Vec<u32>,
    /// Of reads that began after another one and completed before it, the first to complete that has the element.
    nested: Vec<u32>,
    /// Whether a read began after another one and completed before it.
    is_nested: Vec<bool>,
    unattempted: Vec<Odd>,
    repeated: Vec<(Odd, u64)>,
}

impl<'a> Visit<'a> {
    fn new(history: &'a SetHistory, births: &'a [u64], rules: Rules) -> Visit<'a> {
        let none = vec![NONE; births.len()];
        let mut latest = 0;
        let mut nested = |completed: u64| {
            let nested = completed < latest;
            latest = latest.max(completed);
            nested
        };
        Visit {
            history,
            births,
            rules,
            seen: vec![number(history.reads().len()); births.len()],
            gap: none.clone(),
            gap_under_way: none.clone(),
            last_present: none.clone(),
            nested: none,
            is_nested: history
                .reads()
                .iter()
                .map(|read| nested(read.completed))
                .collect(),
            unattempted: Vec::new(),
            repeated: Vec::new(),
        }
    }

    /// How many elements had been attempted before a position.
    fn attempted_before(&self, position: u64) -> usize {
        self.births.partition_point(|&birth| birth < position)
    }

    /// Visits the elements of a read, of which the first `attempted` count.
    fn list(&mut self, list: &[u32], read: u32, attempted: usize) {
        let attempted = if self.rules.keep(Rule::PresenceNeedsAnAttempt) {
            attempted
        } else {
            self.births.len()
        };
        let next = read + 1;
        let mut odd = Vec::new();
        for &element in list {
            match self.seen[..attempted].get_mut(element as usize) {
                Some(seen) if *seen == next => *seen = read,
                _ => odd.push(element),
            }
        }
        self.odd(odd, read, attempted);
        if self.is_nested[read as usize] {
            self.note_nested(list, read, attempted);
        }
    }

    /// The elements of a read that were not in the read before, or that it cannot have, or that it has had already.
    fn odd(&mut self, mut odd: Vec<u32>, read: u32, attempted: usize) {
        odd.sort_unstable();
        for group in odd.chunk_by(|a, b| a == b) {
            let element = group[0];
            let (place, mut times) = (element as usize, group.len() as u64);
            match self.seen.get(place) {
                // Nothing else can have been seen in this very read.
                Some(&seen) if place < attempted && seen == read => times += 1,
                Some(&seen) if place < attempted => self.after_gap(place, seen, read),
                _ => self.unattempted.push(Odd { read, element }),
            }
            if times > 1 {
                self.repeated.push((Odd { read, element }, times));
            }
        }
    }

    /// An element that was last seen in a read, and now in one before, but not in all between.
    fn after_gap(&mut self, element: usize, seen: u32, read: u32) {
        if seen == number(self.history.reads().len()) {
            self.last_present[element] = read;
        }
        if self.gap[element] == NONE || !self.rules.keep(Rule::LastAbsenceCounts) {
            self.gap[element] = seen - 1;
        }
        self.seen[element] = read;
    }

    fn note_nested(&mut self, list: &[u32], read: u32, attempted: usize) {
        let reads = self.history.reads();
        let completed = |read: u32| reads.get(read as usize).map(|read| read.completed);
        let this = completed(read);
        for &element in list {
            if let Some(first) = self.nested[..attempted].get_mut(element as usize)
                && completed(*first).is_none_or(|first| this < Some(first))
            {
                *first = read;
            }
        }
    }

    /// Notes the elements that a read lacks although they were attempted while it was under way.
    fn under_way(&mut self, read: u32, since: usize, attempted: usize) {
        if !self.rules.keep(Rule::ReadsUnderWayCount) {
            return;
        }
        for element in since..attempted {
            if self.seen[element] != read && self.gap_under_way[element] == NONE {
                self.gap_under_way[element] = read;
            }
        }
    }

    fn finish(mut self) -> Presence {
        let reads = self.history.reads();
        let all = number(reads.len());
        let mut last_absent = vec![NONE; self.births.len()];
        let mut first_to_show = vec![NONE; self.births.len()];
        // The first read that began after the element was attempted.
        let mut later = 0;
        for (element, &birth) in self.births.iter().enumerate() {
            let seen = self.seen[element];
            if self.gap[element] == NONE {
                self.gap[element] = seen.checked_sub(1).unwrap_or(NONE);
            }
            if seen != all {
                if self.last_present[element] == NONE {
                    self.last_present[element] = all - 1;
                }
                first_to_show[element] = self.first_to_complete(seen, self.nested[element]);
            }
            while reads.get(later).is_some_and(|read| read.invoked <= birth) {
                later += 1;
            }
            let gap = self.gap[element];
            let counts = gap as usize >= later || !self.rules.keep(Rule::AbsenceNeedsAnAttempt);
            last_absent[element] = if gap != NONE && counts {
                gap
            } else {
                self.gap_under_way[element]
            };
        }
        Presence {
            last_present: self.last_present,
            last_absent,
            first_to_show,
            unattempted: self.unattempted,
            repeated: self.repeated,
        }
    }

    /// The one of two reads that completed first; of the second there may be none.
    fn first_to_complete(&self, read: u32, other: u32) -> u32 {
        let reads = self.history.reads();
        match reads.get(other as usize) {
            Some(found) if found.completed < reads[read as usize].completed => other,
            _ => read,
        }
    }
}

/// Reads are fewer than `u32::MAX`: more do not fit into memory.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(NONE - 1)
}
