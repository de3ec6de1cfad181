//! Anti-entropy and the purge of tombstones, in clusters.

use crate::config::{
    HintHolder, NodeId, Purge, ReadRepair, Sabotage, StoreConfig, SyncPolicy, Versions,
};
use crate::wire::{Counters, Quorum, Request, Response};

use super::cluster::{A, B, C, Cluster, TIMEOUT_NS, config, get, put, sabotaged, value, written};

fn comparing(n: u16, r: u16, w: u16) -> StoreConfig {
    let mut config = config(n, r, w);
    config.options.anti_entropy.interval_ms = Some(100);
    config
}

fn write(cluster: &mut Cluster, node: NodeId, key: &str, text: &str) {
    written(cluster.call(node, Request::put(key, text, Quorum::default())));
}

fn held(cluster: &mut Cluster, node: NodeId, key: &str) -> Option<String> {
    let key = key.to_owned();
    value(cluster.call(node, Request::Inspect { key })).0
}

fn counters(cluster: &Cluster, node: NodeId) -> Counters {
    cluster.replicas[&node].status().counters
}

/// A replica misses writes and nobody reads the keys: without anti-entropy it stays behind for ever (001-12), with it not.
#[test]
fn a_cold_key_is_levelled_only_by_anti_entropy() {
    for (config, levelled) in [(config(3, 1, 1), false), (comparing(3, 1, 1), true)] {
        let mut cluster = Cluster::new(config);
        cluster.lose(&[C]);
        for key in 0..50 {
            write(&mut cluster, A, &format!("k{key}"), "1");
        }
        cluster.settle();
        cluster.heal();
        cluster.wait(5 * TIMEOUT_NS);
        for key in 0..50 {
            let held = held(&mut cluster, C, &format!("k{key}"));
            assert_eq!(held.is_some(), levelled, "k{key}");
        }
    }
}

/// The notes' example (001-13): key1 v5 and v5, key2 v3 and v7, key3 v2 and v1: two keys move, one each way.
#[test]
fn three_keys_two_of_which_differ() {
    let mut cluster = Cluster::new(config(2, 1, 1));
    write(&mut cluster, A, "key1", "v5");
    write(&mut cluster, A, "key2", "v3");
    write(&mut cluster, A, "key3", "v1");
    cluster.settle();
    cluster.lose(&[A]);
    write(&mut cluster, B, "key2", "v7");
    write(&mut cluster, A, "key3", "v2");
    cluster.settle();
    cluster.heal();
    let before = [A, B].map(|node| counters(&cluster, node).keys_moved);
    assert_eq!(before, [0, 0]);
    assert_eq!(cluster.call(A, Request::Repair), Response::Done);
    cluster.settle();
    for (key, expected) in [("key1", "v5"), ("key2", "v7"), ("key3", "v2")] {
        for node in [A, B] {
            assert_eq!(
                held(&mut cluster, node, key).as_deref(),
                Some(expected),
                "{key}"
            );
        }
    }
    // The one who compares sends what it has of both; the other sends back the one that is more.
    let moved = [A, B].map(|node| counters(&cluster, node).keys_moved);
    assert_eq!(moved, [2, 1]);
    assert_eq!(counters(&cluster, A).comparisons, 1);
}

/// Comparing costs nothing more once all are level, and a node knows that they are.
#[test]
fn level_replicas_compare_roots_only() {
    let mut cluster = Cluster::new(comparing(3, 2, 2));
    for key in 0..100 {
        write(&mut cluster, A, &format!("k{key}"), "1");
    }
    cluster.wait(3 * TIMEOUT_NS);
    let before = counters(&cluster, A);
    assert_eq!(
        cluster.replicas[&A].status().coordinating,
        0,
        "all are known to be level"
    );
    cluster.wait(TIMEOUT_NS);
    let after = counters(&cluster, A);
    let comparisons = after.comparisons - before.comparisons;
    assert!(comparisons >= 5, "{comparisons}");
    // Three nodes of eight tokens each: twenty-four parts, all shared.
    assert_eq!(after.tree_nodes - before.tree_nodes, 24 * comparisons);
    assert_eq!(after.keys_moved, before.keys_moved);
}

/// Messages of a comparison are lost; the next one finds what this one did not.
#[test]
fn lost_messages_only_delay_it() {
    let mut cluster = Cluster::new(comparing(3, 1, 1));
    cluster.lose(&[C]);
    for key in 0..30 {
        write(&mut cluster, A, &format!("k{key}"), "1");
    }
    cluster.settle();
    cluster.heal();
    for link in [(A, C), (C, B)] {
        cluster.lossy.insert(link);
        cluster.wait(2 * TIMEOUT_NS);
        cluster.heal();
    }
    cluster.wait(4 * TIMEOUT_NS);
    assert!((0..30).all(|key| held(&mut cluster, C, &format!("k{key}")).is_some()));
    assert_eq!(cluster.replicas[&C].status().coordinating, 0);
}

/// Siblings merge like anything else, on both sides.
#[test]
fn siblings_are_levelled_on_both_sides() {
    let mut config = comparing(3, 1, 1);
    config.options.versions = Versions::Dvv { siblings: true };
    let mut cluster = Cluster::new(config);
    cluster.lose(&[A, B, C]);
    written(cluster.put(A, "a"));
    written(cluster.put(C, "c"));
    cluster.packets.clear();
    cluster.heal();
    cluster.wait(4 * TIMEOUT_NS);
    for node in [A, B, C] {
        let response = cluster.call(
            node,
            Request::Inspect {
                key: "k".to_owned(),
            },
        );
        let Response::Value { values, .. } = response else {
            panic!("{response:?}");
        };
        assert_eq!(values, [b"a", b"c"]);
    }
}

