//! Sloppy quorums and hinted handoff: who stands in, who keeps what for whom, and how it gets lost.

use crate::fault::Cut;
use crate::plan::{PlanError, PlanSpec, StoreSpec};
use crate::scenario::act::{Act, Count, Scenario};
use crate::scenario::play::{Play, between, store};
use crate::world::Counter;
use quorate_checkers::Guarantee;
use quorate_node::config::Level;

/// A store in which other nodes stand in for replicas and keep hints for them.
fn sloppy(nodes: u16, quorum: [u16; 3], durable: bool) -> PlanSpec {
    PlanSpec {
        store: Some(StoreSpec {
            sloppy: Some(true),
            hints: Some("fallback".to_owned()),
            hints_durable: Some(durable),
            ..StoreSpec::default()
        }),
        ..store(nodes, quorum)
    }
}

pub(in crate::scenario) const HINTED_HANDOFF: Scenario = Scenario {
    name: "hinted-handoff",
    shows: "B is down. D, which is no replica of the key, takes the write for it and counts towards W=3: a sloppy quorum keeps W and takes it from other \
            nodes. When B returns D hands the write over and forgets it.",
    requirements: &[
        "000-11", "001-16", "001-22", "001-23", "002-09", "003-07", "003-08",
    ],
    corrections: &["C-04"],
    not_in: None,
    acts: hinted_handoff,
};

fn hinted_handoff() -> Result<Vec<Act>, PlanError> {
    let mut play = Play::new("", &sloppy(4, [3, 2, 3], true))?;
    let x = play.key("x", &[1, 2, 3]);
    play.tell("A, B and C are n1, n2 and n3; D is n4.");
    play.write(&x, 1).acked_by(&[1, 2, 3]).stood_in(&[]);
    let dead = play.kill(&[2]);
    play.sees(1, 2);
    play.write(&x, 2).acked_by(&[1, 3, 4]).stood_in(&[4]);
    play.holds(&x, &[(1, Some(2)), (3, Some(2))]);
    play.count(4, Counter::HintsPending).returns(1);
    play.heal(dead, "B is back, on its own data");
    play.comes_to_hold(&x, &[(2, Some(2))]);
    play.count(4, Counter::HintsPending).comes_to(0);
    play.count(4, Counter::HintsDelivered).returns(1);
    play.finally(&x, &[(1, Some(2)), (2, Some(2)), (3, Some(2))]);
    play.found(Guarantee::Convergence, Count::None);
    Ok(vec![play.done()])
}

pub(in crate::scenario) const HINT_HOLDER_DIES: Scenario = Scenario {
    name: "hint-holder-dies",
    shows: "A hint is best effort: D, which keeps it in memory, is killed before B returns, and the hint is gone. B never hears of an acknowledged write, and \
            without reads or anti-entropy nothing tells it.",
    requirements: &["000-11", "001-24", "004-27"],
    corrections: &["C-06"],
    not_in: None,
    acts: hint_holder_dies,
};

fn hint_holder_dies() -> Result<Vec<Act>, PlanError> {
    let mut play = Play::new("", &sloppy(4, [3, 2, 3], false))?;
    let x = play.key("x", &[1, 2, 3]);
    let dead = play.kill(&[2]);
    play.sees(1, 2);
    play.write(&x, 1).acked_by(&[1, 3, 4]).stood_in(&[4]);
    play.count(4, Counter::HintsPending).returns(1);
    let holder = play.kill(&[4]);
    play.heal(holder, "D is back, with nothing in memory");
    play.count(4, Counter::HintsPending).returns(0);
    play.heal(dead, "B is back");
    play.whole();
    play.holds(&x, &[(1, Some(1)), (2, None), (3, Some(1))]);
    play.finally(&x, &[(1, Some(1)), (2, None), (3, Some(1))]);
    play.found(Guarantee::Convergence, Count::AtLeast(1));
    play.found(Guarantee::NoLostWrites, Count::None);
    Ok(vec![play.done()])
}

