//! Violations of causality, as the fewest operations and as sentences.
//!
//! It knows no names: places and letters only.

use super::super::graph::{Edge, Graph};
use super::super::shrink::shrunk;
use super::super::trace::{SessionOp, is_sparse, renumbered};
use super::nodes::{NONE, Nodes};
use super::{Analysis, Bad, Because, Model, Pattern, STEPS_MAX, judge};
use crate::tale::Tale;

/// Finds the fewest operations that show a violation of [`judge`], and tells it. `value` says what the operation at a
/// place wrote or read.
pub fn explain(
    ops: &[SessionOp],
    model: Model,
    bad: Bad,
    value: &dyn Fn(usize) -> String,
) -> Option<Tale> {
    let ops = if is_sparse(ops) {
        renumbered(ops)
    } else {
        ops.to_vec()
    };
    let analysis = Analysis::of(&ops, model, STEPS_MAX)?;
    tell(&witness(&analysis, bad), model, value)
}

/// The fewest operations that show a violation, in the order of their invocations.
pub(in crate::session) fn witness(analysis: &Analysis<'_>, bad: Bad) -> Vec<SessionOp> {
    let few = drawn(analysis, bad);
    let is_small = analysis.nodes.len() <= NEAREST_NODES_MAX;
    if analysis.model != Model::Convergent || bad.pattern != Pattern::WriteCoRead || !is_small {
        return few;
    }
    // What contradicts causality contradicts one order of all writes as well, sometimes by fewer operations.
    let pattern = Pattern::CyclicCf;
    let others = drawn(analysis, Bad { pattern, ..bad });
    if others.len() < few.len() {
        others
    } else {
        few
    }
}

/// What is needed of the operations that prove a violation by its pattern.
fn drawn(analysis: &Analysis<'_>, bad: Bad) -> Vec<SessionOp> {
    let mut positions = vec![bad.read];
    // Reads that come before what they read are not among the nodes of the analysis any more.
    let tangled = Nodes::of_tangled(analysis.ops);
    let nodes = if bad.pattern == Pattern::CyclicCo {
        &tangled
    } else {
        &analysis.nodes
    };
    let proof = Proof::new(nodes, bad.pattern);
    let bad = proof.as_ref().map_or(bad, |proof| proof.nearest(bad));
    positions.push(bad.missed);
    if let Some(steps) = proof.and_then(|proof| proof.of(bad)) {
        let ends = steps.iter().flat_map(|edge| match edge.tag {
            Because::Session => [NONE; 3],
            Because::Read => [edge.from, edge.to, NONE],
            Because::Known(read) => [edge.from, edge.to, read],
        });
        let known = ends.filter(|&node| node != NONE);
        let with_source = known.flat_map(|node| [node, nodes.source[node as usize]]);
        positions.extend(with_source.filter_map(|node| nodes.at.get(node as usize).copied()));
    }
    // A read whose write is left out is no longer the same violation.
    let is_thin = bad.pattern == Pattern::ThinAirRead;
    let broken = |ops: &[SessionOp]| {
        let report = judge(ops, analysis.model, STEPS_MAX).unwrap_or_default();
        let mut patterns = report.bad.iter().map(|bad| bad.pattern);
        patterns.any(|pattern| (pattern == Pattern::ThinAirRead) == is_thin)
    };
    shrunk(analysis.ops, positions, broken)
}

/// Among more operations the first write that was found missing is good enough: to look for the nearest takes passes over all of them,
/// for each violation again.
const NEAREST_NODES_MAX: usize = 1 << 16;

/// How many operations a step along the causal order adds to a witness: a read, and the write that it returned unless the way begins there.
fn causal_cost(start: u32, edge: &Edge<Because>) -> u32 {
    match edge.tag {
        Because::Session => 0,
        Because::Read | Because::Known(_) => 1 + u32::from(edge.from != start),
    }
}

/// As [`causal_cost`], for steps that reads imply as well: about, because these need proofs of their own.
fn implied_cost(start: u32, edge: &Edge<Because>) -> u32 {
    match edge.tag {
        Because::Session | Because::Read => causal_cost(start, edge),
        Because::Known(_) => 5,
    }
}

