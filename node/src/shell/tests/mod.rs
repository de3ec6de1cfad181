//! Three whole nodes on one runtime, over real sockets and real disks, their links through relays as under a harness.

use std::collections::BTreeMap;
use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use crate::config::{
    Health, NodeId, Options, ReadFanout, ReadRepair, Seat, StoreConfig, SyncPolicy,
};
use crate::wire::{
    self, ClientFrame, Evidence, Quorum, Ready, Request, Response, ServerFrame, Status,
};

use super::{NodeError, serve};

mod limits;
mod monitor;
mod store;

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
    health: Health,
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
        Trio::start_with(store, Health::default()).await
    }

    async fn start_with(store: StoreConfig, health: Health) -> Trio {
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
            health,
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
            health: self.health,
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
