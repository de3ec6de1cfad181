//! Known stores by their profiles: what is the same in all that are leaderless, and what the settings of one are for.

use crate::plan::{PlanError, PlanSpec, StoreSpec};
use crate::scenario::act::{Act, Count, Scenario};
use crate::scenario::play::{Play, known};
use crate::world::Counter;
use quorate_checkers::Guarantee;
use quorate_node::config::Level;

pub(in crate::scenario) const THREE: Scenario = Scenario {
    name: "three-leaderless-systems",
    shows: "Cassandra, Riak and Voldemort, each with the settings of its profile, and one of three replicas down: no leader is looked for, the next write and read are done through a node that \
            is no replica, a hint waits, and who was down is told when it returns. What differs is who keeps the hint and whether it counts.",
    requirements: &["002-06"],
    corrections: &[],
    not_in: None,
    acts: three,
};

fn three() -> Result<Vec<Act>, PlanError> {
    let acts = [
        (
            "cassandra",
            "D coordinates, so D keeps the hint, and it does not count.",
        ),
        (
            "riak",
            "D stands in for B: it is one of those who may acknowledge, and keeps the hint.",
        ),
        (
            "voldemort",
            "D coordinates, so D keeps the slop, as a hint is called there, and it does not count.",
        ),
    ];
    acts.into_iter()
        .map(|(profile, who)| one_down(profile, who))
        .collect()
}

fn one_down(profile: &str, who: &str) -> Result<Act, PlanError> {
    let mut play = Play::new(profile, &known(profile, 4))?;
    let x = play.key("x", &[1, 2, 3]);
    play.tell("A, B and C, the replicas, are n1, n2 and n3; D is n4.");
    play.write(&x, 1);
    play.comes_to_hold(&x, &[(1, Some(1)), (2, Some(1)), (3, Some(1))]);
    let dead = play.kill(&[2]);
    play.sees(3, 2);
    play.sees(4, 2);
    play.read(&x).at(4).returns(1);
    let write = play.write(&x, 2).at(4);
    if profile == "riak" {
        // Two of three are enough, whichever are first.
        write.stood_in(&[4]);
    } else {
        write.acked_by(&[1, 3]).stood_in(&[]);
    }
    play.tell(who);
    play.count(4, Counter::HintsPending).comes_to(1);
    play.read(&x).at(3).by(1).returns(2);
    play.heal(dead, "B is back");
    play.comes_to_hold(&x, &[(1, Some(2)), (2, Some(2)), (3, Some(2))]);
    play.count(4, Counter::HintsPending).comes_to(0);
    play.whole();
    play.read(&x).at(2).by(2).level(3).returns(2);
    play.finally(&x, &[(1, Some(2)), (2, Some(2)), (3, Some(2))]);
    play.found(Guarantee::FreshReads, Count::None);
    play.found(Guarantee::NoLostWrites, Count::None);
    Ok(play.done())
}

pub(in crate::scenario) const CASSANDRA: Scenario = Scenario {
    name: "cassandra-settings",
    shows: "What Cassandra's settings do, one after the other: the level is of each request, and num_tokens changes nothing in it; hinted_handoff_enabled brings a replica what it missed, \
            and without it only a repair does; who is down for longer than max_hint_window gets no more hints, and needs a repair as well.",
    requirements: &["004-17"],
    corrections: &[],
    not_in: None,
    acts: cassandra,
};

fn cassandra() -> Result<Vec<Act>, PlanError> {
    Ok(vec![
        levels("num_tokens: 16, the default since 4.0", 16)?,
        levels("num_tokens: 256, the default before", 256)?,
        handed_over()?,
        not_handed_over("hinted_handoff_enabled: false", "nobody", "3h")?,
        not_handed_over(
            "max_hint_window: 300ms instead of 3h",
            "coordinator",
            "300ms",
        )?,
    ])
}

/// The levels of single requests, with one of three replicas left.
fn levels(title: &str, tokens: u32) -> Result<Act, PlanError> {
    let mut play = Play::new(title, &known("cassandra", 4))?;
    play.tokens(tokens);
    let x = play.key("x", &[1, 2, 3]);
    play.write(&x, 1)
        .at(4)
        .named(Level::All)
        .acked_by(&[1, 2, 3]);
    play.tell("n4 coordinates, and is no replica of the key.");
    play.inspect_at(&x, 4).fails();
    play.kill(&[2, 3]);
    play.sees(4, 1);
    play.write(&x, 2).at(4).named(Level::All).fails();
    play.write(&x, 3).at(4).named(Level::Quorum).fails();
    play.read(&x).at(4).named(Level::Quorum).fails();
    play.write(&x, 4).at(4).named(Level::One).acked_by(&[1]);
    play.read(&x)
        .at(4)
        .named(Level::One)
        .answered_by(&[1])
        .returns(4);
    Ok(play.done())
}

