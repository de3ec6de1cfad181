//! What users have today beside what judging costs here: histories of one key with unique values, closed loop, 50 % reads.
//!
//! Run it with `cargo bench --bench baselines`. Every cell is judged in a process of its own, so that its memory is its own. Times and
//! memory of Porcupine and Knossos are *quoted*: they were measured on another day on a machine like this one, on histories of the same
//! shape; `benches/peers` judges the very same histories with Rust crates of others.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a benchmark measures time and memory, in processes of its own; the crate itself does not"
)]

use std::process::Command;
use std::time::{Duration, Instant};

use quorate_checkers::history::{EventType, F, Process, Status, Value};
use quorate_checkers::register::frontier::{self, Budget};
use quorate_checkers::register::stream::RegisterStream;
use quorate_checkers::register::zones;
use quorate_checkers::register::{Action, RegisterOp, Trace, ValueId, verify};
use quorate_workloads::synthetic::{Corruption, Recipe};

/// How often each cell is judged; the best counts. Fewer rounds if it takes longer than the limit together.
const ROUNDS: usize = 15;
const ROUNDS_LIMIT: Duration = Duration::from_secs(2);

/// Rows of the table: operations, clients, percent of writes of unknown outcome, and the quoted cells.
const ROWS: [(u64, u64, u64, [&str; 4]); 15] = [
    (300, 10, 5, ["0.016 s", "2.8 s, 65 MB", "2.5 s", "> 120 s"]),
    (
        300,
        20,
        0,
        ["1.8-46 s, 0.8 GB", "58 s, 1.8 GB", "> 120 s", "> 120 s"],
    ),
    (
        300,
        20,
        5,
        ["66 s, 2.1 GB", "> 120 s", "> 120 s", "> 120 s"],
    ),
    (
        300,
        50,
        0,
        ["> 120 s, 3 GB", "> 120 s", "> 120 s", "> 120 s"],
    ),
    (
        300,
        100,
        0,
        ["> 120 s, 3 GB", "> 120 s", "> 120 s", "> 120 s"],
    ),
    (
        1_000,
        5,
        5,
        ["0.04 s", "9-38 s, 1.1 GB", "0.9 s", "> 120 s"],
    ),
    (
        1_000,
        10,
        5,
        ["1.2 s, 74 MB", "> 120 s, 5.5 GB", "7.8 s", "> 120 s"],
    ),
    (
        1_000,
        20,
        0,
        ["38-43 s, 6 GB", "> 120 s", "> 120 s", "> 120 s"],
    ),
    (
        10_000,
        5,
        0,
        ["0.053 s, 59 MB", "0.25 s, 118 MB", "2.8 s", "5.9 s"],
    ),
    (
        10_000,
        5,
        1,
        ["0.14 s", "> 14 GB", "6.5 s", "out of memory"],
    ),
    (
        10_000,
        10,
        0,
        ["1.17 s, 1 GB", "6.4 s, 2.7 GB", "40 s", "> 120 s"],
    ),
    (100_000, 5, 0, ["2.9 s, 4.8 GB", "", "28 s", "17.9 s"]),
    (100_000, 10, 0, ["> 14 GB", "", "out of memory", ""]),
    (1_000_000, 5, 0, ["> 14 GB", "cannot", "", ""]),
    (1_000_000, 100, 5, ["", "", "", ""]),
];

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    if let [operations, clients, info, kind, judge] = args.as_slice() {
        let number = |text: &String| text.parse().expect("a number");
        let recipe = recipe(
            number(operations),
            number(clients),
            number(info),
            kind == "stale",
        );
        println!("{}", cell(&recipe, judge));
        return;
    }
    println!(
        "one key, unique values, closed loop, 50 % reads; time best of up to {ROUNDS} rounds, memory beside the history"
    );
    println!(
        "zones: the judge of unique values, certificate included. frontier: the search, made to treat values as if they repeated."
    );
    println!(
        "quoted: Porcupine 55508eb (Go) and Knossos 9b2c79e (JVM), measured elsewhere; valid | one stale read"
    );
    println!();
    println!(
        "| {:>9} | {:>7} | {:>4} | {:<16} | {:<16} | {:<17} | {:<17} | {:<16} | {:<15} | {:<13} | {:<13} |",
        "ops",
        "clients",
        "info",
        "zones",
        "zones, stale",
        "frontier",
        "frontier, stale",
        "Porcupine",
        "P., stale",
        "Knossos",
        "K., stale"
    );
    for (operations, clients, info, quoted) in ROWS {
        let judged = |kind: &str, judge: &str| one(operations, clients, info, kind, judge);
        println!(
            "| {operations:>9} | {clients:>7} | {info:>2} % | {:<16} | {:<16} | {:<17} | {:<17} | {:<16} | {:<15} | {:<13} | {:<13} |",
            judged("valid", "zones"),
            judged("stale", "zones"),
            judged("valid", "frontier"),
            judged("stale", "frontier"),
            quoted[0],
            quoted[1],
            quoted[2],
            quoted[3]
        );
    }
    println!();
    for (operations, clients, info) in [(1_000_000, 5, 0), (1_000_000, 100, 0), (1_000_000, 100, 5)]
    {
        println!(
            "{operations} operations, {clients} clients, {info} % unknown: {}",
            one(operations, clients, info, "valid", "costs")
        );
    }
}

