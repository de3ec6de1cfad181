//! Two leaders at a time: the old one was paused or cut off, and does not know of its successor.

use crate::protocol::leader::{LeaderConfig, LeaderReply, Promotion, Role};

use super::judge::judge;
use super::world::{A, B, MS, World, acked_by, config, get, refused, semi_sync, value};

fn unfenced(fencing: bool) -> LeaderConfig {
    LeaderConfig {
        replication: semi_sync(1),
        promotion: Promotion::MostAdvancedOfMajority,
        lease_ms: None,
        fencing,
        ..config()
    }
}

/// ```text
/// A: |-- leads ------------------------------ write, copied by C --|
/// B:           |-- elected by C -- leads ---- write, copied by C --|   => both acknowledged, one is lost
/// ```
#[test]
fn an_old_leader_accepts_writes_unless_followers_refuse_its_term() {
    for fencing in [false, true] {
        let mut world = World::led(unfenced(fencing));
        // B misses A, and is promoted with the voice of C, which hears both.
        acked_by(&world.put(A, "1"));
        world.run(20 * MS);
        world.cut.extend([(A, B), (B, A)]);
        world.run(300 * MS);
        let leaders = world.leaders();
        if fencing {
            assert_eq!(leaders.len(), 1, "C tells A that it is over");
        } else {
            assert_eq!(leaders, [A, B]);
        }
        for number in 0..20 {
            for node in [A, B] {
                world.put(node, &format!("{node} {number}"));
            }
        }
        let log = world.heal();
        let found = judge(&world.ops, &log);
        assert!(found.acknowledged > 20);
        assert_eq!(
            (found.split > 0, found.lost > 0),
            (!fencing, !fencing),
            "{found:?}"
        );
    }
}

/// The read waits in the socket while the leader sleeps; it is the first thing that it sees.
fn first_read_after_a_sleep(config: LeaderConfig) -> LeaderReply {
    let mut world = World::led(config);
    acked_by(&world.put(A, "old"));
    world.run(20 * MS);
    world.pause(A);
    world.isolate(&[A]);
    world.run(300 * MS);
    let leader = world.leaders().into_iter().find(|node| *node != A);
    acked_by(&world.put(leader.expect("elected by now"), "new"));
    let read = world.ask(A, get("k"));
    world.resume(A);
    world
        .reply(read)
        .expect("it is the leader, as far as it knows")
        .clone()
}

#[test]
fn a_leader_that_slept_reads_stale_unless_it_looks_at_its_lease() {
    let with = |lease_ms, lease_check_at_reply| LeaderConfig {
        lease_ms,
        lease_check_at_reply,
        ..config()
    };
    let checked = first_read_after_a_sleep(with(Some(45), true));
    assert!(refused(&checked).contains("holds no lease"));
    for careless in [with(Some(45), false), with(None, true)] {
        let reply = first_read_after_a_sleep(careless);
        assert_eq!(value(&reply).as_deref(), Some("old"));
    }
}

#[test]
fn a_leader_that_wakes_up_follows_its_successor_once_it_hears_of_it() {
    for fencing in [false, true] {
        let mut world = World::led(unfenced(fencing));
        acked_by(&world.put(A, "1"));
        world.run(20 * MS);
        world.pause(A);
        world.run(300 * MS);
        let leader = world.leaders().into_iter().find(|node| *node != A);
        acked_by(&world.put(leader.expect("elected by now"), "2"));
        world.resume(A);
        assert_eq!(
            world.leaders().len(),
            1,
            "its successor's heartbeats were waiting for it"
        );
        world.run(50 * MS);
        assert_eq!(world.status(A).role, Role::Follower);
        assert_eq!(world.held(A).as_deref(), Some("2"));
    }
}
