//! Anything at all may come: from peers that lie, are broken or are not ours, from clients, from the shell. A replica never panics, what it
//! wants written and sent has room where it goes, and what it remembers stays within its limits.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;

use crate::config::{
    HintHolder, Hints, Level, Limits, NodeId, ReadRepair, Reads, Sabotage, StampSource, Stamping,
    StoreConfig, Versions,
};
use crate::protocol::{
    Actor, Content, Dot, Input, Key, Now, Output, PeerMessage, Replica, RequestId, Tag, Token,
    Version, VersionVector, WallNanos,
};
use crate::wire::{self, Context, FRAME_BYTES_MAX, KEY_BYTES_MAX, Quorum, Request, Stamp};

use super::cluster::config;

/// Keys that the replica may hold in these tests, and bytes.
const KEYS_MAX: u64 = 3;
const BYTES_MAX: u64 = 1_500;

/// Room that the log adds to a record, and a frame to a message.
const HEAD_BYTES: usize = 64;

fn node() -> impl Strategy<Value = NodeId> {
    select(vec![0, 1, 2, 2, 2, 3, 3, 3, 4, 4, 60_000, u16::MAX]).prop_map(NodeId)
}

fn count() -> impl Strategy<Value = u64> {
    select(vec![0, 1, 1, 2, 3, 7, u64::MAX - 1, u64::MAX])
}

fn key() -> impl Strategy<Value = Key> {
    let keys = ["", "a", "b", "c", "d", "a key of some length"].map(str::to_owned);
    let mut keys = keys.to_vec();
    keys.push("k".repeat(KEY_BYTES_MAX + 1));
    select(keys).prop_map(Key::from)
}

fn stamp() -> impl Strategy<Value = Stamp> {
    let wall_ns = select(vec![i64::MIN, -1, 0, 1, 2, i64::MAX - 1, i64::MAX]);
    (wall_ns, node()).prop_map(|(wall_ns, node)| Stamp {
        wall_ns,
        node: node.0,
    })
}

fn version() -> impl Strategy<Value = Version> {
    let value = prop::option::of(select(vec![0_usize, 1, 5, 1_000]));
    (stamp(), value, any::<u8>()).prop_map(|(stamp, bytes, byte)| Version {
        stamp,
        value: bytes.map(|bytes| vec![byte; bytes].into()),
    })
}

fn actor() -> impl Strategy<Value = Actor> {
    // Half of them under the names that the replica itself gives.
    let own = (select(vec![0, 1]), select(vec![0, 1]));
    let own = own.prop_map(|(epoch, errand)| (NodeId(1), epoch, errand));
    prop_oneof![own, (node(), count(), count())].prop_map(|(node, epoch, errand)| Actor {
        node,
        epoch,
        errand,
    })
}

fn vector() -> impl Strategy<Value = VersionVector> {
    prop::collection::vec((actor(), count()), 0..4).prop_map(|entries| {
        let mut vector = VersionVector::default();
        for (actor, counter) in entries {
            vector.add(Dot { actor, counter });
        }
        vector
    })
}

/// Contents as they may come over the wire: siblings need not be in their own context.
fn content() -> impl Strategy<Value = Content> {
    let dot = (actor(), count()).prop_map(|(actor, counter)| Dot { actor, counter });
    let versions = prop::collection::btree_map(dot, version(), 0..4);
    let siblings = (vector(), versions).prop_map(|(context, versions)| {
        let bytes = wire::encode(&(context, versions)).expect("plain data");
        Content::Siblings(wire::decode(&bytes).expect("the same shape"))
    });
    prop_oneof![version().prop_map(Content::One), siblings]
}

/// Epoch 1 is the replica's own.
fn id() -> impl Strategy<Value = RequestId> {
    (count(), count()).prop_map(|(epoch, counter)| RequestId { epoch, counter })
}

