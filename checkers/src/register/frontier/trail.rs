//! How each configuration came about: steps in one arena, shared by all who have them in common.
//!
//! Only steps that change the register are kept; where the rest belongs follows from them (`order.rs`). Steps that nobody leads back to are
//! dropped from time to time, and those that all have in common are moved out of the arena.

use super::configuration::Configuration;

/// The beginning: no step yet.
pub(super) const START: u32 = u32::MAX;

/// Steps in the arena before the first collection.
const STEPS_MIN: usize = 1 << 14;

/// One operation took effect at an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The number of the part.
    pub(super) part: u32,
    /// The number of the event at which it was found to take effect.
    pub(super) event: u32,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    step: Step,
    before: u32,
}

/// The arena.
#[derive(Debug)]
pub(super) struct Trail {
    /// What all have in common.
    shared: Vec<Step>,
    /// The step before a step has a smaller number.
    nodes: Vec<Node>,
    collect_at: usize,
}

impl Trail {
    pub(super) fn new() -> Trail {
        Trail {
            shared: Vec::new(),
            nodes: Vec::new(),
            collect_at: STEPS_MIN,
        }
    }

    /// Adds a step after another one.
    pub(super) fn push(&mut self, before: u32, step: Step) -> u32 {
        self.nodes.push(Node { step, before });
        u32::try_from(self.nodes.len() - 1).unwrap_or(START)
    }

    /// Steps in the arena.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Bytes of one step.
    pub(super) const STEP_BYTES: usize = size_of::<Node>();

    /// Whether it is time to collect.
    pub(super) fn is_full(&self) -> bool {
        self.nodes.len() >= self.collect_at
    }

    /// All steps that led somewhere.
    pub(super) fn steps(&self, mut last: u32) -> Vec<Step> {
        let mut own = Vec::new();
        while let Some(node) = self.nodes.get(last as usize) {
            own.push(node.step);
            last = node.before;
        }
        let mut all = self.shared.clone();
        all.extend(own.iter().rev());
        all
    }

    /// Keeps only what the given configurations lead back to, and renames their steps.
    pub(super) fn collect<'a, const W: usize>(
        &mut self,
        configurations: impl Iterator<Item = &'a mut Configuration<W>>,
    ) {
        let mut ends: Vec<&mut u32> = configurations.map(|kept| &mut kept.trail).collect();
        let mut kept = vec![false; self.nodes.len()];
        for end in &ends {
            let mut at = **end;
            while let Some(mark) = kept.get_mut(at as usize).filter(|mark| !**mark) {
                *mark = true;
                at = self.nodes[at as usize].before;
            }
        }
        self.share(&mut kept, &ends);
        let mut renamed = vec![START; self.nodes.len()];
        let mut next = 0;
        for place in 0..self.nodes.len() {
            if kept[place] {
                let mut node = self.nodes[place];
                node.before = renamed.get(node.before as usize).copied().unwrap_or(START);
                self.nodes[next as usize] = node;
                renamed[place] = next;
                next += 1;
            }
        }
        self.nodes.truncate(next as usize);
        for end in &mut ends {
            **end = renamed.get(**end as usize).copied().unwrap_or(START);
        }
        self.collect_at = STEPS_MIN.max(2 * self.nodes.len());
    }

    /// Moves out the steps that all have in common.
    fn share(&mut self, kept: &mut [bool], ends: &[&mut u32]) {
        // How many ways lead on from each step, and from the beginning; an end counts as a way.
        let beginning = self.nodes.len();
        let place = |step: u32| (step as usize).min(beginning);
        let mut ways = vec![0_u32; beginning + 1];
        let mut onwards = vec![START; beginning + 1];
        for (number, node) in (0_u32..).zip(&self.nodes) {
            if kept[number as usize] {
                ways[place(node.before)] += 1;
                onwards[place(node.before)] = number;
            }
        }
        for end in ends {
            ways[place(**end)] += 2;
        }
        let mut at = beginning;
        while ways[at] == 1 {
            at = onwards[at] as usize;
            self.shared.push(self.nodes[at].step);
            kept[at] = false;
        }
    }
}
