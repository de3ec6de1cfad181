//! Our own servers: one node by itself, or five in a live world.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use quorate::world::live::{LaunchOptions, LiveWorld};
use quorate_node::config::{
    Health, NodeId, Options, ReadFanout, ReadRepair, Seat, StoreConfig, SyncPolicy,
};
use quorate_node::wire::{
    ClientFrame, Context, Evidence, Quorum, Ready, Request, Response, ServerFrame, append_frame,
    decode,
};

use super::load::{Dialect, Target};

/// The place of `Value` and `Written` among the kinds of response.
const SUCCESSES: [u8; 2] = [0, 1];

/// Frames of postcard, as in `quorate_node::wire`.
pub(super) struct Frames;

impl Frames {
    fn encode(request: Request) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Of one byte, so that the kind of a response is found without reading all of it.
        let frame = ClientFrame { tag: 1, request };
        append_frame(&frame, &mut bytes).expect("a request that fits a frame");
        bytes
    }
}

impl Dialect for Frames {
    fn get(&self, key: &str) -> Vec<u8> {
        Frames::encode(Request::get(key, Quorum::default()))
    }

    fn set(&self, key: &str, value: &[u8]) -> Vec<u8> {
        Frames::encode(Request::put(key, value, Quorum::default()))
    }

    fn reply(&self, bytes: &[u8]) -> Option<usize> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let body = rest.get(..length)?;
        assert!(
            SUCCESSES.contains(&body[1]),
            "quorate: {:?}",
            decode::<ServerFrame>(body)
        );
        Some(4 + length)
    }
}

/// Whether the bytes of a reply mean what [`Frames::reply`] takes them for.
pub(super) fn check_kinds() {
    let kinds = [
        Response::Value {
            values: Vec::new(),
            context: Context::default(),
            evidence: Evidence::default(),
        },
        Response::Written {
            evidence: Evidence::default(),
        },
    ];
    for (kind, response) in SUCCESSES.into_iter().zip(kinds) {
        let mut bytes = Vec::new();
        append_frame(&ServerFrame { tag: 1, response }, &mut bytes).expect("a frame");
        assert_eq!(bytes[4..6], [1, kind]);
    }
}

/// The settings of a cluster that are the same for one node and for five.
pub(super) fn store(nodes: u16, n: u16, quorum: u16, sync: SyncPolicy) -> StoreConfig {
    StoreConfig {
        nodes,
        tokens_per_node: 16,
        n,
        r: quorum,
        w: quorum,
        read_fanout: ReadFanout::Quorum,
        read_repair: ReadRepair::None,
        sync,
        request_timeout_ms: 30_000,
        sabotage: Vec::new(),
        options: Options::default(),
    }
}

/// A running node by itself; it is killed when this is dropped.
pub(super) struct Node {
    process: Child,
    address: SocketAddr,
    /// From its start until it was ready, s.
    pub(super) ready_s: f64,
}

impl Node {
    /// Starts it on this directory, and waits until it is ready.
    pub(super) fn start(dir: &Path) -> Node {
        fs::create_dir_all(dir).expect("a directory");
        let seat = Seat {
            id: NodeId(1),
            data_dir: dir.join("data"),
            peers: BTreeMap::new(),
            clock_offset_ns: 0,
            test_hooks: false,
            health: Health::default(),
            store: store(1, 1, 1, SyncPolicy::EveryMs(1_000)),
        };
        let path = dir.join("seat.json");
        let json = serde_json::to_vec(&seat).expect("a seat");
        fs::write(&path, json).expect("a file");
        let began = Instant::now();
        let mut process = Command::new(env!("CARGO_BIN_EXE_quorate"))
            .args(["node", "--config"])
            .arg(path)
            .env("RUST_LOG", "warn")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a node");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("its output");
        let read = BufReader::new(stdout).read_line(&mut line);
        read.expect("its first line");
        let ready_s = began.elapsed().as_secs_f64();
        Node {
            process,
            address: address(&line),
            ready_s,
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(super) fn target(&self) -> Target<'static> {
        Target {
            dialect: &Frames,
            addresses: vec![self.address],
            pids: vec![self.pid()],
        }
    }

    /// Has it end with everything synced: its standard input ends.
    pub(super) fn stop(mut self) {
        drop(self.process.stdin.take());
        self.process.wait().expect("an end");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where clients find the node that printed this line when it was ready.
fn address(line: &str) -> SocketAddr {
    let ready: Ready = serde_json::from_str(line).expect("a ready line");
    (Ipv4Addr::LOCALHOST, ready.client_port).into()
}

/// Five nodes, N = 3, R = W = 2, their links through the proxies of a live world.
pub(super) struct Five {
    world: LiveWorld,
    target: Target<'static>,
}

impl Five {
    pub(super) async fn start(dir: &Path) -> Five {
        let options = LaunchOptions {
            program: env!("CARGO_BIN_EXE_quorate").into(),
            store: store(5, 3, 2, SyncPolicy::EveryMs(1_000)),
            run_dir: dir.to_owned(),
            seed: 1,
            health: Health::default(),
        };
        let world = LiveWorld::launch(options).await.expect("a cluster");
        world.ready().await.expect("connected nodes");
        let lines: Vec<String> = (1..=5)
            .map(|node| dir.join(format!("nodes/n{node}/stdout.0.log")))
            .map(|path| fs::read_to_string(path).expect("a ready line"))
            .collect();
        let ready = |line: &String| serde_json::from_str::<Ready>(line).expect("a ready line");
        let target = Target {
            dialect: &Frames,
            addresses: lines.iter().map(|line| address(line)).collect(),
            pids: lines.iter().map(|line| ready(line).pid).collect(),
        };
        Five { world, target }
    }

    pub(super) fn target(&self) -> &Target<'static> {
        &self.target
    }

    pub(super) async fn stop(self) {
        self.world.stop().await.expect("a clean stop");
    }
}
