//! The trace as a list of events, with what can be known before the search: who takes which slot, and until when a value matters.
//!
//! Everything here is about the trace alone; what may have happened is in `search.rs`.

use std::collections::BinaryHeap;

use crate::history::Status;
use crate::register::trace::{Action, RegisterOp, Trace};

/// Later than every event.
pub(super) const NEVER: u32 = u32::MAX;
/// No slot: the operation can never matter.
pub(super) const NO_SLOT: u32 = u32::MAX;
/// Operations of a trace; more do not fit the numbers of events.
pub(super) const OPERATIONS_MAX: usize = 1 << 30;

/// What an operation does to the register, or says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// The register held this value.
    Equals(u32),
    /// The register did not hold this value: a compare-and-set that failed.
    Differs(u32),
    /// A blind write.
    Write(u32),
    /// From this value to another one.
    Swap(u32, u32),
}

impl Deed {
    /// None if it can say nothing and do nothing.
    fn of(op: &RegisterOp, dense: impl Fn(u32) -> u32) -> Option<Deed> {
        match (op.action, op.status) {
            (Action::Read(value), Status::Ok) => Some(Deed::Equals(dense(value.0))),
            (Action::Read(_), _) | (Action::Write(_), Status::Fail) => None,
            (Action::Write(value), _) => Some(Deed::Write(dense(value.0))),
            (Action::Cas { expected, .. }, Status::Fail) => Some(Deed::Differs(dense(expected.0))),
            (Action::Cas { expected, new }, status) if expected == new => match status {
                Status::Ok => Some(Deed::Equals(dense(expected.0))),
                _ => None,
            },
            (Action::Cas { expected, new }, _) => Some(Deed::Swap(dense(expected.0), dense(new.0))),
        }
    }

    /// The value that it leaves behind, if it changes anything.
    pub(super) fn leaves(self) -> Option<u32> {
        match self {
            Deed::Write(value) | Deed::Swap(_, value) => Some(value),
            Deed::Equals(_) | Deed::Differs(_) => None,
        }
    }
}

/// One operation that takes part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) deed: Deed,
    /// Number of the event that begins it.
    pub(super) call: u32,
    /// Number of the event that ends it; [`NEVER`] if its outcome is unknown.
    pub(super) ret: u32,
    /// Its bit while it is in flight, or [`NO_SLOT`].
    pub(super) slot: u32,
    /// Its place in [`Trace::ops`].
    pub(super) place: u32,
}

/// Something happens to one operation.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// The part of this number begins.
    Call(u32),
    /// It ends.
    Ret(u32),
}

/// The events of a trace, and what follows from them alone.
#[derive(Debug, Default)]
pub(super) struct Timetable {
    pub(super) parts: Vec<Part>,
    pub(super) events: Vec<Event>,
    /// The initial value by its dense number.
    pub(super) initial: u32,
    /// For each value, the last event at which it can help that the register holds it; 0 if never.
    pub(super) wanted: Vec<u32>,
    /// For each value, the last event at which it makes a difference whether the register holds it; 0 if never.
    pub(super) cared: Vec<u32>,
    /// Operations of unknown outcome that can no longer help after an event: (event, part), in this order.
    pub(super) expiries: Vec<(u32, u32)>,
    /// The last event that ends a failed compare-and-set; 0 if there is none.
    pub(super) last_differs: u32,
    /// Slots that are needed at once.
    pub(super) slots: u32,
}

impl Timetable {
    pub(super) fn of(trace: &Trace) -> Timetable {
        let values = dense_values(trace);
        let dense = |value: u32| {
            let place = values.binary_search(&value).unwrap_or_default();
            u32::try_from(place).unwrap_or(u32::MAX)
        };
        let mut table = Timetable {
            initial: dense(0),
            ..Timetable::default()
        };
        table.schedule(trace, dense);
        table.value_values(values.len());
        table.assign_slots();
        table
    }

    /// Calls before returns at equal times: spans are closed, and equal times are concurrent.
    fn schedule(&mut self, trace: &Trace, dense: impl Fn(u32) -> u32) {
        let part = |(place, op): (usize, &RegisterOp)| {
            Some(Part {
                deed: Deed::of(op, &dense)?,
                call: 0,
                ret: NEVER,
                slot: NO_SLOT,
                place: u32::try_from(place).unwrap_or(NEVER),
            })
        };
        self.parts = trace.ops.iter().enumerate().filter_map(part).collect();
        let op = |part: &Part| &trace.ops[part.place as usize];
        self.parts.sort_by_key(|part| op(part).call);
        let ends = |op: &RegisterOp| op.status != Status::Info;
        let mut returns: Vec<(u64, u32)> = (0_u32..)
            .zip(&self.parts)
            .filter(|(_, part)| ends(op(part)))
            .map(|(number, part)| (op(part).ret.max(op(part).call), number))
            .collect();
        returns.sort_unstable();
        let mut returns = returns.into_iter().peekable();
        for number in (0_u32..).take(self.parts.len()) {
            let call = op(&self.parts[number as usize]).call;
            while let Some((_, ended)) = returns.next_if(|(ret, _)| *ret < call) {
                self.parts[ended as usize].ret = self.push(Event::Ret(ended));
            }
            self.parts[number as usize].call = self.push(Event::Call(number));
        }
        for (_, ended) in returns {
            self.parts[ended as usize].ret = self.push(Event::Ret(ended));
        }
    }

