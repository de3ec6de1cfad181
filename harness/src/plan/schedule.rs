//! From a seed to a timeline: which faults happen when, to whom, for how long.
//!
//! Each kind of fault has a track of its own, drawn from its own stream of the seed, so that asking for one more kind does not
//! change the others. Tracks overlap; a node is never killed and paused at once, and a majority of nodes stays up.

use quorate_workloads::Rng;

use super::Scheduled;
use super::shapes::Shape;

use crate::fault::{Cut, Fault, FaultKind, Link};

/// When faults of a kind begin, how long they last, how long it is quiet between two of them: shortest and longest, ms.
pub(super) struct Rhythm {
    pub(super) first: (u64, u64),
    pub(super) lasts: (u64, u64),
    pub(super) gap: (u64, u64),
}

/// Shortest fault worth injecting at the end of a storm, ms.
const LASTS_MS_MIN: u64 = 200;
/// When a fault would take down too many nodes, try again this much later, ms.
const RETRY_MS: u64 = 250;

pub(super) fn rhythm(kind: FaultKind) -> Rhythm {
    match kind {
        FaultKind::Kill | FaultKind::Pause => Rhythm {
            first: (300, 1_500),
            lasts: (400, 2_000),
            gap: (700, 2_500),
        },
        FaultKind::Partition | FaultKind::Slow => Rhythm {
            first: (200, 1_200),
            lasts: (800, 3_500),
            gap: (600, 2_000),
        },
        // Skew does its harm only while it lasts, so clocks are wrong most of the time.
        FaultKind::Clock => Rhythm {
            first: (0, 300),
            lasts: (1_500, 5_000),
            gap: (100, 400),
        },
        // A change takes seconds, and there is one at a time.
        FaultKind::Ring => Rhythm {
            first: (300, 1_500),
            lasts: (6_000, 9_000),
            gap: (500, 2_000),
        },
    }
}

/// How many nodes may be down at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Down {
    /// Few enough that a majority stays up.
    Minority,
    /// Any number, even all.
    Any,
}

/// One kind of fault in a storm, and how far it departs from its usual rhythm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Track {
    /// The kind.
    pub kind: FaultKind,
    /// How long its faults last, percent of the usual.
    pub lasts_percent: u64,
    /// How long it is quiet before and between them, percent of the usual.
    pub quiet_percent: u64,
    /// How many nodes it may take down.
    pub down: Down,
}

impl Track {
    /// The usual rhythm of a kind.
    pub(crate) fn usual(kind: FaultKind) -> Track {
        Track {
            kind,
            lasts_percent: 100,
            quiet_percent: 100,
            down: Down::Minority,
        }
    }

    fn rhythm(&self) -> Rhythm {
        let usual = rhythm(self.kind);
        let scaled =
            |(least, most): (u64, u64), percent| (least * percent / 100, most * percent / 100);
        Rhythm {
            first: scaled(usual.first, self.quiet_percent),
            lasts: scaled(usual.lasts, self.lasts_percent),
            gap: scaled(usual.gap, self.quiet_percent),
        }
    }
}

/// When a node is unavailable, ms.
struct Outage {
    node: u16,
    from_ms: u64,
    until_ms: u64,
}

/// The expanded timeline of a storm, in order of time: each kind in its usual rhythm. Changes of the ring are `ring.rs`'s.
pub(crate) fn timeline(
    kinds: &[FaultKind],
    nodes: u16,
    storm_ms: u64,
    seed: u64,
) -> Vec<Scheduled> {
    let chosen = FaultKind::ANYWHERE
        .into_iter()
        .filter(|kind| kinds.contains(kind));
    let tracks: Vec<Track> = chosen.map(Track::usual).collect();
    timeline_of(&tracks, nodes, storm_ms, seed)
}

