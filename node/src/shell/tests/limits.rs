//! What comes over a socket and is none of what it should be, or too much of it: its own connection ends, and the node goes on.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::{Limits, NodeId, StoreConfig, SyncPolicy};
use crate::shell::link::Hello;
use crate::wire::{self, Quorum, Ready, Request, Response};

use super::{A, B, PATIENCE, Trio, connect, get, put, store, value, written};

fn limited(limits: Limits) -> StoreConfig {
    let mut config = store(SyncPolicy::EachWrite);
    config.options.limits = limits;
    config
}

/// Waits until the other side has ended a connection, and returns what it said before.
async fn end_of(stream: &mut TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    // A reset is as good an end as an orderly one.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut said))
        .await
        .expect("an end");
    said
}

fn frame(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("a short body");
    [&length.to_be_bytes()[..], body].concat()
}

/// Whatever bytes come, as a stream or as the body of a frame, to whichever port: their sender is let go when it stops, and nothing else
/// happens.
#[tokio::test]
async fn no_bytes_at_any_port_harm_a_node() {
    let trio = Trio::start(store(SyncPolicy::EachWrite)).await;
    let Ready {
        client_port,
        peer_port,
        metrics_port,
        ..
    } = trio.nodes[&A].ready;
    let mut runner = TestRunner::deterministic();
    let bytes = proptest::collection::vec(proptest::num::u8::ANY, 0..120);
    for _ in 0..20 {
        let bytes = bytes.new_tree(&mut runner).expect("bytes").current();
        for port in [client_port, peer_port, metrics_port] {
            for sent in [bytes.clone(), frame(&bytes)] {
                let mut stream = connect(port).await;
                // The node may have ended it already.
                let _ = stream.write_all(&sent).await;
                let _ = stream.shutdown().await;
                end_of(&mut stream).await;
            }
        }
    }
    written(trio.call(A, put("1", 3)).await);
    assert_eq!(value(trio.call(B, get()).await).0.as_deref(), Some("1"));
}

/// A greeting that is none, is for somebody else, or is from nobody of the cluster gets no answer.
#[tokio::test]
async fn strangers_are_not_greeted() {
    let trio = Trio::start(store(SyncPolicy::EachWrite)).await;
    let port = trio.nodes[&A].ready.peer_port;
    for (from, to) in [(0, 1), (1, 1), (4, 1), (2, 3), (u16::MAX, u16::MAX)] {
        let hello = Hello {
            from: NodeId(from),
            to: NodeId(to),
            epoch: u64::MAX,
        };
        let mut stream = connect(port).await;
        stream
            .write_all(&frame(&wire::encode(&hello).unwrap()))
            .await
            .unwrap();
        assert_eq!(end_of(&mut stream).await, b"");
    }
    let hello = Hello {
        from: B,
        to: A,
        epoch: 1,
    };
    let mut stream = connect(port).await;
    stream
        .write_all(&frame(&wire::encode(&hello).unwrap()))
        .await
        .unwrap();
    let mut length = [0; 4];
    timeout(PATIENCE, stream.read_exact(&mut length))
        .await
        .unwrap()
        .expect("a peer is greeted");
}

#[tokio::test]
async fn who_says_nothing_is_let_go() {
    let trio = Trio::start(limited(Limits {
        greeting_ms: 300,
        client_idle_ms: 300,
        ..Limits::default()
    }))
    .await;
    let Ready {
        client_port,
        peer_port,
        ..
    } = trio.nodes[&A].ready;
    for port in [client_port, peer_port] {
        assert_eq!(end_of(&mut connect(port).await).await, b"");
        // Half a frame is no better.
        let mut stream = connect(port).await;
        stream.write_all(&[0, 0, 0, 9, 1]).await.unwrap();
        assert_eq!(end_of(&mut stream).await, b"");
    }
    written(trio.call(A, put("1", 3)).await);
}

#[tokio::test]
async fn clients_beyond_the_limit_are_let_go_and_there_is_room_after_one_left() {
    let trio = Trio::start(limited(Limits {
        clients_max: 2,
        ..Limits::default()
    }))
    .await;
    let port = trio.nodes[&A].ready.client_port;
    let mut first = trio.client(A).await;
    written(first.call(put("1", 3)).await);
    let mut second = trio.client(A).await;
    written(second.call(put("2", 3)).await);
    assert_eq!(end_of(&mut connect(port).await).await, b"");
    drop(first);
    second
        .wait_until_not(|response| {
            matches!(response, Response::Metrics { text } if text.contains("quorate_clients_connected{node=\"n1\"} 2"))
        })
        .await;
    let mut third = trio.client(A).await;
    assert_eq!(value(third.call(get()).await).0.as_deref(), Some("2"));
}

impl super::Client {
    /// Asks for the metrics until they are not like this any more.
    async fn wait_until_not(&mut self, like: impl Fn(&Response) -> bool) {
        let waiting = async {
            while like(&self.call(Request::Metrics).await) {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, waiting).await.expect("in time");
    }
}

/// Records that are not synced pile up only so far: then writes are refused, reads go on.
#[tokio::test]
async fn writes_are_refused_while_too_many_records_wait_for_their_sync() {
    let mut config = limited(Limits {
        unsynced_max: 2,
        ..Limits::default()
    });
    config.sync = SyncPolicy::EveryMs(3_600_000);
    let trio = Trio::start(config).await;
    for text in ["1", "2"] {
        written(trio.call(A, put(text, 3)).await);
    }
    match trio.call(A, put("3", 1)).await {
        Response::Refused { why } => {
            assert_eq!(
                why,
                "overloaded: 2 records wait for their sync, try again later"
            );
        }
        other => panic!("{other:?}"),
    }
    let refused = trio.call(A, Request::delete("k", Quorum::default())).await;
    assert!(matches!(refused, Response::Refused { .. }));
    assert_eq!(value(trio.call(A, get()).await).0.as_deref(), Some("2"));
}
