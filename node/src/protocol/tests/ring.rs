//! The ring changes under load: nodes join, leave and are replaced, and no read is stale because of it; afterwards everything is where the
//! new ring wants it. Storms run over many seeds, and must find the change that counts nobody as pending.

use std::collections::BTreeMap;

use crate::config::{Gossip, MembershipOptions, NodeId, ReadRepair, Sabotage, StoreConfig};
use crate::protocol::membership::Settings;
use crate::protocol::{Input, PeerMessage, Topology};
use crate::wire::{Quorum, Request, Response, RingCommand, RingStatus, Stamp};

use super::cluster::{B, C, Cluster, TIMEOUT_NS, config, refused, sabotaged, value, written};

const F: NodeId = NodeId(6);
const SECOND_NS: u64 = 1_000_000_000;
/// Longer than any change takes.
const CHANGE_SECONDS_MAX: u64 = 60;
const KEYS: usize = 12;
const SEEDS: u64 = 200;

/// Six nodes, five of them in the ring, each key on three.
fn gossiping() -> StoreConfig {
    let mut config = StoreConfig {
        nodes: 6,
        ..config(3, 2, 2)
    };
    config.options.membership = MembershipOptions::Gossip(Gossip {
        detector: Settings {
            probe_period_ms: 500,
            probe_timeout_ms: 100,
            suspicion_ms: 1_000,
            ..Settings::default()
        },
        members: Some((1..=5).map(NodeId).collect()),
    });
    config
}

fn key(number: usize) -> String {
    format!("k{number}")
}

fn settled(config: StoreConfig) -> Cluster {
    let mut cluster = Cluster::new(config);
    cluster.wait(2 * SECOND_NS);
    cluster
}

fn fill(cluster: &mut Cluster, value: &str) {
    for number in 0..60 {
        let request = Request::put(key(number), value, Quorum::default());
        written(cluster.call(NodeId(1), request));
    }
}

fn ring_of(cluster: &Cluster, node: NodeId) -> RingStatus {
    *cluster.replicas[&node].status().ring.expect("it gossips")
}

fn is_over(cluster: &Cluster) -> bool {
    cluster.replicas.values().all(|replica| {
        let status = replica.status();
        let ring = status.ring.expect("it gossips");
        ring.changing.is_none() && ring.agreed && status.coordinating == 0
    })
}

/// Waits for the end of the change.
fn finish(cluster: &mut Cluster) {
    for _ in 0..CHANGE_SECONDS_MAX * 10 {
        if is_over(cluster) {
            return;
        }
        cluster.wait(SECOND_NS / 10);
    }
    let rings: Vec<_> = cluster
        .replicas
        .values()
        .map(|replica| replica.status().ring)
        .collect();
    panic!("the change did not end: {rings:?}");
}

fn command(cluster: &mut Cluster, node: NodeId, command: RingCommand) {
    let response = cluster.call(node, Request::ChangeRing(command));
    assert_eq!(response, Response::Done);
}

fn until_dead(cluster: &mut Cluster, dead: NodeId, by: NodeId) {
    for _ in 0..200 {
        if ring_of(cluster, by).dead.contains(&dead) {
            return;
        }
        cluster.wait(SECOND_NS / 10);
    }
    panic!("{by} never believes {dead} dead");
}

/// Every owner of every key, by the ring that all nodes now see, holds the value.
fn assert_all_hold(cluster: &mut Cluster, config: &StoreConfig, expected: &str) {
    let owners = ring_of(cluster, NodeId(1)).owners;
    let placement = Topology::of(config).placement_of(owners);
    for number in 0..60 {
        for node in placement.replicas(&key(number)).to_vec() {
            let request = Request::Inspect { key: key(number) };
            let (held, _) = value(cluster.call(node, request));
            assert_eq!(held.as_deref(), Some(expected), "{} at {node}", key(number));
        }
    }
}

fn members(cluster: &Cluster, by: NodeId) -> Vec<u16> {
    let owners = ring_of(cluster, by).owners;
    owners.into_iter().map(|(node, _)| node.0).collect()
}

#[test]
fn a_node_joins_and_has_what_it_owns() {
    let config = gossiping();
    let mut cluster = settled(config.clone());
    fill(&mut cluster, "1");
    command(&mut cluster, F, RingCommand::Join);
    assert_eq!(
        cluster.replicas[&F].status().coordinating,
        1,
        "it sees it through"
    );
    finish(&mut cluster);
    for node in cluster.replicas.keys() {
        assert_eq!(members(&cluster, *node), [1, 2, 3, 4, 5, 6]);
    }
    assert_all_hold(&mut cluster, &config, "1");
    let sent = cluster
        .replicas
        .values()
        .map(|replica| replica.status().counters.keys_transferred);
    assert_ne!(sent.sum::<u64>(), 0);
}

