//! What the search for values that repeat costs: one register of five values, many clients, against checking the order that it finds.
//!
//! Run it with `cargo bench -p quorate-checkers --bench frontier`.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a benchmark measures time; the crate itself does not"
)]

use std::time::{Duration, Instant};

use quorate_checkers::history::Status;
use quorate_checkers::register::frontier::{Answer, Budget, search};
use quorate_checkers::register::{Action, Order, RegisterOp, Trace, ValueId, verify};

/// How often each is judged; the best counts.
const ROUNDS: usize = 5;
/// Different histories of each kind; the slowest and the median are told.
const SEEDS: u64 = 5;

fn main() {
    println!(
        "rand-int-5 register, 50 % reads; times of {SEEDS} histories each, best of {ROUNDS} rounds"
    );
    println!(
        "{:>7} {:>7} {:>7} {:>5} {:>8} {:>10} {:>10} {:>7} {:>9} {:>9}",
        "ops",
        "clients",
        "unknown",
        "cas",
        "kind",
        "median ms",
        "worst ms",
        "widest",
        "steps",
        "x verify"
    );
    for (operations, clients) in [
        (1_000, 10),
        (1_000, 20),
        (1_000, 30),
        (300, 50),
        (100_000, 10),
    ] {
        for unknown in [0, 5] {
            for swaps in [0, 20] {
                for corrupted in [false, true] {
                    if operations > 1_000 && unknown > 0 {
                        continue;
                    }
                    row(Shape {
                        operations,
                        clients,
                        unknown,
                        swaps,
                        corrupted,
                    });
                }
            }
        }
    }
}

/// What a history is made of.
#[derive(Clone, Copy)]
struct Shape {
    operations: u64,
    clients: u64,
    /// Share of writes of unknown outcome, percent.
    unknown: u64,
    /// Share of compare-and-sets, percent.
    swaps: u64,
    /// Whether one read in the last tenth returns what it should not.
    corrupted: bool,
}

fn row(shape: Shape) {
    let mut times = Vec::new();
    let (mut widest, mut steps, mut undecided) = (0, 0, 0);
    let mut verifying = Duration::ZERO;
    for seed in 0..SEEDS {
        let trace = history(&mut Dice(seed), shape);
        let (answer, effort) = search(&trace, Budget::default());
        widest = widest.max(effort.widest);
        steps = steps.max(effort.steps);
        undecided += u64::from(matches!(answer, Answer::Undecided(_)));
        times.push(best(|| {
            assert_eq!(search(&trace, Budget::default()).1, effort);
        }));
        if let Answer::Linearizable(order) = &answer {
            verifying = verifying.max(best(|| assert_eq!(verify(&trace, order), Ok(()))));
        } else {
            let nothing = Order::default();
            verifying = verifying.max(best(|| assert!(verify(&trace, &nothing).is_err())));
        }
    }
    times.sort_unstable();
    let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
    println!(
        "{:>7} {:>7} {:>6}% {:>4}% {:>8} {:>10.2} {:>10.2} {:>7} {:>9} {:>9.0}{}",
        shape.operations,
        shape.clients,
        shape.unknown,
        shape.swaps,
        if shape.corrupted { "changed" } else { "valid" },
        median.as_secs_f64() * 1e3,
        worst.as_secs_f64() * 1e3,
        widest,
        steps,
        median.as_secs_f64() / verifying.as_secs_f64().max(1e-9),
        if undecided > 0 {
            format!("  {undecided} undecided")
        } else {
            String::new()
        },
    );
}

fn best(mut work: impl FnMut()) -> Duration {
    let mut shortest = Duration::MAX;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        work();
        shortest = shortest.min(began.elapsed());
        if shortest > Duration::from_secs(1) {
            break;
        }
    }
    shortest
}

/// Clients in closed loops; each operation takes effect at a moment within its span, of those of unknown outcome half later and half never.
fn history(dice: &mut Dice, shape: Shape) -> Trace {
    let mut free: Vec<u64> = (0..shape.clients).map(|_| dice.below(1_000)).collect();
    let mut drafts: Vec<(u64, RegisterOp)> = Vec::new();
    for _ in 0..shape.operations {
        let client = (0..free.len())
            .min_by_key(|&client| free[client])
            .unwrap_or(0);
        let call = free[client] + 1 + dice.below(50);
        let ret = call + 1 + dice.below(1_000);
        free[client] = ret;
        let value = ValueId(u32::try_from(dice.below(5)).unwrap_or(0));
        let mut op = RegisterOp {
            call,
            ret,
            action: Action::Read(value),
            status: Status::Ok,
            place: 0,
        };
        let mut takes = call + dice.below(ret - call + 1);
        if !dice.percent(50) {
            op.action = Action::Write(value);
            if dice.percent(2 * shape.swaps) {
                let expected = ValueId(u32::try_from(dice.below(5)).unwrap_or(0));
                op.action = Action::Cas {
                    expected,
                    new: value,
                };
            }
            if dice.percent(shape.unknown) {
                op.status = Status::Info;
                op.ret = Trace::NEVER;
                takes = if dice.percent(50) {
                    u64::MAX
                } else {
                    call + dice.below(20_000)
                };
            }
        }
        drafts.push((takes, op));
    }
    answer(dice, shape, drafts)
}

fn answer(dice: &mut Dice, shape: Shape, mut drafts: Vec<(u64, RegisterOp)>) -> Trace {
    drafts.sort_by_key(|(takes, _)| *takes);
    let mut held = ValueId::INITIAL;
    for (takes, op) in &mut drafts {
        match &mut op.action {
            _ if *takes == u64::MAX => {}
            Action::Read(seen) => *seen = held,
            Action::Write(new) => held = *new,
            Action::Cas { expected, new } if *expected == held => held = *new,
            // It fails: Jepsen's registers leave it out.
            Action::Cas { .. } => {
                op.status = if op.ret == Trace::NEVER {
                    Status::Info
                } else {
                    Status::Fail
                }
            }
        }
    }
    let mut ops: Vec<RegisterOp> = drafts.into_iter().map(|(_, op)| op).collect();
    ops.retain(|op| op.status != Status::Fail);
    ops.sort_by_key(|op| op.call);
    for (place, op) in (0_u32..).zip(&mut ops) {
        op.place = place;
    }
    if shape.corrupted {
        let from = ops.len() * 9 / 10;
        let late = ops[from..].iter_mut().find_map(|op| match &mut op.action {
            Action::Read(value) => Some(value),
            _ => None,
        });
        if let Some(value) = late {
            value.0 = (value.0 + 1 + u32::try_from(dice.below(4)).unwrap_or(0)) % 5;
        }
    }
    Trace::of(ops)
}

/// `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound.max(1)
    }

    fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}
