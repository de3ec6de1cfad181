//! Which nodes hold each range of the ring, worked out once per ring, so that a request only looks it up. It knows data centres, but
//! neither who is alive nor that a ring may be changing: the first is the coordinator's business, the second that of `membership`.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::NodeId;

use super::merkle::HashRange;
use super::ring::Ring;

/// How many replicas a key has, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replication {
    /// The first `n` distinct nodes clockwise (Dynamo 4.3; Cassandra's `SimpleStrategy`).
    Simple {
        /// Replicas of each key.
        n: u16,
    },
    /// The first so many distinct nodes of each data centre clockwise, by the data centre's name (Cassandra's
    /// `NetworkTopologyStrategy`, without racks). Data centres that are not named hold nothing.
    PerDataCentre(BTreeMap<String, u16>),
}

/// The tokens that one part of a list is taken from: the whole ring, or that of one data centre.
struct Part<'a> {
    tokens: Vec<&'a (u64, NodeId)>,
    wanted: usize,
}

/// The replicas of every range of one ring.
#[derive(Clone, Debug)]
pub struct Placement {
    ring: Ring,
    /// One row per token: the replicas of the range that ends there.
    rows: Vec<NodeId>,
    width: usize,
}

impl Placement {
    /// Works out the replicas of every range of `ring`. `data_centres` need not name any node if replication is simple.
    pub fn new(
        ring: Ring,
        replication: &Replication,
        data_centres: &BTreeMap<NodeId, String>,
    ) -> Placement {
        let parts = parts(&ring, replication, data_centres);
        let width = parts.iter().map(|part| part.wanted).sum();
        let mut rows = Vec::with_capacity(ring.tokens().len() * width);
        for (token, _) in ring.tokens() {
            rows.extend(row(&parts, *token));
        }
        Placement { ring, rows, width }
    }

    /// The replicas of a key, clockwise. As many for every key: fewer than asked for only if there are fewer nodes.
    pub fn replicas(&self, key: &str) -> &[NodeId] {
        self.replicas_at(Ring::place_of(key))
    }

    /// The replicas of a place on the ring.
    pub fn replicas_at(&self, place: u64) -> &[NodeId] {
        let tokens = self.ring.tokens();
        if tokens.is_empty() {
            return &[];
        }
        let index = tokens.partition_point(|(token, _)| *token < place) % tokens.len();
        &self.rows[index * self.width..(index + 1) * self.width]
    }

    /// The replicas of a key and, beyond them, further distinct nodes clockwise, `length` in all or as many as there are: who stands in
    /// under a sloppy quorum (Dynamo 4.6). With less than all replicas it is the beginning of their list.
    pub fn preference_list(&self, key: &str, length: usize) -> Vec<NodeId> {
        let mut list = self.replicas(key).to_vec();
        list.truncate(length);
        if list.len() == length {
            return list;
        }
        for node in self.ring.clockwise(key) {
            if list.len() == length {
                break;
            }
            if !list.contains(&node) {
                list.push(node);
            }
        }
        list
    }

    /// The parts of the ring, each with the replicas of its keys.
    pub fn parts(&self) -> impl Iterator<Item = (HashRange, &[NodeId])> {
        let replicas = |number: usize| &self.rows[number * self.width..(number + 1) * self.width];
        let parts = self.ring.parts().enumerate();
        parts.map(move |(number, range)| (range, replicas(number)))
    }

    /// The ring below.
    pub fn ring(&self) -> &Ring {
        &self.ring
    }
}

fn parts<'a>(
    ring: &'a Ring,
    replication: &Replication,
    data_centres: &BTreeMap<NodeId, String>,
) -> Vec<Part<'a>> {
    match replication {
        Replication::Simple { n } => vec![part(ring.tokens().iter().collect(), *n)],
        Replication::PerDataCentre(factors) => factors
            .iter()
            .map(|(centre, factor)| {
                let here = |node| data_centres.get(node) == Some(centre);
                let tokens = ring.tokens().iter().filter(|(_, node)| here(node));
                part(tokens.collect(), *factor)
            })
            .collect(),
    }
}

fn part(tokens: Vec<&(u64, NodeId)>, factor: u16) -> Part<'_> {
    let nodes: BTreeSet<_> = tokens.iter().map(|(_, node)| node).collect();
    let wanted = usize::from(factor).min(nodes.len());
    Part { tokens, wanted }
}

