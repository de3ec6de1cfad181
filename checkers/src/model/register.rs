//! Registers: operations of one key to a trace, and what the judge of traces says back to words.

use super::error::ModelError;
use super::options::{FailedCas, NilReads};
use super::report::{ANOMALIES_KEPT_MAX, Answer, KeyReport};
use super::subject::{Subject, Unit};
use super::values::Values;
use crate::explain::words::duration;
use crate::history::Status;
use crate::log::{Datum, LogOperation};
use crate::register::frontier::Budget;
use crate::register::{
    Action, Age, Judgement, Kind, RegisterOp, Trace, ValueId, ages, decide_within,
};
use crate::statistics::{Bucket, Distribution, Quantiles, Rate};
use crate::tale::Tale;

/// Judges one key.
pub(super) fn judge(
    subject: &Subject<'_>,
    key: Option<&Datum>,
    places: &[usize],
) -> Result<KeyReport, ModelError> {
    let mut reading = Reading {
        subject,
        values: Values::default(),
        refused: Vec::new(),
        trace: Trace::default(),
    };
    for &place in places {
        reading.take(place)?;
    }
    let Reading { refused, trace, .. } = reading;
    let evidence = trace.ops.iter().filter(|op| tells(op)).count() as u64;
    let usual = Budget::default();
    let steps = subject.options.steps.unwrap_or(usual.steps);
    let decision = decide_within(&trace, Budget { steps, ..usual });
    let mut report = KeyReport::new(key, decision.algorithm.name());
    report.judged = decision.operations;
    report.evidence = evidence;
    report.steps = decision.steps;
    match decision.judgement {
        Judgement::Linearizable(_) if evidence == 0 => {
            report.answer = Answer::Undecided;
            let why = "no read returned a value and no compare-and-set took place, so nothing could be seen";
            report.why = Some(why.to_owned());
        }
        Judgement::Linearizable(_) => {}
        Judgement::Undecided(why) => {
            report.answer = Answer::Undecided;
            report.why = Some(why);
        }
        Judgement::Violated(violations) => {
            report.answer = Answer::Broken;
            report.seen = Kind::ALL.iter().map(|&kind| violations.count(kind)).sum();
            if let Some(ages) = ages(&trace) {
                tell_ages(&mut report, &ages, subject.unit());
            }
            let value = |place: usize| written_or_read(subject, place);
            for violation in &violations.kept {
                let tale = violation.tell(&trace, &value);
                report
                    .anomalies
                    .push(subject.anomaly(violation.kind().name(), key, tale));
            }
        }
    }
    for place in refused {
        report.answer = Answer::Broken;
        report.why = None;
        report.seen += 1;
        if report.anomalies.len() < ANOMALIES_KEPT_MAX {
            let tale = refused_wrongly(subject, place);
            report
                .anomalies
                .push(subject.anomaly("refused-although-equal", key, tale));
        }
    }
    Ok(report)
}

/// Tells how old what the reads returned was, in versions and in time: the least that the order of events allows.
fn tell_ages(report: &mut KeyReport, ages: &[Age], unit: Unit) {
    let (mut versions, mut late) = (Distribution::default(), Distribution::default());
    for age in ages {
        versions.add(age.versions);
        if age.late > 0 {
            late.add(age.late);
        }
    }
    let old = Rate::new(late.total(), versions.total());
    report.summary.push(format!(
        "reads that a newer acknowledged version preceded: {} of {}, {old}",
        old.seen, old.of
    ));
    let (versions, late_by) = (versions.histogram(), late.histogram());
    let counts = |buckets: &[Bucket]| {
        let told = buckets.iter().map(|bucket| match bucket.to - bucket.from {
            0 => format!("{}: {}", bucket.from, bucket.count),
            _ => format!("{} to {}: {}", bucket.from, bucket.to, bucket.count),
        });
        told.collect::<Vec<_>>().join(", ")
    };
    report.summary.push(format!(
        "reads by the version that they returned, 1 = may be the newest: {}",
        counts(&versions)
    ));
    if let Some(late) = late.quantiles() {
        let Quantiles { p50, p90, p99, max } = late;
        let [p50, p90, p99, max] = [p50, p90, p99, max].map(|span| match unit {
            Unit::Ns => duration(span),
            Unit::Events => format!("{span} events"),
        });
        report.summary.push(format!(
            "a newer version had been acknowledged for: 50 % {p50}, 90 % {p90}, 99 % {p99}, all {max} or less"
        ));
    }
    report.result = Some(serde_json::json!({
        "ages": { "older": old, "versions": versions, "late": late_by, "late-unit": unit.name() },
    }));
}

