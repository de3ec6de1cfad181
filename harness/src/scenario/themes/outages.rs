//! Nodes that are down: what W and R survive, for a while and for good.

use crate::fault::Cut;
use crate::plan::{PlanError, PlanSpec};
use crate::scenario::act::{Act, Count, Measured, Scenario};
use crate::scenario::play::{Play, Struck, between, store};
use crate::scenario::seen::Seen;
use quorate_checkers::Guarantee;
use quorate_checkers::history::EventType;

/// Chance that a node is up: three nines, as in the notes.
const UP: f64 = 0.999;

pub(in crate::scenario) const STRICT_ONE_DOWN: Scenario = Scenario {
    name: "strict-quorum-one-down",
    shows: "Three replicas at QUORUM: with one of them killed every write and read succeeds, with two killed none does. Only A, B and C ever hold \
            the key: nobody stands in.",
    requirements: &["000-05", "000-09", "000-13", "001-21", "003-02", "003-07"],
    corrections: &["C-05", "C-17"],
    not_in: None,
    acts: strict_one_down,
};

fn strict_one_down() -> Result<Vec<Act>, PlanError> {
    let mut play = Play::new("", &store(5, [3, 2, 2]))?;
    let x = play.key("x", &[1, 2, 3]);
    play.write(&x, 1).at(4).level(3).acked_by(&[1, 2, 3]);
    play.kill(&[2]);
    play.tell("B is dead. Nobody elects anything, nobody waits:");
    play.together("writes that A and C acknowledge", |play| {
        for value in 2..=21 {
            play.write(&x, value).at(4).acked_by(&[1, 3]);
        }
    });
    play.together("reads that A and C answer", |play| {
        for _ in 0..20 {
            play.read(&x).at(5).answered_by(&[1, 3]).returns(21);
        }
    });
    play.measure(longest_write);
    play.kill(&[3]);
    play.tell("C is dead, too: one of three is no quorum.");
    play.together("writes that are not done", |play| {
        for value in 22..=24 {
            play.write(&x, value).at(4).stays_undone();
        }
    });
    play.together("reads that fail", |play| {
        for _ in 0..3 {
            play.read(&x).at(5).fails();
        }
    });
    play.tell("The other nodes hold nothing of the key, and say so:");
    play.inspect_at(&x, 4).fails();
    play.inspect_at(&x, 5).fails();
    play.found(Guarantee::FreshReads, Count::None);
    Ok(vec![play.done()])
}

fn longest_write(seen: &Seen) -> Measured {
    let gaps = seen.steps().filter(|(name, _)| name.starts_with('w'));
    let done = gaps.filter_map(|(_, step)| {
        let reply = step.reply.as_ref()?;
        (reply.kind == EventType::Ok).then(|| reply.at.since(step.asked).as_ms())
    });
    let longest = done.fold(0.0_f64, f64::max);
    let words = format!(
        "the slowest write that was done took {longest:.1} ms: there is no failover to wait for"
    );
    Measured::of(words, longest > 0.0, "that some write was done")
}

pub(in crate::scenario) const AVAILABILITY_N5: Scenario = Scenario {
    name: "availability-n5",
    shows: "Five replicas, killed one after the other: W=3 and R=3 go on with two of them down, W=2 with three, R=4 with one: N - W and N - R.",
    requirements: &["004-14", "003-05", "004-04"],
    corrections: &["C-17"],
    not_in: None,
    acts: availability_n5,
};

fn availability_n5() -> Result<Vec<Act>, PlanError> {
    let mut play = Play::new("", &store(6, [5, 3, 3]))?;
    let x = play.key("x", &[1, 2, 3, 4, 5]);
    play.tell("n6 is no replica of the key and asks n1 to n5.");
    play.write(&x, 1).at(6).level(5).acked_by(&[1, 2, 3, 4, 5]);
    for down in 0..=5_u16 {
        if down > 0 {
            play.kill(&[down]);
        }
        let up = 5 - down;
        for (level, value) in [(3, 10), (2, 20)] {
            let write = play.write(&x, value + i64::from(down)).at(6).level(level);
            if level > up {
                write.stays_undone();
            }
        }
        for level in [3, 4] {
            let read = play.read(&x).at(6).level(level);
            if level > up {
                read.fails();
            } else {
                read.returns(20 + i64::from(down));
            }
        }
    }
    play.found(Guarantee::FreshReads, Count::None);
    Ok(vec![play.done()])
}

