//! Quorums chosen per request, and the rows of the table of N=3.

use crate::fault::Cut;
use crate::plan::{PlanError, PlanSpec};
use crate::scenario::act::{Act, Count, Scenario};
use crate::scenario::play::{Play, store, towards};
use quorate_checkers::Guarantee;

pub(in crate::scenario) const PER_REQUEST: Scenario = Scenario {
    name: "levels-per-request",
    shows: "One store, four pairs of levels: QUORUM with QUORUM is fresh; ONE with QUORUM, QUORUM with ONE and ONE with ONE may miss what was acknowledged. \
            The feed may be stale, one's own profile is not: each read gets what its own level and that of the write give.",
    requirements: &["001-19", "001-20", "004-19", "003-09"],
    corrections: &[],
    not_in: None,
    acts: per_request,
};

fn per_request() -> Result<Vec<Act>, PlanError> {
    let mut play = Play::new("", &store(4, [3, 2, 2]))?;
    let post = play.key("post", &[1, 2, 3]);
    let like = play.key("like", &[1, 2, 3]);
    play.tell(
        "A post is written at QUORUM, a like at ONE; C hears of neither, and B not of the like.",
    );
    let cut = play.cut(
        "what n1 sends to C is lost",
        Cut::Reset,
        towards(&[1], &[3]),
    );
    play.write(&post, 1).at(1).acked_by(&[1, 2]);
    let other = play.cut(
        "what n1 sends to B is lost",
        Cut::Reset,
        towards(&[1], &[2]),
    );
    play.write(&like, 1).at(1).level(1).acked_by(&[1]);
    play.heal(other, "healed");
    play.heal(cut, "healed");
    play.whole();
    let cut = play.cut("C cannot ask A", Cut::Reset, towards(&[3], &[1]));
    play.tell("Write at QUORUM, read at QUORUM (one's own profile): fresh, whoever is asked.");
    play.read(&post)
        .at(3)
        .level(2)
        .answered_by(&[2, 3])
        .returns(1);
    play.tell("Write at QUORUM, read at ONE (the feed): stale at C.");
    play.read(&post)
        .at(3)
        .level(1)
        .answered_by(&[3])
        .returns(None);
    play.tell("Write at ONE, read at QUORUM: B and C know nothing of it.");
    play.read(&like)
        .at(3)
        .level(2)
        .answered_by(&[2, 3])
        .returns(None);
    play.tell("Write at ONE, read at ONE:");
    play.read(&like)
        .at(2)
        .level(1)
        .answered_by(&[2])
        .returns(None);
    play.heal(cut, "healed");
    play.found(Guarantee::FreshReads, Count::Exactly(3));
    play.promised(Guarantee::FreshReads, false);
    Ok(vec![play.done()])
}

pub(in crate::scenario) const FIVE_ROWS: Scenario = Scenario {
    name: "five-rows",
    shows: "The five rows of N=3, without read repair, each with a write that only A holds so far and two reads, one after the other, at A and at C. R=3 makes \
            it linearizable, also with W=1; W=3 does not: (3,1) and (2,2) return the new value and then the old.",
    requirements: &["001-18", "002-07", "004-04"],
    corrections: &["C-15"],
    not_in: None,
    acts: five_rows,
};

fn five_rows() -> Result<Vec<Act>, PlanError> {
    let rows = [[3, 3], [2, 2], [1, 1], [1, 3], [3, 1]];
    rows.into_iter().map(row).collect()
}

