//! The same run shrinks to the same plan, whoever shrinks it; and a script of a run is that run.

use quorate::plan::World;
use quorate::shrink::{Shrunk, Watch, scripted, shrink};
use quorate::trial::trial;
use quorate::world::sim;

use crate::found::found;

/// A short run, so that the whole is tried several times in a moment.
const SPEC: &str = "r = 1\nw = 1\nfor = \"3s\"\nrate = 100";

#[test]
fn a_run_shrinks_to_the_same_plan_on_any_number_of_cores() {
    let (plan, target) = found(SPEC, "stale-read");
    let on_cores = |cores: usize| -> Shrunk {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(cores);
        let pool = pool.build().expect("threads");
        pool.install(|| shrink(&plan, target, &Watch::default()).expect("it can be shrunk"))
    };
    let one = on_cores(1);
    let three = on_cores(3);
    assert_eq!(one.plan, three.plan);
    let again = shrink(&one.plan, target, &Watch::default()).expect("it can be shrunk");
    assert_eq!(again.plan, one.plan, "nothing more can be left out");
}

#[test]
fn a_script_of_a_run_makes_the_events_of_that_run() {
    let (mut plan, _) = found("rate = 300\nfor = \"5s\"\nr = 1\nw = 1", "stale-read");
    // The warm-up of a script is part of its storm.
    plan.phases.storm_ms += std::mem::take(&mut plan.phases.warm_ms);
    let drawn = trial(&plan).expect("a run").history;
    let script = scripted(&plan, &drawn);
    assert!(!script.load.script.is_empty());
    let World::Sim(weather) = plan.world else {
        panic!("it is simulated");
    };
    let events = |plan| sim::run(plan, &weather).expect("a run");
    let (drawn, again) = (events(&plan), events(&script));
    let key = |event: &quorate_checkers::history::Event| event.key.clone();
    let asked_in_the_end = drawn.iter().zip(&again).find(|(a, b)| a != b);
    assert_eq!(asked_in_the_end.map(|(a, _)| key(a)), None);
    assert_eq!(drawn.len(), again.len());
}
