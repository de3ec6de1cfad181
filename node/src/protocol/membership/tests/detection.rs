//! The failure detector in scenes: who is found dead and how fast, who is suspected and clears itself, who comes back.

use super::super::{Opinion, Settings};
use super::cluster::{Cluster, MS, ring};
use crate::config::NodeId;
use crate::protocol::time::Nanos;

const N1: NodeId = NodeId(1);
const N2: NodeId = NodeId(2);
const N3: NodeId = NodeId(3);

/// The period of probes, ms.
const PERIOD_MS: u64 = 100;

/// How often the time of detection is measured.
const SEEDS: u64 = 8;

fn settings() -> Settings {
    Settings {
        probe_period_ms: PERIOD_MS,
        probe_timeout_ms: 30,
        suspicion_ms: 500,
        indirect_probes: 2,
        gossip_period_ms: 50,
        announce_period_ms: 200,
    }
}

fn opinions_of(cluster: &Cluster, node: NodeId, since: Nanos) -> Vec<Opinion> {
    let about = cluster
        .said
        .iter()
        .filter(|said| said.at > since && said.life.node == node);
    let mut opinions: Vec<_> = about.map(|said| said.opinion).collect();
    opinions.sort_unstable();
    opinions.dedup();
    opinions
}

#[test]
fn a_dead_node_is_suspected_within_periods_and_buried_after_the_suspicion_time() {
    println!("periods until a dead node is suspected by one, and dead to all");
    for size in [3, 5, 9, 17] {
        let (mut first, mut all) = (0, 0);
        for seed in 0..SEEDS {
            let mut cluster = Cluster::settled(size, settings(), seed);
            let last = NodeId(size);
            cluster.sleep(last);
            let since = cluster.now;
            cluster.run_until(60_000, |cluster| cluster.all_think(last, Opinion::Dead));
            let suspected = cluster.said.iter().find(|said| {
                said.at >= since && said.life.node == last && said.opinion == Opinion::Suspect
            });
            let suspected = suspected.expect("suspected before dead").at;
            first += suspected.0 - since.0;
            all += cluster.now.0 - since.0;
            // Each of the others probes every node once in a shuffled round, so a round and the rest of the one before bound the wait.
            let round_ms = PERIOD_MS * u64::from(size - 1);
            assert!(suspected.0 - since.0 <= 2 * (round_ms + PERIOD_MS) * MS);
            assert!(
                cluster.now.0 - suspected.0 >= 500 * MS,
                "given the time to refute"
            );
            // Nobody else suffered.
            for node in cluster.peers().filter(|node| *node != last) {
                assert_eq!(opinions_of(&cluster, node, since), []);
            }
        }
        let tenths = |sum: u64| sum * 10 / SEEDS / (PERIOD_MS * MS);
        let (first, all) = (tenths(first), tenths(all));
        println!(
            "  {size:>3} nodes  {}.{}  {}.{}",
            first / 10,
            first % 10,
            all / 10,
            all % 10
        );
        // SWIM's expectation is e / (e - 1) = 1.6 periods for the probe to be chosen, whatever the size; one more for it to fail.
        assert!(first <= 40, "{size} nodes: {first} tenths of a period");
    }
}

#[test]
fn a_cut_between_two_is_bridged_by_the_others() {
    let mut cluster = Cluster::settled(5, settings(), 1);
    cluster.cut.extend([(N1, N2), (N2, N1)]);
    let since = cluster.now;
    cluster.run_ms(20_000);
    for node in [N1, N2] {
        assert_eq!(
            opinions_of(&cluster, node, since),
            [],
            "{node} was reached indirectly"
        );
    }
}

#[test]
fn a_short_absence_is_suspected_and_refuted_without_a_new_life() {
    let mut refuted = 0;
    for seed in 0..8 {
        let mut cluster = Cluster::settled(5, settings(), seed);
        let since = cluster.now;
        cluster.sleep(N3);
        cluster.run_ms(350);
        cluster.wake(N3);
        cluster.run_ms(5_000);
        assert!(cluster.all_think(N3, Opinion::Alive));
        let opinions = opinions_of(&cluster, N3, since);
        assert!(
            !opinions.contains(&Opinion::Dead),
            "buried after a suspicion that could be refuted"
        );
        refuted += u32::from(opinions == [Opinion::Alive, Opinion::Suspect]);
        assert_eq!(
            cluster.nodes[&N1].life(N3).map(|life| life.rebirth),
            Some(0)
        );
    }
    assert!(refuted >= 6, "suspected and refuted in {refuted} of 8");
}

