//! A store with one leader beside the leaderless one: what its failure costs, and what it loses.

use crate::fault::Cut;
use crate::plan::{PlanError, PlanSpec, StoreSpec};
use crate::scenario::act::{Act, Count, Measured, Scenario};
use crate::scenario::play::{Play, between, store};
use crate::scenario::seen::Seen;
use crate::world::Counter;
use quorate_checkers::Guarantee;
use quorate_checkers::history::EventType;

/// Three nodes, one of which leads.
fn led(change: impl FnOnce(&mut StoreSpec)) -> PlanSpec {
    let mut spec = StoreSpec {
        leader: Some("async".to_owned()),
        ..StoreSpec::default()
    };
    change(&mut spec);
    PlanSpec {
        store: Some(spec),
        ..store(3, [3, 2, 2])
    }
}

pub(in crate::scenario) const OUTAGE: Scenario = Scenario {
    name: "failover-outage",
    shows: "The leader dies. Followers go on answering reads, but until the silence is acted on, another node is elected and serves, no write is done; then the old leader returns and follows. \
            Without a leader one of three dies, and the next write is done.",
    requirements: &["000-01", "000-02", "000-13", "001-03", "002-02", "002-04"],
    corrections: &[],
    not_in: None,
    acts: outage,
};

fn outage() -> Result<Vec<Act>, PlanError> {
    let spec = led(|store| {
        store.detect = Some("2s".to_owned());
        store.leader_reads = Some("any".to_owned());
    });
    let mut play = Play::new("one leader, taken for dead after 2 s of silence", &spec)?;
    let x = play.key("x", &[1, 2, 3]);
    play.find_leader(1);
    play.write(&x, 1).at(1);
    play.comes_to_hold(&x, &[(2, Some(1)), (3, Some(1))]);
    let dead = play.kill(&[1]);
    play.tell("That was the leader. The others have not missed it yet:");
    play.read(&x).at(2).returns(1);
    play.read(&x).at(3).returns(1);
    play.write(&x, 2).at(2).stays_undone();
    play.tell("A new one is found:");
    play.find_leader(2);
    play.write(&x, 3).at(2);
    play.count(2, Counter::DetectMs);
    play.count(2, Counter::ElectMs);
    play.count(2, Counter::OpenMs);
    play.measure(until_the_next_write);
    play.heal(dead, "the old leader is back, as a follower");
    play.comes_to_hold(&x, &[(1, Some(3)), (2, Some(3)), (3, Some(3))]);
    let mut without = Play::new("no leader", &store(3, [3, 2, 2]))?;
    let x = without.key("x", &[1, 2, 3]);
    without.write(&x, 1).at(1);
    without.kill(&[1]);
    without.write(&x, 2).at(2).acked_by(&[2, 3]);
    without.measure(until_the_next_write);
    Ok(vec![play.done(), without.done()])
}

fn until_the_next_write(seen: &Seen) -> Measured {
    let died = seen.fault("f1", "installed").map(|fault| fault.at);
    let done = seen
        .steps()
        .filter(|(name, _)| name.starts_with('w'))
        .filter_map(|(_, step)| step.reply.as_ref())
        .filter(|reply| reply.kind == EventType::Ok)
        .map(|reply| reply.at);
    let next = done.filter(|at| Some(*at) > died).min();
    let waited = died.zip(next).map(|(died, next)| next.since(died).as_ms());
    match waited {
        Some(ms) => {
            let words = format!("from the death to the next write that was done: {ms:.0} ms");
            Measured::of(words, true, "")
        }
        None => Measured::of(
            "no write was done after it".to_owned(),
            false,
            "that one is",
        ),
    }
}

pub(in crate::scenario) const US_EU: Scenario = Scenario {
    name: "us-eu-partition",
    shows: "The leader is in the US, with a majority, and the link to the EU is cut: no write of the EU is done until the link is back, while the US goes on. Reads in the EU are answered from what \
            it has, and are stale.",
    requirements: &["000-03", "000-07"],
    corrections: &[],
    not_in: None,
    acts: us_eu,
};

