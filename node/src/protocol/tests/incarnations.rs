//! Durability and restarts: what may be shown, what is lost, and whose messages count.

use crate::protocol::{Input, PeerMessage, RequestId};
use crate::wire::Response;

use super::cluster::{A, B, C, Cluster, config, get, put, unknown, value, written};

#[test]
fn nothing_is_acknowledged_or_shown_before_it_is_durable() {
    let mut cluster = Cluster::new(config(3, 1, 3));
    cluster.stalled.insert(B);
    let write = cluster.ask(A, put("1"));
    cluster.settle();
    assert_eq!(cluster.reply(write), None);
    assert_eq!(cluster.held(A).as_deref(), Some("1"));
    assert_eq!(cluster.held(B), None);
    cluster.stalled.clear();
    cluster.settle();
    written(cluster.reply(write).expect("now all have it").clone());
    assert_eq!(cluster.held(B).as_deref(), Some("1"));
}

#[test]
fn what_was_acknowledged_survives_kill_9_of_everybody() {
    let mut cluster = Cluster::new(config(3, 2, 2));
    written(cluster.put(A, "1"));
    for node in [A, B, C] {
        cluster.restart(node);
    }
    assert_eq!(cluster.get(B).0.as_deref(), Some("1"));
}

#[test]
fn an_obsolete_write_is_not_acknowledged_on_the_strength_of_an_unsynced_one() {
    let mut cluster = Cluster::new(config(3, 1, 3));
    cluster.stalled.insert(C);
    let newer = cluster.ask(A, put("newer"));
    cluster.settle();
    cluster.clock_offsets_ns.insert(B, -1_000_000);
    let older = cluster.ask(B, put("older"));
    cluster.settle();
    assert_eq!(cluster.reply(older), None, "C could still lose both");
    cluster.stalled.clear();
    cluster.settle();
    written(cluster.reply(newer).expect("an answer").clone());
    written(cluster.reply(older).expect("an answer").clone());
    assert_eq!(cluster.held(C).as_deref(), Some("newer"));
}

#[test]
fn an_acknowledgement_meant_for_an_earlier_life_does_not_count() {
    let mut cluster = Cluster::new(config(3, 2, 2));
    cluster.ask(A, put("1"));
    while let Some(packet) = cluster.packets.pop() {
        cluster.deliver(packet);
    }
    for node in [B, C] {
        assert!(cluster.sync_one(node));
    }
    let acknowledgements = std::mem::take(&mut cluster.packets);
    assert_eq!(acknowledgements.len(), 2);
    cluster.restart(A);
    cluster.lose(&[A]);
    let second = cluster.ask(A, put("2"));
    for packet in acknowledgements {
        let (from, message) = (packet.from, packet.message);
        assert!(matches!(
            message,
            PeerMessage::Held {
                id: RequestId { counter: 1, .. }
            }
        ));
        cluster.input(A, Input::Peer { from, message });
    }
    assert_eq!(cluster.reply(second), None);
    cluster.wait(super::cluster::TIMEOUT_NS);
    let (why, evidence) = unknown(cluster.reply(second).expect("an answer").clone());
    assert_eq!(evidence.acked_by, [A]);
    assert_eq!(why, "1 of 2 acknowledgements in time");
}

#[test]
fn repeated_acknowledgements_of_one_replica_count_once() {
    let mut cluster = Cluster::new(config(3, 3, 3));
    cluster.lose(&[C]);
    let write = cluster.ask(A, put("1"));
    cluster.settle();
    let id = RequestId {
        epoch: cluster.replicas[&A].status().epoch,
        counter: 1,
    };
    for _ in 0..2 {
        let message = PeerMessage::Held { id };
        cluster.input(A, Input::Peer { from: B, message });
    }
    assert_eq!(cluster.reply(write), None);
}

#[test]
fn a_read_without_its_quorum_ends_unknown() {
    let mut cluster = Cluster::new(config(3, 2, 2));
    cluster.lose(&[A]);
    let response = cluster.call(A, get());
    let (why, evidence) = unknown(response);
    assert_eq!(why, "1 of 2 answers in time");
    assert_eq!(evidence.answered_by, [(A, None)]);
    assert_eq!(cluster.replicas[&A].status().coordinating, 0);
    assert_eq!(cluster.replicas[&A].deadline(), None);
}

#[test]
fn a_missing_key_is_an_answer() {
    let mut cluster = Cluster::new(config(3, 2, 2));
    let (value, evidence) = cluster.get(B);
    assert_eq!((value, evidence.version), (None, None));
    assert_eq!(evidence.answered_by.len(), 2);
}

#[test]
fn a_deleted_key_is_absent_and_its_stamp_is_evidence() {
    let mut cluster = Cluster::new(config(3, 2, 2));
    written(cluster.put(A, "1"));
    let deleted = written(cluster.delete(B));
    cluster.settle();
    let (value, evidence) = cluster.get(C);
    assert_eq!(value, None);
    assert_eq!(evidence.version, deleted.version);
}

#[test]
fn stamps_of_one_coordinator_grow_when_its_clock_does_not() {
    let mut cluster = Cluster::new(config(1, 1, 1));
    let first = written(cluster.put(A, "1"));
    cluster.clock_offsets_ns.insert(A, -5_000_000_000);
    let second = written(cluster.put(A, "2"));
    assert!(first.version < second.version);
    assert_eq!(cluster.get(A).0.as_deref(), Some("2"));
}

#[test]
fn a_slow_replica_is_stood_in_for() {
    let mut cluster = Cluster::new(config(3, 2, 2));
    written(cluster.put(A, "1"));
    cluster.settle();
    cluster.lose(&[B]);
    for _ in 0..3 {
        let (value, evidence) = value(cluster.call(A, get()));
        assert_eq!(value.as_deref(), Some("1"));
        let answered: Vec<_> = evidence.answered_by.iter().map(|(node, _)| *node).collect();
        assert_eq!(answered, [A, C]);
    }
}

#[test]
fn a_snapshot_recovers_to_the_same_answers() {
    let mut cluster = Cluster::new(config(3, 1, 3));
    written(cluster.put(A, "1"));
    written(cluster.delete(A));
    let replica = &cluster.replicas[&A];
    let copy = crate::protocol::Replica::recover(config(3, 1, 3), A, 99, replica.snapshot());
    assert!(copy.snapshot().eq(replica.snapshot()));
    assert_eq!(copy.snapshot().count(), 1);
}

#[test]
fn inspecting_shows_one_replica() {
    let mut cluster = Cluster::new(config(3, 1, 1));
    cluster.lose(&[A]);
    written(cluster.put(A, "1"));
    let Response::Value { evidence, .. } = cluster.call(
        A,
        crate::wire::Request::Inspect {
            key: "k".to_owned(),
        },
    ) else {
        panic!("A is a replica");
    };
    assert_eq!(evidence.answered_by, [(A, evidence.version)]);
    assert_eq!(cluster.held(B), None);
}
