//! Consistent hashing: which nodes hold a key. Pure placement; it does not know who is alive.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_64;

use crate::config::NodeId;

use super::merkle::HashRange;

/// The ring of all nodes' tokens. The same for everybody who builds it from the same two numbers.
#[derive(Clone, Debug)]
pub struct Ring {
    tokens: Vec<(u64, NodeId)>,
    nodes: u16,
}

impl Ring {
    /// The ring of nodes 1 to `nodes`, each with `tokens_per_node` virtual nodes.
    pub fn new(nodes: u16, tokens_per_node: u32) -> Ring {
        let members = (1..=nodes).map(NodeId).map(|node| (node, node));
        Ring::of(members, tokens_per_node)
    }

    /// The ring of these nodes, each with the tokens of the node that it is paired with: its own, or those of a node that it replaces.
    /// With nodes 1 to n and their own tokens it is the same as [`Ring::new`].
    pub fn of(members: impl IntoIterator<Item = (NodeId, NodeId)>, tokens_per_node: u32) -> Ring {
        let mut nodes = 0;
        let mut tokens = Vec::new();
        for (node, owner) in members {
            nodes += 1;
            tokens.extend((0..tokens_per_node).map(|token| (place(owner.0, token), node)));
        }
        tokens.sort_unstable();
        Ring { tokens, nodes }
    }

    /// The first `n` distinct nodes clockwise from the key's place; all nodes if there are fewer.
    pub fn preference_list(&self, key: &str, n: u16) -> Vec<NodeId> {
        let wanted = usize::from(n.min(self.nodes));
        let mut list = Vec::with_capacity(wanted);
        for node in self.clockwise(key) {
            if list.len() == wanted {
                break;
            }
            if !list.contains(&node) {
                list.push(node);
            }
        }
        list
    }

    /// The parts of the ring between two tokens, in the order of the tokens at which they end.
    pub(super) fn parts(&self) -> impl Iterator<Item = HashRange> {
        let last = self.tokens.last().map_or(0, |(token, _)| *token);
        let before = std::iter::once(last).chain(self.tokens.iter().map(|(token, _)| *token));
        let parts = before.zip(&self.tokens);
        parts.map(|(before, (token, _))| HashRange::new(before, *token))
    }

    /// Where a key lies on the ring.
    pub fn place_of(key: &str) -> u64 {
        xxh3_64(key.as_bytes())
    }

    /// All tokens with their nodes, clockwise from 0.
    pub(super) fn tokens(&self) -> &[(u64, NodeId)] {
        &self.tokens
    }

    /// The part of all places that each node comes first for, millionths.
    pub fn shares(&self) -> BTreeMap<NodeId, u32> {
        let mut places: BTreeMap<NodeId, u128> = BTreeMap::new();
        // The first token takes what is beyond the last: the ring is closed.
        let mut before = self.tokens.last().map_or(0, |(token, _)| *token);
        for (token, node) in &self.tokens {
            *places.entry(*node).or_default() += u128::from(token.wrapping_sub(before));
            before = *token;
        }
        if let [(_, alone)] = self.tokens[..] {
            places.insert(alone, 1 << 64);
        }
        let millionths =
            |places: u128| u32::try_from((places * 1_000_000) >> 64).unwrap_or(u32::MAX);
        places
            .into_iter()
            .map(|(node, places)| (node, millionths(places)))
            .collect()
    }

    /// The owners of all tokens clockwise from the key's place, each as often as it has tokens.
    pub(super) fn clockwise(&self, key: &str) -> impl Iterator<Item = NodeId> {
        let place = Ring::place_of(key);
        let start = self.tokens.partition_point(|(token, _)| *token < place);
        let (before, after) = self.tokens.split_at(start);
        after.iter().chain(before).map(|(_, node)| *node)
    }
}

