//! Whatever comes in, in whatever order: nothing panics, the same inputs give the same outputs, and nobody is answered twice.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use crate::config::NodeId;
use crate::protocol::leader::{
    Ask, Change, Entry, Grounds, LeaderConfig, LeaderInput, LeaderMessage, LeaderNode,
    LeaderOutput, LeaderRecord, LeaderReply, Position, Promotion, Reads, Redirect, Replication,
    Term,
};
use crate::protocol::{Key, Nanos, Now, RequestId, Tag, Token};
use crate::wire::{decode, encode};

use super::world::{config, semi_sync};

/// Mostly small, so that things meet; sometimes as large as possible.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0..6_u64, 1 => Just(u64::MAX), 1 => any::<u64>()]
}

fn node() -> impl Strategy<Value = NodeId> {
    (0..5_u16).prop_map(NodeId)
}

fn term() -> impl Strategy<Value = Term> {
    (number(), node(), 0..5_u64).prop_map(|(counter, node, epoch)| Term {
        counter,
        node,
        epoch,
    })
}

fn position() -> impl Strategy<Value = Position> {
    (term(), number()).prop_map(|(term, index)| Position { term, index })
}

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![Just("a"), Just("b")].prop_map(Key::from)
}

fn bytes() -> impl Strategy<Value = Arc<[u8]>> {
    prop::collection::vec(any::<u8>(), 0..3).prop_map(Arc::from)
}

fn entry() -> impl Strategy<Value = Entry> {
    let change = (key(), prop::option::of(bytes()));
    let change = prop::option::of(change.prop_map(|(key, value)| Change { key, value }));
    (position(), change).prop_map(|(position, change)| Entry { position, change })
}

/// Consecutive ones as often as not.
fn entries() -> impl Strategy<Value = Vec<Entry>> {
    (
        prop::collection::vec(entry(), 0..4),
        position(),
        any::<bool>(),
    )
        .prop_map(|(mut entries, first, is_neat)| {
            for (offset, entry) in (0..).zip(&mut entries) {
                if is_neat {
                    entry.position = Position {
                        index: first.index.saturating_add(offset),
                        ..first
                    };
                }
            }
            entries
        })
}

fn id() -> impl Strategy<Value = RequestId> {
    (0..4_u64, number()).prop_map(|(epoch, counter)| RequestId { epoch, counter })
}

fn ask() -> impl Strategy<Value = Ask> {
    let from = prop::option::of(prop_oneof![Just(Reads::Leader), Just(Reads::Any)]);
    prop_oneof![
        (key(), from).prop_map(|(key, from)| Ask::Get { key, from }),
        (key(), bytes()).prop_map(|(key, value)| Ask::Put { key, value }),
        key().prop_map(|key| Ask::Delete { key }),
        key().prop_map(|key| Ask::Inspect { key }),
    ]
}

fn reply() -> impl Strategy<Value = LeaderReply> {
    let grounds =
        (node(), prop::option::of(position())).prop_map(|(served_by, position)| Grounds {
            served_by,
            position,
            acked_by: vec![served_by],
            degraded: false,
        });
    prop_oneof![
        grounds.prop_map(|grounds| LeaderReply::Written { grounds }),
        Just(LeaderReply::Refused { why: String::new() }),
        prop::option::of(position()).prop_map(|position| LeaderReply::Unknown {
            why: String::new(),
            position
        }),
    ]
}

fn append() -> impl Strategy<Value = LeaderMessage> {
    (
        term(),
        number(),
        position(),
        entries(),
        number(),
        any::<bool>(),
    )
        .prop_map(|(term, sent_ns, before, entries, committed, is_neat)| {
            let first = entries.first().map(|entry| entry.position);
            let neat = first.map(|first| Position {
                index: first.index.saturating_sub(1),
                ..first
            });
            LeaderMessage::Append {
                term,
                sent_ns,
                before: neat.filter(|_| is_neat).unwrap_or(before),
                entries,
                committed,
            }
        })
}

