//! Sloppy quorums: other nodes stand in for replicas, their answers count towards W and R and not towards PW and PR.

use crate::config::{HintHolder, Level, NodeId, Sabotage, StoreConfig};
use crate::protocol::Topology;
use crate::wire::{Quorum, Request, Response};

use super::cluster::{Cluster, TIMEOUT_NS, config, refused, sabotaged, value, written};

/// Five nodes, three replicas, anybody may stand in.
pub(super) fn sloppy(r: u16, w: u16) -> StoreConfig {
    let mut config = StoreConfig {
        nodes: 5,
        ..config(3, r, w)
    };
    config.options.sloppy = true;
    config.options.hints.holder = HintHolder::Fallback;
    config
}

/// The replicas of `k`, and the two others, in the order of preference.
pub(super) fn nodes_of_k(config: &StoreConfig) -> (Vec<NodeId>, Vec<NodeId>) {
    let mut list = Topology::of(config)
        .placement()
        .preference_list("k", usize::MAX);
    let others = list.split_off(usize::from(config.n));
    (list, others)
}

fn put(quorum: Quorum) -> Request {
    Request::put("k", "1", quorum)
}

/// The notes' example (001-22): B is down, D takes a hint for B, and W = 3 is met by A, C and D; B returns and gets it; D keeps nothing.
#[test]
fn a_stand_in_counts_and_hands_over() {
    let config = sloppy(2, 3);
    let (replicas, others) = nodes_of_k(&config);
    let [a, b, c] = replicas[..] else {
        panic!("three replicas")
    };
    let mut cluster = Cluster::new(config);
    cluster.cut_off(b);
    let evidence = written(cluster.put(a, "1"));
    let d = others[0];
    assert_eq!(evidence.fallbacks, [d]);
    assert_eq!(evidence.hinted, [(b, d)]);
    let mut acked_by = evidence.acked_by;
    acked_by.sort_unstable();
    let mut expected = [a, c, d];
    expected.sort_unstable();
    assert_eq!(acked_by, expected);
    assert_eq!(cluster.hints(d), 1);
    assert_eq!(cluster.held(b), None);
    cluster.reconnect(b);
    cluster.wait(TIMEOUT_NS);
    assert_eq!(cluster.held(b).as_deref(), Some("1"));
    assert_eq!(cluster.hints(d), 0);
    assert_eq!(cluster.replicas[&d].status().counters.hints_delivered, 1);
}

/// Strict beside it: too few replicas within reach is a definite refusal.
#[test]
fn without_stand_ins_the_same_write_is_refused() {
    let mut config = sloppy(2, 3);
    config.options.sloppy = false;
    let (replicas, _) = nodes_of_k(&config);
    let mut cluster = Cluster::new(config);
    cluster.cut_off(replicas[1]);
    let why = refused(cluster.put(replicas[0], "1"));
    assert_eq!(why, "2 of 3 replicas reachable, W = 3");
    // Per request it may be otherwise.
    let sloppily = Quorum {
        sloppy: Some(true),
        ..Quorum::default()
    };
    written(cluster.call(replicas[0], put(sloppily)));
}

/// A replica that seems to be there and does not answer: somebody stands in after a while, and W is met in time.
#[test]
fn a_silent_replica_is_stood_in_for_later() {
    let config = sloppy(2, 3);
    let (replicas, others) = nodes_of_k(&config);
    let mut cluster = Cluster::new(config);
    cluster.lose(&replicas[1..2]);
    let evidence = written(cluster.put(replicas[0], "1"));
    assert_eq!(evidence.fallbacks, others[..1]);
    assert_eq!(cluster.hints(others[0]), 1);
    cluster.heal();
    cluster.wait(2 * TIMEOUT_NS);
    assert_eq!(cluster.held(replicas[1]).as_deref(), Some("1"));
    assert_eq!(cluster.hints(others[0]), 0);
}

/// SEMANTICS 3.4: written to A and B, both cut off from the reader, who asks C and a stand-in: nothing.
#[test]
fn stand_ins_answer_reads_and_may_miss_what_was_acknowledged() {
    let config = sloppy(2, 2);
    let (replicas, others) = nodes_of_k(&config);
    let [a, b, c] = replicas[..] else {
        panic!("three replicas")
    };
    let mut cluster = Cluster::new(config);
    cluster.lose(&[c]);
    written(cluster.put(a, "1"));
    cluster.packets.clear();
    cluster.heal();
    cluster.sees_only(c, &others);
    let (read, evidence) = cluster.get(c);
    assert_eq!(
        read, None,
        "an acknowledged write is missed although R + W > N"
    );
    assert_eq!(evidence.fallbacks.len(), 1);
    cluster.sees_only(c, &[a, b]);
    assert_eq!(cluster.get(c).0.as_deref(), Some("1"));
}

/// A stand-in shows what it keeps.
#[test]
fn hints_are_read_where_their_keeper_stands_in() {
    let config = sloppy(2, 2);
    let (replicas, others) = nodes_of_k(&config);
    let mut cluster = Cluster::new(config);
    for replica in &replicas {
        cluster.cut_off(*replica);
    }
    written(cluster.put(others[0], "1"));
    assert_eq!(cluster.hints(others[0]) + cluster.hints(others[1]), 2);
    assert_eq!(cluster.get(others[1]).0.as_deref(), Some("1"));
}

