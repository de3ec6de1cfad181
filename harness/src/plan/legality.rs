//! What a plan may not be: the limits that flags, files and saved plans are held to.
//!
//! It looks at a plan and changes nothing. Texts that mean nothing at all are refused in `spec.rs`, before there is a plan.

use std::fmt;

use quorate_checkers::history::Values;
use quorate_node::config::{StoreConfig, SyncPolicy};

use super::timeline::Signs;
use super::{Load, Plan, PlanError, Scheduled, World, ring, script};
use crate::world::sim::{MILLION, Span, Weather};

/// Most nodes of a cluster; each is a process, and every pair has two proxied links.
const NODES_MAX: u16 = 32;
/// Most concurrent clients.
const CLIENTS_MAX: u64 = 1_000;
/// Most keys.
const KEYS_MAX: u64 = 100_000;
/// Longest run, ms: a day.
const FOR_MS_MAX: u64 = 86_400_000;
/// Fastest and slowest clocks, µs in a second: a tenth.
const DRIFT_PPM_MAX: u64 = 100_000;
/// What a duration must be.
const LONGER_THAN_ZERO: &str = "it must be longer than zero";

/// What flags, files and saved plans may get wrong.
pub(super) fn validate(plan: &Plan) -> Result<(), PlanError> {
    validate_store(&plan.store)?;
    validate_load(&plan.load, plan.store.request_timeout_ms)?;
    let lasts_ms = plan.phases.warm_ms.saturating_add(plan.phases.storm_ms);
    if lasts_ms == 0 || lasts_ms > FOR_MS_MAX {
        return Err(range(
            "for",
            format!("{lasts_ms} ms"),
            "longer than zero, at most a day",
        ));
    }
    if plan.phases.quiet_ms_min > plan.phases.quiet_ms_max {
        return Err(range(
            "phases.quiet_ms_min",
            plan.phases.quiet_ms_min,
            "at most quiet_ms_max",
        ));
    }
    if let World::Sim(weather) = plan.world {
        validate_weather(&weather, plan.store.request_timeout_ms)?;
    }
    let signs = Signs::of(&plan.load, &plan.timeline)?;
    script::validate(&plan.load, &plan.store, &plan.phases, &signs)?;
    signs.validate(&plan.timeline)?;
    let mut faults = plan.timeline.iter();
    faults.try_for_each(|scheduled| validate_fault(scheduled, plan))?;
    ring::validate(plan)
}

fn validate_weather(weather: &Weather, request_timeout_ms: u64) -> Result<(), PlanError> {
    for (field, span) in weather.spans() {
        let Span { min_us, max_us } = span;
        if min_us > max_us || max_us > FOR_MS_MAX * 1_000 {
            let why = "max_us must be at least min_us, and at most a day";
            return Err(range(field, format!("{min_us} to {max_us} us"), why));
        }
    }
    for (field, percent) in [
        ("weather.gust_percent", weather.gust_percent),
        ("weather.slow_sync_percent", weather.slow_sync_percent),
    ] {
        if percent > 100 {
            return Err(range(field, percent, "at most 100 percent"));
        }
    }
    let shares = weather.shares();
    let sum = shares
        .iter()
        .try_fold(0_u64, |sum, (_, ppm)| sum.checked_add(*ppm));
    if sum.is_none_or(|sum| sum > MILLION) {
        let (field, ppm) = shares
            .into_iter()
            .max_by_key(|(_, ppm)| *ppm)
            .unwrap_or_default();
        return Err(range(field, ppm, "at most 1000000 with all other shares"));
    }
    if weather.drift_ppm_max > DRIFT_PPM_MAX {
        let ppm = weather.drift_ppm_max;
        return Err(range(
            "weather.drift_ppm_max",
            ppm,
            "at most 100000: a tenth",
        ));
    }
    // In such weather no store is available, and none could be blamed for it.
    let round_trip_us = weather.round_trip_us();
    if round_trip_us > request_timeout_ms.saturating_mul(1_000) {
        return Err(range(
            "weather",
            format!("up to {round_trip_us} us to a replica and back"),
            "coordinators give up before that: make it faster, or see --request-timeout",
        ));
    }
    Ok(())
}

