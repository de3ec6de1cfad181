//! Data centres: what the levels count when there are two, and what is left of them when the link between is cut.

use crate::fault::Cut;
use crate::plan::{PlanError, PlanSpec, StoreSpec};
use crate::scenario::act::{Act, Count, Scenario};
use crate::scenario::play::{Play, between, store, towards};
use quorate_checkers::Guarantee;
use quorate_node::config::Level;

const US: [u16; 3] = [1, 3, 5];
const EU: [u16; 3] = [2, 4, 6];

/// Two data centres with three replicas of every key each.
fn two() -> PlanSpec {
    PlanSpec {
        store: Some(StoreSpec {
            data_centres: Some("us:1,3,5:3 eu:2,4,6:3".to_owned()),
            ..StoreSpec::default()
        }),
        ..store(6, [6, 4, 4])
    }
}

pub(in crate::scenario) const CUT: Scenario = Scenario {
    name: "two-dcs-cut",
    shows: "Two data centres with three replicas each, and no link between: at ANY, ONE, TWO, THREE, LOCAL_ONE and LOCAL_QUORUM both sides go on writing; at QUORUM, which is four \
            of six, at EACH_QUORUM and at ALL neither does. Reads are the same.",
    requirements: &["000-06", "000-08", "000-16", "001-19", "004-20"],
    corrections: &["C-03", "C-09"],
    not_in: None,
    acts: cut,
};

fn cut() -> Result<Vec<Act>, PlanError> {
    let mut play = Play::new("", &two())?;
    let all = [US, EU].concat();
    let x = play.key("x", &all);
    play.write(&x, 1).named(Level::All);
    let cut = play.cut(
        "US and EU do not reach each other",
        Cut::Reset,
        between(&US, &EU),
    );
    play.sees(1, 2);
    play.sees(2, 2);
    let mut value = 1;
    for level in Level::NAMED {
        let goes_on = !matches!(level, Level::Quorum | Level::EachQuorum | Level::All);
        let words = format!("writes and reads at {level} in both");
        play.together(&words, |play| {
            for node in [1, 2] {
                value += 1;
                let write = play.write(&x, value).at(node).named(level);
                if !goes_on {
                    write.stays_undone();
                }
                if level == Level::Any {
                    continue;
                }
                let read = play.read(&x).at(node).named(level);
                if !goes_on {
                    read.fails();
                }
            }
        });
    }
    play.heal(cut, "the link is back");
    Ok(vec![play.done()])
}

pub(in crate::scenario) const MIX: Scenario = Scenario {
    name: "quorum-write-local-read",
    shows: "Writes at QUORUM and reads at LOCAL_QUORUM are not safe: four of six may be three elsewhere and one here, and two of three here may miss it. Writes at EACH_QUORUM \
            are safe with them; LOCAL_QUORUM with LOCAL_QUORUM is safe in one data centre and not in the other.",
    requirements: &["001-26", "004-20"],
    corrections: &["C-09", "C-20"],
    not_in: None,
    acts: mix,
};

fn mix() -> Result<Vec<Act>, PlanError> {
    let mut play = Play::new("", &two())?;
    let all = [US, EU].concat();
    let (mixed, each, local) = (
        play.key("mixed", &all),
        play.key("each", &all),
        play.key("local", &all),
    );
    play.tell("The US writes, and n3 and n5, replicas of the US, hear nothing for now.");
    let late = play.cut(
        "n1 does not reach n3 and n5",
        Cut::Reset,
        between(&[1], &[3, 5]),
    );
    play.sees(1, 3);
    play.write(&mixed, 1)
        .at(1)
        .named(Level::Quorum)
        .acked_by(&[1, 2, 4, 6]);
    play.tell("Four of six hold it: one in the US, three in the EU.");
    play.write(&each, 1)
        .at(1)
        .named(Level::EachQuorum)
        .stays_undone();
    play.tell("At EACH_QUORUM it is not done: the US has no majority.");
    play.read(&mixed)
        .at(3)
        .named(Level::LocalQuorum)
        .answered_by(&[3, 5])
        .returns(None);
    play.heal(late, "n1 reaches them again");
    play.whole();
    play.write(&each, 2).at(1).named(Level::EachQuorum);
    play.read(&each).at(3).named(Level::LocalQuorum).returns(2);
    play.read(&each).at(2).named(Level::LocalQuorum).returns(2);
    let apart = play.cut(
        "what the US sends to the EU is lost",
        Cut::Reset,
        towards(&US, &EU),
    );
    play.write(&local, 1).at(1).named(Level::LocalQuorum);
    play.read(&local).at(3).named(Level::LocalQuorum).returns(1);
    play.read(&local)
        .at(2)
        .named(Level::LocalQuorum)
        .answered_by(&[2, 4])
        .returns(None);
    play.heal(apart, "the links are whole again");
    play.found(Guarantee::FreshReads, Count::AtLeast(2));
    Ok(vec![play.done()])
}

pub(in crate::scenario) const OUTAGE: Scenario = Scenario {
    name: "dc-outage",
    shows: "Three data centres, and the US goes down whole: users write in the EU and in Asia, and never notice. While the cable between those two is slow, two users see different \
            values. When the US returns it is handed what it missed, and all replicas hold the same.",
    requirements: &["000-14", "000-15"],
    corrections: &[],
    not_in: None,
    acts: outage,
};

fn outage() -> Result<Vec<Act>, PlanError> {
    let spec = PlanSpec {
        store: Some(StoreSpec {
            data_centres: Some("us:1,4:2 eu:2,5:2 asia:3,6:2".to_owned()),
            hints: Some("coordinator".to_owned()),
            ..StoreSpec::default()
        }),
        ..store(6, [6, 4, 4])
    };
    let mut play = Play::new("", &spec)?;
    let all = [1, 2, 3, 4, 5, 6];
    let seen = play.key("last-seen", &all);
    play.write(&seen, 1).named(Level::All);
    let dead = play.kill(&[1, 4]);
    play.sees(2, 3);
    play.sees(3, 3);
    play.write(&seen, 2).at(2).named(Level::LocalQuorum);
    play.comes_to_hold(
        &seen,
        &[(2, Some(2)), (3, Some(2)), (5, Some(2)), (6, Some(2))],
    );
    let links = between(&[2, 5], &[3, 6]);
    let slow = play.cut(
        "the cable between EU and Asia holds everything back",
        Cut::Hold,
        links,
    );
    play.write(&seen, 3)
        .at(2)
        .named(Level::LocalQuorum)
        .acked_by(&[2, 5]);
    play.tell("Two users, one in the EU and one in Asia:");
    play.read(&seen)
        .at(5)
        .by(1)
        .named(Level::LocalQuorum)
        .returns(3);
    play.read(&seen)
        .at(6)
        .by(2)
        .named(Level::LocalQuorum)
        .returns(2);
    play.heal(slow, "it passes on");
    play.heal(dead, "the US is back");
    play.comes_to_hold(&seen, &all.map(|node| (node, Some(3))));
    play.whole();
    play.read(&seen).at(1).named(Level::LocalQuorum).returns(3);
    play.finally(&seen, &all.map(|node| (node, Some(3))));
    play.found(Guarantee::Convergence, Count::None);
    Ok(vec![play.done()])
}
