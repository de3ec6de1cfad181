//! From a bare history to the plan of the run that made it: what the header tells, what the events show, and what has to be guessed.
//!
//! It says of each thing how it knows it, and promises nothing: whether the plan is the very one is told by its digest.

use quorate_checkers::history::{History, header};
use quorate_node::config::{ReadRepair, Sabotage, StoreConfig, SyncPolicy};
use thiserror::Error;

use super::load::setup;
use super::timeline::timeline;
use crate::plan::{FORMAT, Plan, PlanError, unknown};
use crate::world::node_name;

/// Why a history makes no plan.
#[derive(Debug, Error)]
pub enum RebuildError {
    /// It is of another cluster.
    #[error(
        "the history is of a node `{name}`: only quorate's own nodes, n1, n2 and so on, can be run again; give the plan.json"
    )]
    Stranger {
        /// The node.
        name: String,
    },
    /// A number that no plan can have.
    #[error("the header of the history says {what} = {value}, which no plan can have")]
    Range {
        /// Of what.
        what: &'static str,
        /// The number.
        value: u64,
    },
    /// What was made of it is not possible.
    #[error("the plan made of the history is not possible: {0}")]
    Plan(#[from] PlanError),
}

/// How what the history does not tell is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Seen in the events.
    pub inferred: Vec<String>,
    /// Seen nowhere.
    pub guessed: Vec<String>,
    /// Happened, and is not in the plan.
    pub left_out: Vec<String>,
}

/// A plan made of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// The plan.
    pub plan: Plan,
    /// What in it was not told.
    pub notes: Notes,
    /// Whether it is the very plan of the history: it has its digest.
    pub is_exact: bool,
}

/// Makes a plan of a history.
///
/// # Errors
/// When the history is of nodes that this program cannot start, or of settings that it does not know.
pub fn rebuild(history: &History) -> Result<Rebuilt, RebuildError> {
    let mut notes = Notes::default();
    let header = &history.header;
    let setup = setup(history, &mut notes);
    let plan = Plan {
        format: FORMAT,
        seed: header.seed,
        world: setup.world,
        store: StoreConfig {
            nodes: nodes(&header.nodes)?,
            tokens_per_node: setup.tokens_per_node,
            n: narrow("N", header.quorum.n.into())?,
            r: narrow("R", header.quorum.r.into())?,
            w: narrow("W", header.quorum.w.into())?,
            read_fanout: setup.read_fanout,
            read_repair: match header.read_repair {
                header::ReadRepair::None => ReadRepair::None,
                header::ReadRepair::Async => ReadRepair::Async,
                header::ReadRepair::Blocking => ReadRepair::Blocking,
            },
            sync: match header.sync {
                header::Sync::EachWrite => SyncPolicy::EachWrite,
                header::Sync::EveryMs(interval_ms) => SyncPolicy::EveryMs(interval_ms),
            },
            request_timeout_ms: header.request_timeout_ms,
            sabotage: sabotage(&header.sabotage)?,
            options: setup.options,
        },
        load: setup.load,
        phases: setup.phases,
        timeline: timeline(history, setup.phases.storm_ms, &mut notes),
        claim: header.claim,
    };
    plan.validate()?;
    Ok(Rebuilt {
        is_exact: plan.digest() == header.plan,
        plan,
        notes,
    })
}

/// How many nodes there are, if they have our names, in our order.
fn nodes(names: &[String]) -> Result<u16, RebuildError> {
    let count = narrow("nodes", names.len() as u64)?;
    let stranger = (1..=count)
        .zip(names)
        .find(|(node, name)| node_name(*node) != **name);
    match stranger {
        Some((_, name)) => Err(RebuildError::Stranger { name: name.clone() }),
        None => Ok(count),
    }
}

fn narrow(what: &'static str, value: u64) -> Result<u16, RebuildError> {
    u16::try_from(value).map_err(|_| RebuildError::Range { what, value })
}

fn sabotage(names: &[String]) -> Result<Vec<Sabotage>, PlanError> {
    let of_name = |name: &String| {
        let mut all = Sabotage::ALL.into_iter();
        let found = all.find(|sabotage| sabotage.name() == name);
        found.ok_or_else(|| unknown("sabotage", name, Sabotage::ALL.map(Sabotage::name)))
    };
    names.iter().map(of_name).collect()
}
