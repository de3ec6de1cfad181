//! The bookkeeping of a ring change: which ranges get a new owner, from whom it must copy, what is still missing. It copies nothing
//! itself; whoever does reports here, and gets the certificate without which the change cannot go on.
//!
//! Before anybody copies, every node that coordinates must know of the change and have finished the writes that it began before
//! (`Membership::agrees`, and one request time-out): a write that went to the old owners only could otherwise be acknowledged after the copy was
//! taken. Cassandra waits 30 s for this and hopes.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::NodeId;

use super::state::Change;
use super::view::RingView;

/// How many old replicas a new owner copies a range from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sources {
    /// As many as meet every write of quorum `w`: N - W + 1. If exactly one node gives the range up to it, this node alone will do:
    /// the new owner then has what the old one had, and every write keeps its number of holders.
    Meeting {
        /// The smallest write quorum whose writes must survive.
        w: u16,
    },
    /// Any one: what it missed is then missed twice. A defect, for sabotage, and what real systems do without a repair.
    One,
}

/// The places from one token, itself not included, clockwise to another one; all places if they are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenRange {
    /// Where it begins, exclusive.
    pub after: u64,
    /// Where it ends, inclusive.
    pub to: u64,
}

impl TokenRange {
    /// Whether a place is in it.
    pub fn contains(self, place: u64) -> bool {
        if self.after < self.to {
            self.after < place && place <= self.to
        } else {
            self.after < place || place <= self.to
        }
    }
}

/// Ranges that one node must copy, all from the same nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The new owner.
    pub target: NodeId,
    /// What it copies.
    pub ranges: Vec<TokenRange>,
    /// The old replicas that can be asked.
    pub sources: Vec<NodeId>,
    /// How many of them are needed.
    pub needed: usize,
    /// The one that will do alone.
    pub loser: Option<NodeId>,
    copied: BTreeSet<NodeId>,
}

impl Task {
    /// Whether enough was copied.
    pub fn is_done(&self) -> bool {
        self.copied.len() >= self.needed
            || self.loser.is_some_and(|loser| self.copied.contains(&loser))
    }

    /// Whether enough could be copied if every source answers.
    pub fn is_possible(&self) -> bool {
        self.sources.len() >= self.needed || self.loser.is_some()
    }

    /// The sources that nothing was copied from yet, the one that will do alone first.
    pub fn left(&self) -> Vec<NodeId> {
        let others = self.sources.iter().copied();
        let others = others.filter(|node| self.loser != Some(*node));
        let mut left: Vec<_> = self.loser.into_iter().chain(others).collect();
        left.retain(|node| !self.copied.contains(node));
        left
    }
}

/// Proof that every new owner has what it needs. Only a complete [`Bootstrap`] issues it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied(Change);

impl Copied {
    /// The change that may go on.
    pub fn change(&self) -> Change {
        self.0
    }
}

/// What one change still has to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    change: Change,
    tasks: Vec<Task>,
}

impl Bootstrap {
    /// The tasks of the change under way; none if there is no change. Nodes that `dead` names cannot be asked.
    pub fn new(
        view: &RingView,
        sources: Sources,
        dead: impl Fn(NodeId) -> bool,
    ) -> Option<Bootstrap> {
        let change = view.change()?;
        let mut tasks: BTreeMap<_, Vec<TokenRange>> = BTreeMap::new();
        for range in ranges(view) {
            let before = view.before().replicas_at(range.to);
            let after = view.after().replicas_at(range.to);
            for target in after.iter().filter(|node| !before.contains(node)) {
                let loser = only(before, after).filter(|_| only(after, before).is_some());
                tasks
                    .entry((*target, before, loser))
                    .or_default()
                    .push(range);
            }
        }
        let task = |((target, before, loser), ranges): ((NodeId, &[NodeId], Option<NodeId>), _)| {
            let alive = before.iter().copied().filter(|node| !dead(*node));
            let (needed, loser) = match sources {
                Sources::One => (usize::from(!before.is_empty()), None),
                Sources::Meeting { w } => {
                    let needed = (before.len() + 1).saturating_sub(usize::from(w)).max(1);
                    // The first nodes of a ring have nobody to copy from, and nothing to miss.
                    let needed = needed.min(before.len());
                    (needed, loser.filter(|node| !dead(*node)))
                }
            };
            Task {
                target,
                ranges,
                sources: alive.collect(),
                needed,
                loser,
                copied: BTreeSet::new(),
            }
        };
        let tasks = tasks.into_iter().map(task).collect();
        Some(Bootstrap { change, tasks })
    }

    /// The change that this is about.
    pub fn change(&self) -> Change {
        self.change
    }

    /// All tasks, each with its place in the list.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// The target of task number `task` durably holds everything that `source` held of its ranges. False if that is not what the task
    /// asks for.
    pub fn copied(&mut self, task: usize, source: NodeId) -> bool {
        let task = self
            .tasks
            .get_mut(task)
            .filter(|task| task.sources.contains(&source));
        task.is_some_and(|task| {
            task.copied.insert(source);
            true
        })
    }

    /// A node that was to be asked is lost: what was copied from it counts, the rest must come from others.
    pub fn lost(&mut self, source: NodeId) {
        for task in &mut self.tasks {
            if !task.copied.contains(&source) {
                task.sources.retain(|node| *node != source);
                task.loser = task.loser.filter(|node| *node != source);
            }
        }
    }

    /// A node that had been copying has lost what it had, or a copy was never durable: it begins again.
    pub fn restart(&mut self, target: NodeId) {
        for task in self.tasks.iter_mut().filter(|task| task.target == target) {
            task.copied.clear();
        }
    }

    /// What is still missing.
    pub fn missing(&self) -> impl Iterator<Item = (usize, &Task)> {
        self.tasks
            .iter()
            .enumerate()
            .filter(|(_, task)| !task.is_done())
    }

    /// What cannot be done safely, because too few old replicas are left: an acknowledged write may be on none of them.
    pub fn impossible(&self) -> impl Iterator<Item = &Task> {
        self.tasks
            .iter()
            .filter(|task| !task.is_done() && !task.is_possible())
    }

    /// The certificate, when nothing is missing.
    pub fn certificate(&self) -> Option<Copied> {
        self.missing()
            .next()
            .is_none()
            .then_some(Copied(self.change))
    }
}

/// The node that is not among the others, if it is only one.
fn only(nodes: &[NodeId], others: &[NodeId]) -> Option<NodeId> {
    let mut rest = nodes.iter().filter(|node| !others.contains(node));
    let first = rest.next().copied();
    first.filter(|_| rest.next().is_none())
}

/// The ring cut at every token, of before and of after: within one range every key has the same owners.
fn ranges(view: &RingView) -> Vec<TokenRange> {
    let tokens = view
        .before()
        .ring()
        .tokens()
        .iter()
        .chain(view.after().ring().tokens());
    let cuts: BTreeSet<_> = tokens.map(|(token, _)| *token).collect();
    let before = cuts.last().into_iter().chain(&cuts);
    before
        .zip(&cuts)
        .map(|(after, to)| TokenRange {
            after: *after,
            to: *to,
        })
        .collect()
}
