//! Anomalies in plain words: Let / Then / However / Why.
//!
//! Data first, text second: [`explain`] makes an [`Explanation`], [`Explanation::render`] prints it. What stands in Let, Then
//! and However follows from the history alone. Why is inferred from what the nodes claim, and proves nothing.

mod story;
#[cfg(test)]
mod tests;
mod why;

pub(crate) mod words;

use serde::Serialize;

pub use why::{Attribution, Basis, Cause};

use crate::exposure::Exposure;
use crate::history::History;
use crate::witness::Anomaly;

/// An operation of the witness, under the letter that the sentences use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    /// `A`, `B`, ...
    pub letter: char,
    /// What was done, by whom, when, and how it ended: the columns of a table.
    pub columns: [String; 4],
}

/// An anomaly in plain words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Such as `STALE READ  key k7`.
    pub title: String,
    /// The operations.
    pub lets: Vec<Named>,
    /// What follows from them, sentence by sentence.
    pub then: Vec<String>,
    /// What was seen instead.
    pub however: String,
    /// Causes that fit, best supported first, each with what it rests on.
    pub why: Vec<Attribution>,
}

/// Explains an anomaly of a history.
pub fn explain(history: &History, exposure: &Exposure, anomaly: &Anomaly) -> Explanation {
    let name = anomaly.name().replace('-', " ").to_uppercase();
    let title = match &anomaly.key {
        Some(key) => format!("{name}  key {key}"),
        None => format!("{name}  whole store"),
    };
    let lets = anomaly
        .witness
        .roles
        .iter()
        .filter_map(|role| {
            let operation = history.operations.get(role.operation)?;
            Some(Named {
                letter: role.letter,
                columns: words::columns(history, operation),
            })
        })
        .collect();
    let (then, however) = story::tell(history, anomaly);
    let why = why::infer(history, exposure, anomaly);
    Explanation {
        title,
        lets,
        then,
        however,
        why,
    }
}

impl Explanation {
    /// The text block, in lines that each end in a newline.
    pub fn render(&self) -> String {
        let mut out = format!("{}\n", self.title);
        out += &block("Let", &self.let_lines());
        let mut then = self.then.clone();
        then.push(self.however.clone());
        out += &block("Then", &then);
        out += &block("Why", &why::lines(&self.why));
        out
    }

    /// The operations, a line each, in columns.
    pub fn let_lines(&self) -> Vec<String> {
        let width = |column: usize| {
            self.lets
                .iter()
                .map(|named| named.columns[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths = [width(0), width(1), width(2), 0];
        let line = |named: &Named| {
            let cells = named.columns.iter().zip(widths);
            let cells = cells.map(|(text, width)| format!("{text:width$}"));
            format!(
                "{} = {}",
                named.letter,
                cells.collect::<Vec<_>>().join("   ")
            )
            .trim_end()
            .to_owned()
        };
        self.lets.iter().map(line).collect()
    }
}

/// Lines under a heading that stands beside the first of them.
fn block(heading: &str, lines: &[String]) -> String {
    let headings = std::iter::once(heading).chain(std::iter::repeat(""));
    let lines = headings
        .zip(lines)
        .map(|(heading, line)| format!("  {heading:<7}{line}\n"));
    lines.collect::<Vec<_>>().concat()
}
