//! Rule G1: all that was ever read of a grow-only set is one chain of growing sets. One pass over all elements.

use super::history::SetHistory;
use super::rule::{Rule, Rules};
use super::sift::{NONE, Sifted};

/// Two reads of which each has an element that the other lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clash {
    pub(super) reads: [u32; 2],
    /// What only the first has, and what only the second has.
    pub(super) only: [u32; 2],
}

/// The distinct sets that were read, from the empty set (number 0) on, each holding the ones before.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// The number of the first set that has an element; [`NONE`] if no read of the chain has it.
    pub(super) level: Vec<u32>,
    /// The number of the set that a read returned; [`NONE`] if it fits nowhere and was set aside.
    pub(super) set: Vec<u32>,
    /// For each set but the empty one: an element that it was the first to have, and a read that returned it.
    pub(super) grown: Vec<(u32, u32)>,
    /// For each read that was set aside: how it clashes with a read of the chain.
    pub(super) clashes: Vec<Clash>,
}

impl Chain {
    /// Sorts the replies by size; whatever does not hold the sets before it is set aside.
    pub(super) fn of(history: &SetHistory, sifted: &Sifted, rules: Rules) -> Chain {
        let mut by_size: Vec<u32> = (0..).take(history.reads().len()).collect();
        by_size.sort_by_key(|&read| sifted.list(history, read as usize).len());
        let mut chain = Chain {
            level: vec![NONE; history.added() as usize],
            set: vec![NONE; by_size.len()],
            ..Chain::default()
        };
        // The set so far: its number, its size, and who read it.
        let (mut number, mut size, mut reader) = (0, 0, NONE);
        for read in by_size {
            let list = sifted.list(history, read as usize);
            let next = number + 1;
            let (raised, first) = chain.raise(list, NONE, next);
            let held = list.len() - raised;
            if held < size && rules.keep(Rule::SmallerSetsAreSubsets) {
                chain.raise(list, next, NONE);
                let smaller = sifted.list(history, reader as usize);
                let only = [chain.lacking(smaller, list), chain.unmet(list)];
                let reads = [reader, read];
                chain.clashes.push(Clash { reads, only });
                continue;
            }
            if held < list.len() {
                chain.grown.push((first, read));
                (number, size) = (next, list.len());
            }
            reader = read;
            chain.set[read as usize] = number;
        }
        chain
    }

    /// Puts the elements of a list from one level to another. How many are these, and which is the first of all?
    fn raise(&mut self, list: &[u32], from: u32, to: u32) -> (usize, u32) {
        let (mut count, mut first) = (0, NONE);
        for &element in list {
            let level = &mut self.level[element as usize];
            if *level == from {
                *level = to;
                count += 1;
                first = first.min(element);
            }
        }
        (count, first)
    }

    /// The first element of the chain that is in `smaller` and not in `list`. The levels are as they were at the end.
    fn lacking(&mut self, smaller: &[u32], list: &[u32]) -> u32 {
        self.mark(list);
        let unmarked = |e: &u32| self.level[*e as usize] & MARK == 0;
        let lacking = smaller.iter().copied().filter(unmarked).min();
        self.mark(list);
        lacking.unwrap_or(NONE)
    }

    /// Marks the elements of a list, or takes the marks away.
    fn mark(&mut self, list: &[u32]) {
        for &element in list {
            self.level[element as usize] ^= MARK;
        }
    }

    /// The first element of a list that no set so far has.
    fn unmet(&self, list: &[u32]) -> u32 {
        let unmet = |e: &u32| self.level[*e as usize] == NONE;
        list.iter().copied().filter(unmet).min().unwrap_or(NONE)
    }
}

/// A bit that no level of an element in the chain has.
const MARK: u32 = 1 << 31;
