//! Carries out schedules and random plans row by row, on all cores, and notes in each cell what was seen.
//!
//! A run counts for the row of the conditions that it was really exposed to. It says what happened and not what should have.

use quorate::plan::Plan;
use quorate::trial::trial;
use quorate_checkers::Verdict;
use rayon::prelude::*;

use crate::draws::draw;
use crate::matrix::{COLUMNS, Conditions, Quorums, is_possible};
use crate::schedules::Schedule;

/// One cell: an anomaly in a row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    /// Whether theory calls it possible.
    pub(crate) is_possible: bool,
    /// The first schedule that showed it.
    pub(crate) schedule: Option<Schedule>,
    /// The first seed of a random plan that showed it.
    pub(crate) seed: Option<u64>,
    /// Runs in which there was something to judge.
    pub(crate) judged: u64,
    /// Runs that showed it.
    pub(crate) seen: u64,
}

/// One row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) quorums: Quorums,
    pub(crate) conditions: Conditions,
    /// One cell per column.
    pub(crate) cells: [Cell; COLUMNS.len()],
    /// Runs that showed what is impossible under the conditions that they were exposed to.
    pub(crate) breaches: Vec<String>,
    /// Schedules that were exposed to other conditions than they were made for.
    pub(crate) misfits: Vec<String>,
}

/// Tries everything on these rows; `cases` says how many random plans a row gets.
pub(crate) fn sweep(
    rows: &[(Quorums, Conditions)],
    cases: impl Fn(usize) -> u64 + Sync,
) -> Vec<Row> {
    let numbered = rows.par_iter().enumerate();
    numbered
        .map(|(number, &(quorums, conditions))| {
            let mut row = Row::new(quorums, conditions);
            for schedule in Schedule::ALL {
                if let Some(plan) = schedule.plan(quorums, conditions) {
                    row.try_schedule(schedule, &plan);
                }
            }
            for seed in 0..cases(number) {
                row.try_draw(seed);
            }
            row
        })
        .collect()
}

impl Row {
    /// A row about which nothing is known yet.
    pub(crate) fn new(quorums: Quorums, conditions: Conditions) -> Row {
        let cells = COLUMNS.map(|guarantee| Cell {
            is_possible: is_possible(quorums, conditions, guarantee),
            ..Cell::default()
        });
        Row {
            quorums,
            conditions,
            cells,
            breaches: Vec::new(),
            misfits: Vec::new(),
        }
    }

    /// Carries out a schedule.
    pub(crate) fn try_schedule(&mut self, schedule: Schedule, plan: &Plan) {
        let verdict = trial(plan).expect("a run").verdict;
        let met = Conditions::of(&verdict.exposure);
        if met != self.conditions {
            let told = format!("{} for {} met {met}", schedule.name(), self.title());
            self.misfits.push(told);
        }
        self.note(plan, &verdict, |cell| {
            cell.schedule.get_or_insert(schedule);
        });
    }

    fn try_draw(&mut self, seed: u64) {
        let plan = draw(self.quorums, self.conditions, seed);
        let verdict = trial(&plan).expect("a run").verdict;
        self.note(&plan, &verdict, |cell| {
            cell.seed.get_or_insert(seed);
        });
    }

    /// Notes what a run showed, and against the theory if it must be.
    fn note(&mut self, plan: &Plan, verdict: &Verdict, name: impl Fn(&mut Cell)) {
        let met = Conditions::of(&verdict.exposure);
        for (cell, guarantee) in self.cells.iter_mut().zip(COLUMNS) {
            let Some(row) = verdict.row(guarantee) else {
                continue;
            };
            let is_seen = row.finding.seen > 0;
            if is_seen && !is_possible(self.quorums, met, guarantee) {
                let told = row.explanations.first();
                let told = told.map(quorate_checkers::Explanation::render);
                self.breaches.push(format!(
                    "{}: {} although impossible\n{}\n{}",
                    self.quorums,
                    guarantee.anomaly_name(),
                    told.unwrap_or_default(),
                    plan.to_json()
                ));
            }
            if met == self.conditions {
                cell.judged += u64::from(is_seen || row.finding.judged > 0);
                cell.seen += u64::from(is_seen);
                if is_seen {
                    name(cell);
                }
            }
        }
    }

    /// What the row is about.
    pub(crate) fn title(&self) -> String {
        format!("{}, {}", self.quorums, self.conditions)
    }
}
