//! What a node does with packets that no honest node sends: it says what is wrong with them, and lives on.

use proptest::prelude::*;

use super::super::packet::{Digest, Packet};
use super::super::swim::Accusation;
use super::super::{
    Command, Life, Membership, Opinion, Output, PacketError, RingState, Settings, StateError,
    Status,
};
use super::cluster::{Cluster, MS, nodes, ring};
use crate::config::NodeId;
use crate::protocol::time::Nanos;
use crate::wire::encode;

const N1: NodeId = NodeId(1);
const N2: NodeId = NodeId(2);
const N3: NodeId = NodeId(3);

fn started(node: NodeId, out: &mut Vec<Output>) -> Membership {
    let life = Life::new(node, 1);
    Membership::new(
        Nanos(0),
        life,
        Settings::default(),
        nodes(3),
        ring(3),
        1,
        out,
    )
    .expect("good settings")
}

fn packets(out: &[Output], receiver: NodeId) -> Vec<Vec<u8>> {
    let to_receiver = |output: &Output| match output {
        Output::Send { to, bytes } if *to == receiver => Some(bytes.clone()),
        _ => None,
    };
    out.iter().filter_map(to_receiver).collect()
}

/// Honest packets to node 1, of several kinds.
fn honest() -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let mut n1 = started(N1, &mut out);
    let mut n2 = started(N2, &mut Vec::new());
    let mut packets_to_n1 = Vec::new();
    for packet in packets(&out, N2) {
        let mut answer = Vec::new();
        n2.hear(Nanos(MS), N1, &packet, &mut answer)
            .expect("honest");
        n2.command(Command::Leave(N3), &mut answer)
            .expect("a node of the ring");
        packets_to_n1.extend(packets(&answer, N1));
    }
    for packet in packets_to_n1.clone() {
        n1.hear(Nanos(2 * MS), N2, &packet, &mut Vec::new())
            .expect("honest");
    }
    let mut out = Vec::new();
    n2.tick(Nanos(3_000 * MS), &mut out);
    packets_to_n1.extend(packets(&out, N1));
    let state = n2.ring().clone();
    packets_to_n1.push(
        encode(&Packet::Ring {
            state,
            answer: true,
        })
        .expect("bytes"),
    );
    packets_to_n1
}

proptest! {
    #[test]
    fn noise_is_refused_and_harms_nobody(bytes in prop::collection::vec(any::<u8>(), 0..80), kind in 0..3_u8) {
        let mut out = Vec::new();
        let mut node = started(N1, &mut out);
        let bytes = if kind == 0 {
            bytes
        } else {
            let digest = Digest::of(node.ring());
            let accused = Accusation { life: Life::new(N1, 1), incarnation: 0, dead: kind == 1 };
            encode(&Packet::Swim { digest, accused: Some(accused), bytes }).expect("bytes")
        };
        let _ = node.hear(Nanos(MS), N2, &bytes, &mut out);
        node.tick(Nanos(5_000 * MS), &mut out);
        prop_assert!(node.ring().validate().is_ok());
    }

    #[test]
    fn damaged_packets_harm_nobody(
        index in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
        moment in 0..10_000_u64,
    ) {
        let mut packet = honest()[index.index(honest().len())].clone();
        let at = at.index(packet.len());
        packet[at] = byte;
        if cut {
            packet.truncate(at);
        }
        let mut out = Vec::new();
        let mut node = started(N1, &mut out);
        let _ = node.hear(Nanos(MS), N2, &packet, &mut out);
        node.tick(Nanos(moment * MS), &mut out);
        let _ = node.hear(Nanos(moment * MS), N2, &packet, &mut out);
        prop_assert!(node.ring().validate().is_ok());
        prop_assert_eq!(node.opinion(N1), Some(Opinion::Alive));
        prop_assert_eq!(packets(&out, N1).len(), 0, "nobody sends to itself");
    }
}

#[test]
fn the_refusal_says_what_is_wrong() {
    let mut out = Vec::new();
    let mut n1 = started(N1, &mut out);
    let to_n2 = packets(&out, N2).remove(0);
    let mut n2 = started(N2, &mut Vec::new());
    let impostor = n2.hear(Nanos(MS), N3, &to_n2, &mut Vec::new());
    assert_eq!(
        impostor,
        Err(PacketError::Impostor {
            from: N3,
            claimed: N1
        })
    );

    let malformed = n1
        .hear(Nanos(MS), N2, &[9, 9], &mut Vec::new())
        .expect_err("refused");
    assert!(
        malformed
            .to_string()
            .contains("do all nodes run the same version?"),
        "{malformed}"
    );

    let state = RingState::initial([(NodeId(0), String::new())]);
    let bytes = encode(&Packet::Ring {
        state,
        answer: false,
    })
    .expect("bytes");
    let strange = n1.hear(Nanos(MS), N2, &bytes, &mut Vec::new());
    let source = StateError::Node(NodeId(0));
    assert_eq!(strange, Err(PacketError::State { from: N2, source }));
    assert_eq!(n1.ring(), &ring(3));
}

#[test]
fn who_missed_a_decision_learns_it_with_the_first_word_it_hears() {
    let mut cluster = Cluster::settled(5, Settings::default(), 1);
    cluster.isolate(&[N3]);
    let told = cluster.act(N1, |node, out| node.command(Command::Leave(N2), out));
    told.expect("a node of the ring");
    cluster.run_ms(120_000);
    let leaving = |cluster: &Cluster, node| {
        let status = cluster.nodes[node]
            .ring()
            .member(N2)
            .map(|member| member.status);
        matches!(status, Some(Status::Leaving(_)))
    };
    assert!(leaving(&cluster, &N1) && !leaving(&cluster, &N3));
    assert!(!cluster.nodes[&N1].all_agree());
    cluster.cut.clear();
    cluster.run_until(30_000, |cluster| leaving(cluster, &N3));
    cluster.run_until(30_000, |cluster| {
        cluster
            .awake()
            .fold(true, |all, (_, node)| all && node.all_agree())
    });
}

#[test]
fn only_a_node_that_seems_dead_is_replaced() {
    let replace = || Command::Join {
        node: NodeId(9),
        data_centre: String::new(),
        replaces: Some(N3),
    };
    let mut cluster = Cluster::settled(5, Settings::default(), 2);
    let refused = cluster.act(N1, |node, out| node.command(replace(), out));
    assert!(
        refused
            .expect_err("alive")
            .to_string()
            .starts_with("n3 seems to be alive")
    );
    cluster.sleep(N3);
    cluster.run_until(60_000, |cluster| cluster.all_think(N3, Opinion::Dead));
    let taken = cluster.act(N1, |node, out| node.command(replace(), out));
    assert_eq!(taken, Ok(()));
}