pub(in crate::scenario) const THREE_NINES: Scenario = Scenario {
    name: "three-nines",
    shows: "How many nines three replicas have is counted, not guessed: W=2 survives one node, so that with three nodes of 99.9 % a write is possible in \
            99.9997 % of the time, 95 s a year short of always, and not in 99.9999 %.",
    requirements: &["000-12", "001-05"],
    corrections: &["C-01"],
    not_in: None,
    acts: three_nines,
};

fn three_nines() -> Result<Vec<Act>, PlanError> {
    let mut play = Play::new("", &store(4, [3, 2, 2]))?;
    let x = play.key("x", &[1, 2, 3]);
    play.tell("With none, one, two and three of the replicas killed, n4 asks for a write with W=2 and for one with W=1:");
    for down in 0..=3_u16 {
        if down > 0 {
            play.kill(&[down]);
        }
        let up = 3 - down;
        for level in [2, 1] {
            let value = i64::from(down) * 10 + i64::from(level);
            let write = play.write(&x, value).at(4).level(level);
            if level > up {
                write.stays_undone();
            }
        }
    }
    play.tell("The share of time in which so many are down, times what was possible then:");
    play.measure(nines_of_two);
    play.measure(nines_of_one);
    Ok(vec![play.done()])
}

fn nines_of_two(seen: &Seen) -> Measured {
    let seconds = missing_seconds(seen, 0);
    let words = format!(
        "W=2 of 3: possible in {:.7} % of the time, {seconds:.0} s a year short",
        share(seen, 0) * 100.0
    );
    Measured::of(
        words,
        (94.0..96.0).contains(&seconds),
        "99.9997002 %, 95 s a year",
    )
}

fn nines_of_one(seen: &Seen) -> Measured {
    let seconds = missing_seconds(seen, 1);
    let words = format!(
        "W=1 of 3: possible in {:.7} % of the time, {seconds:.3} s a year short: that is where 0.001 to the third belongs",
        share(seen, 1) * 100.0
    );
    Measured::of(
        words,
        (0.03..0.04).contains(&seconds),
        "99.9999999 %, 0.03 s a year",
    )
}

fn missing_seconds(seen: &Seen, place: usize) -> f64 {
    (1.0 - share(seen, place)) * 365.25 * 86_400.0
}

/// The share of time in which the writes in this place, one per number of dead nodes, were done.
fn share(seen: &Seen, place: usize) -> f64 {
    let writes: Vec<bool> = (1..=8)
        .map(|number| {
            let reply = seen.reply(&format!("w{number}"));
            reply.is_some_and(|reply| reply.kind == EventType::Ok)
        })
        .collect();
    let chances = [1.0, 3.0, 3.0, 1.0];
    let parts = chances.iter().zip([0, 1, 2, 3]).zip(writes.chunks(2));
    parts
        .filter(|(_, done)| done.get(place).is_some_and(|&done| done))
        .map(|((ways, down), _)| ways * (1.0 - UP).powi(down) * UP.powi(3 - down))
        .sum()
}

pub(in crate::scenario) const PERMANENT_LOSS: Scenario = Scenario {
    name: "permanent-loss",
    shows: "N=5 W=3 R=3 and two nodes that never come back: W=3 now needs all three that are left, and the next failure ends it, until somebody lowers W. \
            What was acknowledged by fewer nodes than are lost is lost with them.",
    requirements: &["004-23", "002-15"],
    corrections: &[],
    not_in: None,
    acts: permanent_loss,
};

fn permanent_loss() -> Result<Vec<Act>, PlanError> {
    let mut play = Play::new("two of five are gone for good", &store(6, [5, 3, 3]))?;
    let x = play.key("x", &[1, 2, 3, 4, 5]);
    play.write(&x, 1).at(6).level(5).acked_by(&[1, 2, 3, 4, 5]);
    play.kill(&[4, 5]);
    play.write(&x, 2).at(6).acked_by(&[1, 2, 3]);
    play.read(&x).at(6).answered_by(&[1, 2, 3]).returns(2);
    let third = play.kill(&[3]);
    play.tell("A third one fails, only for a while, and neither writes nor reads get their three:");
    play.write(&x, 3).at(6).stays_undone();
    play.read(&x).at(6).fails();
    play.tell("Somebody lowers W and R to 2 of the three that are left:");
    play.write(&x, 4).at(6).level(2).acked_by(&[1, 2]);
    play.read(&x).at(6).level(2).answered_by(&[1, 2]).returns(4);
    play.heal(third, "the third is back");
    play.measure(of_three);
    let mut acts = vec![play.done()];
    acts.push(forgotten(
        "W=1, and the one that acknowledged loses its disk",
        1,
        1,
    )?);
    acts.push(forgotten("W=2, and one of the two loses its disk", 2, 1)?);
    acts.push(forgotten(
        "W=3, and two of the three lose their disks",
        3,
        2,
    )?);
    Ok(acts)
}