fn message() -> impl Strategy<Value = PeerMessage> {
    let hint_for = || prop::option::of(node());
    prop_oneof![
        (id(), key(), content(), hint_for(), any::<bool>()).prop_map(
            |(id, key, content, hint_for, early)| PeerMessage::Write {
                id,
                key,
                content,
                hint_for,
                early
            }
        ),
        (id(), key(), content(), hint_for()).prop_map(|(id, key, content, hint_for)| {
            PeerMessage::Repair {
                id,
                key,
                content,
                hint_for,
            }
        }),
        (id(), key(), content()).prop_map(|(id, key, content)| PeerMessage::Handoff {
            id,
            key,
            content
        }),
        id().prop_map(|id| PeerMessage::Received { id }),
        id().prop_map(|id| PeerMessage::Held { id }),
        (id(), key(), version(), vector(), hint_for()).prop_map(
            |(id, key, version, read, hint_for)| PeerMessage::Mint {
                id,
                key,
                version,
                read,
                hint_for
            }
        ),
        (id(), content()).prop_map(|(id, content)| PeerMessage::Minted { id, content }),
        (id(), key(), any::<bool>(), any::<bool>()).prop_map(|(id, key, digest, stand_in)| {
            PeerMessage::Read {
                id,
                key,
                digest,
                stand_in,
            }
        }),
        (id(), prop::option::of(content()))
            .prop_map(|(id, content)| PeerMessage::Answer { id, content }),
        (id(), prop::option::of((count(), prop::option::of(stamp()))))
            .prop_map(|(id, digest)| PeerMessage::Digest { id, digest }),
    ]
}

fn quorum() -> impl Strategy<Value = Quorum> {
    let some = || prop::option::of(select(vec![0_u16, 1, 2, 3, 4, u16::MAX]));
    let level = prop_oneof![
        select(vec![0_u16, 1, 2, 3, 4]).prop_map(Level::Count),
        select(vec![
            Level::Any,
            Level::Quorum,
            Level::All,
            Level::EachQuorum
        ]),
    ];
    (
        some(),
        prop::option::of(level),
        some(),
        some(),
        any::<Option<bool>>(),
    )
        .prop_map(|(n, level, primaries, durable, sloppy)| Quorum {
            n,
            level,
            primaries,
            durable,
            sloppy,
        })
}

fn request() -> impl Strategy<Value = Request> {
    let key = || key().prop_map(|key| key.as_str().to_owned());
    let context = || {
        let read = vector().prop_map(|read| wire::encode(&(1_u8, read)).expect("plain data"));
        let bytes = prop_oneof![read, prop::collection::vec(any::<u8>(), 0..20)];
        prop::option::of(bytes.prop_map(Context))
    };
    let stamp_ns = || prop::option::of(stamp().prop_map(|stamp| stamp.wall_ns));
    prop_oneof![
        (key(), quorum()).prop_map(|(key, quorum)| Request::Get { key, quorum }),
        (key(), 0..1_000_usize, quorum(), context(), stamp_ns()).prop_map(
            |(key, bytes, quorum, context, stamp_ns)| Request::Put {
                key,
                value: vec![7; bytes],
                quorum,
                context,
                stamp_ns
            }
        ),
        (key(), quorum(), context(), stamp_ns()).prop_map(|(key, quorum, context, stamp_ns)| {
            Request::Delete {
                key,
                quorum,
                context,
                stamp_ns,
            }
        }),
        key().prop_map(|key| Request::Inspect { key }),
        prop::option::of(key()).prop_map(|key| Request::Ring { key }),
        Just(Request::Hints),
        Just(Request::Repair),
        Just(Request::Status),
    ]
}

/// What happens next: time passes, and one thing comes in.
fn events() -> impl Strategy<Value = Vec<(u64, WallNanos, Input)>> {
    let connection = 1;
    let input = prop_oneof![
        8 => (node(), message()).prop_map(|(from, message)| Input::Peer { from, message }),
        4 => (0..1_000_u64, request()).prop_map(move |(request, asked)| Input::Client {
            tag: Tag { connection, request },
            request: asked,
        }),
        4 => (0..30_u64).prop_map(|token| Input::Persisted(Token(token))),
        1 => count().prop_map(|token| Input::Persisted(Token(token))),
        1 => node().prop_map(Input::PeerUp),
        1 => node().prop_map(Input::PeerDown),
        2 => Just(Input::Tick),
    ];
    let later = select(vec![0, 0, 1, 1_000_000_000, u64::MAX]);
    let wall = stamp().prop_map(|stamp| WallNanos(stamp.wall_ns));
    prop::collection::vec((later, wall, input), 0..200)
}

