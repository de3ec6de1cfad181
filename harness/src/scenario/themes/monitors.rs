//! What a node counts, so that somebody can watch it.

use crate::plan::{PlanError, PlanSpec, StoreSpec};
use crate::scenario::act::{Act, Measured, Scenario};
use crate::scenario::play::{Play, store, towards};
use crate::scenario::seen::Seen;
use crate::world::Counter;

pub(in crate::scenario) const MONITORS: Scenario = Scenario {
    name: "monitors",
    shows: "What to watch: writes that found their quorum and requests that did not, hints that wait, reads that found a stale replica, conflicts, and how long reads take. Each is driven up and read from \
            the node that counts it.",
    requirements: &["001-29", "004-24"],
    corrections: &[],
    not_in: None,
    acts: monitors,
};

fn monitors() -> Result<Vec<Act>, PlanError> {
    let spec = PlanSpec {
        read_repair: Some("async".to_owned()),
        store: Some(StoreSpec {
            versions: Some("dvv".to_owned()),
            hints: Some("coordinator".to_owned()),
            hint_interval: Some("1h".to_owned()),
            ..StoreSpec::default()
        }),
        ..store(3, [3, 2, 2])
    };
    let mut play = Play::new("", &spec)?;
    let x = play.key("x", &[1, 2, 3]);
    play.write(&x, 1).level(3);
    play.count(1, Counter::WritesOk).returns(1);
    play.count(1, Counter::Refused).returns(0);
    let dead = play.kill(&[3]);
    play.sees(1, 1);
    play.tell("Quorum failures: three of three are not to be had.");
    play.write(&x, 2).level(3).fails();
    play.count(1, Counter::Refused).returns(1);
    play.tell("Conflicts: a blind write beside the first one; and a hint for C, which is down.");
    play.write(&x, 3);
    play.count(1, Counter::SiblingsMade).returns(1);
    play.count(1, Counter::HintsPending).comes_to(1);
    play.heal(dead, "C is back; its hint will take an hour");
    play.whole();
    play.tell("Read repair: C is stale, and a read of all three finds it.");
    play.read(&x).level(3).returns_all(&[1, 3]).repairs(&[3]);
    play.count(1, Counter::ReadsRepaired).returns(1);
    play.tell("Latency: one slow replica is in every read of all three.");
    play.slow("what C says to A takes 100 ms", towards(&[3], &[1]), 100);
    play.together("reads of all three", |play| {
        for _ in 0..10 {
            play.read(&x).level(3).answered_by(&[1, 2, 3]);
        }
    });
    play.measure(latency);
    Ok(vec![play.done()])
}

fn latency(seen: &Seen) -> Measured {
    let reads = seen.steps().filter(|(name, _)| name.starts_with('r'));
    let took = reads.filter_map(|(_, step)| {
        let reply = step.reply.as_ref()?;
        Some(reply.at.since(step.asked).as_ms())
    });
    let mut took: Vec<f64> = took.collect();
    took.sort_by(f64::total_cmp);
    let quickest = took.first().copied().unwrap_or(0.0);
    // Of so few the 99th of 100 is the last.
    let p99 = took.last().copied().unwrap_or(0.0);
    let words =
        format!("the quickest read took {quickest:.1} ms, the 99th percentile is {p99:.1} ms");
    Measured::of(words, p99 >= 100.0, "100 ms or more")
}
