//! The oracle, proven both ways: what the theory of quorums calls impossible never happens in the simulated world, and
//! what it calls possible does, for every W and R of three and of five replicas.
//!
//! The theory is transcribed in `matrix.rs`, cell by cell, and not computed by the formulas of the contract. Every row is given
//! to the shortest schedules and to random plans. By default a small part of all that is run; the whole, with the table, is
//! `QUORATE_CASES=30 cargo test --release -p quorate --test oracle -- --nocapture`: so many random plans per row.
//! Nothing here judges: the verdicts are those of `quorate check`.

#[path = "oracle/defects.rs"]
mod defects;
#[path = "oracle/draws.rs"]
mod draws;
#[path = "oracle/matrix.rs"]
mod matrix;
#[path = "oracle/promises.rs"]
mod promises;
#[path = "oracle/schedules.rs"]
mod schedules;
#[path = "oracle/sweep.rs"]
mod sweep;
#[path = "oracle/table.rs"]
mod table;

use matrix::{Conditions, Quorums};
use sweep::{Row, sweep};
use table::{table, wrong};

/// Random plans per row if nobody asks for more.
const CASES: u64 = 1;
/// Of the rows of five replicas, and of the random plans, only one in so many if nobody asks for more.
const SAMPLE: usize = 11;

/// How many random plans per row were asked for.
fn cases_asked() -> Option<u64> {
    let asked = std::env::var("QUORATE_CASES").ok()?;
    Some(asked.parse().expect("QUORATE_CASES is a number of cases"))
}

/// Everything that is to be judged for `n` replicas.
fn rows(n: u16) -> Vec<(Quorums, Conditions)> {
    Quorums::all(n)
        .flat_map(|quorums| Conditions::all(n).map(move |conditions| (quorums, conditions)))
        .collect()
}

/// Everything that was asked for, of `n` replicas: all rows, or a sample of them if nobody asked and there are many.
fn swept(n: u16) -> Vec<Row> {
    let mut rows = rows(n);
    if let Some(cases) = cases_asked() {
        return sweep(&rows, |_| cases);
    }
    if n > 3 {
        rows = rows.into_iter().step_by(SAMPLE).collect();
    }
    sweep(&rows, |row| if row % SAMPLE == 0 { CASES } else { 0 })
}

#[test]
fn three_replicas() {
    let rows = swept(3);
    if cases_asked().is_some() {
        println!("{}", table(3, &rows));
    }
    let wrong = wrong(&rows);
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn five_replicas() {
    let rows = swept(5);
    if cases_asked().is_some() {
        println!("{}", table(5, &rows));
    }
    let wrong = wrong(&rows);
    assert!(wrong.is_empty(), "{wrong}");
}
