//! What is in flight now, value by value: who could give a value, and who waits for it.
//!
//! The same for all configurations; which of these operations a configuration has already used is in its own masks.

use super::mask::Mask;
use super::timetable::{Deed, NEVER, NO_SLOT, Part};

/// No lane: nothing in flight has to do with the value.
const NONE: u32 = u32::MAX;

/// Something that may be used: the number of its part, and its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) part: u32,
    pub(super) slot: u32,
    /// The value that it leaves behind.
    pub(super) to: u32,
    /// Whether its outcome is unknown: then nothing forces it.
    pub(super) unknown: bool,
}

/// What is in flight of one value.
#[derive(Clone, Debug)]
pub(super) struct Lane<const W: usize> {
    pub(super) value: u32,
    /// Blind writes of it: those that return, soonest first, and then those of unknown outcome, oldest first.
    pub(super) writes: Vec<Candidate>,
    /// Compare-and-sets from it: by their new value, and then as the writes.
    pub(super) swaps: Vec<Candidate>,
    /// Who waits for it: reads and compare-and-sets.
    pub(super) waiting: Mask<W>,
    /// Reads of it.
    pub(super) readers: Mask<W>,
    /// Acknowledged blind writes of it.
    pub(super) writers: Mask<W>,
    /// Who waits for any other value: failed compare-and-sets that expected it.
    pub(super) refused: Mask<W>,
}

impl<const W: usize> Lane<W> {
    fn new(value: u32) -> Lane<W> {
        Lane {
            value,
            writes: Vec::new(),
            swaps: Vec::new(),
            waiting: Mask::EMPTY,
            readers: Mask::EMPTY,
            writers: Mask::EMPTY,
            refused: Mask::EMPTY,
        }
    }

    fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.waiting.or(self.refused).is_empty()
    }
}

/// All that is in flight.
#[derive(Debug)]
pub(super) struct Lanes<const W: usize> {
    of_value: Vec<u32>,
    open: Vec<Lane<W>>,
    /// Reads and failed compare-and-sets: what changes nothing.
    pub(super) idle: Mask<W>,
    /// Failed compare-and-sets.
    pub(super) refused: Mask<W>,
    /// Acknowledged blind writes.
    pub(super) writes: Mask<W>,
    /// Acknowledged compare-and-sets.
    pub(super) swaps: Mask<W>,
    /// Operations of unknown outcome that may still help.
    pub(super) unknown: Mask<W>,
}

impl<const W: usize> Lanes<W> {
    pub(super) fn new(values: usize) -> Lanes<W> {
        Lanes {
            of_value: vec![NONE; values],
            open: Vec::new(),
            idle: Mask::EMPTY,
            refused: Mask::EMPTY,
            writes: Mask::EMPTY,
            swaps: Mask::EMPTY,
            unknown: Mask::EMPTY,
        }
    }

    /// The lane of a value, if anything in flight has to do with it.
    pub(super) fn lane(&self, value: u32) -> Option<&Lane<W>> {
        let number = *self.of_value.get(value as usize)?;
        self.open.get(number as usize)
    }

    pub(super) fn all(&self) -> &[Lane<W>] {
        &self.open
    }

    /// Who is content at the moment at which the register comes to hold a value.
    pub(super) fn content(&self, value: u32) -> Mask<W> {
        match self.lane(value) {
            Some(lane) => lane.readers.or(self.refused.without(lane.refused)),
            None => self.refused,
        }
    }

    /// Who could make use of a value: those who would be content, and compare-and-sets from it.
    pub(super) fn hopeful(&self, lane: &Lane<W>) -> Mask<W> {
        lane.waiting.or(self.refused.without(lane.refused))
    }

    /// A part begins. `ret_of` tells when another part returns.
    pub(super) fn enter(&mut self, number: u32, part: &Part, ret_of: impl Fn(u32) -> u32) {
        if part.slot == NO_SLOT {
            return;
        }
        let unknown = part.ret == NEVER;
        let kind = match part.deed {
            _ if unknown => &mut self.unknown,
            Deed::Equals(_) | Deed::Differs(_) => &mut self.idle,
            Deed::Write(_) => &mut self.writes,
            Deed::Swap(..) => &mut self.swaps,
        };
        kind.insert(part.slot);
        let candidate = |to| Candidate {
            part: number,
            slot: part.slot,
            to,
            unknown,
        };
        // Those of unknown outcome return last; of them, the part that began first comes first.
        let order = |other: &Candidate| (other.to, ret_of(other.part), other.part);
        match part.deed {
            Deed::Equals(value) => {
                let lane = self.open(value);
                lane.readers.insert(part.slot);
                lane.waiting.insert(part.slot);
            }
            Deed::Differs(value) => {
                self.refused.insert(part.slot);
                self.open(value).refused.insert(part.slot);
            }
            Deed::Write(value) => {
                let lane = self.open(value);
                let at = lane
                    .writes
                    .partition_point(|w| order(w) < (value, part.ret, number));
                lane.writes.insert(at, candidate(value));
                if !unknown {
                    lane.writers.insert(part.slot);
                }
            }
            Deed::Swap(from, to) => {
                let lane = self.open(from);
                let at = lane
                    .swaps
                    .partition_point(|w| order(w) < (to, part.ret, number));
                lane.swaps.insert(at, candidate(to));
                lane.waiting.insert(part.slot);
            }
        }
    }

    /// A part returned, or can no longer help.
    pub(super) fn leave(&mut self, number: u32, part: &Part) {
        for kind in [
            &mut self.idle,
            &mut self.refused,
            &mut self.writes,
            &mut self.swaps,
            &mut self.unknown,
        ] {
            kind.remove(part.slot);
        }
        let value = match part.deed {
            Deed::Equals(value)
            | Deed::Differs(value)
            | Deed::Write(value)
            | Deed::Swap(value, _) => value,
        };
        let lane = self.open(value);
        lane.readers.remove(part.slot);
        lane.writers.remove(part.slot);
        lane.waiting.remove(part.slot);
        lane.refused.remove(part.slot);
        lane.writes.retain(|w| w.part != number);
        lane.swaps.retain(|w| w.part != number);
        if lane.is_empty() {
            self.close(value);
        }
    }

    fn open(&mut self, value: u32) -> &mut Lane<W> {
        let number = &mut self.of_value[value as usize];
        if *number == NONE {
            *number = u32::try_from(self.open.len()).unwrap_or(NONE);
            self.open.push(Lane::new(value));
        }
        &mut self.open[*number as usize]
    }

    fn close(&mut self, value: u32) {
        let number = std::mem::replace(&mut self.of_value[value as usize], NONE);
        self.open.swap_remove(number as usize);
        if let Some(moved) = self.open.get(number as usize) {
            self.of_value[moved.value as usize] = number;
        }
    }
}
