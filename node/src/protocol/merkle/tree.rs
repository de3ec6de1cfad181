//! A hash tree over the keys of one range, adapted to what is held: a trie over positions in the range whose leaves split when they
//! grow and join again when they shrink.
//!
//! A node's hash is the *sum* of hashes of its (key hash, digest) pairs, so that a change of one key is a subtraction and an addition on
//! the way down: no sibling is read. A node has children exactly if more than [`Shape::leaf_max`] keys lie below it. Hashes and shape are
//! thus functions of what is held now, never of how it came to be held, and two replicas that hold the same have the same tree. It
//! stores no key and no digest: it asks [`Contents`] when a leaf is split.

use std::mem;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use super::address::{Address, Fanout};
use super::contents::{Contents, Entry};
use super::range::HashRange;

/// Where the root is among the nodes. No group of children starts there.
const ROOT: usize = 0;

/// Groups that may be vacant whatever the size of the tree.
const VACANT_GROUPS_MAX: usize = 4;

/// How a tree is built. The fan-out must be the same at both ends of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Children of an inner node.
    pub fanout: Fanout,
    /// Most keys below a node that is stored without children. Larger saves memory; smaller saves work when nodes below it are compared.
    pub leaf_max: u32,
    /// Nodes of so few keys are compared by listing these instead of hashes of children. Larger saves rounds; smaller saves bytes.
    pub list_max: u32,
}

impl Default for Shape {
    fn default() -> Shape {
        Shape {
            fanout: Fanout::Sixteen,
            leaf_max: 128,
            list_max: 32,
        }
    }
}

/// What a node says about the keys below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// How many there are.
    pub count: u32,
    /// Sum of the hashes of their (key hash, digest) pairs, modulo 2^128.
    #[serde(with = "postcard::fixint::le")]
    pub hash: u128,
}

impl Summary {
    fn of(key_hash: u64, digest: u64) -> Summary {
        let mut pair = [0; 16];
        pair[..8].copy_from_slice(&key_hash.to_le_bytes());
        pair[8..].copy_from_slice(&digest.to_le_bytes());
        Summary {
            count: 1,
            hash: xxh3_128(&pair),
        }
    }

    fn plus(self, other: Summary) -> Summary {
        Summary {
            count: self.count.saturating_add(other.count),
            hash: self.hash.wrapping_add(other.hash),
        }
    }

    fn minus(self, other: Summary) -> Summary {
        Summary {
            count: self.count.saturating_sub(other.count),
            hash: self.hash.wrapping_sub(other.hash),
        }
    }

    fn total(parts: impl IntoIterator<Item = Summary>) -> Summary {
        parts.into_iter().fold(Summary::default(), Summary::plus)
    }
}

/// 24 bytes: the hash is kept as bytes, because a `u128` would align it to 32.
#[derive(Clone, Copy, Debug, Default)]
struct Node {
    hash: [u8; 16],
    count: u32,
    /// Where the group of its children starts; 0 for a leaf.
    children: u32,
}

impl Node {
    fn summary(&self) -> Summary {
        Summary {
            count: self.count,
            hash: u128::from_le_bytes(self.hash),
        }
    }

    fn set(&mut self, summary: Summary) {
        self.count = summary.count;
        self.hash = summary.hash.to_le_bytes();
    }
}

/// A hash tree over what one replica holds of one range.
#[derive(Clone, Debug)]
pub struct Tree {
    range: HashRange,
    shape: Shape,
    /// The root, then groups of as many children as the fan-out has.
    nodes: Vec<Node>,
    /// Where groups start that nobody uses.
    vacant: Vec<u32>,
}

impl Tree {
    /// The tree of a replica that holds nothing of this range.
    pub fn new(range: HashRange, shape: Shape) -> Tree {
        Tree {
            range,
            shape,
            nodes: vec![Node::default()],
            vacant: Vec::new(),
        }
    }

    /// The tree of what is held now. O(n).
    pub fn build(range: HashRange, shape: Shape, contents: &impl Contents) -> Tree {
        let mut tree = Tree::new(range, shape);
        let pairs = tree.pairs(Address::ROOT, contents);
        tree.nodes[ROOT].set(Summary::total(pairs.iter().map(|(_, summary)| *summary)));
        tree.divide(ROOT, 0, &pairs);
        tree
    }

