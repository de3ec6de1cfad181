//! How large a plan is, in the order in which its parts matter to a reader.
//!
//! Shrinking takes a plan only if it is smaller than the one before, so it comes to an end.

use std::collections::BTreeSet;

use crate::fault::Fault;
use crate::plan::{Ask, Load, Plan, Scheduled, World};
use crate::world::sim::Weather;

/// How large a plan is. Compared from its first field to its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size {
    /// Faults.
    pub faults: u64,
    /// Operations of clients: of a script as many as there are, of a drawn load as many as are due.
    pub operations: u64,
    /// Nodes and links that faults are done to.
    pub touched: u64,
    /// Nodes of the cluster.
    pub nodes: u64,
    /// Clients.
    pub clients: u64,
    /// Keys.
    pub keys: u64,
    /// Delays that are drawn instead of fixed.
    pub drawn_delays: u64,
    /// How long the load lasts, ms.
    pub lasts_ms: u64,
    /// How long all faults last together, ms.
    pub faults_last_ms: u64,
    /// How far clocks are off and links are late, all together, ms.
    pub force_ms: u64,
    /// When operations and faults begin, all together, ns.
    begins_ns: u64,
    /// The values that are written, all together.
    values: u64,
}

impl Size {
    /// The size of a plan.
    pub fn of(plan: &Plan) -> Size {
        let each = |count: fn(&Scheduled) -> u64| plan.timeline.iter().map(count).sum::<u64>();
        let lasts_ms = plan.phases.warm_ms + plan.phases.storm_ms;
        let script = &plan.load.script;
        let scripted_ns: u64 = script.iter().map(|op| op.at_ns).sum();
        Size {
            faults: plan.timeline.len() as u64,
            operations: operations(&plan.load, lasts_ms),
            touched: each(|scheduled| touched(&scheduled.fault)),
            nodes: plan.store.nodes.into(),
            clients: plan.load.clients,
            keys: keys(&plan.load),
            drawn_delays: match &plan.world {
                World::Live => 0,
                World::Sim(weather) => drawn_delays(weather),
            },
            lasts_ms,
            faults_last_ms: each(|scheduled| scheduled.for_ms),
            force_ms: each(|scheduled| force_ms(&scheduled.fault)),
            begins_ns: each(|scheduled| scheduled.at_ms)
                .saturating_mul(1_000_000)
                .saturating_add(scripted_ns),
            values: script.iter().map(|op| written(op.op)).sum(),
        }
    }
}

fn operations(load: &Load, lasts_ms: u64) -> u64 {
    if load.script.is_empty() {
        load.rate.saturating_mul(lasts_ms) / 1_000
    } else {
        load.script.len() as u64
    }
}

fn keys(load: &Load) -> u64 {
    if load.script.is_empty() {
        return load.keys;
    }
    let keys: BTreeSet<&str> = load.script.iter().map(|op| op.key.as_str()).collect();
    keys.len() as u64
}

fn touched(fault: &Fault) -> u64 {
    match fault.links() {
        [] => fault.nodes().len() as u64,
        links => links.len() as u64,
    }
}

fn force_ms(fault: &Fault) -> u64 {
    match fault {
        Fault::Clock { offsets_ms } => offsets_ms.iter().map(|(_, ms)| ms.unsigned_abs()).sum(),
        Fault::Slow {
            delay_ms,
            jitter_ms,
            ..
        } => delay_ms.saturating_add(*jitter_ms),
        Fault::Kill { .. } | Fault::Pause { .. } | Fault::Partition { .. } | Fault::Ring(_) => 0,
    }
}

fn drawn_delays(weather: &Weather) -> u64 {
    let spans = weather.spans();
    let drawn = spans.iter().filter(|(_, span)| span.min_us < span.max_us);
    let chances = weather.chances().into_iter().filter(|&chance| chance > 0);
    drawn.count() as u64 + chances.count() as u64
}

fn written(ask: Ask) -> u64 {
    match ask {
        Ask::Write(value) => value.unsigned_abs(),
        Ask::Read
        | Ask::Delete
        | Ask::Inspect
        | Ask::Count(_)
        | Ask::Repair
        | Ask::FindLeader(_) => 0,
    }
}
