//! Random schedules of loss, repetition, reordering, slow disks and `kill -9`, judged by stamps.
//!
//! All wall clocks agree here, so what a correct cluster may show is simple: never less than what was acknowledged, or (with blocking
//! repair) returned, before the read began. The same storm over a configuration that promises less must show it: else it proves nothing.

use std::collections::BTreeMap;

use crate::config::{NodeId, ReadFanout, ReadRepair, Sabotage, StoreConfig};
use crate::protocol::{Input, Replica};
use crate::wire::{Response, Stamp};

use super::cluster::{Cluster, config, get, put, sabotaged};

const STEPS: usize = 400;
const SEEDS: u64 = 300;

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

/// What a storm must not see.
#[derive(Debug, PartialEq, Eq)]
enum Broken {
    /// A read returned less than what was acknowledged or returned before it began.
    Backwards {
        floor: Option<Stamp>,
        returned: Option<Stamp>,
    },
    /// An acknowledged write is nowhere.
    Lost,
}

#[derive(Default)]
struct Ledger {
    /// Requests under way, each with the floor at its start.
    open: BTreeMap<u64, Option<Stamp>>,
    /// The newest stamp acknowledged, or returned if returns count.
    floor: Option<Stamp>,
    acknowledged: Option<Stamp>,
}

impl Ledger {
    /// Books all new replies.
    fn book(&mut self, cluster: &Cluster, returns_count: bool) -> Result<(), Broken> {
        let replied: Vec<_> = self.open.keys().copied().collect();
        for request in replied {
            let Some(response) = cluster.reply(request) else {
                continue;
            };
            let floor = self.open.remove(&request).flatten();
            match response {
                Response::Written { evidence } => {
                    self.acknowledged = self.acknowledged.max(evidence.version);
                    self.floor = self.floor.max(evidence.version);
                }
                Response::Value { evidence, .. } => {
                    let returned = evidence.version;
                    if returned < floor {
                        return Err(Broken::Backwards { floor, returned });
                    }
                    if returns_count {
                        self.floor = self.floor.max(returned);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn storm(config: StoreConfig, returns_count: bool, seed: u64) -> Result<Cluster, Broken> {
    let mut dice = Dice(seed);
    let mut cluster = Cluster::new(config);
    let mut ledger = Ledger::default();
    for step in 0..STEPS {
        let node = NodeId(u16::try_from(1 + dice.roll(3)).expect("three nodes"));
        match dice.roll(40) {
            0..4 => {
                let request = cluster.ask(
                    node,
                    if dice.roll(3) == 0 {
                        put(&step.to_string())
                    } else {
                        get()
                    },
                );
                ledger.open.insert(request, ledger.floor);
            }
            4..14 => _ = cluster.sync_one(node),
            14 => cluster.restart(node),
            15 if !cluster.packets.is_empty() => {
                let lost = dice.roll(cluster.packets.len());
                cluster.packets.swap_remove(lost);
            }
            16 => {
                cluster.now.monotonic.0 += 100_000_000;
                cluster.input(node, Input::Tick);
            }
            _ if !cluster.packets.is_empty() => {
                let next = dice.roll(cluster.packets.len());
                let packet = cluster.packets.swap_remove(next);
                if dice.roll(20) == 0 {
                    let (from, message) = (packet.from, packet.message.clone());
                    cluster.input(packet.to, Input::Peer { from, message });
                }
                cluster.deliver(packet);
            }
            _ => {}
        }
        ledger.book(&cluster, returns_count)?;
    }
    let records = cluster
        .replicas
        .values()
        .flat_map(Replica::snapshot)
        .filter_map(|record| record.held()?.stamp());
    if records.max() < ledger.acknowledged {
        return Err(Broken::Lost);
    }
    Ok(cluster)
}

fn repaired(read_repair: ReadRepair, read_fanout: ReadFanout, config: StoreConfig) -> StoreConfig {
    StoreConfig {
        read_fanout,
        read_repair,
        ..config
    }
}

fn storms(config: &StoreConfig, returns_count: bool) -> Vec<(u64, Broken)> {
    let storm = |seed| Some((seed, storm(config.clone(), returns_count, seed).err()?));
    (0..SEEDS).filter_map(storm).collect()
}

#[test]
fn overlapping_quorums_never_read_stale() {
    for fanout in [ReadFanout::Quorum, ReadFanout::All] {
        for repair in [ReadRepair::None, ReadRepair::Async] {
            let config = repaired(repair, fanout, config(3, 2, 2));
            assert_eq!(storms(&config, false), []);
        }
    }
}

#[test]
fn blocking_repair_never_lets_reads_go_back() {
    for fanout in [ReadFanout::Quorum, ReadFanout::All] {
        let config = repaired(ReadRepair::Blocking, fanout, config(3, 2, 2));
        assert_eq!(storms(&config, true), []);
    }
}

#[test]
fn reading_all_replicas_never_goes_back_without_repair() {
    assert_eq!(storms(&config(3, 3, 1), true), []);
}

#[test]
fn the_storm_shows_what_is_not_promised() {
    assert_ne!(
        storms(&config(3, 1, 1), false),
        [],
        "R + W <= N reads stale"
    );
    assert_ne!(
        storms(&config(3, 2, 2), true),
        [],
        "without repair reads go back"
    );
    let async_repair = repaired(ReadRepair::Async, ReadFanout::Quorum, config(3, 2, 2));
    assert_ne!(
        storms(&async_repair, true),
        [],
        "asynchronous repair promises no more than none"
    );
    let hasty = sabotaged(Sabotage::AckBeforeQuorum, &config(3, 2, 2));
    assert_ne!(
        storms(&hasty, false),
        [],
        "W - 1 acknowledgements are too few"
    );
}

#[test]
fn a_storm_is_the_same_twice() {
    let state = || {
        let cluster = storm(config(3, 2, 2), false, 1).expect("a strict quorum");
        format!("{:?}", cluster.replicas)
    };
    assert_eq!(state(), state());
}
