//! Events held back until they can be judged: a read only when its value is known, and nothing before it.
//!
//! What comes out is in order of time, at equal times beginnings before ends. It judges nothing.

use std::collections::VecDeque;

use crate::history::Status;

/// How many events are held back at most. An operation that has not ended by then is judged as one of unknown outcome.
pub(super) const HELD_MAX: usize = 1 << 20;

/// What is asked of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Read,
    Write,
    Delete,
}

/// A value as streams know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Datum {
    Nothing,
    Int(i64),
    /// Anything else.
    Other,
}

/// An operation from its beginning until it has been judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) ask: Ask,
    pub(super) key: u32,
    /// What is written, or was read.
    pub(super) value: Datum,
    pub(super) call: u64,
    /// Index of the event of its beginning, and of its end.
    pub(super) invoked: u64,
    pub(super) completed: u64,
    /// None while it is under way.
    pub(super) status: Option<Status>,
    /// Judged as of unknown outcome, because it lasted too long.
    pub(super) given_up: bool,
}

/// Something that can be judged now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Begins(u32),
    /// Only operations that happened end.
    Ends(u32, u64),
}

#[derive(Clone, Copy, Debug)]
struct Moment {
    time: u64,
    place: u32,
    ends: bool,
}

/// The queue of what is held back, and all operations in it.
#[derive(Clone, Debug)]
pub(super) struct Hold<T> {
    queue: VecDeque<Moment>,
    operations: Vec<(Held, T)>,
    free: Vec<u32>,
    now: u64,
    held_max: usize,
    is_over: bool,
    most: usize,
}

impl<T: Default> Hold<T> {
    pub(super) fn new(held_max: usize) -> Hold<T> {
        Hold {
            queue: VecDeque::new(),
            operations: Vec::new(),
            free: Vec::new(),
            now: 0,
            held_max,
            is_over: false,
            most: 0,
        }
    }

    /// Takes the beginning of an operation. Its place is a handle until it is freed.
    pub(super) fn begins(&mut self, held: Held) -> u32 {
        self.now = held.call;
        let place = if let Some(place) = self.free.pop() {
            self.operations[place as usize] = (held, T::default());
            place
        } else {
            self.operations.push((held, T::default()));
            u32::try_from(self.operations.len() - 1).unwrap_or(u32::MAX)
        };
        let moment = Moment {
            time: held.call,
            place,
            ends: false,
        };
        let after = self.queue.iter().rev();
        let tied = after
            .take_while(|before| before.ends && before.time == held.call)
            .count();
        if tied == 0 {
            self.queue.push_back(moment);
        } else {
            self.queue.insert(self.queue.len() - tied, moment);
        }
        self.most = self.most.max(self.queue.len());
        place
    }

    /// Takes the end of an operation whose status has been set.
    pub(super) fn ends(&mut self, place: u32, now: u64) {
        self.now = now;
        if self.get(place).0.status == Some(Status::Ok) {
            self.queue.push_back(Moment {
                time: now,
                place,
                ends: true,
            });
            self.most = self.most.max(self.queue.len());
        }
    }

    /// The time that events have reached.
    pub(super) fn reaches(&mut self, now: u64) {
        self.now = now;
    }

    /// What can be judged next, if anything can.
    pub(super) fn due(&mut self) -> Option<Due> {
        let &Moment { time, place, ends } = self.queue.front()?;
        if ends {
            // Beginnings at the same time come first, and may still come.
            if time >= self.now && !self.is_over {
                return None;
            }
            self.queue.pop_front();
            return Some(Due::Ends(place, time));
        }
        let held = &mut self.operations[place as usize].0;
        if held.status.is_none() {
            if self.queue.len() <= self.held_max && !self.is_over {
                return None;
            }
            held.given_up = true;
        }
        self.queue.pop_front();
        Some(Due::Begins(place))
    }

    /// There will be no more events: what is under way stays unknown, and all can be judged.
    pub(super) fn finish(&mut self) {
        self.is_over = true;
    }

    pub(super) fn get(&mut self, place: u32) -> &mut (Held, T) {
        &mut self.operations[place as usize]
    }

    /// An operation that has been judged needs no place any more.
    pub(super) fn free(&mut self, place: u32) {
        self.free.push(place);
    }

    /// The most that was held back at one time, events.
    pub(super) fn most(&self) -> usize {
        self.most
    }
}