/// The expanded timeline of a storm, in order of time. Of two tracks that take nodes down, the earlier comes first.
pub(crate) fn timeline_of(
    tracks: &[Track],
    nodes: u16,
    storm_ms: u64,
    seed: u64,
) -> Vec<Scheduled> {
    let mut timeline: Vec<(u64, u64, Fault)> = Vec::new();
    let mut outages: Vec<Outage> = Vec::new();
    for track in tracks {
        let rhythm = track.rhythm();
        let lasts_ms_min = (LASTS_MS_MIN * track.lasts_percent / 100).max(1);
        let retry_ms = (RETRY_MS * track.quiet_percent / 100).max(1);
        let mut rng = Rng::stream(seed, track.kind.name());
        let mut at_ms = rng.between(rhythm.first.0, rhythm.first.1);
        while at_ms + lasts_ms_min <= storm_ms {
            let lasts_ms = rng.between(rhythm.lasts.0, rhythm.lasts.1).max(1);
            let until_ms = (at_ms + lasts_ms).min(storm_ms);
            let Some(fault) = draw(*track, nodes, at_ms, until_ms, &outages, &mut rng) else {
                at_ms += retry_ms;
                continue;
            };
            if let Fault::Kill { nodes } | Fault::Pause { nodes } = &fault {
                let outage = |&node| Outage {
                    node,
                    from_ms: at_ms,
                    until_ms,
                };
                outages.extend(nodes.iter().map(outage));
            }
            timeline.push((at_ms, until_ms - at_ms, fault));
            at_ms = until_ms + rng.between(rhythm.gap.0, rhythm.gap.1);
        }
    }
    in_order(timeline)
}

/// Faults, each with when it begins and how long it lasts, ms, as a timeline.
pub(super) fn in_order(mut faults: Vec<(u64, u64, Fault)>) -> Vec<Scheduled> {
    faults.sort_by_key(|&(at_ms, ..)| at_ms);
    (1..)
        .zip(faults)
        .map(|(number, (at_ms, for_ms, fault))| Scheduled {
            id: format!("f{number}"),
            at_ms,
            for_ms,
            fault,
            cue: None,
        })
        .collect()
}

fn draw(
    track: Track,
    nodes: u16,
    at_ms: u64,
    until_ms: u64,
    outages: &[Outage],
    rng: &mut Rng,
) -> Option<Fault> {
    let mut victims = |down| victims(nodes, down, at_ms, until_ms, outages, rng);
    match track.kind {
        FaultKind::Kill => victims(track.down).map(|nodes| Fault::Kill { nodes }),
        FaultKind::Pause => victims(track.down).map(|nodes| Fault::Pause { nodes }),
        FaultKind::Partition => {
            let fitting: Vec<Shape> = Shape::ALL
                .into_iter()
                .filter(|shape| shape.nodes_min() <= nodes)
                .collect();
            let shape = *rng.pick(&fitting)?;
            let cut = if rng.percent(50) {
                Cut::Hold
            } else {
                Cut::Reset
            };
            let links = shape.links(nodes, rng);
            Some(Fault::Partition {
                shape: shape.name().to_owned(),
                cut,
                links,
            })
        }
        FaultKind::Slow => {
            let links = some_links(nodes, rng);
            let delay_ms = rng.between(40, 200);
            let jitter_ms = rng.between(0, delay_ms);
            (!links.is_empty()).then_some(Fault::Slow {
                links,
                delay_ms,
                jitter_ms,
            })
        }
        FaultKind::Clock => Some(Fault::Clock {
            offsets_ms: offsets(nodes, rng),
        }),
        FaultKind::Ring => None,
    }
}

/// Some nodes that are up all the time from `at_ms` to `until_ms`, as few as may be down at once.
fn victims(
    nodes: u16,
    may_be_down: Down,
    at_ms: u64,
    until_ms: u64,
    outages: &[Outage],
    rng: &mut Rng,
) -> Option<Vec<u16>> {
    let overlapping = |node: u16| {
        outages.iter().any(|outage| {
            outage.node == node && outage.from_ms <= until_ms && at_ms <= outage.until_ms
        })
    };
    let mut up: Vec<u16> = (1..=nodes).filter(|&node| !overlapping(node)).collect();
    let down = u64::from(nodes) - up.len() as u64;
    let down_max = match may_be_down {
        Down::Minority => u64::from(nodes.saturating_sub(1) / 2).max(1),
        Down::Any => u64::from(nodes),
    };
    let most = down_max.saturating_sub(down);
    if most == 0 || up.is_empty() {
        return None;
    }
    rng.shuffle(&mut up);
    up.truncate(usize::try_from(rng.between(1, most)).unwrap_or(1));
    up.sort_unstable();
    Some(up)
}

