//! What judging sessions costs: ns per operation, against one plain pass over the same operations in the same run.
//!
//! Run it with `cargo bench -p quorate-checkers --bench sessions`.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a benchmark measures time; the crate itself does not"
)]

use std::hint::black_box;
use std::time::Instant;

use quorate_checkers::history::Status;
use quorate_checkers::register::ValueId;
use quorate_checkers::session::causal::{self, Model, STEPS_MAX};
use quorate_checkers::session::order::{self, Kind, Rules};
use quorate_checkers::session::{Action, SessionOp, exposed};

/// Operations of each made-up history.
const OPERATIONS: u32 = 1_000_000;
/// Sessions that work at once.
const SESSIONS: u32 = 100;
/// How often each judge is tried; the best counts.
const ROUNDS: usize = 5;

fn main() {
    println!(
        "{OPERATIONS} operations of {SESSIONS} sessions, half of them reads; best of {ROUNDS}"
    );
    println!(
        "keys  history     judge                    ns/operation  seconds  against a plain pass"
    );
    for (keys, stale_in) in [(1, 0), (10, 0), (10, 1_000), (1_000, 0)] {
        let ops = made_up(keys, stale_in);
        let history = if stale_in == 0 { "right" } else { "0.1% stale" };
        let plain = best(|| {
            let sum = ops
                .iter()
                .map(|op| op.call ^ op.ret ^ u64::from(op.action.value().0));
            black_box(sum.fold(0, u64::wrapping_add));
        });
        let row = |judge: &str, seconds: f64| {
            let each = seconds * 1e9 / f64::from(OPERATIONS);
            println!(
                "{keys:<5} {history:<11} {judge:<24} {each:>12.1}  {seconds:>7.3}  {:>6.0} x",
                seconds / plain
            );
        };
        row("a plain pass", plain);
        for (name, model) in [
            ("causal consistency", Model::Causal),
            ("causal convergence", Model::Convergent),
        ] {
            let seconds = best(|| {
                let report = causal::judge(&ops, model, STEPS_MAX).expect("few sessions");
                assert_eq!(report.bad.is_empty(), stale_in == 0);
            });
            row(name, seconds);
        }
        if keys > 1 {
            continue;
        }
        for (name, rules) in [
            ("all four, black box", Rules::ALL),
            ("read your writes", Rules::of(Kind::ReadYourWrites, true)),
        ] {
            row(
                name,
                best(|| assert_eq!(order::judge(&ops, &rules).violations, [])),
            );
        }
        let versions: Vec<Option<u32>> = ops.iter().map(|op| Some(op.action.value().0)).collect();
        row(
            "all four, versions told",
            best(|| assert_eq!(exposed::judge(&ops, &versions).violations, [])),
        );
    }
}

/// Every operation takes effect at once, except that one read in `stale_in` returns what was there long before.
fn made_up(keys: u32, stale_in: u32) -> Vec<SessionOp> {
    let mut state = 1_u64;
    let mut below = |end: u32| {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        u32::try_from((state >> 33) % u64::from(end)).expect("below a small number")
    };
    let mut held = vec![0_u32; keys as usize];
    (0..OPERATIONS)
        .map(|place| {
            let key = below(keys);
            let value = &mut held[key as usize];
            let action = if below(2) == 0 {
                *value += 1;
                Action::Write(ValueId(*value))
            } else if stale_in > 0 && below(stale_in) == 0 {
                Action::Read(ValueId(value.saturating_sub(50)))
            } else {
                Action::Read(ValueId(*value))
            };
            SessionOp {
                process: below(SESSIONS),
                key,
                action,
                call: u64::from(place) * 10,
                ret: u64::from(place) * 10 + 5,
                status: Status::Ok,
                place,
            }
        })
        .collect()
}

/// The shortest time, seconds.
fn best(mut work: impl FnMut()) -> f64 {
    let times = (0..ROUNDS).map(|_| {
        let began = Instant::now();
        work();
        began.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}
