//! Siblings on drawn timelines: the schedules that a textbook would draw, and how their anomalies are told.

use crate::guarantee::Guarantee;
use crate::history::{Header, History, Values};
use crate::testing::{draw_siblings, draw_with, header, tally};
use crate::verdict::{Outcome, Ruling, judge};

fn check(guarantee: Guarantee, drawing: &str) -> (u64, u64) {
    tally(&draw_siblings(drawing), guarantee)
}

fn told(history: &History, guarantee: Guarantee) -> String {
    let verdict = judge(history);
    let row = verdict.row(guarantee).expect("it is judged");
    row.explanations[0].render()
}

#[test]
fn two_clients_that_do_not_know_each_other_leave_two_siblings() {
    let drawing = "
        c1: |--w k 1 <--|
        c2: |--w k 2 <--|
        c3:                |--r k 1,2--|  |--w k 3 <1,2--|  |--r k 3--|
        n1:                                                             |c k 3|
        n2:                                                             |c k 3|
        n3:                                                             |c k 3|";
    let verdict = judge(&draw_siblings(drawing));
    assert_eq!(
        verdict.outcome,
        Outcome::Undecided,
        "nobody deleted anything"
    );
    for row in &verdict.rows {
        assert_eq!(row.finding.seen, 0, "{}", row.promise.guarantee);
    }
    let judged: Vec<Guarantee> = verdict
        .rows
        .iter()
        .map(|row| row.promise.guarantee)
        .collect();
    assert!(
        !judged.contains(&Guarantee::Linearizability)
            && !judged.contains(&Guarantee::NoLostUpdates)
    );
    assert!(judged.contains(&Guarantee::NoSiblingExplosion));
}

#[test]
fn a_read_must_return_what_was_acknowledged_or_what_replaced_it() {
    let drawing = |read: &str| {
        format!(
            "
        c1: |--w k 1 <--|
        c2:               |--w k 2 <--|
        c3:                              |--{read}--|"
        )
    };
    assert_eq!(check(Guarantee::FreshReads, &drawing("r k 2")), (1, 1));
    assert_eq!(check(Guarantee::FreshReads, &drawing("r k 1,2")), (1, 0));
    let replaced = drawing("r k 2").replace("2 <-", "2 <1");
    assert_eq!(check(Guarantee::FreshReads, &replaced), (1, 0));
    insta::assert_snapshot!(told(
        &draw_siblings(&drawing("r k 2")),
        Guarantee::FreshReads
    ));
}

#[test]
fn clocks_decide_nothing_among_siblings() {
    let drawing = "
        fault clock n1 -500: |--
        c1: |--w k 1 <--|
        c2:               |--w k 2 <1--|
        c3:                               |--r k 1--|";
    let verdict = judge(&draw_siblings(drawing));
    let row = verdict.row(Guarantee::FreshReads).expect("it is judged");
    assert_eq!(row.ruling, Ruling::Broken);
}

#[test]
fn a_value_that_was_replaced_must_not_stay_beside_what_replaced_it() {
    let drawing = "
        c1: |--w k 1 <--|
        c2:               |--w k 2 <1--|  |--w k 3 <2--|
        c3:                                               |--r k 1,3--|";
    assert_eq!(check(Guarantee::NoSiblingExplosion, drawing), (1, 1));
    insta::assert_snapshot!(told(&draw_siblings(drawing), Guarantee::NoSiblingExplosion));
}

#[test]
fn blind_writes_make_siblings_and_no_explosion() {
    let drawing = "
        c1: |--w k 1--|  |--w k 2--|  |--w k 3--|
        c3:                                         |--r k 1,2,3--|";
    assert_eq!(check(Guarantee::NoSiblingExplosion, drawing), (0, 0));
    let verdict = judge(&draw_siblings(drawing));
    let row = verdict
        .row(Guarantee::NoSiblingExplosion)
        .expect("it is judged");
    assert_eq!(row.ruling, Ruling::Undecided);
}

#[test]
fn a_write_that_was_dropped_for_one_that_did_not_know_it() {
    let drawing = "
        c1: |--w k 1 <--|
        c2:   |--w k 2 <--|
        n1:                   |c k 2|
        n2:                   |c k 2|
        n3:                   |c k 2|";
    assert_eq!(check(Guarantee::NoConcurrentLoss, drawing), (2, 1));
    assert_eq!(check(Guarantee::NoLostWrites, drawing), (2, 0));
    let verdict = judge(&draw_siblings(drawing));
    assert_eq!(verdict.outcome, Outcome::Broken);
    insta::assert_snapshot!(told(&draw_siblings(drawing), Guarantee::NoConcurrentLoss));
    // If somebody had read both and written again, nothing would be lost.
    let merged = drawing.replace("|c k 2|", "|c k 3|");
    let merged = format!("{merged}\n        c3:               |w k 3 <1,2|");
    assert_eq!(check(Guarantee::NoConcurrentLoss, &merged), (3, 0));
}

