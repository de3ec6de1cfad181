//! What the tests share: histories drawn as timelines, random histories, and brute-force twins of every checker.

mod backwards;
mod levels;
mod linear;
mod metamorphic;
mod mutants;
mod quorums;
mod random;
mod sessions;
mod timeline;
mod twin;

pub(crate) use backwards::Backwards;
pub(crate) use random::{Drawn, any_history};
pub(crate) use timeline::{array, draw, draw_siblings, draw_with, event, header, number};

use crate::guarantee::Guarantee;
use crate::history::{History, Index};
use crate::verdict::checkers_of;

/// How much the judge of a guarantee could judge, and how much it saw.
pub(crate) fn tally(history: &History, guarantee: Guarantee) -> (u64, u64) {
    let index = Index::of(history);
    let checker = checkers_of(&history.header)
        .into_iter()
        .find(|checker| checker.guarantee() == guarantee);
    let finding = checker
        .expect("every guarantee has a checker")
        .check(history, &index);
    (finding.judged, finding.seen)
}

/// Draws a history, and counts what one judge could judge and what it saw.
pub(crate) fn judged_and_seen(guarantee: Guarantee, drawing: &str) -> (u64, u64) {
    tally(&draw(drawing), guarantee)
}

/// Whether a message begins with a line and a column.
pub(crate) fn is_placed(message: &str) -> bool {
    let numbers = message
        .strip_prefix("line ")
        .and_then(|rest| rest.split_once(", column "));
    numbers.is_some_and(|(line, rest)| {
        let column = rest.split(':').next().unwrap_or_default();
        line.parse::<u64>().is_ok_and(|line| line > 0)
            && column.parse::<u64>().is_ok_and(|column| column > 0)
    })
}
