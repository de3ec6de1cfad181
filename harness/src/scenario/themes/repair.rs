//! Read repair: what it mends, and what it never touches.

use crate::fault::Cut;
use crate::plan::{PlanError, PlanSpec, StoreSpec};
use crate::scenario::act::{Act, Count, Measured, Scenario};
use crate::scenario::play::{Play, between, store, towards};
use crate::scenario::seen::Seen;
use quorate_checkers::Guarantee;

fn repairing(nodes: u16, quorum: [u16; 3]) -> PlanSpec {
    PlanSpec {
        read_repair: Some("async".to_owned()),
        ..store(nodes, quorum)
    }
}

pub(in crate::scenario) const READ_REPAIR: Scenario = Scenario {
    name: "read-repair",
    shows: "A read finds version 1000 at A and B and version 900 at C: it returns the newest and tells C in the background. A key that nobody \
            reads is never repaired so.",
    requirements: &["000-10", "001-12", "003-03"],
    corrections: &[],
    not_in: None,
    acts: read_repair,
};

fn read_repair() -> Result<Vec<Act>, PlanError> {
    let mut read = Play::new("the key is read", &repairing(3, [3, 2, 2]))?;
    let key = missed_by_c(&mut read);
    read.read(&key)
        .level(3)
        .answered_by(&[1, 2, 3])
        .returns(1000)
        .repairs(&[3]);
    read.comes_to_hold(&key, &[(1, Some(1000)), (2, Some(1000)), (3, Some(1000))]);
    read.finally(&key, &[(1, Some(1000)), (2, Some(1000)), (3, Some(1000))]);
    read.found(Guarantee::Convergence, Count::None);
    let mut cold = Play::new("nobody reads the key", &repairing(3, [3, 2, 2]))?;
    let key = missed_by_c(&mut cold);
    cold.tell("Nothing asks for it, so nothing mends it:");
    cold.finally(&key, &[(1, Some(1000)), (2, Some(1000)), (3, Some(900))]);
    cold.found(Guarantee::Convergence, Count::AtLeast(1));
    Ok(vec![read.done(), cold.done()])
}

/// Two versions: C has only the first.
fn missed_by_c(play: &mut Play) -> String {
    let key = play.key("greeting", &[1, 2, 3]);
    play.write(&key, 900).level(3).acked_by(&[1, 2, 3]);
    let cut = play.cut("C cannot be reached", Cut::Reset, between(&[1, 2], &[3]));
    play.write(&key, 1000).acked_by(&[1, 2]);
    play.heal(cut, "C can be reached again");
    play.whole();
    play.holds(&key, &[(1, Some(1000)), (2, Some(1000)), (3, Some(900))]);
    key
}

pub(in crate::scenario) const ONLY_TOUCHED: Scenario = Scenario {
    name: "read-repair-only-touched",
    shows: "Read repair mends the replicas that the read happened to ask, and no other: with R=2 of 3 the third stays stale.",
    requirements: &["004-11"],
    corrections: &[],
    not_in: None,
    acts: only_touched,
};

fn only_touched() -> Result<Vec<Act>, PlanError> {
    let mut play = Play::new("", &repairing(3, [3, 2, 2]))?;
    let x = play.key("x", &[1, 2, 3]);
    play.write(&x, 1).level(3).acked_by(&[1, 2, 3]);
    let cut = play.cut("A is alone", Cut::Reset, between(&[1], &[2, 3]));
    play.write(&x, 2).level(1).acked_by(&[1]);
    play.heal(cut, "A is back among the others");
    play.whole();
    play.holds(&x, &[(1, Some(2)), (2, Some(1)), (3, Some(1))]);
    let cut = play.cut("B cannot ask C", Cut::Reset, towards(&[2], &[3]));
    play.read(&x)
        .at(2)
        .answered_by(&[1, 2])
        .returns(2)
        .repairs(&[2]);
    play.comes_to_hold(&x, &[(2, Some(2))]);
    play.heal(cut, "B can ask C again");
    play.holds(&x, &[(1, Some(2)), (2, Some(2)), (3, Some(1))]);
    play.finally(&x, &[(1, Some(2)), (2, Some(2)), (3, Some(1))]);
    play.found(Guarantee::Convergence, Count::AtLeast(1));
    Ok(vec![play.done()])
}

