//! The both-ways table in text, and what is wrong with it.

use std::fmt::Write;

use quorate_checkers::Guarantee;
use quorate_node::config::ReadRepair;

use crate::matrix::{COLUMNS, Losses};
use crate::sweep::{Cell, Row};

/// Most breaches that are told with their plans.
const TOLD_MAX: usize = 3;

/// All rows, and the sums below them.
pub(crate) fn table(n: u16, rows: &[Row]) -> String {
    let mut text = format!(
        "N = {n}: I 0/x = impossible, and not seen in x runs that could have shown it; P = possible, and shown by that schedule \
         and in k/x runs\n W R repair   forget skew |"
    );
    for guarantee in COLUMNS {
        let _ = write!(text, " {:<19}|", guarantee.anomaly_name());
    }
    text.push('\n');
    for row in rows {
        let quorums = row.quorums;
        let repair = match quorums.repair {
            ReadRepair::None => "none",
            ReadRepair::Async => "async",
            ReadRepair::Blocking => "blocking",
        };
        let forget = match row.conditions.losses {
            Losses::Nothing => "-".to_owned(),
            losses => losses.forgetful().to_string(),
        };
        let skew = if row.conditions.is_skewed { "yes" } else { "-" };
        let (w, r) = (quorums.w, quorums.r);
        let _ = write!(text, " {w} {r} {repair:<8} {forget:<6} {skew:<4} |");
        for cell in &row.cells {
            let _ = write!(text, " {:<19}|", told(cell));
        }
        text.push('\n');
    }
    text + &sums(n, rows)
}

fn told(cell: &Cell) -> String {
    let Cell { seen, judged, .. } = cell;
    let by = match (cell.schedule, cell.seed) {
        (Some(schedule), _) => schedule.name().to_owned(),
        (None, Some(seed)) => format!("seed {seed}"),
        (None, None) => "GAP".to_owned(),
    };
    match (cell.is_possible, seen) {
        (true, _) => format!("P {by} {seen}/{judged}"),
        (false, 0) => format!("I 0/{judged}"),
        (false, _) => format!("BROKEN {seen}/{judged} {by}"),
    }
}

fn sums(n: u16, rows: &[Row]) -> String {
    let cells = || rows.iter().flat_map(|row| &row.cells);
    let count = |choose: fn(&&Cell) -> bool| cells().filter(choose).count();
    format!(
        "N = {n}: {} rows, {} cells: {} impossible, {} of them broken, {} without a run that could have; {} possible, {} of them \
         unexhibited, {} by schedules, {} by random plans; {} judgements\n",
        rows.len(),
        cells().count(),
        count(|cell| !cell.is_possible),
        count(|cell| !cell.is_possible && cell.seen > 0),
        count(|cell| !cell.is_possible && cell.judged == 0),
        count(|cell| cell.is_possible),
        count(|cell| cell.is_possible && cell.seen == 0),
        count(|cell| cell.is_possible && cell.schedule.is_some()),
        count(|cell| cell.is_possible && cell.seed.is_some()),
        cells().map(|cell| cell.judged).sum::<u64>(),
    )
}

/// What is impossible and happened, and what is possible and did not; empty if there is nothing.
pub(crate) fn wrong(rows: &[Row]) -> String {
    let mut text = String::new();
    let gap = |(cell, _): &(&Cell, Guarantee)| cell.is_possible && cell.seen == 0;
    let idle = |(cell, _): &(&Cell, Guarantee)| !cell.is_possible && cell.judged == 0;
    for row in rows {
        let cells = || row.cells.iter().zip(COLUMNS);
        for (_, guarantee) in cells().filter(gap) {
            let name = guarantee.anomaly_name();
            let _ = writeln!(
                text,
                "gap: {name} is possible and was never seen: {}",
                row.title()
            );
        }
        for (_, guarantee) in cells().filter(idle) {
            let name = guarantee.anomaly_name();
            let _ = writeln!(
                text,
                "idle: no run could have shown {name}: {}",
                row.title()
            );
        }
        for misfit in &row.misfits {
            let _ = writeln!(text, "misfit: {misfit}");
        }
    }
    let breaches: Vec<&String> = rows.iter().flat_map(|row| &row.breaches).collect();
    if !breaches.is_empty() {
        let _ = writeln!(text, "{} breaches:", breaches.len());
    }
    for breach in breaches.into_iter().take(TOLD_MAX) {
        let _ = writeln!(text, "{breach}");
    }
    text
}
