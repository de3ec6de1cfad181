//! Linearizability of a register whose values are all different, while its events come in: O(1) per event, and the memory of what is
//! under way.
//!
//! The zones of `zones.rs`, kept only as long as they can still matter. Events come in order of time, at equal times beginnings before
//! ends, and of each read its value is known when it begins: whoever feeds this holds events back until the oldest read under way has
//! returned. Nothing but a read can make a history illegal: when it begins, its value must not have to come before another value that it
//! must also follow. A value that an acknowledged write has replaced is forgotten, because every later read of it is wrong; so what is
//! kept are the values since the last acknowledged write, and writes of unknown outcome that nobody has read, which may appear for ever.
//!
//! It does not know why a value is not among them: it may be forgotten, refused, or from nowhere. And a read that convicts is set aside:
//! what comes after is judged as if it had not been there.

use std::collections::VecDeque;

use super::table::Table;
use super::trace::Trace;

/// What is known of a value that can still be read.
#[derive(Clone, Copy, Debug)]
struct Zone {
    /// `f`: the first end of its write or of a read of it; [`Trace::NEVER`] before that.
    first_end: u64,
    /// `s`: the last beginning of its write or of a read of it.
    last_call: u64,
    /// When its write began.
    write_call: u64,
    /// The first end of a read of it.
    shown: u64,
}

/// What is wrong with a read, as far as can be seen when it begins. All false for a sound one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a finding of its own about one read"
)]
pub struct Sight {
    /// An acknowledged write that began after its value was in effect had ended.
    pub stale: bool,
    /// Another value had been read whose write began after its own was in effect.
    pub older: bool,
    /// Its value had been read before another value was read.
    pub flip: bool,
    /// Its value and another one must each come before the other.
    pub conflict: bool,
    /// Its value is not among those that can be read: unless it is stale for certain, only its end will tell.
    pub absent: bool,
}

impl Sight {
    /// Whether the read proves that the register is not linearizable.
    pub fn convicts(self) -> bool {
        self.stale || self.conflict
    }
}

/// What a read turned out to be when it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Explained {
    /// There was a write of its value.
    Yes,
    /// There was none that could still be read: it was replaced, refused, or never there.
    No,
}

/// A register whose events come in one by one.
#[derive(Clone, Debug, Default)]
pub struct RegisterStream {
    zones: Table<Zone>,
    /// Values whose `f` is known, in its order.
    by_end: VecDeque<(u64, u64)>,
    /// Of the values whose `f` is in the past, the last beginning of any of their operations.
    begun: Reach,
    /// Of the values that were read, the last beginning of a read that has returned.
    shown: Reach,
    /// The latest beginning of an acknowledged write that has returned.
    acked_call: Option<u64>,
    /// The latest beginning of a write whose value was read.
    shown_call: Option<u64>,
    /// Reads under way whose value is not there.
    awaited: Vec<Awaited>,
}

#[derive(Clone, Copy, Debug)]
struct Awaited {
    value: u64,
    readers: u32,
    written: bool,
}

impl RegisterStream {
    /// A write begins that may happen. False if its value is there already: then this is no judge of the register.
    pub fn write_begins(&mut self, value: u64, now: u64) -> bool {
        let zone = Zone {
            first_end: Trace::NEVER,
            last_call: now,
            write_call: now,
            shown: Trace::NEVER,
        };
        if !self.awaited.is_empty()
            && let Some(awaited) = self.awaited.iter_mut().find(|a| a.value == value)
        {
            awaited.written = true;
        }
        self.zones.insert(value, zone)
    }

    /// A write that began at `call` is acknowledged.
    pub fn write_ends(&mut self, value: u64, call: u64, now: u64) {
        self.enter(value, now);
        self.replaced(call);
    }

    /// What must have replaced all values that were in effect before `call` has ended: an acknowledged write, or another change.
    pub fn replaced(&mut self, call: u64) {
        self.acked_call = self.acked_call.max(Some(call));
        while let Some(&(value, first_end)) = self.by_end.front() {
            if Some(first_end) >= self.acked_call {
                break;
            }
            self.by_end.pop_front();
            self.zones.remove(value);
        }
    }

    /// A read begins that will return this value.
    pub fn read_begins(&mut self, value: u64, now: u64) -> Sight {
        let Some(zone) = self.zones.get(value) else {
            return Sight {
                absent: true,
                stale: !self.await_write(value),
                ..Sight::default()
            };
        };
        let mut sight = Sight::default();
        if zone.first_end < Trace::NEVER {
            let since = Some(zone.first_end);
            // Not stale: then it would have been forgotten.
            sight.older = self.shown_call > since;
            sight.flip = self.shown.beyond(Some(value)) > Some(zone.shown);
            sight.conflict = self.begun.beyond(Some(value)) > since;
        }
        if !sight.convicts() {
            zone.last_call = now;
            if zone.first_end < Trace::NEVER {
                self.begun.raise(Some(value), now);
            }
        }
        sight
    }

