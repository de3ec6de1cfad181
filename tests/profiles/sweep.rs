//! Carries out random plans row by row, and notes in each cell what was seen. A run counts for what it was really exposed to.

use std::fmt::Write;

use quorate::trial::trial;
use quorate_checkers::{Exposure, Ruling};
use rayon::prelude::*;

use crate::draws::draw;
use crate::rows::{COLUMNS, Fault, ROWS, Row};

/// After so many runs whatever is possible must have been seen.
const CASES_MAX: u64 = 400;
/// Most breaches that are told with their plans.
const TOLD_MAX: usize = 2;

/// One cell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    /// Runs in which there was something to judge, and what that was: reads, acknowledged writes, keys.
    runs: u64,
    judged: u64,
    /// Runs that showed the anomaly, and the first of their seeds.
    seen: u64,
    seed: Option<u64>,
    /// Runs that promised that it does not happen.
    promised: u64,
}

/// A row under a fault.
pub(crate) struct Swept {
    row: Row,
    fault: Fault,
    cells: [Cell; COLUMNS.len()],
    /// Runs that were exposed to just this.
    runs: u64,
    breaches: Vec<String>,
}

/// All rows under all faults, with at least so many runs each, and more until what is possible was seen.
pub(crate) fn sweep(cases: u64) -> Vec<Swept> {
    let all: Vec<(Row, usize)> = ROWS
        .into_iter()
        .flat_map(|row| (0..Fault::ALL.len()).map(move |fault| (row, fault)))
        .collect();
    all.into_par_iter()
        .map(|(row, place)| {
            let mut swept = Swept {
                row,
                fault: Fault::ALL[place],
                cells: Default::default(),
                runs: 0,
                breaches: Vec::new(),
            };
            let seeds = 0..CASES_MAX.max(cases);
            for seed in seeds {
                if swept.runs >= cases && swept.has_seen_all() {
                    break;
                }
                swept.run(seed);
            }
            swept
        })
        .collect()
}

impl Swept {
    fn kinds(&self) -> impl Iterator<Item = char> + use<> {
        let place = Fault::ALL.iter().position(|fault| *fault == self.fault);
        self.row.cells[place.unwrap_or(0)].chars()
    }

    fn has_seen_all(&self) -> bool {
        let mut cells = self.kinds().zip(&self.cells);
        cells.all(|(kind, cell)| kind != 'P' || cell.seen > 0)
    }

    fn run(&mut self, seed: u64) {
        let plan = draw(&self.row, self.fault, seed);
        let verdict = trial(&plan).expect("a run").verdict;
        let mut breaches = Vec::new();
        let mut tell = |what: String, row: &quorate_checkers::Row| {
            let told = row.explanations.first();
            let told = told.map(quorate_checkers::Explanation::render);
            breaches.push(format!(
                "{}, {}, seed {seed}: {what}\n{}\n{}\n{}",
                self.row.title,
                self.fault.name(),
                row.promise.reason,
                told.unwrap_or_default(),
                plan.to_json()
            ));
        };
        for row in &verdict.rows {
            if row.ruling == Ruling::Broken {
                let guarantee = row.promise.guarantee;
                tell(format!("{guarantee} was promised"), row);
            }
        }
        if !meets(&self.row, self.fault, &verdict.exposure) {
            self.breaches.append(&mut breaches);
            return;
        }
        let kinds: Vec<char> = self.kinds().collect();
        for ((cell, guarantee), kind) in self.cells.iter_mut().zip(COLUMNS).zip(kinds) {
            let Some(row) = verdict.row(guarantee) else {
                continue;
            };
            let is_seen = row.finding.seen > 0;
            cell.runs += u64::from(is_seen || row.finding.judged > 0);
            cell.judged += row.finding.judged;
            cell.seen += u64::from(is_seen);
            cell.promised += u64::from(row.promise.promised);
            if is_seen {
                cell.seed.get_or_insert(seed);
            }
            if kind == 'I' && is_seen {
                let anomaly = guarantee.anomaly_name();
                tell(format!("{anomaly} although impossible"), row);
            }
            if kind == 'P' && row.promise.promised {
                tell(
                    format!("{guarantee} promised although it may be broken"),
                    row,
                );
            }
        }
        self.breaches.append(&mut breaches);
        self.runs += 1;
    }
}

