//! One violation, and the fewest operations that prove it, as data.
//!
//! A witness names operations by their place in [`History::operations`](crate::history::History); what they mean together is told by
//! `explain.rs`. Judged alone (see `History::excerpt`), a witness shows the same anomaly.

use serde::Serialize;

use crate::guarantee::Guarantee;
use crate::history::{Function, History, KeyId, Nanos, Operation, Value};
use crate::set::{Contention, EightLines};
use crate::statistics::{Bucket, Quantiles, Rate};
use crate::tale::Tale;

/// The part that an operation plays in a witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The write (or delete) whose value came back or survived.
    Older,
    /// A read that proves that the older write was in effect before the newer one began.
    OlderShown,
    /// The acknowledged write (or delete) that should have been seen, or is gone.
    Newer,
    /// A read that returned the newer write.
    NewerShown,
    /// The read that convicts.
    Reader,
    /// A write that was refused, and yet is visible.
    Refused,
    /// One of several operations that fit into no order together.
    Entangled,
    /// An operation that did not succeed although it should have.
    Attempt,
    /// An operation that succeeded meanwhile.
    Success,
    /// One step of several that together make the read that convicts impossible.
    Step,
}

/// One operation of a witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its name in the explanation: `A`, `B`, ...
    pub letter: char,
    /// Its part.
    pub part: Part,
    /// Its place in `History::operations`.
    pub operation: usize,
}

/// The fewest operations that prove an anomaly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witness {
    /// The operations that the explanation names.
    pub roles: Vec<Role>,
    /// The final reads of the key at its replicas, for anomalies that only those show.
    pub census: Vec<usize>,
}

impl Witness {
    /// Gives an operation the next letter, unless it already has one.
    #[must_use]
    pub fn with(mut self, part: Part, operation: usize) -> Witness {
        if self.roles.iter().all(|role| role.operation != operation) {
            let letter = u8::try_from(self.roles.len()).map_or(u8::MAX, |n| b'A'.saturating_add(n));
            self.roles.push(Role {
                letter: char::from(letter),
                part,
                operation,
            });
        }
        self
    }

    /// As [`Witness::with`], if there is such an operation.
    #[must_use]
    pub fn with_some(self, part: Part, operation: Option<usize>) -> Witness {
        match operation {
            Some(operation) => self.with(part, operation),
            None => self,
        }
    }

    /// Adds the census of the key.
    #[must_use]
    pub fn with_census(mut self, operations: impl IntoIterator<Item = usize>) -> Witness {
        self.census.extend(operations);
        self
    }

    /// The first operation that plays a part.
    pub fn role(&self, part: Part) -> Option<Role> {
        self.roles.iter().copied().find(|role| role.part == part)
    }

    /// Places of all its operations, in order.
    pub fn operations(&self) -> Vec<usize> {
        let mut all: Vec<usize> = self.roles.iter().map(|role| role.operation).collect();
        all.extend(&self.census);
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// A number that a finding or an anomaly comes with, or several that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Amount {
    /// A count.
    Count(u64),
    /// A duration, ns.
    Ns(u64),
    /// How operations ended.
    Outcomes {
        /// Happened.
        ok: u64,
        /// Certainly did not.
        fail: u64,
        /// Unknown.
        info: u64,
    },
    /// How often something was seen, and what that leaves open.
    Rate(Rate),
    /// How many things lie in which range.
    Histogram(Vec<Bucket>),
    /// What is typical and what is extreme, ns.
    Quantiles(Quantiles),
    /// What became of the elements of sets.
    EightLines(EightLines),
    /// How many writes started from the same version of a set.
    Contention(Contention),
}

/// A number with its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Measure {
    /// What it measures.
    pub name: String,
    /// How much.
    pub amount: Amount,
}

impl Measure {
    /// A measure.
    pub fn new(name: impl Into<String>, amount: Amount) -> Measure {
        Measure {
            name: name.into(),
            amount,
        }
    }
}

/// One violation of a guarantee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anomaly {
    /// What it violates.
    pub guarantee: Guarantee,
    /// When it showed: the beginning of the read or census that convicts.
    pub at: Nanos,
    /// On which key; none if on the whole store.
    pub key: Option<String>,
    /// The operations that prove it.
    pub witness: Witness,
    /// Numbers, such as how many versions behind.
    pub details: Vec<Measure>,
    /// The words of the judge that saw it, where it has its own.
    pub tale: Option<Tale>,
}

impl Anomaly {
    /// Its name, such as `stale-read`.
    pub fn name(&self) -> &'static str {
        self.guarantee.anomaly_name()
    }

    /// A minimal history that proves it: JSON Lines that `check` accepts alone.
    ///
    /// It has the operations of the witness, and the writes of what its census found: without those, a value would look as if
    /// it came from nowhere.
    pub fn excerpt(&self, history: &History) -> Vec<u8> {
        history.excerpt(&self.excerpt_operations(history))
    }

    /// The places in [`History::operations`] of what [`Anomaly::excerpt`] holds, in order.
    pub fn excerpt_operations(&self, history: &History) -> Vec<usize> {
        let mut operations = self.witness.operations();
        // A read of a register names the write of its value in its witness; one of siblings returns more than it is convicted by.
        let is_of_registers = history.header.is_of_registers();
        let is_answer = |op: &&Operation| {
            op.f == Function::Census || op.f == Function::Read && !is_of_registers
        };
        let found: Vec<(KeyId, Value)> = operations
            .iter()
            .filter_map(|&at| history.operations.get(at))
            .filter(is_answer)
            .flat_map(|op| {
                let values = history.returned(op).into_iter();
                values.map(|value| (op.key, value))
            })
            .collect();
        let is_write_of = |op: &Operation| {
            let is_same = |(key, value): &(KeyId, Value)| *key == op.key && *value == op.value;
            op.f == Function::Write && found.iter().any(is_same)
        };
        let writes = (0..).zip(&history.operations);
        operations.extend(writes.filter(|(_, op)| is_write_of(op)).map(|(at, _)| at));
        operations.sort_unstable();
        operations.dedup();
        operations
    }
}