/// What proves a violation, as edges.
struct Proof<'a> {
    nodes: &'a Nodes,
    causal: Graph<Because>,
    all: Option<Graph<Because>>,
}

impl<'a> Proof<'a> {
    fn new(nodes: &'a Nodes, pattern: Pattern) -> Option<Proof<'a>> {
        if pattern == Pattern::ThinAirRead {
            return None;
        }
        let graph = |edges: &[Edge<Because>]| Graph::new(nodes.len(), edges);
        Some(Proof {
            nodes,
            causal: graph(&nodes.causal_edges(&|_| true)),
            all: (pattern == Pattern::CyclicCf)
                .then(|| graph(&nodes.all_edges(&vec![0; nodes.len()]))),
        })
    }

    /// The node of the operation at a position.
    fn node(&self, at: u32) -> Option<u32> {
        let found = self.nodes.at.binary_search(&at).ok()?;
        u32::try_from(found).ok()
    }

    /// The same violation by the write that takes the fewest operations to prove: a read may know of many that it missed.
    fn nearest(&self, bad: Bad) -> Bad {
        let read = self.node(bad.read);
        let Some(read) = read.filter(|_| self.nodes.len() <= NEAREST_NODES_MAX) else {
            return bad;
        };
        let returned = self.nodes.source[read as usize];
        let (before, is_initial) = match bad.pattern {
            Pattern::ThinAirRead | Pattern::CyclicCo => return bad,
            Pattern::WriteCoInitRead => (None, true),
            Pattern::WriteCoRead => (
                Some(
                    self.causal
                        .distances(returned, |edge| causal_cost(returned, edge)),
                ),
                false,
            ),
            Pattern::CyclicCf => {
                let all = self.all.as_ref();
                (
                    all.map(|all| all.distances(returned, |edge| implied_cost(returned, edge))),
                    false,
                )
            }
        };
        let after = self
            .causal
            .reversed()
            .distances(read, |edge| causal_cost(read, edge));
        let cost = |write: u32| {
            let before = match &before {
                Some(before) => before[write as usize],
                None if is_initial => 0,
                None => NONE,
            };
            before.checked_add(after[write as usize])
        };
        let nodes = 0..u32::try_from(self.nodes.len()).unwrap_or(NONE);
        let writes = nodes.filter(|&node| {
            let is_read = self.nodes.is_read[node as usize];
            !is_read
                && node != returned
                && self.nodes.key[node as usize] == self.nodes.key[read as usize]
        });
        let known = writes.filter_map(|write| Some((cost(write)?, write)));
        known.min().map_or(bad, |(_, write)| Bad {
            missed: self.nodes.at[write as usize],
            ..bad
        })
    }

    /// Every step from one operation to another; what convicts comes last.
    fn of(&self, bad: Bad) -> Option<Vec<Edge<Because>>> {
        let (read, missed) = (self.node(bad.read)?, self.node(bad.missed)?);
        let returned = self.nodes.source[read as usize];
        let convicts = |from, to, tag| Edge { from, to, tag };
        let mut steps = match bad.pattern {
            Pattern::ThinAirRead => return None,
            Pattern::CyclicCo => self.causal(read, returned)?,
            Pattern::WriteCoInitRead => self.causal(missed, read)?,
            Pattern::WriteCoRead => {
                let mut steps = self.causal(returned, missed)?;
                steps.extend(self.causal(missed, read)?);
                steps
            }
            Pattern::CyclicCf => self.implied(returned, missed)?,
        };
        if bad.pattern == Pattern::CyclicCf {
            steps.extend(self.causal(missed, read)?);
        }
        if bad.pattern == Pattern::CyclicCo {
            steps.push(convicts(returned, read, Because::Read));
        } else {
            steps.push(convicts(missed, returned, Because::Known(read)));
        }
        Some(steps)
    }

    /// The way with the fewest changes of session.
    fn causal(&self, from: u32, to: u32) -> Option<Vec<Edge<Because>>> {
        let cost = |edge: &Edge<Because>| causal_cost(from, edge);
        self.causal.way(from, to, |_| true, cost)
    }

    /// The way with the fewest changes, over what reads imply as well, with the proofs of that.
    fn implied(&self, from: u32, to: u32) -> Option<Vec<Edge<Because>>> {
        let mut steps = Vec::new();
        let cost = |edge: &Edge<Because>| implied_cost(from, edge);
        for edge in self.all.as_ref()?.way(from, to, |_| true, cost)? {
            if let Because::Known(read) = edge.tag {
                steps.extend(self.causal(edge.from, read)?);
            }
            steps.push(edge);
        }
        Some(steps)
    }
}

/// Tells the first violation among some operations; none if there is none.
pub(in crate::session) fn tell(
    ops: &[SessionOp],
    model: Model,
    value: &dyn Fn(usize) -> String,
) -> Option<Tale> {
    let analysis = Analysis::of(ops, model, STEPS_MAX)?;
    let bad = *analysis.report.bad.first()?;
    let tangled = Nodes::of_tangled(ops);
    let nodes = if bad.pattern == Pattern::CyclicCo {
        &tangled
    } else {
        &analysis.nodes
    };
    let teller = Teller { ops, nodes, value };
    let proof = Proof::new(nodes, bad.pattern);
    let bad = proof.as_ref().map_or(bad, |proof| proof.nearest(bad));
    let steps = proof.and_then(|proof| proof.of(bad)).unwrap_or_default();
    let (convicts, others) = steps
        .split_last()
        .map_or((None, &[][..]), |(last, others)| (Some(last), others));
    let mut then = Vec::new();
    for edge in others {
        let told = teller.step(edge);
        if !then.contains(&told) {
            then.push(told);
        }
    }
    Some(Tale {
        lets: ops.iter().map(|op| op.place as usize).collect(),
        then,
        however: teller.however(bad, convicts),
    })
}

struct Teller<'a> {
    ops: &'a [SessionOp],
    nodes: &'a Nodes,
    value: &'a dyn Fn(usize) -> String,
}