/// Where a token lies on the ring.
fn place(node: u16, token: u32) -> u64 {
    let mut name = [0; 6];
    name[..2].copy_from_slice(&node.to_le_bytes());
    name[2..].copy_from_slice(&token.to_le_bytes());
    xxh3_64(&name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lists_are_distinct_nodes_of_the_cluster(nodes in 1..12_u16, tokens in 1..40_u32, n in 0..15_u16, key in ".*") {
            let list = Ring::new(nodes, tokens).preference_list(&key, n);
            prop_assert_eq!(list.len(), usize::from(n.min(nodes)));
            let mut distinct = list.clone();
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert_eq!(distinct.len(), list.len());
            prop_assert!(list.iter().all(|node| (1..=nodes).contains(&node.0)));
        }

        /// Shares are what a count of keys comes to, and nothing is left over but what rounding takes.
        #[test]
        fn shares_are_of_everything(nodes in 1..12_u16, tokens in 1..40_u32) {
            let shares = Ring::new(nodes, tokens).shares();
            prop_assert_eq!(shares.len(), usize::from(nodes));
            let all: u32 = shares.values().sum();
            prop_assert!(all <= 1_000_000 && all > 1_000_000 - u32::from(nodes) - 1, "{}", all);
        }

        #[test]
        fn a_longer_list_begins_with_the_shorter(n in 0..6_u16, key in ".*") {
            let ring = Ring::new(6, 16);
            let longer = ring.preference_list(&key, n + 1);
            prop_assert!(longer.starts_with(&ring.preference_list(&key, n)));
        }
    }

    #[test]
    fn a_replacement_takes_the_places_of_the_dead() {
        let old = Ring::new(5, 16);
        let members = [(1, 1), (2, 2), (9, 3), (4, 4), (5, 5)];
        let new = Ring::of(
            members.map(|(node, owner)| (NodeId(node), NodeId(owner))),
            16,
        );
        for key in 0..500 {
            let key = format!("k{key}");
            let renamed: Vec<_> = old
                .preference_list(&key, 3)
                .into_iter()
                .map(|node| if node == NodeId(3) { NodeId(9) } else { node })
                .collect();
            assert_eq!(new.preference_list(&key, 3), renamed);
        }
    }

    #[test]
    fn a_new_node_moves_only_keys_that_it_takes() {
        let (old, new) = (Ring::new(5, 64), Ring::new(6, 64));
        let keys: Vec<_> = (0..2_000).map(|key| format!("k{key}")).collect();
        let moved: Vec<_> = keys
            .iter()
            .map(|key| (old.preference_list(key, 1), new.preference_list(key, 1)))
            .filter(|(before, after)| before != after)
            .collect();
        assert!(moved.iter().all(|(_, after)| after == &[NodeId(6)]));
        assert!(
            (100..700).contains(&moved.len()),
            "{} of 2,000",
            moved.len()
        );
    }

    #[test]
    fn a_share_is_the_part_of_the_keys_that_a_node_comes_first_for() {
        let ring = Ring::new(4, 16);
        let mut first: BTreeMap<NodeId, u32> = BTreeMap::new();
        for key in 0..10_000 {
            let list = ring.preference_list(&format!("k{key}"), 1);
            *first.entry(list[0]).or_default() += 100;
        }
        for (node, share) in ring.shares() {
            // Ten thousand draws: five standard deviations are 2.5 %.
            assert!(share.abs_diff(first[&node]) < 25_000, "{node}: {share}");
        }
        assert_eq!(Ring::new(1, 1).shares()[&NodeId(1)], 1_000_000);
    }

    #[test]
    fn placement_is_frozen() {
        // Data on disk and saved plans depend on it: a change here is a change of format.
        let ring = Ring::new(5, 16);
        let list = |key| {
            ring.preference_list(key, 3)
                .iter()
                .map(|n| n.0)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            [list("k0"), list("k1"), list("alice")],
            [[5, 3, 4], [4, 1, 2], [3, 1, 2]]
        );
    }
}
