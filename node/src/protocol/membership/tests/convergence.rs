//! How many rounds of gossip it takes until all know: O(log M) of M nodes. Virtual rounds, so the figures are the same everywhere; run with
//! `--nocapture` to see the table.

use super::super::{Command, Membership, Opinion, Settings};
use super::cluster::{Cluster, nodes, ring};
use crate::config::NodeId;

/// One round of gossip, ms. Probes come as often.
const ROUND_MS: u64 = 1_000;

/// How often each figure is measured, each with other random choices.
const SEEDS: u64 = 3;

/// Cluster sizes.
const SIZES: [u16; 5] = [4, 8, 16, 32, 64];

#[derive(Clone, Copy, Debug)]
enum News {
    /// A decision about the ring, known to one node.
    Ring,
    /// A node comes that only one node has heard of.
    Newcomer,
    /// A node is dead, as one node has just found out.
    Death,
}

/// A cluster with nothing to tell, one round per probe and per gossip.
fn quiet(size: u16, fanout: u8, seed: u64) -> Cluster {
    let settings = Settings {
        probe_period_ms: ROUND_MS,
        gossip_period_ms: ROUND_MS,
        indirect_probes: fanout,
        suspicion_ms: 5 * ROUND_MS,
        ..Settings::default()
    };
    Cluster::settled(size, settings, seed)
}

/// The rounds from the first that knows to the last.
fn rounds(cluster: &mut Cluster, news: News, lost_per_mille: u64) -> u64 {
    let limit_ms = 200 * ROUND_MS;
    let size = u16::try_from(cluster.peers().count()).expect("a small cluster");
    let last = NodeId(size);
    cluster.lost_per_mille = lost_per_mille;
    let took_ms = match news {
        News::Ring => {
            let command = Command::Leave(last);
            let told = cluster.act(NodeId(1), |node, out| node.command(command, out));
            told.expect("a node of the ring");
            cluster.run_until(limit_ms, Cluster::rings_are_equal)
        }
        News::Newcomer => {
            let newcomer = NodeId(size + 1);
            let knows =
                move |cluster: &Cluster| cluster.nodes[&NodeId(1)].opinion(newcomer).is_some();
            cluster.start(newcomer, 1, [NodeId(1)], ring(size));
            cluster.run_until(limit_ms, knows);
            cluster.run_until(limit_ms, |cluster| {
                nodes(size).all(|node| cluster.nodes[&node].opinion(newcomer).is_some())
            })
        }
        News::Death => {
            let dead = move |cluster: &Cluster| {
                let mut all = cluster.awake();
                all.any(|(_, node)| node.opinion(last) == Some(Opinion::Dead))
            };
            cluster.sleep(last);
            cluster.run_until(limit_ms, dead);
            cluster.run_until(limit_ms, |cluster| cluster.all_think(last, Opinion::Dead))
        }
    };
    cluster.lost_per_mille = 0;
    cluster.run_ms(20 * ROUND_MS);
    took_ms.div_ceil(ROUND_MS)
}

/// Prints the mean and the largest of each size, and holds the largest against `slope` log2(M) + `offset`.
fn table(news: &[News], fanout: u8, lost_per_mille: u64, (slope, offset): (u64, u64)) {
    // Told at once, because other tables are made at the same time.
    let mut told = format!(
        "rounds until all know, gossip to {fanout}, {lost_per_mille} of 1000 packets lost\n  nodes  log2  {news:?}\n"
    );
    for size in SIZES {
        let mut took = vec![Vec::new(); news.len()];
        for seed in 0..SEEDS {
            let mut cluster = quiet(size, fanout, seed);
            for (took, news) in took.iter_mut().zip(news) {
                took.push(rounds(&mut cluster, *news, lost_per_mille));
            }
            let mended = cluster
                .nodes
                .values()
                .map(Membership::recoveries)
                .sum::<u64>();
            assert_eq!(mended, 0, "the detector is called in turn");
        }
        let log = u64::from(size.ilog2());
        let mut line = format!("  {size:>5}  {log:>4}");
        for (took, news) in took.iter().zip(news) {
            let (sum, most) = (
                took.iter().sum::<u64>(),
                took.iter().max().copied().unwrap_or(0),
            );
            let bound = slope * log + offset;
            assert!(
                most <= bound,
                "{told}{news:?} took {took:?} rounds among {size}, expected at most {bound}"
            );
            let mean_of_ten = sum * 10 / SEEDS;
            let mean = format!("{}.{}", mean_of_ten / 10, mean_of_ten % 10);
            line.extend(["  ", &mean, " (at most ", &most.to_string(), ")"]);
        }
        told.extend([line.as_str(), "\n"]);
    }
    println!("{told}");
}

const ALL: [News; 3] = [News::Ring, News::Newcomer, News::Death];

#[test]
fn all_know_after_about_log2_rounds_of_telling_one() {
    table(&ALL, 1, 0, (1, 1));
}

#[test]
fn all_know_after_fewer_rounds_of_telling_three() {
    table(&ALL, 3, 0, (1, 0));
}

#[test]
fn all_know_the_ring_although_a_fifth_of_all_packets_is_lost() {
    // News of nodes is not measured with one listener per round: so many probes fail then that nodes are buried alive all the time.
    table(&[News::Ring], 1, 200, (1, 2));
}

#[test]
fn all_know_although_a_fifth_of_all_packets_is_lost() {
    table(&ALL, 3, 200, (1, 2));
}