fn us_eu() -> Result<Vec<Act>, PlanError> {
    let spec = led(|store| {
        store.leader = Some("majority".to_owned());
        store.leader_reads = Some("any".to_owned());
    });
    let mut play = Play::new("", &spec)?;
    let x = play.key("x", &[1, 2, 3]);
    play.find_leader(1);
    play.tell("The leader and one follower are in the US, the other follower is in the EU.");
    play.write(&x, 1).at(3);
    play.comes_to_hold(&x, &[(1, Some(1)), (2, Some(1)), (3, Some(1))]);
    let links = between(&[1, 2], &[3]);
    let cut = play.cut("US and EU do not reach each other", Cut::Reset, links);
    play.sees(3, 0);
    play.together("writes of the EU, of which none is done", |play| {
        for value in 2..=4 {
            play.write(&x, value).at(3).stays_undone();
        }
    });
    play.write(&x, 5).at(1);
    play.write(&x, 6).at(2);
    play.read(&x).at(3).returns(1);
    play.heal(cut, "the link is back");
    play.comes_to_hold(&x, &[(3, Some(6))]);
    play.whole();
    play.write(&x, 7).at(3);
    play.read(&x).at(1).returns(7);
    play.found(Guarantee::FreshReads, Count::Exactly(1));
    Ok(vec![play.done()])
}

pub(in crate::scenario) const LOSES: Scenario = Scenario {
    name: "failover-loses",
    shows: "An asynchronous leader acknowledges a write that nobody else has yet, and dies: its successor does not know of it, and when the old leader returns it throws the write away. If an \
            acknowledgement waits for one follower, and a promotion for a majority, nothing acknowledged is lost.",
    requirements: &["000-04", "002-02"],
    corrections: &["C-21"],
    not_in: None,
    acts: loses,
};

fn loses() -> Result<Vec<Act>, PlanError> {
    Ok(vec![
        alone("asynchronous", "async", true)?,
        alone("one follower must have it", "semi-sync 1", false)?,
    ])
}

/// A write that only the leader can have, and then its death.
fn alone(title: &str, replication: &str, is_acked: bool) -> Result<Act, PlanError> {
    let spec = led(|store| store.leader = Some(replication.to_owned()));
    let mut play = Play::new(title, &spec)?;
    let x = play.key("x", &[1, 2, 3]);
    play.find_leader(1);
    play.write(&x, 1).at(1);
    play.comes_to_hold(&x, &[(1, Some(1)), (2, Some(1)), (3, Some(1))]);
    let links = between(&[1], &[2, 3]);
    let cut = play.cut("nothing that the leader says arrives", Cut::Reset, links);
    let write = play.write(&x, 2).at(1);
    if !is_acked {
        write.stays_undone();
    }
    let dead = play.kill(&[1]);
    play.find_leader(2);
    play.read(&x).at(2).returns(1);
    play.heal(cut, "the links are whole again");
    play.heal(dead, "the old leader is back, and follows");
    play.comes_to_hold(&x, &[(1, Some(1)), (2, Some(1)), (3, Some(1))]);
    play.finally(&x, &[(1, Some(1)), (2, Some(1)), (3, Some(1))]);
    let count = if is_acked {
        Count::Exactly(1)
    } else {
        Count::None
    };
    play.found(Guarantee::NoLostWrites, count);
    Ok(play.done())
}

pub(in crate::scenario) const SPLIT_BRAIN: Scenario = Scenario {
    name: "split-brain",
    shows: "The old leader is cut off and does not know that it was replaced: it goes on accepting, and so does the new one. One of two acknowledged writes is lost, and a read at the old leader is \
            stale. With a majority for every write, a lease and fencing, the old leader serves nothing.",
    requirements: &["002-05", "000-16"],
    corrections: &["C-21"],
    not_in: None,
    acts: split_brain,
};

