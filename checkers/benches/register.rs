//! What the judges of registers cost, certificate included, against a plain pass over the same operations in the same run.
//!
//! Run it with `cargo bench -p quorate-checkers --bench register`.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a benchmark measures time; the crate itself does not"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use quorate_checkers::history::Status;
use quorate_checkers::register::{
    Action, Answer, RegisterOp, Trace, ValueId, chains, verify, zones,
};

/// How often each is measured; the best counts.
const ROUNDS: usize = 7;
/// Clients that work at once.
const CLIENTS: usize = 100;

fn main() {
    println!("one key, {CLIENTS} clients, 5 % unknown; ns per operation, best of {ROUNDS} rounds");
    println!(
        "{:<32} {:>10} {:>7} {:>7} {:>7} {:>8}",
        "trace", "ops", "pass", "judge", "verify", "x pass"
    );
    for count in [100_000, 1_000_000, 10_000_000] {
        row("reads and writes, right", &trace(count, 0, false));
        row("reads and writes, 1 read stale", &trace(count, 1, false));
        row(
            "reads and writes, 1 % stale",
            &trace(count, count / 100, false),
        );
        row("compare-and-sets, right", &trace(count, 0, true));
    }
}

fn row(name: &str, trace: &Trace) {
    let has_sets = trace
        .ops
        .iter()
        .any(|op| matches!(op.action, Action::Cas { .. }));
    let judge = if has_sets {
        chains::judge
    } else {
        zones::judge
    };
    let pass = best(|| {
        let sum = |sum: u64, op: &RegisterOp| sum ^ op.call ^ op.ret;
        black_box(trace.ops.iter().fold(0, sum));
    });
    let judged = best(|| {
        black_box(judge(trace).is_ok());
    });
    let answer = judge(trace);
    let verified = best(|| {
        if let Ok(Answer::Linearizable(order)) = &answer {
            assert_eq!(verify(trace, order), Ok(()));
        }
    });
    let count = trace.ops.len();
    println!(
        "{name:<32} {count:>10} {:>7.1} {:>7.1} {:>7.1} {:>8.1}",
        per(pass, count),
        per(judged, count),
        per(verified, count),
        per(judged, count) / per(pass, count)
    );
}

#[expect(clippy::cast_precision_loss, reason = "a figure to be read")]
fn per(time: Duration, count: usize) -> f64 {
    time.as_nanos() as f64 / count as f64
}

fn best(mut work: impl FnMut()) -> Duration {
    let times = (0..ROUNDS).map(|_| {
        let began = Instant::now();
        work();
        began.elapsed()
    });
    times.min().unwrap_or_default()
}

/// `SplitMix64`.
fn dice(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A closed loop: every client asks again as soon as it is answered, and every operation takes effect at one moment of its span.
/// `stale` reads return what was there a thousand changes before.
fn trace(count: usize, stale: usize, has_sets: bool) -> Trace {
    let mut seed = 7;
    let mut free = [0_u64; CLIENTS];
    let mut steps = Vec::with_capacity(count);
    for turn in 0..count {
        let client = turn % CLIENTS;
        let call = free[client] + dice(&mut seed) % 50;
        let moment = call + 1 + dice(&mut seed) % 1_000;
        let ret = moment + 1 + dice(&mut seed) % 1_000;
        free[client] = ret + 1;
        steps.push((moment, call, ret, dice(&mut seed) % 200));
    }
    steps.sort_unstable();
    let every = count.checked_div(stale).unwrap_or(usize::MAX);
    let mut due = every / 2;
    let mut states = vec![0_u32];
    let mut ops = Vec::with_capacity(count);
    let mut written = 0;
    for (turn, (_, call, ret, kind)) in steps.into_iter().enumerate() {
        let now = ValueId(states[states.len() - 1]);
        let mut op = RegisterOp {
            call,
            ret,
            action: Action::Read(now),
            status: Status::Ok,
            place: u32::try_from(turn).unwrap_or(u32::MAX),
        };
        if kind < 100 {
            written += 1;
            let new = ValueId(written);
            op.action = if has_sets && kind < 50 {
                Action::Cas { expected: now, new }
            } else {
                Action::Write(new)
            };
            if kind.is_multiple_of(20) {
                (op.status, op.ret) = (Status::Info, Trace::NEVER);
            }
            // Half of those of unknown outcome never happened.
            if op.status == Status::Ok || kind.is_multiple_of(40) {
                states.push(written);
            }
        } else if turn >= due && states.len() > 1_000 {
            due = turn.saturating_add(every);
            op.action = Action::Read(ValueId(states[states.len() - 1_000]));
        }
        ops.push(op);
    }
    Trace::of(ops)
}
