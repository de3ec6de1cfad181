//! The tasks of a ring change are exactly what moves, and nothing goes on before they are done.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::{Bootstrap, Command, Pending, RingState, RingView, Sources, TokenRange};
use super::cluster::{nodes, ring};
use crate::config::NodeId;
use crate::protocol::placement::Replication;
use crate::protocol::ring::Ring;

const N1: NodeId = NodeId(1);
const N2: NodeId = NodeId(2);
const N9: NodeId = NodeId(9);

/// A ring of `size` with one change under way: 0 join, 1 leave, 2 replace.
fn changing(size: u16, kind: u8) -> RingState {
    let mut state = ring(size);
    let join = |replaces| Command::Join {
        node: N9,
        data_centre: String::new(),
        replaces,
    };
    let command = match kind {
        0 => join(None),
        1 => Command::Leave(N2),
        _ => join(Some(N2)),
    };
    state.command(N1, command).expect("possible");
    state
}

fn view(state: &RingState, n: u16) -> RingView {
    RingView::new(state, 8, &Replication::Simple { n }, Pending::Counted)
}

proptest! {
    #[test]
    fn the_tasks_are_what_moves(size in 2..7_u16, kind in 0..3_u8, n in 1..4_u16, w in 1..4_u16, key in ".*") {
        let view = view(&changing(size, kind), n);
        let bootstrap = Bootstrap::new(&view, Sources::Meeting { w }, |_| false).expect("a change");
        let place = Ring::place_of(&key);
        let owners = view.owners(&key);
        for target in nodes(9) {
            let tasks = bootstrap
                .tasks()
                .iter()
                .filter(|task| task.target == target)
                .filter(|task| task.ranges.iter().any(|range| range.contains(place)));
            let tasks: Vec<_> = tasks.collect();
            prop_assert_eq!(tasks.len(), usize::from(owners.pending.contains(&target)), "{}", target);
            for task in tasks {
                prop_assert_eq!(&task.sources, &owners.reads);
                let n = owners.reads.len();
                prop_assert_eq!(task.needed, (n + 1).saturating_sub(w.into()).clamp(1, n));
            }
        }
    }

    #[test]
    fn the_certificate_is_the_end_of_all_tasks(
        size in 3..7_u16,
        kind in 0..3_u8,
        w in 1..4_u16,
        order in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 200),
    ) {
        let dead = |node| kind == 2 && node == N2;
        let view = view(&changing(size, kind), 3);
        let mut bootstrap = Bootstrap::new(&view, Sources::Meeting { w }, dead).expect("a change");
        // Three nodes with three replicas hold everything already.
        prop_assume!(!bootstrap.tasks().is_empty());
        let mut copied: BTreeMap<usize, Vec<NodeId>> = BTreeMap::new();
        for (task, source) in order {
            let task = task.index(bootstrap.tasks().len());
            let sources = &bootstrap.tasks()[task].sources;
            prop_assert!(!sources.contains(&N2) || !dead(N2));
            let source = sources[source.index(sources.len())];
            prop_assert!(bootstrap.copied(task, source));
            copied.entry(task).or_default().push(source);
            let done = |(index, task): (usize, &super::super::Task)| {
                let mut from = copied.get(&index).cloned().unwrap_or_default();
                from.sort_unstable();
                from.dedup();
                from.len() >= task.needed || task.loser.is_some_and(|loser| from.contains(&loser))
            };
            let all = bootstrap.tasks().iter().enumerate().all(done);
            prop_assert_eq!(bootstrap.certificate().is_some(), all);
            prop_assert_eq!(bootstrap.missing().count() == 0, all);
        }
    }
}

#[test]
fn ranges_go_around_the_end() {
    let (plain, around, whole) = (
        TokenRange { after: 3, to: 9 },
        TokenRange { after: 9, to: 3 },
        TokenRange { after: 5, to: 5 },
    );
    for place in [0, 3, 4, 9, 10, u64::MAX] {
        assert_eq!(plain.contains(place), (4..=9).contains(&place));
        assert_ne!(plain.contains(place), around.contains(place));
        assert!(whole.contains(place));
    }
}

#[test]
fn too_few_old_replicas_are_said_to_be_too_few() {
    // With W = 1 the dead node may have held the only copy; nobody can say that nothing was lost.
    let view = view(&changing(5, 2), 3);
    let dead = |node| node == N2;
    let bootstrap = Bootstrap::new(&view, Sources::Meeting { w: 1 }, dead).expect("a change");
    assert_eq!(bootstrap.impossible().count(), bootstrap.tasks().len());
    let mut bootstrap = Bootstrap::new(&view, Sources::Meeting { w: 2 }, dead).expect("a change");
    assert_eq!(bootstrap.impossible().count(), 0);
    bootstrap.lost(N1);
    assert!(
        bootstrap
            .impossible()
            .all(|task| !task.sources.contains(&N1))
    );
    assert!(bootstrap.impossible().count() > 0);
}

#[test]
fn a_loser_will_do_alone_unless_it_is_lost() {
    let view = view(&changing(5, 0), 3);
    let mut bootstrap =
        Bootstrap::new(&view, Sources::Meeting { w: 2 }, |_| false).expect("a change");
    let (task, loser) = (
        0,
        bootstrap.tasks()[0]
            .loser
            .expect("one gives up for one that comes"),
    );
    assert_eq!(
        bootstrap.tasks()[task].left().first().copied(),
        Some(loser),
        "asked first"
    );
    bootstrap.copied(task, loser);
    assert!(bootstrap.tasks()[task].is_done());
    bootstrap.restart(N9);
    assert!(!bootstrap.tasks()[task].is_done());
    bootstrap.lost(loser);
    assert_eq!(bootstrap.tasks()[task].loser, None);
    assert!(!bootstrap.copied(task, loser));
    assert_eq!(bootstrap.tasks()[task].left().len(), 2);
}

#[test]
fn without_a_change_there_is_nothing_to_do() {
    let view = view(&ring(3), 3);
    assert_eq!(Bootstrap::new(&view, Sources::One, |_| false), None);
}
