//! What judging sets costs: returned elements per second, against a plain sum over the same lists in the same run.
//!
//! Run it with `cargo bench -p quorate-checkers --bench sets`.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a benchmark measures time; the crate itself does not"
)]

use std::hint::black_box;
use std::time::Instant;

use quorate_checkers::history::Status;
use quorate_checkers::set::{
    FullOptions, SetHistory, SetHistoryBuilder, SetOp, Validity, certificate, full, grow_only,
};

/// Elements, each added once.
const ADDS: u32 = 100_000;
/// Reads of the whole set.
const READS: u32 = 1_000;
/// Clients that read at once.
const READERS: u32 = 5;
/// How often each judge is tried; the best counts.
const ROUNDS: usize = 3;

/// In which order a reply has its elements.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Replies {
    /// As they were added.
    InOrder,
    /// Every reply in another order.
    Shuffled,
    /// As they were added, but each reply lacks one of thousand: lost here, back there.
    Lossy,
}

fn main() {
    println!(
        "{ADDS} adds, {READS} full reads by {READERS} clients: millions of returned elements per second"
    );
    println!(
        "replies   elements     build   plain sum  set-full  against sum  grow-only  against sum  verified"
    );
    for (name, replies) in [
        ("in order", Replies::InOrder),
        ("shuffled", Replies::Shuffled),
        ("lossy", Replies::Lossy),
    ] {
        let began = Instant::now();
        let mut lists = Vec::new();
        let builder = made_up(replies, &mut lists);
        drop(black_box(lists));
        let history = builder.finish();
        let build = began.elapsed().as_secs_f64();
        report(name, replies, &history, build);
    }
}

fn report(name: &str, replies: Replies, history: &SetHistory, build: f64) {
    let count = history.occurrences();
    let millions = f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / 1e6;
    let sum = best(|| {
        let lists = history.reads().iter().map(|read| history.elements(read));
        black_box(
            lists
                .flatten()
                .map(|&element| u64::from(element))
                .sum::<u64>(),
        );
    });
    let sound = replies != Replies::Lossy;
    let elements = best(|| {
        let result = full(history, FullOptions { linearizable: true });
        assert_eq!(result.valid == Validity::Valid, sound, "{result:?}");
    });
    let whole = best(|| {
        let result = grow_only(history);
        assert_eq!(
            result.valid == Validity::Valid,
            sound,
            "{:?}",
            result.violations
        );
    });
    let order = grow_only(history).order;
    let verified =
        order.map(|order| best(|| assert_eq!(certificate::verify(history, &order), Ok(()))));
    let verified = verified.map_or("-".to_owned(), |seconds| {
        format!("{:.0}", millions / seconds)
    });
    println!(
        "{name:<8} {count:>9}  {:>8.0}  {:>10.0}  {:>8.0}  {:>11.2}  {:>9.0}  {:>11.2}  {verified:>8}",
        millions / build,
        millions / sum,
        millions / elements,
        elements / sum,
        millions / whole,
        whole / sum,
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

/// One client adds without a pause; the readers read now and then, and their reads overlap.
fn made_up(replies: Replies, list: &mut Vec<i64>) -> SetHistoryBuilder {
    let mut builder = SetHistory::builder();
    let every = ADDS / READS;
    for element in 0..ADDS {
        let time = u64::from(element) * 10;
        builder.add(
            SetOp::new(Status::Ok, 0, element, time, time + 5),
            i64::from(element),
        );
        list.push(i64::from(element));
        if (element + 1).is_multiple_of(every) {
            let read = element / every;
            if replies == Replies::Shuffled {
                shuffle(list, read);
            }
            // It began before the last add did, and returns while later ones are under way.
            let op = SetOp::new(
                Status::Ok,
                u64::from(1 + read % READERS),
                ADDS + read,
                time.saturating_sub(5),
                time + 5 + u64::from(every * (READERS - 1)) * 10,
            );
            let kept = |element: &i64| {
                replies != Replies::Lossy || !mix(*element, read).is_multiple_of(1000)
            };
            builder.read(op, list.iter().copied().filter(kept));
        }
    }
    builder
}

/// Puts a list into another order, the same for the same seed.
fn shuffle(list: &mut [i64], seed: u32) {
    for at in (1..list.len()).rev() {
        let place = i64::try_from(at).unwrap_or(0);
        let other = mix(place, seed) % (at as u64 + 1);
        list.swap(at, usize::try_from(other).unwrap_or(0));
    }
}

/// A number that depends on both without a pattern.
fn mix(element: i64, seed: u32) -> u64 {
    let mut mixed = element.cast_unsigned().wrapping_add(u64::from(seed) << 32);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