pub(in crate::scenario) const SLOPPY_STALE: Scenario = Scenario {
    name: "sloppy-write-strict-read",
    shows: "A and B are out of reach, so a write is acknowledged by C and two that stand in. A and B, asked before the hints reach them, know nothing of it: with a \
            sloppy quorum W + R > N does not make reads fresh. Then the hints go back.",
    requirements: &["004-07", "004-27", "000-06"],
    corrections: &["C-20"],
    not_in: None,
    acts: sloppy_stale,
};

fn sloppy_stale() -> Result<Vec<Act>, PlanError> {
    let mut play = Play::new("", &sloppy(5, [3, 2, 3], true))?;
    let x = play.key("x", &[1, 2, 3]);
    let cut = play.cut(
        "A and B are cut off from C, D and E",
        Cut::Reset,
        between(&[1, 2], &[3, 4, 5]),
    );
    play.sees(3, 2);
    play.sees(1, 1);
    play.write(&x, 1)
        .at(3)
        .acked_by(&[3, 4, 5])
        .stood_in(&[4, 5]);
    play.tell("W=3 was met. On the other side two of three replicas answer:");
    play.read(&x)
        .at(1)
        .answered_by(&[1, 2])
        .stood_in(&[])
        .returns(None);
    play.heal(
        cut,
        "the links are whole again, and D and E hand over what they keep",
    );
    play.comes_to_hold(&x, &[(1, Some(1)), (2, Some(1))]);
    play.count(4, Counter::HintsPending).comes_to(0);
    play.count(5, Counter::HintsPending).comes_to(0);
    play.whole();
    play.read(&x).at(1).level(3).returns(1);
    play.found(Guarantee::FreshReads, Count::Exactly(1));
    play.finally(&x, &[(1, Some(1)), (2, Some(1)), (3, Some(1))]);
    Ok(vec![play.done()])
}

pub(in crate::scenario) const COORDINATOR_HINTS: Scenario = Scenario {
    name: "hint-at-coordinator",
    shows: "Cassandra's way: nobody stands in. The coordinator, any node, keeps the hint, and a hint counts for nothing: with two of three down a write at QUORUM is \
            refused. Only ANY is content with a hint, and then no read finds the write until it is handed over.",
    requirements: &["002-13", "000-11", "004-20"],
    corrections: &["C-05", "C-06"],
    not_in: None,
    acts: coordinator_hints,
};

fn coordinator_hints() -> Result<Vec<Act>, PlanError> {
    let spec = PlanSpec {
        store: Some(StoreSpec {
            hints: Some("coordinator".to_owned()),
            ..StoreSpec::default()
        }),
        ..store(4, [3, 2, 2])
    };
    let mut play = Play::new("", &spec)?;
    let x = play.key("x", &[1, 2, 3]);
    play.tell("n4 is no replica of the key and coordinates.");
    let one = play.kill(&[2]);
    play.sees(4, 2);
    play.write(&x, 1)
        .at(4)
        .named(Level::Quorum)
        .acked_by(&[1, 3])
        .stood_in(&[]);
    play.count(4, Counter::HintsPending).comes_to(1);
    let two = play.kill(&[1, 3]);
    play.sees(4, 0);
    play.write(&x, 2).at(4).named(Level::Quorum).fails();
    play.write(&x, 3).at(4).named(Level::One).fails();
    play.tell("None of the three is there, and yet:");
    play.write(&x, 4).at(4).named(Level::Any);
    play.heal(two, "A and C are back");
    play.heal(one, "B is back");
    play.comes_to_hold(&x, &[(1, Some(4)), (2, Some(4)), (3, Some(4))]);
    play.count(4, Counter::HintsPending).comes_to(0);
    play.whole();
    play.read(&x).at(1).level(3).returns(4);
    Ok(vec![play.done()])
}