/// One cell, from a process of its own.
fn one(operations: u64, clients: u64, info: u64, kind: &str, judge: &str) -> String {
    let program = std::env::current_exe().expect("this program");
    let numbers = [operations, clients, info].map(|number| number.to_string());
    let output = Command::new(program)
        .args(numbers)
        .args([kind, judge])
        .output()
        .expect("this program runs");
    let told = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() {
        told
    } else {
        format!(
            "failed: {}",
            String::from_utf8_lossy(&output.stderr)
                .lines()
                .last()
                .unwrap_or("")
        )
    }
}

fn recipe(operations: u64, clients: u64, info_percent: u64, is_stale: bool) -> Recipe {
    Recipe {
        operations,
        clients,
        info_percent,
        corruption: if is_stale {
            Corruption::StaleRead
        } else {
            Corruption::None
        },
        ..Recipe::default()
    }
}

/// The operations of a synthetic history of one key.
fn trace(recipe: &Recipe) -> Trace {
    let mut ops: Vec<RegisterOp> = Vec::new();
    let mut under_way = vec![0; usize::try_from(recipe.clients).expect("few clients")];
    let value = |value: &Value| match value {
        Value::Int(value) => ValueId(u32::try_from(*value).expect("small")),
        _ => ValueId::INITIAL,
    };
    for event in recipe.begin().expect("a recipe") {
        let Process::Client(process) = event.process else {
            continue;
        };
        let client = usize::try_from(process % recipe.clients).expect("few clients");
        if event.kind == EventType::Invoke {
            under_way[client] = ops.len();
            ops.push(RegisterOp {
                call: event.time.0,
                ret: Trace::NEVER,
                action: if event.f == F::Write {
                    Action::Write(value(&event.value))
                } else {
                    Action::Read(ValueId::INITIAL)
                },
                status: Status::Info,
                place: u32::try_from(ops.len()).expect("not so many"),
            });
            continue;
        }
        let op = &mut ops[under_way[client]];
        if event.kind == EventType::Ok {
            op.status = Status::Ok;
            op.ret = event.time.0;
            if let Action::Read(found) = &mut op.action {
                *found = value(&event.value);
            }
        }
    }
    Trace::of(ops)
}

fn cell(recipe: &Recipe, judge: &str) -> String {
    let trace = trace(recipe);
    let expected = recipe.corruption == Corruption::None;
    let before = memory_kb("VmRSS:");
    match judge {
        "zones" => {
            let time = best(|| {
                let answer = zones::judge(&trace).expect("values are unique");
                assert_eq!(answer.is_linearizable(), expected);
            });
            told(time, before)
        }
        "frontier" => {
            let mut is_decided = true;
            let time = best(|| match frontier::search(&trace, Budget::default()).0 {
                frontier::Answer::Linearizable(_) => assert!(expected),
                frontier::Answer::Undecided(_) => is_decided = false,
                frontier::Answer::Violated(_) => assert!(!expected),
            });
            if is_decided {
                told(time, before)
            } else {
                format!("undecided, {}", told(time, before))
            }
        }
        _ => costs(&trace),
    }
}

