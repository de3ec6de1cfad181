//! The oracle is not blind: a store with a defect does what the matrix calls impossible, and that is told.

use quorate::plan::Plan;
use quorate_node::config::{ReadRepair, Sabotage, SyncPolicy};

use crate::matrix::{Conditions, Losses, Quorums};
use crate::schedules::Schedule;
use crate::sweep::Row;

const MAJORITY: Quorums = Quorums {
    n: 3,
    w: 2,
    r: 2,
    repair: ReadRepair::Blocking,
};

/// What is told against a store of majorities when this is done to it.
fn told(plan: &Plan) -> Vec<String> {
    let mut row = Row::new(
        MAJORITY,
        Conditions {
            losses: Losses::Messages,
            is_skewed: false,
        },
    );
    row.try_schedule(Schedule::Missed, plan);
    row.breaches
}

/// A schedule made for a weaker store is harmless to one of majorities, unless that has the defect.
fn is_found_out(
    defect: Sabotage,
    schedule: Schedule,
    weaker: Quorums,
    losses: Losses,
    anomaly: &str,
) {
    let is_skewed = false;
    let mut plan = schedule.plan(weaker, Conditions { losses, is_skewed });
    let plan = plan.as_mut().expect("a schedule for these losses");
    plan.store.w = MAJORITY.w;
    plan.store.r = MAJORITY.r;
    plan.store.read_repair = MAJORITY.repair;
    plan.store.sync = SyncPolicy::EachWrite;
    assert!(told(plan).is_empty(), "{}", told(plan).join("\n"));
    plan.store.sabotage = vec![defect];
    let told = told(plan);
    assert!(
        told.iter().any(|told| told.contains(anomaly)),
        "{} went unnoticed: {told:?}",
        defect.name()
    );
}

#[test]
fn an_acknowledgement_before_the_quorum() {
    let weaker = Quorums { w: 1, ..MAJORITY };
    let (defect, schedule) = (Sabotage::AckBeforeQuorum, Schedule::Missed);
    is_found_out(defect, schedule, weaker, Losses::Messages, "stale-read");
}

#[test]
fn an_acknowledgement_before_the_sync() {
    let (defect, schedule) = (Sabotage::AckBeforeSync, Schedule::Forgotten);
    is_found_out(defect, schedule, MAJORITY, Losses::Records(2), "lost-write");
}

#[test]
fn a_repair_that_is_never_done() {
    let repair = ReadRepair::None;
    let weaker = Quorums { repair, ..MAJORITY };
    let (defect, schedule) = (Sabotage::DropRepair, Schedule::Glimpsed);
    is_found_out(defect, schedule, weaker, Losses::Messages, "inversion");
}
