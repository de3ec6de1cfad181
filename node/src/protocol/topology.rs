//! What a store's settings say of places: who is in which data centre, and how many replicas a key has there.
//!
//! The ring that is made of it is `placement.rs`'s, and that it may change is `membership`'s.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{NodeId, StoreConfig};

use super::membership::{Pending, RingState, RingView};
use super::placement::{Placement, Replication};
use super::ring::Ring;

/// The nodes, the data centres and the replication of a store.
#[derive(Clone, Debug)]
pub struct Topology {
    /// The nodes that are in the ring at first.
    members: BTreeSet<NodeId>,
    tokens_per_node: u32,
    replication: Replication,
    centres: BTreeMap<NodeId, String>,
    /// The names of the data centres, in the order of the settings; empty if there are none.
    names: Vec<String>,
    factors: Vec<u16>,
}

impl Topology {
    /// Of a store with these settings.
    pub fn of(config: &StoreConfig) -> Topology {
        let centres = &config.options.data_centres;
        let named = |centre: &crate::config::DataCentre| (centre.name.clone(), centre.rf);
        let replication = if centres.is_empty() {
            Replication::Simple { n: config.n }
        } else {
            Replication::PerDataCentre(centres.iter().map(named).collect())
        };
        let labels = centres.iter().flat_map(|centre| {
            let label = |node: &NodeId| (*node, centre.name.clone());
            centre.nodes.iter().map(label)
        });
        Topology {
            members: config.first_members(),
            tokens_per_node: config.tokens_per_node,
            replication,
            centres: labels.collect(),
            names: centres.iter().map(|centre| centre.name.clone()).collect(),
            factors: if centres.is_empty() {
                vec![config.n]
            } else {
                centres.iter().map(|centre| centre.rf).collect()
            },
        }
    }

    /// Where keys are before the ring has changed for the first time.
    pub fn placement(&self) -> Placement {
        self.placement_of(self.members.iter().map(|node| (*node, *node)))
    }

    /// Where keys are in a ring of these nodes, each with the tokens of the node that it is paired with.
    pub fn placement_of(&self, owners: impl IntoIterator<Item = (NodeId, NodeId)>) -> Placement {
        let ring = Ring::of(owners, self.tokens_per_node);
        Placement::new(ring, &self.replication, &self.centres)
    }

    /// The ring before anything was decided about it.
    pub fn first_ring(&self) -> RingState {
        let label = |node: &NodeId| (*node, self.label(*node));
        RingState::initial(self.members.iter().map(label))
    }

    /// Who reads and writes what in this state of the ring.
    pub fn view(&self, ring: &RingState, pending: Pending) -> RingView {
        RingView::new(ring, self.tokens_per_node, &self.replication, pending)
    }

    /// The name of a node's data centre; empty if there are none.
    pub fn label(&self, node: NodeId) -> String {
        self.centres.get(&node).cloned().unwrap_or_default()
    }

    /// Whether these nodes are enough for all the replicas of a key.
    pub fn is_enough(&self, nodes: &BTreeSet<NodeId>) -> bool {
        match &self.replication {
            Replication::Simple { n } => nodes.len() >= usize::from(*n),
            Replication::PerDataCentre(factors) => factors.iter().all(|(centre, factor)| {
                let here = nodes.iter().filter(|node| self.label(**node) == *centre);
                here.count() >= usize::from(*factor)
            }),
        }
    }

    /// The data centre of a node, by its number; 0 if there are none.
    pub fn centre(&self, node: NodeId) -> usize {
        let name = self.centres.get(&node);
        let number = name.and_then(|name| self.names.iter().position(|other| other == name));
        number.unwrap_or(0)
    }

    /// Replicas of a key in each data centre, by its number; one entry if there are none.
    pub fn factors(&self) -> &[u16] {
        &self.factors
    }
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
    fn each_data_centre_has_its_replicas() {
        let config = two_centres();
        config.validate().expect("two data centres of four");
        let topology = Topology::of(&config);
        let placement = topology.placement();
        for key in (0..200).map(|key| format!("k{key}")) {
            let replicas = placement.replicas(&key);
            let in_us = replicas.iter().filter(|node| topology.centre(**node) == 0);
            assert_eq!((replicas.len(), in_us.count()), (6, 3));
        }
        assert_eq!(topology.factors(), [3, 3]);
        assert_eq!([1, 2].map(|node| topology.centre(NodeId(node))), [0, 1]);
    }

    #[test]
    fn without_data_centres_the_first_n_count() {
        let topology = Topology::of(&config(3, 2, 2));
        let ring = Ring::new(3, 8);
        assert_eq!(
            topology.placement().replicas("k"),
            ring.preference_list("k", 3)
        );
        assert_eq!(topology.centre(NodeId(2)), 0);
        assert_eq!(topology.factors(), [3]);
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
