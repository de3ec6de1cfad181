//! The operations of a history as nodes of the causal order, and an order of work that goes along with it.
//!
//! Writes of unknown outcome that nobody read, failed operations and reads of unknown outcome are no nodes. It judges only what it cannot
//! work with: values from nowhere, and reads that come before what they read.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::history::Status;
use crate::register::ValueId;

use super::super::graph::Graph;
pub(super) use super::super::graph::NONE;
use super::super::trace::{Action, SessionOp};
use super::{Bad, Because, Pattern};

/// The nodes of the causal order; all lists are by node.
pub(super) struct Nodes {
    /// Position in the list of operations.
    pub(super) at: Vec<u32>,
    pub(super) process: Vec<u32>,
    pub(super) key: Vec<u32>,
    /// The operation before it in its session; [`NONE`] if there is none.
    pub(super) before: Vec<u32>,
    /// For reads, the node of the write; [`NONE`] for reads of the initial value and for writes.
    pub(super) source: Vec<u32>,
    pub(super) is_read: Vec<bool>,
    /// Where it stands in the order of work, which goes along with the causal order.
    pub(super) rank: Vec<u32>,
    /// The nodes in that order.
    pub(super) order: Vec<u32>,
    /// When it happened, for the order of work: writes when they were invoked, reads when they returned.
    time: Vec<u64>,
    /// Whether what its session does later comes after it. Not so for writes of unknown outcome.
    pub(super) is_certain: Vec<bool>,
    /// For writes, the chain that they belong to: that of their session, or one of their own if their session goes on without
    /// knowing them. [`NONE`] for reads.
    pub(super) chain: Vec<u32>,
    /// Number of chains.
    pub(super) chains: u32,
    /// Number of processes.
    pub(super) processes: usize,
    /// Number of keys.
    pub(super) keys: usize,
}

/// Positions of writes by key and value.
struct Sources {
    /// Where the values of each key begin in `writes`.
    first: Vec<usize>,
    writes: Vec<u32>,
}

impl Sources {
    fn of(ops: &[SessionOp]) -> Sources {
        let keys = ops.iter().map(|op| op.key as usize + 1).max().unwrap_or(0);
        let mut first = vec![0; keys + 1];
        for op in ops {
            let slot = &mut first[op.key as usize + 1];
            *slot = (op.action.value().0 as usize + 1).max(*slot);
        }
        for key in 0..keys {
            first[key + 1] += first[key];
        }
        let mut sources = Sources {
            writes: vec![NONE; first[keys]],
            first,
        };
        for (at, op) in (0..).zip(ops).filter(|(_, op)| op.is_live_write()) {
            let slot = sources.slot(op);
            if sources.writes[slot] == NONE {
                sources.writes[slot] = at;
            }
        }
        sources
    }

    fn slot(&self, op: &SessionOp) -> usize {
        self.first[op.key as usize] + op.action.value().0 as usize
    }

    /// The position of the write of the value that an operation read.
    fn write(&self, op: &SessionOp) -> u32 {
        match op.action.value() {
            ValueId::INITIAL => NONE,
            _ => self.writes[self.slot(op)],
        }
    }
}

impl Nodes {
    pub(super) fn of(ops: &[SessionOp]) -> Nodes {
        let sources = Sources::of(ops);
        let mut counts = vec![false; ops.len()];
        for (at, op) in ops.iter().enumerate() {
            counts[at] |= op.is_live_write() && op.status == Status::Ok;
            let write = if op.is_ok_read() {
                sources.write(op)
            } else {
                NONE
            };
            let is_initial = op.action == Action::Read(ValueId::INITIAL);
            counts[at] |= op.is_ok_read() && (is_initial || write != NONE);
            if let Some(write) = counts.get_mut(write as usize) {
                *write = true;
            }
        }
        let mut nodes = Nodes::empty(ops);
        let mut node_of = vec![NONE; ops.len()];
        let chosen = (0..)
            .zip(ops)
            .filter(|&(at, _): &(u32, _)| counts[at as usize]);
        for (node, (at, op)) in (0..).zip(chosen) {
            node_of[at as usize] = node;
            nodes.push(at, op);
        }
        for node in 0..nodes.len() {
            if nodes.is_read[node] {
                let write = sources.write(&ops[nodes.at[node] as usize]);
                nodes.source[node] = node_of.get(write as usize).copied().unwrap_or(NONE);
            }
        }
        nodes
    }

    /// The nodes with all reads in, even those that come before what they read.
    pub(super) fn of_tangled(ops: &[SessionOp]) -> Nodes {
        let mut nodes = Nodes::of(ops);
        nodes.link();
        nodes
    }

    fn empty(ops: &[SessionOp]) -> Nodes {
        Nodes {
            at: Vec::new(),
            process: Vec::new(),
            key: Vec::new(),
            before: Vec::new(),
            source: Vec::new(),
            is_read: Vec::new(),
            rank: Vec::new(),
            order: Vec::new(),
            time: Vec::new(),
            is_certain: Vec::new(),
            chain: Vec::new(),
            chains: 0,
            processes: ops
                .iter()
                .map(|op| op.process as usize + 1)
                .max()
                .unwrap_or(0),
            keys: ops.iter().map(|op| op.key as usize + 1).max().unwrap_or(0),
        }
    }

    fn push(&mut self, at: u32, op: &SessionOp) {
        let is_read = matches!(op.action, Action::Read(_));
        self.at.push(at);
        self.process.push(op.process);
        self.key.push(op.key);
        self.source.push(NONE);
        self.is_read.push(is_read);
        self.time.push(if is_read { op.ret } else { op.call });
        self.is_certain.push(op.status == Status::Ok);
    }

    pub(super) fn len(&self) -> usize {
        self.at.len()
    }