/// The arithmetic of the same: what of three and of five nodes of three nines is down too often.
fn of_three(_: &Seen) -> Measured {
    let q = 1.0 - UP;
    let (five, three) = (
        10.0 * q.powi(3) * UP.powi(2) + 5.0 * q.powi(4) * UP + q.powi(5),
        1.0 - UP.powi(3),
    );
    let factor = three / five;
    let words = format!(
        "of nodes of 99.9 %: 3 of 5 are missing in {five:.2e} of the time, 3 of 3 in {three:.2e}: {factor:.0} times as often"
    );
    Measured::of(
        words,
        (299_000.0..302_000.0).contains(&factor),
        "about 300,000 times",
    )
}

/// A write that `w` of three replicas acknowledge, of which the first `lost` forget everything, as if their disks were new.
fn forgotten(title: &str, w: u16, lost: u16) -> Result<Act, PlanError> {
    let spec = PlanSpec {
        // Longer than the act: what is not synced is only in memory, and a kill takes it.
        sync: Some("every 60s".to_owned()),
        ..store(3, [3, 1, w])
    };
    let mut play = Play::new(title, &spec)?;
    let x = play.key("x", &[1, 2, 3]);
    let holders: Vec<u16> = (1..=w).collect();
    let others: Vec<u16> = (w + 1..=3).collect();
    let cut = (!others.is_empty()).then(|| apart(&mut play, &holders, &others));
    play.write(&x, 1).at(1).acked_by(&holders);
    let gone: Vec<u16> = (1..=lost).collect();
    let dead = play.kill(&gone);
    play.heal(dead, "they are replaced by nodes that know nothing");
    if let Some(cut) = cut {
        play.heal(cut, "healed");
    }
    let is_lost = w <= lost;
    let holds: Vec<(u16, Option<i64>)> = (1..=3)
        .map(|node| (node, (node > lost && node <= w).then_some(1)))
        .collect();
    play.finally(&x, &holds);
    play.found(
        Guarantee::NoLostWrites,
        if is_lost {
            Count::Exactly(1)
        } else {
            Count::None
        },
    );
    Ok(play.done())
}

fn apart(play: &mut Play, holders: &[u16], others: &[u16]) -> Struck {
    let words = "the others do not hear of it";
    play.cut(words, Cut::Reset, between(holders, others))
}

pub(in crate::scenario) const TWO_OF_FOUR: Scenario = Scenario {
    name: "two-of-four",
    shows: "Four replicas, two in the US and two in the EU, and no link between: at levels ONE and TWO both sides go on, at QUORUM, which is three of four, \
            neither does. When the link is back all replicas come to hold the same.",
    requirements: &["000-06", "000-08", "000-16", "000-17"],
    corrections: &["C-03"],
    not_in: None,
    acts: two_of_four,
};

fn two_of_four() -> Result<Vec<Act>, PlanError> {
    let mut play = Play::new("", &store(4, [4, 3, 3]))?;
    let x = play.key("x", &[1, 2, 3, 4]);
    play.tell("n1 and n3 are in the US, n2 and n4 in the EU. N=4, so that a majority is three.");
    play.write(&x, 1).at(1).level(4).acked_by(&[1, 2, 3, 4]);
    let cut = play.cut(
        "the ocean cable is cut: nothing passes between US and EU for now",
        Cut::Hold,
        between(&[1, 3], &[2, 4]),
    );
    for (level, us, eu) in [(1, 11, 12), (2, 21, 22)] {
        play.write(&x, us).at(1).level(level);
        play.write(&x, eu).at(2).level(level);
    }
    play.tell("Both sides serve, and each sees its own:");
    play.read(&x)
        .at(3)
        .level(2)
        .answered_by(&[1, 3])
        .returns(21);
    play.read(&x)
        .at(4)
        .level(2)
        .answered_by(&[2, 4])
        .returns(22);
    play.tell("At QUORUM neither side does:");
    play.write(&x, 31).at(1).remains_unknown();
    play.write(&x, 32).at(2).remains_unknown();
    play.read(&x).at(3).fails();
    play.read(&x).at(4).fails();
    play.heal(cut, "the cable is back, and everything arrives");
    play.tell("The newest wins everywhere, also over what was acknowledged on the other side; unknown was the right word for the last two:");
    let newest = [(1, Some(32)), (2, Some(32)), (3, Some(32)), (4, Some(32))];
    play.comes_to_hold(&x, &newest);
    play.finally(&x, &newest);
    play.found(Guarantee::Convergence, Count::None);
    Ok(vec![play.done()])
}
