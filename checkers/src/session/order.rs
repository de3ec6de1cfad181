//! Session guarantees from the outside: is there *some* order of the versions of a key under which every session saw what it should?
//!
//! No version numbers are needed. Versions are the nodes of a graph, and every two operations of a session that a guarantee speaks
//! of make an edge: the later one must not be of an older version. All of them can be satisfied together iff the graph has no cycle.
//! (The guarantees: Terry et al., "Session guarantees for weakly consistent replicated data", PDIS 1994; the order of versions is
//! left open, as in Viotti and Vukolic, CSUR 2016.) It looks at one key at a time; order across keys is causality, in `causal.rs`.

use crate::register::ValueId;

use super::graph::{Edge, Graph};
use super::scan::{Pair, Writes, pairs};
use super::stretches::Stretches;
use super::trace::{SessionOp, is_sparse, renumbered};

/// What two operations of one session say about their versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A write, then a read: it returns that version or a newer one.
    ReadYourWrites,
    /// A read, then a read: it returns that version or a newer one.
    MonotonicReads,
    /// A write, then a write: its version is newer.
    MonotonicWrites,
    /// A read, then a write: its version is newer than the one read.
    WritesFollowReads,
}

impl Kind {
    /// All of them, in the order of their declaration.
    pub const ALL: [Kind; 4] = [
        Kind::ReadYourWrites,
        Kind::MonotonicReads,
        Kind::MonotonicWrites,
        Kind::WritesFollowReads,
    ];
}

/// Which pairs count, and what else is known of the order of versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Kinds of pairs that the order must respect.
    pub kinds: &'static [Kind],
    /// Only cycles with a pair of one of these kinds count.
    pub own: &'static [Kind],
    /// Whether the initial value is older than all others. If not, reads of it are passed over.
    pub initial: bool,
    /// Whether a version that was in effect before the write of another one began is older than that one.
    pub real_time: bool,
}

impl Rules {
    /// All four guarantees together.
    pub const ALL: Rules = Rules {
        kinds: &Kind::ALL,
        own: &Kind::ALL,
        initial: true,
        real_time: false,
    };

    /// One guarantee. What a session wrote, and in which order, can only be told from what sessions read: so the last two
    /// count together with monotonic reads, and leave out the initial value, which no session wrote.
    pub fn of(kind: Kind, real_time: bool) -> Rules {
        let alone = |own| Rules {
            kinds: own,
            own,
            initial: true,
            real_time,
        };
        let shown = |kinds, own| Rules {
            kinds,
            own,
            initial: false,
            real_time: false,
        };
        match kind {
            Kind::ReadYourWrites => alone(&[Kind::ReadYourWrites]),
            Kind::MonotonicReads => alone(&[Kind::MonotonicReads]),
            Kind::MonotonicWrites => shown(
                &[Kind::MonotonicWrites, Kind::MonotonicReads],
                &[Kind::MonotonicWrites],
            ),
            Kind::WritesFollowReads => shown(
                &[Kind::WritesFollowReads, Kind::MonotonicReads],
                &[Kind::WritesFollowReads],
            ),
        }
    }
}

/// An operation that goes back behind one that its session did before, in a knot of pairs that no order of versions unties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Position of the operation before, in the list of operations.
    pub earlier: u32,
    /// Position of the one that goes back.
    pub later: u32,
}

/// What came of one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Reads that could have gone back behind something.
    pub judged: u64,
    /// Those that did, in the order of their invocations.
    pub violations: Vec<Violation>,
}

/// Judges the operations of one key, given in the order of their invocations.
///
/// Of the pairs that lie on a cycle only those count that go against the order in which their writes began. Every cycle has one, because all
/// else that is known of the order goes along with that; and an innocent pair between the guilty ones is not counted with them.
pub fn judge(ops: &[SessionOp], rules: &Rules) -> Report {
    if is_sparse(ops) {
        return judge(&renumbered(ops), rules);
    }
    judge_all(ops, &Writes::of(ops), &[*rules])
        .pop()
        .unwrap_or_default()
}