/// The replicas of the range that ends at `place`.
fn row(parts: &[Part<'_>], place: u64) -> Vec<NodeId> {
    // Each part is walked alone, because one of few nodes on a large ring would make a long walk of it; the distance puts the parts
    // back into the order in which one walk had met them.
    let mut chosen: Vec<(u64, NodeId)> = Vec::new();
    for part in parts {
        let start = part.tokens.partition_point(|(token, _)| *token < place);
        let (before, after) = part.tokens.split_at(start);
        let first = chosen.len();
        for (token, node) in after.iter().chain(before) {
            if chosen.len() - first == part.wanted {
                break;
            }
            if !chosen[first..].iter().any(|(_, taken)| taken == node) {
                chosen.push((token.wrapping_sub(place), *node));
            }
        }
    }
    chosen.sort_unstable();
    chosen.into_iter().map(|(_, node)| node).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn centres(nodes: u16, count: u16) -> BTreeMap<NodeId, String> {
        let centre = |node: u16| (NodeId(node), format!("dc{}", node % count));
        (1..=nodes).map(centre).collect()
    }

    /// The definition, word by word: walk, and take a node that is new and that its data centre still wants.
    fn walked(
        ring: &Ring,
        key: &str,
        factors: &BTreeMap<String, u16>,
        centres: &BTreeMap<NodeId, String>,
    ) -> Vec<NodeId> {
        let mut list = Vec::new();
        for node in ring.clockwise(key) {
            let centre = &centres[&node];
            let has = list
                .iter()
                .filter(|taken| centres[taken] == *centre)
                .count();
            let wanted = factors.get(centre).copied().unwrap_or(0);
            if !list.contains(&node) && has < usize::from(wanted) {
                list.push(node);
            }
        }
        list
    }

    proptest! {
        #[test]
        fn looked_up_is_walked(nodes in 1..10_u16, tokens in 1..20_u32, n in 0..12_u16, key in ".*") {
            let ring = Ring::new(nodes, tokens);
            let placement = Placement::new(ring.clone(), &Replication::Simple { n }, &BTreeMap::new());
            prop_assert_eq!(placement.replicas(&key), ring.preference_list(&key, n));
        }

        #[test]
        fn each_data_centre_has_its_replicas(
            nodes in 1..12_u16,
            tokens in 1..20_u32,
            count in 1..4_u16,
            factors in prop::collection::vec(0..4_u16, 3),
            key in ".*",
        ) {
            let centres = centres(nodes, count);
            let factors: BTreeMap<_, _> =
                (0..).zip(factors).map(|(centre, factor)| (format!("dc{centre}"), factor)).collect();
            let ring = Ring::new(nodes, tokens);
            let expected = walked(&ring, &key, &factors, &centres);
            let placement = Placement::new(ring, &Replication::PerDataCentre(factors), &centres);
            prop_assert_eq!(placement.replicas(&key), expected);
        }

        #[test]
        fn stand_ins_come_after_the_replicas(nodes in 1..12_u16, length in 0..15_usize, key in ".*") {
            let factors = BTreeMap::from([("dc1".to_owned(), 2)]);
            let placement =
                Placement::new(Ring::new(nodes, 8), &Replication::PerDataCentre(factors), &centres(nodes, 2));
            let list = placement.preference_list(&key, length);
            let replicas = placement.replicas(&key);
            prop_assert_eq!(list.len(), length.min(usize::from(nodes)));
            prop_assert!(list.starts_with(&replicas[..length.min(replicas.len())]));
            let distinct: BTreeSet<_> = list.iter().collect();
            prop_assert_eq!(distinct.len(), list.len());
        }
    }

    #[test]
    fn parts_have_the_replicas_of_their_keys() {
        let placement = Placement::new(
            Ring::new(5, 16),
            &Replication::Simple { n: 3 },
            &BTreeMap::new(),
        );
        let parts: Vec<_> = placement.parts().collect();
        assert_eq!(parts.len(), 80);
        for key in (0..500).map(|key| format!("k{key}")) {
            let mut of_key = parts
                .iter()
                .filter(|(range, _)| range.contains(Ring::place_of(&key)));
            let (_, replicas) = of_key.next().expect("every key is in some part");
            assert_eq!(*replicas, placement.replicas(&key));
            assert!(of_key.next().is_none(), "and in one only");
        }
    }

    #[test]
    fn an_empty_ring_holds_nothing() {
        let placement = Placement::new(
            Ring::new(0, 8),
            &Replication::Simple { n: 3 },
            &BTreeMap::new(),
        );
        assert!(placement.replicas("k").is_empty());
        assert!(placement.preference_list("k", 3).is_empty());
    }
}
