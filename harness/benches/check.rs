//! What `check` costs: reading in MB/s per core against `serde_json` on the same bytes, judging in ns per operation, and the peak
//! memory of the whole command beside its input. What is said of one core is processor time, so that a busy machine changes it
//! little; the rest is time on the wall.
//!
//! Run it with `cargo bench --bench check`. Histories have 100 clients and 5 % of unknown writes; `QUORATE_CHECK_OPERATIONS=10000000`
//! asks for a longer one, which needs some 2 GB of disk.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::fs::File;
use std::hint::black_box;
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::time::{ClockId, clock_gettime};
use quorate::judging::{Watch, read_history};
use quorate_checkers::history::{Function, History, HistoryReader, Value};
use quorate_checkers::register::{Action, RegisterOp, Trace, ValueId, zones};
use quorate_checkers::verdict::{checkers, judge};
use quorate_checkers::{Index, Sequential};
use quorate_workloads::synthetic::Recipe;

/// Sizes of the histories on one key, operations; ascending, because the operating system only tells the largest child so far.
const SIZES: [u64; 2] = [100_000, 1_000_000];
/// How often each is read and judged in process; the best counts.
const ROUNDS: usize = 5;
/// Clients of the made-up load.
const CLIENTS: u64 = 100;
/// So much of a file is parsed plainly, bytes: enough to know its speed.
const PLAIN_BYTES: u64 = 32 << 20;
/// A block of a file, bytes.
const BLOCK_BYTES: usize = 4 << 20;

fn main() {
    let directory = tempfile::tempdir().expect("a directory");
    let asked = std::env::var("QUORATE_CHECK_OPERATIONS").ok();
    let asked = asked.map(|asked| asked.parse::<u64>().expect("a number of operations"));
    // With fewer operations per key some key would have only unknown writes by chance, and so be unavailable.
    for (operations, keys) in SIZES
        .map(|size| (size, 1))
        .into_iter()
        .chain([(SIZES[1], 1_000), (SIZES[1], 10_000)])
        .chain(asked.map(|size| (size, 1)))
    {
        let path = directory.path().join("history.jsonl");
        make_up(operations, keys, &path);
        report(operations, keys, &path);
    }
}

fn make_up(operations: u64, keys: u32, path: &Path) {
    let recipe = Recipe {
        operations,
        keys,
        clients: CLIENTS,
        // Of writes, which are half of all operations.
        info_percent: 10,
        ..Recipe::default()
    };
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    let mut line = Vec::new();
    let mut header = recipe.header();
    header.judges = None;
    header.to_line(&mut line);
    for event in recipe.begin().expect("a recipe") {
        event.to_line(&mut line);
        file.write_all(&line).expect("a disk");
        line.clear();
    }
    file.flush().expect("a disk");
}

fn report(operations: u64, keys: u32, path: &Path) {
    let bytes = path.metadata().expect("a file").len();
    println!(
        "{} operations on {keys} keys, {:.0} MB",
        operations,
        mb(bytes)
    );
    let plain = plain_mb_per_s(path);
    let read = mb(bytes) / best_on_core(|| drop(on_one_core(path)));
    let reading = mb(bytes) * 1e9 / read / float(operations);
    println!(
        "  read    one core  {read:>7.0} MB/s  {reading:>6.1} ns/op  {:.1} times serde_json's {plain:.0}",
        read / plain,
    );
    let read = mb(bytes)
        / best(|| {
            let file = File::open(path).expect("a file");
            drop(read_history(file, &Watch::default()).expect("a history"));
        });
    println!(
        "  read    all cores {read:>7.0} MB/s  {:>6.1} ns/op",
        mb(bytes) * 1e9 / read / float(operations)
    );
    let history = on_one_core(path);
    let per_operation = |seconds: f64| seconds * 1e9 / float(operations);
    if keys == 1 {
        let trace = trace(&history);
        let zones = per_operation(best_on_core(|| {
            let answer = black_box(zones::judge(&trace)).expect("unique values");
            assert!(answer.is_linearizable());
        }));
        println!(
            "  zones   one core  {zones:>29.1} ns/op  with certificate; {:.0} % of reading",
            zones / reading * 100.0
        );
    }
    let index = best_on_core(|| drop(Index::of(&history)));
    println!("  index   one core  {:>29.1} ns/op", per_operation(index));
    let views = Index::of(&history);
    for checker in checkers() {
        let seconds = worked(|| drop(checker.check(&history, &views)));
        let name = checker.guarantee().name();
        println!("    {name:<28} {:>18.1} ns/op", per_operation(seconds));
    }
    drop(views);
    let judging = best_on_core(|| assert_eq!(judge(&history).operations, operations));
    println!("  judge   one core  {:>29.1} ns/op", per_operation(judging));
    drop(history);
    check(bytes, path);
}