/// As [`judge`] by each of several rules, in less time. Ids must be dense.
pub(super) fn judge_all(ops: &[SessionOp], writes: &Writes, rules: &[Rules]) -> Vec<Report> {
    let mut reports = vec![Report::default(); rules.len()];
    let mut found = vec![(false, Stretches::default()); rules.len()];
    for initial in [false, true] {
        if rules.iter().all(|rules| rules.initial != initial) {
            continue;
        }
        pairs(ops, writes, initial, |pair| {
            let is_read = u64::from(ops[pair.later as usize].is_ok_read());
            let back = back(ops, writes, pair);
            let slots = rules.iter().zip(&mut reports).zip(&mut found);
            for ((rules, report), (own, stretches)) in slots {
                if rules.initial == initial && rules.kinds.contains(&pair.kind) {
                    *own |= rules.own.contains(&pair.kind);
                    stretches.extend(back);
                    report.judged += is_read;
                }
            }
        });
    }
    for ((rules, report), (own, stretches)) in rules.iter().zip(&mut reports).zip(found) {
        if !own {
            report.judged = 0;
        } else if !stretches.is_empty() {
            let knots = Knots::within(ops, writes, rules, stretches);
            report.violations = knots.violations(ops, writes);
        }
    }
    reports
}

/// The stretch of time that a pair goes back by the moments of its values, if it does.
fn back(ops: &[SessionOp], writes: &Writes, pair: Pair) -> Option<(u64, u64)> {
    let value = |at: u32| ops[at as usize].action.value().0;
    let (from, to) = (value(pair.earlier), value(pair.later));
    if from == to {
        return None;
    }
    let (from, to) = (writes.moment(ops, from), writes.moment(ops, to));
    (to <= from).then_some((to, from))
}

/// Whether a pair goes against the order in which its writes began.
pub(super) fn goes_back(ops: &[SessionOp], writes: &Writes, pair: Pair) -> bool {
    let rank = |at: u32| writes.rank(ops[at as usize].action.value().0);
    rank(pair.later) < rank(pair.earlier)
}

/// Why one version is older than another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Because {
    /// A session says so.
    Session(Pair),
    /// It is the initial one.
    Initial,
    /// It was in effect before the write of the other began. Edges to and from the line of time, which has nodes of its own.
    Ends,
    /// The line of time goes on.
    Passes,
    /// The write begins.
    Begins,
}

/// The graph of versions, and which of them are tied up with each other.
pub(super) struct Knots {
    pub(super) graph: Graph<Because>,
    component: Vec<u32>,
    /// Which components hold a pair of the kinds that count.
    own: Vec<bool>,
    rules: Rules,
}

impl Knots {
    pub(super) fn of(ops: &[SessionOp], writes: &Writes, rules: &Rules) -> Knots {
        let mut stretches = Stretches::default();
        pairs(ops, writes, rules.initial, |pair| {
            if rules.kinds.contains(&pair.kind) {
                stretches.extend(back(ops, writes, pair));
            }
        });
        Knots::within(ops, writes, rules, stretches)
    }

    /// As [`Knots::of`], with the stretches of time that its pairs go back. Everything else that is known of the order goes forward, so
    /// a cycle lies within one of them; the rest of the graph is never made.
    fn within(
        ops: &[SessionOp],
        writes: &Writes,
        rules: &Rules,
        mut stretches: Stretches,
    ) -> Knots {
        stretches.settle();
        let inside = |value: u32| stretches.hold(writes.moment(ops, value));
        let mut edges = Vec::new();
        pairs(ops, writes, rules.initial, |pair| {
            let value = |at: u32| ops[at as usize].action.value().0;
            let (from, to) = (value(pair.earlier), value(pair.later));
            let counts = from != to && rules.kinds.contains(&pair.kind);
            if counts && inside(from) && inside(to) {
                edges.push(Edge {
                    from,
                    to,
                    tag: Because::Session(pair),
                });
            }
        });
        let mut nodes = writes.values();
        if rules.initial && inside(ValueId::INITIAL.0) {
            let others = 1..u32::try_from(nodes).unwrap_or(u32::MAX);
            let others = others.filter(|&value| inside(value));
            edges.extend(others.map(|to| Edge {
                from: 0,
                to,
                tag: Because::Initial,
            }));
        }
        if rules.real_time {
            nodes += time_line(ops, writes, &inside, &mut edges);
        }
        let graph = Graph::new(nodes, &edges);
        let component = graph.components();
        let mut own = vec![false; nodes];
        for edge in graph.edges() {
            let inside = component[edge.from as usize] == component[edge.to as usize];
            let counts =
                matches!(edge.tag, Because::Session(pair) if rules.own.contains(&pair.kind));
            own[component[edge.to as usize] as usize] |= inside && counts;
        }
        Knots {
            graph,
            component,
            own,
            rules: *rules,
        }
    }

