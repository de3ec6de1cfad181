//! Random schedules: clients that read and write, nodes that are killed, paused and cut off, messages that are late, lost or doubled.

use crate::config::NodeId;
use crate::protocol::leader::LeaderConfig;

use super::judge::{Found, judge};
use super::world::{Dice, MS, Weather, World, get, put};

/// How long it lasts, ns.
const STORM_NS: u64 = 700 * MS;

/// What may happen, each as its share of a hundred.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nemesis {
    pub(super) nodes: u16,
    pub(super) weather: Weather,
    pub(super) kills: u64,
    pub(super) pauses: u64,
    /// One node cut off from all others.
    pub(super) isolations: u64,
    /// Two nodes cut off from each other, or one way only.
    pub(super) cuts: u64,
    /// All nodes killed at once.
    pub(super) power_losses: u64,
    /// How long these last at most, ns.
    pub(super) longest_ns: u64,
}

impl Nemesis {
    /// Some of everything, but for power losses.
    pub(super) const ALL: Nemesis = Nemesis {
        nodes: 3,
        weather: Weather {
            delay_ns: (MS / 10, 3 * MS),
            sync_ns: (MS / 10, 3 * MS),
            lost_percent: 2,
            repeated_percent: 2,
            lazy_disk: false,
            drift_ppm: 0,
        },
        kills: 25,
        pauses: 25,
        isolations: 25,
        cuts: 25,
        power_losses: 0,
        longest_ns: 150 * MS,
    };
}

#[derive(Clone, Copy, Debug)]
enum Relief {
    Start(NodeId),
    Resume(NodeId),
    Mend(NodeId, NodeId),
}

/// One storm, and what clients saw of it.
pub(super) fn storm(config: LeaderConfig, nemesis: &Nemesis, seed: u64) -> Found {
    let mut world = World::new(config, nemesis.nodes, nemesis.weather, seed);
    let mut dice = Dice(seed ^ 0x5eed);
    let mut reliefs: Vec<(u64, Relief)> = Vec::new();
    let mut next_strike = 60 * MS;
    let mut written = 0;
    world.run(40 * MS);
    while world.now < STORM_NS {
        world.run(dice.between(MS, 6 * MS));
        let now = world.now;
        reliefs.retain(|(at, relief)| {
            let is_due = *at <= now;
            if is_due {
                relieve(&mut world, *relief);
            }
            !is_due
        });
        if world.now >= next_strike {
            next_strike = world.now + dice.between(10 * MS, 90 * MS);
            strike(&mut world, nemesis, &mut dice, &mut reliefs);
        }
        let ids = world.ids();
        let node = pick(&mut dice, &ids);
        let key = ["a", "b"][usize::from(dice.percent(50))];
        if dice.percent(50) {
            written += 1;
            world.ask(node, put(key, &format!("{written}")));
        } else {
            world.ask(node, get(key));
        }
    }
    let log = world.heal();
    judge(&world.ops, &log)
}

fn pick(dice: &mut Dice, ids: &[NodeId]) -> NodeId {
    let sides = ids.len() as u64;
    ids[usize::try_from(dice.roll(sides)).expect("few nodes")]
}

/// The leader as often as all others together: it is what this is about.
fn victim(world: &World, dice: &mut Dice) -> NodeId {
    match world.leader() {
        Some(leader) if dice.percent(50) => leader,
        _ => pick(dice, &world.ids()),
    }
}

fn strike(world: &mut World, nemesis: &Nemesis, dice: &mut Dice, reliefs: &mut Vec<(u64, Relief)>) {
    let mut roll = dice.roll(100);
    let mut falls_to = |share: u64| {
        let falls = roll < share;
        roll = roll.saturating_sub(share);
        falls
    };
    let until = world.now + dice.between(10 * MS, nemesis.longest_ns);
    if falls_to(nemesis.kills) {
        let node = victim(world, dice);
        kill(world, node, until, reliefs);
    } else if falls_to(nemesis.pauses) {
        let node = victim(world, dice);
        if world.is_up(node) && !world.is_paused(node) {
            world.pause(node);
            reliefs.push((until, Relief::Resume(node)));
        }
    } else if falls_to(nemesis.isolations) {
        let node = victim(world, dice);
        for other in world.ids() {
            if other != node {
                cut(world, node, other, until, reliefs);
                cut(world, other, node, until, reliefs);
            }
        }
    } else if falls_to(nemesis.cuts) {
        let (node, other) = (victim(world, dice), pick(dice, &world.ids()));
        cut(world, node, other, until, reliefs);
        if dice.percent(70) {
            cut(world, other, node, until, reliefs);
        }
    } else if falls_to(nemesis.power_losses) {
        for node in world.ids() {
            kill(world, node, until, reliefs);
        }
    }
}

fn kill(world: &mut World, node: NodeId, until: u64, reliefs: &mut Vec<(u64, Relief)>) {
    if world.is_up(node) {
        world.kill(node);
        reliefs.retain(|(_, relief)| !matches!(relief, Relief::Resume(other) if *other == node));
        reliefs.push((until, Relief::Start(node)));
    }
}

fn cut(world: &mut World, from: NodeId, to: NodeId, until: u64, reliefs: &mut Vec<(u64, Relief)>) {
    if from != to && world.cut.insert((from, to)) {
        reliefs.push((until, Relief::Mend(from, to)));
    }
}

fn relieve(world: &mut World, relief: Relief) {
    match relief {
        Relief::Start(node) => world.start(node),
        Relief::Resume(node) => world.resume(node),
        Relief::Mend(from, to) => _ = world.cut.remove(&(from, to)),
    }
}

#[test]
fn a_storm_is_the_same_twice() {
    let storm = || storm(super::world::config(), &Nemesis::ALL, 7);
    assert_eq!(storm(), storm());
}