    /// Follows a change of one key: its digest before and after, none where it is not held. Call it *after* the contents have changed,
    /// once per change. O(depth), and now and then, when a leaf splits, O([`Shape::leaf_max`]). Returns whether the key is in the range;
    /// if not, there is nothing to do.
    ///
    /// A digest before that was not the key's makes the tree wrong from then on: only [`Tree::build`] sets it right.
    pub fn set(
        &mut self,
        key_hash: u64,
        old: Option<u64>,
        new: Option<u64>,
        contents: &impl Contents,
    ) -> bool {
        let Some(position) = self.range.position(key_hash) else {
            return false;
        };
        if old == new {
            return true;
        }
        let part = |digest: Option<u64>| {
            digest.map_or(Summary::default(), |digest| Summary::of(key_hash, digest))
        };
        let (gone, come) = (part(old), part(new));
        let mut at = ROOT;
        let mut address = Address::ROOT;
        loop {
            let node = &mut self.nodes[at];
            node.set(node.summary().plus(come).minus(gone));
            let (count, children) = (node.count, node.children);
            if children == 0 {
                if self.is_divided(count, address.depth()) {
                    let pairs = self.pairs(address, contents);
                    self.divide(at, address.depth(), &pairs);
                }
                return true;
            }
            if count <= self.shape.leaf_max {
                self.join(at);
                return true;
            }
            let slot = self.shape.fanout.slot(position, address.depth());
            address = address.child(slot, self.shape.fanout);
            at = children as usize + slot;
        }
    }

    /// The range.
    pub fn range(&self) -> HashRange {
        self.range
    }

    /// How it is built.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// What the root says about all keys of the range.
    pub fn root(&self) -> Summary {
        self.nodes[ROOT].summary()
    }