fn row([w, r]: [u16; 2]) -> Result<Act, PlanError> {
    let spec = PlanSpec {
        request_timeout: Some("10s".to_owned()),
        op_timeout: Some("20s".to_owned()),
        ..store(4, [3, r, w])
    };
    let mut play = Play::new(&format!("W={w}, R={r}"), &spec)?;
    let x = play.key("x", &[1, 2, 3]);
    play.write(&x, 1).at(1).level(3).acked_by(&[1, 2, 3]);
    let late = play.cut(
        "what n4 sends to B and C is on its way for long",
        Cut::Hold,
        towards(&[4], &[2, 3]),
    );
    let apart = (r < 3).then(|| play.cut("C cannot ask A", Cut::Reset, towards(&[3], &[1])));
    let write = play.write(&x, 2).at(4).by(1);
    if w == 1 {
        // A is enough: it is acknowledged before anybody reads.
        write.acked_by(&[1]);
    } else {
        write.meanwhile();
    }
    play.comes_to_hold(&x, &[(1, Some(2))]);
    play.read(&x).at(1).returns(2);
    play.read(&x).at(3).returns(if r == 3 { 2 } else { 1 });
    play.heal(late, "it arrives");
    play.join();
    if let Some(apart) = apart {
        play.heal(apart, "C can ask A again");
    }
    let is_linearizable = r == 3;
    let count = if is_linearizable {
        Count::None
    } else {
        Count::AtLeast(1)
    };
    play.promised(Guarantee::Linearizability, is_linearizable);
    play.found(Guarantee::Linearizability, count);
    let is_stale = w + r <= 3;
    play.promised(Guarantee::FreshReads, !is_stale);
    if w == 1 && r == 1 {
        play.tell("With W=1 the write was acknowledged before C was asked, so its answer is stale as well:");
        play.found(Guarantee::FreshReads, Count::Exactly(1));
    } else {
        play.found(Guarantee::FreshReads, Count::None);
    }
    Ok(play.done())
}

pub(in crate::scenario) const RING: Scenario = Scenario {
    name: "more-nodes-than-n",
    shows: "N is not the number of nodes: each key is on three of seven, which the ring says. Every node coordinates every key; the four that hold no \
            replica say so when they are asked for their own.",
    requirements: &["003-06", "001-01", "002-14"],
    corrections: &[],
    not_in: None,
    acts: ring,
};

fn ring() -> Result<Vec<Act>, PlanError> {
    let mut play = Play::new("", &store(7, [3, 2, 2]))?;
    let mine = play.key("a", &[1, 2, 3]);
    let other = play.key("b", &[4, 6, 7]);
    play.together("writes, one through each node", |play| {
        for node in 1..=7 {
            play.write(&mine, i64::from(node)).at(node);
            play.write(&other, i64::from(node)).at(node);
        }
    });
    for (key, replicas) in [(&mine, [1, 2, 3]), (&other, [4, 6, 7])] {
        play.comes_to_hold(key, &replicas.map(|node| (node, Some(7))));
        play.together(&format!("nodes that hold no replica of {key}"), |play| {
            for node in (1..=7).filter(|node| !replicas.contains(node)) {
                play.inspect_at(key, node).fails();
            }
        });
    }
    play.finally(&mine, &[(1, Some(7)), (2, Some(7)), (3, Some(7))]);
    Ok(vec![play.done()])
}

pub(in crate::scenario) const UNKNOWN: Scenario = Scenario {
    name: "unknown-write",
    shows: "A write that reaches one of three replicas is not refused, it is unknown: one read returns it, and the next does not. With blocking read repair \
            what was once read stays.",
    requirements: &["001-11", "002-08", "004-27"],
    corrections: &["C-20"],
    not_in: None,
    acts: unknown,
};

fn unknown() -> Result<Vec<Act>, PlanError> {
    let mut acts = Vec::new();
    for (title, repair, then) in [
        ("no read repair", "none", 1),
        ("blocking read repair", "blocking", 2),
    ] {
        let spec = PlanSpec {
            read_repair: Some(repair.to_owned()),
            ..store(4, [3, 2, 2])
        };
        let mut play = Play::new(title, &spec)?;
        let x = play.key("x", &[1, 2, 3]);
        play.write(&x, 1).at(1).level(3).acked_by(&[1, 2, 3]);
        let words = "what n4 sends to B and C does not arrive";
        play.cut(words, Cut::Hold, towards(&[4], &[2, 3]));
        play.cut("C cannot ask A", Cut::Reset, towards(&[3], &[1]));
        play.write(&x, 2).at(4).remains_unknown();
        play.holds(&x, &[(1, Some(2)), (2, Some(1)), (3, Some(1))]);
        play.tell(
            "The client was told that nobody knows. Then two others read, one after the other:",
        );
        play.read(&x).at(1).returns(2);
        play.read(&x).at(3).returns(then);
        let is_blocking = repair == "blocking";
        play.promised(Guarantee::NoInversion, is_blocking);
        let count = if is_blocking {
            Count::None
        } else {
            Count::Exactly(1)
        };
        play.found(Guarantee::NoInversion, count);
        acts.push(play.done());
    }
    Ok(acts)
}