#[test]
fn a_dead_node_is_replaced_and_a_living_one_is_not() {
    let config = gossiping();
    let mut cluster = settled(config.clone());
    fill(&mut cluster, "1");
    let replace = Request::ChangeRing(RingCommand::Replace(B));
    let why = refused(cluster.call(F, replace));
    assert!(why.contains("n2 seems to be alive"), "{why}");
    cluster.kill(B);
    until_dead(&mut cluster, B, F);
    command(&mut cluster, F, RingCommand::Replace(B));
    finish(&mut cluster);
    let owners = ring_of(&cluster, C).owners;
    assert!(owners.contains(&(F, B)), "{owners:?}");
    assert_all_hold(&mut cluster, &config, "1");
}

#[test]
fn a_node_leaves_and_a_dead_one_is_let_go() {
    for is_dead in [false, true] {
        let config = gossiping();
        let mut cluster = settled(config.clone());
        fill(&mut cluster, "1");
        let driver = if is_dead { C } else { B };
        if is_dead {
            cluster.kill(B);
            until_dead(&mut cluster, B, driver);
        }
        command(&mut cluster, driver, RingCommand::Leave(B));
        finish(&mut cluster);
        assert_eq!(members(&cluster, C), [1, 3, 4, 5]);
        assert_all_hold(&mut cluster, &config, "1");
    }
}

#[test]
fn a_ring_with_too_few_nodes_is_refused_and_so_is_a_ring_that_never_changes() {
    let mut three = gossiping();
    three.options.membership = MembershipOptions::Gossip(Gossip {
        members: Some([1, 2, 3].map(NodeId).to_vec()),
        ..Gossip::default()
    });
    let mut cluster = settled(three);
    let why = refused(cluster.call(B, Request::ChangeRing(RingCommand::Leave(B))));
    assert!(why.contains("join another first"), "{why}");
    let why = refused(cluster.call(B, Request::ChangeRing(RingCommand::Leave(NodeId(9)))));
    assert!(why.contains("n9 is no node"), "{why}");
    let mut direct = Cluster::new(config(3, 2, 2));
    let why = refused(direct.call(B, Request::ChangeRing(RingCommand::Join)));
    assert!(why.contains("gossip membership"), "{why}");
}

/// Lets time pass until the change copies.
fn until_copying(cluster: &mut Cluster) {
    for _ in 0..CHANGE_SECONDS_MAX * 1_000 {
        let is_transfer = |message: &PeerMessage| matches!(message, PeerMessage::Transfer { .. });
        if cluster
            .packets
            .iter()
            .any(|packet| is_transfer(&packet.message))
        {
            return;
        }
        if cluster.packets.is_empty() {
            let nodes: Vec<_> = cluster.replicas.keys().copied().collect();
            let synced = nodes.iter().any(|node| cluster.sync_one(*node));
            if !synced {
                cluster.tick_next();
            }
        } else {
            let packet = cluster.packets.remove(0);
            cluster.deliver(packet);
        }
    }
    panic!("nothing is ever copied");
}

#[test]
fn a_driver_goes_on_after_a_restart() {
    let config = gossiping();
    let mut cluster = settled(config.clone());
    fill(&mut cluster, "1");
    let request = cluster.ask(F, Request::ChangeRing(RingCommand::Join));
    until_copying(&mut cluster);
    assert_eq!(cluster.reply(request), Some(&Response::Done));
    cluster.restart(F);
    assert_eq!(ring_of(&cluster, F).changing, Some(F), "its log says so");
    let again = cluster.ask(F, Request::ChangeRing(RingCommand::Join));
    assert_eq!(cluster.reply(again), Some(&Response::Done), "it is decided");
    finish(&mut cluster);
    assert_eq!(members(&cluster, C), [1, 2, 3, 4, 5, 6]);
    assert_all_hold(&mut cluster, &config, "1");
}

#[test]
fn a_source_that_dies_while_it_copies_is_no_loss() {
    let config = gossiping();
    let mut cluster = settled(config.clone());
    fill(&mut cluster, "1");
    cluster.ask(F, Request::ChangeRing(RingCommand::Join));
    until_copying(&mut cluster);
    let source = cluster.packets.iter().find_map(|packet| {
        matches!(packet.message, PeerMessage::Transfer { .. }).then_some(packet.from)
    });
    let source = source.expect("a source");
    cluster.kill(source);
    cluster.wait(10 * SECOND_NS);
    assert_eq!(
        ring_of(&cluster, F).changing,
        Some(F),
        "nobody goes on without {source}"
    );
    cluster.restart(source);
    for other in cluster.others(source) {
        cluster.input(other, Input::PeerUp(source));
    }
    finish(&mut cluster);
    assert_all_hold(&mut cluster, &config, "1");
}

