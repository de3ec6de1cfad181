//! Checkers of others on the histories of `cargo bench --bench baselines`: the same recipe, the same seed, the same machine.
//!
//! Every cell is judged in a process of its own, which is ended after a limit (`QUORATE_LIMIT_S`, 20 s unless said otherwise). None of
//! the three knows writes of unknown outcome: for two they return at the end of time, as their authors advise; the third
//! has operations in flight, one for each client that never came back. This program proves nothing and is part of no test.

use std::io::Read;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use porcupine_rs::Operation;
use quorate_checkers::history::Status;
use quorate_checkers::history::{EventType, F, Process, Value};
use quorate_checkers::register::zones;
use quorate_checkers::register::{Action, RegisterOp, Trace, ValueId};
use quorate_workloads::synthetic::{Corruption, Recipe};
use stateright::semantics::register::{Register, RegisterOp as Asked, RegisterRet};
use stateright::semantics::{ConsistencyTester, LinearizabilityTester};
use todc_utils::linearizability::WGLChecker;
use todc_utils::linearizability::history::{Action as Moment, History};
use todc_utils::specifications::Specification;

const JUDGES: [&str; 4] = ["quorate", "porcupine-rs", "todc-utils", "stateright"];

/// Operations, clients, percent of writes of unknown outcome: the rows of the table in `workloads/benches/baselines.rs`, and two small ones.
const ROWS: [(u64, u64, u64); 15] = [
    (50, 5, 0),
    (300, 5, 0),
    (300, 10, 5),
    (300, 20, 0),
    (300, 20, 5),
    (300, 50, 0),
    (1_000, 5, 5),
    (1_000, 10, 5),
    (1_000, 20, 0),
    (10_000, 5, 0),
    (10_000, 5, 1),
    (10_000, 10, 0),
    (100_000, 5, 0),
    (100_000, 10, 0),
    (1_000_000, 100, 5),
];

/// The beginning or the end of an operation, by the client that has it.
#[derive(Clone, Copy)]
struct Step {
    /// A client takes another number after an operation of unknown outcome.
    process: u64,
    time: u64,
    /// None for a read that has not returned.
    value: Option<u64>,
    writes: bool,
    ends: bool,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [operations, clients, info, kind, judge] = args.as_slice() {
        let number = |text: &String| text.parse().expect("a number");
        let steps = steps(
            number(operations),
            number(clients),
            number(info),
            kind == "stale",
        );
        let began = Instant::now();
        let answer = judged(judge, &steps);
        assert_eq!(answer, kind == "valid", "a wrong verdict");
        println!("{} {}", began.elapsed().as_nanos(), peak_kb());
        return;
    }
    let limit_s = std::env::var("QUORATE_LIMIT_S")
        .ok()
        .and_then(|text| text.parse().ok());
    let limit = Duration::from_secs(limit_s.unwrap_or(20));
    println!(
        "one key, unique values, closed loop, 50 % reads; time, and peak memory of the process; limit {limit:?}"
    );
    print!("| {:>8} | {:>7} | {:>4} |", "ops", "clients", "info");
    for judge in JUDGES {
        print!(" {judge:<16} | {:<16} |", "one stale read");
    }
    println!();
    for (operations, clients, info) in ROWS {
        print!("| {operations:>8} | {clients:>7} | {info:>2} % |");
        for judge in JUDGES {
            for kind in ["valid", "stale"] {
                print!(
                    " {:<16} |",
                    cell([operations, clients, info], kind, judge, limit)
                );
            }
        }
        println!();
    }
}

/// One cell, from a process of its own.
fn cell(shape: [u64; 3], kind: &str, judge: &str, limit: Duration) -> String {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(shape.map(|number| number.to_string()))
        .args([kind, judge])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("this program runs");
    let began = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        if began.elapsed() > limit {
            let _ = child.kill();
            let _ = child.wait();
            return format!("> {} s", limit.as_secs());
        }
        sleep(Duration::from_millis(5));
    }
    let mut told = String::new();
    let pipe = child.stdout.as_mut().expect("a pipe");
    pipe.read_to_string(&mut told).expect("text");
    let mut numbers = told
        .split_whitespace()
        .filter_map(|text| text.parse::<u64>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(nanos), Some(kb)) => format!("{}, {} MB", time(nanos), kb / 1_000),
        _ => "died".to_owned(),
    }
}

fn time(nanos: u64) -> String {
    match nanos {
        0..1_000_000 => format!("{} us", nanos / 1_000),
        1_000_000..1_000_000_000 => format!("{} ms", nanos / 1_000_000),
        _ => format!("{}.{} s", nanos / 1_000_000_000, nanos / 100_000_000 % 10),
    }
}

