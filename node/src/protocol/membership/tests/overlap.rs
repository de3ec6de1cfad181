//! Every quorum of a write meets every quorum of a later read, through joins, leaves and replacements: all quorums, all replica sets, all
//! pairs of views that may meet. And it is lost by each of the ways to do it wrong.
//!
//! Nodes learn of a phase at different times, but none learns of the next before all know of this one. So at stage g every
//! coordinator's view is that of stage g or g - 1. Stages: 0 nothing decided, 1 copying, 2 switched, 3 settled.

use std::collections::BTreeSet;

use super::super::{Bootstrap, Command, Copied, Pending, RingState, RingView, Sources};
use super::cluster::ring;
use crate::config::NodeId;
use crate::protocol::placement::Replication;

const N1: NodeId = NodeId(1);
const N2: NodeId = NodeId(2);
const N9: NodeId = NodeId(9);

/// Replicas of each key.
const N: u16 = 3;
const TOKENS: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Join,
    Leave,
    LeaveDead,
    Replace,
}

const EVENTS: [Event; 4] = [Event::Join, Event::Leave, Event::LeaveDead, Event::Replace];

impl Event {
    fn command(self) -> Command {
        let join = |replaces| Command::Join {
            node: N9,
            data_centre: String::new(),
            replaces,
        };
        match self {
            Event::Join => join(None),
            Event::Leave | Event::LeaveDead => Command::Leave(N2),
            Event::Replace => join(Some(N2)),
        }
    }

    /// Nodes that are dead when the change is decided, and never come back.
    fn is_dead(self, node: NodeId) -> bool {
        matches!(self, Event::LeaveDead | Event::Replace) && node == N2
    }
}

/// The view of each stage.
fn stages(size: u16, event: Event, pending: Pending) -> [RingView; 4] {
    let view =
        |state: &RingState| RingView::new(state, TOKENS, &Replication::Simple { n: N }, pending);
    let mut state = ring(size);
    let decided = view(&state);
    state.command(N1, event.command()).expect("possible");
    let copying = view(&state);
    state.switch(N1, &copied(&state)).expect("under way");
    let switched = view(&state);
    let node = state.change().expect("under way").node;
    state.settle(N1, node).expect("switched");
    [decided, copying, switched, view(&state)]
}

fn copied(state: &RingState) -> Copied {
    let view = RingView::new(
        state,
        TOKENS,
        &Replication::Simple { n: N },
        Pending::Ignored,
    );
    let nothing = Bootstrap::new(&view, Sources::One, |_| false).expect("a change");
    nothing
        .certificate()
        .expect("nothing pending, nothing to copy")
}

/// All sets of `size` of these nodes.
fn subsets(nodes: &[NodeId], size: usize) -> Vec<BTreeSet<NodeId>> {
    match (size, nodes) {
        (0, _) => vec![BTreeSet::new()],
        (_, []) => vec![],
        (_, [first, rest @ ..]) => {
            let mut with = subsets(rest, size - 1);
            for subset in &mut with {
                subset.insert(*first);
            }
            with.extend(subsets(rest, size));
            with
        }
    }
}

/// The ways to copy one range, each the set of sources of each new owner that were enough.
fn copies(
    view: &RingView,
    sources: Sources,
    event: Event,
    key: &str,
) -> Vec<(NodeId, Vec<BTreeSet<NodeId>>)> {
    let place = crate::protocol::ring::Ring::place_of(key);
    let Some(bootstrap) = Bootstrap::new(view, sources, |node| event.is_dead(node)) else {
        return vec![];
    };
    bootstrap
        .tasks()
        .iter()
        .filter(|task| task.ranges.iter().any(|range| range.contains(place)))
        .map(|task| {
            let mut ways = subsets(&task.sources, task.needed);
            ways.extend(task.loser.map(|loser| BTreeSet::from([loser])));
            (task.target, ways)
        })
        .collect()
}

struct Model {
    event: Event,
    views: [RingView; 4],
    sources: Sources,
    /// How many stages behind a coordinator may be.
    lag: usize,
}

impl Model {
    fn new(size: u16, event: Event, pending: Pending, sources: Sources) -> Model {
        let views = stages(size, event, pending);
        Model {
            event,
            views,
            sources,
            lag: 1,
        }
    }

    /// Whether some acknowledged write of this key is missed by some later read.
    fn reads_stale(&self, key: &str, r: u16, w: u16) -> bool {
        (0..4).any(|written| {
            (0..=written).any(|behind| {
                behind <= self.lag && self.write_is_missed(key, r, w, written, written - behind)
            })
        })
    }

