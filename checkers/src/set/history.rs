//! The operations of one set as plain numbers: the input of every judge in this room.
//!
//! Each operation has two clocks. Times, ns, say what really preceded what: strictly, so that equal times are concurrent. Positions
//! are the order of the lines of the log; Jepsen's classes are defined by them. How a history comes to be is in `builder.rs`.

use super::builder::{SetHistoryBuilder, SetOp};
use super::names::{Element, ElementNames};
use crate::history::Status;

/// Later than every real time or position: what never completed.
pub const NEVER: u64 = u64::MAX;

/// An attempt to add an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Add {
    /// What was to be added.
    pub element: u32,
    /// How it ended.
    pub status: Status,
    /// When it was invoked, ns.
    pub call: u64,
    /// When it was acknowledged, ns; [`NEVER`] if it was not.
    pub ret: u64,
    /// Position of its invocation.
    pub invoked: u64,
    /// Position of its acknowledgement; [`NEVER`] if there is none.
    pub completed: u64,
    /// Who asked.
    pub process: u64,
    /// Its place in the list that the history was made from, for witnesses.
    pub place: u32,
}

/// A read that returned. Others constrain nothing, and are not part of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetRead {
    /// When it was invoked, ns.
    pub call: u64,
    /// When it returned, ns.
    pub ret: u64,
    /// Position of its invocation.
    pub invoked: u64,
    /// Position of its completion.
    pub completed: u64,
    /// Who asked.
    pub process: u64,
    /// Its place in the list that the history was made from, for witnesses.
    pub place: u32,
    /// Where its elements begin in the flat list.
    pub(super) from: usize,
    /// Where they end.
    pub(super) to: usize,
}

/// The operations of one set.
///
/// Elements that somebody tried to add have the ids below [`SetHistory::added`], in the order of their first attempts; elements that
/// were only read have the ids from there on, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetHistory {
    pub(super) adds: Vec<Add>,
    pub(super) reads: Vec<SetRead>,
    pub(super) elements: Vec<u32>,
    pub(super) added: u32,
    pub(super) universe: u32,
    pub(super) names: ElementNames,
}

impl SetHistory {
    /// A builder of histories.
    pub fn builder() -> SetHistoryBuilder {
        SetHistoryBuilder::default()
    }

    /// All attempts to add, in the order of their invocations.
    pub fn adds(&self) -> &[Add] {
        &self.adds
    }

    /// The reads that returned, in the order of their invocations.
    pub fn reads(&self) -> &[SetRead] {
        &self.reads
    }

    /// What a read returned, in its own order, with repetitions.
    pub fn elements(&self, read: &SetRead) -> &[u32] {
        self.elements.get(read.from..read.to).unwrap_or_default()
    }

    /// Elements that somebody tried to add.
    pub fn added(&self) -> u32 {
        self.added
    }

    /// All elements, also those that were only read.
    pub fn universe(&self) -> u32 {
        self.universe
    }

    /// How often an element was returned, over all reads.
    pub fn occurrences(&self) -> usize {
        self.elements.len()
    }

    /// The names of the elements.
    pub fn names(&self) -> &ElementNames {
        &self.names
    }

    /// The history of a few operations and a few elements: what a witness proves alone.
    ///
    /// Leaving elements out of every operation keeps a valid history valid, so that what is wrong in an excerpt is wrong in the whole.
    #[must_use]
    pub fn excerpt(&self, places: &[usize], elements: &[Element]) -> SetHistory {
        let kept = |place: u32| places.contains(&(place as usize));
        let mut builder = SetHistory::builder();
        for add in self.adds.iter().filter(|add| kept(add.place)) {
            let name = self.names.of(add.element);
            if elements.contains(&name) {
                let op = SetOp::new(add.status, add.process, add.place, add.call, add.ret);
                builder.add(op.at(add.invoked, add.completed), &name);
            }
        }
        for read in self.reads.iter().filter(|read| kept(read.place)) {
            let names: Vec<Element> = self
                .elements(read)
                .iter()
                .map(|&element| self.names.of(element))
                .filter(|name| elements.contains(name))
                .collect();
            let op = SetOp::new(Status::Ok, read.process, read.place, read.call, read.ret);
            builder.read(op.at(read.invoked, read.completed), &names);
        }
        builder.finish()
    }
}
