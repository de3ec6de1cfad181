//! Moving what a scripted plan does in time: gaps get shorter, everything after them comes earlier.
//!
//! Pure functions of plans whose warm-up is over before they begin, as [`with_script`](super::with_script) makes them. Whether a moved plan still
//! shows anything is tried elsewhere.

use std::collections::BTreeSet;

use crate::plan::{Plan, Scheduled};

/// Nanoseconds in a millisecond.
pub(super) const NS_PER_MS: u64 = 1_000_000;

/// The moments of a plan: when operations and faults begin, when faults and the load end; ns after the load began.
pub(super) fn moments(plan: &Plan) -> Vec<u64> {
    let end_ns = plan.phases.storm_ms * NS_PER_MS;
    let ops = plan.load.script.iter().map(|op| op.at_ns);
    let faults = plan.timeline.iter().flat_map(|scheduled| {
        let at_ns = scheduled.at_ms.saturating_mul(NS_PER_MS);
        [at_ns, until_ns(scheduled).min(end_ns)]
    });
    let all: BTreeSet<u64> = ops.chain(faults).chain([end_ns]).collect();
    all.into_iter().collect()
}

/// When a fault is to be over, ns.
pub(super) fn until_ns(scheduled: &Scheduled) -> u64 {
    let until_ms = scheduled.at_ms.saturating_add(scheduled.for_ms);
    until_ms.saturating_mul(NS_PER_MS)
}

/// The plan with every moment moved. `to` must keep the order of moments, and move none to a later time.
pub(super) fn moved(plan: &Plan, to: impl Fn(u64) -> u64) -> Plan {
    let mut plan = plan.clone();
    let end_ns = plan.phases.storm_ms * NS_PER_MS;
    let mut storm_ms = to(end_ns).div_ceil(NS_PER_MS);
    for op in &mut plan.load.script {
        op.at_ns = to(op.at_ns);
        storm_ms = storm_ms.max(op.at_ns / NS_PER_MS + 1);
    }
    for scheduled in &mut plan.timeline {
        let until_ms = to(until_ns(scheduled).min(end_ns)).div_ceil(NS_PER_MS);
        scheduled.at_ms = to(scheduled.at_ms.saturating_mul(NS_PER_MS)) / NS_PER_MS;
        scheduled.for_ms = until_ms.saturating_sub(scheduled.at_ms).max(1);
        storm_ms = storm_ms.max(scheduled.at_ms + 1);
    }
    plan.phases.storm_ms = storm_ms;
    plan
}

/// The plan with everything from `at_ns` on earlier by so much.
pub(super) fn earlier(plan: &Plan, at_ns: u64, by_ns: u64) -> Plan {
    moved(plan, |moment| {
        if moment >= at_ns {
            moment - by_ns
        } else {
            moment
        }
    })
}

/// The plan without the times in which none of these spans is, but for `gap_ns` of each.
pub(super) fn squeezed(plan: &Plan, spans: &[(u64, u64)], gap_ns: u64) -> Plan {
    let mut spans = spans.to_vec();
    spans.sort_unstable();
    // Idle times that are cut: where they end, and how much of them.
    let mut cuts: Vec<(u64, u64)> = Vec::new();
    let mut busy_until = 0;
    for (from, until) in spans {
        let idle_ns = from.saturating_sub(busy_until);
        if idle_ns > gap_ns {
            cuts.push((from, idle_ns - gap_ns));
        }
        busy_until = busy_until.max(until);
    }
    moved(plan, |moment| {
        let mut cut_ns = 0;
        for &(end, idle_ns) in &cuts {
            // Of an idle time that is not over, what has passed of it.
            let passed_ns = moment.saturating_sub(end - idle_ns).min(idle_ns);
            cut_ns += passed_ns;
        }
        moment - cut_ns
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PlanSpec;

    fn plan() -> Plan {
        let text = r#"
nodes = 3
for = "50ms"
[[script]]
at = "10ms"
client = 0
node = 1
op.write = 1
key = "k"
[[script]]
at = "40ms"
client = 1
node = 2
op = "read"
key = "k"
[[timeline]]
at = "20ms"
for = "15ms"
fault.kill.nodes = [1]
"#;
        let spec = PlanSpec::from_toml(text, "plan.toml").expect("a spec");
        spec.plan(1).expect("a plan")
    }

    fn in_ms(plan: &Plan) -> Vec<u64> {
        let moments = moments(plan).into_iter();
        moments.map(|moment| moment / NS_PER_MS).collect()
    }

    #[test]
    fn what_comes_after_a_gap_comes_earlier_together() {
        assert_eq!(in_ms(&plan()), [10, 20, 35, 40, 50]);
        let shorter = earlier(&plan(), 35 * NS_PER_MS, 5 * NS_PER_MS);
        assert_eq!(in_ms(&shorter), [10, 20, 30, 35, 45]);
        assert_eq!(shorter.timeline[0].for_ms, 10);
        assert_eq!(shorter.validate().ok(), Some(()));
    }

    #[test]
    fn idle_times_are_cut_and_what_is_in_them_moves_along() {
        let spans = [10, 40].map(|at| (at * NS_PER_MS, (at + 2) * NS_PER_MS));
        let squeezed = squeezed(&plan(), &spans, NS_PER_MS);
        // 10 ms before the first become 1, 28 ms between them become 1: what began in them begins with the second.
        assert_eq!(in_ms(&squeezed), [1, 4, 5, 14]);
        assert_eq!(squeezed.load.script[1].at_ns, 4 * NS_PER_MS);
    }

    #[test]
    fn a_load_stays_longer_than_its_last_operation() {
        let crushed = moved(&plan(), |_| 0);
        assert_eq!(in_ms(&crushed), [0, 1]);
        assert_eq!(crushed.validate().ok(), Some(()));
    }
}