fn message() -> impl Strategy<Value = LeaderMessage> {
    prop_oneof![
        4 => append(),
        2 => (term(), number(), number()).prop_map(|(term, sent_ns, matched)| {
            LeaderMessage::Copied { term, sent_ns, matched }
        }),
        1 => (term(), number(), number()).prop_map(|(term, sent_ns, hint)| {
            LeaderMessage::Missing { term, sent_ns, hint }
        }),
        1 => term().prop_map(|promised| LeaderMessage::Fenced { promised }),
        1 => id().prop_map(|id| LeaderMessage::Probe { id }),
        2 => (id(), any::<bool>()).prop_map(|(id, leader)| LeaderMessage::Hearing { id, leader }),
        2 => (term(), position()).prop_map(|(term, last)| LeaderMessage::Canvass { term, last }),
        3 => (term(), any::<bool>(), position(), number()).prop_map(
            |(term, granted, last, lease_left_ns)| LeaderMessage::Ballot {
                term, granted, last, lease_left_ns
            }
        ),
        1 => term().prop_map(|term| LeaderMessage::Nominate { term }),
        2 => (id(), term(), ask()).prop_map(|(id, term, ask)| {
            LeaderMessage::Forward { id, term, ask }
        }),
        1 => (id(), reply()).prop_map(|(id, reply)| LeaderMessage::Forwarded { id, reply }),
    ]
}

/// An input, and how much later it comes, ns.
fn input() -> impl Strategy<Value = (u64, LeaderInput)> {
    let input = prop_oneof![
        6 => (node(), message()).prop_map(|(from, message)| LeaderInput::Peer { from, message }),
        // What a real leader or candidate would say of itself is taken more often.
        3 => (node(), message()).prop_map(|(from, message)| LeaderInput::Peer {
            from,
            message: owned_by(from, message),
        }),
        1 => node().prop_map(LeaderInput::PeerUp),
        1 => node().prop_map(LeaderInput::PeerDown),
        3 => ask().prop_map(|ask| LeaderInput::Client { tag: tag(0), ask }),
        4 => (0..20_u64).prop_map(|token| LeaderInput::Persisted(Token(token))),
        1 => any::<u64>().prop_map(|token| LeaderInput::Persisted(Token(token))),
        4 => Just(LeaderInput::Tick),
    ];
    let later = prop_oneof![0..2_u64, 0..100_000_000_u64, Just(u64::MAX / 64)];
    (later, input)
}

/// The message as its sender would send it, in one of the first terms.
fn owned_by(from: NodeId, message: LeaderMessage) -> LeaderMessage {
    match message {
        LeaderMessage::Append {
            term,
            sent_ns,
            entries,
            committed,
            ..
        } => {
            let term = Term { node: from, ..term };
            let entries = (1..).zip(entries).map(|(index, entry)| Entry {
                position: Position { term, index },
                ..entry
            });
            LeaderMessage::Append {
                term,
                sent_ns,
                before: Position::default(),
                entries: entries.collect(),
                committed,
            }
        }
        LeaderMessage::Canvass { term, last } => LeaderMessage::Canvass {
            term: Term { node: from, ..term },
            last,
        },
        other => other,
    }
}

fn tag(request: u64) -> Tag {
    let connection = 0;
    Tag {
        connection,
        request,
    }
}

fn settings() -> impl Strategy<Value = LeaderConfig> {
    let fallback = Replication::SemiSync {
        k: 1,
        fallback_ms: Some(5),
    };
    let replication = prop_oneof![
        Just(Replication::Async),
        Just(semi_sync(2)),
        Just(fallback),
        Just(Replication::Majority)
    ];
    let promotion = prop_oneof![
        Just(Promotion::AnyFollower),
        Just(Promotion::MostAdvancedOfMajority),
        Just(Promotion::MostAdvancedOfReachable),
        Just(Promotion::Election)
    ];
    let lease = prop::option::of(Just(45_u64));
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (replication, promotion, lease, flags).prop_map(
        |(replication, promotion, lease_ms, (check, fencing, ask_first, forwards))| LeaderConfig {
            replication,
            promotion,
            lease_ms,
            lease_check_at_reply: check,
            fencing,
            ask_first,
            redirect: if forwards {
                Redirect::Forward
            } else {
                Redirect::Refuse
            },
            ..config()
        },
    )
}

