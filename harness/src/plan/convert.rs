//! From a plan to what others must know of it: the header of its history for the judges, the replicas of a key for the conductor.

use quorate_checkers::guarantee::Guarantee;
use quorate_checkers::history::header;
use quorate_checkers::history::{Header, Quorum, Settings};
use quorate_node::config::{
    DataCentre, HintHolder, Hints, Level, NodeId, Purge, ReadRepair, Resolution, StampSource,
    Stamping, SyncPolicy, Tie, Versions,
};

use quorate_node::protocol::Topology;
use quorate_node::protocol::leader::{LeaderConfig, Promotion, Reads, Replication};
use quorate_workloads::Kind;

use super::{Ask, Plan, PlanError, Scheduled, Setup, told_level};
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
            settings: self.settings(),
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

    /// What the judges must know of the store beyond N, R and W.
    fn settings(&self) -> Settings {
        let options = &self.store.options;
        let centre = |centre: &DataCentre| header::DataCentre {
            name: centre.name.clone(),
            nodes: centre.nodes.iter().map(|node| node_name(node.0)).collect(),
            rf: centre.rf.into(),
        };
        let named = |level: Option<Level>| level.and_then(|level| told_level(level).name());
        let stand_ins = if options.sloppy {
            self.store.nodes.saturating_sub(self.store.n)
        } else {
            0
        };
        Settings {
            leader: options.leader.map(|leader| told_leader(&leader)),
            data_centres: options.data_centres.iter().map(centre).collect(),
            read_level: named(self.load.read_level),
            write_level: named(self.load.write_level),
            stand_ins: stand_ins.into(),
            pr: options.pr.into(),
            pw: options.pw.into(),
            dw: options.dw.map(u32::from),
            hints: told_hints(&options.hints),
            anti_entropy_ms: options.anti_entropy.interval_ms,
            purge: match options.purge {
                Purge::Never => header::Purge::Never,
                Purge::AfterMs(ms) => header::Purge::AfterMs(ms),
                Purge::WhenAllHaveMs(_) => header::Purge::WhenAllHave,
            },
            write_back: options.reads.write_back.map(u32::from),
            repair_percent: options.reads.repair_percent.into(),
            dotted: options.versions == Versions::Dvv { siblings: false },
            stamps: match options.versions {
                Versions::Lww(stamping) => told_stamps(stamping),
                Versions::Dvv { .. } => header::Stamps::default(),
            },
        }
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

fn told_hints(hints: &Hints) -> Option<header::Hints> {
    let holder = match hints.holder {
        HintHolder::Nobody => return None,
        HintHolder::Fallback => header::HintHolder::Fallback,
        HintHolder::Coordinator => header::HintHolder::Coordinator,
    };
    Some(header::Hints {
        holder,
        durable: hints.durable,
        window_ms: hints.window_ms,
        bytes_max: hints.bytes_max,
    })
}

fn told_stamps(stamping: Stamping) -> header::Stamps {
    header::Stamps {
        source: match stamping.source {
            StampSource::Coordinator => header::StampSource::Coordinator,
            StampSource::Client => header::StampSource::Client,
            StampSource::Hybrid => header::StampSource::Hybrid,
        },
        milliseconds: stamping.resolution == Resolution::Millisecond,
        larger_value: stamping.tie == Tie::LargerValue,
    }
}

fn told_leader(leader: &LeaderConfig) -> header::Leader {
    header::Leader {
        replication: match leader.replication {
            Replication::Async => header::Replication::Async,
            Replication::SemiSync {
                k,
                fallback_ms: None,
            } => header::Replication::SemiSync(k.into()),
            Replication::SemiSync {
                k,
                fallback_ms: Some(_),
            } => header::Replication::SemiSyncOrAsync(k.into()),
            Replication::Majority => header::Replication::Majority,
        },
        promotion: match leader.promotion {
            Promotion::AnyFollower => header::Promotion::AnyFollower,
            Promotion::MostAdvancedOfReachable => header::Promotion::OfReachable,
            Promotion::MostAdvancedOfMajority | Promotion::Election => {
                header::Promotion::OfMajority
            }
        },
        leased: leader.lease_ms.is_some() && leader.lease_check_at_reply,
        fencing: leader.fencing,
        any_reads: leader.reads == Reads::Any,
    }
}
