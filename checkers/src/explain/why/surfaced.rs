//! Writes that took effect although their clients do not know of it, values of other keys, and what coordinators said when they failed.

use std::collections::BTreeMap;

use super::{Actor, Attribution, Cause, Clues};
use crate::explain::words::{list, value};
use crate::guarantee::Guarantee;
use crate::history::{Function, Status, Value};
use crate::witness::Part;

/// Messages of failed operations that an explanation quotes at most.
const MESSAGES_QUOTED_MAX: usize = 3;

impl Clues<'_> {
    /// A write that was refused, or of unknown outcome, and whose value is there.
    pub(super) fn surfaced(&self) -> Option<Attribution> {
        if self.is(Guarantee::Availability) {
            return None;
        }
        let writes = self.actors().filter(|actor| {
            actor.operation.f == Function::Write && actor.operation.status != Status::Ok
        });
        let mut sentences = Vec::new();
        let mut basis = None;
        for write in writes.filter(|write| self.is_there(*write)) {
            let (sentence, from_nodes) = self.took_effect(write);
            sentences.push(sentence);
            basis = basis.max(Some(from_nodes));
        }
        Some(if basis? {
            Attribution::inferred(Cause::SurfacedWrite, sentences)
        } else {
            Attribution::recorded(Cause::SurfacedWrite, sentences)
        })
    }

    /// Whether some read or census of the witness returned what this wrote.
    fn is_there(&self, write: Actor<'_>) -> bool {
        self.all_operations().any(|op| {
            let is_read = matches!(op.f, Function::Read | Function::Census);
            is_read && op.status == Status::Ok && op.value == write.operation.value
        })
    }

    /// What is known of how it took effect, and whether nodes tell it.
    fn took_effect(&self, write: Actor<'_>) -> (String, bool) {
        let letter = write.letter;
        let op = write.operation;
        let acked = op
            .evidence()
            .map(|evidence| evidence.acked_by)
            .unwrap_or_default();
        if !acked.is_empty() {
            let by = list(&acked);
            return (
                format!(
                    "{letter} was not acknowledged to its client, but {by} had taken it: it was there to be found."
                ),
                true,
            );
        }
        let coordinator = op.node().map(|node| self.history.node_name(node));
        let mut readers = self
            .actors()
            .filter(|read| read.operation.f == Function::Read && read.operation.value == op.value);
        if op.status == Status::Fail
            && let Some(read) = readers.next()
            && let Some(stamp) = read.stamp()
            && Some(stamp.node.as_str()) == coordinator
        {
            let node = stamp.node;
            return (
                format!(
                    "What {} returned has a stamp of {node}, which had refused {letter}: it had taken the write before it refused.",
                    read.letter
                ),
                true,
            );
        }
        let known = match op.status {
            Status::Fail => "was refused, and yet what it wrote is there",
            _ => "may take effect at any time, even after its client gave up, and did",
        };
        (format!("{letter} {known}."), false)
    }

    /// For a value from nowhere: the other key that it was written to.
    pub(super) fn other_key(&self) -> Option<Attribution> {
        if !self.is(Guarantee::NoPhantoms) || self.actor(Part::Newer).is_some() {
            return None;
        }
        let reader = self.actor(Part::Reader)?.operation;
        if reader.value == Value::Nil {
            return None;
        }
        let mut operations = self.history.operations.iter();
        let write = operations.find(|op| op.f == Function::Write && op.value == reader.value)?;
        let sentence = format!(
            "c{} wrote {} to {}: the store may have taken one key for another.",
            write.process,
            value(reader),
            self.history.key_name(write.key)
        );
        Some(Attribution::recorded(Cause::WrongKey, vec![sentence]))
    }

    /// For operations that did not succeed: what their coordinators or clients said.
    pub(super) fn refusals(&self) -> Option<Attribution> {
        if !self.is(Guarantee::Availability) {
            return None;
        }
        let mut said: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for attempt in self.actors().filter(|a| a.operation.status != Status::Ok) {
            if let Some(error) = attempt.operation.error() {
                let letters = said.entry(error).or_default();
                letters.push(attempt.letter.to_string());
            }
        }
        let quoted = said.iter().take(MESSAGES_QUOTED_MAX);
        let sentences: Vec<String> = quoted
            .map(|(error, letters)| format!("{}: \"{error}\".", list(letters)))
            .collect();
        (!sentences.is_empty()).then(|| Attribution::recorded(Cause::Refusals, sentences))
    }
}
