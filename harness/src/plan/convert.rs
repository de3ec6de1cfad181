//! From a plan to what others must know of it: the header of its history for the judges, the replicas of a key for the conductor.

use quorate_checkers::guarantee::Guarantee;
use quorate_checkers::history::header;
use quorate_checkers::history::{Header, Quorum};
use quorate_node::config::{ReadRepair, SyncPolicy};

use quorate_node::protocol::Topology;
use quorate_workloads::Kind;

use super::{Ask, Plan, PlanError, Setup};
use crate::world::node_name;

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
            versions: header::Versions::Lww,
            values: header::Values::Integers,
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

    /// Who should hold a key, in preference order: the ring of the store that this plan makes.
    pub fn replicas(&self) -> impl Fn(&str) -> Vec<u16> + Send + use<> {
        let placement = Topology::of(&self.store).placement();
        move |key| {
            let replicas = placement.replicas(key);
            replicas.iter().map(|node| node.0).collect()
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
            guarantee.is_about(header::Versions::Lww, header::Values::Integers)
                && (deletes || guarantee != Guarantee::NoResurrection)
        });
        judged
            .map(|guarantee| guarantee.name().to_owned())
            .collect()
    }
}