#[test]
fn skip_range_leaves_some_keys_behind() {
    for (config, complete) in [
        (comparing(3, 1, 1), true),
        (sabotaged(Sabotage::SkipRange, &comparing(3, 1, 1)), false),
    ] {
        let mut cluster = Cluster::new(config);
        cluster.lose(&[C]);
        for key in 0..200 {
            write(&mut cluster, A, &format!("k{key}"), "1");
        }
        cluster.settle();
        cluster.heal();
        cluster.wait(6 * TIMEOUT_NS);
        let got = (0..200).filter(|key| held(&mut cluster, C, &format!("k{key}")).is_some());
        assert_eq!(got.count() == 200, complete);
    }
}

/// A restart makes the trees again from what the log has.
#[test]
fn trees_are_made_again_after_a_restart() {
    let mut cluster = Cluster::new(comparing(3, 1, 1));
    for key in 0..20 {
        write(&mut cluster, A, &format!("k{key}"), "1");
    }
    cluster.wait(TIMEOUT_NS);
    cluster.restart(B);
    cluster.wait(3 * TIMEOUT_NS);
    assert_eq!(
        [A, B, C].map(|node| counters(&cluster, node).keys_moved),
        [0, 0, 0]
    );
}

fn deleting(purge: Purge) -> StoreConfig {
    let mut config = StoreConfig {
        read_repair: ReadRepair::Blocking,
        sync: SyncPolicy::EachWrite,
        ..comparing(3, 2, 2)
    };
    config.options.purge = purge;
    config
}

/// A value on all three; C misses its delete; the grace passes; C is back.
fn missed_delete(config: StoreConfig) -> Cluster {
    let mut cluster = Cluster::new(config);
    written(cluster.put(A, "1"));
    cluster.settle();
    cluster.cut_off(C);
    written(cluster.delete(A));
    cluster.settle();
    cluster.wait(3 * TIMEOUT_NS);
    cluster.reconnect(C);
    cluster.wait(4 * TIMEOUT_NS);
    cluster
}

/// SEMANTICS 3.4: forgotten by the timer alone, the value comes back; when all must have it, it does not, and is forgotten in the end.
#[test]
fn a_missed_delete_and_the_two_rules() {
    for (purge, risen) in [
        (Purge::AfterMs(500), true),
        (Purge::WhenAllHaveMs(500), false),
    ] {
        let mut cluster = missed_delete(deleting(purge));
        assert_eq!(cluster.get(A).0.is_some(), risen, "{purge:?}");
        if !risen {
            let purged = [A, B, C].map(|node| counters(&cluster, node).tombstones_purged);
            assert_eq!(purged, [1, 1, 1]);
            assert!(
                [A, B, C]
                    .iter()
                    .all(|node| cluster.replicas[node].visible("k").is_none())
            );
        }
    }
    let early = sabotaged(Sabotage::PurgeEarly, &deleting(Purge::WhenAllHaveMs(500)));
    assert!(missed_delete(early).get(A).0.is_some());
}

/// A hint of an older value would bring it back: as long as one is kept anywhere, nobody forgets.
#[test]
fn a_hint_keeps_the_tombstone() {
    let mut config = deleting(Purge::WhenAllHaveMs(100));
    config.options.anti_entropy.interval_ms = None;
    config.options.hints.holder = HintHolder::Coordinator;
    config.options.hints.interval_ms = 10_000;
    let mut cluster = Cluster::new(config);
    cluster.cut_off(C);
    written(cluster.put(A, "1"));
    cluster.settle();
    cluster.reconnect(C);
    written(cluster.delete(B));
    cluster.wait(3 * TIMEOUT_NS);
    let purged =
        |cluster: &Cluster| [A, B, C].map(|node| counters(cluster, node).tombstones_purged);
    assert_eq!(cluster.hints(A), 1);
    assert_eq!(purged(&cluster), [0, 0, 0]);
    cluster.wait(12 * TIMEOUT_NS);
    assert_eq!(cluster.hints(A), 0);
    assert_eq!(purged(&cluster), [1, 1, 1]);
    assert_eq!(cluster.get(C).0, None);
}

/// What was forgotten is forgotten after a restart, too, and written again it is there again.
#[test]
fn forgetting_is_remembered() {
    let mut cluster = Cluster::new(deleting(Purge::WhenAllHaveMs(100)));
    written(cluster.put(A, "1"));
    written(cluster.delete(B));
    cluster.wait(3 * TIMEOUT_NS);
    for node in [A, B, C] {
        cluster.restart(node);
        assert!(cluster.replicas[&node].visible("k").is_none());
    }
    let read = cluster.ask(A, get());
    cluster.settle();
    assert!(
        matches!(cluster.reply(read), Some(Response::Value { values, .. }) if values.is_empty())
    );
    let again = cluster.ask(A, put("2"));
    cluster.settle();
    assert!(matches!(
        cluster.reply(again),
        Some(Response::Written { .. })
    ));
}