fn steps(operations: u64, clients: u64, info_percent: u64, is_stale: bool) -> Vec<Step> {
    let recipe = Recipe {
        operations,
        clients,
        info_percent,
        corruption: if is_stale {
            Corruption::StaleRead
        } else {
            Corruption::None
        },
        ..Recipe::default()
    };
    let steps = recipe.begin().expect("a recipe").filter_map(|event| {
        let Process::Client(process) = event.process else {
            return None;
        };
        let ends = event.kind != EventType::Invoke;
        let happened = matches!(event.kind, EventType::Invoke | EventType::Ok);
        let value = match event.value {
            Value::Int(value) => u64::try_from(value).ok(),
            // What was there in the beginning.
            _ if ends => Some(0),
            _ => None,
        };
        happened.then_some(Step {
            process,
            time: event.time.0,
            value,
            writes: event.f == F::Write,
            ends,
        })
    });
    steps.collect()
}

fn judged(judge: &str, steps: &[Step]) -> bool {
    match judge {
        "quorate" => ours(steps),
        "porcupine-rs" => porcupine(steps),
        "todc-utils" => todc(steps),
        _ => stateright(steps),
    }
}

/// Beginnings with their ends, if they have one: process, call, return, value, whether it writes.
fn spans(steps: &[Step]) -> Vec<(u64, u64, Option<u64>, u64, bool)> {
    let mut spans = Vec::new();
    let mut open = std::collections::HashMap::new();
    for step in steps {
        if step.ends {
            let at: usize = open.remove(&step.process).expect("a beginning");
            let span: &mut (u64, u64, Option<u64>, u64, bool) = &mut spans[at];
            span.2 = Some(step.time);
            span.3 = step.value.unwrap_or(0);
        } else {
            open.insert(step.process, spans.len());
            spans.push((
                step.process,
                step.time,
                None,
                step.value.unwrap_or(0),
                step.writes,
            ));
        }
    }
    spans
}

fn ours(steps: &[Step]) -> bool {
    let ops = (0..)
        .zip(spans(steps))
        .map(|(place, (_, call, ret, value, writes))| {
            let value = ValueId(u32::try_from(value).expect("small"));
            RegisterOp {
                call,
                ret: ret.unwrap_or(Trace::NEVER),
                action: if writes {
                    Action::Write(value)
                } else {
                    Action::Read(value)
                },
                status: if ret.is_some() {
                    Status::Ok
                } else {
                    Status::Info
                },
                place,
            }
        });
    zones::judge(&Trace::of(ops.collect()))
        .expect("values are unique")
        .is_linearizable()
}

#[derive(Clone)]
struct Cell;

impl porcupine_rs::Model for Cell {
    type State = u64;
    type Op = (bool, u64);
    type Metadata = ();

    fn init() -> u64 {
        0
    }

    fn step(state: &u64, &(writes, value): &(bool, u64)) -> (bool, u64) {
        if writes {
            (true, value)
        } else {
            (*state == value, *state)
        }
    }
}

fn porcupine(steps: &[Step]) -> bool {
    let operations: Vec<Operation<Cell>> = spans(steps)
        .into_iter()
        .map(|(process, call, ret, value, writes)| Operation {
            client_id: u32::try_from(process).ok(),
            call_time: i64::try_from(call).expect("a time"),
            return_time: ret.map_or(i64::MAX, |ret| i64::try_from(ret).expect("a time")),
            op: (writes, value),
            metadata: None,
        })
        .collect();
    porcupine_rs::check_operations(&operations)
}

struct CellSpec;

impl Specification for CellSpec {
    type State = u64;
    type Operation = (bool, Option<u64>);

    fn init() -> u64 {
        0
    }

    fn apply(&(writes, value): &(bool, Option<u64>), state: &u64) -> (bool, u64) {
        match value {
            Some(value) if writes => (true, value),
            found => (found == Some(*state), *state),
        }
    }
}

fn todc(steps: &[Step]) -> bool {
    let mut numbers = std::collections::HashMap::new();
    let mut actions = Vec::new();
    let mut open = std::collections::BTreeMap::new();
    for step in steps {
        let next = numbers.len();
        let process = *numbers.entry(step.process).or_insert(next);
        let operation = (step.writes, step.value);
        if step.ends {
            open.remove(&process);
            actions.push((process, Moment::Response(operation)));
        } else {
            open.insert(process, operation);
            actions.push((process, Moment::Call(operation)));
        }
    }
    for (process, operation) in open {
        actions.push((process, Moment::Response(operation)));
    }
    WGLChecker::<CellSpec>::is_linearizable(History::from_actions(actions))
}

fn stateright(steps: &[Step]) -> bool {
    let mut tester = LinearizabilityTester::new(Register(0));
    for step in steps {
        let value = step.value.unwrap_or(0);
        let taken = match (step.writes, step.ends) {
            (true, false) => tester.on_invoke(step.process, Asked::Write(value)),
            (false, false) => tester.on_invoke(step.process, Asked::Read),
            (true, true) => tester.on_return(step.process, RegisterRet::WriteOk),
            (false, true) => tester.on_return(step.process, RegisterRet::ReadOk(value)),
        };
        taken.expect("a history");
    }
    tester.is_consistent()
}

/// The most memory that this process had, kB.
fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status.lines().find_map(|text| text.strip_prefix("VmHWM:"));
    let number = found.and_then(|rest| rest.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
