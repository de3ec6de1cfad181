//! What it costs to say how far from linearizable a register is, against a plain pass over its operations.
//!
//! Run it with `cargo bench -p quorate-checkers --bench distance`.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a benchmark measures time; the crate itself does not"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use quorate_checkers::history::Status;
use quorate_checkers::register::{Action, RegisterOp, Trace, ValueId, ages, distance};

/// How often each is measured; the best counts.
const ROUNDS: usize = 5;
/// Clients that work at once.
const CLIENTS: u64 = 100;

fn main() {
    println!(
        "one key, {CLIENTS} clients, 5 % unknown, every hundredth read stale; best of {ROUNDS} rounds"
    );
    println!(
        "{:>9} {:>10} {:>10} {:>10} {:>10} {:>12}",
        "ops", "pass ms", "gamma ms", "ages ms", "x pass", "gamma ns"
    );
    for operations in [100_000, 1_000_000] {
        let trace = history(operations);
        let pass = best(|| {
            let last = trace.ops.iter().map(|op| op.call.max(op.ret)).max();
            black_box(last);
        });
        let both = best(|| {
            black_box(distance(&trace));
        });
        let aging = best(|| {
            black_box(ages(&trace));
        });
        let gamma = distance(&trace).map_or(0, |distance| distance.gamma);
        println!(
            "{operations:>9} {:>10.2} {:>10.2} {:>10.2} {:>10.0} {gamma:>12}",
            milliseconds(pass),
            milliseconds(both),
            milliseconds(aging),
            milliseconds(both) / milliseconds(pass).max(1e-6),
        );
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn best(mut work: impl FnMut()) -> Duration {
    let mut shortest = Duration::MAX;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        work();
        shortest = shortest.min(began.elapsed());
    }
    shortest
}

/// A register that answers at the end of each span, except that some reads get what was there a while ago.
fn history(operations: u64) -> Trace {
    let mut state = 1_u64;
    let mut below = |bound: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let mut written: Vec<ValueId> = vec![ValueId::INITIAL];
    let mut ops = Vec::new();
    for number in 0..operations {
        // Ends come in order, a microsecond apart; each operation took as long as its client needed.
        let ret = (number + CLIENTS) * 1_000;
        let call = ret - 1 - below(CLIENTS * 1_000);
        let newest = *written.last().unwrap_or(&ValueId::INITIAL);
        let (mut action, mut status) = (Action::Read(newest), Status::Ok);
        match below(200) {
            0 => action = Action::Read(written[written.len().saturating_sub(50)]),
            1..100 => {
                let value = ValueId(u32::try_from(written.len()).unwrap_or(u32::MAX));
                written.push(value);
                action = Action::Write(value);
                if below(20) == 0 {
                    status = Status::Info;
                }
            }
            _ => {}
        }
        ops.push(RegisterOp {
            call,
            ret: if status == Status::Info {
                Trace::NEVER
            } else {
                ret
            },
            action,
            status,
            place: u32::try_from(number).unwrap_or(u32::MAX),
        });
    }
    Trace::of(ops)
}
