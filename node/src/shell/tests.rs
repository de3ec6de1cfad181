//! Three whole nodes on one runtime, over real sockets and real disks, their links through relays as under a harness.

use std::collections::BTreeMap;
use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use crate::config::{NodeId, Options, ReadFanout, ReadRepair, Seat, StoreConfig, SyncPolicy};
use crate::wire::{
    self, ClientFrame, Evidence, Quorum, Ready, Request, Response, ServerFrame, Status,
};

use super::{NodeError, serve};

/// No step of a test may take longer.
const PATIENCE: Duration = Duration::from_secs(20);

fn store(sync: SyncPolicy) -> StoreConfig {
    StoreConfig {
        nodes: 3,
        tokens_per_node: 8,
        n: 3,
        r: 2,
        w: 2,
        read_fanout: ReadFanout::Quorum,
        read_repair: ReadRepair::Blocking,
        sync,
        request_timeout_ms: 5_000,
        sabotage: Vec::new(),
        options: Options::default(),
    }
}

/// Where a node's peer port is; none while it is down.
type Target = watch::Sender<Option<u16>>;

struct Trio {
    dir: TempDir,
    store: StoreConfig,
    targets: BTreeMap<NodeId, Target>,
    links: BTreeMap<(NodeId, NodeId), SocketAddr>,
    nodes: BTreeMap<NodeId, Running>,
}

struct Running {
    ready: Ready,
    stop: oneshot::Sender<()>,
    handle: JoinHandle<Result<(), NodeError>>,
}

impl Trio {
    async fn start(store: StoreConfig) -> Trio {
        let ids = (1..=3).map(NodeId);
        let targets: BTreeMap<_, _> = ids.clone().map(|id| (id, Target::new(None))).collect();
        let mut links = BTreeMap::new();
        for from in ids.clone() {
            for (to, target) in targets.iter().filter(|(to, _)| **to != from) {
                links.insert((from, *to), relay(target.subscribe()).await);
            }
        }
        let dir = TempDir::new().unwrap();
        let nodes = BTreeMap::new();
        let mut trio = Trio {
            dir,
            store,
            targets,
            links,
            nodes,
        };
        for id in ids.clone() {
            trio.start_node(id).await;
        }
        for id in ids {
            trio.wait_until(id, |status| status.connected.len() == 2)
                .await;
        }
        trio
    }

    async fn start_node(&mut self, id: NodeId) {
        let peers = self.links.iter().filter(|((from, _), _)| *from == id);
        let seat = Seat {
            id,
            data_dir: self.dir.path().join(id.to_string()),
            peers: peers.map(|((_, to), address)| (*to, *address)).collect(),
            clock_offset_ns: 0,
            test_hooks: true,
            store: self.store.clone(),
        };
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = oneshot::channel();
        let shutdown = async move {
            if stopped.await.is_err() {
                pending::<()>().await;
            }
        };
        let handle = tokio::spawn(serve(seat, shutdown, |ready| {
            tell.send(ready.clone()).expect("the test waits");
            Ok(())
        }));
        let ready = timeout(PATIENCE, told).await.unwrap().unwrap();
        self.targets[&id].send_replace(Some(ready.peer_port));
        self.nodes.insert(
            id,
            Running {
                ready,
                stop,
                handle,
            },
        );
    }

    /// As `kill -9`: what was only in memory is gone.
    async fn kill(&mut self, id: NodeId) {
        let Running {
            handle,
            stop: _stop,
            ..
        } = self.nodes.remove(&id).unwrap();
        self.targets[&id].send_replace(None);
        handle.abort();
        assert!(
            timeout(PATIENCE, handle)
                .await
                .unwrap()
                .unwrap_err()
                .is_cancelled()
        );
    }

    async fn stop(&mut self, id: NodeId) {
        let Running { handle, stop, .. } = self.nodes.remove(&id).unwrap();
        self.targets[&id].send_replace(None);
        stop.send(()).unwrap();
        timeout(PATIENCE, handle).await.unwrap().unwrap().unwrap();
    }

    async fn client(&self, id: NodeId) -> Client {
        let port = self.nodes[&id].ready.client_port;
        Client(Framed::new(connect(port).await, wire::codec()))
    }

    async fn call(&self, id: NodeId, request: Request) -> Response {
        self.client(id).await.call(request).await
    }

    async fn wait_until(&self, id: NodeId, condition: impl Fn(&Status) -> bool) {
        let mut client = self.client(id).await;
        let waiting = async {
            loop {
                match client.call(Request::Status).await {
                    Response::Status(status) if condition(&status) => return,
                    _ => sleep(Duration::from_millis(2)).await,
                }
            }
        };
        timeout(PATIENCE, waiting)
            .await
            .expect("the condition holds in time");
    }
}

struct Client(Framed<TcpStream, LengthDelimitedCodec>);

impl Client {
    async fn call(&mut self, request: Request) -> Response {
        let frame = ClientFrame { tag: 7, request };
        let body = wire::encode(&frame).unwrap();
        self.0.send(body.as_slice()).await.unwrap();
        let reply = timeout(PATIENCE, self.0.next()).await.unwrap();
        let frame: ServerFrame = wire::decode(&reply.unwrap().unwrap()).unwrap();
        assert_eq!(frame.tag, 7);
        frame.response
    }
}

async fn connect(port: u16) -> TcpStream {
    TcpStream::connect(("127.0.0.1", port)).await.unwrap()
}

/// A relay to wherever the target is now; while it is nowhere, whoever dials is hung up on.
async fn relay(target: watch::Receiver<Option<u16>>) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let port = *target.borrow();
            if let Some(port) = port
                && let Ok(mut far) = TcpStream::connect(("127.0.0.1", port)).await
            {
                tokio::spawn(async move { copy_bidirectional(&mut near, &mut far).await });
            }
        }
    });
    address
}

fn get() -> Request {
    let key = "k".to_owned();
    Request::get(key, Quorum::default())
}

fn put(value: &str, w: u16) -> Request {
    Request::put("k".to_owned(), value.as_bytes().to_vec(), Quorum::count(w))
}

fn inspect() -> Request {
    let key = "k".to_owned();
    Request::Inspect { key }
}

fn written(response: Response) -> Evidence {
    match response {
        Response::Written { evidence } => evidence,
        other => panic!("expected success, not {other:?}"),
    }
}

fn value(response: Response) -> (Option<String>, Evidence) {
    match response {
        Response::Value {
            mut values,
            evidence,
            ..
        } => (
            values.pop().map(|bytes| String::from_utf8(bytes).unwrap()),
            evidence,
        ),
        other => panic!("expected a value, not {other:?}"),
    }
}

const A: NodeId = NodeId(1);
const B: NodeId = NodeId(2);
const C: NodeId = NodeId(3);

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
