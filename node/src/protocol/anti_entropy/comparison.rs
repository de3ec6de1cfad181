//! One comparison with one peer: an exchange for each part of the ring that both are replicas of.
//!
//! It sends nothing: it says what to ask and what differs. Parts whose roots are equal cost one hash each.

use std::collections::BTreeMap;

use crate::config::NodeId;
use crate::protocol::merkle::{Answer, Difference, Exchange, Question, Step};
use crate::protocol::time::Nanos;

use super::Forest;

/// Most questions about one part, repetitions included: with more differences than that the next comparison goes on.
const QUESTIONS_MAX: u32 = 1 << 12;

/// How often what is overdue is asked again before the comparison is given up: its peer does not answer.
const PATIENCE: u32 = 8;

/// What to do after a step.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// By the number of the part.
    pub(super) questions: Vec<(u32, Question)>,
    pub(super) differences: Vec<Difference>,
    /// Nothing is left to be asked.
    pub(super) finished: bool,
}

/// One comparison.
#[derive(Debug)]
pub(super) struct Comparison {
    pub(super) peer: NodeId,
    /// Those that are not at their end, by the number of the part.
    exchanges: BTreeMap<u32, Exchange>,
    due: Nanos,
    patience: u32,
    nodes_compared: u64,
    differences: u64,
    /// Whether something changed here since it began.
    outdated: bool,
}

impl Comparison {
    /// With this peer, of these parts.
    pub(super) fn new(peer: NodeId, parts: &[u32], skips_ranges: bool) -> Comparison {
        let exchange = |part: &u32| (*part, Exchange::new(QUESTIONS_MAX, skips_ranges));
        Comparison {
            peer,
            exchanges: parts.iter().map(exchange).collect(),
            due: Nanos(0),
            patience: PATIENCE,
            nodes_compared: 0,
            differences: 0,
            outdated: false,
        }
    }

    /// When answers are overdue.
    pub(super) fn due(&self) -> Nanos {
        self.due
    }

    /// Nodes of trees compared so far.
    pub(super) fn nodes_compared(&self) -> u64 {
        self.nodes_compared
    }

    /// Whether it found both sides equal, as they are now.
    pub(super) fn found_nothing(&self) -> bool {
        self.differences == 0 && self.patience > 0 && !self.outdated
    }

    /// Something has changed here: what it finds is not the last word.
    pub(super) fn outdate(&mut self) {
        self.outdated = true;
    }

    /// Asks what has not been answered, at first everything.
    pub(super) fn ask_again(&mut self, forest: &Forest, due: Nanos) -> Turn {
        let mut turn = Turn::default();
        self.patience -= 1;
        if self.patience == 0 {
            self.exchanges.clear();
        }
        let parts: Vec<u32> = self.exchanges.keys().copied().collect();
        for part in parts {
            self.go_on(part, forest, &mut turn);
        }
        self.close(due, turn)
    }

    /// Takes answers, and asks on where they were news.
    pub(super) fn hear(
        &mut self,
        answers: Vec<(u32, Answer)>,
        forest: &Forest,
        due: Nanos,
    ) -> Turn {
        let mut turn = Turn::default();
        for (number, answer) in answers {
            let (Some(exchange), Some(part)) =
                (self.exchanges.get_mut(&number), forest.parts.get(&number))
            else {
                continue;
            };
            if exchange.hear(answer, &part.tree, &forest.index) {
                self.patience = PATIENCE;
                self.go_on(number, forest, &mut turn);
            }
        }
        self.close(due, turn)
    }

    fn close(&mut self, due: Nanos, mut turn: Turn) -> Turn {
        self.due = due;
        self.differences += turn.differences.len() as u64;
        turn.finished = self.exchanges.is_empty();
        turn
    }

    /// Takes an exchange as far as it goes without another answer.
    fn go_on(&mut self, number: u32, forest: &Forest, turn: &mut Turn) {
        let (Some(exchange), Some(part)) =
            (self.exchanges.get_mut(&number), forest.parts.get(&number))
        else {
            return;
        };
        loop {
            match exchange.next(&part.tree, &forest.index) {
                Step::Ask(question) => {
                    turn.questions.push((number, question));
                    return;
                }
                Step::Found(found) => turn.differences.extend(found),
                Step::Finished => break,
                Step::GivenUp => {
                    self.patience = 0;
                    break;
                }
            }
        }
        self.nodes_compared += exchange.effort().nodes_compared;
        self.exchanges.remove(&number);
    }
}