    /// Memory that it takes, bytes.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Tree>()
            + self.nodes.capacity() * size_of::<Node>()
            + self.vacant.capacity() * size_of::<u32>()
    }

    /// Can this node have children? Not if it is a single hash.
    pub(super) fn is_divisible(&self, address: Address) -> bool {
        address.depth() < self.shape.fanout.depth_max(self.range)
    }

    /// Could there be such a node?
    pub(super) fn is_valid(&self, address: Address) -> bool {
        address.is_valid(self.shape.fanout, self.range)
    }

    /// What the children of a node say, one per slot. Those below a leaf are not stored: they are summed up from what is held.
    pub(super) fn children(&self, address: Address, contents: &impl Contents) -> Vec<Summary> {
        let fanout = self.shape.fanout;
        if let Some(group) = self.group(address) {
            let nodes = &self.nodes[group..group + fanout.children()];
            return nodes.iter().map(Node::summary).collect();
        }
        let mut children = vec![Summary::default(); fanout.children()];
        if self.is_divisible(address) {
            for (position, summary) in self.pairs(address, contents) {
                let child = &mut children[fanout.slot(position, address.depth())];
                *child = child.plus(summary);
            }
        }
        children
    }

    /// The keys below a node, in the order of positions, from this offset of the range.
    pub(super) fn entries<'a>(
        &self,
        address: Address,
        from_offset: u64,
        contents: &'a impl Contents,
    ) -> impl Iterator<Item = Entry<'a>> {
        let offsets = address.offsets(self.shape.fanout, self.range);
        let offsets = from_offset.max(*offsets.start())..=*offsets.end();
        let intervals = self.range.hashes(&offsets);
        intervals.flat_map(|hashes| contents.entries(hashes))
    }

    /// Where the children of a node are stored; none if they are not.
    fn group(&self, address: Address) -> Option<usize> {
        let fanout = self.shape.fanout;
        let position = address.first_position(fanout);
        let mut at = ROOT;
        for depth in 0..address.depth() {
            let children = self.nodes[at].children;
            if children == 0 {
                return None;
            }
            at = children as usize + fanout.slot(position, depth);
        }
        let children = self.nodes[at].children;
        (children != 0).then_some(children as usize)
    }

    /// Positions and summaries of the keys below a node, ascending.
    fn pairs(&self, address: Address, contents: &impl Contents) -> Vec<(u64, Summary)> {
        let pair = |entry: Entry<'_>| {
            let position = self.range.position(entry.hash)?;
            Some((position, Summary::of(entry.hash, entry.digest)))
        };
        self.entries(address, 0, contents)
            .filter_map(pair)
            .collect()
    }

    fn is_divided(&self, count: u32, depth: u32) -> bool {
        count > self.shape.leaf_max && depth < self.shape.fanout.depth_max(self.range)
    }

    /// Gives a leaf children, and these theirs, as far down as their numbers ask for.
    fn divide(&mut self, at: usize, depth: u32, pairs: &[(u64, Summary)]) {
        let fanout = self.shape.fanout;
        if !self.is_divided(self.nodes[at].count, depth) {
            return;
        }
        // A tree of more nodes than can be numbered keeps large leaves: it stays right, only less fine.
        let Some(group) = self.occupy() else {
            return;
        };
        self.nodes[at].children = group;
        let slot = |pair: &(u64, Summary)| fanout.slot(pair.0, depth);
        for part in pairs.chunk_by(|a, b| slot(a) == slot(b)) {
            let child = group as usize + slot(&part[0]);
            self.nodes[child].set(Summary::total(part.iter().map(|(_, summary)| *summary)));
            self.divide(child, depth + 1, part);
        }
    }

    /// Makes an inner node a leaf.
    fn join(&mut self, at: usize) {
        let mut groups = vec![mem::take(&mut self.nodes[at].children)];
        while let Some(group) = groups.pop() {
            let start = group as usize;
            for node in &mut self.nodes[start..start + self.shape.fanout.children()] {
                if node.children != 0 {
                    groups.push(node.children);
                }
                *node = Node::default();
            }
            self.vacant.push(group);
        }
        let groups = self.nodes.len() / self.shape.fanout.children();
        if self.vacant.len() > VACANT_GROUPS_MAX.max(groups / 2) {
            self.compact();
        }
    }

    /// A group of empty leaves; none if there are too many nodes.
    fn occupy(&mut self) -> Option<u32> {
        if let Some(group) = self.vacant.pop() {
            return Some(group);
        }
        let group = u32::try_from(self.nodes.len()).ok()?;
        let children = self.shape.fanout.children();
        if self.nodes.capacity() - self.nodes.len() < children {
            // By an eighth, not by doubling: memory per key matters more than a few more moves.
            self.nodes.reserve_exact(children.max(self.nodes.len() / 8));
        }
        self.nodes
            .resize(self.nodes.len() + children, Node::default());
        Some(group)
    }

    /// Moves all groups together and gives back what was vacant.
    fn compact(&mut self) {
        let children = self.shape.fanout.children();
        let used = self.nodes.len() - self.vacant.len() * children;
        let old = mem::replace(&mut self.nodes, Vec::with_capacity(used));
        self.nodes.push(old[ROOT]);
        let mut at = 0;
        while at < self.nodes.len() {
            let group = self.nodes[at].children as usize;
            if group != 0 {
                // No larger than before, so it can be numbered.
                self.nodes[at].children = u32::try_from(self.nodes.len()).unwrap_or(0);
                self.nodes.extend_from_slice(&old[group..group + children]);
            }
            at += 1;
        }
        self.vacant = Vec::new();
    }

    /// All nodes from the root down, each with what it says and whether it has children: equal for equal trees, wherever in memory the
    /// nodes are.
    #[cfg(test)]
    pub(super) fn outline(&self) -> Vec<(Address, Summary, bool)> {
        let fanout = self.shape.fanout;
        let mut outline = Vec::new();
        let mut open = vec![(Address::ROOT, ROOT)];
        while let Some((address, at)) = open.pop() {
            let node = self.nodes[at];
            outline.push((address, node.summary(), node.children != 0));
            if node.children != 0 {
                let child = |slot| (address.child(slot, fanout), node.children as usize + slot);
                open.extend((0..fanout.children()).map(child));
            }
        }
        outline.sort_unstable_by_key(|(address, ..)| *address);
        outline
    }
}
