//! What is refused is refused before anything is sent, and leaves nothing behind.

use crate::config::{Level, StoreConfig};
use crate::protocol::Ring;
use crate::wire::{KEY_BYTES_MAX, Quorum, Request, VALUE_BYTES_MAX};

use super::cluster::{A, B, Cluster, config, get, put, refused, written};

/// Asserts that a fresh cluster refuses, and that nothing at all was begun.
fn check(request: Request, sees: &[crate::config::NodeId], why: &str) {
    let mut cluster = Cluster::new(config(3, 2, 2));
    cluster.sees_only(A, sees);
    let request = cluster.ask(A, request);
    assert!(cluster.packets.is_empty());
    assert!(cluster.disks[&A].queued.is_empty());
    assert_eq!(cluster.replicas[&A].status().coordinating, 0);
    let response = cluster.reply(request).expect("at once").clone();
    assert_eq!(refused(response), why);
}

#[test]
fn quorums_that_cannot_be() {
    let key = || "k".to_owned();
    let value = Vec::new;
    check(
        Request::get(key(), Quorum::count(0)),
        &[B],
        "R = 0: choose 1 to N = 3",
    );
    check(
        Request::get(key(), Quorum::count(4)),
        &[B],
        "R = 4: choose 1 to N = 3",
    );
    let put = |w| Request::put(key(), value(), Quorum::count(w));
    check(put(0), &[B], "W = 0: choose 1 to N = 3");
    check(put(4), &[B], "W = 4: choose 1 to N = 3");
    check(
        Request::delete(key(), Quorum::count(4)),
        &[B],
        "W = 4: choose 1 to N = 3",
    );
}

#[test]
fn keys_and_values_that_are_too_large() {
    let key = "k".repeat(KEY_BYTES_MAX + 1);
    let why = "a key of 1025 bytes: at most 1024 are held";
    check(Request::get(key.clone(), Quorum::default()), &[B], why);
    check(Request::delete(key, Quorum::default()), &[B], why);
    let value = vec![0; VALUE_BYTES_MAX + 1];
    let why = "a value of 524289 bytes: at most 524288 are held";
    let key = "k".to_owned();
    check(Request::put(key, value, Quorum::default()), &[B], why);
}

#[test]
fn too_few_replicas_within_reach() {
    check(get(), &[], "1 of 3 replicas reachable, R = 2");
    check(put("1"), &[], "1 of 3 replicas reachable, W = 2");
    let mut cluster = Cluster::new(config(3, 2, 2));
    cluster.sees_only(A, &[B]);
    written(cluster.put(A, "1"));
}

#[test]
fn clocks_are_not_the_protocols() {
    let why = "a replica has no clock: ask the process around it";
    check(Request::SetClockOffset { offset_ns: 1 }, &[B], why);
}

#[test]
fn inspecting_a_node_that_is_no_replica() {
    let config = StoreConfig {
        nodes: 5,
        ..config(3, 2, 2)
    };
    let replicas = Ring::new(5, config.tokens_per_node).preference_list("k", 3);
    let mut cluster = Cluster::new(config);
    for node in (1..=5).map(crate::config::NodeId) {
        let key = "k".to_owned();
        let response = cluster.call(node, Request::Inspect { key });
        if replicas.contains(&node) {
            super::cluster::value(response);
        } else {
            assert_eq!(
                refused(response),
                format!("{node} is no replica of this key")
            );
        }
    }
}

#[test]
fn any_node_coordinates_any_key() {
    let config = StoreConfig {
        nodes: 5,
        ..config(3, 2, 2)
    };
    for node in (1..=5).map(crate::config::NodeId) {
        let mut cluster = Cluster::new(config.clone());
        written(cluster.put(node, "1"));
        for reader in (1..=5).map(crate::config::NodeId) {
            assert_eq!(cluster.get(reader).0.as_deref(), Some("1"));
        }
    }
}

#[test]
fn a_request_may_be_about_fewer_replicas_than_the_store_has() {
    let get = |n, r: Option<u16>| {
        Request::get(
            "k".to_owned(),
            Quorum {
                n,
                level: r.map(Level::Count),
                ..Quorum::default()
            },
        )
    };
    check(
        get(Some(0), None),
        &[B],
        "N = 0: choose 1 to the store's N = 3",
    );
    check(
        get(Some(4), None),
        &[B],
        "N = 4: choose 1 to the store's N = 3",
    );
    check(get(Some(1), Some(2)), &[B], "R = 2: choose 1 to N = 1");

    let mut cluster = Cluster::new(config(3, 2, 2));
    let first = Ring::new(3, cluster.replicas[&A].config.tokens_per_node).preference_list("k", 1);
    let put = Request::put(
        "k".to_owned(),
        b"1".to_vec(),
        Quorum {
            n: Some(1),
            level: Some(Level::Count(1)),
            ..Quorum::default()
        },
    );
    let acked_by = written(cluster.call(A, put)).acked_by;
    assert_eq!(acked_by, first, "nobody else is asked to hold it");
    for (node, replica) in &cluster.replicas {
        assert_eq!(replica.store.visible("k").is_some(), first.contains(node));
    }
}
