//! What an acknowledgement is worth, and what becomes of writes without enough copies.

use crate::protocol::leader::{Ask, LeaderConfig, LeaderReply, Reads, Redirect, Replication};
use crate::wire::{KEY_BYTES_MAX, VALUE_BYTES_MAX};

use super::world::{
    A, B, C, MS, World, acked_by, config, get, put, refused, semi_sync, unknown, value,
};

fn with(replication: Replication) -> LeaderConfig {
    LeaderConfig {
        replication,
        ..config()
    }
}

#[test]
fn each_rule_waits_for_its_copies() {
    for (replication, copies) in [
        (Replication::Async, 1),
        (semi_sync(1), 2),
        (semi_sync(2), 3),
        (Replication::Majority, 2),
    ] {
        let mut world = World::led(with(replication));
        let began = world.now;
        let op = world.ask(A, put("k", "1"));
        assert!(
            world.reply(op).is_none(),
            "nothing is acknowledged before it is durable"
        );
        world.run(10 * MS);
        let reply = world.reply(op).expect("acknowledged");
        assert!(acked_by(reply).len() >= copies, "{replication:?}");
        // One millisecond for each way, and one for each disk.
        let (completed, _) = world.ops[op].completed.clone().expect("acknowledged");
        let took_ms = if copies == 1 { 1 } else { 3 };
        assert!(completed - began < (took_ms + 1) * MS, "{replication:?}");
        assert_eq!(value(&world.get(C)).as_deref(), Some("1"));
    }
}

#[test]
fn one_dead_follower_blocks_writes_that_need_all() {
    let mut world = World::led(with(semi_sync(2)));
    world.kill(C);
    assert_eq!(unknown(&world.put(A, "1")), "too few copies in time");
    assert_eq!(
        value(&world.get(A)),
        None,
        "what is not acknowledged is not shown"
    );
    world.start(C);
    world.run(100 * MS);
    assert_eq!(
        value(&world.get(A)).as_deref(),
        Some("1"),
        "unknown may mean later"
    );
    acked_by(&world.put(A, "2"));
}

#[test]
fn one_copy_of_two_needs_one_follower() {
    let mut world = World::led(with(semi_sync(1)));
    world.kill(C);
    assert_eq!(acked_by(&world.put(A, "1")), [A, B]);
    let without_lease = LeaderConfig {
        lease_ms: None,
        ..with(semi_sync(1))
    };
    let mut world = World::led(without_lease);
    world.kill(B);
    world.kill(C);
    unknown(&world.put(A, "1"));
}

#[test]
fn a_fallback_never_blocks_and_ends_when_followers_are_back() {
    let replication = Replication::SemiSync {
        k: 1,
        fallback_ms: Some(30),
    };
    let mut world = World::led(LeaderConfig {
        lease_ms: None,
        ..with(replication)
    });
    world.kill(B);
    world.kill(C);
    let began = world.now;
    assert_eq!(acked_by(&world.put(A, "1")), [A]);
    assert!(world.now - began >= 30 * MS, "it waits first");
    assert!(world.status(A).degraded);
    let began = world.now;
    assert_eq!(acked_by(&world.put(A, "2")), [A]);
    assert!(world.now - began < 2 * MS, "and then no more");
    assert_eq!(world.status(A).tally.acknowledged_degraded, 2);
    world.start(B);
    world.run(50 * MS);
    assert!(!world.status(A).degraded);
    assert_eq!(acked_by(&world.put(A, "3")), [A, B]);
}

/// `A, B | C`: the side without the leader, and without a majority, writes nothing. After the heal it has everything.
#[test]
fn the_side_without_the_leader_is_blocked_until_the_cut_heals() {
    let mut world = World::led(config());
    world.isolate(&[C]);
    let mut ok_here = 0;
    for number in 0..20 {
        acked_by(&world.put(A, &format!("a{number}")));
        acked_by(&world.put(B, &format!("b{number}")));
        ok_here += 2;
        let there = world.put(C, &format!("c{number}"));
        assert!(!matches!(there, LeaderReply::Written { .. }));
    }
    assert_eq!(ok_here, 40);
    let log = world.heal();
    let lost = |value: &str| {
        let bytes = value.as_bytes();
        let holds = |change: &super::super::Change| change.value.as_deref() == Some(bytes);
        !log.iter()
            .any(|entry| entry.change.as_ref().is_some_and(holds))
    };
    assert!((0..20).all(|number| !lost(&format!("a{number}")) && !lost(&format!("b{number}"))));
    assert!((0..20).all(|number| lost(&format!("c{number}"))));
}

