//! Violations of sets in words: what follows from the operations, and what was seen instead.

use super::violation::{Kind, Violation};
use crate::explain::words::duration;
use crate::tale::Tale;

impl Violation {
    /// Tells the violation: the operations in the order of their letters, what follows, and what was seen instead.
    pub fn tell(&self) -> Tale {
        let element = |at: usize| {
            self.elements
                .get(at)
                .map_or_else(|| "an element".to_owned(), ToString::to_string)
        };
        let (e, other) = (element(0), element(1));
        let (then, however) = match self.kind {
            Kind::Phantom => (
                vec![format!("Nobody ever tried to add {e}.")],
                format!("However, A returned {e}: an element from nowhere."),
            ),
            Kind::FailedAddSeen => (
                vec![format!("A was refused, which says that {e} was not added and never will be.")],
                format!("However, B returned {e}: the refusal was not true."),
            ),
            Kind::FromTheFuture => (
                vec![format!(
                    "A finished before B began, and B is the first attempt to add {e}, so A cannot have seen {e}."
                )],
                format!("However, A returned {e}: an element from the future."),
            ),
            Kind::Duplicate => (
                vec![format!("A set holds {e} once or not at all.")],
                format!("However, A returned {} copies of {e}.", self.amount),
            ),
            Kind::Missed => (
                vec![acknowledged("B", &e)],
                format!("However, B did not return {e}: an acknowledged element is missing."),
            ),
            Kind::Vanished => (
                vec![
                    format!("A is the attempt to add {e}."),
                    format!(
                        "B returned {e} and finished before C began, so C had to return {e} as well: nothing is ever removed from this set."
                    ),
                ],
                format!("However, C did not return {e}: an element that had been seen is missing."),
            ),
            Kind::NotAChain => (
                vec![
                    format!("C returned {e} without {other}, so A took effect before B."),
                    format!("D returned {other} without {e}, so B took effect before A."),
                ],
                "However, only one of the two can be true: no order of the adds explains both reads."
                    .to_owned(),
            ),
            Kind::OutOfOrder => (
                vec![format!(
                    "A added {e} and was acknowledged before B, the first attempt to add {other}, began, so whoever sees {other} must see {e} as well."
                )],
                format!("However, C returned {other} without {e}: an acknowledged element is missing."),
            ),
            Kind::Lost => self.lost(&e),
            Kind::Stale => self.stale(&e),
        };
        Tale {
            lets: self.operations.clone(),
            then,
            however,
        }
    }

    fn lost(&self, e: &str) -> (Vec<String>, String) {
        let (then, last) = self.known(3, e);
        let however = format!(
            "However, {last} did not return {e}, and {last} is the last read: {e} is lost."
        );
        (then, however)
    }

    fn stale(&self, e: &str) -> (Vec<String>, String) {
        let (then, without) = self.known(4, e);
        let again = Tale::letter(self.operations.len().saturating_sub(1));
        let however = format!(
            "However, {without} did not return {e}. It was not lost: {again}, which began later, returned it. But it was still missing {} after it was known.",
            duration(self.amount)
        );
        (then, however)
    }

    /// How the element became known, and the letter of the read that had to return it.
    fn known(&self, with_read: usize, e: &str) -> (Vec<String>, char) {
        if self.operations.len() < with_read {
            return (vec![acknowledged("B", e)], 'B');
        }
        let seen =
            format!("B returned {e} and finished before C began, so C had to return {e} as well.");
        (vec![format!("A is the attempt to add {e}."), seen], 'C')
    }
}

fn acknowledged(read: &str, e: &str) -> String {
    format!("A added {e} and was acknowledged before {read} began, so {read} had to return {e}.")
}