#[test]
fn a_write_that_an_older_one_outlived() {
    let drawing = "
        c1: |--w k 1 <--|
        c2:               |--w k 2 <1--|
        n1:                               |c k 1|
        n2:                               |c k 1|
        n3:                               |c k 1|";
    assert_eq!(check(Guarantee::NoClockLoss, drawing), (1, 1));
    let killed = format!("{drawing}\n        fault kill n1:                 |--|");
    assert_eq!(check(Guarantee::NoClockLoss, &killed), (1, 0));
    assert_eq!(check(Guarantee::NoLostWrites, &killed), (2, 1));
}

#[test]
fn what_was_deleted_must_not_come_back_but_what_the_delete_did_not_know_may_stay() {
    let drawing = |context: &str, read: &str| {
        format!(
            "
        c1: |--w k 1 <--|
        c2: |--w k 2 <--|
        c3:                |--d k {context}--|
        c4:                                     |--r k {read}--|"
        )
    };
    assert_eq!(
        check(Guarantee::NoResurrection, &drawing("<1", "2")),
        (1, 0)
    );
    assert_eq!(
        check(Guarantee::NoResurrection, &drawing("<1", "1,2")),
        (1, 1)
    );
    assert_eq!(
        check(Guarantee::NoResurrection, &drawing("<1,2", "nil")),
        (1, 0)
    );
    assert_eq!(
        check(Guarantee::FreshReads, &drawing("<1,2", "nil")),
        (1, 0)
    );
    assert_eq!(check(Guarantee::FreshReads, &drawing("<1", "nil")), (1, 1));
    let back = draw_siblings(&drawing("<1", "1,2"));
    insta::assert_snapshot!(told(&back, Guarantee::NoResurrection));
}

#[test]
fn a_session_misses_its_own_write_and_goes_back() {
    let drawing = "
        c1: |--w k 1 <--| |--r k nil--|
        c2:                             |--r k 1--| |--r k nil--|";
    assert_eq!(check(Guarantee::ReadYourWrites, drawing), (1, 1));
    assert_eq!(check(Guarantee::MonotonicReads, drawing), (1, 1));
    assert_eq!(check(Guarantee::NoInversion, drawing), (2, 1));
}

#[test]
fn what_a_session_learned_on_one_key_counts_on_another() {
    let drawing = "
        c1: |--w x 1 <--| |--w y 2 <--|
        c2:                               |--r y 2--| |--r x nil--|";
    assert_eq!(check(Guarantee::CausalConsistency, drawing), (2, 1));
    insta::assert_snapshot!(told(&draw_siblings(drawing), Guarantee::CausalConsistency));
}

#[test]
fn a_value_gone_and_back_is_an_inversion() {
    let drawing = "
        c1: |--w k 1 <--|                    |--d k <1--?
        c2:               |--r k 1--|                     |-r k nil-| |-r k 1-|";
    assert_eq!(check(Guarantee::NoInversion, drawing), (2, 1));
    insta::assert_snapshot!(told(&draw_siblings(drawing), Guarantee::NoInversion));
}

#[test]
fn a_read_that_is_no_list_is_not_judged() {
    let drawing = "
        c1: |--w k 1 <--|
        c3:               |--r k 1--|";
    let mut history = draw_siblings(drawing);
    history.operations[1].value = crate::history::Value::Int(1);
    let verdict = judge(&history);
    let row = verdict.row(Guarantee::FreshReads).expect("it is judged");
    assert_eq!((row.finding.judged, row.ruling), (0, Ruling::Undecided));
}

#[test]
fn sets_under_last_write_wins_are_not_taken_for_registers() {
    let header = Header {
        values: Values::Sets,
        ..header(3, 2, 2)
    };
    let history = draw_with(
        header,
        "
        c1: |--w k 1+ <--|
        c2:                |--w k 1+2 <1+--|
        c3:                                  |--r k 1+9--|",
    );
    let verdict = judge(&history);
    let judged: Vec<Guarantee> = verdict
        .rows
        .iter()
        .map(|row| row.promise.guarantee)
        .collect();
    assert_eq!(
        judged,
        [
            Guarantee::NoPhantoms,
            Guarantee::NoFailedWrites,
            Guarantee::NoLostUpdates,
            Guarantee::Convergence,
            Guarantee::Availability
        ]
    );
    assert_eq!(tally(&history, Guarantee::NoPhantoms), (1, 1));
}