    /// A write at stage `written` by a coordinator whose view is that of stage `writer`.
    fn write_is_missed(&self, key: &str, r: u16, w: u16, written: usize, writer: usize) -> bool {
        let owners = self.views[writer].owners(key);
        // A node that is dead from stage 1 on may have acknowledged what was written before.
        let takers: Vec<_> = owners
            .writes()
            .filter(|node| writer == 0 || !self.event.is_dead(*node))
            .collect();
        subsets(&takers, owners.block_for(w))
            .into_iter()
            .any(|holders| {
                self.outcomes(key, &holders, writer)
                    .into_iter()
                    .any(|holders| {
                        (written..4).any(|now| {
                            (now.saturating_sub(self.lag)..=now)
                                .any(|reader| self.is_missed(key, r, &holders, reader))
                        })
                    })
            })
    }

    /// Who may hold a write in the end. What was written before copying began is copied where a source has it; later writes are not.
    fn outcomes(
        &self,
        key: &str,
        holders: &BTreeSet<NodeId>,
        writer: usize,
    ) -> Vec<BTreeSet<NodeId>> {
        let mut outcomes = vec![holders.clone()];
        if writer > 0 {
            return outcomes;
        }
        for (target, ways) in copies(&self.views[1], self.sources, self.event, key) {
            let found = |way: &BTreeSet<NodeId>| !way.is_disjoint(holders);
            outcomes = outcomes
                .into_iter()
                .flat_map(|outcome| {
                    ways.iter().map(move |way| {
                        let mut outcome = outcome.clone();
                        if found(way) {
                            outcome.insert(target);
                        }
                        outcome
                    })
                })
                .collect();
        }
        outcomes
    }

    /// Whether some read quorum in the view of stage `reader` has no holder.
    fn is_missed(&self, key: &str, r: u16, holders: &BTreeSet<NodeId>, reader: usize) -> bool {
        let asked = self.views[reader].owners(key).reads;
        let alive: Vec<_> = asked
            .into_iter()
            .filter(|node| !self.event.is_dead(*node))
            .collect();
        subsets(&alive, r.into())
            .iter()
            .any(|quorum| quorum.is_disjoint(holders))
    }
}

/// The quorums that overlap without a change.
fn overlapping() -> impl Iterator<Item = (u16, u16)> {
    let all = (1..=N).flat_map(|r| (1..=N).map(move |w| (r, w)));
    all.filter(|(r, w)| r + w > N)
}

/// One key per set of owners before and after.
fn keys(views: &[RingView; 4]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let keys = (0..400).map(|key| format!("k{key}"));
    keys.filter(|key| seen.insert((views[0].owners(key).reads, views[3].owners(key).reads)))
        .collect()
}

/// The (event, R, W) for which some key reads stale.
fn stale(pending: Pending, sources: impl Fn(u16) -> Sources, lag: usize) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for size in 3..=5 {
        for event in EVENTS {
            for (r, w) in overlapping() {
                let mut model = Model::new(size, event, pending, sources(w));
                model.lag = lag;
                let keys = keys(&model.views);
                let moves = |key: &String| model.views[0].owners(key) != model.views[3].owners(key);
                assert!(
                    keys.iter().any(moves),
                    "nothing to see: {event:?} of {size}"
                );
                if keys.iter().any(|key| model.reads_stale(key, r, w)) {
                    found.insert(format!("{event:?} {r}/{w} of {size}"));
                }
            }
        }
    }
    found
}

fn meeting(w: u16) -> Sources {
    Sources::Meeting { w }
}

#[test]
fn quorums_overlap_through_every_change() {
    assert_eq!(stale(Pending::Counted, meeting, 1), BTreeSet::new());
}

#[test]
fn without_pending_owners_they_do_not() {
    let found = stale(Pending::Ignored, meeting, 1);
    for event in [
        "Join 2/2 of 4",
        "Leave 2/2 of 4",
        "LeaveDead 2/2 of 4",
        "Replace 2/2 of 4",
    ] {
        assert!(found.contains(event), "{event} is not among {found:?}");
    }
}

#[test]
fn copied_from_one_source_they_do_not() {
    // Of no use where every replica has every acknowledged write (W = N).
    let found = stale(Pending::Counted, |_| Sources::One, 1);
    for event in [
        "Join 2/2 of 4",
        "Leave 2/2 of 4",
        "LeaveDead 2/2 of 4",
        "Replace 2/2 of 4",
    ] {
        assert!(found.contains(event), "{event} is not among {found:?}");
    }
    assert!(
        found.iter().all(|event| !event.contains("1/3")),
        "{found:?}"
    );
}

#[test]
fn a_coordinator_two_phases_behind_reads_stale() {
    // Why every step waits until all agree.
    let found = stale(Pending::Counted, meeting, 2);
    assert!(found.contains("Join 2/2 of 4"), "{found:?}");
}
