//! From a plan to what others must know of it: the header of its history for the judges, the replicas of a key for the conductor.

use quorate_checkers::guarantee::Guarantee;
use quorate_checkers::history::header;
use quorate_checkers::history::{Header, Quorum};
use quorate_node::config::{NodeId, ReadRepair, StampSource, SyncPolicy, Versions};

use quorate_node::protocol::Topology;
use quorate_workloads::Kind;

use super::{Ask, Plan, PlanError, Scheduled, Setup};
use crate::fault::Fault;
use crate::world::{Wanted, node_name};

/// How long a change of the ring may take when nothing stands in its way, ms: rounds of gossip, copying, and one node after the other.
const RING_MS_MAX: u64 = 30_000;

/// Who should hold a key in a ring of these nodes, each with the node whose tokens it has, in preference order.
pub(crate) fn replicas_in(
    topology: &Topology,
    owners: Vec<(NodeId, NodeId)>,
) -> impl Fn(&str) -> Vec<u16> + Send + use<> {
    let placement = topology.placement_of(owners);
    move |key| {
        let replicas = placement.replicas(key);
        replicas.iter().map(|node| node.0).collect()
    }
}

impl Plan {
    /// The first line of the history of a run of this plan.
    pub fn header(&self) -> Result<Header, PlanError> {
        let (kind, _) = self.load.kind()?;
        Ok(Header {
            format: header::FORMAT,
            plan: self.digest(),
            workload: self.load.workload.clone(),
            seed: self.seed,
            nodes: (1..=self.store.nodes).map(node_name).collect(),
            quorum: Quorum {
                n: self.store.n.into(),
                r: self.store.r.into(),
                w: self.store.w.into(),
            },
            claim: self.claim,
            read_repair: match self.store.read_repair {
                ReadRepair::None => header::ReadRepair::None,
                ReadRepair::Async => header::ReadRepair::Async,
                ReadRepair::Blocking => header::ReadRepair::Blocking,
            },
            sync: match self.store.sync {
                SyncPolicy::EachWrite => header::Sync::EachWrite,
                SyncPolicy::EveryMs(interval_ms) => header::Sync::EveryMs(interval_ms),
            },
            request_timeout_ms: self.store.request_timeout_ms,
            concurrency: self.load.clients,
            versions: self.versions(),
            values: self.values(kind),
            judges: Some(self.judges(kind)),
            sabotage: self
                .store
                .sabotage
                .iter()
                .map(|sabotage| sabotage.name().to_owned())
                .collect(),
            setup: serde_json::to_value(Setup::of(self)).ok(),
        })
    }

    /// What clients write: a script writes integers, whatever the workload would.
    fn values(&self, kind: Kind) -> header::Values {
        if self.load.script.is_empty() {
            kind.values()
        } else {
            header::Values::Integers
        }
    }

    /// What the store does with versions, as judges see it: siblings that clients never get are none.
    fn versions(&self) -> header::Versions {
        match self.store.options.versions {
            Versions::Dvv { siblings: true } => header::Versions::Dvv,
            Versions::Dvv { siblings: false } | Versions::Lww(_) => header::Versions::Lww,
        }
    }

    /// What clients want to know of what they read: all of it where siblings are kept, and what their next write says of it where that
    /// matters to the store or to the judges.
    pub(crate) fn wanted(&self) -> Result<Wanted, PlanError> {
        let (kind, _) = self.load.kind()?;
        Ok(match (self.store.options.versions, self.values(kind)) {
            (Versions::Dvv { siblings: true }, _) => Wanted::Siblings,
            (Versions::Dvv { siblings: false }, _) | (_, header::Values::Sets) => Wanted::Context,
            (Versions::Lww(stamping), _) if stamping.source == StampSource::Hybrid => {
                Wanted::Context
            }
            (Versions::Lww(_), _) => Wanted::Value,
        })
    }

    /// Who should hold a key, in preference order: the ring of the store that this plan makes.
    pub fn replicas(&self) -> impl Fn(&str) -> Vec<u16> + Send + use<> {
        let placement = Topology::of(&self.store).placement();
        move |key| {
            let replicas = placement.replicas(key);
            replicas.iter().map(|node| node.0).collect()
        }
    }

    /// How long the ring may take to finish its change when everything else is healed, ms.
    pub(crate) fn ring_ms_max(&self) -> u64 {
        let is_ring = |scheduled: &Scheduled| matches!(scheduled.fault, Fault::Ring(_));
        if self.timeline.iter().any(is_ring) {
            RING_MS_MAX
        } else {
            0
        }
    }

    /// The guarantees that this load gives evidence for: without deletes nothing can come back from the dead.
    fn judges(&self, kind: Kind) -> Vec<String> {
        let script = &self.load.script;
        let deletes = if script.is_empty() {
            self.load.delete_percent > 0
        } else {
            script.iter().any(|scripted| scripted.op == Ask::Delete)
        };
        let judged = kind.guarantees().iter().filter(|&&guarantee| {
            // Blind writes and deletes replace no siblings.
            let replaces = !self.load.blind || self.versions() == header::Versions::Lww;
            let is_shown = match guarantee {
                Guarantee::NoResurrection => deletes && replaces,
                Guarantee::NoSiblingExplosion => replaces,
                _ => true,
            };
            guarantee.is_about(self.versions(), self.values(kind)) && is_shown
        });
        judged
            .map(|guarantee| guarantee.name().to_owned())
            .collect()
    }
}
