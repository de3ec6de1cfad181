//! How the operations of a set become a [`SetHistory`]: names become dense ids, operations are put in order.
//!
//! For importers. Operations may come in any order; nothing that comes is an error.

use super::history::{Add, NEVER, SetHistory, SetRead};
use super::names::{ElementNames, ElementRef, Interner};
use crate::history::Status;

/// When an operation was, who asked, and how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetOp {
    status: Status,
    process: u64,
    place: u32,
    call: u64,
    ret: u64,
    positions: Option<(u64, u64)>,
}

impl SetOp {
    /// An operation with its times, ns. `ret` counts only if it is ok. `place` names it in witnesses.
    pub fn new(status: Status, process: u64, place: u32, call: u64, ret: u64) -> SetOp {
        let ret = match status {
            Status::Ok => ret.max(call),
            Status::Fail | Status::Info => NEVER,
        };
        SetOp {
            status,
            process,
            place,
            call,
            ret,
            positions: None,
        }
    }

    /// The same operation with the positions of its invocation and of its completion in the log.
    ///
    /// Without them (if only one operation lacks them, all do) positions follow from the times: of an invocation and a completion at
    /// the same time, the invocation comes first.
    #[must_use]
    pub fn at(mut self, invoked: u64, completed: u64) -> SetOp {
        let completed = match self.status {
            Status::Ok => completed.max(invoked),
            Status::Fail | Status::Info => NEVER,
        };
        self.positions = Some((invoked, completed));
        self
    }
}

/// Builds a [`SetHistory`].
#[derive(Clone, Debug, Default)]
pub struct SetHistoryBuilder {
    interner: Interner,
    adds: Vec<(SetOp, u32)>,
    reads: Vec<(SetOp, usize, usize)>,
    elements: Vec<u32>,
}

impl SetHistoryBuilder {
    /// Somebody tried to add an element.
    pub fn add<'a>(&mut self, op: SetOp, element: impl Into<ElementRef<'a>>) {
        let element = self.interner.element(element.into());
        self.adds.push((op, element));
    }

    /// Somebody read the set. Unless the read is ok, there is nothing to keep of it.
    pub fn read<'a, E: Into<ElementRef<'a>>>(
        &mut self,
        op: SetOp,
        elements: impl IntoIterator<Item = E>,
    ) {
        if op.status != Status::Ok {
            return;
        }
        let from = self.elements.len();
        for element in elements {
            let element = self.interner.element(element.into());
            self.elements.push(element);
        }
        self.reads.push((op, from, self.elements.len()));
    }

    /// The history.
    pub fn finish(mut self) -> SetHistory {
        self.settle_positions();
        let mut adds: Vec<Add> = self
            .adds
            .iter()
            .map(|&(op, element)| add(op, element))
            .collect();
        adds.sort_by_key(|add| (add.invoked, add.place));
        let mut reads: Vec<SetRead> = self.reads.iter().map(|&parts| read(parts)).collect();
        reads.sort_by_key(|read| (read.invoked, read.place));
        let mut names = self.interner.into_names();
        let (new_ids, added) = first_added_first(&adds, &names);
        if new_ids.iter().zip(0..).any(|(&new, old)| new != old) {
            let renumber = |id: &mut u32| *id = new_ids[*id as usize];
            for add in &mut adds {
                renumber(&mut add.element);
            }
            for element in &mut self.elements {
                renumber(element);
            }
            names = names.renumbered(&new_ids);
        }
        SetHistory {
            adds,
            reads,
            elements: self.elements,
            added,
            universe: u32::try_from(new_ids.len()).unwrap_or(NONE),
            names,
        }
    }

    /// Gives every operation positions that follow from its times, unless all have some.
    fn settle_positions(&mut self) {
        let mut ops: Vec<&mut SetOp> = self.adds.iter_mut().map(|(op, _)| op).collect();
        ops.extend(self.reads.iter_mut().map(|(op, ..)| op));
        if ops.iter().all(|op| op.positions.is_some()) {
            return;
        }
        let mut events: Vec<(u64, bool, usize)> = Vec::with_capacity(2 * ops.len());
        for (at, op) in ops.iter().enumerate() {
            events.push((op.call, false, at));
            if op.status == Status::Ok {
                events.push((op.ret, true, at));
            }
        }
        events.sort_by_key(|&(time, completes, at)| (time, completes, ops[at].place, at));
        for (position, (_, completes, at)) in (0..).zip(events) {
            let op = &mut *ops[at];
            op.positions = Some(match op.positions {
                Some((invoked, _)) if completes => (invoked, position),
                _ => (position, NEVER),
            });
        }
    }
}

