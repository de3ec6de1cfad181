//! The quorum anomalies of the textbook, found by chance, shrink to what the textbook draws.

use quorate::plan::{Plan, World};
use quorate::shrink::{End, Watch, shrink};
use quorate::world::sim;
use quorate_checkers::history::{Event, History};
use quorate_checkers::judge;

use crate::found::found;

/// More operations than any of these anomalies needs.
const OPERATIONS_MAX: u64 = 4;
/// More faults than any of these anomalies needs.
const FAULTS_MAX: u64 = 2;
/// How often the shrunk plan is run again.
const REPLAYS: usize = 20;

fn shrinks(text: &str, anomaly: &str) {
    let (plan, target) = found(text, anomaly);
    let shrunk = shrink(&plan, target, &Watch::default()).expect("it can be shrunk");
    assert_eq!(shrunk.end, End::Smallest);
    assert!(
        shrunk.after.operations <= OPERATIONS_MAX,
        "{:?}",
        shrunk.after
    );
    assert!(shrunk.after.faults <= FAULTS_MAX, "{:?}", shrunk.after);
    let saved = Plan::from_json(&shrunk.plan.to_json(), "plan.json").expect("a plan");
    let first = events(&saved);
    assert!((1..REPLAYS).all(|_| events(&saved) == first));
    let header = saved.header().expect("a header");
    let history = History::from_events(header, first).expect("a history");
    assert!(target.shown_by(&judge(&history)).is_some());
}

fn events(plan: &Plan) -> Vec<Event> {
    match plan.world {
        World::Sim(weather) => sim::run(plan, &weather).expect("a run"),
        World::Live => panic!("shrinking does not leave the simulated world"),
    }
}

#[test]
fn a_stale_read_where_quorums_do_not_overlap() {
    shrinks("r = 1\nw = 1\nfor = \"5s\"", "stale-read");
}

#[test]
fn an_inversion_where_reads_repair_nothing() {
    shrinks(
        "r = 2\nw = 2\nread-repair = \"none\"\nfor = \"5s\"",
        "inversion",
    );
}

#[test]
fn a_write_that_loses_to_a_clock_that_is_fast() {
    shrinks(
        "r = 3\nw = 3\nfaults = [\"clock\"]\nfor = \"5s\"",
        "clock-loss",
    );
}

#[test]
fn a_write_that_was_acknowledged_before_it_was_synced() {
    shrinks(
        "faults = [\"kill\"]\nworkload = \"write-once\"\nsabotage = [\"ack-before-sync\"]\nn = 1\nr = 1\nw = 1\nnodes = 3",
        "lost-write",
    );
}
