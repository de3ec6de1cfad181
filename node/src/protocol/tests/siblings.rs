//! Version vectors: concurrent writes stay beside each other, contexts replace what they name, and a dot is never given twice.

use crate::config::{NodeId, Sabotage, StoreConfig, SyncPolicy, Versions};
use crate::wire::{Context, Quorum, Request, Response};

use super::cluster::{A, B, C, Cluster, TIMEOUT_NS, config, sabotaged, written};

fn dvv(n: u16, r: u16, w: u16) -> StoreConfig {
    let mut config = config(n, r, w);
    config.options.versions = Versions::Dvv { siblings: true };
    config
}

fn put(value: &str, context: Option<&Context>) -> Request {
    Request::Put {
        key: "k".to_owned(),
        value: value.as_bytes().to_vec(),
        quorum: Quorum::default(),
        context: context.cloned(),
        stamp_ns: None,
    }
}

/// What a read returns: all siblings, and the context.
fn read(cluster: &mut Cluster, node: NodeId) -> (Vec<String>, Context) {
    let response = cluster.call(node, Request::get("k", Quorum::default()));
    let Response::Value {
        values, context, ..
    } = response
    else {
        panic!("expected values, not {response:?}");
    };
    let text = |bytes| String::from_utf8(bytes).expect("a test's value");
    (values.into_iter().map(text).collect(), context)
}

/// 004-08 and 004-10: two clients write at the same time; a read returns both, with a context that the next write replaces them by.
#[test]
fn concurrent_writes_are_siblings_until_a_write_that_read_them() {
    let mut cluster = Cluster::new(dvv(3, 2, 2));
    let writes = [(A, "a"), (C, "c")].map(|(node, value)| cluster.ask(node, put(value, None)));
    cluster.settle();
    for write in writes {
        written(cluster.reply(write).expect("an answer").clone());
    }
    let (values, context) = read(&mut cluster, B);
    assert_eq!(values, ["a", "c"]);
    written(cluster.call(B, put("both", Some(&context))));
    cluster.settle();
    for node in [A, B, C] {
        assert_eq!(read(&mut cluster, node).0, ["both"]);
    }
}

/// 004-22 with version vectors: of two writes nobody's is lost, whatever the stamps say.
#[test]
fn a_skewed_clock_loses_nothing() {
    let mut cluster = Cluster::new(dvv(3, 3, 3));
    cluster.clock_offsets_ns.insert(B, -1_000_000_000);
    written(cluster.call(A, put("1", None)));
    let (_, context) = read(&mut cluster, A);
    written(cluster.call(B, put("2", Some(&context))));
    assert_eq!(read(&mut cluster, C).0, ["2"]);
}

#[test]
fn a_blind_put_adds_a_sibling_and_a_delete_takes_what_it_has_read() {
    let mut cluster = Cluster::new(dvv(3, 3, 3));
    for value in ["1", "2", "3"] {
        written(cluster.call(A, put(value, None)));
    }
    let (values, context) = read(&mut cluster, B);
    assert_eq!(values, ["1", "2", "3"]);
    written(cluster.call(C, put("4", None)));
    let delete = Request::Delete {
        key: "k".to_owned(),
        quorum: Quorum::default(),
        context: Some(context),
        stamp_ns: None,
    };
    written(cluster.call(A, delete));
    assert_eq!(read(&mut cluster, B).0, ["4"]);
}

/// Any node coordinates; a replica gives the dot.
#[test]
fn a_node_that_is_no_replica_asks_one_for_the_dot() {
    let config = StoreConfig {
        nodes: 5,
        ..dvv(3, 2, 2)
    };
    for node in (1..=5).map(NodeId) {
        let mut cluster = Cluster::new(config.clone());
        let evidence = written(cluster.call(node, put("1", None)));
        assert_eq!(evidence.coordinator, node.0);
        let (values, context) = read(&mut cluster, node);
        assert_eq!(values, ["1"]);
        written(cluster.call(node, put("2", Some(&context))));
        assert_eq!(read(&mut cluster, node).0, ["2"]);
    }
}

/// A store that keeps one: the larger stamp, and nobody is told of the other.
#[test]
fn the_newest_sibling_is_all_that_some_stores_give() {
    let mut config = dvv(3, 3, 3);
    config.options.versions = Versions::Dvv { siblings: false };
    let mut cluster = Cluster::new(config);
    for (node, value) in [(A, "1"), (C, "2")] {
        cluster.ask(node, put(value, None));
    }
    cluster.settle();
    assert_eq!(read(&mut cluster, B).0, ["2"]);
}

/// SEMANTICS 3.4: a node forgets the last dot it gave, and counts it again. Replicas take the new write for the old one.
#[test]
fn a_dot_is_never_given_twice() {
    let config = StoreConfig {
        sync: SyncPolicy::EachWrite,
        ..dvv(3, 3, 2)
    };
    for (config, kept) in [
        (config.clone(), true),
        (sabotaged(Sabotage::DotReuse, &config), false),
    ] {
        let mut cluster = Cluster::new(config);
        // A gives the dot and tells the others, and dies before its own disk has it.
        cluster.stalled.insert(A);
        written(cluster.call(A, put("1", None)));
        cluster.stalled.clear();
        cluster.restart(A);
        written(cluster.call(A, put("2", None)));
        cluster.settle();
        let (values, _) = read(&mut cluster, B);
        assert_eq!(values == ["1", "2"], kept, "{values:?}");
    }
}

/// A node that stands in hands over and forgets; what it writes later does not hide what it wrote before.
#[test]
fn a_stand_in_that_has_forgotten_hides_nothing() {
    let mut config = super::sloppy::sloppy(2, 2);
    config.options.versions = Versions::Dvv { siblings: true };
    let (replicas, others) = super::sloppy::nodes_of_k(&config);
    let mut cluster = Cluster::new(config);
    for value in ["1", "2"] {
        for replica in &replicas {
            cluster.cut_off(*replica);
        }
        written(cluster.call(others[0], put(value, None)));
        for replica in &replicas {
            cluster.reconnect(*replica);
        }
        cluster.wait(3 * TIMEOUT_NS);
        assert_eq!(cluster.hints(others[0]) + cluster.hints(others[1]), 0);
    }
    assert_eq!(read(&mut cluster, replicas[0]).0, ["1", "2"]);
}

#[test]
fn dropped_contexts_leave_what_was_replaced_beside_what_replaced_it() {
    let config = dvv(3, 3, 3);
    for (config, expected) in [
        (config.clone(), vec!["2"]),
        (sabotaged(Sabotage::DropContext, &config), vec!["1", "2"]),
    ] {
        let mut cluster = Cluster::new(config);
        written(cluster.call(A, put("1", None)));
        let (_, context) = read(&mut cluster, B);
        written(cluster.call(A, put("2", Some(&context))));
        assert_eq!(read(&mut cluster, C).0, expected);
    }
}

#[test]
fn the_newest_sibling_alone_is_kept_only_where_that_is_the_defect() {
    let config = dvv(3, 3, 3);
    for (config, expected) in [
        (config.clone(), vec!["1", "2"]),
        (sabotaged(Sabotage::NewestSibling, &config), vec!["2"]),
    ] {
        let mut cluster = Cluster::new(config);
        written(cluster.call(A, put("1", None)));
        written(cluster.call(A, put("2", None)));
        assert_eq!(read(&mut cluster, C).0, expected);
    }
}
