//! How nodes learn which of them are alive and which are in the ring. How the detector works is `protocol::membership`'s business.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::protocol::membership::Settings;

use super::{ConfigError, NodeId, StoreConfig};

/// Who is there, and who is in the ring.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MembershipOptions {
    /// A node is up while its connection is, and all nodes are in the ring for ever.
    #[default]
    Direct,
    /// Nodes gossip about who is alive (SWIM), and the ring changes when an administrator says so (Dynamo 4.8).
    Gossip(Gossip),
}

impl MembershipOptions {
    /// The settings of the gossip, if there is any.
    pub fn gossip(&self) -> Option<&Gossip> {
        match self {
            MembershipOptions::Direct => None,
            MembershipOptions::Gossip(gossip) => Some(gossip),
        }
    }
}

/// Settings of gossip membership.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Gossip {
    /// Of the failure detector.
    #[serde(default)]
    pub detector: Settings,
    /// The nodes that are in the ring at first; the others are spare, and may join. None = all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<NodeId>>,
}

impl StoreConfig {
    /// The nodes that are in the ring at first, in order.
    pub fn first_members(&self) -> BTreeSet<NodeId> {
        let gossip = self.options.membership.gossip();
        match gossip.and_then(|gossip| gossip.members.as_ref()) {
            Some(members) => members.iter().copied().collect(),
            None => (1..=self.nodes).map(NodeId).collect(),
        }
    }

    pub(super) fn validate_membership(&self) -> Result<(), ConfigError> {
        let Some(Gossip { detector, members }) = self.options.membership.gossip() else {
            return Ok(());
        };
        detector.validate().map_err(ConfigError::Detector)?;
        let Some(members) = members else {
            return Ok(());
        };
        let mut distinct = BTreeSet::new();
        for node in members {
            if node.0 == 0 || node.0 > self.nodes || !distinct.insert(*node) {
                let why = format!("{node} is unknown or named twice: name each node once");
                return Err(ConfigError::Members(why));
            }
        }
        if distinct.len() < usize::from(self.n) {
            let (n, have) = (self.n, distinct.len());
            let why = format!("{have} nodes for N = {n} replicas: name at least {n}");
            return Err(ConfigError::Members(why));
        }
        for centre in &self.options.data_centres {
            let here = centre.nodes.iter().filter(|node| distinct.contains(node));
            if here.count() < usize::from(centre.rf) {
                let (name, rf) = (&centre.name, centre.rf);
                let why =
                    format!("data centre `{name}` has {rf} replicas: name as many of its nodes");
                return Err(ConfigError::Members(why));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{DataCentre, Options, ReadFanout, ReadRepair, SyncPolicy};

    fn with_members(members: &[u16]) -> StoreConfig {
        let membership = MembershipOptions::Gossip(Gossip {
            members: Some(members.iter().copied().map(NodeId).collect()),
            ..Gossip::default()
        });
        StoreConfig {
            nodes: 6,
            tokens_per_node: 8,
            n: 3,
            r: 2,
            w: 2,
            read_fanout: ReadFanout::Quorum,
            read_repair: ReadRepair::None,
            sync: SyncPolicy::EachWrite,
            request_timeout_ms: 1_000,
            sabotage: Vec::new(),
            options: Options {
                membership,
                ..Options::default()
            },
        }
    }

    #[test]
    fn spare_nodes_are_not_in_the_ring_at_first() {
        let config = with_members(&[1, 2, 3, 5]);
        assert_eq!(config.validate(), Ok(()));
        let members: Vec<_> = config
            .first_members()
            .into_iter()
            .map(|node| node.0)
            .collect();
        assert_eq!(members, [1, 2, 3, 5]);
    }

    #[test]
    fn members_that_cannot_hold_a_key_are_refused() {
        let refusal = |config: &StoreConfig| config.validate().expect_err("refused").to_string();
        assert!(refusal(&with_members(&[1, 2])).contains("at least 3"));
        assert!(refusal(&with_members(&[1, 2, 2])).contains("n2 is unknown or named twice"));
        assert!(refusal(&with_members(&[1, 2, 7])).contains("n7"));
        let mut config = with_members(&[1, 2, 3]);
        let centre = |name: &str, nodes: [u16; 3], rf| DataCentre {
            name: name.to_owned(),
            nodes: nodes.map(NodeId).to_vec(),
            rf,
        };
        config.options.data_centres = vec![centre("us", [1, 3, 5], 1), centre("eu", [2, 4, 6], 2)];
        assert!(refusal(&config).contains("`eu`"));
    }

    #[test]
    fn a_detector_that_cannot_work_is_refused() {
        let mut config = with_members(&[1, 2, 3]);
        let MembershipOptions::Gossip(gossip) = &mut config.options.membership else {
            panic!("it gossips");
        };
        gossip.detector.gossip_period_ms = 0;
        let refusal = config.validate().expect_err("refused").to_string();
        assert!(refusal.contains("gossip period"), "{refusal}");
    }
}