    /// A read begins that will return the initial value, which was in effect by `since`, before all times unless something else than a
    /// write brings it back.
    pub fn initial_read_begins(&mut self, since: Option<u64>) -> Sight {
        Sight {
            stale: self.acked_call > since,
            older: self.shown_call > since,
            flip: false,
            conflict: since.is_none() && self.begun.is_any(),
            absent: false,
        }
    }

    /// A read that began at `call` returns.
    pub fn read_ends(&mut self, value: u64, call: u64, now: u64, sight: Sight) -> Explained {
        if sight.absent && (sight.stale || !self.was_written(value)) {
            return Explained::No;
        }
        self.enter(value, now);
        if let Some(zone) = self.zones.get(value) {
            zone.shown = zone.shown.min(now);
            self.shown_call = self.shown_call.max(Some(zone.write_call));
        }
        self.shown.raise(Some(value), call);
        Explained::Yes
    }

    /// A read of the initial value that began at `call` returns.
    pub fn initial_read_ends(&mut self, call: u64) {
        self.shown.raise(None, call);
    }

    /// A read of a value that can no longer be read returns: that it was read still tells of others.
    pub fn stale_read_ends(&mut self, value: u64, call: u64) {
        self.shown.raise(Some(value), call);
    }

    /// Whether some acknowledged write has returned.
    pub fn has_acked(&self) -> bool {
        self.acked_call.is_some()
    }

    /// How many values can still be read, and how much memory that takes, bytes.
    pub fn live(&self) -> (usize, usize) {
        let queue = self.by_end.capacity() * size_of::<(u64, u64)>();
        (self.zones.len(), self.zones.bytes() + queue)
    }

    /// An operation of a value ends; the first to do so says when the value was in effect.
    fn enter(&mut self, value: u64, now: u64) {
        let Some(zone) = self.zones.get(value) else {
            return;
        };
        if zone.first_end == Trace::NEVER && now < Trace::NEVER {
            zone.first_end = now;
            self.begun.raise(Some(value), zone.last_call);
            self.by_end.push_back((value, now));
        }
    }

    /// Waits for the write of a value; false if it has come and gone.
    fn await_write(&mut self, value: u64) -> bool {
        match self.awaited.iter_mut().find(|a| a.value == value) {
            Some(awaited) if awaited.written => return false,
            Some(awaited) => awaited.readers += 1,
            None => self.awaited.push(Awaited {
                value,
                readers: 1,
                written: false,
            }),
        }
        true
    }

    fn was_written(&mut self, value: u64) -> bool {
        let Some(at) = self.awaited.iter().position(|a| a.value == value) else {
            return false;
        };
        let awaited = &mut self.awaited[at];
        let written = awaited.written;
        awaited.readers -= 1;
        if awaited.readers == 0 {
            self.awaited.swap_remove(at);
        }
        written
    }
}

/// Which value reaches furthest, and how far the others do. None is the initial value.
#[derive(Clone, Copy, Debug, Default)]
struct Reach {
    first: Option<(Option<u64>, u64)>,
    others: Option<u64>,
}

impl Reach {
    fn is_any(&self) -> bool {
        self.first.is_some()
    }

    fn raise(&mut self, value: Option<u64>, to: u64) {
        match &mut self.first {
            Some((first, reach)) if *first == value => *reach = to.max(*reach),
            Some((_, reach)) if *reach >= to => self.others = self.others.max(Some(to)),
            first => {
                let before = first.replace((value, to));
                self.others = self.others.max(before.map(|(_, reach)| reach));
            }
        }
    }

    /// How far the values other than this one reach.
    fn beyond(&self, value: Option<u64>) -> Option<u64> {
        match self.first {
            Some((first, _)) if first == value => self.others,
            first => first.map(|(_, reach)| reach),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Reach;

    proptest! {
        #[test]
        fn others_are_all_but_one(steps in prop::collection::vec((prop::option::of(0..5_u64), 0..20_u64), 0..40)) {
            let mut reach = Reach::default();
            for (last, &(value, to)) in steps.iter().enumerate() {
                reach.raise(value, to);
                for asked in (0..6).map(Some).chain([None]) {
                    let others = steps[..=last].iter().filter(|(value, _)| *value != asked);
                    prop_assert_eq!(reach.beyond(asked), others.map(|(_, to)| *to).max());
                }
            }
        }
    }
}
