//! Sessions and causality: operations of all keys to those of sessions, and what their judges found to reports.
//!
//! A session is a process. Versions are told apart by their values, so values that repeat leave a key undecided.

use std::collections::BTreeSet;

use super::register::written_or_read;
use super::report::{Answer, KeyReport};
use super::subject::{KeyOperations, Subject};
use super::values::Values;
use crate::history::Status;
use crate::log::Datum;
use crate::register::ValueId;
use crate::session::causal;
use crate::session::{Action, Kind, Rules, SessionOp, explain, order};

/// The four guarantees by their names.
pub(super) const GUARANTEES: [(Kind, &str); 4] = [
    (Kind::ReadYourWrites, "read-your-writes"),
    (Kind::MonotonicReads, "monotonic-reads"),
    (Kind::MonotonicWrites, "monotonic-writes"),
    (Kind::WritesFollowReads, "writes-follow-reads"),
];

/// Judges the four session guarantees of one key.
pub(super) fn judge(subject: &Subject<'_>, key: &KeyOperations) -> Vec<KeyReport> {
    let (name, places) = key;
    let ops = operations(subject, 0, places);
    let all = GUARANTEES.iter().map(|&(kind, part)| {
        let mut report = KeyReport::new(name.as_ref(), "versions");
        report.part = Some(part);
        let Some(ops) = &ops else {
            return report.repeating(places.len());
        };
        let rules = Rules::of(kind, false);
        let found = order::judge(ops, &rules);
        report.judged = ops.len() as u64;
        report.evidence = found.judged;
        report.steps = report.judged;
        report.seen = found.violations.len() as u64;
        if found.judged == 0 {
            return report.undecided("no session did two things that this guarantee speaks of");
        }
        if found.violations.is_empty() {
            return report;
        }
        report.answer = Answer::Broken;
        let value = |place: usize| written_or_read(subject, place);
        for &violation in found
            .violations
            .iter()
            .take(subject.options.explained_max())
        {
            if let Some(tale) = explain(ops, &rules, violation, &value) {
                report
                    .anomalies
                    .push(subject.anomaly(&format!("not {part}"), name.as_ref(), tale));
            }
        }
        report
    });
    all.collect()
}

/// Judges causal consistency and causal convergence of all keys together.
pub(super) fn judge_causal(subject: &Subject<'_>, keys: &[KeyOperations]) -> Vec<KeyReport> {
    let mut ops = Vec::new();
    let mut repeats = false;
    for (number, (_, places)) in (0..).zip(keys) {
        match operations(subject, number, places) {
            Some(more) => ops.extend(more),
            None => repeats = true,
        }
    }
    ops.sort_by_key(|op| op.place);
    let parts = [
        (causal::Model::Causal, "causal-consistency"),
        (causal::Model::Convergent, "causal-convergence"),
    ];
    let all = parts.iter().map(|&(model, part)| {
        let mut report = KeyReport::new(None, "vector clocks");
        report.part = Some(part);
        if repeats {
            return report.repeating(subject.operations.len());
        }
        let Some(found) = causal::judge(&ops, model, causal::STEPS_MAX) else {
            return report
                .undecided("too many sessions for the number of reads: judge shorter spans");
        };
        report.judged = ops.len() as u64;
        report.evidence = found.judged;
        report.steps = report.judged;
        report.seen = found.bad.len() as u64;
        if found.judged == 0 {
            return report.undecided("no read returned a value");
        }
        if found.bad.is_empty() {
            return report;
        }
        report.answer = Answer::Broken;
        let value = |place: usize| written_or_read(subject, place);
        for &bad in found.bad.iter().take(subject.options.explained_max()) {
            if let Some(tale) = causal::explain(&ops, model, bad, &value) {
                report
                    .anomalies
                    .push(subject.anomaly(bad.pattern.name(), None, tale));
            }
        }
        report
    });
    all.collect()
}

impl KeyReport {
    fn repeating(mut self, operations: usize) -> KeyReport {
        // There was something to judge, and it was not judged.
        self.evidence = operations as u64;
        self.undecided("values repeat, so versions cannot be told apart: let clients write values that never repeat")
    }
}

/// The operations of a key; none if a value was written twice.
fn operations(subject: &Subject<'_>, key: u32, places: &[usize]) -> Option<Vec<SessionOp>> {
    let mut values = Values::default();
    let mut written: BTreeSet<ValueId> = BTreeSet::new();
    let nil_is_initial = subject.nil_is_initial(places);
    let mut ops = Vec::with_capacity(places.len());
    let mut unread = 0_usize;
    for &place in places {
        let operation = &subject.operations[place];
        let action = match &*operation.f {
            "read" if operation.status != Status::Ok => continue,
            "read" => {
                let value = subject.result(operation);
                if value.is_nil() && !nil_is_initial {
                    continue;
                }
                Action::Read(values.id(value))
            }
            "delete" => {
                unread += 1;
                Action::Write(values.id(&Datum::Symbol(format!("deleted {unread}").into())))
            }
            _ => {
                let value = values.id(subject.argument(operation));
                if value == ValueId::INITIAL || !written.insert(value) {
                    return None;
                }
                Action::Write(value)
            }
        };
        let call = subject.call(operation);
        ops.push(SessionOp {
            process: subject.session(place),
            key,
            action,
            call,
            ret: subject.ret(operation).max(call),
            status: operation.status,
            place: u32::try_from(place).unwrap_or(u32::MAX),
        });
    }
    Some(ops)
}