/// The whole command.
fn check(bytes: u64, path: &Path) {
    let began = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_quorate"))
        .args(["check", "--format", "json"])
        .arg(path)
        .stdout(Stdio::null())
        .status()
        .expect("quorate check");
    let seconds = began.elapsed().as_secs_f64();
    // No census in it: the promises that need one stay undecided.
    assert_eq!(
        status.code(),
        Some(3),
        "the made-up history is not as it should be"
    );
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("usage");
    let peak = u64::try_from(usage.max_rss()).unwrap_or(0) * 1_024;
    println!(
        "  check   {seconds:.2} s, peak memory {:.0} MB, beside the input {:.0} MB",
        mb(peak),
        mb(peak) - mb(bytes)
    );
}

/// The history of a file, by one thread and in blocks.
fn on_one_core(path: &Path) -> History {
    let mut file = File::open(path).expect("a file");
    let mut block = Vec::new();
    let mut reader = HistoryReader::new();
    loop {
        block.clear();
        let mut part = Read::by_ref(&mut file).take(BLOCK_BYTES as u64);
        if part.read_to_end(&mut block).expect("a disk") == 0 {
            return reader.finish().expect("a history");
        }
        reader.push_block(&block, &Sequential).expect("a history");
    }
}

/// How fast `serde_json` makes values of the same lines.
fn plain_mb_per_s(path: &Path) -> f64 {
    let mut bytes = Vec::new();
    let file = File::open(path).expect("a file");
    let mut beginning = file.take(PLAIN_BYTES);
    beginning.read_to_end(&mut bytes).expect("a disk");
    let end = bytes.iter().rposition(|&byte| byte == b'\n').unwrap_or(0);
    let seconds = best_on_core(|| {
        for line in bytes[..end].split(|&byte| byte == b'\n') {
            assert!(serde_json::from_slice::<serde_json::Value>(line).is_ok());
        }
    });
    mb(end as u64) / seconds
}

fn mb(bytes: u64) -> f64 {
    float(bytes) / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "figures are rounded anyway")]
fn float(number: u64) -> f64 {
    number as f64
}

/// The shortest of several times, s, on the wall.
fn best(mut work: impl FnMut()) -> f64 {
    let times = (0..ROUNDS).map(|_| {
        let began = Instant::now();
        work();
        began.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}

/// The shortest of several times, s, that a core worked for this thread.
fn best_on_core(mut work: impl FnMut()) -> f64 {
    let times = (0..ROUNDS).map(|_| worked(&mut work));
    times.fold(f64::INFINITY, f64::min)
}

/// How long a core works, s. Only once: views keep what was asked of them.
fn worked(work: impl FnOnce()) -> f64 {
    let began = worked_ns();
    work();
    float(worked_ns() - began) / 1e9
}

/// How long a core has worked for this thread, ns.
fn worked_ns() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("a clock");
    u64::try_from(time.tv_sec() * 1_000_000_000 + time.tv_nsec()).unwrap_or(0)
}

/// The operations of the only key. Values of a made-up history are dense as they are.
fn trace(history: &History) -> Trace {
    let operations = (0..).zip(&history.operations);
    let ops = operations.map(|(place, operation)| {
        let value = match operation.value {
            Value::Int(value) => ValueId(u32::try_from(value).expect("a small value")),
            _ => ValueId::INITIAL,
        };
        RegisterOp {
            call: operation.call.0,
            ret: operation.ret.0,
            action: match operation.f {
                Function::Read => Action::Read(value),
                _ => Action::Write(value),
            },
            status: operation.status,
            place,
        }
    });
    Trace::of(ops.collect())
}