/// Hints as they are set in the profile.
fn handed_over() -> Result<Act, PlanError> {
    let title = "hinted_handoff_enabled: true, max_hint_window: 3h";
    let mut play = Play::new(title, &known("cassandra", 4))?;
    let x = play.key("x", &[1, 2, 3]);
    let dead = play.kill(&[2]);
    play.sees(4, 2);
    play.write(&x, 1)
        .at(4)
        .named(Level::Quorum)
        .acked_by(&[1, 3]);
    play.count(4, Counter::HintsPending).comes_to(1);
    play.heal(dead, "B is back");
    play.comes_to_hold(&x, &[(2, Some(1))]);
    play.count(4, Counter::HintsDelivered).comes_to(1);
    Ok(play.done())
}

/// No hint is kept for B, which was down for more than 300 ms.
fn not_handed_over(title: &str, hints: &str, window: &str) -> Result<Act, PlanError> {
    let spec = PlanSpec {
        store: Some(StoreSpec {
            hints: Some(hints.to_owned()),
            hint_window: Some(window.to_owned()),
            ..StoreSpec::default()
        }),
        ..known("cassandra", 4)
    };
    let mut play = Play::new(title, &spec)?;
    let x = play.key("x", &[1, 2, 3]);
    let dead = play.kill(&[2]);
    play.sees(4, 2);
    play.tell("n4 has missed B for 500 ms or more when it is asked:");
    play.write(&x, 1)
        .at(4)
        .named(Level::Quorum)
        .later_ms(500)
        .acked_by(&[1, 3]);
    if hints == "coordinator" {
        play.count(4, Counter::HintsRefused).comes_to(1);
    }
    play.count(4, Counter::HintsKept).returns(0);
    play.heal(dead, "B is back");
    play.whole();
    play.tell("Nothing is on its way to B. Repair is a command, and does not wait for a timer:");
    play.holds(&x, &[(1, Some(1)), (2, None), (3, Some(1))]);
    play.count(1, Counter::Comparisons).returns(0);
    play.repair(1);
    play.comes_to_hold(&x, &[(2, Some(1))]);
    Ok(play.done())
}

pub(in crate::scenario) const VOLDEMORT: Scenario = Scenario {
    name: "voldemort-no-merkle",
    shows: "Voldemort has hints and read repair, and nothing that compares replicas: if the node that keeps a hint is gone, a replica stays behind in every key that nobody reads. Under Riak's \
            settings the same loss is found by anti-entropy, and mended without a read.",
    requirements: &["001-12", "001-24"],
    corrections: &["C-16"],
    not_in: None,
    acts: voldemort,
};

fn voldemort() -> Result<Vec<Act>, PlanError> {
    Ok(vec![
        holder_gone("voldemort", false)?,
        holder_gone("riak", true)?,
    ])
}

/// D has the hints for B, and does not live to hand them over.
fn holder_gone(profile: &str, compares: bool) -> Result<Act, PlanError> {
    let mut play = Play::new(profile, &known(profile, 4))?;
    let unread = play.key("unread", &[1, 2, 3]);
    let read = play.key("read", &[1, 2, 3]);
    let dead = play.kill(&[2]);
    play.sees(4, 2);
    play.write(&unread, 1).at(4);
    play.write(&read, 2).at(4);
    play.count(4, Counter::HintsPending).comes_to(2);
    play.comes_to_hold(&unread, &[(1, Some(1)), (3, Some(1))]);
    play.comes_to_hold(&read, &[(1, Some(2)), (3, Some(2))]);
    play.tell("D keeps what B has missed, and is gone before B is back:");
    play.kill(&[4]);
    play.heal(dead, "B is back");
    for node in 1..=3 {
        play.sees(node, 2);
    }
    if compares {
        play.tell("Nobody reads. Replicas compare their hash trees:");
        play.comes_to_hold(&unread, &[(2, Some(1))]);
        play.comes_to_hold(&read, &[(2, Some(2))]);
    } else {
        play.tell("A read that asks B, too, mends the key that it reads:");
        play.read(&read).level(3).returns(2).repairs(&[2]);
        play.comes_to_hold(&read, &[(2, Some(2))]);
        play.tell("What nobody reads stays as it is. A second later, ten times as long as comparing takes under riak:");
        play.inspect_at(&unread, 2).later_ms(1_000).returns(None);
        for node in 1..=3 {
            play.count(node, Counter::Comparisons).returns(0);
        }
    }
    Ok(play.done())
}
