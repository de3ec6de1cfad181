//! Directed graphs with dense nodes: strongly connected components, and the cheapest way from one node to another.
//!
//! Plain lists and no recursion, so that a graph of millions of edges costs neither stack nor surprise. It knows nothing of operations.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// No node, or no edge.
pub(super) const NONE: u32 = u32::MAX;

/// An edge with what its owner wants to know of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge<T> {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) tag: T,
}

/// A graph whose edges are sorted by where they begin.
pub(super) struct Graph<T> {
    edges: Vec<Edge<T>>,
    /// Where the edges of each node begin in `edges`; one more than there are nodes.
    first: Vec<u32>,
}

impl<T: Copy> Graph<T> {
    /// A graph of so many nodes. Edges of one node keep their order.
    pub(super) fn new(nodes: usize, list: &[Edge<T>]) -> Graph<T> {
        let mut first = vec![0_u32; nodes + 1];
        for edge in list {
            first[edge.from as usize + 1] += 1;
        }
        for node in 0..nodes {
            first[node + 1] += first[node];
        }
        let mut next = first.clone();
        let mut edges = list.to_vec();
        for &edge in list {
            let slot = &mut next[edge.from as usize];
            edges[*slot as usize] = edge;
            *slot += 1;
        }
        Graph { edges, first }
    }

    pub(super) fn edges(&self) -> &[Edge<T>] {
        &self.edges
    }

    /// The edges that begin at a node.
    pub(super) fn from(&self, node: u32) -> &[Edge<T>] {
        let span = self.span(node);
        &self.edges[span.start as usize..span.end as usize]
    }

    fn nodes(&self) -> usize {
        self.first.len() - 1
    }

    fn span(&self, node: u32) -> std::ops::Range<u32> {
        self.first[node as usize]..self.first[node as usize + 1]
    }

    /// The strongly connected component of each node (Tarjan 1972, with its own stack). Two nodes lie on a common cycle iff
    /// their components are equal and they differ.
    pub(super) fn components(&self) -> Vec<u32> {
        let mut search = Search {
            graph: self,
            component: vec![NONE; self.nodes()],
            low: vec![NONE; self.nodes()],
            open: Vec::new(),
            path: Vec::new(),
            visited: 0,
            found: 0,
        };
        for node in 0..u32::try_from(self.nodes()).unwrap_or(NONE) {
            if search.low[node as usize] == NONE {
                search.explore(node);
            }
        }
        search.component
    }

    /// The edges of a cheapest way from one node to another over nodes that `allowed` lets pass; none if there is no way.
    /// `cost` says what an edge costs. Of equally cheap ways the same one is always found.
    pub(super) fn way(
        &self,
        from: u32,
        to: u32,
        allowed: impl Fn(u32) -> bool,
        cost: impl Fn(&Edge<T>) -> u32,
    ) -> Option<Vec<Edge<T>>> {
        let best = self.search(from, Some(to), allowed, cost);
        let mut way = Vec::new();
        let mut node = to;
        while node != from {
            let edge = *self.edges.get(best[node as usize].1 as usize)?;
            way.push(edge);
            node = edge.from;
        }
        way.reverse();
        Some(way)
    }

    /// How far each node is from one; [`NONE`] for those that no way leads to.
    pub(super) fn distances(&self, from: u32, cost: impl Fn(&Edge<T>) -> u32) -> Vec<u32> {
        let best = self.search(from, None, |_| true, cost);
        best.into_iter().map(|(distance, _)| distance).collect()
    }

    /// The same graph with every edge turned round.
    pub(super) fn reversed(&self) -> Graph<T> {
        let turned = self.edges.iter().map(|edge| Edge {
            from: edge.to,
            to: edge.from,
            tag: edge.tag,
        });
        Graph::new(self.nodes(), &turned.collect::<Vec<_>>())
    }

    /// The cheapest way from a node to each other one, as its cost and its last edge; no further than to a node, if there is one.
    fn search(
        &self,
        from: u32,
        to: Option<u32>,
        allowed: impl Fn(u32) -> bool,
        cost: impl Fn(&Edge<T>) -> u32,
    ) -> Vec<(u32, u32)> {
        let mut best = vec![(NONE, NONE); self.nodes()];
        let mut heap = BinaryHeap::from([Reverse((0_u32, from))]);
        best[from as usize] = (0, NONE);
        while let Some(Reverse((so_far, node))) = heap.pop() {
            if Some(node) == to {
                break;
            }
            if so_far > best[node as usize].0 {
                continue;
            }
            for at in self.span(node) {
                let edge = self.edges[at as usize];
                let total = so_far.saturating_add(cost(&edge));
                if total < best[edge.to as usize].0 && allowed(edge.to) {
                    best[edge.to as usize] = (total, at);
                    heap.push(Reverse((total, edge.to)));
                }
            }
        }
        best
    }
}

struct Search<'a, T> {
    graph: &'a Graph<T>,
    component: Vec<u32>,
    /// For open nodes the lowest number that they reach; for others [`NONE`] until they are visited.
    low: Vec<u32>,
    open: Vec<u32>,
    /// The way to where the search is: node, its number, and the next edge to look at.
    path: Vec<(u32, u32, u32)>,
    visited: u32,
    found: u32,
}

impl<T: Copy> Search<'_, T> {
    fn enter(&mut self, node: u32) {
        self.low[node as usize] = self.visited;
        self.path
            .push((node, self.visited, self.graph.span(node).start));
        self.open.push(node);
        self.visited += 1;
    }

    fn explore(&mut self, root: u32) {
        self.enter(root);
        while let Some(&mut (node, number, ref mut next)) = self.path.last_mut() {
            if *next < self.graph.span(node).end {
                let to = self.graph.edges[*next as usize].to;
                *next += 1;
                if self.low[to as usize] == NONE {
                    self.enter(to);
                } else if self.component[to as usize] == NONE {
                    self.low[node as usize] = self.low[node as usize].min(self.low[to as usize]);
                }
                continue;
            }
            self.path.pop();
            let low = self.low[node as usize];
            if let Some(&(parent, ..)) = self.path.last() {
                self.low[parent as usize] = self.low[parent as usize].min(low);
            }
            if low == number {
                self.close(node);
            }
        }
    }

    /// All that is open above a root is its component.
    fn close(&mut self, root: u32) {
        while let Some(node) = self.open.pop() {
            self.component[node as usize] = self.found;
            if node == root {
                break;
            }
        }
        self.found += 1;
    }
}
