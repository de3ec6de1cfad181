//! Sets: operations of one key to a history of a set, and what its judges found to a report.

use serde::Serialize;

use super::error::ModelError;
use super::options::Model;
use super::report::{Answer, KeyReport};
use super::subject::Subject;
use crate::history::Status;
use crate::log::Datum;
use crate::set::{
    ElementRef, FullOptions, JepsenSays, Kind, SetFull, SetHistory, SetHistoryBuilder, SetOp,
    Validity, Violation, full, grow_only, last_read, read_modify_write,
};

/// Judges one key.
pub(super) fn judge(
    subject: &Subject<'_>,
    key: Option<&Datum>,
    places: &[usize],
) -> Result<KeyReport, ModelError> {
    let mut builder = SetHistory::builder();
    for &place in places {
        take(subject, place, &mut builder)?;
    }
    let history = builder.finish();
    let mut report = match subject.options.model {
        Model::SetFull => by_elements(subject, key, &history),
        Model::GrowOnlySet => by_chain(subject, key, &history),
        Model::SetRmw => by_eight_lines(subject, key, &history),
        _ => by_last_read(subject, key, &history),
    };
    report.judged = (history.adds().len() + history.reads().len()) as u64;
    report.evidence = history.reads().len() as u64;
    report.steps = history.occurrences() as u64;
    Ok(report)
}

fn take(
    subject: &Subject<'_>,
    place: usize,
    builder: &mut SetHistoryBuilder,
) -> Result<(), ModelError> {
    let operation = &subject.operations[place];
    let (invoked, completed) = (operation.invocation, operation.completion);
    let position = |event: Option<usize>| event.map_or(u64::MAX, |event| event as u64);
    let ret = completed.map_or(u64::MAX, |event| subject.time(event));
    let at = u32::try_from(place).unwrap_or(u32::MAX);
    let process = u64::from(subject.session(place));
    let op = SetOp::new(operation.status, process, at, subject.time(invoked), ret)
        .at(invoked as u64, position(completed));
    if &*operation.f == "add" {
        let element = subject.argument(operation);
        builder.add(op, name(element, &mut String::new()));
        return Ok(());
    }
    let result = subject.result(operation);
    if operation.status != Status::Ok || result.is_nil() {
        return Ok(());
    }
    let Some(elements) = result.elements() else {
        return Err(subject.bad_result(
            operation,
            "a read of a set returns a collection: correct the value",
        ));
    };
    let mut texts = vec![String::new(); elements.len()];
    let named = elements
        .iter()
        .zip(&mut texts)
        .map(|(element, text)| name(element, text));
    builder.read(op, named);
    Ok(())
}

/// The name of an element: a number, or its text.
fn name<'a>(element: &'a Datum, text: &'a mut String) -> ElementRef<'a> {
    match element {
        Datum::Int(number) => ElementRef::Int(*number),
        // A text that looks like something else keeps its quotes.
        Datum::Text(plain) if plain.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            ElementRef::Text(plain)
        }
        other => {
            *text = other.canonical().to_string();
            ElementRef::Text(text)
        }
    }
}

/// What all judges of sets have found.
struct Found<'a, T> {
    algorithm: &'static str,
    valid: Validity,
    seen: u64,
    violations: &'a [Violation],
    jepsen: Option<&'a JepsenSays>,
    summary: Vec<String>,
    result: &'a T,
}

fn report<T: Serialize>(
    subject: &Subject<'_>,
    key: Option<&Datum>,
    found: Found<'_, T>,
) -> KeyReport {
    let mut report = KeyReport::new(key, found.algorithm);
    report.summary = found.summary;
    if let Some(says) = found.jepsen {
        let because = says.because.join("; ");
        report
            .summary
            .push(format!("Jepsen would say {}: {because}", says.valid.name()));
    }
    report.result = serde_json::to_value(found.result).ok();
    report.seen = found.seen;
    report.answer = match found.valid {
        Validity::Valid => Answer::Kept,
        Validity::Invalid => Answer::Broken,
        Validity::Unknown => {
            return report.undecided(
                "no read says what became of an element: let clients read the set, last of all",
            );
        }
    };
    report.anomalies = found
        .violations
        .iter()
        .map(|violation| subject.anomaly(violation.kind.name(), key, violation.tell()))
        .collect();
    report
}