    fn holds(&self, from: u32, to: u32) -> bool {
        let component = self.component[from as usize];
        component == self.component[to as usize] && self.own[component as usize]
    }

    fn violations(&self, ops: &[SessionOp], writes: &Writes) -> Vec<Violation> {
        let mut found: Vec<Violation> = self
            .graph
            .edges()
            .iter()
            .filter(|edge| self.holds(edge.from, edge.to))
            .filter_map(|edge| match edge.tag {
                Because::Session(pair) if goes_back(ops, writes, pair) => Some(Violation {
                    earlier: pair.earlier,
                    later: pair.later,
                }),
                _ => None,
            })
            .collect();
        found.sort_unstable_by_key(|violation| (violation.later, violation.earlier));
        found
    }

    /// A short cycle in the knot of a violation, through the violation if that is a cycle that counts. The last edge is
    /// the one that convicts.
    pub(super) fn cycle(
        &self,
        ops: &[SessionOp],
        violation: Violation,
    ) -> Option<Vec<Edge<Because>>> {
        let value = |at: u32| ops[at as usize].action.value().0;
        let (from, to) = (value(violation.earlier), value(violation.later));
        let of = |edge: &&Edge<Because>| match edge.tag {
            Because::Session(pair) => {
                (pair.earlier, pair.later) == (violation.earlier, violation.later)
            }
            _ => false,
        };
        let convicts = self.graph.edges().iter().find(of)?;
        let cycle = self.closed(convicts)?;
        let counts = |edge: &&Edge<Because>| matches!(edge.tag, Because::Session(pair) if self.rules.own.contains(&pair.kind));
        if cycle.iter().any(|edge| counts(&edge)) {
            return Some(cycle);
        }
        let knot = self.component[from as usize];
        let inside = |edge: &&Edge<Because>| {
            self.component[edge.from as usize] == knot && self.component[edge.to as usize] == knot
        };
        debug_assert!(self.holds(from, to), "a violation is part of a knot");
        self.closed(self.graph.edges().iter().filter(inside).find(counts)?)
    }

    /// The cheapest cycle that ends with an edge.
    fn closed(&self, last: &Edge<Because>) -> Option<Vec<Edge<Because>>> {
        let knot = self.component[last.from as usize];
        let allowed = |node: u32| self.component[node as usize] == knot;
        // About how many operations each adds to a witness.
        let cost = |edge: &Edge<Because>| match edge.tag {
            Because::Session(pair) if pair.kind == Kind::MonotonicReads => 4,
            Because::Session(pair) if pair.kind == Kind::MonotonicWrites => 2,
            Because::Session(_) => 3,
            Because::Initial | Because::Ends | Because::Begins => 1,
            Because::Passes => 0,
        };
        let mut way = self.graph.way(last.to, last.from, allowed, cost)?;
        way.push(*last);
        Some(way)
    }
}

/// Adds the real-time order of writes by way of a chain of moments, so that it takes no more edges than there are writes. Returns
/// the number of moments, which are nodes after those of the values.
fn time_line(
    ops: &[SessionOp],
    writes: &Writes,
    inside: &dyn Fn(u32) -> bool,
    edges: &mut Vec<Edge<Because>>,
) -> usize {
    let values = u32::try_from(writes.values()).unwrap_or(u32::MAX);
    // Beginnings sort before ends of the same time: such writes are concurrent.
    let mut bounds: Vec<(u64, bool, u32)> = Vec::new();
    for value in (1..values).filter(|&value| inside(value)) {
        let Some(write) = writes.happened(ops, ValueId(value)) else {
            continue;
        };
        bounds.push((ops[write.at as usize].call, false, value));
        if write.in_effect != SessionOp::NEVER {
            bounds.push((write.in_effect, true, value));
        }
    }
    bounds.sort_unstable();
    let mut moments = 0_u32;
    let mut began_since = true;
    for (_, ends, value) in bounds {
        if !ends {
            began_since = true;
            if let Some(before) = moments.checked_sub(1) {
                edges.push(Edge {
                    from: values + before,
                    to: value,
                    tag: Because::Begins,
                });
            }
            continue;
        }
        if began_since {
            if let Some(before) = moments.checked_sub(1) {
                let (from, to) = (values + before, values + moments);
                edges.push(Edge {
                    from,
                    to,
                    tag: Because::Passes,
                });
            }
            moments += 1;
            began_since = false;
        }
        edges.push(Edge {
            from: value,
            to: values + moments - 1,
            tag: Because::Ends,
        });
    }
    moments as usize
}
