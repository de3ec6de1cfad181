//! Anti-entropy: replicas that compare hash trees, and what comes back that should not.

use crate::fault::Cut;
use crate::plan::{PlanError, PlanSpec, StoreSpec};
use crate::scenario::act::{Act, Count, Measured, Scenario};
use crate::scenario::play::{Play, between, store};
use crate::scenario::seen::Seen;
use crate::world::Counter;
use quorate_checkers::Guarantee;
use quorate_checkers::history::Value;

pub(in crate::scenario) const THREE_KEYS: Scenario = Scenario {
    name: "anti-entropy-three-keys",
    shows: "Two replicas and three keys: one is the same at both, of one A has the newer version, of one B. They compare hash trees and send each other what differs, one key \
            each way, without a read. What nobody reads is mended, too.",
    requirements: &["001-12", "001-13", "001-15", "001-17", "004-12"],
    corrections: &["C-13"],
    not_in: None,
    acts: three_keys,
};

fn three_keys() -> Result<Vec<Act>, PlanError> {
    let mut play = Play::new("", &store(2, [2, 1, 1]))?;
    let (same, newer_a, newer_b) = (
        play.key("key1", &[1, 2]),
        play.key("key2", &[1, 2]),
        play.key("key3", &[1, 2]),
    );
    for (key, value) in [(&same, 5), (&newer_a, 3), (&newer_b, 1)] {
        play.write(key, value).level(2).acked_by(&[1, 2]);
    }
    let cut = play.cut(
        "A and B do not reach each other",
        Cut::Reset,
        between(&[1], &[2]),
    );
    play.sees(1, 0);
    play.sees(2, 0);
    play.write(&newer_a, 7).at(1).acked_by(&[1]);
    play.write(&newer_b, 2).at(2).acked_by(&[2]);
    play.heal(cut, "they do again");
    play.whole();
    play.holds(&newer_a, &[(1, Some(7)), (2, Some(3))]);
    play.holds(&newer_b, &[(1, Some(1)), (2, Some(2))]);
    play.repair(1);
    for (key, value) in [(&same, 5), (&newer_a, 7), (&newer_b, 2)] {
        play.comes_to_hold(key, &[(1, Some(value)), (2, Some(value))]);
    }
    play.count(1, Counter::KeysMoved);
    play.count(1, Counter::TreeNodes);
    play.count(1, Counter::BytesMoved);
    play.found(Guarantee::Convergence, Count::None);
    Ok(vec![play.done()])
}

pub(in crate::scenario) const RESURRECTION: Scenario = Scenario {
    name: "tombstone-resurrection",
    shows: "A and B took a delete and forget its mark after a while; C missed it. Anti-entropy then finds a value at C that the others do not have, and brings it back. If a mark is \
            forgotten only once all replicas have it, it does not come back.",
    requirements: &["004-12"],
    corrections: &[],
    not_in: None,
    acts: resurrection,
};

fn resurrection() -> Result<Vec<Act>, PlanError> {
    let acts = [
        ("marks are forgotten by the clock", "after 300ms", true),
        (
            "marks are forgotten once all have them",
            "when-all-have 300ms",
            false,
        ),
    ];
    acts.into_iter()
        .map(|(title, purge, comes_back)| deleted(title, purge, comes_back))
        .collect()
}

fn deleted(title: &str, purge: &str, comes_back: bool) -> Result<Act, PlanError> {
    let spec = PlanSpec {
        store: Some(StoreSpec {
            purge: Some(purge.to_owned()),
            ..StoreSpec::default()
        }),
        ..store(3, [3, 2, 2])
    };
    let mut play = Play::new(title, &spec)?;
    let x = play.key("x", &[1, 2, 3]);
    play.write(&x, 1).level(3).acked_by(&[1, 2, 3]);
    let cut = play.cut("C cannot be reached", Cut::Reset, between(&[1, 2], &[3]));
    play.sees(1, 1);
    play.delete(&x).acked_by(&[1, 2]);
    if comes_back {
        play.count(1, Counter::TombstonesPurged).comes_to(1);
        play.count(2, Counter::TombstonesPurged).comes_to(1);
    }
    play.heal(cut, "C can be reached again");
    play.whole();
    play.repair(3);
    if comes_back {
        play.comes_to_hold(&x, &[(1, Some(1)), (2, Some(1)), (3, Some(1))]);
        play.read(&x).level(3).returns(1);
        play.found(Guarantee::NoResurrection, Count::AtLeast(1));
    } else {
        play.comes_to_hold(&x, &[(1, None), (2, None), (3, None)]);
        play.read(&x).level(3).returns(None);
        play.found(Guarantee::NoResurrection, Count::None);
    }
    Ok(play.done())
}

pub(in crate::scenario) const ONE_OF_MANY: Scenario = Scenario {
    name: "merkle-one-of-many",
    shows: "Two replicas with 200 keys, of which one differs: they compare the roots of their hash trees and descend where hashes differ, so that far fewer nodes are compared than there are \
            keys, and one key moves.",
    requirements: &["001-17", "002-10"],
    corrections: &["C-19"],
    not_in: None,
    acts: one_of_many,
};

fn one_of_many() -> Result<Vec<Act>, PlanError> {
    let mut play = Play::new("", &store(2, [2, 1, 1]))?;
    // Few ranges, so that their trees have something to hold.
    play.tokens(1);
    let keys: Vec<String> = (0..200).map(|_| play.key("k", &[1, 2])).collect();
    play.together("writes that both hold", |play| {
        for key in &keys {
            play.write(key, 1).level(2).acked_by(&[1, 2]);
        }
    });
    let odd = play.key("odd", &[1, 2]);
    let cut = play.cut(
        "A and B do not reach each other",
        Cut::Reset,
        between(&[1], &[2]),
    );
    play.sees(1, 0);
    play.write(&odd, 1).at(1).acked_by(&[1]);
    play.heal(cut, "they do again");
    play.whole();
    play.repair(1);
    play.comes_to_hold(&odd, &[(2, Some(1))]);
    play.count(1, Counter::KeysMoved).returns(1);
    play.count(1, Counter::TreeNodes);
    play.count(2, Counter::TreeNodes);
    play.measure(few_nodes);
    Ok(vec![play.done()])
}

fn few_nodes(seen: &Seen) -> Measured {
    let asked = seen.steps().filter(|(name, _)| name.starts_with('n'));
    let mut numbers: Vec<(u64, i64)> = asked
        .filter_map(|(name, step)| {
            let number = name.strip_prefix('n')?.parse().ok()?;
            match step.reply.as_ref()?.value {
                Value::Int(count) => Some((number, count)),
                _ => None,
            }
        })
        .collect();
    numbers.sort_unstable();
    // The last two are the nodes that each of the two compared.
    let nodes: i64 = numbers.iter().rev().take(2).map(|(_, count)| count).sum();
    let words = format!("{nodes} nodes of hash trees were compared for 201 keys");
    Measured::of(
        words,
        (1..200).contains(&nodes),
        "fewer than there are keys",
    )
}