fn record() -> impl Strategy<Value = LeaderRecord> {
    prop_oneof![
        term().prop_map(LeaderRecord::Promised),
        entry().prop_map(LeaderRecord::Appended),
        number().prop_map(|from| LeaderRecord::Truncated { from }),
        prop::collection::vec(number(), 0..3).prop_map(LeaderRecord::Acknowledged),
    ]
}

fn recover(config: LeaderConfig, records: &[LeaderRecord]) -> LeaderNode {
    let me = NodeId(2);
    let peers = (1..4).map(NodeId);
    LeaderNode::recover(config, me, peers, 3, records.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn nothing_panics_and_equal_inputs_give_equal_outputs(
        config in settings(), records in prop::collection::vec(record(), 0..6), inputs in prop::collection::vec(input(), 0..60),
    ) {
        let mut twins = [recover(config, &records), recover(config, &records)];
        let mut now = Now::default();
        let mut asked = 0;
        let mut answered = BTreeSet::new();
        for (later, input) in inputs {
            now.monotonic = Nanos(now.monotonic.0.saturating_add(later));
            let input = match input {
                LeaderInput::Client { ask, .. } => {
                    asked += 1;
                    LeaderInput::Client { tag: tag(asked), ask }
                }
                other => other,
            };
            let [outputs, again] = twins.each_mut().map(|node| node.step(now, input.clone()));
            prop_assert_eq!(&outputs, &again);
            for output in outputs {
                match output {
                    LeaderOutput::Send { to, .. } => prop_assert!(to == NodeId(1) || to == NodeId(3)),
                    LeaderOutput::Reply { tag, .. } => {
                        prop_assert!(tag.request <= asked && answered.insert(tag.request));
                    }
                    LeaderOutput::Persist { .. } => {}
                }
            }
            prop_assert!(twins[0].deadline().is_some());
        }
        let [first, second] = twins.map(|node| format!("{node:?}"));
        prop_assert_eq!(first, second);
    }

    /// A tick leaves no deadline behind it: else the shell would tick for ever.
    #[test]
    fn a_tick_is_not_due_again_at_once(
        config in settings(), inputs in prop::collection::vec(input(), 0..40),
    ) {
        let mut node = recover(config, &[]);
        let mut now = Now::default();
        for (later, input) in inputs {
            now.monotonic = Nanos(now.monotonic.0.saturating_add(later));
            node.step(now, input);
            node.step(now, LeaderInput::Tick);
            prop_assert!(node.deadline() > Some(now.monotonic));
        }
    }

    #[test]
    fn a_snapshot_recovers_to_the_same(
        records in prop::collection::vec(record(), 0..12), inputs in prop::collection::vec(input(), 0..40),
    ) {
        let mut node = recover(config(), &records);
        for (_, input) in inputs {
            node.step(Now::default(), input);
        }
        let snapshot: Vec<_> = node.snapshot().collect();
        let copy = recover(config(), &snapshot);
        prop_assert!(node.entries().eq(copy.entries()));
        prop_assert_eq!(node.status().term, copy.status().term);
        prop_assert_eq!(copy.snapshot().collect::<Vec<_>>(), snapshot);
    }

    #[test]
    fn messages_and_records_come_back_and_no_bytes_make_decoding_panic(
        message in message(), record in record(), bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        prop_assert_eq!(decode::<LeaderMessage>(&encode(&message).unwrap()).unwrap(), message);
        prop_assert_eq!(decode::<LeaderRecord>(&encode(&record).unwrap()).unwrap(), record);
        let _ = decode::<LeaderMessage>(&bytes);
        let _ = decode::<LeaderRecord>(&bytes);
    }
}
