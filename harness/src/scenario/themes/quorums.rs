//! What W and R mean: who must acknowledge, who must answer, and why the two sets meet.

use crate::fault::Cut;
use crate::plan::PlanError;
use crate::scenario::act::{Act, Count, Scenario};
use crate::scenario::play::{Play, between, names, store, towards};
use quorate_checkers::Guarantee;

pub(in crate::scenario) const BASICS: Scenario = Scenario {
    name: "quorum-basics",
    shows: "With N=3 and W=2 a write is acknowledged although one replica misses it. A read with R=2 returns it, even if it asks the replica that \
            missed it: the two sets share a replica, and the newest version wins.",
    requirements: &["001-02", "004-01", "004-02", "004-15"],
    corrections: &["C-17"],
    not_in: None,
    acts: basics,
};

fn basics() -> Result<Vec<Act>, PlanError> {
    let mut play = Play::new("", &store(3, [3, 2, 2]))?;
    let x = play.key("x", &[1, 2, 3]);
    play.tell(
        "A, B and C are n1, n2 and n3: three replicas of x, N=3 W=2 R=2. All hold version 3.",
    );
    play.write(&x, 3).level(3).acked_by(&[1, 2, 3]);
    let cut = play.cut(
        "C cannot be reached: what A and B send it is lost",
        Cut::Reset,
        between(&[1, 2], &[3]),
    );
    play.tell("A write needs W acknowledgements, not N: C fails, and the write does not.");
    play.write(&x, 5).acked_by(&[1, 2]);
    play.holds(&x, &[(1, Some(5)), (2, Some(5)), (3, Some(3))]);
    play.heal(
        cut,
        "C can be reached again, and knows nothing of what it missed",
    );
    play.whole();
    play.tell("A read hears R replicas and returns the newest of what they say.");
    play.read(&x).level(3).answered_by(&[1, 2, 3]).returns(5);
    play.read(&x).at(3).returns(5);
    play.holds(&x, &[(3, Some(3))]);
    play.found(Guarantee::FreshReads, Count::None);
    Ok(vec![play.done()])
}

pub(in crate::scenario) const N5_W3_TWO_DOWN: Scenario = Scenario {
    name: "n5-w3-two-down",
    shows: "N=5 W=3 R=3 with two replicas out of reach: the write is acknowledged by A, C and D, which then hold version 5, while B and E hold \
            version 4. Every read of three returns version 5, and a stale replica that is asked is repaired.",
    requirements: &["001-04", "001-08", "001-09", "001-10", "001-11"],
    corrections: &[],
    not_in: None,
    acts: n5_w3_two_down,
};

fn n5_w3_two_down() -> Result<Vec<Act>, PlanError> {
    let mut spec = store(5, [5, 3, 3]);
    spec.read_repair = Some("blocking".to_owned());
    let mut play = Play::new("", &spec)?;
    let name = play.key("name", &[1, 2, 3, 4, 5]);
    play.tell("A to E are n1 to n5. All hold version 4 (Bob).");
    play.write(&name, 4).level(5).acked_by(&[1, 2, 3, 4, 5]);
    let cut = play.cut(
        "B and E cannot be reached, and will time out",
        Cut::Reset,
        between(&[1, 3, 4], &[2, 5]),
    );
    play.write(&name, 5).acked_by(&[1, 3, 4]);
    let states = [
        (1, Some(5)),
        (2, Some(4)),
        (3, Some(5)),
        (4, Some(5)),
        (5, Some(4)),
    ];
    play.holds(&name, &states);
    play.tell("Three hold version 5 (Alice), two hold version 4. A read of A, C and D:");
    play.read(&name).answered_by(&[1, 3, 4]).returns(5);
    play.heal(cut, "B and E can be reached again");
    play.whole();
    play.holds(&name, &states);
    play.tell("One of the replicas that a read asks still says Bob. The newest wins, and the stale one is told.");
    play.read(&name).at(2).returns(5);
    play.holds(&name, &[(2, Some(5))]);
    play.found(Guarantee::FreshReads, Count::None);
    play.found(Guarantee::NoInversion, Count::None);
    Ok(vec![play.done()])
}

pub(in crate::scenario) const NEWEST_WINS: Scenario = Scenario {
    name: "newest-wins-not-majority",
    shows: "There is no vote: a read returns the newest version among its answers, even if one replica of three holds it and two hold an \
            older one. Any node may be asked, replica or not.",
    requirements: &["001-01", "002-14"],
    corrections: &["C-07"],
    not_in: None,
    acts: newest_wins,
};

