//! Failovers as timelines: who notices, who is promoted, how long that takes, and what becomes of the old leader.

use crate::config::NodeId;
use crate::protocol::leader::{
    LeaderConfig, LeaderReply, Phase, PhaseEvent, Promotion, Reads, Replication, Role,
};

use super::world::{
    A, B, C, MS, Weather, World, acked_by, config, get, put, refused, semi_sync, unknown, value,
};

fn phases(world: &World, node: NodeId, since: u64) -> Vec<PhaseEvent> {
    let node = world.node(node).expect("a node that is up");
    node.phases()
        .filter(|event| event.to_ns >= since)
        .copied()
        .collect()
}

fn only(events: &[PhaseEvent], phase: Phase) -> PhaseEvent {
    let mut found = events.iter().filter(|event| event.phase == phase);
    let event = found
        .next()
        .unwrap_or_else(|| panic!("no {phase:?} in {events:?}"));
    assert!(found.next().is_none(), "two of {phase:?} in {events:?}");
    *event
}

/// The leader dies: `|- writes -| detect | elect | open |- writes -|`, and followers answer reads all the time.
#[test]
fn writes_stop_until_the_next_leader_serves_and_followers_serve_reads() {
    let mut world = World::led(LeaderConfig {
        reads: Reads::Any,
        ..config()
    });
    acked_by(&world.put(A, "1"));
    world.run(20 * MS);
    let died = world.now;
    world.kill(A);
    let mut served = None;
    while served.is_none() {
        assert!(world.now < died + 500 * MS, "an election takes no longer");
        for node in [B, C] {
            assert_eq!(value(&world.get(node)).as_deref(), Some("1"));
            if let LeaderReply::Written { .. } = world.put(node, "2") {
                served = Some(world.now);
            }
        }
        world.run(MS);
    }
    let leader = world.leader().expect("it served");
    let other = if leader == B { C } else { B };
    let seen = phases(&world, leader, died);
    let detect = only(&seen, Phase::Detect);
    let elect = only(&seen, Phase::Elect);
    let open = only(&seen, Phase::Open);
    assert!(detect.from_ns <= died && detect.to_ns >= detect.from_ns + 40 * MS);
    assert_eq!((detect.to_ns, elect.to_ns), (elect.from_ns, open.from_ns));
    assert!(open.to_ns <= served.expect("it served"));
    for event in [detect, elect, open] {
        assert_eq!(event.term, world.status(leader).term);
    }
    let redirect = only(&phases(&world, other, died), Phase::Redirect);
    assert_eq!(redirect.term, open.term);
    assert!(redirect.to_ns >= elect.to_ns && redirect.from_ns >= elect.from_ns);

    world.start(A);
    world.run(100 * MS);
    let rejoin = only(&phases(&world, A, died), Phase::Rejoin);
    assert_eq!(rejoin.term, open.term);
    assert!(rejoin.from_ns > died && rejoin.to_ns > rejoin.from_ns);
    assert_eq!(world.status(A).leader, Some(leader));
    assert_eq!(world.held(A).as_deref(), Some("2"));
}

#[test]
fn a_new_leader_serves_nothing_until_the_old_lease_is_over() {
    let lease_ms = 200;
    let mut world = World::led(LeaderConfig {
        lease_ms: Some(lease_ms),
        ..config()
    });
    let heard = world.now;
    world.kill(A);
    world.run(120 * MS);
    let leader = world.leader().expect("elected by now");
    for ask in [get("k"), put("k", "1")] {
        assert!(refused(&world.call(leader, ask)).contains("may still hold a lease"));
    }
    world.run(lease_ms * MS);
    acked_by(&world.put(leader, "1"));
    let open = only(&phases(&world, leader, heard), Phase::Open);
    // Followers last heard it at most one heartbeat and its way before it died.
    assert!(open.to_ns >= heard - 11 * MS + lease_ms * MS);
}

#[test]
fn a_voter_that_was_restarted_does_not_know_what_it_promised() {
    let lease_ms = 200;
    let mut world = World::led(LeaderConfig {
        lease_ms: Some(lease_ms),
        ..config()
    });
    world.isolate(&[A]);
    world.kill(B);
    world.kill(C);
    let restarted = world.now;
    world.start(B);
    world.start(C);
    world.run(120 * MS);
    let leader = world.leader().expect("elected by now");
    assert_ne!(leader, A);
    world.run(300 * MS);
    let open = only(&phases(&world, leader, restarted), Phase::Open);
    assert!(open.to_ns >= restarted + lease_ms * MS);
}

/// A writes "1" with a copy on B only, and dies. Who follows it, and what do they have? Over many seeds, so that each notices first.
fn after_a_copy_on_b(promotion: Promotion) -> Vec<(NodeId, Option<String>)> {
    let outcome = |seed| {
        let config = LeaderConfig {
            promotion,
            ..LeaderConfig {
                replication: semi_sync(1),
                ..config()
            }
        };
        let mut world = World::new(config, 3, Weather::CALM, seed);
        // Epochs choose the jitter: another for each seed.
        for _ in 0..seed {
            world.kill(C);
            world.start(C);
        }
        world.run(100 * MS);
        assert_eq!(world.leader(), Some(A));
        world.cut.extend([(A, C)]);
        assert_eq!(acked_by(&world.put(A, "1")), [A, B]);
        world.kill(A);
        world.run(300 * MS);
        let leader = world.leader().expect("elected by now");
        (leader, value(&world.get(leader)))
    };
    (0..12).map(outcome).collect()
}