#[test]
fn a_change_that_copies_can_be_aborted_by_anybody() {
    let mut cluster = settled(gossiping());
    fill(&mut cluster, "1");
    cluster.ask(F, Request::ChangeRing(RingCommand::Join));
    until_copying(&mut cluster);
    command(&mut cluster, C, RingCommand::Abort(F));
    finish(&mut cluster);
    assert_eq!(members(&cluster, F), [1, 2, 3, 4, 5]);
}

#[test]
fn nobody_is_told_of_a_decision_that_a_crash_could_take_back() {
    let mut cluster = settled(gossiping());
    cluster.stalled.insert(F);
    let request = cluster.ask(F, Request::ChangeRing(RingCommand::Join));
    cluster.wait(5 * SECOND_NS);
    assert_eq!(cluster.reply(request), None);
    assert_eq!(ring_of(&cluster, C).changing, None);
    cluster.stalled.remove(&F);
    finish(&mut cluster);
    assert_eq!(cluster.reply(request), Some(&Response::Done));
    assert_eq!(members(&cluster, C), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn nothing_is_copied_before_writes_that_do_not_know_of_the_change_have_ended() {
    let mut cluster = settled(gossiping());
    fill(&mut cluster, "1");
    cluster.ask(F, Request::ChangeRing(RingCommand::Join));
    let step_ns = SECOND_NS / 100;
    for _ in 0..CHANGE_SECONDS_MAX * 100 {
        if ring_of(&cluster, F).agreed && ring_of(&cluster, F).changing.is_some() {
            break;
        }
        cluster.wait(step_ns);
    }
    let agreed = cluster.now.monotonic.0;
    until_copying(&mut cluster);
    let waited_ns = cluster.now.monotonic.0 - agreed;
    assert!(waited_ns + step_ns >= TIMEOUT_NS, "{waited_ns} ns");
}

#[test]
fn what_a_read_returns_a_new_owner_is_told_while_it_copies() {
    let config = StoreConfig {
        read_repair: ReadRepair::Blocking,
        ..gossiping()
    };
    let mut cluster = settled(config.clone());
    fill(&mut cluster, "1");
    cluster.ask(F, Request::ChangeRing(RingCommand::Join));
    until_copying(&mut cluster);
    let after =
        Topology::of(&config).placement_of((1..=6).map(|node| (NodeId(node), NodeId(node))));
    let number = (0..60).find(|number| after.replicas(&key(*number)).contains(&F));
    let name = key(number.expect("some key moves"));
    // Only this read goes on.
    cluster.packets.clear();
    let request = cluster.ask(NodeId(1), Request::get(name.as_str(), Quorum::default()));
    let mut told = false;
    while cluster.reply(request).is_none() && !cluster.packets.is_empty() {
        let packet = cluster.packets.remove(0);
        let is_repair =
            matches!(&packet.message, PeerMessage::Repair { key, .. } if key.as_str() == name);
        told |= is_repair && packet.to == F;
        cluster.deliver(packet);
        while cluster.sync_one(F) {}
    }
    assert!(told, "F may be asked next");
    let (held, _) = value(cluster.reply(request).expect("an answer").clone());
    assert_eq!(held.as_deref(), Some("1"));
}

/// `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).expect("fewer sides than usize")
    }
}

/// What clients of one key may count on.
#[derive(Default)]
struct Ledger {
    /// Requests under way, each with its key and what its read must not fall below.
    open: BTreeMap<u64, (usize, Option<Stamp>)>,
    floors: BTreeMap<usize, Stamp>,
}

impl Ledger {
    /// Books new replies; what a read returned counts, too, if `returns_count`. The first stale read, in words.
    fn book(&mut self, cluster: &Cluster, returns_count: bool) -> Result<(), String> {
        for request in self.open.keys().copied().collect::<Vec<_>>() {
            let Some(response) = cluster.reply(request) else {
                continue;
            };
            let Some((key, floor)) = self.open.remove(&request) else {
                continue;
            };
            let seen = match response {
                Response::Written { evidence } => evidence.version,
                Response::Value { evidence, .. } if evidence.version < floor => {
                    return Err(format!("k{key}: {:?} after {floor:?}", evidence.version));
                }
                Response::Value { evidence, .. } => evidence.version.filter(|_| returns_count),
                _ => None,
            };
            if let Some(seen) = seen {
                let floor = self.floors.entry(key).or_insert(seen);
                *floor = seen.max(*floor);
            }
        }
        Ok(())
    }
}

