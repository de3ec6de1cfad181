//! Last-write-wins rests on clocks: what it drops, and what it drops when they disagree.

use crate::plan::PlanError;
use crate::scenario::act::{Act, Count, Scenario};
use crate::scenario::play::{Play, store};
use quorate_checkers::Guarantee;

pub(in crate::scenario) const LWW: Scenario = Scenario {
    name: "lww-t100-t101",
    shows: "Two clients write at the same time, one stamped t=100 s, the other t=101 s. Both are told that their write is done. The one of t=100 \
            is gone from every replica, and its client is never told.",
    requirements: &["004-22"],
    corrections: &[],
    not_in: None,
    acts: lww,
};

fn lww() -> Result<Vec<Act>, PlanError> {
    let mut play = Play::new("", &store(3, [3, 2, 2]))?;
    let x = play.key("x", &[1, 2, 3]);
    play.skew(&[(1, 100_000), (2, 101_000)]);
    play.tell("Both writes are under way at the same time:");
    play.write(&x, 100).at(1).by(0).meanwhile();
    play.write(&x, 101).at(2).by(1).meanwhile();
    play.join();
    play.comes_to_hold(&x, &[(1, Some(101)), (2, Some(101)), (3, Some(101))]);
    play.read(&x).level(3).returns(101);
    play.finally(&x, &[(1, Some(101)), (2, Some(101)), (3, Some(101))]);
    play.found(Guarantee::NoConcurrentLoss, Count::Exactly(1));
    play.promised(Guarantee::NoConcurrentLoss, false);
    play.tell(
        "No replica disagrees, no error was told: last-write-wins promises no more than that.",
    );
    Ok(vec![play.done()])
}

pub(in crate::scenario) const SKEW: Scenario = Scenario {
    name: "skew-beats-all",
    shows: "Not even W=3 and R=3 of N=3 help against clocks: the first write was stamped by a clock that is ahead, so the second, which began \
            after the first was acknowledged, loses to it at all three replicas. A read of all three returns the first.",
    requirements: &["001-18"],
    corrections: &["C-15", "C-20"],
    not_in: None,
    acts: skew,
};

fn skew() -> Result<Vec<Act>, PlanError> {
    let mut right = Play::new("clocks agree", &store(3, [3, 3, 3]))?;
    let x = right.key("x", &[1, 2, 3]);
    right.write(&x, 1).at(1).acked_by(&[1, 2, 3]);
    right.write(&x, 2).at(2).acked_by(&[1, 2, 3]);
    right.read(&x).at(3).answered_by(&[1, 2, 3]).returns(2);
    right.promised(Guarantee::Linearizability, true);
    right.found(Guarantee::Linearizability, Count::None);
    let mut wrong = Play::new("one clock is a minute ahead", &store(3, [3, 3, 3]))?;
    let x = wrong.key("x", &[1, 2, 3]);
    wrong.skew(&[(1, 60_000)]);
    wrong.write(&x, 1).at(1).acked_by(&[1, 2, 3]);
    wrong.write(&x, 2).at(2).acked_by(&[1, 2, 3]);
    wrong.tell("Both were acknowledged by all, one after the other.");
    wrong.read(&x).at(3).answered_by(&[1, 2, 3]).returns(1);
    wrong.promised(Guarantee::Linearizability, false);
    wrong.found(Guarantee::NoClockLoss, Count::Exactly(1));
    wrong.found(Guarantee::FreshReads, Count::AtLeast(1));
    wrong.found(Guarantee::Linearizability, Count::AtLeast(1));
    Ok(vec![right.done(), wrong.done()])
}
