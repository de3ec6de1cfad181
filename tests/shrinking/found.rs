//! Finding a run that shows something, for the tests of this directory.

use quorate::plan::{Plan, PlanSpec};
use quorate::target::Target;
use quorate::trial::trial;

/// Some of these seeds must show it.
const SEEDS_MAX: u64 = 200;

/// The first plan of a spec that shows the anomaly of this name in the simulated world.
pub(crate) fn found(text: &str, anomaly: &str) -> (Plan, Target) {
    let text = format!("world = \"sim\"\n{text}");
    let spec = PlanSpec::from_toml(&text, "spec").expect("a spec");
    let target = Target::anomaly(anomaly).expect("an anomaly");
    let plans = (0..SEEDS_MAX).map(|seed| spec.plan(seed).expect("a plan"));
    let mut shown = plans.filter(|plan| {
        let trial = trial(plan).expect("a run");
        target.shown_by(&trial.verdict).is_some()
    });
    (shown.next().expect("a seed that shows it"), target)
}