fn validate_store(store: &StoreConfig) -> Result<(), PlanError> {
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
    Ok(store.validate()?)
}

fn validate_load(load: &Load, request_timeout_ms: u64) -> Result<(), PlanError> {
    let (kind, _) = load.kind()?;
    if load.blind && kind.values() == Values::Sets {
        let why = "clients that write sets say what they had read: leave --blind out, or take another workload";
        return Err(range("blind", true, why));
    }
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
    if load.op_timeout_ms < request_timeout_ms {
        return Err(range(
            "op-timeout",
            format!("{} ms", load.op_timeout_ms),
            "clients must wait at least as long as coordinators (see --request-timeout)",
        ));
    }
    Ok(())
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

pub(super) fn range(field: &'static str, value: impl fmt::Display, why: &str) -> PlanError {
    PlanError::Range {
        field,
        value: value.to_string(),
        why: why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{FOR_MS_MAX, Plan};
    use crate::plan::PlanSpec;
    use crate::plan::World;
    use crate::world::sim::{Span, Weather};

    /// Why the default plan is refused once it is changed so.
    fn refused(change: impl FnOnce(&mut Plan)) -> String {
        let mut plan = PlanSpec::default().plan(1).expect("a plan");
        change(&mut plan);
        plan.validate().expect_err("refused").to_string()
    }

    #[test]
    fn saved_plans_are_held_to_the_same_limits() {
        assert!(refused(|plan| plan.store.tokens_per_node = 0).contains("tokens per node"));
        assert!(refused(|plan| plan.load.workload = "registre".into()).contains("`register`"));
        assert!(refused(|plan| plan.phases.storm_ms = FOR_MS_MAX).contains("at most a day"));
        assert!(refused(|plan| plan.phases.quiet_ms_min = 60_000).contains("at most quiet_ms_max"));
        assert!(refused(|plan| plan.timeline[1].id = "f1".into()).contains("two faults"));
        assert!(refused(|plan| plan.timeline[0].at_ms = u64::MAX).contains("storm is over"));
    }

    #[test]
    fn weather_has_limits_too() {
        let in_weather = |spoil: fn(&mut Weather)| {
            refused(|plan| {
                let mut weather = Weather::default();
                spoil(&mut weather);
                plan.world = World::Sim(weather);
            })
        };
        let refusal = in_weather(|weather| weather.slow_sync_percent = 101);
        assert!(refusal.contains("weather.slow_sync_percent"), "{refusal}");
        let refusal = in_weather(|weather| {
            (weather.lost_ppm, weather.repeated_ppm) = (600_000, 500_000);
        });
        assert!(refusal.contains("weather.lost_ppm = 600000"), "{refusal}");
        let refusal = in_weather(|weather| weather.broken_ppm = u64::MAX);
        assert!(refusal.contains("at most 1000000"), "{refusal}");
        let refusal = in_weather(|weather| weather.drift_ppm_max = 100_001);
        assert!(refusal.contains("a tenth"), "{refusal}");
        let refusal = in_weather(|weather| weather.sync = Span::new(0, 400_000));
        assert!(refusal.contains("--request-timeout"), "{refusal}");
    }

    #[test]
    fn sums_that_do_not_fit_are_too_large() {
        let most = |plan: &mut Plan| {
            (plan.load.read_percent, plan.load.delete_percent) = (u64::MAX, u64::MAX);
        };
        assert!(refused(most).contains("at most 100 percent"));
        let for_ever = |plan: &mut Plan| {
            (plan.phases.warm_ms, plan.phases.storm_ms) = (u64::MAX, u64::MAX);
        };
        assert!(refused(for_ever).contains("at most a day"));
    }

    #[test]
    fn a_storm_is_measured_before_it_is_filled_with_faults() {
        let spec = PlanSpec {
            lasts: Some("9999999999h".into()),
            ..PlanSpec::default()
        };
        let refusal = spec.plan(1).expect_err("refused").to_string();
        assert!(refusal.contains("at most a day"), "{refusal}");
    }
}
