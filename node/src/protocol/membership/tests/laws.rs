//! What is decided about the ring is a semilattice, decisions only add to it, and the queue of changes is worked off one by one.

use proptest::prelude::*;

use super::super::{
    Bootstrap, ChangeKind, Command, Pending, Phase, RingError, RingMember, RingState, RingView,
    Sources, Status, Stay,
};
use super::cluster::{nodes, ring};
use crate::config::NodeId;
use crate::protocol::placement::Replication;

const N1: NodeId = NodeId(1);
const N9: NodeId = NodeId(9);

fn any_node() -> impl Strategy<Value = NodeId> {
    (1..8_u16).prop_map(NodeId)
}

fn any_status() -> impl Strategy<Value = Status> {
    prop::sample::select(vec![
        Status::Normal,
        Status::Leaving(Phase::Copy),
        Status::Leaving(Phase::Switch),
        Status::Removed,
        Status::Joining(Phase::Copy),
        Status::Joining(Phase::Switch),
    ])
}

/// Any state at all, also such that no commands lead to: the laws do not depend on how it came about.
fn any_state() -> impl Strategy<Value = RingState> {
    let member = (
        0..3_u64,
        any_status(),
        any_node(),
        0..3_u64,
        prop::option::of((any_node(), 1..3_u64).prop_map(|(node, number)| Stay { node, number })),
        any_node(),
    );
    let member =
        member.prop_map(
            |(version, status, author, ticket, replaces, tokens_of)| RingMember {
                stay: 1 + version / 2,
                version,
                status,
                author,
                ticket,
                replaces,
                tokens_of,
                data_centre: String::new(),
            },
        );
    prop::collection::btree_map(any_node(), member, 0..7).prop_map(|members| RingState { members })
}

fn merged(mut into: RingState, other: &RingState) -> RingState {
    into.merge(other);
    into
}

fn certificate(state: &RingState) -> super::super::Copied {
    let view = RingView::new(state, 4, &Replication::Simple { n: 3 }, Pending::Counted);
    let mut bootstrap = Bootstrap::new(&view, Sources::One, |_| false).expect("a change");
    for task in 0..bootstrap.tasks().len() {
        let source = bootstrap.tasks()[task].sources[0];
        assert!(bootstrap.copied(task, source));
    }
    bootstrap.certificate().expect("all copied")
}

