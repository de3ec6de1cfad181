//! Which nodes a key belongs to: its replicas, by data centre if there are any, and those that may stand in for them.
//!
//! Placement only: who is alive, and who is asked, is for the coordinator.

use crate::config::{NodeId, StoreConfig};

use super::merkle::HashRange;
use super::ring::Ring;

/// Places keys.
#[derive(Debug)]
pub struct Placement {
    ring: Ring,
    n: u16,
    /// The data centre of each node, by node id less 1; empty if there are none.
    centres: Vec<usize>,
    /// Replicas of a key in each data centre.
    factors: Vec<u16>,
}

impl Placement {
    /// Of a store with these settings.
    pub fn new(config: &StoreConfig) -> Placement {
        let data_centres = &config.options.data_centres;
        let mut centres = Vec::new();
        if !data_centres.is_empty() {
            centres = vec![0; usize::from(config.nodes)];
            for (place, centre) in data_centres.iter().enumerate() {
                for node in &centre.nodes {
                    if let Some(slot) = index(*node).and_then(|index| centres.get_mut(index)) {
                        *slot = place;
                    }
                }
            }
        }
        Placement {
            ring: Ring::new(config.nodes, config.tokens_per_node),
            n: config.n,
            centres,
            factors: data_centres.iter().map(|centre| centre.rf).collect(),
        }
    }

    /// The key's replicas, in the order of preference: the first distinct nodes clockwise from its place, of each data centre as many as
    /// its replication factor says (Cassandra's `NetworkTopologyStrategy`).
    pub fn replicas(&self, key: &str) -> Vec<NodeId> {
        if self.factors.is_empty() {
            return self.ring.preference_list(key, self.n);
        }
        self.chosen(self.ring.preference_list(key, u16::MAX))
    }

    /// The parts of the ring, each with the replicas of its keys.
    pub fn parts(&self) -> impl Iterator<Item = (HashRange, Vec<NodeId>)> {
        let parts = self.ring.parts();
        parts.map(|(range, nodes)| (range, self.chosen(nodes)))
    }

    /// The replicas of a key of which everybody is clockwise in this order.
    fn chosen(&self, mut everybody: Vec<NodeId>) -> Vec<NodeId> {
        if self.factors.is_empty() {
            everybody.truncate(usize::from(self.n));
            return everybody;
        }
        let mut left = self.factors.clone();
        everybody.retain(|node| match left.get_mut(self.centre(*node)) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        });
        everybody
    }

    /// Everybody else, in the order in which they stand in for replicas.
    pub fn others(&self, key: &str, replicas: &[NodeId]) -> Vec<NodeId> {
        let everybody = self.ring.preference_list(key, u16::MAX);
        let is_other = |node: &NodeId| !replicas.contains(node);
        everybody.into_iter().filter(is_other).collect()
    }

    /// The data centre of a node; 0 if there are none.
    pub(super) fn centre(&self, node: NodeId) -> usize {
        let place = index(node).and_then(|index| self.centres.get(index));
        place.copied().unwrap_or(0)
    }

    /// Replicas of a key in each data centre; one entry if there are none.
    pub(super) fn factors(&self) -> Vec<u16> {
        if self.factors.is_empty() {
            vec![self.n]
        } else {
            self.factors.clone()
        }
    }
}

fn index(node: NodeId) -> Option<usize> {
    usize::from(node.0).checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DataCentre;
    use crate::protocol::tests::cluster::config;

    fn two_centres() -> StoreConfig {
        let mut config = config(6, 4, 4);
        config.nodes = 8;
        config.options.data_centres = [("us", [1, 3, 5, 7]), ("eu", [2, 4, 6, 8])]
            .map(|(name, nodes)| DataCentre {
                name: name.to_owned(),
                nodes: nodes.map(NodeId).to_vec(),
                rf: 3,
            })
            .to_vec();
        config
    }

    #[test]
    fn each_data_centre_has_its_replicas_in_the_order_of_the_ring() {
        let config = two_centres();
        config.validate().expect("two data centres of four");
        let placement = Placement::new(&config);
        for key in (0..200).map(|key| format!("k{key}")) {
            let replicas = placement.replicas(&key);
            let in_us = replicas.iter().filter(|node| node.0 % 2 == 1).count();
            assert_eq!((replicas.len(), in_us), (6, 3));
            let others = placement.others(&key, &replicas);
            assert_eq!(others.len(), 2);
            let ring = Ring::new(8, config.tokens_per_node).preference_list(&key, 8);
            let order = |node: &NodeId| ring.iter().position(|other| other == node);
            assert!(replicas.is_sorted_by_key(order) && others.is_sorted_by_key(order));
        }
    }

    #[test]
    fn without_data_centres_the_first_n_count() {
        let placement = Placement::new(&config(3, 2, 2));
        let ring = Ring::new(3, 8);
        assert_eq!(placement.replicas("k"), ring.preference_list("k", 3));
        assert_eq!(placement.centre(NodeId(2)), 0);
        assert_eq!(placement.factors(), [3]);
    }

    #[test]
    fn data_centres_that_do_not_divide_the_cluster_are_refused() {
        let refusal = |change: fn(&mut Vec<DataCentre>)| {
            let mut config = two_centres();
            change(&mut config.options.data_centres);
            config.validate().expect_err("refused").to_string()
        };
        assert!(refusal(|centres| centres[0].rf = 5).contains("choose 1 to 4"));
        assert!(refusal(|centres| centres[0].rf = 2).contains("N = 6"));
        assert!(refusal(|centres| centres[0].nodes[0] = NodeId(2)).contains("n2"));
        assert!(refusal(|centres| _ = centres[1].nodes.pop()).contains("no data centre"));
        assert!(refusal(|centres| centres[1].name = "us".to_owned()).contains("name"));
    }
}
