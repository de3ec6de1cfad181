//! One explanation of each kind, as text.

use crate::guarantee::Guarantee;
use crate::history::{Answer, Evidence, History, NodeIndex, Stamp, Sync};
use crate::testing::draw;
use crate::verdict::judge;

/// The first explanation of a kind.
fn told(history: &History, guarantee: Guarantee) -> String {
    let verdict = judge(history);
    let row = verdict.row(guarantee).expect("judged");
    row.explanations
        .first()
        .expect("something was seen")
        .render()
}

fn stamp(wall_ns: i64, node: &str) -> Stamp {
    Stamp {
        wall_ns,
        node: node.to_owned(),
    }
}

fn acked(version: Stamp, by: &[&str]) -> Box<Evidence> {
    let acked_by = by.iter().map(ToString::to_string).collect();
    Box::new(Evidence {
        version: Some(version),
        acked_by,
        ..Evidence::default()
    })
}

fn answered(by: &[(&str, Option<Stamp>)]) -> Box<Evidence> {
    let answered_by: Vec<Answer> = by
        .iter()
        .map(|(node, version)| Answer {
            node: (*node).to_owned(),
            version: version.clone(),
        })
        .collect();
    let version = answered_by
        .iter()
        .filter_map(|answer| answer.version.clone())
        .max();
    Box::new(Evidence {
        version,
        answered_by,
        ..Evidence::default()
    })
}

#[test]
fn phantom() {
    let history = draw(
        "
        c1: |--w k 1--|
        c2:              |--r k 9--|",
    );
    insta::assert_snapshot!(told(&history, Guarantee::NoPhantoms));
}

#[test]
fn phantom_of_another_key() {
    let history = draw(
        "
        c1: |--w j 9--|
        c2:              |--r k 9--|",
    );
    insta::assert_snapshot!(told(&history, Guarantee::NoPhantoms));
}

#[test]
fn phantom_from_the_future() {
    let history = draw(
        "
        c1:               |--w k 1--|
        c2: |--r k 1--|",
    );
    insta::assert_snapshot!(told(&history, Guarantee::NoPhantoms));
}

#[test]
fn failed_write() {
    let mut history = draw(
        "
        c1: |--w k 1--!
        c2:              |--r k 1--|",
    );
    history.operations[0].set_error(Some("2 of 3 replicas are down"));
    insta::assert_snapshot!(told(&history, Guarantee::NoFailedWrites));
}

#[test]
fn stale_read_of_a_replica_that_forgot() {
    let mut history = draw(
        "
        c2: |--w k7 41--|
        c5:                |--w k7 42--|
        fault kill n2:                     |---|
        c3:                                       |--r k7 41--|",
    );
    history.operations[0].set_evidence(Some(&acked(stamp(1_000, "n1"), &["n1", "n2"])));
    history.operations[1].set_evidence(Some(&acked(stamp(2_000, "n1"), &["n1", "n2"])));
    history.operations[2].set_evidence(Some(&answered(&[
        ("n2", Some(stamp(1_000, "n1"))),
        ("n3", Some(stamp(1_000, "n1"))),
    ])));
    insta::assert_snapshot!(told(&history, Guarantee::FreshReads));
}

#[test]
fn stale_read_without_overlap() {
    let mut history = draw(
        "
        c2: |--w k7 41--|
        c3:                  |--r k7 nil--|",
    );
    history.header.quorum.r = 1;
    history.header.quorum.w = 1;
    history.operations[0].set_evidence(Some(&acked(stamp(1_000, "n1"), &["n1"])));
    history.operations[1].set_evidence(Some(&answered(&[("n3", None)])));
    insta::assert_snapshot!(told(&history, Guarantee::FreshReads));
}

#[test]
fn stale_read_of_a_write_of_unknown_outcome() {
    let history = draw(
        "
        c1: |--w k 1--?
        c4:              |-r k 1-|
        c2:                         |--w k 2--|
        c3:                                       |--r k 1--|",
    );
    insta::assert_snapshot!(told(&history, Guarantee::FreshReads));
}

