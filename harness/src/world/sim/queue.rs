//! Virtual time: what is going to happen, and when.
//!
//! Two things that are due at the same time happen in the order in which they were planned. That, and nothing else, makes
//! the simulator deterministic: nobody here looks at a real clock.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use quorate_checkers::history::Nanos;

use super::network::StreamId;
use super::trace::{Step, Tracer, What};
use crate::fault::{Effect, Link};
use crate::world::Outcome;

/// Something that happens in the simulated world.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    /// A process begins to serve.
    Boot { node: u16 },
    /// A node's next deadline has come.
    Alarm { node: u16, epoch: u64 },
    /// The log of a node is to be synced.
    SyncDue { node: u16, epoch: u64 },
    /// The disk has it all.
    SyncEnded { node: u16, epoch: u64 },
    /// A node tries to connect to a peer.
    Dial { link: Link, epoch: u64 },
    /// The peer has greeted back.
    Greeted { link: Link, stream: StreamId },
    /// A message has come through.
    Arrival { link: Link, stream: StreamId },
    /// The sender learns that its connection broke.
    HungUp { link: Link, stream: StreamId },
    /// A client's request has come through to the process that it was sent to.
    Asked { client: usize, op: u64, epoch: u64 },
    /// A client learns what came of its operation.
    Answered {
        client: usize,
        op: u64,
        outcome: Outcome,
    },
    /// A client has waited long enough.
    GaveUp { client: usize, op: u64 },
    /// A fault is done.
    Strike(usize),
    /// The harness knows whether it took.
    Struck(usize, Effect),
    /// A fault is undone.
    Lift(usize),
    /// The harness knows whether that took.
    Lifted(usize, Effect),
    /// Everything is undone.
    LiftAll,
    /// The harness asks (again) for the change of the ring that this fault is.
    ChangeRing(usize),
    /// The harness looks whether what it waits for has come.
    Look,
}

/// What is going to happen.
#[derive(Debug)]
pub(super) struct Queue {
    now: Nanos,
    planned: u64,
    /// When what is planned is due, in which order it was planned, and its place.
    due: BinaryHeap<Reverse<(Nanos, u64, usize)>>,
    /// What is planned. Places are used again, so that the heap moves none of it.
    happenings: Vec<Option<Happening>>,
    free: Vec<usize>,
    /// Takes down what happened, if somebody wants to know.
    tracer: Option<Box<Tracer>>,
}

impl Queue {
    pub(super) fn new() -> Queue {
        Queue {
            now: Nanos(0),
            planned: 0,
            due: BinaryHeap::new(),
            happenings: Vec::new(),
            free: Vec::new(),
            tracer: None,
        }
    }

    /// From now on what happens is taken down.
    pub(super) fn trace(&mut self) {
        self.tracer = Some(Box::default());
    }

    /// Takes out what was taken down since the last call.
    pub(super) fn take_steps(&mut self) -> Vec<Step> {
        let taken = self.tracer.as_mut().map(|tracer| tracer.take());
        taken.unwrap_or_default()
    }

    /// Takes down what happens now, if somebody wants to know.
    pub(super) fn note(&mut self, what: impl FnOnce() -> What) {
        self.tell(|tracer, now| tracer.note(now, what()));
    }

    /// Tells whoever takes down what happens, if somebody does.
    pub(super) fn tell(&mut self, tell: impl FnOnce(&mut Tracer, Nanos)) {
        if let Some(tracer) = &mut self.tracer {
            tell(tracer, self.now);
        }
    }

    pub(super) fn now(&self) -> Nanos {
        self.now
    }

    /// Plans something for `at`, or for now if that is past.
    pub(super) fn at(&mut self, at: Nanos, happening: Happening) {
        self.planned += 1;
        let place = self.free.pop().unwrap_or_else(|| {
            self.happenings.push(None);
            self.happenings.len() - 1
        });
        self.happenings[place] = Some(happening);
        let due = (at.max(self.now), self.planned, place);
        self.due.push(Reverse(due));
    }

    /// Plans something for `later_ns` from now.
    pub(super) fn after(&mut self, later_ns: u64, happening: Happening) {
        self.at(later(self.now, later_ns), happening);
    }

    /// The next thing that happens until then, as time goes on to it; time goes on to `until` if there is none.
    pub(super) fn next(&mut self, until: Nanos) -> Option<Happening> {
        let is_due = |Reverse((at, ..)): &Reverse<(Nanos, u64, usize)>| *at <= until;
        if !self.due.peek().is_some_and(is_due) {
            self.now = self.now.max(until);
            return None;
        }
        let Reverse((at, _, place)) = self.due.pop()?;
        self.now = at;
        self.free.push(place);
        self.happenings[place].take()
    }
}

/// The moment `later_ns` after `time`.
pub(super) fn later(time: Nanos, later_ns: u64) -> Nanos {
    Nanos(time.0.saturating_add(later_ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(queue: &mut Queue, until: u64) -> Option<(u64, usize)> {
        match queue.next(Nanos(until))? {
            Happening::Strike(index) => Some((queue.now().0, index)),
            other => panic!("nobody planned {other:?}"),
        }
    }

    #[test]
    fn things_happen_in_order_of_time_then_of_planning() {
        let mut queue = Queue::new();
        queue.at(Nanos(20), Happening::Strike(1));
        queue.at(Nanos(10), Happening::Strike(2));
        queue.at(Nanos(20), Happening::Strike(3));
        assert_eq!(taken(&mut queue, 5), None);
        assert_eq!(queue.now(), Nanos(5));
        assert_eq!(taken(&mut queue, 20), Some((10, 2)));
        assert_eq!(taken(&mut queue, 20), Some((20, 1)));
        assert_eq!(taken(&mut queue, 20), Some((20, 3)));
    }

    #[test]
    fn what_is_planned_for_the_past_happens_now() {
        let mut queue = Queue::new();
        assert_eq!(taken(&mut queue, 7), None);
        queue.at(Nanos(3), Happening::Strike(1));
        queue.after(0, Happening::Strike(2));
        assert_eq!(taken(&mut queue, 9), Some((7, 1)));
        assert_eq!(taken(&mut queue, 9), Some((7, 2)));
    }
}
