//! What three nodes do for their clients, through kills and restarts.

use std::collections::BTreeMap;
use std::future::pending;

use futures_util::StreamExt;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::codec::Framed;

use crate::config::{Health, NodeId, Seat, StoreConfig, SyncPolicy};
use crate::shell::serve;
use crate::wire::{self, ClientFrame, Quorum, Ready, Request, Response, ServerFrame};

use super::{A, B, C, Client, PATIENCE, Trio, connect, get, inspect, put, store, value, written};

#[tokio::test]
async fn three_nodes_hold_what_one_was_given() {
    let mut trio = Trio::start(store(SyncPolicy::EachWrite)).await;
    let evidence = written(trio.call(A, put("1", 3)).await);
    assert_eq!((evidence.coordinator, evidence.epoch), (1, 1));
    assert_eq!(evidence.acked_by.len(), 3);
    for node in [A, B, C] {
        let (read, read_evidence) = value(trio.call(node, get()).await);
        assert_eq!(read.as_deref(), Some("1"));
        assert_eq!(read_evidence.version, evidence.version);
        assert_eq!(
            value(trio.call(node, inspect()).await).0.as_deref(),
            Some("1")
        );
    }
    let key = "k".to_owned();
    written(trio.call(B, Request::delete(key, Quorum::count(3))).await);
    assert_eq!(value(trio.call(C, get()).await).0, None);
    for node in [A, B, C] {
        trio.stop(node).await;
    }
}

#[tokio::test]
async fn a_dead_peer_is_noticed_and_a_restarted_one_is_found_again() {
    let mut trio = Trio::start(store(SyncPolicy::EachWrite)).await;
    written(trio.call(A, put("1", 3)).await);
    trio.kill(C).await;
    trio.wait_until(A, |status| status.connected == [B]).await;
    let refused = trio.call(A, put("2", 3)).await;
    let why = "2 of 3 replicas reachable, W = 3".to_owned();
    assert_eq!(refused, Response::Refused { why });
    written(trio.call(A, put("3", 2)).await);
    trio.start_node(C).await;
    assert_eq!(trio.nodes[&C].ready.epoch, 2);
    for node in [A, B, C] {
        trio.wait_until(node, |status| status.connected.len() == 2)
            .await;
    }
    assert_eq!(value(trio.call(C, inspect()).await).0.as_deref(), Some("1"));
    assert_eq!(value(trio.call(C, get()).await).0.as_deref(), Some("3"));
}

#[tokio::test]
async fn kill_9_loses_what_was_acknowledged_before_its_sync_and_a_clean_stop_nothing() {
    let never = SyncPolicy::EveryMs(3_600_000);
    for (sync, left) in [(SyncPolicy::EachWrite, Some("1")), (never, None)] {
        let mut trio = Trio::start(store(sync)).await;
        written(trio.call(A, put("1", 3)).await);
        trio.kill(B).await;
        trio.start_node(B).await;
        assert_eq!(value(trio.call(B, inspect()).await).0.as_deref(), left);
        trio.stop(A).await;
        trio.start_node(A).await;
        assert_eq!(value(trio.call(A, inspect()).await).0.as_deref(), Some("1"));
    }
}

#[tokio::test]
async fn a_clock_offset_moves_stamps() {
    const HOUR_NS: i64 = 3_600_000_000_000;
    let trio = Trio::start(store(SyncPolicy::EachWrite)).await;
    let offset_ns = HOUR_NS;
    let before = written(trio.call(A, put("1", 3)).await).version.unwrap();
    assert_eq!(
        trio.call(A, Request::SetClockOffset { offset_ns }).await,
        Response::Done
    );
    trio.wait_until(A, |status| status.clock_offset_ns == offset_ns)
        .await;
    let after = written(trio.call(A, put("2", 3)).await).version.unwrap();
    assert!(after.wall_ns - before.wall_ns >= HOUR_NS);
}

#[tokio::test]
async fn control_requests_need_test_hooks() {
    let dir = TempDir::new().unwrap();
    let seat = Seat {
        id: A,
        data_dir: dir.path().to_owned(),
        peers: BTreeMap::new(),
        clock_offset_ns: 0,
        test_hooks: false,
        health: Health::default(),
        store: StoreConfig {
            nodes: 1,
            n: 1,
            r: 1,
            w: 1,
            ..store(SyncPolicy::EachWrite)
        },
    };
    let (tell, told) = oneshot::channel();
    tokio::spawn(serve(seat, pending(), |ready| {
        tell.send(ready.client_port)
            .map_err(|_| std::io::ErrorKind::Other.into())
    }));
    let stream = connect(told.await.unwrap()).await;
    let mut client = Client(Framed::new(stream, wire::codec()));
    for request in [Request::Status, Request::SetClockOffset { offset_ns: 1 }] {
        assert!(matches!(
            client.call(request).await,
            Response::Refused { .. }
        ));
    }
    written(client.call(put("1", 1)).await);
}

#[tokio::test]
async fn garbage_ends_its_own_connection_only() {
    let trio = Trio::start(store(SyncPolicy::EachWrite)).await;
    let Ready {
        client_port,
        peer_port,
        ..
    } = trio.nodes[&A].ready;
    let too_long = u32::MAX.to_be_bytes().to_vec();
    let no_request = [&4_u32.to_be_bytes()[..], &[255; 4]].concat();
    for port in [client_port, peer_port] {
        for garbage in [&too_long, &no_request] {
            let mut stream = connect(port).await;
            stream.write_all(garbage).await.unwrap();
            let mut rest = Vec::new();
            // A reset is as good an end as an orderly one.
            let _ = timeout(PATIENCE, stream.read_to_end(&mut rest))
                .await
                .expect("an end");
            assert!(rest.is_empty());
        }
    }
    written(trio.call(A, put("1", 3)).await);
}

#[tokio::test]
async fn many_requests_of_one_client_are_answered_each_under_its_own_tag() {
    const REQUESTS: u64 = 500;
    let trio = Trio::start(store(SyncPolicy::EachWrite)).await;
    let mut client = trio.client(A).await;
    let mut buffer = Vec::new();
    for tag in 0..REQUESTS {
        let request = if tag % 2 == 0 {
            put(&tag.to_string(), 2)
        } else {
            get()
        };
        wire::append_frame(&ClientFrame { tag, request }, &mut buffer).unwrap();
    }
    client.0.get_mut().write_all(&buffer).await.unwrap();
    let mut tags = Vec::new();
    for _ in 0..REQUESTS {
        let reply = timeout(PATIENCE, client.0.next()).await.unwrap();
        let ServerFrame { tag, response } = wire::decode(&reply.unwrap().unwrap()).unwrap();
        match response {
            Response::Written { .. } => assert_eq!(tag % 2, 0),
            Response::Value { .. } => assert_eq!(tag % 2, 1),
            other => panic!("{other:?}"),
        }
        tags.push(tag);
    }
    tags.sort_unstable();
    assert!(tags.into_iter().eq(0..REQUESTS));
}

#[tokio::test]
async fn a_seat_that_does_not_fit_is_refused() {
    let dir = TempDir::new().unwrap();
    let seat = Seat {
        id: NodeId(4),
        data_dir: dir.path().to_owned(),
        peers: BTreeMap::new(),
        clock_offset_ns: 0,
        test_hooks: false,
        health: Health::default(),
        store: store(SyncPolicy::EachWrite),
    };
    let refused = serve(seat, pending(), |_| Ok(())).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("n4 is not in a cluster of 3 nodes"),
        "{refused}"
    );
}