fn store() -> impl Strategy<Value = StoreConfig> {
    let versions = select(vec![
        Versions::Lww(Stamping::default()),
        Versions::Lww(Stamping {
            source: StampSource::Hybrid,
            ..Stamping::default()
        }),
        Versions::Dvv { siblings: true },
        Versions::Dvv { siblings: false },
    ]);
    let holder = select(vec![
        HintHolder::Nobody,
        HintHolder::Fallback,
        HintHolder::Coordinator,
    ]);
    let repair = select(vec![
        ReadRepair::None,
        ReadRepair::Async,
        ReadRepair::Blocking,
    ]);
    let defect = prop::option::weighted(0.3, select(Sabotage::ALL.to_vec()));
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (versions, holder, repair, defect, flags).prop_map(
        |(versions, holder, read_repair, defect, (sloppy, digest, durable))| {
            let mut config = config(3, 2, 2);
            config.nodes = 4;
            config.read_repair = read_repair;
            config.sabotage = defect.into_iter().collect();
            config.options.versions = versions;
            config.options.sloppy = sloppy && holder != HintHolder::Nobody;
            config.options.hints = Hints {
                holder,
                durable,
                window_ms: Some(1_000),
                ..Hints::default()
            };
            config.options.reads = Reads {
                digest,
                ..Reads::default()
            };
            config.options.limits = Limits {
                keys_max: KEYS_MAX,
                bytes_max: BYTES_MAX,
                requests_max: 5,
                ..Limits::default()
            };
            config
        },
    )
}

/// What comes out has room where it goes.
fn check_output(output: &Output) -> Result<(), TestCaseError> {
    let bytes = match output {
        Output::Send { to, message } => {
            prop_assert_ne!(*to, NodeId(1));
            wire::encode(message)
        }
        Output::Reply { response, .. } => wire::encode(response),
        Output::Persist { record, .. } => wire::encode(record),
    };
    prop_assert!(bytes.expect("plain data").len() + HEAD_BYTES <= FRAME_BYTES_MAX);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_that_comes_breaks_a_replica_or_its_limits(config in store(), events in events()) {
        let mut replica = Replica::recover(config.clone(), NodeId(1), 1, []);
        let mut now = Now::default();
        let mut asked: BTreeMap<Tag, i64> = BTreeMap::new();
        let mut tokens = Vec::new();
        for (later, wall, input) in events {
            now.monotonic = now.monotonic.after(Duration::from_nanos(later));
            now.wall = wall;
            if let Input::Client { tag, .. } = &input {
                *asked.entry(*tag).or_default() += 1;
            }
            let stranger = matches!(&input, Input::Peer { from, .. } if !(2..=4).contains(&from.0));
            let outputs = replica.step(now, input);
            prop_assert!(!stranger || outputs.is_empty());
            for output in outputs {
                check_output(&output)?;
                match output {
                    Output::Reply { tag, .. } => *asked.entry(tag).or_default() -= 1,
                    Output::Persist { token, .. } => tokens.push(token),
                    Output::Send { .. } => {}
                }
            }
            // Each is answered once, or still under way: nobody but a client begins anything.
            prop_assert!(asked.values().all(|open| *open >= 0));
            prop_assert!(replica.requests.len() <= 5 && replica.timers.len() <= replica.requests.len());
            prop_assert!(replica.store.keys() as u64 <= KEYS_MAX);
            prop_assert!(replica.store.bytes() <= 2 * BYTES_MAX, "{}", replica.store.bytes());
            prop_assert!(replica.hints.weight() <= BYTES_MAX);
            prop_assert!(replica.hints.by_owner().keys().all(|owner| (2..=4).contains(&owner.0)));
            prop_assert!(tokens.is_sorted_by(|a, b| a < b));
        }
        // What it would write as a snapshot is taken again without ado.
        let records: Vec<_> = replica.snapshot().collect();
        let again = Replica::recover(config, NodeId(1), 2, records);
        prop_assert!(again.store.keys() as u64 <= KEYS_MAX);
    }

    /// The reckoning is no less than what is encoded: limits by weight are limits of frames and entries.
    #[test]
    fn no_content_is_encoded_in_more_than_its_weight(content in content()) {
        prop_assert!(wire::encode(&content).expect("plain data").len() as u64 <= content.weight());
    }
}