fn split_brain() -> Result<Vec<Act>, PlanError> {
    let careless = led(|store| {
        store.lease = Some("none".to_owned());
        store.fencing = Some(false);
    });
    let careful = led(|store| store.leader = Some("majority".to_owned()));
    Ok(vec![
        two_leaders("asynchronous, no lease, no fencing", &careless, true)?,
        two_leaders("a majority, a lease and fencing", &careful, false)?,
    ])
}

fn two_leaders(title: &str, spec: &PlanSpec, both: bool) -> Result<Act, PlanError> {
    let mut play = Play::new(title, spec)?;
    let x = play.key("x", &[1, 2, 3]);
    play.find_leader(1);
    play.write(&x, 1).at(1);
    play.comes_to_hold(&x, &[(1, Some(1)), (2, Some(1)), (3, Some(1))]);
    let links = between(&[1], &[2, 3]);
    let cut = play.cut(
        "the leader and the others do not reach each other",
        Cut::Reset,
        links,
    );
    play.find_leader(2);
    play.tell("The new one waits until the lease of the old one is over, if there are leases, and serves:");
    play.read(&x).at(2).by(2).comes_to(1);
    play.write(&x, 20).at(2);
    let write = play.write(&x, 10).at(1);
    if both {
        play.tell("Both have acknowledged. Each side reads its own:");
        play.read(&x).at(1).by(1).returns(10);
    } else {
        write.stays_undone();
        play.read(&x).at(1).by(1).fails();
    }
    play.read(&x).at(2).by(2).returns(20);
    play.heal(cut, "the links are whole again");
    play.comes_to_hold(&x, &[(1, Some(20)), (2, Some(20)), (3, Some(20))]);
    play.finally(&x, &[(1, Some(20)), (2, Some(20)), (3, Some(20))]);
    let count = if both { Count::AtLeast(1) } else { Count::None };
    play.found(Guarantee::Linearizability, count);
    Ok(play.done())
}

pub(in crate::scenario) const DYNAMODB: Scenario = Scenario {
    name: "dynamodb-reads",
    shows: "DynamoDB is not leaderless: one leader per partition serves writes, acknowledged by a majority, and strongly consistent reads. An eventually consistent read is answered by any replica from what it \
            has, and may be stale.",
    requirements: &["001-25"],
    corrections: &["C-08"],
    not_in: None,
    acts: dynamodb,
};

fn dynamodb() -> Result<Vec<Act>, PlanError> {
    let act = |title: &str, reads: &str| -> Result<Act, PlanError> {
        let spec = led(|store| {
            store.leader = Some("majority".to_owned());
            store.leader_reads = Some(reads.to_owned());
        });
        let mut play = Play::new(title, &spec)?;
        let x = play.key("x", &[1, 2, 3]);
        play.find_leader(1);
        play.write(&x, 1).at(1);
        play.comes_to_hold(&x, &[(1, Some(1)), (2, Some(1)), (3, Some(1))]);
        let links = between(&[1, 2], &[3]);
        let cut = play.cut("one replica is cut off", Cut::Reset, links);
        play.sees(3, 0);
        play.write(&x, 2).at(2);
        play.tell("Any node passes writes on to the leader. Two of three have it:");
        play.read(&x).at(1).returns(2);
        let is_stale = reads == "any";
        let read = play.read(&x).at(3);
        if is_stale {
            read.returns(1);
        } else {
            read.fails();
        }
        play.heal(cut, "it is back");
        play.comes_to_hold(&x, &[(3, Some(2))]);
        let count = if is_stale {
            Count::Exactly(1)
        } else {
            Count::None
        };
        play.found(Guarantee::FreshReads, count);
        Ok(play.done())
    };
    Ok(vec![
        act("eventually consistent reads", "any")?,
        act("strongly consistent reads", "leader")?,
    ])
}