/// PW and PR count the key's own replicas only: refused before anything is sent if they cannot be had.
#[test]
fn primaries_are_asked_for_by_name() {
    let config = sloppy(2, 2);
    let (replicas, _) = nodes_of_k(&config);
    let strict = |primaries| Quorum {
        primaries: Some(primaries),
        ..Quorum::default()
    };
    let mut cluster = Cluster::new(config.clone());
    cluster.sees_only(replicas[0], &nodes_of_k(&config).1);
    let why = refused(cluster.call(replicas[0], put(strict(2))));
    assert_eq!(why, "1 of 2 replicas reachable for PW");
    let why = refused(cluster.call(replicas[0], Request::get("k", strict(2))));
    assert_eq!(why, "1 of 2 replicas reachable for PR");
    written(cluster.call(replicas[0], put(strict(1))));
    value(cluster.call(replicas[0], Request::get("k", strict(1))));
    let why = refused(cluster.call(replicas[0], put(strict(4))));
    assert_eq!(why, "PW = 4: choose at most N = 3");

    let mut cluster = Cluster::new(sabotaged(Sabotage::FallbackAsPrimary, &config));
    cluster.sees_only(replicas[0], &nodes_of_k(&config).1);
    written(cluster.call(replicas[0], put(strict(2))));
}

/// ANY: the coordinator's own hint is enough, even if nobody else is there; the write is nowhere to be read until it is handed over.
#[test]
fn any_is_satisfied_by_a_hint() {
    let mut config = StoreConfig {
        nodes: 5,
        ..config(3, 2, 2)
    };
    config.options.hints.holder = HintHolder::Coordinator;
    let (replicas, others) = nodes_of_k(&config);
    let mut cluster = Cluster::new(config);
    cluster.cut_off(others[0]);
    assert_eq!(
        refused(cluster.call(others[0], put(Quorum::at(Level::One)))),
        "0 of 1 replicas reachable for one"
    );
    let evidence = written(cluster.call(others[0], put(Quorum::at(Level::Any))));
    assert_eq!(evidence.acked_by, []);
    assert_eq!(evidence.hinted.len(), 1);
    assert_eq!(cluster.hints(others[0]), 3);
    assert_eq!(cluster.get(replicas[0]).0, None);
    cluster.reconnect(others[0]);
    cluster.wait(2 * TIMEOUT_NS);
    assert_eq!(cluster.get(replicas[0]).0.as_deref(), Some("1"));
    assert_eq!(cluster.hints(others[0]), 0);
}

/// At ANY even a time-out is a success, once the hints are safe (Cassandra).
#[test]
fn any_turns_a_time_out_into_hints() {
    let mut config = StoreConfig {
        nodes: 5,
        ..config(3, 2, 2)
    };
    config.options.hints.holder = HintHolder::Coordinator;
    let (_, others) = nodes_of_k(&config);
    let mut cluster = Cluster::new(config);
    cluster.lose(&others[..1]);
    let request = cluster.ask(others[0], put(Quorum::at(Level::Any)));
    cluster.wait(2 * TIMEOUT_NS);
    let response = cluster.reply(request).expect("an answer").clone();
    assert_eq!(written(response).acked_by, []);
    assert_eq!(cluster.hints(others[0]), 3);
}

/// A write that fewer than W acknowledged is unknown, and its coordinator keeps hints for the rest all the same (Cassandra).
#[test]
fn a_write_that_timed_out_is_handed_over_later() {
    let mut config = config(3, 2, 3);
    config.options.hints.holder = HintHolder::Coordinator;
    let (replicas, _) = nodes_of_k(&config);
    let [a, b, ..] = replicas[..] else {
        panic!("three replicas")
    };
    let mut cluster = Cluster::new(config);
    cluster.lose(&[b]);
    let response = cluster.put(a, "1");
    assert!(matches!(response, Response::Unknown { .. }), "{response:?}");
    assert_eq!(cluster.hints(a), 1);
    cluster.heal();
    cluster.wait(2 * TIMEOUT_NS);
    assert_eq!(
        cluster.held(b).as_deref(),
        Some("1"),
        "what failed is visible everywhere in the end"
    );
}

/// Riak's w and dw: received is enough for w, and dw waits for the log.
#[test]
fn received_is_not_durable() {
    let mut config = config(3, 2, 3);
    config.options.dw = Some(1);
    let (replicas, _) = nodes_of_k(&config);
    let mut cluster = Cluster::new(config);
    cluster.stalled.extend(&replicas[1..]);
    let evidence = written(cluster.put(replicas[0], "1"));
    assert_eq!(
        evidence.acked_by,
        replicas[..1],
        "the others have received it and nothing more"
    );
    let all = Quorum {
        durable: Some(3),
        ..Quorum::default()
    };
    let response = cluster.call(replicas[0], put(all));
    assert!(matches!(response, Response::Unknown { why, .. } if why.contains("1 of 3")));
}
