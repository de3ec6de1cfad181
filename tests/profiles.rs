//! The profiles, proven both ways in the simulated world: what the theory page calls impossible of a known store is never seen of its
//! profile, and what it calls possible is, per profile, level and fault; what two data centres can do while they are cut apart; and
//! stores with a leader beside those without one.
//!
//! The tables are transcribed in `rows.rs` and `centres.rs`, cell by cell. `cargo test --release -p quorate --test profiles -- --nocapture`
//! prints them with the number of runs and judgements behind each cell; `QUORATE_CASES=300` asks for so many runs per row at least.
//! Nothing here judges: the verdicts are those of `quorate check`.

#[path = "profiles/centres.rs"]
mod centres;
#[path = "profiles/draws.rs"]
mod draws;
#[path = "profiles/rows.rs"]
mod rows;
#[path = "profiles/schedules.rs"]
mod schedules;
#[path = "profiles/side_by_side.rs"]
mod side_by_side;
#[path = "profiles/sweep.rs"]
mod sweep;

use sweep::{sweep, table, wrong};

/// Runs per row and fault if nobody asks for more.
const CASES: u64 = 24;

/// How many runs per row were asked for.
fn cases() -> u64 {
    match std::env::var("QUORATE_CASES") {
        Ok(asked) => asked.parse().expect("QUORATE_CASES is a number of cases"),
        Err(_) => CASES,
    }
}

#[test]
fn profiles_do_what_the_table_calls_possible_and_nothing_else() {
    let swept = sweep(cases());
    println!("{}", table(&swept));
    let wrong = wrong(&swept);
    assert!(wrong.is_empty(), "{wrong}");
}