fn by_last_read(subject: &Subject<'_>, key: Option<&Datum>, history: &SetHistory) -> KeyReport {
    let result = last_read(history);
    let counts = [
        ("attempted", result.attempt_count),
        ("acknowledged", result.acknowledged_count),
        ("in the last read", result.ok_count),
        ("lost", result.lost_count),
        ("recovered", result.recovered_count),
        ("unexpected", result.unexpected_count),
        ("failed and yet there", result.failed_add_seen_count),
        ("duplicated", result.duplicated_count),
        ("acknowledged too late to be read", result.too_late_count),
    ];
    let mut summary = vec![counted(&counts)];
    for (what, elements) in [
        ("lost", &result.lost),
        ("unexpected", &result.unexpected),
        ("recovered", &result.recovered),
    ] {
        if !elements.is_empty() && elements != "#{}" {
            summary.push(format!("{what}: {elements}"));
        }
    }
    report(
        subject,
        key,
        Found {
            algorithm: "last read",
            valid: result.valid,
            // What was returned twice is told, but makes nothing invalid here.
            seen: result.lost_count + result.unexpected_count + result.failed_add_seen_count,
            violations: &result.violations,
            jepsen: result.jepsen_would_say.as_ref(),
            summary,
            result: &result,
        },
    )
}

fn by_elements(subject: &Subject<'_>, key: Option<&Datum>, history: &SetHistory) -> KeyReport {
    let options = FullOptions {
        linearizable: subject.options.linearizable,
    };
    let result = full(history, options);
    let counts = [
        ("attempted", result.attempt_count),
        ("stable", result.stable_count),
        ("stale", result.stale_count),
        ("lost", result.lost_count),
        ("never read", result.never_read_count),
        ("unexpected", result.unexpected_count),
        ("failed and yet there", result.failed_add_seen_count),
        ("duplicated", result.duplicated_count),
        ("read before they were added", result.from_the_future_count),
    ];
    let mut summary = vec![counted(&counts)];
    for (what, elements) in [
        ("lost", &result.lost),
        ("stale", &result.stale),
        ("unexpected", &result.unexpected),
    ] {
        if !elements.is_empty() {
            summary.push(format!("{what}: {}", SetFull::short(elements)));
        }
    }
    if let Some(latencies) = result
        .stable_latencies_ns
        .as_ref()
        .filter(|_| subject.has_times)
    {
        let [least, median, most_of, nearly_all, most] =
            latencies.0.map(crate::explain::words::duration);
        summary.push(format!(
            "until they were there for good: {least} at least, {median} median, {most_of} 95 %, {nearly_all} 99 %, {most} at most"
        ));
    }
    let stale = if options.linearizable {
        result.stale_count
    } else {
        0
    };
    let seen = [
        result.lost_count,
        stale,
        result.unexpected_count,
        result.failed_add_seen_count,
        result.duplicated_count,
        result.from_the_future_count,
    ];
    report(
        subject,
        key,
        Found {
            algorithm: "set-full",
            valid: result.valid,
            seen: seen.iter().sum(),
            violations: &result.violations,
            jepsen: result.jepsen_would_say.as_ref(),
            summary,
            result: &result,
        },
    )
}

fn by_chain(subject: &Subject<'_>, key: Option<&Datum>, history: &SetHistory) -> KeyReport {
    let mut result = grow_only(history);
    // An element that is returned twice is reported, but no order of the operations forbids it.
    let duplicates = result.duplicate_count;
    result
        .violations
        .retain(|violation| violation.kind != Kind::Duplicate);
    let counts = [
        ("phantoms", result.phantom_count),
        ("failed and yet there", result.failed_add_seen_count),
        ("not a chain", result.not_a_chain_count),
        ("missed", result.missed_count),
        ("vanished", result.vanished_count),
        ("from the future", result.from_the_future_count),
        ("out of order", result.out_of_order_count),
    ];
    let mut summary = vec![counted(&counts)];
    if duplicates > 0 {
        summary.push(format!(
            "{duplicates} elements were returned twice by one read, which no order forbids"
        ));
    }
    report(
        subject,
        key,
        Found {
            algorithm: "chain",
            valid: result.valid,
            seen: counts.iter().map(|(_, count)| count).sum(),
            violations: &result.violations,
            jepsen: None,
            summary,
            result: &result,
        },
    )
}

fn by_eight_lines(subject: &Subject<'_>, key: Option<&Datum>, history: &SetHistory) -> KeyReport {
    let result = read_modify_write(history);
    report(
        subject,
        key,
        Found {
            algorithm: "eight lines",
            valid: result.valid,
            seen: result.acknowledged_lost + result.unexpected + result.failed_add_seen,
            violations: &result.violations,
            jepsen: None,
            summary: result.to_string().lines().map(str::to_owned).collect(),
            result: &result,
        },
    )
}

/// `3 lost, 2 stale`, without what there is none of.
fn counted(counts: &[(&str, u64)]) -> String {
    let some = counts.iter().filter(|(_, count)| *count > 0);
    let words: Vec<String> = some
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    if words.is_empty() {
        return "nothing found".to_owned();
    }
    words.join(", ")
}
