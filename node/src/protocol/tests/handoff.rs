//! Hinted handoff: hints wait for their owners, survive or not, expire, and are deleted only when they have arrived.

use crate::config::{HintHolder, Sabotage, StoreConfig};
use crate::wire::{Quorum, Request};

use super::cluster::{Cluster, TIMEOUT_NS, config, sabotaged, written};
use super::sloppy::nodes_of_k;

/// Three replicas; the coordinator keeps hints.
fn keeping() -> StoreConfig {
    let mut config = config(3, 2, 2);
    config.options.hints.holder = HintHolder::Coordinator;
    config
}

/// The second replica misses a write of the first, who keeps a hint for it.
fn missed(config: StoreConfig) -> (Cluster, Vec<crate::config::NodeId>) {
    let (replicas, _) = nodes_of_k(&config);
    let mut cluster = Cluster::new(config);
    cluster.cut_off(replicas[1]);
    written(cluster.put(replicas[0], "1"));
    cluster.settle();
    assert_eq!(cluster.hints(replicas[0]), 1);
    (cluster, replicas)
}

#[test]
fn a_hint_waits_until_its_owner_has_acknowledged_it() {
    let (mut cluster, replicas) = missed(keeping());
    // The owner is back, but its acknowledgements are lost.
    cluster.reconnect(replicas[1]);
    cluster.lossy.insert((replicas[1], replicas[0]));
    cluster.wait(3 * TIMEOUT_NS);
    assert_eq!(cluster.held(replicas[1]).as_deref(), Some("1"));
    assert_eq!(
        cluster.hints(replicas[0]),
        1,
        "nobody told that it has arrived"
    );
    cluster.heal();
    cluster.wait(2 * TIMEOUT_NS);
    assert_eq!(cluster.hints(replicas[0]), 0);
}

#[test]
fn hint_deleted_early_loses_what_is_lost_on_the_way() {
    for (config, arrives) in [
        (keeping(), true),
        (sabotaged(Sabotage::HintDeletedEarly, &keeping()), false),
    ] {
        let (mut cluster, replicas) = missed(config);
        cluster.reconnect(replicas[1]);
        cluster.lossy.insert((replicas[0], replicas[1]));
        cluster.wait(TIMEOUT_NS);
        cluster.heal();
        cluster.wait(3 * TIMEOUT_NS);
        assert_eq!(cluster.held(replicas[1]).is_some(), arrives);
    }
}

#[test]
fn hint_to_first_goes_to_a_node_that_has_it() {
    for (config, arrives) in [
        (keeping(), true),
        (sabotaged(Sabotage::HintToFirst, &keeping()), false),
    ] {
        let (replicas, _) = nodes_of_k(&config);
        let mut cluster = Cluster::new(config);
        cluster.cut_off(replicas[1]);
        written(cluster.put(replicas[2], "1"));
        cluster.settle();
        cluster.reconnect(replicas[1]);
        cluster.wait(3 * TIMEOUT_NS);
        assert_eq!(cluster.held(replicas[1]).is_some(), arrives);
    }
}

/// Both kinds are real: in the log of the holder, or in its memory only (Cassandra's heap buffers).
#[test]
fn a_hint_survives_its_holders_death_only_if_it_is_durable() {
    for durable in [true, false] {
        let mut config = keeping();
        config.options.hints.durable = durable;
        let (mut cluster, replicas) = missed(config);
        cluster.restart(replicas[0]);
        cluster.reconnect(replicas[1]);
        cluster.wait(2 * TIMEOUT_NS);
        assert_eq!(cluster.held(replicas[1]).is_some(), durable);
    }
}

/// A hint that was handed over is not handed over again after a restart, though its record is in the log.
#[test]
fn a_restart_does_not_bring_back_a_hint() {
    let (mut cluster, replicas) = missed(keeping());
    cluster.reconnect(replicas[1]);
    cluster.wait(TIMEOUT_NS);
    assert_eq!(cluster.hints(replicas[0]), 0);
    cluster.settle();
    cluster.restart(replicas[0]);
    assert_eq!(cluster.hints(replicas[0]), 0);
}

#[test]
fn hints_expire_with_their_window_and_are_not_taken_after_it() {
    let mut config = keeping();
    config.options.hints.window_ms = Some(500);
    let (mut cluster, replicas) = missed(config);
    cluster.wait(TIMEOUT_NS);
    assert_eq!(cluster.hints(replicas[0]), 0);
    let counters = |cluster: &Cluster| cluster.replicas[&replicas[0]].status().counters;
    assert_eq!(counters(&cluster).hints_expired, 1);
    written(cluster.put(replicas[0], "2"));
    cluster.settle();
    assert_eq!(
        cluster.hints(replicas[0]),
        0,
        "its owner has been gone for too long"
    );
    assert_eq!(counters(&cluster).hints_refused, 1);
    cluster.reconnect(replicas[1]);
    cluster.wait(2 * TIMEOUT_NS);
    assert_eq!(
        cluster.held(replicas[1]),
        None,
        "no hint, no repair: it stays behind"
    );
}

/// 004-13: hints grow with what is written, until the cap.
#[test]
fn hints_grow_until_the_cap() {
    let mut config = keeping();
    config.options.hints.bytes_max = 20;
    let (replicas, _) = nodes_of_k(&config);
    let mut cluster = Cluster::new(config);
    cluster.cut_off(replicas[1]);
    for key in 0..20 {
        let request = Request::put(format!("key{key}"), "12", Quorum::default());
        written(cluster.call(replicas[0], request));
        cluster.settle();
    }
    let counters = cluster.replicas[&replicas[0]].status().counters;
    assert_eq!(
        (counters.hints_pending, counters.hint_bytes_pending),
        (3, 18)
    );
    assert_eq!(counters.hints_refused, 17);
}

/// Only so many bytes go out at a time, and all go out in the end.
#[test]
fn handing_over_is_throttled() {
    let mut config = keeping();
    config.options.hints.bytes_per_s_max = 60;
    let (replicas, _) = nodes_of_k(&config);
    let mut cluster = Cluster::new(config);
    cluster.cut_off(replicas[1]);
    for key in 10..30 {
        let request = Request::put(format!("k{key}"), "123", Quorum::default());
        written(cluster.call(replicas[0], request));
        cluster.settle();
    }
    assert_eq!(cluster.hints(replicas[0]), 20);
    cluster.reconnect(replicas[1]);
    cluster.wait(TIMEOUT_NS / 2);
    let left = cluster.hints(replicas[0]);
    assert!(
        (14..=18).contains(&left),
        "{left} of 20 left after half a second of 60 bytes"
    );
    cluster.wait(5 * TIMEOUT_NS);
    assert_eq!(cluster.hints(replicas[0]), 0);
}