impl Teller<'_> {
    fn letter(&self, node: u32) -> char {
        let at = self.nodes.at.get(node as usize).copied().unwrap_or(0);
        Tale::letter(at as usize)
    }

    fn value(&self, node: u32) -> String {
        let at = self.nodes.at.get(node as usize).copied().unwrap_or(0);
        self.value_at(at)
    }

    fn value_at(&self, at: u32) -> String {
        self.ops
            .get(at as usize)
            .map_or_else(String::new, |op| (self.value)(op.place as usize))
    }

    fn step(&self, edge: &Edge<Because>) -> String {
        let (a, b) = (self.letter(edge.from), self.letter(edge.to));
        match edge.tag {
            Because::Session => format!("One client did {a} and then {b}, so {b} knows of {a}."),
            Because::Read => format!(
                "{b} returned {}, which {a} had written, so {b} knows of {a}.",
                self.value(edge.from)
            ),
            Because::Known(read) => {
                let (r, known, returned) = (
                    self.letter(read),
                    self.value(edge.from),
                    self.value(edge.to),
                );
                format!(
                    "{r} knows of {a} and yet returned {returned}, so {b} must be newer than {a}: {returned} replaced {known}."
                )
            }
        }
    }

    fn however(&self, bad: Bad, convicts: Option<&Edge<Because>>) -> String {
        let (r, found) = (Tale::letter(bad.read as usize), self.value_at(bad.read));
        let m = Tale::letter(bad.missed as usize);
        let w = convicts.map_or(m, |edge| match edge.tag {
            Because::Read => self.letter(edge.from),
            _ => self.letter(edge.to),
        });
        match bad.pattern {
            Pattern::ThinAirRead => format!("However, {r} returned {found}, which nobody wrote."),
            Pattern::CyclicCo => format!(
                "However, {r} returned {found}, which {w} wrote only after that: what comes after came before."
            ),
            Pattern::WriteCoInitRead => format!(
                "However, {r} returned {found}, as if it did not know of {m}, which replaced what was there in the beginning."
            ),
            Pattern::WriteCoRead => format!(
                "However, {r} returned {found}, which {w} wrote before {m}: as if {r} did not know of {m}."
            ),
            Pattern::CyclicCf => format!(
                "However, {r} knows of {m} and yet returned {found}, as if {w} were newer than {m}: the two clients saw \
                 the same writes in opposite orders."
            ),
        }
    }
}
