//! Each built-in defect bites when it is on, and only then.

use std::collections::BTreeSet;

use crate::config::{ReadRepair, Sabotage, StoreConfig, SyncPolicy};
use crate::protocol::Ring;
use crate::wire::{Quorum, Request, Response};

use super::cluster::{A, B, C, Cluster, config, get, put, sabotaged, written};

/// `bites` tells whether the defect showed. It must, with the defect, and must not, without or with any other.
fn check(defect: Sabotage, config: &StoreConfig, bites: impl Fn(Cluster) -> bool) {
    let off = Cluster::new(config.clone());
    assert!(!bites(off), "it bites although it is off");
    for other in Sabotage::ALL {
        let on = sabotaged(other, config);
        assert_eq!(bites(Cluster::new(on)), other == defect, "with {other:?}");
    }
}

#[test]
fn ack_before_sync_undermines_each_write_only() {
    for sabotage in Sabotage::ALL {
        let on = sabotaged(sabotage, &config(3, 2, 2));
        let lazy = on.sync_in_force() == SyncPolicy::EveryMs(crate::config::SABOTAGED_SYNC_MS);
        assert_eq!(lazy, sabotage == Sabotage::AckBeforeSync);
    }
    let sync = SyncPolicy::EveryMs(7);
    let periodic = StoreConfig {
        sync,
        ..config(3, 2, 2)
    };
    let on = sabotaged(Sabotage::AckBeforeSync, &periodic);
    assert_eq!(on.sync_in_force(), sync);
}

#[test]
fn ack_before_quorum_succeeds_at_one_less() {
    check(
        Sabotage::AckBeforeQuorum,
        &config(3, 2, 2),
        |mut cluster| {
            cluster.lose(&[A]);
            matches!(cluster.put(A, "1"), Response::Written { .. })
        },
    );
    check(
        Sabotage::AckBeforeQuorum,
        &config(3, 1, 1),
        |mut cluster| {
            let write = cluster.ask(A, put("1"));
            cluster.reply(write).is_some()
        },
    );
}

#[test]
fn first_r_only_never_asks_the_others() {
    let config = config(3, 2, 2);
    let list = Ring::new(3, config.tokens_per_node).preference_list("k", 3);
    check(Sabotage::FirstROnly, &config, |mut cluster| {
        written(cluster.put(list[2], "1"));
        cluster.settle();
        cluster.lose(&list[..1]);
        matches!(cluster.call(list[2], get()), Response::Unknown { .. })
    });
}

#[test]
fn stamp_per_replica_lets_replicas_disagree_for_ever() {
    check(
        Sabotage::StampPerReplica,
        &config(3, 1, 1),
        |mut cluster| {
            cluster.ask(A, put("a"));
            cluster.ask(B, put("b"));
            cluster.settle();
            cluster.held(A) != cluster.held(B)
        },
    );
}

#[test]
fn millisecond_stamps_tie_and_the_larger_value_wins() {
    check(
        Sabotage::MillisecondStamps,
        &config(3, 3, 3),
        |mut cluster| {
            written(cluster.put(A, "z"));
            written(cluster.put(A, "a"));
            cluster.get(A).0.as_deref() == Some("z")
        },
    );
}

#[test]
fn drop_repair_leaves_the_stale_replica_stale() {
    for read_repair in [ReadRepair::Async, ReadRepair::Blocking] {
        let config = StoreConfig {
            read_repair,
            ..config(3, 3, 1)
        };
        let list = Ring::new(3, config.tokens_per_node).preference_list("k", 3);
        check(Sabotage::DropRepair, &config, |mut cluster| {
            cluster.put(list[0], "0");
            cluster.settle();
            cluster.lose(&list[..1]);
            cluster.put(list[0], "1");
            cluster.heal();
            cluster.get(list[1]);
            cluster.settle();
            cluster.held(list[2]).as_deref() == Some("0")
        });
    }
}

#[test]
fn forget_tombstone_lets_the_deleted_value_rise_again() {
    let config = StoreConfig {
        read_repair: ReadRepair::Async,
        ..config(3, 3, 2)
    };
    check(Sabotage::ForgetTombstone, &config, |mut cluster| {
        written(cluster.put(A, "1"));
        cluster.settle();
        cluster.lose(&[C]);
        written(cluster.delete(A));
        cluster.settle();
        cluster.heal();
        cluster.get(B).0.is_some()
    });
}

#[test]
fn refuse_after_sending_denies_what_a_replica_holds() {
    check(
        Sabotage::RefuseAfterSending,
        &config(3, 2, 2),
        |mut cluster| {
            cluster.lose(&[B, C]);
            let refused = matches!(cluster.put(A, "1"), Response::Refused { .. });
            refused && cluster.held(A).as_deref() == Some("1")
        },
    );
}

#[test]
fn unchecked_key_answers_for_a_key_that_collides() {
    check(Sabotage::UncheckedKey, &config(3, 3, 3), |mut cluster| {
        written(cluster.put(A, "1"));
        cluster.settle();
        // The letters of `k` and `s` differ by eight, so their short hashes are the same.
        let other = Request::get("s", Quorum::default());
        matches!(cluster.call(A, other), Response::Value { values, .. } if values == [b"1"])
    });
}

#[test]
fn each_defect_has_one_name_everywhere() {
    for defect in Sabotage::ALL {
        let in_files = serde_json::to_value(defect).expect("a plain enum");
        assert_eq!(in_files, defect.name());
    }
    let distinct: BTreeSet<_> = Sabotage::ALL.into_iter().collect();
    assert_eq!(distinct.len(), Sabotage::ALL.len());
}
