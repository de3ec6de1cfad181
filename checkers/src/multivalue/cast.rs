//! Who plays which part in an anomaly, under which letter, and the words that go with it.
//!
//! Letters follow the order in which operations began. It decides nothing.

use crate::explain::words;
use crate::guarantee::Guarantee;
use crate::history::{History, Nanos};
use crate::tale::Tale;
use crate::witness::{Anomaly, Measure, Part, Witness};

use super::keys::Key;

/// The operations of an anomaly of one key.
pub(super) struct Cast<'a> {
    history: &'a History,
    key: &'a Key,
    /// Parts with the places of those who play them.
    roles: Vec<(Part, usize)>,
    census: Vec<usize>,
}

/// What is said of them.
pub(super) struct Words {
    pub(super) then: Vec<String>,
    pub(super) however: String,
}

impl<'a> Cast<'a> {
    pub(super) fn new(history: &'a History, key: &'a Key) -> Cast<'a> {
        Cast {
            history,
            key,
            roles: Vec::new(),
            census: Vec::new(),
        }
    }

    /// Gives an operation a part, unless it has one.
    pub(super) fn with(mut self, part: Part, operation: usize) -> Cast<'a> {
        if self.roles.iter().all(|&(_, other)| other != operation) {
            self.roles.push((part, operation));
        }
        self
    }

    /// A write in a part.
    pub(super) fn write(self, part: Part, write: u32) -> Cast<'a> {
        let operation = self.key.write(write).operation;
        self.with(part, operation)
    }

    /// The writes by way of which one replaced another.
    pub(super) fn way(mut self, newer: u32, older: u32) -> Cast<'a> {
        for step in self.key.path(newer, older).unwrap_or_default() {
            self = self.write(Part::Step, step);
        }
        self
    }

    /// The census of the key.
    pub(super) fn census(mut self) -> Cast<'a> {
        self.census = self.key.census.iter().map(|read| read.operation).collect();
        self
    }

    /// The writes that came back or survived, in the order of their letters.
    pub(super) fn older(&self) -> Vec<u32> {
        let is_older = |write: usize| self.roles.contains(&(Part::Older, write));
        let writes = (0..).zip(&self.key.writes);
        let older = writes.filter(|(_, write)| is_older(write.operation));
        older.map(|(at, _)| at).collect()
    }

    /// The letter of an operation.
    pub(super) fn letter(&self, operation: usize) -> char {
        let before = self.roles.iter().filter(|&&(_, other)| other < operation);
        Tale::letter(before.count())
    }

    /// The letter of a write.
    pub(super) fn of(&self, write: u32) -> char {
        self.letter(self.key.write(write).operation)
    }

    /// What an operation wrote or read.
    pub(super) fn value(&self, operation: usize) -> String {
        let operation = self.history.operations.get(operation);
        operation.map_or_else(String::new, words::value)
    }

    /// What a write wrote.
    pub(super) fn written(&self, write: u32) -> String {
        self.value(self.key.write(write).operation)
    }

    /// Says that one write replaced another, and how.
    pub(super) fn replaced(&self, newer: u32, older: u32) -> String {
        let (b, value) = (self.of(newer), self.written(older));
        let does = if self.key.write(newer).is_delete {
            "deleted"
        } else {
            "replaced"
        };
        let way = self.key.path(newer, older).unwrap_or_default();
        if way.is_empty() {
            return format!("{b} {does} {value}: its client had read that.");
        }
        let steps: Vec<String> = way.iter().map(|&step| self.of(step).to_string()).collect();
        format!(
            "{b} {does} {value}: its client had read what came of that by way of {}.",
            words::list(&steps)
        )
    }

    /// The anomaly.
    pub(super) fn anomaly(
        mut self,
        guarantee: Guarantee,
        at: Nanos,
        details: Vec<Measure>,
        words: Words,
    ) -> Anomaly {
        self.roles.sort_by_key(|&(_, operation)| operation);
        let lets = self.roles.iter().map(|&(_, operation)| operation).collect();
        let roles = self.roles.iter();
        let witness = roles.fold(Witness::default(), |witness, &(part, operation)| {
            witness.with(part, operation)
        });
        Anomaly {
            guarantee,
            at,
            key: self.history.keys.get(self.key.id as usize).cloned(),
            witness: witness.with_census(self.census),
            details,
            tale: Some(Tale {
                lets,
                then: words.then,
                however: words.however,
            }),
        }
    }
}