    /// Adds an event and gives its number; the first is 1, so that 0 is before all.
    fn push(&mut self, event: Event) -> u32 {
        self.events.push(event);
        u32::try_from(self.events.len()).unwrap_or(NEVER)
    }

    fn value_values(&mut self, values: usize) {
        self.wanted = vec![0; values];
        self.cared = vec![0; values];
        // A failed compare-and-set is helped by every value but its own: the two last that differ suffice to know.
        let (mut last, mut other) = ((0, NEVER), 0);
        for part in &self.parts {
            match part.deed {
                Deed::Equals(value) => raise(&mut self.wanted, value, part.ret),
                Deed::Swap(from, _) if part.ret != NEVER => {
                    raise(&mut self.wanted, from, part.ret);
                }
                Deed::Differs(value) => {
                    raise(&mut self.cared, value, part.ret);
                    if part.ret > last.0 {
                        if value != last.1 {
                            other = last.0;
                        }
                        last = (part.ret, value);
                    } else if value != last.1 {
                        other = other.max(part.ret);
                    }
                }
                Deed::Write(_) | Deed::Swap(..) => {}
            }
        }
        self.last_differs = last.0;
        for (value, wanted) in (0_u32..).zip(&mut self.wanted) {
            let differing = if value == last.1 { other } else { last.0 };
            self.cared[value as usize] = self.cared[value as usize].max(*wanted);
            *wanted = (*wanted).max(differing);
        }
        self.follow_unknown_swaps();
    }

    /// A compare-and-set of unknown outcome wants its expected value as long as its new value is wanted.
    fn follow_unknown_swaps(&mut self) {
        let mut swaps: Vec<(u32, u32, u32)> = Vec::new();
        for part in self.parts.iter().filter(|part| part.ret == NEVER) {
            if let Deed::Swap(from, to) = part.deed {
                swaps.push((to, from, part.call));
            }
        }
        swaps.sort_unstable();
        let mut heap: BinaryHeap<(u32, u32)> = swaps
            .iter()
            .map(|&(to, ..)| (self.wanted[to as usize], to))
            .collect();
        while let Some((until, value)) = heap.pop() {
            if until < self.wanted[value as usize] {
                continue;
            }
            let from = swaps.partition_point(|swap| swap.0 < value);
            for &(_, before, call) in swaps[from..].iter().take_while(|swap| swap.0 == value) {
                if call <= until {
                    raise(&mut self.cared, before, until);
                    if self.wanted[before as usize] < until {
                        self.wanted[before as usize] = until;
                        heap.push((until, before));
                    }
                }
            }
        }
    }

    fn assign_slots(&mut self) {
        let mut expiries: Vec<(u32, u32)> = Vec::new();
        for (number, part) in (0_u32..).zip(&self.parts) {
            if part.ret == NEVER
                && let Some(value) = part.deed.leaves()
                && self.wanted[value as usize] > part.call
            {
                expiries.push((self.wanted[value as usize], number));
            }
        }
        expiries.sort_unstable();
        let mut free = BinaryHeap::new();
        let mut expiring = expiries.iter().peekable();
        let mut useful: Vec<bool> = self.parts.iter().map(|part| part.ret != NEVER).collect();
        for &(_, number) in &expiries {
            useful[number as usize] = true;
        }
        for (event, position) in self.events.iter().zip(1_u32..) {
            match *event {
                Event::Call(number) if useful[number as usize] => {
                    let slot = free
                        .pop()
                        .map_or(self.slots, |std::cmp::Reverse(slot)| slot);
                    self.slots = self.slots.max(slot + 1);
                    self.parts[number as usize].slot = slot;
                }
                Event::Call(_) => {}
                Event::Ret(number) => {
                    free.push(std::cmp::Reverse(self.parts[number as usize].slot));
                }
            }
            while let Some(&(_, number)) = expiring.next_if(|(at, _)| *at <= position) {
                free.push(std::cmp::Reverse(self.parts[number as usize].slot));
            }
        }
        self.expiries = expiries;
    }
}

fn raise(until: &mut [u32], value: u32, event: u32) {
    let until = &mut until[value as usize];
    *until = (*until).max(event);
}

/// All values of a trace in ascending order, the initial one among them.
fn dense_values(trace: &Trace) -> Vec<u32> {
    let mut values = vec![0];
    for op in &trace.ops {
        match op.action {
            Action::Read(value) | Action::Write(value) => values.push(value.0),
            Action::Cas { expected, new } => values.extend([expected.0, new.0]),
        }
    }
    values.sort_unstable();
    values.dedup();
    values
}
