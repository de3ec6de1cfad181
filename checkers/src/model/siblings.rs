//! Stores that keep siblings: operations of one key to those of siblings, and what their judge found to a report.
//!
//! Reads return collections. What a write had read is in the field `context` of its invocation, or else what its process last read.

use std::collections::BTreeSet;

use super::error::ModelError;
use super::register::written_or_read;
use super::report::{ANOMALIES_KEPT_MAX, Answer, KeyReport};
use super::subject::Subject;
use super::values::Values;
use crate::history::Status;
use crate::log::{Datum, LogOperation};
use crate::register::ValueId;
use crate::siblings::{Action, Kind, SiblingOp, judge as judge_siblings, tell};

/// Judges one key.
pub(super) fn judge(
    subject: &Subject<'_>,
    key: Option<&Datum>,
    places: &[usize],
) -> Result<KeyReport, ModelError> {
    let mut report = KeyReport::new(key, "contexts");
    report.judged = places.len() as u64;
    report.steps = report.judged;
    let Some(ops) = operations(subject, places)? else {
        report.evidence = report.judged;
        return Ok(report.undecided("values repeat, so writes cannot be told apart: let clients write values that never repeat"));
    };
    let found = judge_siblings(&ops, None);
    report.evidence = found.reads;
    report.seen = found.violations.len() as u64;
    report.summary.push(format!(
        "{} acknowledged values looked for in the end; at most {} siblings; {} reads with more siblings than clients who wrote them",
        found.acknowledged, found.siblings_max, found.crowded_reads
    ));
    report.result = serde_json::to_value(&found).ok();
    if found.violations.is_empty() {
        let is_acked = |op: &SiblingOp| {
            op.status == Status::Ok && matches!(op.action, Action::Write { value: Some(_), .. })
        };
        return Ok(if ops.iter().any(is_acked) && found.acknowledged == 0 {
            report.undecided("no read began after all that was acknowledged, so nobody knows what was kept: read every key in the end")
        } else if found.reads == 0 {
            report.undecided("no read returned anything")
        } else {
            report
        });
    }
    report.answer = Answer::Broken;
    let value = |place: usize| written_or_read(subject, place);
    for violation in found.violations.iter().take(ANOMALIES_KEPT_MAX) {
        let tale = tell(&ops, violation, &value);
        report
            .anomalies
            .push(subject.anomaly(name(violation.kind), key, tale));
    }
    Ok(report)
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::AcknowledgedValueDropped => "acknowledged-value-dropped",
        Kind::StaleRead => "stale-read",
        Kind::Inversion => "inversion",
        Kind::ResurrectedDelete => "resurrected-delete",
        Kind::SiblingExplosion => "sibling-explosion",
    }
}

/// The operations of a key; none if a value was written twice.
fn operations(
    subject: &Subject<'_>,
    places: &[usize],
) -> Result<Option<Vec<SiblingOp>>, ModelError> {
    let mut values = Values::default();
    let mut written: BTreeSet<ValueId> = BTreeSet::new();
    let mut ops = Vec::with_capacity(places.len());
    for &place in places {
        let operation = &subject.operations[place];
        let argument = subject.argument(operation);
        let action = match &*operation.f {
            "read" if operation.status != Status::Ok => continue,
            "read" => Action::Read(returned(subject, operation, &mut values)?),
            "write" if !argument.is_nil() => {
                let value = values.id(argument);
                if !written.insert(value) {
                    return Ok(None);
                }
                Action::Write {
                    value: Some(value.0),
                    context: context(subject, operation, &mut values),
                }
            }
            _ => Action::Write {
                value: None,
                context: context(subject, operation, &mut values),
            },
        };
        let call = subject.call(operation);
        ops.push(SiblingOp {
            process: subject.session(place),
            key: 0,
            action,
            call,
            ret: subject.ret(operation).max(call),
            status: operation.status,
            place: u32::try_from(place).unwrap_or(u32::MAX),
        });
    }
    Ok(Some(ops))
}

fn returned(
    subject: &Subject<'_>,
    operation: &LogOperation,
    values: &mut Values,
) -> Result<Vec<u32>, ModelError> {
    let result = subject.result(operation);
    if result.is_nil() {
        return Ok(Vec::new());
    }
    match result.elements() {
        Some(siblings) => Ok(siblings
            .iter()
            .map(|sibling| values.id(sibling).0)
            .collect()),
        None => Err(subject.bad_result(
            operation,
            "a read of siblings returns a collection: correct the value",
        )),
    }
}

/// What a request said it had read.
fn context(
    subject: &Subject<'_>,
    operation: &LogOperation,
    values: &mut Values,
) -> Option<Vec<u32>> {
    let context = subject.log.events[operation.invocation].extra("context")?;
    let siblings = context.elements()?;
    Some(
        siblings
            .iter()
            .map(|sibling| values.id(sibling).0)
            .collect(),
    )
}