/// What one operation costs each judge, against a walk over the operations that only adds up.
fn costs(trace: &Trace) -> String {
    let per = |time: Duration, count: usize| {
        time.as_secs_f64() * 1e9 / f64::from(u32::try_from(count).unwrap_or(u32::MAX))
    };
    let ops = trace.ops.len();
    let mut sum = 0_u64;
    let walk = best(|| {
        for op in &trace.ops {
            sum = sum.wrapping_add(op.call ^ op.ret);
        }
        std::hint::black_box(sum);
    });
    let mut order = None;
    let zones = best(|| {
        if let Ok(zones::Answer::Linearizable(found)) = zones::judge(trace) {
            order = Some(found);
        }
    });
    let order = order.expect("linearizable");
    let verified = best(|| assert_eq!(verify(trace, &order), Ok(())));
    let moments = moments(trace);
    let (mut values, mut bytes) = (0, 0);
    let stream = best(|| (values, bytes) = streamed(trace, &moments));
    format!(
        "zones {:.1} ns per operation ({:.1} x a walk over them), verifying the order {:.1}; \
         stream {:.1} ns per event, {values} values and {} kB at the end",
        per(zones, ops),
        zones.as_secs_f64() / walk.as_secs_f64().max(1e-9),
        per(verified, ops),
        per(stream, moments.len()),
        bytes / 1_000,
    )
}

/// Beginnings and ends in order of time, beginnings first: place, and whether it ends.
fn moments(trace: &Trace) -> Vec<(u64, bool, u32)> {
    let mut moments = Vec::with_capacity(trace.ops.len() * 2);
    for (at, op) in (0..).zip(&trace.ops) {
        if op.is_ok() || matches!(op.action, Action::Write(_)) {
            moments.push((op.call, false, at));
        }
        if op.is_ok() {
            moments.push((op.ret, true, at));
        }
    }
    moments.sort_unstable();
    moments
}

fn streamed(trace: &Trace, moments: &[(u64, bool, u32)]) -> (usize, usize) {
    let mut stream = RegisterStream::default();
    let mut sights = vec![quorate_checkers::register::stream::Sight::default(); trace.ops.len()];
    for &(now, ends, at) in moments {
        let op = &trace.ops[at as usize];
        match (op.action, ends) {
            (Action::Read(ValueId::INITIAL), false) => {
                assert!(!stream.initial_read_begins(None).convicts());
            }
            (Action::Read(ValueId::INITIAL), true) => stream.initial_read_ends(op.call),
            (Action::Read(value), false) => {
                sights[at as usize] = stream.read_begins(value.0.into(), now);
                assert!(!sights[at as usize].convicts());
            }
            (Action::Read(value), true) => {
                stream.read_ends(value.0.into(), op.call, now, sights[at as usize]);
            }
            (Action::Write(value), false) => assert!(stream.write_begins(value.0.into(), now)),
            (Action::Write(value), true) => stream.write_ends(value.0.into(), op.call, now),
            (Action::Cas { .. }, _) => {}
        }
    }
    stream.live()
}

/// The shortest of several times.
fn best(mut work: impl FnMut()) -> Duration {
    let all = Instant::now();
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        work();
        best = best.min(began.elapsed());
        if all.elapsed() > ROUNDS_LIMIT {
            break;
        }
    }
    best
}

fn told(time: Duration, before_kb: u64) -> String {
    let seconds = time.as_secs_f64();
    let time = if seconds < 1e-3 {
        format!("{:.0} us", seconds * 1e6)
    } else if seconds < 1.0 {
        format!("{:.1} ms", seconds * 1e3)
    } else {
        format!("{seconds:.1} s")
    };
    let peak_kb = memory_kb("VmHWM:").saturating_sub(before_kb);
    if peak_kb < 1_000 {
        format!("{time}, {peak_kb} kB")
    } else {
        format!("{time}, {} MB", peak_kb / 1_000)
    }
}

/// What the kernel says of the memory of this process.
fn memory_kb(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status.lines().find_map(|text| text.strip_prefix(line));
    let number = found.and_then(|rest| rest.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