/// The leader alone on its side: it notices by its lease.
#[test]
fn a_leader_without_followers_refuses_once_its_lease_is_over() {
    let mut world = World::led(config());
    world.isolate(&[A]);
    unknown(&world.put(A, "1"));
    assert!(refused(&world.put(A, "2")).contains("holds no lease"));
    assert!(refused(&world.get(A)).contains("holds no lease"));
}

#[test]
fn a_follower_forwards_or_names_the_leader() {
    let mut world = World::led(config());
    assert!(acked_by(&world.put(B, "1")).contains(&A));
    assert_eq!(value(&world.get(C)).as_deref(), Some("1"));
    let refuses = LeaderConfig {
        redirect: Redirect::Refuse,
        ..config()
    };
    let mut world = World::led(refuses);
    assert_eq!(refused(&world.put(B, "1")), "n2 is not the leader, n1 is");
    world.kill(A);
    world.run(300 * MS);
    let leader = world.leader().expect("elected by now");
    let other = if leader == B { C } else { B };
    assert!(refused(&world.get(other)).ends_with(&format!("{leader} is")));
}

#[test]
fn a_forwarded_request_whose_answer_is_lost_is_unknown() {
    let mut world = World::led(config());
    world.cut.insert((A, B));
    assert_eq!(unknown(&world.put(B, "1")), "no answer from n1 in time");
    assert_eq!(world.held(A).as_deref(), Some("1"));
}

#[test]
fn a_request_for_a_leader_without_a_connection_is_refused_before_it_is_sent() {
    let mut world = World::led(config());
    world.kill(A);
    assert_eq!(
        refused(&world.put(B, "1")),
        "n1 leads, and n2 cannot reach it"
    );
}

#[test]
fn eventual_reads_lag_behind_and_strong_reads_do_not() {
    let mut world = World::led(config());
    acked_by(&world.put(A, "1"));
    world.run(20 * MS);
    world.cut.insert((A, C));
    acked_by(&world.put(A, "2"));
    let eventual = Ask::Get {
        key: "k".into(),
        from: Some(Reads::Any),
    };
    assert_eq!(value(&world.call(C, eventual)).as_deref(), Some("1"));
    assert_eq!(value(&world.get(B)).as_deref(), Some("2"));
}

#[test]
fn a_follower_that_was_away_catches_up() {
    let mut world = World::led(config());
    world.isolate(&[C]);
    for number in 0..3_000 {
        let key = format!("k{}", number % 7);
        world.ask(A, put(&key, &number.to_string()));
    }
    world.run(50 * MS);
    let last = world.status(A).last;
    assert_eq!(world.status(A).committed, last.index);
    assert!(world.status(C).last < last);
    world.cut.clear();
    world.run(200 * MS);
    assert_eq!(world.status(C).durable, world.status(A).last.index);
}

#[test]
fn deletes_are_writes() {
    let mut world = World::led(config());
    acked_by(&world.put(A, "1"));
    let key = "k".into();
    acked_by(&world.call(B, Ask::Delete { key }));
    let LeaderReply::Value { value, grounds } = world.get(C) else {
        panic!("a read");
    };
    assert_eq!(value, None);
    assert!(
        grounds.position.is_some(),
        "it knows which write deleted it"
    );
}

#[test]
fn what_is_too_large_is_refused_before_it_is_sent() {
    let mut world = World::led(config());
    let long = "k".repeat(KEY_BYTES_MAX + 1);
    let large = "v".repeat(VALUE_BYTES_MAX + 1);
    for node in [A, B] {
        assert!(refused(&world.call(node, put(&long, ""))).starts_with("a key of"));
        assert!(refused(&world.call(node, get(&long))).starts_with("a key of"));
        assert!(refused(&world.put(node, &large)).starts_with("a value of"));
    }
    acked_by(&world.put(B, &large[1..]));
}

#[test]
fn a_full_log_refuses_writes_and_serves_reads() {
    let mut world = World::led(LeaderConfig {
        log_entries_max: 2,
        ..config()
    });
    acked_by(&world.put(A, "1"));
    assert!(refused(&world.put(A, "2")).contains("raise log_entries_max"));
    assert_eq!(value(&world.get(A)).as_deref(), Some("1"));
}