#[test]
fn a_node_buried_alive_comes_back_with_a_new_life_as_soon_as_it_speaks() {
    let settings = Settings {
        announce_period_ms: 600_000,
        ..settings()
    };
    let mut cluster = Cluster::settled(5, settings, 2);
    cluster.sleep(N3);
    cluster.run_until(20_000, |cluster| cluster.all_think(N3, Opinion::Dead));
    cluster.wake(N3);
    cluster.run_until(1_000, |cluster| cluster.all_think(N3, Opinion::Alive));
    let life = cluster.nodes[&N1].life(N3).expect("heard of");
    assert_eq!((life.epoch, life.rebirth), (1, 1));
}

#[test]
fn who_slept_through_a_refutation_gives_it_time() {
    let mut cluster = Cluster::settled(5, settings(), 7);
    let settled = cluster.now;
    cluster.sleep(N2);
    cluster.run_until(5_000, |cluster| {
        !opinions_of(cluster, N2, settled).is_empty()
    });
    // The first to suspect is the one whose probe failed; it keeps the time of the suspicion.
    let first = cluster.said.iter().find(|said| said.at > settled);
    let accuser = first.expect("a suspicion").by;
    cluster.sleep(accuser);
    cluster.wake(N2);
    cluster.run_ms(10_000);
    let since = cluster.now;
    cluster.wake(accuser);
    cluster.run_ms(5_000);
    let buried = cluster.said.iter().any(|said| {
        said.at >= since
            && said.by == accuser
            && said.life.node == N2
            && said.opinion == Opinion::Dead
    });
    assert!(
        !buried,
        "the suspicion was old when it woke, but it had not listened"
    );
    assert_eq!(cluster.nodes[&accuser].opinion(N2), Some(Opinion::Alive));
}

#[test]
fn who_slept_does_not_bury_the_others() {
    let mut cluster = Cluster::settled(5, settings(), 3);
    cluster.sleep(N3);
    cluster.run_ms(30_000);
    let since = cluster.now;
    cluster.wake(N3);
    cluster.run_ms(5_000);
    let by_sleeper: Vec<_> = cluster
        .said
        .iter()
        .filter(|said| said.at >= since && said.by == N3 && said.opinion == Opinion::Dead)
        .collect();
    assert_eq!(by_sleeper, [] as [&super::cluster::Said; 0]);
}

#[test]
fn a_restarted_node_supersedes_its_former_life_dead_or_not() {
    for wait_ms in [10, 10_000] {
        let mut cluster = Cluster::settled(5, settings(), 4);
        cluster.sleep(N3);
        cluster.run_ms(wait_ms);
        cluster.wake(N3);
        cluster.start(N3, 2, cluster.peers(), ring(5));
        cluster.run_until(2_000, |cluster| {
            let all = cluster.awake().filter(|(node, _)| **node != N3);
            all.fold(true, |so_far, (_, node)| {
                so_far
                    && node
                        .life(N3)
                        .is_some_and(|life| life.epoch == 2 && life.rebirth == 0)
            }) && cluster.all_think(N3, Opinion::Alive)
        });
        // What the former life is still accused of does not stick.
        let since = cluster.now;
        cluster.run_ms(10_000);
        assert_eq!(opinions_of(&cluster, N3, since), []);
    }
}

#[test]
fn two_halves_find_each_other_again() {
    let mut cluster = Cluster::settled(5, settings(), 5);
    cluster.isolate(&[N1, N2]);
    cluster.run_ms(20_000);
    let nodes = &cluster.nodes;
    assert_eq!(nodes[&N1].opinion(N3), Some(Opinion::Dead));
    assert_eq!(nodes[&N1].opinion(N2), Some(Opinion::Alive));
    assert_eq!(nodes[&N3].opinion(N1), Some(Opinion::Dead));
    cluster.cut.clear();
    cluster.run_until(10_000, |cluster| {
        cluster
            .peers()
            .all(|node| cluster.all_think(node, Opinion::Alive))
    });
}

#[test]
fn nodes_that_were_all_alone_find_each_other_again() {
    // Each believes that it is the last one; SWIM itself is silent then, and only the calls are left.
    let mut cluster = Cluster::settled(3, settings(), 6);
    for node in [N1, N2, N3] {
        cluster.isolate(&[node]);
    }
    cluster.run_ms(20_000);
    for node in [N1, N2, N3] {
        assert!(cluster.all_think(node, Opinion::Dead));
    }
    cluster.cut.clear();
    cluster.run_until(10_000, |cluster| {
        cluster
            .peers()
            .all(|node| cluster.all_think(node, Opinion::Alive))
    });
}

#[test]
fn the_same_seed_makes_the_same_packets() {
    let trace = |seed| {
        let mut cluster = Cluster::new(5, settings(), seed);
        cluster.lost_per_mille = 50;
        cluster.run_ms(3_000);
        cluster.sleep(N3);
        cluster.run_ms(3_000);
        cluster.wake(N3);
        cluster.run_ms(3_000);
        (cluster.trace, cluster.said)
    };
    assert_eq!(trace(7), trace(7));
    assert_ne!(trace(7).0, trace(8).0);
}
