//! A node at its limits: refuses definitely before anything is sent, acknowledges nothing that it does not hold, and goes on.

use crate::config::{Limits, StoreConfig, Versions};
use crate::protocol::{Content, Input, Key, Output, PeerMessage, RequestId, Siblings, Version};
use crate::wire::{Quorum, Request, Response, Stamp};

use super::cluster::{A, B, C, Cluster, config, get, refused, written};

fn limited(limits: Limits) -> StoreConfig {
    let mut config = config(3, 2, 2);
    config.options.limits = limits;
    config
}

fn put(key: &str, bytes: usize) -> Request {
    Request::put(key, vec![1; bytes], Quorum::default())
}

/// What a node answers at once, without anything that was sent or written.
fn at_once(cluster: &mut Cluster, request: Request) -> String {
    let (packets, queued) = (cluster.packets.len(), cluster.disks[&A].queued.len());
    let request = cluster.ask(A, request);
    assert_eq!(cluster.packets.len(), packets);
    assert_eq!(cluster.disks[&A].queued.len(), queued);
    refused(cluster.reply(request).expect("at once").clone())
}

fn done(cluster: &mut Cluster, request: Request) -> Response {
    let request = cluster.ask(A, request);
    cluster.settle();
    cluster.reply(request).expect("an answer").clone()
}

#[test]
fn requests_beyond_the_limit_are_refused_as_overload() {
    let mut cluster = Cluster::new(limited(Limits {
        requests_max: 2,
        ..Limits::default()
    }));
    cluster.ask(A, get());
    cluster.ask(A, put("k", 1));
    let why = "overloaded: 2 requests are under way, try again later";
    assert_eq!(at_once(&mut cluster, get()), why);
    assert_eq!(at_once(&mut cluster, put("k", 1)), why);
    cluster.settle();
    written(done(&mut cluster, put("k", 1)));
}

#[test]
fn a_node_that_is_full_of_keys_takes_no_new_one_but_writes_of_those_it_has() {
    let mut cluster = Cluster::new(limited(Limits {
        keys_max: 2,
        ..Limits::default()
    }));
    written(done(&mut cluster, put("a", 10)));
    // One more on its way is one more.
    cluster.ask(A, put("b", 10));
    let why = at_once(&mut cluster, put("c", 10));
    assert_eq!(
        why,
        "this node is full: it holds 2 keys, the most that it may"
    );
    cluster.settle();
    written(done(&mut cluster, put("a", 5_000)));
    written(done(&mut cluster, Request::delete("b", Quorum::default())));
}

#[test]
fn a_node_that_is_full_of_bytes_takes_only_what_makes_it_smaller() {
    let mut cluster = Cluster::new(limited(Limits {
        bytes_max: 3_000,
        ..Limits::default()
    }));
    written(done(&mut cluster, put("a", 1_000)));
    written(done(&mut cluster, put("b", 1_000)));
    let why = at_once(&mut cluster, put("c", 1_000));
    assert!(why.starts_with("this node is full: it holds 2"), "{why}");
    assert!(at_once(&mut cluster, put("a", 1_001)).starts_with("this node is full"));
    written(done(&mut cluster, Request::delete("a", Quorum::default())));
    written(done(&mut cluster, put("c", 1_000)));
    assert!(cluster.replicas[&A].bytes_held() <= 3_000);
}

/// The coordinator has room; the replicas have not, and do not say that they hold it.
#[test]
fn a_replica_that_is_full_does_not_acknowledge() {
    let mut full = limited(Limits {
        keys_max: 1,
        ..Limits::default()
    });
    full.options.dw = Some(1);
    let mut cluster = Cluster::new(full);
    written(done(&mut cluster, put("a", 1)));
    let (id, key) = (
        RequestId {
            epoch: 9,
            counter: 9,
        },
        Key::from("b"),
    );
    let content = Content::One(Version {
        stamp: Stamp::default(),
        value: None,
    });
    let messages = [
        PeerMessage::Write {
            id,
            key: key.clone(),
            content: content.clone(),
            hint_for: None,
            early: true,
        },
        PeerMessage::Repair {
            id,
            key: key.clone(),
            content: content.clone(),
            hint_for: None,
        },
        PeerMessage::Handoff { id, key, content },
    ];
    for (number, message) in messages.into_iter().enumerate() {
        cluster.input(B, Input::Peer { from: C, message });
        assert!(cluster.packets.is_empty() && cluster.disks[&B].queued.is_empty());
        let not_held = cluster.replicas[&B].status().counters.not_held;
        assert_eq!(not_held, number as u64 + 1);
    }
}