/// No id.
const NONE: u32 = u32::MAX;

/// New ids by old ones: added elements first, in the order of their first attempts, then the others by name. And how many are added.
fn first_added_first(adds: &[Add], names: &ElementNames) -> (Vec<u32>, u32) {
    let mut new_ids = vec![NONE; names.len()];
    let mut next = 0;
    for add in adds {
        let id = &mut new_ids[add.element as usize];
        if *id == NONE {
            *id = next;
            next += 1;
        }
    }
    let added = next;
    let mut others: Vec<u32> = (0..)
        .zip(&new_ids)
        .filter(|(_, new)| **new == NONE)
        .map(|(old, _)| old)
        .collect();
    others.sort_by_cached_key(|&old| names.of(old));
    for old in others {
        new_ids[old as usize] = next;
        next += 1;
    }
    (new_ids, added)
}

fn add(op: SetOp, element: u32) -> Add {
    let (invoked, completed) = op.positions.unwrap_or((op.call, op.ret));
    Add {
        element,
        status: op.status,
        call: op.call,
        ret: op.ret,
        invoked,
        completed,
        process: op.process,
        place: op.place,
    }
}

fn read((op, from, to): (SetOp, usize, usize)) -> SetRead {
    let (invoked, completed) = op.positions.unwrap_or((op.call, op.ret));
    SetRead {
        call: op.call,
        ret: op.ret,
        invoked,
        completed,
        process: op.process,
        place: op.place,
        from,
        to,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::names::Element;

    fn op(status: Status, place: u32, call: u64, ret: u64) -> SetOp {
        SetOp::new(status, 1, place, call, ret)
    }

    #[test]
    fn added_elements_are_numbered_by_their_first_attempts() {
        let mut builder = SetHistory::builder();
        builder.read(op(Status::Ok, 0, 0, 9), [30_i64, 10, 99]);
        builder.add(op(Status::Ok, 3, 3, 4), 10_i64);
        builder.add(op(Status::Info, 1, 1, 2), 20_i64);
        builder.add(op(Status::Fail, 2, 2, 3), 30_i64);
        builder.read(op(Status::Info, 5, 0, 9), [77_i64]);
        builder.read(op(Status::Fail, 6, 0, 9), [78_i64]);
        let history = builder.finish();
        assert_eq!((history.added(), history.universe()), (3, 4));
        let names: Vec<Element> = (0..4).map(|id| history.names().of(id)).collect();
        assert_eq!(names, [20, 30, 10, 99].map(Element::Int));
        assert_eq!(history.elements(&history.reads()[0]), [1, 2, 3]);
        let elements: Vec<u32> = history.adds().iter().map(|add| add.element).collect();
        assert_eq!(elements, [0, 1, 2]);
        assert_eq!(history.adds()[0].ret, NEVER);
        assert_eq!(history.adds()[1].completed, NEVER);
    }

    #[test]
    fn positions_follow_from_times_and_an_invocation_comes_first() {
        let mut builder = SetHistory::builder();
        builder.add(op(Status::Ok, 0, 5, 7), "a");
        builder.read(op(Status::Ok, 1, 7, 8), ["a"]);
        let history = builder.finish();
        assert_eq!(
            (history.adds()[0].invoked, history.adds()[0].completed),
            (0, 2)
        );
        assert_eq!(
            (history.reads()[0].invoked, history.reads()[0].completed),
            (1, 3)
        );
    }

    #[test]
    fn positions_of_the_log_are_kept() {
        let mut builder = SetHistory::builder();
        builder.add(op(Status::Ok, 0, 5, 7).at(10, 11), "a");
        builder.read(op(Status::Ok, 1, 7, 8).at(12, 13), ["a"; 0]);
        let history = builder.finish();
        assert_eq!(
            (history.adds()[0].invoked, history.adds()[0].completed),
            (10, 11)
        );
        assert_eq!(history.reads()[0].invoked, 12);
    }

    #[test]
    fn an_end_before_the_beginning_does_no_harm() {
        let mut builder = SetHistory::builder();
        builder.add(op(Status::Ok, 0, 5, 1).at(5, 1), "a");
        let add = builder.finish().adds()[0];
        assert_eq!(
            (add.call, add.ret, add.invoked, add.completed),
            (5, 5, 5, 5)
        );
    }
}
