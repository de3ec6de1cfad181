//! A cluster of real processes: stand-ins where only their lives matter, nodes where the store does.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use quorate::fault::{Cut, Effect, Fault, Link};
use quorate::world::live::{LaunchOptions, LiveClient, LiveWorld, NodeEnd, WorldError};
use quorate::world::{ClientOp, OpKind, Outcome};
use quorate_checkers::history::Value;
use quorate_node::config::{
    Health, Level, NodeId, Options, ReadFanout, ReadRepair, Seat, StampSource, Stamping,
    StoreConfig, SyncPolicy, Versions,
};
use quorate_node::wire::Ready;
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

/// No wait for something that must happen takes longer than this.
const LIMIT: Duration = Duration::from_secs(10);

/// How long an operation may take that the cluster cannot answer.
const SHORT: Duration = Duration::from_millis(300);

/// Pause between two looks at a condition.
const GLANCE: Duration = Duration::from_millis(5);

const QUORATE: &str = env!("CARGO_BIN_EXE_quorate");

struct Cluster {
    world: LiveWorld,
    dir: TempDir,
}

impl Cluster {
    /// Three processes that follow the ready-line protocol and serve nobody.
    async fn of_stand_ins() -> Cluster {
        let stand_in =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/live_world/fake_node.sh");
        Cluster::launch(stand_in).await
    }

    /// Three nodes, connected to each other.
    async fn of_nodes() -> Cluster {
        let cluster = Cluster::launch(PathBuf::from(QUORATE)).await;
        cluster.world.ready().await.unwrap();
        cluster
    }

    async fn launch(program: PathBuf) -> Cluster {
        Cluster::launch_with(program, store()).await
    }

    async fn launch_with(program: PathBuf, store: StoreConfig) -> Cluster {
        let dir = TempDir::new().unwrap();
        let options = LaunchOptions {
            program,
            store,
            run_dir: dir.path().to_owned(),
            seed: 1,
            health: Health::default(),
        };
        Cluster {
            world: LiveWorld::launch(options).await.unwrap(),
            dir,
        }
    }

    /// The process of the `incarnation`-th start of `node`, by what it said of itself.
    fn pid(&self, node: u16, incarnation: u32) -> Pid {
        let path = format!("nodes/n{node}/stdout.{incarnation}.log");
        let line = fs::read_to_string(self.dir.path().join(path)).unwrap();
        let ready: Ready = serde_json::from_str(line.lines().next().unwrap()).unwrap();
        Pid::from_raw(ready.pid.try_into().unwrap())
    }

    fn pids(&self) -> Vec<Pid> {
        (1..=3).map(|node| self.pid(node, 0)).collect()
    }
}

fn store() -> StoreConfig {
    StoreConfig {
        nodes: 3,
        tokens_per_node: 8,
        n: 3,
        r: 2,
        w: 2,
        read_fanout: ReadFanout::Quorum,
        read_repair: ReadRepair::None,
        sync: SyncPolicy::EachWrite,
        request_timeout_ms: 500,
        sabotage: Vec::new(),
        options: Options::default(),
    }
}

/// The state letter of a process, none if it is gone (reaped).
fn state(pid: Pid) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

fn kill_fault(node: u16) -> Fault {
    Fault::Kill { nodes: vec![node] }
}

fn pause_fault(node: u16) -> Fault {
    Fault::Pause { nodes: vec![node] }
}

async fn invoke(client: &mut LiveClient, node: u16, f: OpKind, level: u16) -> Outcome {
    let op = ClientOp::new(f, "k", Some(Level::Count(level)));
    client.invoke(node, &op, SHORT).await
}

/// Tries until it succeeds: on a busy machine a healthy cluster, too, may be late.
async fn expect_ok(client: &mut LiveClient, node: u16, f: OpKind) -> Value {
    let op = ClientOp::new(f, "k", None);
    let mut latest = None;
    let succeed = async {
        loop {
            match client.invoke(node, &op, LIMIT).await {
                Outcome::Ok { value, .. } => return value,
                other => latest = Some(other),
            }
            sleep(GLANCE).await;
        }
    };
    let value = timeout(LIMIT, succeed).await;
    value.unwrap_or_else(|_| panic!("{:?} at n{node}: {latest:?}", op.f))
}

fn has_not_succeeded(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::Ok { .. })
}