    /// Number of reads among the nodes.
    pub(super) fn reads(&self) -> u64 {
        self.is_read.iter().filter(|&&is_read| is_read).count() as u64
    }

    /// Reads of values that nobody wrote.
    pub(super) fn thin_air(&self, ops: &[SessionOp]) -> Vec<Bad> {
        let mut known = self.at.iter().peekable();
        let mut bad = Vec::new();
        for (read, op) in (0..).zip(ops) {
            let is_node = known.next_if_eq(&&read).is_some();
            if op.is_ok_read() && !is_node {
                let pattern = Pattern::ThinAirRead;
                bad.push(Bad {
                    read,
                    pattern,
                    missed: read,
                });
            }
        }
        bad
    }

    /// Takes out the reads that come before what they read, and settles the order of work for all others.
    pub(super) fn untangle(&mut self) -> Vec<Bad> {
        self.link();
        if self.sort_by_time() {
            return Vec::new();
        }
        let graph = Graph::new(self.len(), &self.causal_edges(&|_| true));
        let component = graph.components();
        let mut bad = Vec::new();
        let mut tangled = vec![false; self.len()];
        for edge in graph
            .edges()
            .iter()
            .filter(|edge| edge.tag == Because::Read)
        {
            if component[edge.from as usize] == component[edge.to as usize] {
                tangled[edge.to as usize] = true;
                bad.push(Bad {
                    read: self.at[edge.to as usize],
                    pattern: Pattern::CyclicCo,
                    missed: self.at[edge.from as usize],
                });
            }
        }
        if !bad.is_empty() {
            self.leave_out(&tangled);
            self.link();
        }
        self.sort_along();
        bad
    }

    /// Settles what came before in each session, and numbers the chains of writes.
    fn link(&mut self) {
        let mut end = vec![NONE; self.processes];
        for node in (0..self.len()).rev() {
            let end = &mut end[self.process[node] as usize];
            *end = if *end == NONE {
                u32::try_from(node).unwrap_or(NONE)
            } else {
                *end
            };
        }
        let mut last = vec![NONE; self.processes];
        let mut of_session = vec![NONE; self.processes];
        self.chains = 0;
        self.chain = vec![NONE; self.len()];
        self.before.clear();
        for node in 0..self.len() {
            let process = self.process[node] as usize;
            self.before.push(last[process]);
            let is_last = end[process] as usize == node;
            if self.is_certain[node] {
                last[process] = u32::try_from(node).unwrap_or(NONE);
            }
            if self.is_read[node] {
                continue;
            }
            let is_chained = self.is_certain[node] || is_last;
            if is_chained && of_session[process] != NONE {
                self.chain[node] = of_session[process];
                continue;
            }
            self.chain[node] = self.chains;
            if is_chained {
                of_session[process] = self.chains;
            }
            self.chains += 1;
        }
    }

    fn leave_out(&mut self, tangled: &[bool]) {
        let mut kept = 0_u32;
        let mut moved = vec![NONE; self.len()];
        for (node, _) in tangled.iter().enumerate().filter(|(_, tangled)| !**tangled) {
            moved[node] = kept;
            kept += 1;
        }
        for node in (0..self.len()).filter(|&node| !tangled[node]) {
            let to = moved[node] as usize;
            let source = self.source[node];
            self.source[to] = moved.get(source as usize).copied().unwrap_or(NONE);
            (self.at[to], self.process[to], self.key[to]) =
                (self.at[node], self.process[node], self.key[node]);
            (self.is_read[to], self.time[to], self.is_certain[to]) =
                (self.is_read[node], self.time[node], self.is_certain[node]);
        }
        let kept = kept as usize;
        self.at.truncate(kept);
        self.process.truncate(kept);
        self.key.truncate(kept);
        self.source.truncate(kept);
        self.is_read.truncate(kept);
        self.time.truncate(kept);
        self.is_certain.truncate(kept);
    }

    fn set_order(&mut self, order: Vec<u32>) {
        self.rank = vec![NONE; self.len()];
        for (rank, &node) in (0..).zip(&order) {
            self.rank[node as usize] = rank;
        }
        self.order = order;
    }

    /// Sorts by time; true if that goes along with the causal order, as it does unless times coincide or are wrong.
    fn sort_by_time(&mut self) -> bool {
        let mut order: Vec<u32> = (0..u32::try_from(self.len()).unwrap_or(NONE)).collect();
        order.sort_unstable_by_key(|&node| (self.time[node as usize], node));
        self.set_order(order);
        let after = |node: usize, other: u32| {
            self.rank
                .get(other as usize)
                .is_none_or(|&other| other < self.rank[node])
        };
        (0..self.len()).all(|node| after(node, self.before[node]) && after(node, self.source[node]))
    }

    /// Sorts by time as far as the causal order, which must have no cycle, lets it.
    fn sort_along(&mut self) {
        let graph = Graph::new(self.len(), &self.causal_edges(&|_| true));
        let mut waits = vec![0_u32; self.len()];
        for edge in graph.edges() {
            waits[edge.to as usize] += 1;
        }
        let entry = |node: u32| Reverse((self.time[node as usize], node));
        let mut ready: BinaryHeap<_> = (0..u32::try_from(self.len()).unwrap_or(NONE))
            .filter(|&node| waits[node as usize] == 0)
            .map(entry)
            .collect();
        let mut order = Vec::with_capacity(self.len());
        while let Some(Reverse((_, node))) = ready.pop() {
            order.push(node);
            for edge in graph.from(node) {
                waits[edge.to as usize] -= 1;
                if waits[edge.to as usize] == 0 {
                    ready.push(entry(edge.to));
                }
            }
        }
        self.set_order(order);
    }
}
