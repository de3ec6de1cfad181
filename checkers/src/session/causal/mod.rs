//! Causal consistency and causal convergence of many keys together.
//!
//! One operation *knows* another if it came later in the same session, or returned what that wrote, or knows one that
//! knows it: this is the causal order *co*. The bad patterns are those of Bouajjani, Enea, Guerraoui and Hamza, "On verifying causal consistency",
//! POPL 2017; the algorithm is the one for causal consistency of Moldrup and Pavlogiannis, "AWDIT", PLDI 2025, specialised to
//! transactions of one operation: vector clocks over the sessions that write, O(n k) for n operations and k such sessions. Times are used for nothing
//! but a convenient order of work. Values must be unique per key; with repeated values the problem is NP-complete.

mod clocks;
mod nodes;
mod tell;

use super::graph::{Edge, Graph};
use super::trace::{SessionOp, is_sparse, renumbered};
use clocks::{Meeting, Wanted, walk};
use nodes::{NONE, Nodes};

pub use tell::explain;
pub(super) use tell::{tell, witness};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// Every session sees what it knows of: `CC`.
    Causal,
    /// And all sessions agree on one order of the writes of each key: `CCv`.
    Convergent,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pattern {
    /// A read returned a value that nobody wrote.
    ThinAirRead,
    /// A read returned what was written by an operation that knows the read.
    CyclicCo,
    /// A read returned the initial value although it knows a write of the key.
    WriteCoInitRead,
    /// A read returned a value although it knows a write of the key that knows the write of that value.
    WriteCoRead,
    /// A read returned a value although it knows another write of the key, which some other session must hold to be the newer.
    CyclicCf,
}

impl Pattern {
    /// Its name in the literature.
    pub fn name(self) -> &'static str {
        match self {
            Pattern::ThinAirRead => "ThinAirRead",
            Pattern::CyclicCo => "CyclicCO",
            Pattern::WriteCoInitRead => "WriteCOInitRead",
            Pattern::WriteCoRead => "WriteCORead",
            Pattern::CyclicCf => "CyclicCF",
        }
    }
}

/// A read that cannot be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bad {
    /// Position of the read in the list of operations.
    pub read: u32,
    /// What is wrong with it.
    pub pattern: Pattern,
    /// Position of the write that it knows and should have returned, or something newer; of itself if there is none.
    pub missed: u32,
}

/// What came of a history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Reads that were judged.
    pub judged: u64,
    /// Those that cannot be explained, each once, in the order of the list.
    pub bad: Vec<Bad>,
}

/// Sessions are compared with each other in about so many steps at most, unless a caller says otherwise: a second or a few.
pub const STEPS_MAX: u64 = 1 << 32;
/// Fewer edges than this are not worth looking through for equal ones.
const CROWDED_MIN: usize = 1 << 16;
/// Numbers that the clocks may take at most: 1 GiB.
const CLOCK_CELLS_MAX: u64 = 1 << 28;

/// Judges operations of any number of keys, given in the order of their invocations. None if that would take more than so many
/// steps.
pub fn judge(ops: &[SessionOp], model: Model, steps_max: u64) -> Option<Report> {
    if is_sparse(ops) {
        return judge(&renumbered(ops), model, steps_max);
    }
    Analysis::of(ops, model, steps_max).map(|analysis| analysis.report)
}

/// A report with what a witness is drawn from.
pub(super) struct Analysis<'a> {
    ops: &'a [SessionOp],
    nodes: Nodes,
    model: Model,
    pub(super) report: Report,
}

impl<'a> Analysis<'a> {
    pub(super) fn of(ops: &'a [SessionOp], model: Model, steps_max: u64) -> Option<Analysis<'a>> {
        let mut nodes = Nodes::of(ops);
        let mut bad = nodes.thin_air(ops);
        bad.extend(nodes.untangle());
        let judged = nodes.reads() + bad.len() as u64;
        let (reads, writers) = (nodes.reads(), u64::from(nodes.chains));
        let rows = nodes.processes as u64 + reads.min(nodes.len() as u64 - reads);
        if writers.saturating_mul(reads) > steps_max
            || writers.saturating_mul(rows) > CLOCK_CELLS_MAX
        {
            return None;
        }
        let mut against: Vec<Meeting> = Vec::new();
        walk(&nodes, Wanted::Later, |meeting| {
            if meeting.is_overwritten {
                bad.push(nodes.bad(meeting));
            }
            if meeting.returned != NONE {
                against.push(meeting);
            }
        });
        if model == Model::Convergent && !against.is_empty() {
            bad.extend(converge(&nodes, &against));
        }
        bad.sort_unstable_by_key(|bad| (bad.read, bad.pattern, bad.missed));
        bad.dedup_by_key(|bad| bad.read);
        let report = Report { judged, bad };
        Some(Analysis {
            ops,
            nodes,
            model,
            report,
        })
    }
}

/// Why one operation comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Because {
    /// In one session.
    Session,
    /// It read what the other wrote.
    Read,
    /// A read, by its node, knows this write and returned the other one.
    Known(u32),
}

