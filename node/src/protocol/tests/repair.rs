//! Read repair: who is told what, and what a blocking read waits for.

use crate::config::{ReadFanout, ReadRepair, StoreConfig};
use crate::protocol::PeerMessage;

use super::cluster::{A, B, C, Cluster, TIMEOUT_NS, config, get, put, unknown, value, written};

fn repairing(read_repair: ReadRepair, read_fanout: ReadFanout) -> StoreConfig {
    StoreConfig {
        read_fanout,
        read_repair,
        ..config(3, 2, 1)
    }
}

/// A holds "1"; B and C hold nothing.
fn only_a_holds(config: StoreConfig) -> Cluster {
    let mut cluster = Cluster::new(config);
    cluster.lose(&[A]);
    written(cluster.put(A, "1"));
    cluster.heal();
    cluster
}

fn repairs_underway(cluster: &Cluster) -> usize {
    let repair = |message: &PeerMessage| matches!(message, PeerMessage::Repair { .. });
    cluster
        .packets
        .iter()
        .filter(|packet| repair(&packet.message))
        .count()
}

#[test]
fn a_blocking_read_waits_until_r_replicas_durably_hold_what_it_returns() {
    let mut cluster = only_a_holds(repairing(ReadRepair::Blocking, ReadFanout::Quorum));
    cluster.sees_only(A, &[B]);
    cluster.stalled.insert(B);
    let read = cluster.ask(A, get());
    cluster.settle();
    assert_eq!(cluster.reply(read), None);
    cluster.stalled.clear();
    cluster.settle();
    let (value, evidence) = value(cluster.reply(read).expect("B holds it now").clone());
    assert_eq!(value.as_deref(), Some("1"));
    assert_eq!(evidence.repaired, [B]);
    assert_eq!(cluster.replicas[&A].status().coordinating, 0);
}

#[test]
fn a_blocking_read_turns_to_the_others_if_the_stale_replica_is_slow() {
    let mut cluster = only_a_holds(repairing(ReadRepair::Blocking, ReadFanout::Quorum));
    cluster.sees_only(A, &[B]);
    cluster.stalled.insert(B);
    let (value, evidence) = value(cluster.call(A, get()));
    assert_eq!(value.as_deref(), Some("1"));
    assert_eq!(evidence.repaired, [C]);
    assert_eq!(cluster.held(C).as_deref(), Some("1"));
}

#[test]
fn a_blocking_read_that_cannot_repair_ends_unknown() {
    let mut cluster = only_a_holds(repairing(ReadRepair::Blocking, ReadFanout::Quorum));
    cluster.stalled.extend([B, C]);
    let (why, evidence) = unknown(cluster.call(A, get()));
    assert_eq!(why, "1 of 2 replicas repaired in time");
    assert_eq!(evidence.answered_by.len(), 2);
}

#[test]
fn a_coordinator_repairs_itself_through_its_own_log() {
    let mut cluster = only_a_holds(repairing(ReadRepair::Blocking, ReadFanout::Quorum));
    cluster.sees_only(B, &[A]);
    let (value, evidence) = cluster.get(B);
    assert_eq!(value.as_deref(), Some("1"));
    assert_eq!(evidence.repaired, [B]);
    cluster.restart(B);
    assert_eq!(cluster.held(B).as_deref(), Some("1"));
}

#[test]
fn an_async_read_replies_first_and_then_repairs() {
    let mut cluster = only_a_holds(repairing(ReadRepair::Async, ReadFanout::Quorum));
    cluster.sees_only(A, &[B]);
    cluster.stalled.insert(B);
    let (_, evidence) = cluster.get(A);
    assert_eq!(evidence.repaired, [B]);
    assert_eq!(cluster.replicas[&A].status().coordinating, 1);
    cluster.stalled.clear();
    cluster.settle();
    assert_eq!(cluster.replicas[&A].status().coordinating, 0);
    assert_eq!(cluster.held(B).as_deref(), Some("1"));
}

#[test]
fn asking_all_repairs_those_that_answer_late_too() {
    for read_repair in [ReadRepair::Async, ReadRepair::Blocking] {
        let mut cluster = only_a_holds(repairing(read_repair, ReadFanout::All));
        cluster.get(A);
        cluster.settle();
        for node in [A, B, C] {
            assert_eq!(
                cluster.held(node).as_deref(),
                Some("1"),
                "{read_repair:?} {node}"
            );
        }
    }
}

#[test]
fn a_late_answer_that_is_newer_repairs_those_that_made_the_reply() {
    let mut cluster = only_a_holds(repairing(ReadRepair::Async, ReadFanout::All));
    let read = cluster.ask(B, get());
    let position = cluster.packets.iter().position(|packet| packet.to == A);
    let to_a = cluster.packets.remove(position.expect("all are asked"));
    cluster.settle();
    let (early, _) = value(cluster.reply(read).expect("B and C answered").clone());
    assert_eq!(early, None);
    cluster.deliver(to_a);
    cluster.settle();
    for node in [B, C] {
        assert_eq!(cluster.held(node).as_deref(), Some("1"));
    }
}

#[test]
fn nothing_is_repaired_where_nothing_is_stale_or_repair_is_off() {
    let mut absent = Cluster::new(repairing(ReadRepair::Blocking, ReadFanout::All));
    assert_eq!(absent.get(A).0, None);
    let mut off = only_a_holds(repairing(ReadRepair::None, ReadFanout::All));
    let (_, evidence) = off.get(A);
    assert_eq!(evidence.repaired, []);
    for mut cluster in [absent, off] {
        assert_eq!(repairs_underway(&cluster), 0);
        cluster.settle();
        assert_eq!(cluster.held(C), None);
    }
}

#[test]
fn a_read_is_forgotten_when_its_time_is_up() {
    let mut cluster = only_a_holds(repairing(ReadRepair::Async, ReadFanout::All));
    cluster.lose(&[C]);
    cluster.get(A);
    cluster.settle();
    assert_eq!(cluster.replicas[&A].status().coordinating, 1);
    cluster.wait(TIMEOUT_NS);
    assert_eq!(cluster.replicas[&A].status().coordinating, 0);
    assert_eq!(cluster.replicas[&A].deadline(), None);
}

#[test]
fn reads_take_turns_among_the_other_replicas() {
    let mut cluster = Cluster::new(config(3, 2, 2));
    written(cluster.call(A, put("1")));
    cluster.settle();
    let mut partners: Vec<_> = (0..4).map(|_| cluster.get(A).1.answered_by[1].0).collect();
    partners.sort_unstable();
    assert_eq!(partners, [B, B, C, C]);
}