fn newest_wins() -> Result<Vec<Act>, PlanError> {
    let mut play = Play::new("", &store(5, [3, 2, 2]))?;
    let x = play.key("x", &[1, 2, 3]);
    play.write(&x, 1).level(3).acked_by(&[1, 2, 3]);
    let cut = play.cut("A is alone", Cut::Reset, between(&[1], &[2, 3]));
    play.write(&x, 2).level(1).acked_by(&[1]);
    play.heal(cut, "A is back among the others");
    play.whole();
    play.holds(&x, &[(1, Some(2)), (2, Some(1)), (3, Some(1))]);
    play.tell("Two of three say 1. Every node is asked to coordinate, also n4 and n5, which hold no replica:");
    for node in 1..=5 {
        play.read(&x)
            .at(node)
            .level(3)
            .answered_by(&[1, 2, 3])
            .returns(2);
    }
    play.tell("One of three was enough.");
    Ok(vec![play.done()])
}

pub(in crate::scenario) const OVERLAP_N3: Scenario = Scenario {
    name: "overlap-n3",
    shows: "W=2 and R=2 of N=3: all nine pairs of a write set and a read set share a replica, so that a read which begins after an \
            acknowledgement returns what was acknowledged.",
    requirements: &["004-03", "004-05"],
    corrections: &["C-20"],
    not_in: None,
    acts: overlap_n3,
};

fn overlap_n3() -> Result<Vec<Act>, PlanError> {
    let mut play = Play::new("", &store(4, [3, 2, 2]))?;
    play.tell("n4 is no replica and asks n1, n2 and n3. Which of them a write reaches, and which a read asks, is decided by cutting links.");
    overlap(&mut play, &[1, 2, 3], 2, 4);
    play.found(Guarantee::FreshReads, Count::None);
    play.promised(Guarantee::FreshReads, true);
    Ok(vec![play.done()])
}

pub(in crate::scenario) const OVERLAP_N5: Scenario = Scenario {
    name: "overlap-n5",
    shows: "W=3 and R=3 of N=5: all hundred pairs of a write set and a read set share a replica.",
    requirements: &["004-03"],
    corrections: &[],
    not_in: None,
    acts: overlap_n5,
};

fn overlap_n5() -> Result<Vec<Act>, PlanError> {
    let mut play = Play::new("", &store(6, [5, 3, 3]))?;
    play.tell("n6 is no replica and asks n1 to n5. Which of them a write reaches, and which a read asks, is decided by cutting links.");
    overlap(&mut play, &[1, 2, 3, 4, 5], 3, 6);
    play.found(Guarantee::FreshReads, Count::None);
    Ok(vec![play.done()])
}

/// Writes a key of its own for each pair of a write set and a read set of `quorum` replicas, and reads it back.
fn overlap(play: &mut Play, replicas: &[u16], quorum: usize, coordinator: u16) {
    let sets = subsets(replicas, quorum);
    let others = |set: &[u16]| -> Vec<u16> {
        let outside = replicas.iter().copied();
        outside.filter(|node| !set.contains(node)).collect()
    };
    let keys: Vec<Vec<String>> = sets
        .iter()
        .map(|_| sets.iter().map(|_| play.key("k", replicas)).collect())
        .collect();
    for (set, keys) in sets.iter().zip(&keys) {
        let words = format!(
            "what n{coordinator} sends to {} is lost",
            names(&others(set))
        );
        let cut = play.cut(&words, Cut::Reset, towards(&[coordinator], &others(set)));
        let words = format!("writes that {} acknowledge", names(set));
        play.together(&words, |play| {
            for (value, key) in (1..).zip(keys) {
                play.write(key, value).at(coordinator).acked_by(set);
            }
        });
        play.heal(cut, "healed");
        play.whole();
    }
    for (column, set) in sets.iter().enumerate() {
        let words = format!(
            "what n{coordinator} sends to {} is lost",
            names(&others(set))
        );
        let cut = play.cut(&words, Cut::Reset, towards(&[coordinator], &others(set)));
        let words = format!(
            "reads that {} answer, each with what was written",
            names(set)
        );
        let value = i64::try_from(column).unwrap_or(0) + 1;
        play.together(&words, |play| {
            for key in keys.iter().filter_map(|row| row.get(column)) {
                play.read(key)
                    .at(coordinator)
                    .answered_by(set)
                    .returns(value);
            }
        });
        play.heal(cut, "healed");
        play.whole();
    }
}

/// All sets of `count` of these, each in order.
fn subsets(of: &[u16], count: usize) -> Vec<Vec<u16>> {
    let Some((first, rest)) = of.split_first().filter(|_| count > 0) else {
        return if count == 0 {
            vec![Vec::new()]
        } else {
            Vec::new()
        };
    };
    let mut with = subsets(rest, count - 1);
    for set in &mut with {
        set.insert(0, *first);
    }
    with.extend(subsets(rest, count));
    with
}
