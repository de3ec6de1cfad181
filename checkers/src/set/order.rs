//! Rules G2 and G3: the chain of sets says which operation comes before which; real time must not say otherwise.
//!
//! Every operation gets a rank: the read of set i has 2i + 1, the add of an element has twice the number of the first set that has it.
//! An operation that began after one of a higher rank had returned is a violation; if there is none, the ranks are an order.

use super::chain::Chain;
use super::history::{NEVER, SetHistory};
use super::rule::{Rule, Rules};
use super::sift::NONE;
use crate::history::Status;

/// The rank of an acknowledged add whose element no read of the chain has.
const LAST: u64 = u64::MAX;

/// An operation: adds by their number, then reads by theirs.
type Op = u32;

/// What real time contradicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conflict {
    /// The add was acknowledged before the read began, which lacks the element.
    Missed { add: u32, read: u32 },
    /// The first read has the element and returned before the second began, which lacks it.
    Vanished { element: u32, reads: [u32; 2] },
    /// The read has the element of the add, and returned before it began.
    Future { read: u32, add: u32 },
    /// The first add was acknowledged before the second began, and the read has only the element of the second.
    OutOfOrder { adds: [u32; 2], read: u32 },
}

/// What the sweep over time found.
#[derive(Debug, Default)]
pub(super) struct Ranking {
    /// At most one for each operation.
    pub(super) conflicts: Vec<Conflict>,
    /// The operations in an order that explains everything, if there are no conflicts.
    pub(super) order: Vec<Op>,
}

/// The highest rank of what has returned, and whose it is.
#[derive(Clone, Copy, Default)]
struct Highest {
    rank: u64,
    op: Op,
}

impl Highest {
    fn see(&mut self, rank: u64, op: Op) {
        if rank > self.rank {
            *self = Highest { rank, op };
        }
    }
}

/// Sweeps over time.
pub(super) fn rank(history: &SetHistory, chain: &Chain, adders: &[u32], rules: Rules) -> Ranking {
    let sweep = Sweep {
        history,
        chain,
        adders,
        rules,
    };
    sweep.run()
}

struct Sweep<'a> {
    history: &'a SetHistory,
    chain: &'a Chain,
    adders: &'a [u32],
    rules: Rules,
}

impl Sweep<'_> {
    fn run(&self) -> Ranking {
        let mut ranking = Ranking::default();
        let (mut adds, mut reads) = (Highest::default(), Highest::default());
        // Rank and invocation of everything that happened.
        let mut placed: Vec<(u64, u64, Op)> = Vec::new();
        for (time, returns, op) in self.events() {
            let number = op as usize;
            let is_add = number < self.history.adds().len();
            let rank = if is_add {
                self.add_rank(number)
            } else {
                self.read_rank(op)
            };
            if returns {
                if is_add {
                    adds.see(rank, op);
                } else if self.rules.keep(Rule::ReadsBind) {
                    reads.see(rank, op);
                }
            } else if is_add && !self.is_adder(number) {
                // Whatever this attempt did, it was no change: it fits wherever it happened.
                placed.push((rank.max(adds.rank).max(reads.rank), time, op));
            } else {
                placed.push((rank, time, op));
                let conflict = if is_add {
                    self.late_add(op, rank, adds, reads)
                } else {
                    self.late_read(op, rank, adds, reads)
                };
                ranking.conflicts.extend(conflict);
            }
        }
        if ranking.conflicts.is_empty() {
            placed.sort_unstable();
            ranking.order = placed.into_iter().map(|(.., op)| op).collect();
        }
        ranking
    }

    /// Invocations and returns in the order of time; of those at the same time, invocations first.
    fn events(&self) -> Vec<(u64, bool, Op)> {
        let mut events = Vec::new();
        for (add, op) in self.history.adds().iter().zip(0..) {
            if !self.happened(op as usize) {
                continue;
            }
            events.push((add.call, false, op));
            if add.status == Status::Ok {
                events.push((add.ret, true, op));
            } else if !self.rules.keep(Rule::UnknownNeverReturned) {
                events.push((add.call.saturating_add(1), true, op));
            }
        }
        let first = u32::try_from(self.history.adds().len()).unwrap_or(NONE);
        for (read, op) in self.history.reads().iter().zip(first..) {
            if self.set(op) != NONE {
                events.push((read.call, false, op));
                events.push((read.ret, true, op));
            }
        }
        events.retain(|&(time, returns, _)| !(returns && time == NEVER));
        let calls_first = self.rules.keep(Rule::EqualTimesAreConcurrent);
        events.sort_unstable_by_key(|&(time, returns, op)| (time, returns == calls_first, op));
        events
    }

    /// Whether an add counts: it was acknowledged, or its outcome is unknown and somebody saw the element.
    fn happened(&self, add: usize) -> bool {
        let (status, level) = (self.history.adds()[add].status, self.level(add));
        match status {
            Status::Ok => level != NONE || self.rules.keep(Rule::UnseenComeLast),
            Status::Info => level != NONE,
            Status::Fail => level != NONE && !self.rules.keep(Rule::RefusedDidNotHappen),
        }
    }

    fn level(&self, add: usize) -> u32 {
        self.chain.level[self.history.adds()[add].element as usize]
    }

    fn is_adder(&self, add: usize) -> bool {
        let element = self.history.adds()[add].element;
        self.adders[element as usize] as usize == add
    }

    /// The number of the set that a read returned.
    fn set(&self, op: Op) -> u32 {
        self.chain.set[op as usize - self.history.adds().len()]
    }

    fn add_rank(&self, add: usize) -> u64 {
        match self.level(add) {
            NONE => LAST,
            level => 2 * u64::from(level),
        }
    }

    fn read_rank(&self, op: Op) -> u64 {
        let follows = u64::from(self.rules.keep(Rule::ReadsFollowTheirAdds));
        2 * u64::from(self.set(op)) + follows
    }

    fn read_number(&self, op: Op) -> u32 {
        op - u32::try_from(self.history.adds().len()).unwrap_or(NONE)
    }

    /// An element that the set of this rank was the first to have, and a read that returned that set.
    fn grown(&self, rank: u64) -> Option<(u32, u32)> {
        let number = usize::try_from(rank / 2).ok()?;
        self.chain.grown.get(number.checked_sub(1)?).copied()
    }

    fn late_read(&self, op: Op, rank: u64, adds: Highest, reads: Highest) -> Option<Conflict> {
        let read = self.read_number(op);
        if adds.rank > rank {
            return Some(Conflict::Missed { add: adds.op, read });
        }
        if reads.rank <= rank {
            return None;
        }
        let (element, _) = self.grown(reads.rank)?;
        let reads = [self.read_number(reads.op), read];
        Some(Conflict::Vanished { element, reads })
    }

    fn late_add(&self, op: Op, rank: u64, adds: Highest, reads: Highest) -> Option<Conflict> {
        if reads.rank > rank {
            let read = self.read_number(reads.op);
            return Some(Conflict::Future { read, add: op });
        }
        if adds.rank <= rank {
            return None;
        }
        let (_, read) = self.grown(rank)?;
        let adds = [adds.op, op];
        Some(Conflict::OutOfOrder { adds, read })
    }
}