#[derive(Clone, Debug)]
enum Step {
    Told(usize, Command),
    Next(usize),
    Heard(usize, usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    let command =
        (0..3, any_node(), prop::option::of(any_node())).prop_map(|(kind, node, replaces)| {
            match kind {
                0 => Command::Join {
                    node,
                    data_centre: String::new(),
                    replaces,
                },
                1 => Command::Leave(node),
                _ => Command::Abort(node),
            }
        });
    prop_oneof![
        (0..3_usize, command).prop_map(|(at, command)| Step::Told(at, command)),
        (0..3_usize).prop_map(Step::Next),
        (0..3_usize, 0..3_usize).prop_map(|(at, from)| Step::Heard(at, from)),
    ]
}

proptest! {
    #[test]
    fn merging_is_a_semilattice(a in any_state(), b in any_state(), c in any_state()) {
        prop_assert_eq!(merged(a.clone(), &b), merged(b.clone(), &a), "commutative");
        prop_assert_eq!(
            merged(merged(a.clone(), &b), &c),
            merged(a.clone(), &merged(b.clone(), &c)),
            "associative"
        );
        prop_assert_eq!(merged(a.clone(), &a), a.clone(), "idempotent");
        let both = merged(a.clone(), &b);
        prop_assert_eq!(a.clone().merge(&b), both != a, "says whether it learnt anything");
        prop_assert!(!both.clone().merge(&a) && !both.clone().merge(&b), "an upper bound");
    }

    #[test]
    fn any_state_has_a_ring_before_and_after(state in any_state()) {
        let view = RingView::new(&state, 4, &Replication::Simple { n: 3 }, Pending::Counted);
        let _ = (view.stand_ins("k", &view.owners("k")), state.validate());
        for node in nodes(8) {
            prop_assert_eq!(state.owns(node), state.owners().contains_key(&node));
        }
    }

    #[test]
    fn decisions_on_three_sides_end_in_one_ring(steps in prop::collection::vec(any_step(), 0..40)) {
        let mut sides = [ring(5), ring(5), ring(5)];
        for step in steps {
            match step {
                Step::Told(at, command) => {
                    let before = sides[at].clone();
                    let author = NodeId(u16::try_from(at + 1).expect("small"));
                    let told = sides[at].command(author, command);
                    prop_assert_eq!(told.is_err(), sides[at] == before, "refused is unchanged");
                    prop_assert_eq!(merged(before, &sides[at]), sides[at].clone(), "only adds");
                    prop_assert!(!sides[at].owners().is_empty());
                }
                Step::Next(at) => {
                    let Some(change) = sides[at].change() else { continue };
                    let before = sides[at].clone();
                    let after = sides[at].owners_after();
                    match change.phase {
                        Phase::Copy if !before.owners().is_empty() => {
                            let copied = certificate(&before);
                            prop_assert_eq!(sides[at].switch(N1, &copied), Ok(()));
                            prop_assert_eq!(sides[at].owners(), before.owners());
                        }
                        Phase::Copy => continue,
                        Phase::Switch => {
                            prop_assert_eq!(sides[at].settle(N1, change.node), Ok(()));
                            prop_assert_eq!(sides[at].owners(), after, "what was announced");
                            prop_assert_ne!(sides[at].change().map(|next| next.node), Some(change.node));
                        }
                    }
                    prop_assert_eq!(merged(before, &sides[at]), sides[at].clone(), "only adds");
                }
                Step::Heard(at, from) => {
                    let other = sides[from].clone();
                    sides[at].merge(&other);
                }
            }
        }
        let [a, b, c] = sides;
        prop_assert_eq!(merged(merged(a.clone(), &b), &c), merged(merged(c, &a), &b));
    }
}

fn join(node: NodeId, replaces: Option<NodeId>) -> Command {
    Command::Join {
        node,
        data_centre: "east".to_owned(),
        replaces,
    }
}

#[test]
fn a_replacement_has_the_tokens_of_the_dead_and_outlasts_it() {
    let mut state = ring(3);
    state
        .command(N1, join(N9, Some(NodeId(2))))
        .expect("in the ring");
    let change = state.change().expect("a change");
    assert_eq!(
        (change.kind, change.phase),
        (ChangeKind::Replace(NodeId(2)), Phase::Copy)
    );
    assert!(!state.owns(N9) && state.owns(NodeId(2)));
    assert_eq!(
        state.settle(N1, N9),
        Err(RingError::NotUnderWay(N9)),
        "not before it has copied"
    );

    let copied = certificate(&state);
    state.switch(N9, &copied).expect("under way");
    assert_eq!(
        state.command(N1, Command::Abort(N9)),
        Err(RingError::TooLate(N9))
    );
    state.settle(N9, N9).expect("switched");
    assert_eq!(state.owners().get(&N9), Some(&NodeId(2)));
    assert!(!state.owns(NodeId(2)));
    let taken = RingError::TokensTaken {
        node: NodeId(2),
        holder: N9,
    };
    assert_eq!(state.command(N1, join(NodeId(2), None)), Err(taken));

    // The certificate of one change is no use for another.
    state.command(N1, Command::Leave(N9)).expect("normal");
    assert_eq!(state.switch(N9, &copied), Err(RingError::NotUnderWay(N9)));
    let copied = certificate(&state);
    state.switch(N1, &copied).expect("under way");
    state.settle(N1, N9).expect("switched");
    assert_eq!(
        state.owners().into_keys().collect::<Vec<_>>(),
        [N1, NodeId(3)],
        "and n2 stays out"
    );
    state
        .command(N1, join(NodeId(2), None))
        .expect("its tokens are free again");
}

#[test]
fn changes_wait_for_each_other_in_the_order_of_their_commands() {
    let mut state = ring(4);
    state
        .command(N1, Command::Leave(NodeId(4)))
        .expect("normal");
    state
        .command(N1, join(NodeId(2), None))
        .expect_err("already in");
    state.command(N1, join(N9, None)).expect("new");
    assert_eq!(state.change().map(|change| change.node), Some(NodeId(4)));
    assert_eq!(
        state.owners_after().into_keys().collect::<Vec<_>>(),
        [N1, NodeId(2), NodeId(3)]
    );
    state
        .command(N1, Command::Abort(NodeId(4)))
        .expect("still copying");
    assert_eq!(state.change().map(|change| change.node), Some(N9));
    assert_eq!(state.owners(), ring(4).owners());
}

#[test]
fn a_switch_beats_an_abort_that_did_not_know_of_it() {
    for command in [join(N9, None), Command::Leave(NodeId(2))] {
        let mut state = ring(3);
        state.command(N1, command).expect("possible");
        let node = state.change().expect("a change").node;
        let (mut switched, mut aborted) = (state.clone(), state.clone());
        switched
            .switch(node, &certificate(&state))
            .expect("under way");
        aborted
            .command(NodeId(3), Command::Abort(node))
            .expect("still copying");
        assert_eq!(merged(aborted, &switched), switched);
    }
}

#[test]
fn senseless_commands_are_refused_with_a_reason() {
    let mut state = ring(1);
    let refused = |state: &mut RingState, command| {
        state.command(N1, command).expect_err("refused").to_string()
    };
    assert_eq!(
        refused(&mut state, Command::Leave(N1)),
        "n1 is the last node of the ring: join another first"
    );
    assert_eq!(
        refused(&mut state, Command::Leave(N9)),
        "n9 is not in the ring: only its nodes can leave or be replaced"
    );
    assert_eq!(
        refused(&mut state, Command::Abort(N1)),
        "no change of n1 is at that point: look at the change under way"
    );
    state.command(N1, join(N9, Some(N1))).expect("possible");
    assert_eq!(
        refused(&mut state, join(NodeId(8), Some(N1))),
        "n1 is on its way in or out: wait, or abort that first"
    );
    let data_centre = "x".repeat(65);
    let long = Command::Join {
        node: NodeId(7),
        data_centre,
        replaces: None,
    };
    assert_eq!(
        refused(&mut state, long),
        "a data centre's name of 65 bytes: choose at most 64"
    );
    assert_eq!(state.owners(), ring(1).owners());
}