/// Blind writes pile up siblings until no frame would have room for them: the next is refused, and one that read what is there is not.
#[test]
fn siblings_stop_where_no_frame_has_room_for_them() {
    let mut config = config(3, 2, 2);
    config.options.versions = Versions::Dvv { siblings: true };
    let mut cluster = Cluster::new(config);
    let big = 400_000;
    for byte in [1, 2] {
        let request = Request::put("k", vec![byte; big], Quorum::default());
        written(done(&mut cluster, request));
    }
    let why = at_once(&mut cluster, put("k", big));
    assert!(why.contains("write with the context"), "{why}");
    let Response::Value {
        values, context, ..
    } = done(&mut cluster, get_k())
    else {
        panic!("a value");
    };
    assert_eq!(values.len(), 2);
    let with_context = Request::Put {
        key: "k".to_owned(),
        value: vec![3; big],
        quorum: Quorum::default(),
        context: Some(context),
        stamp_ns: None,
    };
    written(done(&mut cluster, with_context));
    let Response::Value { values, .. } = done(&mut cluster, get_k()) else {
        panic!("a value");
    };
    assert_eq!(values, [vec![3; big]]);
}

/// A content that adds nothing may be as heavy as its sender likes: a full node does not take it, although what it holds would not grow.
#[test]
fn a_full_node_takes_nothing_heavy_that_adds_nothing() {
    let mut config = limited(Limits {
        bytes_max: 1_500,
        ..Limits::default()
    });
    config.options.versions = Versions::Dvv { siblings: true };
    let mut cluster = Cluster::new(config);
    written(done(&mut cluster, put("k", 10)));
    let first = cluster.replicas[&A].visible("k").cloned();
    let Some(Content::Siblings(first)) = first else {
        panic!("siblings");
    };
    let dot = *first.versions().next().expect("one write").0;
    let context = match done(&mut cluster, get_k()) {
        Response::Value { context, .. } => context,
        other => panic!("{other:?}"),
    };
    let second = Request::Put {
        key: "k".to_owned(),
        value: vec![2; 800],
        quorum: Quorum::default(),
        context: Some(context),
        stamp_ns: None,
    };
    written(done(&mut cluster, second));
    let Some(Content::Siblings(held)) = cluster.replicas[&A].visible("k").cloned() else {
        panic!("siblings");
    };
    // A peer says that the second write was replaced, and that the first, which the second replaced, is still there: nothing is left of
    // the key then, however many bytes the first is said to have.
    let said = |bytes: usize| {
        let stamp = Stamp {
            wall_ns: 1,
            node: 1,
        };
        let value = Some(vec![7; bytes].into());
        let version = Version { stamp, value };
        let told = Siblings::default().written(held.context(), dot, version);
        Input::Peer {
            from: B,
            message: PeerMessage::Handoff {
                id: RequestId {
                    epoch: 1,
                    counter: 1,
                },
                key: "k".into(),
                content: Content::Siblings(told),
            },
        }
    };
    cluster.input(A, said(1_300));
    assert_eq!(cluster.disks[&A].queued.len(), 0);
    cluster.input(A, said(10));
    assert_eq!(cluster.disks[&A].queued.len(), 1, "what is light is taken");
}

fn get_k() -> Request {
    Request::get("k", Quorum::default())
}

/// Who is not of the cluster is not heard, whatever it says.
#[test]
fn strangers_are_not_heard() {
    let mut cluster = Cluster::new(config(3, 2, 2));
    for from in [0, 1, 4, u16::MAX].map(crate::config::NodeId) {
        let message = PeerMessage::Read {
            id: RequestId {
                epoch: 1,
                counter: 1,
            },
            key: Key::from("k"),
            digest: false,
            stand_in: false,
        };
        let replica = cluster.replicas.get_mut(&A).expect("a node");
        let outputs: Vec<Output> = replica.step(cluster.now, Input::Peer { from, message });
        assert_eq!(outputs, []);
    }
    assert_eq!(cluster.replicas[&A].status().counters.unheard, 4);
}
