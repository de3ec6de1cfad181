//! The worked examples of the field's textbooks, each as one test. Names give the example.

use crate::config::{ReadFanout, ReadRepair, StoreConfig};

use super::cluster::{A, B, C, Cluster, D, E, config, value, written};

/// Five replicas that hold v4; then v5 reaches A, C and D only.
fn five_with_two_behind(read_repair: ReadRepair) -> Cluster {
    let mut cluster = Cluster::new(StoreConfig {
        read_repair,
        ..config(5, 3, 3)
    });
    written(cluster.put(A, "Bob v4"));
    cluster.settle();
    cluster.lose(&[B, E]);
    let evidence = written(cluster.put(A, "Alice v5"));
    assert_eq!(evidence.acked_by.len(), 3);
    cluster.settle();
    cluster.heal();
    cluster
}

#[test]
fn a_write_succeeds_at_w_acknowledgements_although_two_replicas_are_slow() {
    let mut cluster = five_with_two_behind(ReadRepair::None);
    for (node, held) in [(A, "Alice v5"), (B, "Bob v4"), (C, "Alice v5")] {
        assert_eq!(cluster.held(node).as_deref(), Some(held));
    }
    assert_eq!(cluster.held(D).as_deref(), Some("Alice v5"));
    assert_eq!(cluster.held(E).as_deref(), Some("Bob v4"));
}

#[test]
fn a_read_of_three_that_agree() {
    let mut cluster = five_with_two_behind(ReadRepair::None);
    cluster.sees_only(A, &[C, D]);
    let (value, evidence) = cluster.get(A);
    assert_eq!(value.as_deref(), Some("Alice v5"));
    let answered: Vec<_> = evidence.answered_by.iter().map(|(node, _)| *node).collect();
    assert_eq!(answered, [A, C, D]);
    assert!(
        evidence
            .answered_by
            .iter()
            .all(|(_, stamp)| *stamp == evidence.version)
    );
}

#[test]
fn the_newest_of_three_wins_and_the_stale_one_is_repaired() {
    for read_repair in [ReadRepair::Async, ReadRepair::Blocking] {
        let mut cluster = five_with_two_behind(read_repair);
        cluster.sees_only(A, &[B, C]);
        let (value, evidence) = cluster.get(A);
        assert_eq!(value.as_deref(), Some("Alice v5"));
        assert_eq!(evidence.repaired, [B]);
        cluster.settle();
        assert_eq!(cluster.held(B).as_deref(), Some("Alice v5"));
    }
}

#[test]
fn the_newest_wins_even_against_a_majority() {
    let mut cluster = five_with_two_behind(ReadRepair::None);
    cluster.sees_only(D, &[B, E]);
    assert_eq!(cluster.get(D).0.as_deref(), Some("Alice v5"));
}

#[test]
fn overlapping_quorums_see_the_latest_write() {
    let mut cluster = Cluster::new(config(3, 2, 2));
    cluster.lose(&[C]);
    written(cluster.put(A, "1"));
    cluster.heal();
    cluster.sees_only(C, &[B]);
    assert_eq!(cluster.get(C).0.as_deref(), Some("1"));
}

#[test]
fn disjoint_quorums_read_stale_and_converge_later() {
    let mut cluster = Cluster::new(config(3, 1, 1));
    written(cluster.put(A, "old"));
    cluster.settle();
    let late = cluster.ask(A, super::cluster::put("new"));
    assert!(cluster.sync_one(A));
    written(cluster.reply(late).expect("W = 1").clone());
    let stale = cluster.ask(C, super::cluster::get());
    let stale = value(cluster.reply(stale).expect("R = 1").clone());
    assert_eq!(stale.0.as_deref(), Some("old"));
    cluster.settle();
    assert_eq!(cluster.get(C).0.as_deref(), Some("new"));
}

#[test]
fn read_repair_reaches_only_whom_the_read_asked() {
    let mut cluster = Cluster::new(StoreConfig {
        read_repair: ReadRepair::Blocking,
        read_fanout: ReadFanout::Quorum,
        ..config(3, 2, 1)
    });
    cluster.lose(&[A]);
    written(cluster.put(A, "1"));
    cluster.heal();
    cluster.sees_only(A, &[B]);
    assert_eq!(cluster.get(A).0.as_deref(), Some("1"));
    cluster.settle();
    assert_eq!(cluster.held(B).as_deref(), Some("1"));
    assert_eq!(cluster.held(C), None);
}

#[test]
fn of_concurrent_writes_the_larger_stamp_wins_and_nobody_is_told() {
    let mut cluster = Cluster::new(config(3, 2, 2));
    cluster.clock_offsets_ns.insert(A, 1_000_000);
    let first = written(cluster.put(A, "A"));
    let second = written(cluster.put(B, "B"));
    assert!(second.version < first.version);
    cluster.settle();
    assert_eq!(cluster.get(C).0.as_deref(), Some("A"));
}