/// Load, loss, reordering, repetition, slow disks and restarts, with a change of the ring in the middle of it.
fn storm(config: &StoreConfig, change: RingCommand, seed: u64) -> Result<(), String> {
    let returns_count = config.read_repair == ReadRepair::Blocking;
    let mut dice = Dice(seed);
    let mut cluster = settled(config.clone());
    let mut ledger = Ledger::default();
    fill(&mut cluster, "0");
    // One replica is behind with everything that it holds, and nobody knows.
    cluster.lose(&[C]);
    for number in 0..KEYS {
        let request = Request::put(key(number), "1", Quorum::default());
        let stamp = written(cluster.call(NodeId(1), request)).version;
        ledger.floors.extend(stamp.map(|stamp| (number, stamp)));
    }
    cluster.heal();
    let driver = match change {
        RingCommand::Leave(leaver) => leaver,
        RingCommand::Replace(dead) => {
            cluster.kill(dead);
            until_dead(&mut cluster, dead, F);
            F
        }
        RingCommand::Join | RingCommand::Abort(_) => F,
    };
    cluster.ask(driver, Request::ChangeRing(change));
    for step in 0..6_000 {
        let nodes: Vec<_> = cluster.replicas.keys().copied().collect();
        let node = nodes[dice.roll(nodes.len())];
        match dice.roll(100) {
            0..3 => {
                let number = dice.roll(KEYS);
                let request = if dice.roll(3) == 0 {
                    Request::put(key(number), step.to_string(), Quorum::default())
                } else {
                    Request::get(key(number), Quorum::default())
                };
                let request = cluster.ask(node, request);
                let floor = ledger.floors.get(&number).copied();
                ledger.open.insert(request, (number, floor));
            }
            3..30 => _ = cluster.sync_one(node),
            30 if dice.roll(30) == 0 => cluster.restart(node),
            31 if !cluster.packets.is_empty() => {
                let lost = dice.roll(cluster.packets.len());
                cluster.packets.swap_remove(lost);
            }
            32..36 => cluster.tick_next(),
            _ if !cluster.packets.is_empty() => {
                let next = dice.roll(cluster.packets.len().min(20));
                let packet = cluster.packets.remove(next);
                if dice.roll(20) == 0 && cluster.replicas.contains_key(&packet.to) {
                    let (from, message) = (packet.from, packet.message.clone());
                    cluster.input(packet.to, Input::Peer { from, message });
                }
                cluster.deliver(packet);
            }
            _ => cluster.tick_next(),
        }
        ledger.book(&cluster, returns_count)?;
    }
    finish(&mut cluster);
    ledger.book(&cluster, returns_count)?;
    for (number, floor) in ledger.floors.clone() {
        for node in cluster.replicas.keys().copied().collect::<Vec<_>>() {
            let request = cluster.ask(node, Request::get(key(number), Quorum::default()));
            ledger.open.insert(request, (number, Some(floor)));
            cluster.settle();
        }
    }
    ledger.book(&cluster, returns_count)
}

fn stale(config: &StoreConfig, change: RingCommand) -> Vec<(u64, String)> {
    let storm = |seed| Some((seed, storm(config, change, seed).err()?));
    (0..SEEDS).filter_map(storm).collect()
}

#[test]
fn no_read_is_stale_while_a_node_joins() {
    assert_eq!(stale(&gossiping(), RingCommand::Join), []);
}

#[test]
fn no_read_is_stale_while_a_node_leaves() {
    assert_eq!(stale(&gossiping(), RingCommand::Leave(B)), []);
}

#[test]
fn no_read_is_stale_while_a_node_is_replaced() {
    assert_eq!(stale(&gossiping(), RingCommand::Replace(B)), []);
}

#[test]
fn with_blocking_repair_no_read_goes_back_while_the_ring_changes() {
    let config = StoreConfig {
        read_repair: ReadRepair::Blocking,
        ..gossiping()
    };
    for change in [RingCommand::Join, RingCommand::Leave(B)] {
        assert_eq!(stale(&config, change), []);
    }
}

#[test]
fn storms_find_the_change_that_counts_nobody_as_pending() {
    let config = sabotaged(Sabotage::RingWithoutPending, &gossiping());
    for change in [RingCommand::Join, RingCommand::Leave(B)] {
        assert_ne!(stale(&config, change), [], "{change:?}");
    }
}