#[tokio::test]
async fn a_kill_is_seen_and_its_heal_starts_the_node_again() {
    let cluster = Cluster::of_stand_ins().await;
    let old = cluster.pid(2, 0);
    assert_eq!(
        cluster.world.inject(&kill_fault(2)).await,
        Effect::Installed
    );
    assert_eq!(state(old), None);
    let again = cluster.world.inject(&kill_fault(2)).await;
    assert_eq!(again, Effect::Skipped("n2 is down".to_owned()));
    let paused = cluster.world.inject(&pause_fault(2)).await;
    assert_eq!(paused, Effect::Skipped("n2 is down".to_owned()));
    let both = Fault::Kill { nodes: vec![1, 2] };
    assert_eq!(cluster.world.inject(&both).await, Effect::Installed);

    // Each heal restarts those that its own fault had killed.
    assert_eq!(cluster.world.heal(&both).await, Effect::Installed);
    assert!(state(cluster.pid(1, 1)).is_some());
    assert!(!cluster.dir.path().join("nodes/n2/stdout.1.log").exists());
    assert_eq!(cluster.world.heal(&kill_fault(2)).await, Effect::Installed);
    assert!(state(cluster.pid(2, 1)).is_some());
    let again = cluster.world.heal(&kill_fault(2)).await;
    assert_eq!(again, Effect::Skipped("it is not in force".to_owned()));
}

#[tokio::test]
async fn a_pause_stops_the_process_it_was_done_to_and_no_other() {
    let cluster = Cluster::of_stand_ins().await;
    let first = cluster.pid(3, 0);
    assert_eq!(
        cluster.world.inject(&pause_fault(3)).await,
        Effect::Installed
    );
    assert_eq!(state(first), Some('T'));
    assert_eq!(
        cluster.world.inject(&kill_fault(3)).await,
        Effect::Installed
    );
    assert_eq!(cluster.world.heal(&kill_fault(3)).await, Effect::Installed);
    let second = cluster.pid(3, 1);
    assert_ne!(state(second), Some('T'));

    let other = Fault::Pause { nodes: vec![3, 1] };
    assert_eq!(cluster.world.inject(&other).await, Effect::Installed);
    let late = cluster.world.heal(&pause_fault(3)).await;
    assert_eq!(
        late,
        Effect::Skipped("n3 died while it was paused".to_owned())
    );
    assert_eq!(state(second), Some('T'));
    assert_eq!(cluster.world.heal(&other).await, Effect::Installed);
    assert_ne!(state(second), Some('T'));
}