/// Whether a run was exposed to just this.
fn meets(row: &Row, fault: Fault, exposure: &Exposure) -> bool {
    let is_skewed = !exposure.is_synchronised();
    match fault {
        Fault::Skew => is_skewed && exposure.forgotten == 0,
        Fault::Messages => !is_skewed && exposure.forgotten == 0,
        // Logs of these are synced before anything is acknowledged, so nothing is forgotten.
        Fault::PowerLoss if row.is_led() => !is_skewed,
        Fault::PowerLoss => !is_skewed && exposure.forgotten == 1,
    }
}

/// All rows in text.
pub(crate) fn table(all: &[Swept]) -> String {
    let mut text =
        "I 0/r j = impossible, and not seen in r runs with j judgements, and promised in so many of them; P k/r j s = possible, and seen in k of r runs, first with seed s\n"
            .to_owned();
    for swept in all {
        let (title, fault) = (swept.row.title, swept.fault.name());
        let _ = write!(text, "{title:<40} {fault:<10} {:>4} runs |", swept.runs);
        for (kind, cell) in swept.kinds().zip(&swept.cells) {
            let _ = write!(text, " {:<19}|", told(kind, cell));
        }
        text.push('\n');
    }
    let columns: Vec<&str> = COLUMNS.iter().map(|column| column.anomaly_name()).collect();
    let cells = || all.iter().flat_map(|swept| swept.kinds().zip(&swept.cells));
    let count = |wanted: char| cells().filter(|(kind, _)| *kind == wanted).count();
    let runs: u64 = all.iter().map(|swept| swept.runs).sum();
    let judged: u64 = cells().map(|(_, cell)| cell.judged).sum();
    let _ = writeln!(
        text,
        "columns: {}; {} cells possible, {} impossible, {runs} runs, {judged} judgements",
        columns.join(", "),
        count('P'),
        count('I')
    );
    text
}

fn told(kind: char, cell: &Cell) -> String {
    let Cell {
        runs,
        judged,
        seen,
        seed,
        promised,
    } = cell;
    match (kind, seed) {
        ('I', _) => format!("I {seen}/{runs} {judged} p{promised}"),
        ('P', Some(seed)) => format!("P {seen}/{runs} {judged} s{seed}"),
        ('P', None) => format!("P GAP {runs} {judged}"),
        _ => format!(". {seen}/{runs}"),
    }
}

/// What is wrong with the rows; empty if nothing is.
pub(crate) fn wrong(all: &[Swept]) -> String {
    let mut wrong = String::new();
    for swept in all {
        let (title, fault) = (swept.row.title, swept.fault.name());
        for told in swept.breaches.iter().take(TOLD_MAX) {
            let _ = writeln!(wrong, "{told}");
        }
        for ((kind, cell), column) in swept.kinds().zip(&swept.cells).zip(COLUMNS) {
            let anomaly = column.anomaly_name();
            match kind {
                'P' if cell.seen == 0 => {
                    let runs = cell.runs;
                    let _ = writeln!(
                        wrong,
                        "{title}, {fault}: {anomaly} was not seen in {runs} runs"
                    );
                }
                'I' if cell.runs == 0 => {
                    let _ = writeln!(wrong, "{title}, {fault}: no run could have shown {anomaly}");
                }
                'I' if cell.promised == 0 => {
                    let guarantee = column.name();
                    let _ = writeln!(wrong, "{title}, {fault}: no run promised {guarantee}");
                }
                _ => {}
            }
        }
    }
    wrong
}