/// Reads that know a write which began later than the one that they returned are right only if no other session must see it
/// the other way round. Everything that can be tied up lies between such two writes, in the order of work.
fn converge(nodes: &Nodes, against: &[Meeting]) -> Vec<Bad> {
    let edges = nodes.all_edges(&nodes.between(against));
    let graph = Graph::new(nodes.len(), &edges);
    let component = graph.components();
    let tied = against
        .iter()
        .filter(|m| component[m.known as usize] == component[m.returned as usize]);
    tied.map(|&meeting| Bad {
        pattern: Pattern::CyclicCf,
        ..nodes.bad(meeting)
    })
    .collect()
}

impl Nodes {
    fn bad(&self, meeting: Meeting) -> Bad {
        Bad {
            read: self.at[meeting.read as usize],
            pattern: if meeting.returned == NONE {
                Pattern::WriteCoInitRead
            } else {
                Pattern::WriteCoRead
            },
            missed: self.at[meeting.known as usize],
        }
    }

    /// For each node that lies, in the order of work, between two writes that are met in the wrong order: where that stretch
    /// begins. [`NONE`] for all others.
    fn between(&self, against: &[Meeting]) -> Vec<u32> {
        let mut change = vec![0_i64; self.len() + 1];
        for meeting in against {
            change[self.rank[meeting.returned as usize] as usize] += 1;
            change[self.rank[meeting.known as usize] as usize + 1] -= 1;
        }
        let mut since = vec![NONE; self.len()];
        let (mut open, mut began) = (0, 0);
        for ((place, &node), change) in (0_u32..).zip(&self.order).zip(&change) {
            began = if open == 0 { place } else { began };
            open += change;
            since[node as usize] = if open > 0 { began } else { NONE };
        }
        since
    }

    /// The causal order among some nodes, as edges.
    fn causal_edges(&self, inside: &dyn Fn(u32) -> bool) -> Vec<Edge<Because>> {
        let mut edges = Vec::new();
        for node in 0..u32::try_from(self.len()).unwrap_or(NONE) {
            let from = [
                (self.before[node as usize], Because::Session),
                (self.source[node as usize], Because::Read),
            ];
            let known = from.into_iter().filter(|&(from, _)| from != NONE);
            edges.extend(known.map(|(from, tag)| Edge {
                from,
                to: node,
                tag,
            }));
        }
        edges.retain(|edge| inside(edge.from) && inside(edge.to));
        edges
    }

    /// The causal order, and the order of writes that reads imply, within each stretch of the order of work.
    fn all_edges(&self, since: &[u32]) -> Vec<Edge<Because>> {
        let mut edges = self.causal_edges(&|node| since[node as usize] != NONE);
        let mut implied: Vec<(u32, u32, u32)> = Vec::new();
        let mut crowded = CROWDED_MIN;
        walk(self, Wanted::Since(since), |meeting| {
            implied.push((meeting.known, meeting.returned, meeting.read));
            // The same two writes are met again and again. Only what has doubled since is sorted again: that costs little per meeting.
            if implied.len() >= crowded {
                implied.sort_unstable();
                implied.dedup_by_key(|&mut (from, to, _)| (from, to));
                crowded = CROWDED_MIN.max(2 * implied.len());
            }
        });
        implied.sort_unstable();
        implied.dedup_by_key(|&mut (from, to, _)| (from, to));
        let implied = implied.into_iter();
        edges.extend(implied.map(|(from, to, read)| Edge {
            from,
            to,
            tag: Because::Known(read),
        }));
        edges
    }
}
