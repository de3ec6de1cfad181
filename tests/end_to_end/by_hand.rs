//! A cluster that a person has: started, poked, one node killed by hand, ended; and a node whose disk is full.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value as Json, json};

use crate::bench::{Bench, Ended};
use crate::running::{Running, nobody_left, until};

/// The nodes of the cluster in `runs/here`, by what it says of itself.
fn nodes(bench: &Bench) -> Option<Vec<Json>> {
    let json = fs::read(bench.path("runs/here/cluster.json")).ok()?;
    let file: Json = serde_json::from_slice(&json).ok()?;
    file["nodes"].as_array().cloned()
}

fn kv(bench: &Bench, args: &[&str]) -> Ended {
    let mut all = vec!["kv", "--cluster", "runs/here"];
    all.extend(args);
    bench.run(&all)
}

fn answer(ended: &Ended) -> Json {
    let json: Json = serde_json::from_str(&ended.stdout).expect("JSON");
    json[0]["answer"].clone()
}

/// Four nodes with siblings, stand-ins and hints.
fn start(bench: &Bench) -> Running<'_> {
    let flags =
        "--max-hints 0 --nodes 4 --versions dvv --sloppy --hints fallback --hint-interval 20ms";
    let mut args = vec!["cluster", "--dir", "runs/here"];
    args.extend(flags.split(' '));
    let cluster = Running::start(bench, &args);
    until("the cluster", || {
        nodes(bench).filter(|nodes| nodes.len() == 4)
    });
    cluster
}

#[test]
fn a_cluster_is_read_and_written_by_hand_and_leaves_nobody_behind() {
    let bench = Bench::new();
    let cluster = start(&bench);
    bench
        .run(&["cluster", "--dir", "runs/here"])
        .refused("runs in");
    kv(&bench, &["put", "k", "one", "--level", "all"])
        .with_code(0)
        .telling("acked by");
    kv(&bench, &["put", "k", "two"]).with_code(0);
    let read =
        answer(&kv(&bench, &["get", "k", "--level", "all", "--format", "json"]).with_code(0));
    assert_eq!(read["value"]["values"], json!(["one", "two"]));
    let context = read["value"]["context"].as_str().expect("a context");
    kv(&bench, &["put", "k", "three", "--context", context]).with_code(0);
    kv(&bench, &["get", "k", "--level", "all"])
        .with_code(0)
        .telling("three\n")
        .telling("answered by");
    kv(&bench, &["inspect", "k"])
        .with_code(0)
        .telling("is no replica of this key");
    kv(&bench, &["health"])
        .with_code(0)
        .telling("all 3 peers answer");
    kv(&bench, &["metrics"])
        .with_code(0)
        .telling("quorate_reads_answered_total{node=\"n1\"} 2");

    cluster.signal(Signal::SIGINT);
    cluster.end().with_code(0);
    nobody_left(&bench);
    kv(&bench, &["get", "k"])
        .with_code(4)
        .complaining("no cluster runs in");
}

#[test]
fn what_happens_when_a_node_dies_can_be_looked_at() {
    let bench = Bench::new();
    let cluster = start(&bench);
    // The first replica of the key that is not the node that is asked dies.
    let ring = answer(&kv(&bench, &["ring", "k", "--format", "json"]).with_code(0));
    let replicas = ring["ring"]["replicas"].as_array().expect("replicas");
    let dead = replicas
        .iter()
        .find(|node| **node != json!(1))
        .expect("one");
    let up = nodes(&bench).expect("nodes");
    let process = up.iter().find(|ready| ready["node"] == *dead);
    let pid = process.expect("a node")["pid"].as_i64().expect("a pid");
    kill(
        Pid::from_raw(pid.try_into().expect("a pid")),
        Signal::SIGKILL,
    )
    .expect("a signal");
    cluster.until_said("has ended");
    until("a cluster of three", || {
        nodes(&bench).filter(|nodes| nodes.len() == 3)
    });
    let ill = format!("n{dead} is not connected");
    until("a node that has noticed", || {
        let health = kv(&bench, &["--node", "n1", "health"]);
        (health.code == Some(1) && health.stdout.contains(&ill)).then_some(())
    });
    kv(&bench, &["--node", &format!("n{dead}"), "get", "k"])
        .with_code(4)
        .complaining("is not up in this cluster");
    kv(
        &bench,
        &["put", "k", "four", "--level", "all", "--sloppy", "false"],
    )
    .with_code(4)
    .telling("refused: ");
    kv(&bench, &["put", "k", "four", "--level", "all"])
        .with_code(0)
        .telling("stood in");
    kv(&bench, &["hints"])
        .with_code(0)
        .telling(&format!("1 hint for n{dead}"));
    kv(&bench, &["health"])
        .with_code(1)
        .telling("1 hints in keeping");

    cluster.signal(Signal::SIGINT);
    cluster.end().with_code(0);
    nobody_left(&bench);
}