pub(in crate::scenario) const ORDER: Scenario = Scenario {
    name: "repair-breaks-order",
    shows: "Repair copies keys in no particular order: C missed a question and the answer to it, and is repaired in the answer alone. Who reads at C then \
            finds the answer, and no question.",
    requirements: &["003-04"],
    corrections: &[],
    not_in: None,
    acts: order,
};

fn order() -> Result<Vec<Act>, PlanError> {
    let mut play = Play::new("", &repairing(3, [3, 1, 2]))?;
    let question = play.key("question", &[1, 2, 3]);
    let answer = play.key("answer", &[1, 2, 3]);
    let cut = play.cut("C cannot be reached", Cut::Reset, between(&[1, 2], &[3]));
    play.write(&question, 1).acked_by(&[1, 2]);
    play.write(&answer, 2).acked_by(&[1, 2]);
    play.heal(cut, "C can be reached again");
    play.whole();
    play.read(&answer).level(3).returns(2).repairs(&[3]);
    play.comes_to_hold(&answer, &[(3, Some(2))]);
    play.tell("Another client reads at C, first the answer, then the question:");
    play.read(&answer).at(3).by(1).answered_by(&[3]).returns(2);
    play.read(&question)
        .at(3)
        .by(1)
        .answered_by(&[3])
        .returns(None);
    play.found(Guarantee::CausalConsistency, Count::AtLeast(1));
    play.promised(Guarantee::CausalConsistency, false);
    Ok(vec![play.done()])
}

pub(in crate::scenario) const CHANCE: Scenario = Scenario {
    name: "read-repair-chance",
    shows: "With a chance of read repair of one half, about half of the reads that find a stale replica tell it; the others leave it as it is.",
    requirements: &["001-14"],
    corrections: &[],
    not_in: None,
    acts: chance,
};

/// Reads that find a stale replica.
const STALE_KEYS: i64 = 60;

fn chance() -> Result<Vec<Act>, PlanError> {
    let mut spec = repairing(3, [3, 2, 2]);
    spec.store = Some(StoreSpec {
        repair_percent: Some(50),
        ..StoreSpec::default()
    });
    let mut play = Play::new("", &spec)?;
    let keys: Vec<String> = (0..STALE_KEYS).map(|_| play.key("k", &[1, 2, 3])).collect();
    let cut = play.cut("C cannot be reached", Cut::Reset, between(&[1, 2], &[3]));
    play.sees(1, 1);
    play.together("writes that C misses", |play| {
        for key in &keys {
            play.write(key, 1).acked_by(&[1, 2]);
        }
    });
    play.heal(cut, "C can be reached again");
    play.whole();
    play.together("reads of all three replicas", |play| {
        for key in &keys {
            play.read(key).level(3).answered_by(&[1, 2, 3]).returns(1);
        }
    });
    play.measure(about_half);
    Ok(vec![play.done()])
}

fn about_half(seen: &Seen) -> Measured {
    let reads = seen.steps().filter(|(name, _)| name.starts_with('r'));
    let told = reads.filter(|(_, step)| {
        let reply = step.reply.as_ref();
        reply.is_some_and(|reply| !reply.evidence.repaired.is_empty())
    });
    let told = told.count();
    let words = format!("{told} of {STALE_KEYS} reads told C");
    // Outside of this once in a million plays.
    Measured::of(words, (11..=49).contains(&told), "11 to 49 of them")
}

pub(in crate::scenario) const REST_FOLLOWS: Scenario = Scenario {
    name: "the-rest-follows",
    shows: "A write goes to all replicas at once and is acknowledged as soon as W of them have it; the slow one gets it later, with no hurry and no further message.",
    requirements: &["003-01"],
    corrections: &[],
    not_in: None,
    acts: rest_follows,
};

fn rest_follows() -> Result<Vec<Act>, PlanError> {
    let mut play = Play::new("", &store(3, [3, 2, 2]))?;
    let x = play.key("x", &[1, 2, 3]);
    let late = play.slow("what A sends to C takes 300 ms", towards(&[1], &[3]), 300);
    play.write(&x, 1).acked_by(&[1, 2]);
    play.holds(&x, &[(1, Some(1)), (2, Some(1))]);
    play.comes_to_hold(&x, &[(3, Some(1))]);
    play.heal(late, "no longer");
    play.finally(&x, &[(1, Some(1)), (2, Some(1)), (3, Some(1))]);
    Ok(vec![play.done()])
}