/// Whether an operation could show that something is wrong.
fn tells(op: &RegisterOp) -> bool {
    match op.action {
        Action::Read(_) => true,
        Action::Write(_) => false,
        Action::Cas { .. } => op.status != Status::Info,
    }
}

/// Operations on their way to a trace.
struct Reading<'a> {
    subject: &'a Subject<'a>,
    values: Values,
    /// Compare-and-sets that failed although they found what they expected.
    refused: Vec<usize>,
    trace: Trace,
}

impl Reading<'_> {
    fn take(&mut self, place: usize) -> Result<(), ModelError> {
        let operation = &self.subject.operations[place];
        let taken = match &*operation.f {
            "read" => self.read(operation),
            "delete" => Some((Action::Write(ValueId::INITIAL), operation.status)),
            "cas" => self.compare_and_set(place)?,
            _ => Some((
                Action::Write(self.values.id(self.subject.argument(operation))),
                operation.status,
            )),
        };
        if let Some((action, status)) = taken {
            let operation = &self.subject.operations[place];
            let call = self.subject.call(operation);
            self.trace.ops.push(RegisterOp {
                call,
                ret: self.subject.ret(operation).max(call),
                action,
                status,
                place: u32::try_from(place).unwrap_or(u32::MAX),
            });
        }
        self.trace.values = self.values.count();
        Ok(())
    }

    fn read(&mut self, operation: &LogOperation) -> Option<(Action, Status)> {
        if operation.status != Status::Ok {
            return None;
        }
        self.seen(self.subject.result(operation))
    }

    /// A value that was seen, unless it says nothing.
    fn seen(&mut self, value: &Datum) -> Option<(Action, Status)> {
        let format = self.subject.log.format;
        let unknown = value.is_nil() && self.subject.options.nil_reads(format) == NilReads::Unknown;
        (!unknown).then(|| (Action::Read(self.values.id(value)), Status::Ok))
    }

    fn compare_and_set(&mut self, place: usize) -> Result<Option<(Action, Status)>, ModelError> {
        let operation = &self.subject.operations[place];
        let argument = self.subject.argument(operation);
        let Some((expected, new)) = argument.pair() else {
            return Err(self.subject.bad_value(
                operation,
                "a compare-and-set has [expected new]: correct the value",
            ));
        };
        let action = Action::Cas {
            expected: self.values.id(expected),
            new: self.values.id(new),
        };
        if operation.status != Status::Fail {
            return Ok(Some((action, operation.status)));
        }
        match self.subject.options.failed_cas(self.subject.log.format) {
            FailedCas::Nothing => Ok(None),
            FailedCas::NotEqual => Ok(Some((action, Status::Fail))),
            FailedCas::Reads => {
                let found = self.subject.result(operation);
                // A completion that repeats its invocation says nothing of what was found.
                if found == argument {
                    return Ok(None);
                }
                if !found.is_nil() && found.canonical() == expected.canonical() {
                    self.refused.push(place);
                    return Ok(None);
                }
                Ok(self.seen(found))
            }
        }
    }
}

/// The value that an operation wrote or returned, for sentences.
pub(super) fn written_or_read(subject: &Subject<'_>, place: usize) -> String {
    let Some(operation) = subject.operations.get(place) else {
        return "nil".to_owned();
    };
    match (&*operation.f, operation.status) {
        ("read", _) | ("cas", Status::Fail) => subject.result(operation).to_string(),
        ("delete", _) => "nil".to_owned(),
        ("cas", _) => match subject.argument(operation).pair() {
            Some((_, new)) => new.to_string(),
            None => subject.argument(operation).to_string(),
        },
        _ => subject.argument(operation).to_string(),
    }
}

fn refused_wrongly(subject: &Subject<'_>, place: usize) -> Tale {
    let operation = subject.operations.get(place);
    let found = operation.map_or_else(String::new, |operation| {
        subject.result(operation).to_string()
    });
    Tale {
        lets: vec![place],
        then: vec![format!(
            "A was to replace {found}, and may fail only if the register holds something else."
        )],
        however: format!("However, A failed and says that it found {found}: a contradiction."),
    }
}