#[test]
fn inversion() {
    let mut history = draw(
        "
        c1: |--w k 1--|
        c2:              |-------------w k 2-------------|
        c3:                   |--r k 2--|
        c4:                                |--r k 1--|",
    );
    let (old, new) = (Some(stamp(1_000, "n1")), Some(stamp(2_000, "n1")));
    history.operations[2].set_evidence(Some(&answered(&[("n1", new), ("n2", old.clone())])));
    history.operations[3].set_evidence(Some(&answered(&[("n2", old.clone()), ("n3", old)])));
    insta::assert_snapshot!(told(&history, Guarantee::NoInversion));
}

/// Each kind of what may be wrong with a key, and the six operations of two readers that disagree.
#[test]
fn not_linearizable() {
    let drawings = [
        "
        c1: |--w k 1--|
        c2:              |--r k 9--|",
        "
        c1: |--w k 1--!
        c2:              |--r k 1--|",
        "
        c1:              |--w k 1--|
        c2: |--r k 1--|",
        "
        c1: |--w k 1--|
        c2:              |--w k 2--|
        c3:                            |--r k 1--|",
        "
        c1:    |--------w k 1--------|
        c2:      |-r k 1-| |-r k nil-|",
        "
        c1: |--w k 1--|  |--------w k 2--------|
        c3:                |-r k 2-|  |-r k 1-|",
        "
        c1: |--------------w k 1--------------|
        c2: |--------------w k 2--------------|
        c3:    |--r k 1--| |--r k 2--|
        c4:    |--r k 2--| |--r k 1--|",
    ];
    let told: Vec<String> = drawings
        .iter()
        .map(|drawing| told(&draw(drawing), Guarantee::Linearizability))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn inversion_by_flip_flop() {
    let history = draw(
        "
        c1: |--w k 1--|
        c2: |--w k 2--|
        c3:               |-r k 1-|   |-r k 2-|   |-r k 1-|",
    );
    insta::assert_snapshot!(told(&history, Guarantee::NoInversion));
}

#[test]
fn lost_write() {
    let mut history = draw(
        "
        c1: |--w k 1--|   |--w k 2--|
        fault kill n1 n2:              |---|
        n1:                                    |c k 1|
        n2:                                    |c k 1|
        n3:                                    |c k nil|",
    );
    history.operations[1].set_evidence(Some(&acked(stamp(2_000, "n1"), &["n1", "n2"])));
    insta::assert_snapshot!(told(&history, Guarantee::NoLostWrites));

    // The same, with what the replicas say in the census, and a log that is synced late.
    history.header.sync = Sync::EveryMs(50);
    let old = stamp(1_000, "n1");
    for (place, held) in [(2, Some(old.clone())), (3, Some(old)), (4, None)] {
        let node = ["n1", "n2", "n3"][place - 2];
        history.operations[place].set_evidence(Some(&answered(&[(node, held)])));
    }
    insta::assert_snapshot!(told(&history, Guarantee::NoLostWrites));
}

#[test]
fn clock_loss() {
    let mut history = draw(
        "
        fault clock n1 -500: |------------------|
        c1: |--w k 1--|   |--w k 2--|
        n1:                                    |c k 1|
        n2:                                    |c k 1|
        n3:                                    |c k 1|",
    );
    history.operations[0].set_evidence(Some(&acked(stamp(1_900_000_000, "n2"), &["n1", "n2"])));
    history.operations[1].set_evidence(Some(&acked(stamp(1_500_000_000, "n1"), &["n1", "n3"])));
    insta::assert_snapshot!(told(&history, Guarantee::NoClockLoss));
}

#[test]
fn concurrent_loss() {
    let history = draw(
        "
        c1: |--w k 1--|
        c2:       |--w k 2--|
        n1:                     |c k 1|
        n2:                     |c k 1|
        n3:                     |c k 1|",
    );
    insta::assert_snapshot!(told(&history, Guarantee::NoConcurrentLoss));
}

#[test]
fn resurrected_delete() {
    let history = draw(
        "
        c1: |--w k 1--|   |--d k--|
        c2:                           |--r k 1--|",
    );
    insta::assert_snapshot!(told(&history, Guarantee::NoResurrection));
}

#[test]
fn resurrected_delete_in_the_census() {
    let history = draw(
        "
        c1: |--w k 1--|   |--d k--|
        n1:                           |c k 1|
        n2:                           |c k 1|
        n3:                           |c k 1|",
    );
    insta::assert_snapshot!(told(&history, Guarantee::NoResurrection));
}

#[test]
fn divergence() {
    let history = draw(
        "
        c1: |--w k 1--|
        n1:              |c k 1|
        n2:              |c k 1|
        n3:              |c k nil|",
    );
    insta::assert_snapshot!(told(&history, Guarantee::Convergence));
}

#[test]
fn unavailability() {
    let mut history = draw(
        "
        c1: |w k 1! |w k 2! |w k 3! |w k 4! |w k 5!
        c2:   |-w j 1-|",
    );
    for operation in &mut history.operations {
        operation.set_node(Some(NodeIndex(0)));
        operation.set_error(Some("1 of 3 replicas reachable, W = 2"));
    }
    insta::assert_snapshot!(told(&history, Guarantee::Availability));
}

#[test]
fn a_tie_of_timestamps() {
    let mut history = draw(
        "
        c1: |--w k 1--|   |--w k 2--|
        n1:                            |c k 1|
        n2:                            |c k 1|
        n3:                            |c k 1|",
    );
    history.operations[0].set_evidence(Some(&acked(stamp(1_000, "n2"), &["n1", "n2"])));
    history.operations[1].set_evidence(Some(&acked(stamp(1_000, "n1"), &["n1", "n3"])));
    insta::assert_snapshot!(told(&history, Guarantee::NoClockLoss));
}

#[test]
fn a_delete_that_left_no_mark() {
    let mut history = draw(
        "
        c1: |--w k 1--|   |--d k--|
        c2:                           |--r k 1--|",
    );
    history.header.sabotage = vec!["forget-tombstone".to_owned()];
    let old = stamp(1_000, "n1");
    history.operations[0].set_evidence(Some(&acked(old.clone(), &["n1", "n3"])));
    history.operations[1].set_evidence(Some(&acked(stamp(2_000, "n1"), &["n1", "n2"])));
    history.operations[2].set_evidence(Some(&answered(&[("n2", None), ("n3", Some(old))])));
    insta::assert_snapshot!(told(&history, Guarantee::NoResurrection));
}

#[test]
fn a_refused_write_with_the_stamp_of_who_refused_it() {
    let mut history = draw(
        "
        c1: |--w k 1--!
        c2:              |--r k 1--|",
    );
    history.operations[0].set_node(Some(NodeIndex(1)));
    let taken = Some(stamp(1_000, "n2"));
    history.operations[1].set_evidence(Some(&answered(&[("n2", taken.clone()), ("n3", taken)])));
    insta::assert_snapshot!(told(&history, Guarantee::NoFailedWrites));
}

#[test]
fn a_write_of_unknown_outcome_that_beats_a_later_one() {
    let mut history = draw(
        "
        c1: |--w k 1--?
        c4:              |-r k 1-|
        c2:                         |--w k 2--|
        c3:                                       |--r k 1--|",
    );
    let late = stamp(9_000, "n3");
    history.operations[0].set_evidence(Some(&acked(late.clone(), &["n3"])));
    history.operations[1].set_evidence(Some(&answered(&[("n3", Some(late.clone()))])));
    history.operations[2].set_evidence(Some(&acked(stamp(2_000, "n1"), &["n1", "n2"])));
    history.operations[3].set_evidence(Some(&answered(&[
        ("n2", Some(stamp(2_000, "n1"))),
        ("n3", Some(late)),
    ])));
    insta::assert_snapshot!(told(&history, Guarantee::FreshReads));
}

#[test]
fn quorums_that_overlap_where_nothing_tells_why() {
    let mut history = draw(
        "
        c1: |--w k 1--|   |--w k 2--|
        c2:                             |--r k 1--|",
    );
    let (old, new) = (stamp(1_000, "n1"), stamp(2_000, "n1"));
    history.operations[0].set_evidence(Some(&acked(old.clone(), &["n1", "n2"])));
    history.operations[1].set_evidence(Some(&acked(new.clone(), &["n1", "n2"])));
    history.operations[2].set_evidence(Some(&answered(&[("n1", Some(new)), ("n3", Some(old))])));
    insta::assert_snapshot!(told(&history, Guarantee::FreshReads));
}

#[test]
fn a_session_whose_reads_asked_different_replicas() {
    let mut history = draw(
        "
        c1: |--w k 1--|
        c2:              |--w k 2--|
        c3:                            |-r k 2-|   |-r k 1-|",
    );
    history.header.quorum.r = 1;
    let (old, new) = (stamp(1_000, "n1"), stamp(2_000, "n1"));
    history.operations[2].set_evidence(Some(&answered(&[("n1", Some(new))])));
    history.operations[3].set_evidence(Some(&answered(&[("n3", Some(old))])));
    insta::assert_snapshot!(told(&history, Guarantee::MonotonicReads));
}

#[test]
fn replicas_of_which_one_missed_the_newest() {
    let mut history = draw(
        "
        fault partition n3: |--------------|
        c1:      |--w k 1--|
        n1:                     |c k 1|
        n2:                     |c k 1|
        n3:                     |c k nil|",
    );
    let new = stamp(2_000, "n1");
    history.operations[0].set_evidence(Some(&acked(new.clone(), &["n1", "n2"])));
    for (place, held) in [(1, Some(new.clone())), (2, Some(new)), (3, None)] {
        let node = ["n1", "n2", "n3"][place - 1];
        history.operations[place].set_evidence(Some(&answered(&[(node, held)])));
    }
    insta::assert_snapshot!(told(&history, Guarantee::Convergence));
}

#[test]
fn a_write_that_its_own_session_does_not_see() {
    let history = draw(
        "
        c1: |--w k 1--|
        c2:              |--w k 2--|   |--r k 1--|",
    );
    insta::assert_snapshot!(told(&history, Guarantee::ReadYourWrites));
}

#[test]
fn a_session_that_goes_back() {
    let history = draw(
        "
        c1: |--w k 1--|
        c2:              |--w k 2--|
        c3:                            |-r k 2-|   |-r k 1-|",
    );
    insta::assert_snapshot!(told(&history, Guarantee::MonotonicReads));
}

#[test]
fn sessions_that_disagree_without_any_order_of_time() {
    let history = draw(
        "
        c1: |--w k 1--|
        c2: |--w k 2--|
        c3:               |-r k 1-|   |-r k 2-|
        c4:               |-r k 2-|   |-r k 1-|",
    );
    insta::assert_snapshot!(told(&history, Guarantee::MonotonicReads));
}

#[test]
fn writes_of_a_session_in_the_reverse_order() {
    let history = draw(
        "
        c1: |--w k 1--|   |--w k 2--|
        c3:                             |-r k 2-|   |-r k 1-|",
    );
    insta::assert_snapshot!(told(&history, Guarantee::MonotonicWrites));
}

#[test]
fn a_write_before_what_its_session_had_read() {
    let history = draw(
        "
        c1: |--w k 1--|
        c2:               |-r k 1-|   |--w k 2--|
        c3:                                         |-r k 2-|   |-r k 1-|",
    );
    insta::assert_snapshot!(told(&history, Guarantee::WritesFollowReads));
}

#[test]
fn an_answer_to_a_question_that_is_not_there() {
    let history = draw(
        "
        c1: |--w q 1--|
        c2:               |-r q 1-|   |--w a 7--|
        c3:                                         |-r a 7-|   |-r q nil-|",
    );
    insta::assert_snapshot!(told(&history, Guarantee::CausalConsistency));
}

#[test]
fn a_value_that_came_before_another() {
    let history = draw(
        "
        c1: |--w k 1--|   |--w k 2--|   |--w l 5--|
        c3:                                           |-r l 5-|   |-r k 1-|",
    );
    insta::assert_snapshot!(told(&history, Guarantee::CausalConsistency));
}

#[test]
fn sessions_that_take_two_writes_in_opposite_orders() {
    let history = draw(
        "
        c1: |--w k 1--|   |-r k 2-|
        c2: |--w k 2--|   |-r k 1-|",
    );
    insta::assert_snapshot!(told(&history, Guarantee::CausalConvergence));
}

#[test]
fn a_whole_verdict() {
    let history = draw(
        "
        c1: |--w k 1--|   |--w k 2--|
        c2:                             |--r k 1--|
        fault partition n1:        |-|
        n1:                                           |c k 1|
        n2:                                           |c k 2|
        n3:                                           |c k 2|",
    );
    insta::assert_snapshot!(judge(&history).to_json());
}
