//! Reads beside writes: what may be seen while a write is on its way, and what W and R have to do with it.

use crate::fault::Cut;
use crate::plan::{PlanError, PlanSpec};
use crate::scenario::act::{Act, Count, Scenario};
use crate::scenario::play::{Play, store, towards};
use quorate_checkers::Guarantee;

/// A store of four nodes whose coordinators wait long enough for a write to stay on its way while others read.
fn patient(quorum: [u16; 3], repair: &str) -> PlanSpec {
    PlanSpec {
        request_timeout: Some("10s".to_owned()),
        op_timeout: Some("20s".to_owned()),
        read_repair: Some(repair.to_owned()),
        ..store(4, quorum)
    }
}

pub(in crate::scenario) const STALE_1_1: Scenario = Scenario {
    name: "stale-1-1",
    shows: "The shortest stale read: with W=1 and R=1 a write is acknowledged by A, and a read that asks C knows nothing of it. Nothing is \
            broken: W + R is not more than N. When the links are whole again all replicas hold it.",
    requirements: &["004-06"],
    corrections: &[],
    not_in: None,
    acts: stale_1_1,
};

fn stale_1_1() -> Result<Vec<Act>, PlanError> {
    let mut play = Play::new("", &store(3, [3, 1, 1]))?;
    let x = play.key("x", &[1, 2, 3]);
    let cut = play.cut(
        "what A sends to B and C is on its way for long",
        Cut::Hold,
        towards(&[1], &[2, 3]),
    );
    play.write(&x, 1).acked_by(&[1]);
    play.read(&x).at(3).answered_by(&[3]).returns(None);
    play.tell("An acknowledged write was missed. Then the messages arrive:");
    play.heal(cut, "the links are whole again");
    play.comes_to_hold(&x, &[(1, Some(1)), (2, Some(1)), (3, Some(1))]);
    play.read(&x).at(3).returns(1);
    play.found(Guarantee::FreshReads, Count::Exactly(1));
    play.promised(Guarantee::FreshReads, false);
    play.finally(&x, &[(1, Some(1)), (2, Some(1)), (3, Some(1))]);
    Ok(vec![play.done()])
}

pub(in crate::scenario) const WRITE_READ_RACE: Scenario = Scenario {
    name: "write-read-race",
    shows: "A read that overlaps a write may return either value, and that alone breaks nothing. It takes two reads: the first returns the \
            new value, and one that begins after it returns the old. Blocking read repair rules that out at W=R=2.",
    requirements: &["004-21", "004-05"],
    corrections: &["C-02", "C-20"],
    not_in: None,
    acts: write_read_race,
};

fn write_read_race() -> Result<Vec<Act>, PlanError> {
    Ok(vec![
        race(
            "one read misses the write that it overlaps",
            "none",
            &[(3, Some(1))],
            0,
        )?,
        race(
            "the old value, then the new",
            "none",
            &[(3, Some(1)), (1, Some(2))],
            0,
        )?,
        race(
            "the new value, then the old",
            "none",
            &[(1, Some(2)), (3, Some(1))],
            1,
        )?,
        race(
            "the same with blocking read repair",
            "blocking",
            &[(1, Some(2)), (3, Some(2))],
            0,
        )?,
    ])
}

/// A write that only A holds so far, and reads at these nodes that are to return this.
fn race(
    title: &str,
    repair: &str,
    reads: &[(u16, Option<i64>)],
    inversions: u64,
) -> Result<Act, PlanError> {
    let mut play = Play::new(title, &patient([3, 2, 2], repair))?;
    let x = play.key("x", &[1, 2, 3]);
    play.write(&x, 1).level(3).acked_by(&[1, 2, 3]);
    let late = play.cut(
        "what n4 sends to B and C is on its way for long",
        Cut::Hold,
        towards(&[4], &[2, 3]),
    );
    let apart = play.cut("C cannot ask A", Cut::Reset, towards(&[3], &[1]));
    play.write(&x, 2).at(4).by(1).meanwhile();
    play.comes_to_hold(&x, &[(1, Some(2))]);
    for &(node, value) in reads {
        play.read(&x).at(node).returns(value);
    }
    play.heal(late, "it arrives");
    play.join();
    play.heal(apart, "C can ask A again");
    let count = |seen| {
        if seen == 0 {
            Count::None
        } else {
            Count::Exactly(seen)
        }
    };
    play.found(Guarantee::FreshReads, Count::None);
    // Of one read nobody can say whether it went back in time.
    if reads.len() > 1 {
        play.found(Guarantee::NoInversion, count(inversions));
    }
    play.found(Guarantee::Linearizability, count(inversions));
    play.promised(Guarantee::NoInversion, repair == "blocking");
    Ok(play.done())
}
