//! What judging costs: `check` in operations per second against a plain parse of the same lines, and how its memory grows.
//!
//! Run it with `cargo bench --bench check`.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use quorate::plan::PlanSpec;
use quorate_checkers::history::{
    Answer, Event, EventType, Evidence, F, History, Nanos, Process, Stamp, Value,
};
use quorate_checkers::verdict::judge;
use quorate_workloads::Rng;

/// Sizes of the histories, operations.
const SIZES: [u64; 3] = [100_000, 200_000, 400_000];
/// How often each is judged in process; the best counts.
const ROUNDS: usize = 5;
/// Clients of the made-up load.
const CLIENTS: u64 = 16;

fn main() {
    let directory = tempfile::tempdir().expect("a directory");
    println!(
        "check  {:>9} ops  {:>8}  judge ops/s  parse+judge ops/s  against a plain parse  check, peak memory",
        "", "MB"
    );
    // Ascending, because the operating system only tells the largest child so far.
    for (size, keys) in SIZES
        .map(|size| (size, 10))
        .into_iter()
        .chain([(SIZES[2], SIZES[2] / 2)])
    {
        let began = Instant::now();
        let bytes = made_up(size, keys);
        if size == SIZES[0] {
            let nanos = began.elapsed().as_nanos() / u128::from(size * 2);
            println!("write  {nanos} ns to make an event up and write it as a line");
        }
        let path = directory.path().join("history.jsonl");
        fs::write(&path, &bytes).expect("a history file");
        report(size, keys, &bytes, &path);
    }
}

fn report(size: u64, keys: u64, bytes: &[u8], path: &Path) {
    let operations = f64::from(u32::try_from(size).unwrap_or(u32::MAX));
    let plain = best(|| {
        let lines = bytes
            .split(|&byte| byte == b'\n')
            .filter(|line| !line.is_empty());
        let parsed = lines
            .filter(|line| serde_json::from_slice::<serde_json::Value>(line).is_ok())
            .count();
        assert_eq!(parsed as u64, size * 2 + 1);
    });
    let history = History::parse(bytes).expect("a history");
    let judging = best(|| assert_eq!(judge(&history).operations, size));
    let whole = best(|| {
        let history = History::parse(bytes).expect("a history");
        assert_eq!(judge(&history).operations, size);
    });
    let status = Command::new(env!("CARGO_BIN_EXE_quorate"))
        .args(["check", "--format", "json"])
        .arg(path)
        .stdout(Stdio::null())
        .status()
        .expect("quorate check");
    // No census in it: the promises that need one stay undecided.
    assert_eq!(
        status.code(),
        Some(3),
        "the made-up history is not as it should be"
    );
    let peak_kib = getrusage(UsageWho::RUSAGE_CHILDREN)
        .expect("usage")
        .max_rss();
    println!(
        "check  {size:>9} ops  {:>8.1}  {:>11.0}  {:>17.0}  {:>21.2}  {:>9} KiB  ({keys} keys)",
        f64::from(u32::try_from(bytes.len()).unwrap_or(u32::MAX)) / 1e6,
        operations / judging,
        operations / whole,
        whole / plain,
        peak_kib
    );
}

/// The shortest of several times, s.
fn best(mut work: impl FnMut()) -> f64 {
    let times = (0..ROUNDS).map(|_| {
        let began = Instant::now();
        work();
        began.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}

/// A clean history: every read returns what was last written, operations of different clients overlap.
fn made_up(size: u64, keys: u64) -> Vec<u8> {
    let plan = PlanSpec {
        clients: Some(CLIENTS),
        keys: Some(keys.min(100_000)),
        ..PlanSpec::default()
    };
    let header = plan.plan(1).expect("a plan").header().expect("a header");
    let mut out = Vec::new();
    header.to_line(&mut out);
    let mut rng = Rng::new(7);
    let mut last: Vec<Option<i64>> = vec![None; usize::try_from(keys).expect("few keys")];
    let mut index = 0;
    for turn in 0..size / CLIENTS {
        let keys: Vec<usize> = (0..CLIENTS)
            .map(|_| usize::try_from(rng.below(keys)).expect("few keys"))
            .collect();
        // All clients ask at once, and are answered one after the other; only one of them may write a key at a time.
        let ops: Vec<(usize, Option<i64>)> = keys
            .iter()
            .zip(0..)
            .map(|(&key, client)| {
                let writes =
                    client % 2 == 0 && keys.iter().filter(|&&other| other == key).count() == 1;
                (
                    key,
                    writes.then_some(i64::try_from(turn * CLIENTS + client).expect("small")),
                )
            })
            .collect();
        for completes in [false, true] {
            for (client, &(key, written)) in (0..CLIENTS).zip(&ops) {
                if completes && let Some(value) = written {
                    last[key] = Some(value);
                }
                line(index, turn, client, key, written, completes, last[key]).to_line(&mut out);
                index += 1;
            }
        }
    }
    out
}

fn line(
    index: u64,
    turn: u64,
    client: u64,
    key: usize,
    written: Option<i64>,
    completes: bool,
    found: Option<i64>,
) -> Event {
    let node = |n: u64| format!("n{}", n % 5 + 1);
    let stamp = Stamp {
        wall_ns: 1_700_000_000_000_000_000 + i64::try_from(index).unwrap_or(0),
        node: node(client),
    };
    let evidence = Evidence {
        version: Some(stamp.clone()),
        epoch: Some(1),
        acked_by: if written.is_some() {
            vec![node(client), node(client + 1)]
        } else {
            Vec::new()
        },
        answered_by: match written {
            Some(_) => Vec::new(),
            None => [client, client + 1]
                .map(|n| Answer {
                    node: node(n),
                    version: Some(stamp.clone()),
                })
                .to_vec(),
        },
        repaired: Vec::new(),
        extra: serde_json::Map::new(),
    };
    let value = match written.or(found.filter(|_| completes)) {
        Some(value) => Value::Int(value),
        None => Value::Nil,
    };
    Event {
        index,
        time: Nanos(turn * 1_000_000 + index % (2 * CLIENTS) * 1_000),
        kind: if completes {
            EventType::Ok
        } else {
            EventType::Invoke
        },
        process: Process::Client(client),
        f: if written.is_some() { F::Write } else { F::Read },
        key: Some(format!("k{key}")),
        value,
        error: None,
        node: Some(node(client)),
        level: Some(2),
        evidence: completes.then(|| Box::new(evidence)),
        extra: serde_json::Map::new(),
    }
}
