//! Spacetime diagrams: what clients and nodes of a simulated run did around an anomaly, with every message between them.
//!
//! A diagram is plain data; [`Diagram::to_text`] and [`Diagram::to_svg`] draw it. It shows what happened and judges nothing. Live runs
//! have none: messages between real processes are not observed.

mod choose;
mod rows;
mod svg;
#[cfg(test)]
mod tests;
mod text;
mod watch;

use quorate_checkers::history::{History, Nanos};
use quorate_checkers::{Anomaly, Explanation};

pub use watch::{SpacetimeError, Watched, watch};

/// A column: a client, all clients that play no part, or a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// What stands above it.
    pub name: String,
    /// Whether it is a node.
    pub is_node: bool,
}

/// Something that happened: one line of the diagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// When.
    pub at: Nanos,
    /// Where, and what it looks like.
    pub shape: Shape,
    /// The letter of the operation that it belongs to, if that is of the witness.
    pub letter: Option<char>,
    /// A few characters, to stand beside the shape.
    pub label: String,
    /// The same in words.
    pub words: String,
}

/// What a row looks like. Numbers are places of lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Something went from one lane to another.
    Arrow {
        /// From where.
        from: usize,
        /// To where.
        to: usize,
        /// When it set out.
        sent: Nanos,
        /// How it ended.
        fate: Fate,
    },
    /// Something happened in one lane.
    Mark {
        /// Where.
        lane: usize,
        /// What.
        sign: Sign,
    },
    /// Something happened between the lanes: links were cut, slowed or healed.
    Note,
}

/// How an arrow ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A request or an answer of a client.
    Told,
    /// A message between nodes arrived.
    Delivered,
    /// It arrived later than messages do.
    Late,
    /// It never arrived.
    Lost,
}

/// What happened in a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// A client's operation began or ended without a node that knows of it.
    Alone,
    /// A replica's version changed.
    Holds,
    /// A kill took back what was not on disk.
    Forgets,
    /// A process changed its state.
    Process,
    /// A clock was set.
    Clock,
}

/// A stretch of time in which a lane was in some state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Which lane.
    pub lane: usize,
    /// From when.
    pub from: Nanos,
    /// Until when.
    pub to: Nanos,
    /// In which state.
    pub state: State,
}

impl Span {
    /// Whether it lasts at that moment. An operation still does when it ends.
    fn holds(&self, at: Nanos) -> bool {
        let is_over = match self.state {
            State::Busy(_) => self.to < at,
            _ => self.to <= at,
        };
        self.from <= at && !is_over
    }
}

/// The state of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A client has an operation under way: one of the witness, or another.
    Busy(Option<char>),
    /// The node is dead.
    Down,
    /// The node stands still.
    Paused,
    /// Some of its links are cut.
    Cut,
    /// Some of its links are slow.
    Slow,
    /// Its clock is off.
    Skewed,
}

/// What happened around one anomaly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagram {
    /// The anomaly, such as `STALE READ  key k7`.
    pub title: String,
    /// The operations of the witness, and what is wrong with them.
    pub caption: Vec<String>,
    /// Clients first, then nodes.
    pub lanes: Vec<Lane>,
    /// In order of time.
    pub rows: Vec<Row>,
    /// In no order.
    pub spans: Vec<Span>,
}

/// Draws an anomaly of a history from what was seen when its run was simulated again.
///
/// # Errors
/// When what was seen is not what the history tells.
pub fn diagram(
    history: &History,
    anomaly: &Anomaly,
    explanation: &Explanation,
    watched: &Watched,
) -> Result<Diagram, SpacetimeError> {
    let chosen = choose::choose(history, anomaly, watched)?;
    let (lanes, rows, spans) = rows::rows(history, watched, &chosen);
    let mut caption = explanation.let_lines();
    caption.push(explanation.however.clone());
    Ok(Diagram {
        title: explanation.title.clone(),
        caption,
        lanes,
        rows,
        spans,
    })
}

/// Virtual time in seconds, to the microsecond.
fn moment(at: Nanos) -> String {
    let us = at.0 / 1_000;
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}

/// A duration in a few characters.
fn lasting(ns: u64) -> String {
    let us = ns / 1_000;
    match us {
        0..1_000 => format!("{us} us"),
        1_000..1_000_000 => format!("{}.{} ms", us / 1_000, us % 1_000 / 100),
        _ => format!("{}.{} s", us / 1_000_000, us % 1_000_000 / 100_000),
    }
}
