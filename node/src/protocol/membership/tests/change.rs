//! A whole ring change over gossip, from the command to the end: no two nodes are ever more than one phase apart, which is what
//! `overlap` takes for granted.

use super::super::{
    Bootstrap, Command, Membership, Opinion, Pending, Phase, RingView, Settings, Sources, Status,
};
use super::cluster::{Cluster, nodes, ring};
use crate::config::NodeId;
use crate::protocol::placement::Replication;

const N1: NodeId = NodeId(1);
const N2: NodeId = NodeId(2);
const N6: NodeId = NodeId(6);

/// Where a node sees the change of `of`: 0 nothing decided, 1 copying, 2 switched, 3 done.
fn stage(membership: &Membership, of: NodeId) -> u8 {
    match membership.ring().member(of).map(|member| member.status) {
        None => 0,
        Some(Status::Joining(Phase::Copy)) => 1,
        Some(Status::Joining(Phase::Switch)) => 2,
        Some(_) => 3,
    }
}

fn stages(cluster: &Cluster, of: NodeId) -> (u8, u8) {
    let stages: Vec<_> = cluster.awake().map(|(_, node)| stage(node, of)).collect();
    let least = stages.iter().min().copied().unwrap_or(0);
    (least, stages.iter().max().copied().unwrap_or(0))
}

/// Runs until the driver sees all agree, and looks at every node meanwhile.
fn until_all_agree(cluster: &mut Cluster, driver: NodeId, of: NodeId) {
    for _ in 0..12_000 {
        let (least, most) = stages(cluster, of);
        assert!(most - least <= 1, "stages {least} to {most} at once");
        if cluster.nodes[&driver].all_agree() {
            assert_eq!(least, most, "agreed, but not of one mind");
            return;
        }
        cluster.run_ms(10);
    }
    panic!("no agreement in two minutes");
}

fn copy(cluster: &Cluster, driver: NodeId, dead: Option<NodeId>) -> super::super::Copied {
    let state = cluster.nodes[&driver].ring();
    let view = RingView::new(state, 8, &Replication::Simple { n: 3 }, Pending::Counted);
    let sources = Sources::Meeting { w: 2 };
    let mut bootstrap =
        Bootstrap::new(&view, sources, |node| Some(node) == dead).expect("a change");
    assert_eq!(bootstrap.impossible().count(), 0);
    for task in 0..bootstrap.tasks().len() {
        while let Some(source) = bootstrap.tasks()[task].left().first().copied() {
            bootstrap.copied(task, source);
        }
    }
    bootstrap.certificate().expect("everything copied")
}

fn newcomer(replaces: Option<NodeId>, lost_per_mille: u64, seed: u64) {
    let mut cluster = Cluster::settled(5, Settings::default(), seed);
    if let Some(dead) = replaces {
        cluster.sleep(dead);
        cluster.run_ms(60_000);
    }
    cluster.start(N6, 1, nodes(5), ring(5));
    cluster.lost_per_mille = lost_per_mille;
    cluster.run_ms(5_000);
    let join = Command::Join {
        node: N6,
        data_centre: String::new(),
        replaces,
    };
    cluster
        .act(N1, |node, out| node.command(join, out))
        .expect("possible");
    // The newcomer drives its own change, as soon as it hears of it.
    cluster.run_until(60_000, |cluster| stage(&cluster.nodes[&N6], N6) == 1);
    until_all_agree(&mut cluster, N6, N6);
    let copied = copy(&cluster, N6, replaces);
    cluster
        .act(N6, |node, out| node.switch(&copied, out))
        .expect("under way");
    until_all_agree(&mut cluster, N6, N6);
    cluster
        .act(N6, |node, out| node.settle(N6, out))
        .expect("switched");
    until_all_agree(&mut cluster, N6, N6);
    for (_, node) in cluster.awake() {
        let owners: Vec<_> = node.ring().owners().into_keys().collect();
        let expected: Vec<_> = nodes(6).filter(|node| Some(*node) != replaces).collect();
        assert_eq!(owners, expected);
    }
}

#[test]
fn a_node_joins() {
    newcomer(None, 0, 1);
    newcomer(None, 100, 2);
}

#[test]
fn a_node_takes_the_place_of_a_dead_one() {
    newcomer(Some(N2), 0, 3);
    newcomer(Some(N2), 100, 4);
}

#[test]
fn a_dead_node_leaves() {
    let mut cluster = Cluster::settled(5, Settings::default(), 6);
    cluster.sleep(N2);
    cluster.run_until(60_000, |cluster| cluster.all_think(N2, Opinion::Dead));
    let leave = Command::Leave(N2);
    cluster
        .act(N1, |node, out| node.command(leave, out))
        .expect("possible");
    cluster.run_until(30_000, |cluster| cluster.nodes[&N1].all_agree());
    let copied = copy(&cluster, N1, Some(N2));
    cluster
        .act(N1, |node, out| node.switch(&copied, out))
        .expect("under way");
    cluster.run_until(30_000, |cluster| cluster.nodes[&N1].all_agree());
    cluster
        .act(N1, |node, out| node.settle(N2, out))
        .expect("switched");
    cluster.run_until(30_000, |cluster| {
        cluster.awake().all(|(_, node)| !node.ring().owns(N2))
    });
}

#[test]
fn a_node_that_hears_nothing_holds_a_change_up() {
    let mut cluster = Cluster::settled(5, Settings::default(), 5);
    cluster.isolate(&[N2]);
    cluster
        .act(N1, |node, out| node.command(Command::Leave(NodeId(5)), out))
        .expect("possible");
    for _ in 0..60 {
        cluster.run_ms(1_000);
        assert!(!cluster.nodes[&N1].all_agree(), "n2 knows nothing of it");
    }
    cluster.cut.clear();
    cluster.run_until(30_000, |cluster| cluster.nodes[&N1].all_agree());
}

#[test]
fn a_node_that_starts_again_is_asked_again() {
    let mut cluster = Cluster::settled(5, Settings::default(), 7);
    cluster
        .act(N1, |node, out| node.command(Command::Leave(NodeId(5)), out))
        .expect("possible");
    cluster.run_until(30_000, |cluster| cluster.nodes[&N1].all_agree());
    // It has lost its disk, and what it says does not reach n1: that it started again is known from the others.
    cluster.cut.insert((N2, N1));
    cluster.start(N2, 2, nodes(5), ring(5));
    cluster.run_until(30_000, |cluster| {
        cluster.nodes[&N1]
            .life(N2)
            .is_some_and(|life| life.epoch == 2)
    });
    assert!(!cluster.nodes[&N1].agrees(N2));
    cluster.cut.clear();
    cluster.run_until(30_000, |cluster| cluster.nodes[&N1].all_agree());
}
