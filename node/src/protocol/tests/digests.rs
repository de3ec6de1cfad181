//! Digest reads, speculation, repair by chance and write-back: the same answers, by fewer or more messages.

use crate::config::{ReadFanout, ReadRepair, Speculation, StoreConfig};
use crate::protocol::PeerMessage;

use super::cluster::{A, B, C, Cluster, TIMEOUT_NS, config, get, written};

fn digests(read_repair: ReadRepair) -> StoreConfig {
    let mut config = StoreConfig {
        read_repair,
        ..config(3, 3, 1)
    };
    config.options.reads.digest = true;
    config
}

/// The version travels once if all agree.
#[test]
fn equal_replicas_send_one_version_and_digests() {
    let mut cluster = Cluster::new(digests(ReadRepair::Blocking));
    written(cluster.put(A, "1"));
    cluster.settle();
    let read = cluster.ask(B, get());
    let asked: Vec<bool> = cluster
        .packets
        .iter()
        .filter_map(|packet| match packet.message {
            PeerMessage::Read { digest, .. } => Some(digest),
            _ => None,
        })
        .collect();
    assert_eq!(
        asked,
        [true, true],
        "the replica in the coordinator itself is the whole one"
    );
    cluster.settle();
    assert!(cluster.reply(read).is_some());
    assert_eq!(cluster.replicas[&B].status().counters.digest_mismatches, 0);
}

/// One of three is newer, and it was asked for a digest only: it is asked again, its version is returned, and the others are repaired.
#[test]
fn a_digest_that_differs_is_asked_for_in_full() {
    for repair in [ReadRepair::None, ReadRepair::Async, ReadRepair::Blocking] {
        let mut cluster = Cluster::new(digests(repair));
        written(cluster.put(A, "1"));
        cluster.settle();
        cluster.lose(&[A]);
        written(cluster.put(A, "2"));
        cluster.heal();
        let (value, evidence) = cluster.get(B);
        assert_eq!(value.as_deref(), Some("2"));
        assert_eq!(evidence.answered_by.len(), 3);
        assert_eq!(cluster.replicas[&B].status().counters.digest_mismatches, 1);
        cluster.settle();
        let repaired = cluster.held(C).as_deref() == Some("2");
        assert_eq!(repaired, repair != ReadRepair::None);
    }
}

/// Nothing, everywhere, is an answer by digests, too.
#[test]
fn nothing_has_a_digest() {
    let mut cluster = Cluster::new(digests(ReadRepair::Blocking));
    assert_eq!(cluster.get(B).0, None);
}

/// A read turns to the third replica when the settings say, and not before.
#[test]
fn speculation_is_by_the_clock() {
    for (speculation, asked_after_ms) in [
        (Speculation::Quarter, Some(250)),
        (Speculation::AfterMs(10), Some(10)),
        (Speculation::Never, None),
    ] {
        let mut config = config(3, 2, 2);
        config.options.reads.speculation = speculation;
        let mut cluster = Cluster::new(config);
        written(cluster.put(A, "1"));
        cluster.settle();
        cluster.lose(&[B]);
        cluster.lossy.remove(&(B, C));
        // One of these two reads asks B first.
        let reads = [cluster.ask(A, get()), cluster.ask(A, get())];
        let early_ns = asked_after_ms.unwrap_or(1_000) * 1_000_000 - 100;
        cluster.wait(early_ns);
        let answered = |cluster: &Cluster| {
            reads
                .iter()
                .filter(|read| {
                    matches!(
                        cluster.reply(**read),
                        Some(crate::wire::Response::Value { .. })
                    )
                })
                .count()
        };
        assert_eq!(answered(&cluster), 1, "{speculation:?}");
        cluster.wait(TIMEOUT_NS);
        let expected = if asked_after_ms.is_some() { 2 } else { 1 };
        assert_eq!(answered(&cluster), expected, "{speculation:?}");
    }
}

/// By percentile: after reads that took a millisecond the next one waits about that long.
#[test]
fn speculation_learns_from_the_last_reads() {
    let mut config = config(3, 2, 2);
    config.options.reads.speculation = Speculation::Percentile(99);
    let mut cluster = Cluster::new(config);
    written(cluster.put(A, "1"));
    for _ in 0..40 {
        cluster.ask(A, get());
        cluster.now.monotonic.0 += 1_000_000;
        cluster.settle();
    }
    cluster.lose(&[B, C]);
    cluster.ask(A, get());
    let due = cluster.replicas[&A].deadline().expect("a read waits");
    let patience_ns = due.0 - cluster.now.monotonic.0;
    assert!(
        (1_000_000..3_000_000).contains(&patience_ns),
        "{patience_ns}"
    );
}

/// 001-14: a share of the reads repairs.
#[test]
fn repair_by_chance() {
    let mut config = StoreConfig {
        read_repair: ReadRepair::Async,
        read_fanout: ReadFanout::All,
        ..config(3, 3, 1)
    };
    config.options.reads.repair_percent = 10;
    let mut repaired = 0;
    for round in 0..400 {
        let mut cluster = Cluster::new(config.clone());
        // Chance hangs on the request's name: each round has another.
        for _ in 0..round {
            cluster.ask(B, get());
        }
        cluster.settle();
        cluster.lose(&[A]);
        cluster.put(A, "1");
        cluster.heal();
        cluster.get(B);
        cluster.settle();
        repaired += u32::from(cluster.held(C).is_some());
    }
    // 40 are expected; outside of these bounds less than one in a million times, were it drawn.
    assert!((12..=72).contains(&repaired), "{repaired} of 400");
}

/// An ABD write-back: what a read returns is on as many replicas as are asked for, not only on R.
#[test]
fn write_back_to_more_than_r() {
    let mut config = StoreConfig {
        read_repair: ReadRepair::Blocking,
        ..config(3, 2, 1)
    };
    config.options.reads.write_back = Some(3);
    let mut cluster = Cluster::new(config);
    cluster.lose(&[A]);
    written(cluster.put(A, "1"));
    cluster.heal();
    let (value, _) = cluster.get(A);
    assert_eq!(value.as_deref(), Some("1"));
    for node in [A, B, C] {
        assert_eq!(cluster.held(node).as_deref(), Some("1"), "before the reply");
    }
}
