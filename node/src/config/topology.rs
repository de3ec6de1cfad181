//! Data centres as labels of nodes. They decide where replicas are placed and what the local levels count; nothing here measures
//! distance, which is the network's business.

use serde::{Deserialize, Serialize};

use super::NodeId;

/// One data centre.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataCentre {
    /// Its name.
    pub name: String,
    /// Its nodes.
    pub nodes: Vec<NodeId>,
    /// How many replicas of each key it has (its replication factor).
    pub rf: u16,
}
