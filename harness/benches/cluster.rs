//! What a live cluster costs: from spawn to ready, operations per second with the recorder on and off, and what judging a run while it
//! lasts takes of a core.
//!
//! Prints medians and ratios of things measured side by side in this run; absolute figures depend on the machine. Run it with
//! `cargo bench --bench cluster`; a number after `--` sets the pairs of loads to compare (default 5).

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use quorate_checkers::history::Event;
use quorate_checkers::stream::Follower;

use quorate::plan::{Plan, PlanSpec};
use quorate::report::progress::{Progress, ProgressMode};
use quorate::results::RunDirectory;
use quorate::run::{Drive, Recording};
use quorate::world::live::{LaunchOptions, LiveWorld};

/// How often the start is measured.
const STARTS: usize = 9;
/// How long each load lasts.
const LOAD: &str = "4s";
/// Pairs of loads, recorder on and off, unless told otherwise.
const PAIRS: usize = 5;
/// How often the events of a load are followed; the best counts.
const FOLLOWED: usize = 5;

fn main() {
    let pairs = std::env::args()
        .find_map(|arg| arg.parse().ok())
        .unwrap_or(PAIRS);
    let root = tempfile::tempdir().expect("a directory for the runs");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(starts(root.path()));
    runtime.block_on(loads(root.path(), pairs));
}

fn plan() -> Plan {
    let spec = PlanSpec {
        sync: Some("every 10ms".into()),
        clients: Some(16),
        rate: Some(0),
        lasts: Some(LOAD.into()),
        faults: Some(vec!["none".into()]),
        ..PlanSpec::default()
    };
    spec.plan(1).expect("a plan")
}

async fn launch(plan: &Plan, directory: &RunDirectory) -> LiveWorld {
    let options = LaunchOptions {
        program: env!("CARGO_BIN_EXE_quorate").into(),
        store: plan.store.clone(),
        run_dir: directory.path().to_owned(),
        seed: plan.seed,
        health: quorate_node::config::Health::default(),
    };
    LiveWorld::launch(options).await.expect("a cluster")
}

/// Five nodes from spawn to every link connected, against five processes that do nothing.
async fn starts(root: &Path) {
    let plan = plan();
    let (mut ready_ms, mut spawn_ms) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let began = Instant::now();
        let mut idle: Vec<_> = (0..plan.store.nodes)
            .map(|_| {
                let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
                command
                    .arg("--version")
                    .stdout(Stdio::null())
                    .spawn()
                    .expect("a process")
            })
            .collect();
        for process in &mut idle {
            process.wait().expect("an end");
        }
        spawn_ms.push(began.elapsed().as_secs_f64() * 1e3);

        let directory = RunDirectory::create(root).expect("a run directory");
        let began = Instant::now();
        let world = launch(&plan, &directory).await;
        world.ready().await.expect("connected nodes");
        ready_ms.push(began.elapsed().as_secs_f64() * 1e3);
        world.stop().await.expect("a clean stop");
    }
    let (ready, spawn) = (median(&mut ready_ms), median(&mut spawn_ms));
    println!("start  5 nodes, spawn to connected       {ready:8.1} ms   (goal: under 300 ms)");
    println!(
        "start  5 times `quorate --version`       {spawn:8.1} ms   ratio {:.1}",
        ready / spawn
    );
}

/// The same load with the recorder on and off, in turn.
async fn loads(root: &Path, pairs: usize) {
    let plan = plan();
    let history = root.join("history.jsonl");
    let (mut on, mut off, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..pairs {
        // Whoever goes first meets the colder machine, so they take turns at that too.
        let (recorded, bare) = if pair % 2 == 0 {
            let recorded = load(root, &plan, Some(&history)).await;
            (recorded, load(root, &plan, None).await)
        } else {
            let bare = load(root, &plan, None).await;
            (load(root, &plan, Some(&history)).await, bare)
        };
        println!(
            "load   pair {}: recorder on {recorded:8.0} ops/s, off {bare:8.0} ops/s",
            pair + 1
        );
        on.push(recorded);
        off.push(bare);
        ratios.push(bare / recorded);
    }
    let (on, off, ratio) = (median(&mut on), median(&mut off), median(&mut ratios));
    println!("load   16 clients, recorder on           {on:8.0} ops/s (goal: at least 5,000)");
    println!("load   16 clients, recorder off          {off:8.0} ops/s");
    println!(
        "load   cost of recording and stamping    {:8.1} %     (goal: under 5)",
        (ratio - 1.0) * 100.0
    );
    follow(&plan, &history, on);
}

/// What the live judge takes of a core: the events of such a load, followed once more by themselves.
fn follow(plan: &Plan, history: &Path, ops_per_s: f64) {
    let text = std::fs::read_to_string(history).expect("a history");
    let lines = text.lines().skip(1);
    let events: Vec<Event> = lines
        .map(|line| serde_json::from_str(line).expect("an event"))
        .collect();
    let times = (0..FOLLOWED).map(|_| {
        let mut follower = Follower::new(plan.header().expect("a header"));
        let began = Instant::now();
        for event in &events {
            follower.push(event).expect("the next event");
            while follower.next_alarm().is_some() {}
        }
        began.elapsed().as_secs_f64()
    });
    let count = f64::from(u32::try_from(events.len()).unwrap_or(u32::MAX));
    let each = times.fold(f64::INFINITY, f64::min) / count;
    let share = |ops_per_s: f64| each * ops_per_s * 2.0 * 100.0;
    let rate = PlanSpec::default().plan(1).expect("a plan").load.rate;
    let usual = f64::from(u32::try_from(rate).unwrap_or(u32::MAX));
    println!(
        "judge  an event of a run while it lasts  {:8.0} ns",
        each * 1e9
    );
    println!(
        "judge  of a core at such a load          {:8.2} %",
        share(ops_per_s)
    );
    println!(
        "judge  of a core at {rate} operations/s     {:8.2} %     (a default run; goal: under 1)",
        share(usual)
    );
}

/// Operations per second. What is recorded goes to a file.
async fn load(root: &Path, plan: &Plan, record: Option<&Path>) -> f64 {
    let directory = RunDirectory::create(root).expect("a run directory");
    let world = launch(plan, &directory).await;
    let recording = if record.is_some() {
        let header = plan.header().expect("a header");
        Recording::File(directory.history(&header).expect("a history"))
    } else {
        Recording::Off
    };
    let drive = Drive::new(plan, &world, recording).expect("a drive");
    let load = drive
        .run(&mut Progress::new(ProgressMode::None))
        .await
        .expect("a load");
    world.stop().await.expect("a clean stop");
    assert_eq!(load.failure, None);
    if let Some(history) = record {
        std::fs::copy(directory.path().join("history.jsonl"), history).expect("a copy");
    }
    let seconds = load.load.max(Duration::from_millis(1)).as_secs_f64();
    f64::from(u32::try_from(load.ops).unwrap_or(u32::MAX)) / seconds
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}