#[tokio::test]
async fn a_node_that_dies_by_itself_is_told_and_restarted_at_the_end() {
    let cluster = Cluster::of_stand_ins().await;
    kill(cluster.pid(1, 0), Signal::SIGABRT).unwrap();
    let death = timeout(LIMIT, cluster.world.next_death())
        .await
        .expect("a death")
        .unwrap();
    assert_eq!(death.node, 1);
    assert!(!death.status.success());
    let skipped = cluster.world.inject(&kill_fault(1)).await;
    assert_eq!(skipped, Effect::Skipped("n1 is down".to_owned()));
    assert_eq!(
        cluster.world.inject(&pause_fault(2)).await,
        Effect::Installed
    );
    assert_eq!(
        cluster.world.inject(&kill_fault(3)).await,
        Effect::Installed
    );

    cluster.world.heal_everything().await.unwrap();
    cluster.world.heal_everything().await.unwrap();
    for pid in [cluster.pid(1, 1), cluster.pid(2, 0), cluster.pid(3, 1)] {
        assert!(state(pid).is_some_and(|state| state != 'T'));
    }
    // Kills of our own are no deaths.
    assert!(
        timeout(Duration::ZERO, cluster.world.next_death())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_dropped_world_leaves_no_process_even_if_paused() {
    let cluster = Cluster::of_stand_ins().await;
    let pids = cluster.pids();
    assert_eq!(
        cluster.world.inject(&pause_fault(2)).await,
        Effect::Installed
    );
    drop(cluster);
    assert!(pids.into_iter().all(|pid| state(pid).is_none()));
}

#[tokio::test]
async fn a_program_that_is_no_node_is_an_error_with_its_last_words() {
    let dir = TempDir::new().unwrap();
    let run_dir = dir.path().to_owned();
    let program = PathBuf::from("/bin/cat");
    let options = LaunchOptions {
        program,
        store: store(),
        run_dir,
        seed: 1,
        health: Health::default(),
    };
    let error = LiveWorld::launch(options).await.unwrap_err();
    let WorldError::EndedEarly { last_words, .. } = &error else {
        panic!("{error}");
    };
    assert!(last_words.contains("config"), "{last_words}");
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill_and_restart() {
    let cluster = Cluster::of_nodes().await;
    let Cluster { world, .. } = &cluster;
    let mut client = world.client();
    expect_ok(&mut client, 1, OpKind::Write(41)).await;
    assert_eq!(
        expect_ok(&mut client, 2, OpKind::Read).await,
        Value::Int(41)
    );
    let everybody = Fault::Kill {
        nodes: vec![1, 2, 3],
    };
    assert_eq!(world.inject(&everybody).await, Effect::Installed);
    let outcome = invoke(&mut client, 1, OpKind::Write(42), 2).await;
    assert_eq!(
        outcome,
        Outcome::Fail {
            error: "n1 is down".to_owned(),
            evidence: None
        }
    );
    assert_eq!(world.heal(&everybody).await, Effect::Installed);
    world.ready().await.unwrap();
    assert_eq!(
        expect_ok(&mut client, 1, OpKind::Read).await,
        Value::Int(41)
    );
    assert!(world.status(1).await.unwrap().epoch > 1);
    assert!(world.quiesce(Duration::ZERO, LIMIT).await);
}

#[tokio::test]
async fn a_paused_coordinator_leaves_a_write_unknown() {
    let cluster = Cluster::of_nodes().await;
    let Cluster { world, .. } = &cluster;
    let mut client = world.client();
    expect_ok(&mut client, 1, OpKind::Write(1)).await;
    assert_eq!(world.inject(&pause_fault(1)).await, Effect::Installed);
    let outcome = invoke(&mut client, 1, OpKind::Write(2), 2).await;
    assert!(matches!(outcome, Outcome::Info { .. }), "{outcome:?}");
    assert_eq!(world.heal(&pause_fault(1)).await, Effect::Installed);
    expect_ok(&mut client, 1, OpKind::Write(3)).await;
    // The node may come to the unknown write before the other one, or after it.
    let value = expect_ok(&mut client, 1, OpKind::Read).await;
    assert!([Value::Int(2), Value::Int(3)].contains(&value), "{value:?}");
}

#[tokio::test]
async fn a_node_that_is_cut_off_cannot_reach_a_quorum_until_it_is_healed() {
    let cluster = Cluster::of_nodes().await;
    let Cluster { world, .. } = &cluster;
    let mut client = world.client();
    for cut in [Cut::Reset, Cut::Hold] {
        let isolated = isolate(1, cut);
        assert_eq!(world.inject(&isolated).await, Effect::Installed);
        let outcome = invoke(&mut client, 1, OpKind::Write(1), 2).await;
        assert!(has_not_succeeded(&outcome), "{outcome:?}");
        expect_ok(&mut client, 2, OpKind::Write(2)).await;
        assert!(!world.quiesce(Duration::ZERO, GLANCE).await);
        assert_eq!(world.heal(&isolated).await, Effect::Installed);
        world.ready().await.unwrap();
        expect_ok(&mut client, 1, OpKind::Write(3)).await;
        assert_eq!(expect_ok(&mut client, 3, OpKind::Read).await, Value::Int(3));
    }
    let nowhere = Fault::Partition {
        shape: "nowhere".to_owned(),
        cut: Cut::Hold,
        links: vec![Link { from: 1, to: 9 }],
    };
    let effect = world.inject(&nowhere).await;
    assert_eq!(
        effect,
        Effect::Skipped("there is no link n1 -> n9".to_owned())
    );
    assert!(world.quiesce(Duration::ZERO, LIMIT).await);
}

#[tokio::test]
async fn a_slow_cluster_answers_late() {
    let cluster = Cluster::of_nodes().await;
    let Cluster { world, .. } = &cluster;
    let mut client = world.client();
    let links = (2..=3).map(|to| Link { from: 1, to }).collect();
    let slow = Fault::Slow {
        links,
        delay_ms: 30,
        jitter_ms: 10,
    };
    assert_eq!(world.inject(&slow).await, Effect::Installed);
    let began = Instant::now();
    expect_ok(&mut client, 1, OpKind::Write(1)).await;
    assert!(began.elapsed() >= Duration::from_millis(30));
    assert!(!world.quiesce(Duration::ZERO, GLANCE).await);
    assert_eq!(world.heal(&slow).await, Effect::Installed);
    assert!(world.quiesce(Duration::ZERO, LIMIT).await);
    let nowhere = Fault::Slow {
        links: Vec::new(),
        delay_ms: 1,
        jitter_ms: 0,
    };
    let effect = world.inject(&nowhere).await;
    assert_eq!(effect, Effect::Skipped("it names no link".to_owned()));
}

fn isolate(node: u16, cut: Cut) -> Fault {
    let others = (1..=3).filter(|&other| other != node);
    let links = others.flat_map(|other| {
        [
            Link {
                from: node,
                to: other,
            },
            Link {
                from: other,
                to: node,
            },
        ]
    });
    Fault::Partition {
        shape: "isolate-one".to_owned(),
        cut,
        links: links.collect(),
    }
}

#[tokio::test]
async fn clocks_follow_the_faults_in_force_across_pause_and_restart() {
    let cluster = Cluster::of_nodes().await;
    let Cluster { world, .. } = &cluster;
    let offset_ms = async |node| world.status(node).await.unwrap().clock_offset_ns / 1_000_000;
    let skew = Fault::Clock {
        offsets_ms: vec![(1, 500), (2, -500)],
    };
    assert_eq!(world.inject(&pause_fault(2)).await, Effect::Installed);
    assert_eq!(world.inject(&skew).await, Effect::Installed);
    assert_eq!(offset_ms(1).await, 500);
    assert_eq!(world.heal(&pause_fault(2)).await, Effect::Installed);
    assert_eq!(offset_ms(2).await, -500);
    assert_eq!(world.inject(&kill_fault(1)).await, Effect::Installed);
    assert_eq!(world.heal(&kill_fault(1)).await, Effect::Installed);
    assert_eq!(offset_ms(1).await, 500);

    assert_eq!(world.inject(&kill_fault(1)).await, Effect::Installed);
    assert_eq!(world.heal(&skew).await, Effect::Installed);
    assert_eq!(offset_ms(2).await, 0);
    assert_eq!(world.heal(&kill_fault(1)).await, Effect::Installed);
    assert_eq!(offset_ms(1).await, 0);
    let absent = Fault::Clock {
        offsets_ms: vec![(9, 1)],
    };
    assert!(matches!(world.inject(&absent).await, Effect::Skipped(_)));
}

/// The later write wins although the clock of its coordinator is a minute behind: its stamp is not from there.
#[tokio::test]
async fn stamps_of_clients_do_not_care_for_the_clocks_of_nodes() {
    let mut store = store();
    store.options.versions = Versions::Lww(Stamping {
        source: StampSource::Client,
        ..Stamping::default()
    });
    let cluster = Cluster::launch_with(PathBuf::from(QUORATE), store).await;
    let Cluster { world, .. } = &cluster;
    world.ready().await.unwrap();
    let behind = Fault::Clock {
        offsets_ms: vec![(2, -60_000)],
    };
    assert_eq!(world.inject(&behind).await, Effect::Installed);
    let (mut one, mut other) = (world.client(), world.client());
    expect_ok(&mut one, 1, OpKind::Write(5)).await;
    expect_ok(&mut other, 2, OpKind::Write(6)).await;
    assert_eq!(expect_ok(&mut one, 3, OpKind::Read).await, Value::Int(6));
}

#[tokio::test]
async fn a_stopped_world_tells_how_each_node_ended_and_leaves_none() {
    let cluster = Cluster::of_nodes().await;
    let pids = cluster.pids();
    assert_eq!(
        cluster.world.inject(&pause_fault(1)).await,
        Effect::Installed
    );
    assert_eq!(
        cluster.world.inject(&kill_fault(3)).await,
        Effect::Installed
    );
    let ends = cluster.world.stop().await.unwrap();
    let clean = |end: NodeEnd| matches!(end, NodeEnd::Ended(status) if status.success());
    assert!(clean(ends[0].1) && clean(ends[1].1), "{ends:?}");
    assert_eq!(ends[2], (3, NodeEnd::WasDown));
    assert!(pids.into_iter().all(|pid| state(pid).is_none()));
}

#[tokio::test]
async fn a_node_ends_by_itself_when_its_harness_lets_go_of_the_lifeline() {
    let dir = TempDir::new().unwrap();
    let seat = Seat {
        id: NodeId(1),
        data_dir: dir.path().join("data"),
        peers: BTreeMap::new(),
        clock_offset_ns: 0,
        test_hooks: false,
        health: Health::default(),
        store: StoreConfig {
            nodes: 1,
            n: 1,
            r: 1,
            w: 1,
            ..store()
        },
    };
    let path = dir.path().join("seat.json");
    fs::write(&path, serde_json::to_vec(&seat).unwrap()).unwrap();
    let mut node = Command::new(QUORATE)
        .args(["node", "--config"])
        .arg(&path)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(node.stdin.take());
    let ended = async {
        while node.try_wait().unwrap().is_none() {
            sleep(GLANCE).await;
        }
    };
    let in_time = timeout(LIMIT, ended).await;
    if in_time.is_err() {
        node.kill().unwrap();
    }
    in_time.expect("the end of a node without a lifeline");
}

/// Compiles only if faults and operations can be handed to other threads.
#[tokio::test]
async fn faults_and_operations_may_run_anywhere() {
    fn may_move<T: Send>(_future: T) {}
    let cluster = Cluster::of_stand_ins().await;
    let fault = kill_fault(1);
    let op = ClientOp::new(OpKind::Read, "k", None);
    may_move(cluster.world.inject(&fault));
    may_move(cluster.world.heal(&fault));
    may_move(cluster.world.heal_everything());
    may_move(cluster.world.client().invoke(1, &op, LIMIT));
}