#[test]
fn where_no_cluster_runs_the_remedy_is_told() {
    let bench = Bench::new();
    bench
        .run(&["kv", "get", "k"])
        .with_code(4)
        .complaining("start one with `quorate cluster`");
    bench
        .run(&["kv", "--node", "127.0.0.1:1", "get", "k"])
        .with_code(4)
        .complaining("cannot connect to 127.0.0.1:1");
    bench
        .run(&["kv", "put", "k", "v", "--context", "no"])
        .refused("as `kv get` prints them");
    bench
        .run(&["kv", "--node", "somewhere", "get", "k"])
        .refused("name a node, such as n2");
    bench
        .run(&["cluster", "--max-silence", "soon"])
        .refused("max-silence");
    bench
        .run(&["kv", "get", "k", "--level", "most"])
        .refused("quorum");
}

/// The kernel refuses the log more than it has: the node says what failed, and ends.
#[test]
fn a_node_whose_disk_is_full_says_so_and_ends() {
    let bench = Bench::new();
    let seat = json!({
        "id": 1,
        "data_dir": bench.path("data"),
        "peers": {},
        "store": {
            "nodes": 1, "tokens_per_node": 1, "n": 1, "r": 1, "w": 1, "read_fanout": "quorum", "read_repair": "none",
            "sync": "each-write", "request_timeout_ms": 1000,
        },
    });
    bench.write("seat.json", seat.to_string());
    // No file of the node may grow beyond 64 blocks; with the signal ignored, a write beyond fails as on a full disk.
    let quorate = env!("CARGO_BIN_EXE_quorate");
    let script = format!("trap '' XFSZ; ulimit -f 64; exec {quorate} node --config seat.json");
    let mut node = Command::new("sh")
        .args(["-c", &script])
        .current_dir(bench.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut line = String::new();
    let mut byte = [0];
    let mut stdout = node.stdout.take().expect("a pipe");
    while !line.ends_with('\n') {
        stdout.read_exact(&mut byte).expect("a ready line");
        line.push(char::from(byte[0]));
    }
    let ready: Json = serde_json::from_str(&line).expect("JSON");
    let address = format!("127.0.0.1:{}", ready["client_port"]);
    let value = "v".repeat(10_000);
    let mut written = 0;
    let deadline = Instant::now() + Duration::from_secs(30);
    let status = loop {
        if let Some(status) = node.try_wait().expect("a child") {
            break status;
        }
        assert!(
            Instant::now() < deadline,
            "it goes on after {written} writes"
        );
        let ended = bench.run(&["kv", "--node", &address, "put", "k", &value]);
        match ended.code {
            Some(0) => written += 1,
            // Not answered, or not there any more: it ends, or has.
            _ => sleep(Duration::from_millis(5)),
        }
    };
    let mut said = String::new();
    let mut stderr = node.stderr.take().expect("a pipe");
    stderr.read_to_string(&mut said).expect("text");
    assert_eq!(status.code(), Some(70), "{said}");
    assert!(
        said.contains("quorate: the log failed: cannot write"),
        "{said}"
    );
    // Something was acknowledged before: the limit is what ended it.
    assert!(written > 0, "{said}");
}