/// Slow one way, fast the other, is what makes replicas differ. Mostly one or two nodes talk slowly to most of the others;
/// else each directed link is slow with a chance of two in five.
fn some_links(nodes: u16, rng: &mut Rng) -> Vec<Link> {
    let mut talkers: Vec<u16> = (1..=nodes).collect();
    rng.shuffle(&mut talkers);
    talkers.truncate(usize::try_from(rng.between(1, 2)).unwrap_or(1));
    let by_talker = rng.percent(75);
    (1..=nodes)
        .flat_map(|from| (1..=nodes).map(move |to| Link { from, to }))
        .filter(|link| link.from != link.to)
        .filter(|link| {
            if by_talker {
                talkers.contains(&link.from) && rng.percent(75)
            } else {
                rng.percent(40)
            }
        })
        .collect()
}

/// Offsets of up to a second either way, for a random non-empty subset of the nodes.
fn offsets(nodes: u16, rng: &mut Rng) -> Vec<(u16, i64)> {
    let always = u16::try_from(rng.between(1, u64::from(nodes))).unwrap_or(1);
    (1..=nodes)
        .filter_map(|node| {
            let chosen = rng.percent(50) || node == always;
            let size = i64::try_from(rng.between(30, 1_000)).unwrap_or(30);
            let sign = if rng.percent(50) { 1 } else { -1 };
            chosen.then_some((node, sign * size))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::timeline;
    use crate::fault::{Fault, FaultKind};
    use crate::plan::Scheduled;

    fn many(check: impl Fn(u64, &[Scheduled])) {
        for seed in 0..200 {
            check(seed, &timeline(&FaultKind::ANYWHERE, 5, 18_000, seed));
        }
    }

    #[test]
    fn every_kind_happens_and_every_fault_is_over_with_the_storm() {
        many(|seed, timeline| {
            for kind in FaultKind::ANYWHERE {
                assert!(
                    timeline
                        .iter()
                        .any(|scheduled| scheduled.fault.kind() == kind),
                    "seed {seed}: no {}",
                    kind.name()
                );
            }
            for scheduled in timeline {
                assert!(
                    scheduled.at_ms + scheduled.for_ms <= 18_000,
                    "seed {seed}: {scheduled:?}"
                );
            }
            assert!(
                timeline
                    .windows(2)
                    .all(|pair| pair[0].at_ms <= pair[1].at_ms)
            );
        });
    }

    #[test]
    fn no_node_is_killed_and_paused_at_once_and_a_majority_stays_up() {
        many(|seed, timeline| {
            for instant_ms in (0..18_000).step_by(50) {
                let mut down: Vec<u16> = timeline
                    .iter()
                    .filter(|fault| {
                        fault.at_ms <= instant_ms && instant_ms < fault.at_ms + fault.for_ms
                    })
                    .filter_map(|scheduled| match &scheduled.fault {
                        Fault::Kill { nodes } | Fault::Pause { nodes } => Some(nodes.clone()),
                        _ => None,
                    })
                    .flatten()
                    .collect();
                let outages = down.len();
                down.sort_unstable();
                down.dedup();
                assert_eq!(
                    down.len(),
                    outages,
                    "seed {seed}: a node is down twice at {instant_ms} ms"
                );
                assert!(down.len() <= 2, "seed {seed}: {} of 5 down", down.len());
            }
        });
    }

    #[test]
    fn asking_for_one_more_kind_leaves_the_others_as_they_were() {
        let without = timeline(&[FaultKind::Kill], 5, 18_000, 7);
        let with = timeline(&[FaultKind::Kill, FaultKind::Partition], 5, 18_000, 7);
        let kills: Vec<_> = with
            .iter()
            .filter(|scheduled| scheduled.fault.kind() == FaultKind::Kill)
            .map(|scheduled| (scheduled.at_ms, &scheduled.fault))
            .collect();
        let alone: Vec<_> = without
            .iter()
            .map(|scheduled| (scheduled.at_ms, &scheduled.fault))
            .collect();
        assert_eq!(kills, alone);
    }
}