#[test]
fn the_most_advanced_follower_is_promoted_whoever_notices_first() {
    for promotion in [
        Promotion::MostAdvancedOfMajority,
        Promotion::MostAdvancedOfReachable,
        Promotion::Election,
    ] {
        for outcome in after_a_copy_on_b(promotion) {
            assert_eq!(outcome, (B, Some("1".to_owned())), "{promotion:?}");
        }
    }
    let any = after_a_copy_on_b(Promotion::AnyFollower);
    assert!(any.contains(&(B, Some("1".to_owned()))));
    assert!(
        any.contains(&(C, None)),
        "the first to notice may be the one that is behind"
    );
}

/// One link is cut: A is alive and heard by B, only C does not hear it.
#[test]
fn a_gray_failure_deposes_nobody_if_followers_ask_each_other_first() {
    for (ask_first, keeps) in [(true, true), (false, false)] {
        let mut world = World::led(LeaderConfig {
            ask_first,
            ..config()
        });
        let term = world.status(A).term;
        world.cut.insert((A, C));
        world.run(300 * MS);
        assert_eq!(world.status(B).term == term, keeps);
        world.cut.clear();
        world.kill(A);
        world.run(300 * MS);
        assert!(
            [Some(B), Some(C)].contains(&world.leader()),
            "a dead leader is replaced"
        );
    }
}

#[test]
fn a_majority_rule_promotes_nobody_without_a_majority() {
    for (promotion, promotes) in [
        (Promotion::AnyFollower, true),
        (Promotion::MostAdvancedOfReachable, true),
        (Promotion::MostAdvancedOfMajority, false),
        (Promotion::Election, false),
    ] {
        let mut world = World::led(LeaderConfig {
            promotion,
            ..config()
        });
        world.kill(A);
        world.kill(B);
        world.run(500 * MS);
        assert_eq!(world.leader().is_some(), promotes, "{promotion:?}");
        if !promotes {
            assert!(refused(&world.put(C, "1")).contains("knows of none"));
        }
    }
}

#[test]
fn a_leader_that_is_deposed_does_not_know_what_becomes_of_its_writes() {
    let mut world = World::led(LeaderConfig {
        request_timeout_ms: 1_000,
        ..config()
    });
    world.isolate(&[A]);
    let write = world.ask(A, put("k", "1"));
    world.run(200 * MS);
    assert!(world.reply(write).is_none(), "it waits for copies");
    world.cut.clear();
    world.run(50 * MS);
    assert!(unknown(world.reply(write).expect("deposed")).contains("leads no more"));
    assert_eq!(world.status(A).role, Role::Follower);
    assert_eq!(world.status(A).tally.truncated_acknowledged, 0);
    assert!(world.status(A).tally.truncated > 0);
}

/// An asynchronous leader acknowledges a write that nobody copied, and loses it when it rejoins: alive, or after a `kill -9`.
#[test]
fn rejoining_truncates_what_was_acknowledged_and_counts_it() {
    for dies in [false, true] {
        let mut world = World::led(LeaderConfig {
            replication: Replication::Async,
            promotion: Promotion::MostAdvancedOfMajority,
            ..config()
        });
        world.isolate(&[A]);
        assert_eq!(acked_by(&world.put(A, "lost")), [A]);
        world.run(30 * MS);
        if dies {
            world.kill(A);
        }
        world.run(200 * MS);
        let leader = world.leader().expect("elected by now");
        acked_by(&world.put(leader, "kept"));
        if dies {
            world.start(A);
        }
        world.cut.clear();
        world.run(100 * MS);
        let tally = world.status(A).tally;
        assert_eq!(tally.truncated_acknowledged, 1, "killed: {dies}");
        assert_eq!(world.held(A).as_deref(), Some("kept"));
        only(&phases(&world, A, 100 * MS), Phase::Rejoin);
    }
}

#[test]
fn one_node_and_five_nodes_elect_leaders_too() {
    let mut alone = World::new(config(), 1, Weather::CALM, 1);
    alone.run(50 * MS);
    assert_eq!(acked_by(&alone.put(A, "1")), [A]);
    alone.kill(A);
    alone.start(A);
    alone.run(200 * MS);
    assert_eq!(value(&alone.get(A)).as_deref(), Some("1"));

    let mut five = World::new(config(), 5, Weather::CALM, 1);
    five.run(100 * MS);
    five.kill(A);
    five.kill(B);
    five.run(300 * MS);
    let leader = five.leader().expect("three of five elect");
    assert_eq!(acked_by(&five.put(leader, "1")).len(), 3);
    five.kill(leader);
    five.run(300 * MS);
    assert_eq!(five.leader(), None, "two of five do not");
}