pub(in crate::scenario) const HINTS_ACCUMULATE: Scenario = Scenario {
    name: "hints-accumulate",
    shows: "Hints are not for nodes that never return: B is gone for good, and D keeps a hint for each key that is written, more and more bytes, until the limit is \
            reached. From then on hints are not taken any more, and B would miss what comes.",
    requirements: &["004-13"],
    corrections: &["C-06"],
    not_in: None,
    acts: hints_accumulate,
};

/// Most bytes that are kept for one node.
const HINT_BYTES: i64 = 100;

fn hints_accumulate() -> Result<Vec<Act>, PlanError> {
    let mut spec = sloppy(4, [3, 2, 2], true);
    if let Some(store) = &mut spec.store {
        store.hint_bytes = Some(HINT_BYTES.unsigned_abs());
    }
    let mut play = Play::new("", &spec)?;
    play.kill(&[2]);
    play.sees(1, 2);
    play.tell("At most 100 bytes of keys and values are kept for one node.");
    let mut bytes = 0;
    let mut kept = 0;
    let mut refused = 0;
    for round in 0..4_i64 {
        let words = "writes of new keys, which A and C acknowledge, or one of them and D";
        play.together(words, |play| {
            for number in 0..5 {
                let key = play.key("key", &[1, 2, 3]);
                let value = 10 + round * 5 + number;
                play.write(&key, value).at(1);
                let more = i64::try_from(key.len() + value.to_string().len()).unwrap_or(0);
                if bytes + more > HINT_BYTES {
                    refused += 1;
                } else {
                    bytes += more;
                    kept += 1;
                }
            }
        });
        play.count(4, Counter::HintsKept).comes_to(kept);
        play.count(4, Counter::HintsRefused).comes_to(refused);
        play.count(4, Counter::HintBytesPending).returns(bytes);
    }
    play.tell("B would miss what was refused, if it ever came back.");
    Ok(vec![play.done()])
}

pub(in crate::scenario) const PRIMARIES: Scenario = Scenario {
    name: "pr-and-pw",
    shows: "Riak's PR and PW count only a key's own replicas. With a sloppy quorum and PR=1 a read may still miss an acknowledged write: one primary answers, but not one that has it. With \
            PW=2 and PR=2, more than N=3 together, the write is not acknowledged where only one primary is in reach.",
    requirements: &["001-27"],
    corrections: &["C-22"],
    not_in: None,
    acts: primaries,
};

fn primaries() -> Result<Vec<Act>, PlanError> {
    let acts = [
        ("PW=0, PR=1: no overlap is asked for", 0, 1),
        ("PW=2, PR=2: PR + PW > N", 2, 2),
    ];
    acts.into_iter()
        .map(|(title, pw, pr)| with_primaries(title, pw, pr))
        .collect()
}

fn with_primaries(title: &str, pw: u16, pr: u16) -> Result<Act, PlanError> {
    let mut spec = sloppy(5, [3, 2, 2], true);
    if let Some(store) = &mut spec.store {
        (store.pw, store.pr) = (Some(pw), Some(pr));
    }
    let mut play = Play::new(title, &spec)?;
    let x = play.key("x", &[1, 2, 3]);
    let cut = play.cut(
        "A and B are cut off from C, D and E",
        Cut::Reset,
        between(&[1, 2], &[3, 4, 5]),
    );
    play.sees(3, 2);
    play.sees(1, 1);
    let write = play.write(&x, 1).at(3);
    if pw == 0 {
        play.tell("C and one that stands in acknowledged it.");
        play.read(&x).at(1).answered_by(&[1, 2]).returns(None);
        play.found(Guarantee::FreshReads, Count::Exactly(1));
    } else {
        write.stays_undone();
        play.tell("Only one primary was in reach of C. On the other side there are two:");
        play.write(&x, 2).at(1);
        play.read(&x).at(1).returns(2);
        play.found(Guarantee::FreshReads, Count::None);
    }
    play.heal(cut, "the links are whole again");
    Ok(play.done())
}
