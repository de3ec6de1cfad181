//! What a plan may not be: the limits that flags, files and saved plans are held to.
//!
//! It looks at a plan and changes nothing. Texts that mean nothing at all are refused in `spec.rs`, before there is a plan.

use std::fmt;

use quorate_node::config::SyncPolicy;

use super::{Plan, PlanError, Scheduled};

/// Most nodes of a cluster; each is a process, and every pair has two proxied links.
const NODES_MAX: u16 = 32;
/// Most concurrent clients.
const CLIENTS_MAX: u64 = 1_000;
/// Most keys.
const KEYS_MAX: u64 = 100_000;
/// Longest run, ms: a day.
const FOR_MS_MAX: u64 = 86_400_000;
/// What a duration must be.
const LONGER_THAN_ZERO: &str = "it must be longer than zero";

/// What flags, files and saved plans may get wrong.
pub(super) fn validate(plan: &Plan) -> Result<(), PlanError> {
    let store = &plan.store;
    if store.nodes == 0 || store.nodes > NODES_MAX {
        return Err(range("nodes", store.nodes, "a cluster has 1 to 32 nodes"));
    }
    if store.n == 0 || store.n > store.nodes {
        return Err(range(
            "N",
            store.n,
            "there must be 1 to as many replicas as nodes (see --nodes)",
        ));
    }
    for (field, value) in [("R", store.r), ("W", store.w)] {
        if value == 0 || value > store.n {
            return Err(range(field, value, "a quorum is 1 to N replicas"));
        }
    }
    if store.request_timeout_ms == 0 {
        return Err(range("request-timeout", "0 ms", LONGER_THAN_ZERO));
    }
    if store.sync == SyncPolicy::EveryMs(0) {
        return Err(range("sync", "every 0 ms", LONGER_THAN_ZERO));
    }
    store.validate()?;
    plan.load.kind()?;
    let load = &plan.load;
    if load.clients == 0 || load.clients > CLIENTS_MAX {
        return Err(range("clients", load.clients, "1 to 1,000 clients"));
    }
    if load.keys == 0 || load.keys > KEYS_MAX {
        return Err(range("keys", load.keys, "1 to 100,000 keys"));
    }
    let percent = load.read_percent.saturating_add(load.delete_percent);
    if percent > 100 {
        return Err(range("reads + deletes", percent, "at most 100 percent"));
    }
    if load.op_timeout_ms == 0 {
        return Err(range("op-timeout", "0 ms", LONGER_THAN_ZERO));
    }
    // A client that gives up first never sees a coordinator turn to another replica, and would call that unavailable.
    if load.op_timeout_ms < plan.store.request_timeout_ms {
        return Err(range(
            "op-timeout",
            format!("{} ms", load.op_timeout_ms),
            "clients must wait at least as long as coordinators (see --request-timeout)",
        ));
    }
    let lasts_ms = plan.phases.warm_ms.saturating_add(plan.phases.storm_ms);
    if lasts_ms == 0 || lasts_ms > FOR_MS_MAX {
        return Err(range(
            "for",
            format!("{lasts_ms} ms"),
            "longer than zero, at most a day",
        ));
    }
    plan.timeline
        .iter()
        .try_for_each(|scheduled| validate_fault(scheduled, plan))
}

fn validate_fault(scheduled: &Scheduled, plan: &Plan) -> Result<(), PlanError> {
    let nodes = scheduled.fault.nodes();
    let known = 1..=plan.store.nodes;
    if nodes.is_empty() {
        return Err(range(
            "timeline",
            &scheduled.id,
            "the fault touches no node",
        ));
    }
    if let Some(stranger) = nodes.iter().find(|node| !known.contains(node)) {
        let why = format!(
            "fault {} names it, but nodes are 1 to {}",
            scheduled.id, plan.store.nodes
        );
        return Err(range("timeline node", stranger, &why));
    }
    if scheduled
        .fault
        .links()
        .iter()
        .any(|link| link.from == link.to)
    {
        return Err(range(
            "timeline",
            &scheduled.id,
            "a node has no link to itself",
        ));
    }
    if scheduled.at_ms >= plan.phases.storm_ms.max(1) {
        return Err(range(
            "timeline",
            &scheduled.id,
            "it begins after the storm is over",
        ));
    }
    Ok(())
}

fn range(field: &'static str, value: impl fmt::Display, why: &str) -> PlanError {
    PlanError::Range {
        field,
        value: value.to_string(),
        why: why.to_owned(),
    }
}
