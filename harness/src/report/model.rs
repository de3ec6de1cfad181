//! What came of judging a log by a model, told to people: what was asked, who decided which keys, and the words behind what broke.

use std::fmt::Write;

use quorate_checkers::model::{Answer, KeyReport, Report};

use super::style::{Style, Tone};
use super::text::{grouped, indented};

/// Keys that have a line of their own.
const KEYS_SHOWN_MAX: usize = 20;
/// Keys that have lines of their judge's beside, if there are no more.
const SUMMARIES_MAX: usize = 5;
/// Keys whose first anomaly is explained.
const EXPLAINED_MAX: usize = 3;

/// The whole report.
pub fn text(reference: &str, report: &Report, style: Style) -> String {
    let mut out = String::new();
    let title = style.paint(Tone::Strong, &format!("check {reference}"));
    let ops = report.operations;
    let _ = writeln!(
        out,
        "{title}  {} as {}  {} ops: {} done, {} failed, {} unknown",
        report.input_format,
        report.model.name(),
        grouped(ops.total()),
        grouped(ops.ok),
        grouped(ops.fail),
        grouped(ops.info)
    );
    for line in remarks(report) {
        let _ = writeln!(out, "  {line}");
    }
    let _ = writeln!(out);
    out.push_str(&table(report, style));
    let _ = writeln!(out);
    out.push_str(&claims(report));
    out.push_str(&anomalies(report));
    let _ = writeln!(out, "  {}", sentence(report, style));
    out
}

/// The anomalies that are told: the first one of a few keys, or as many of all keys as were asked for. And how many there are.
fn anomalies(report: &Report) -> String {
    let mut out = String::new();
    let (keys_max, told_max) = match report.told_max {
        Some(told_max) => (usize::MAX, told_max),
        None => (EXPLAINED_MAX, 1),
    };
    let broken = report
        .keys
        .iter()
        .filter(|key| key.answer == Answer::Broken);
    let mut told = 0_u64;
    for key in broken.clone().take(keys_max) {
        for anomaly in key.anomalies.iter().take(told_max) {
            let _ = writeln!(out, "{}", indented(&anomaly.explanation.render()));
            told += 1;
        }
    }
    let seen: u64 = broken.clone().map(|key| key.seen).sum();
    if told < seen {
        let most = broken.map(|key| key.seen).max().unwrap_or(0);
        let _ = writeln!(
            out,
            "  told are {} of {} anomalies; --anomalies {most} tells more\n",
            grouped(told),
            grouped(seen)
        );
    }
    out
}

/// What was taken for granted, left out, or should be known.
fn remarks(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    if !report.assumptions.is_empty() {
        lines.push(format!(
            "taken for granted: {}",
            report.assumptions.join("; ")
        ));
    }
    if !report.ignored.is_empty() {
        let ignored = report
            .ignored
            .iter()
            .map(|one| format!("{} {}", grouped(one.count), one.f));
        lines.push(format!(
            "not judged: {}",
            ignored.collect::<Vec<_>>().join(", ")
        ));
    }
    if report.torn_tail {
        lines.push("the last event is torn: the history ends where its writer died".to_owned());
    }
    lines.extend(report.notes.iter().cloned());
    lines
}

fn table(report: &Report, style: Style) -> String {
    let mut rows: Vec<&KeyReport> = report.keys.iter().collect();
    // What is not as it should be comes first, in the order of the log.
    rows.sort_by_key(|key| match key.answer {
        Answer::Broken => 0,
        Answer::Undecided => 1,
        Answer::Kept => 2,
    });
    let shown = &rows[..rows.len().min(KEYS_SHOWN_MAX)];
    let name = |key: &KeyReport| match (&key.key, key.part) {
        (None, None) => "(all)".to_owned(),
        (None, Some(part)) => part.to_owned(),
        (Some(key), None) => key.clone(),
        (Some(key), Some(part)) => format!("{key}  {part}"),
    };
    let width = shown
        .iter()
        .map(|key| name(key).chars().count())
        .max()
        .unwrap_or(0)
        .clamp(3, 40);
    let mut out = String::new();
    let heading = format!(
        "  {:<width$}  {:<13} {:<12} {}",
        "key", "found", "decided by", "judged"
    );
    let _ = writeln!(out, "{}", style.paint(Tone::Faint, &heading));
    for key in shown {
        let (tone, word) = match key.answer {
            Answer::Kept => (Tone::Good, "kept"),
            Answer::Broken => (Tone::Bad, "BROKEN"),
            Answer::Undecided => (Tone::Unsure, "undecided"),
        };
        let found = format!("{:<13}", format!("{} {word}", style.symbol(tone)));
        let _ = write!(
            out,
            "  {:<width$}  {} {:<12} {} operations",
            name(key),
            style.paint(tone, &found),
            key.algorithm,
            grouped(key.judged)
        );
        if key.seen > 0 {
            let _ = write!(out, ", {} seen", grouped(key.seen));
        }
        match &key.why {
            Some(why) => drop(writeln!(out, ": {why}")),
            None => out.push('\n'),
        }
        if rows.len() <= SUMMARIES_MAX {
            for line in &key.summary {
                let _ = writeln!(out, "  {:<width$}  {line}", "");
            }
        }
    }
    if rows.len() > shown.len() {
        let _ = writeln!(
            out,
            "  ... and {} more keys",
            grouped((rows.len() - shown.len()) as u64)
        );
    }
    out
}

/// What answers claim of their versions, and the first of what does not fit together.
fn claims(report: &Report) -> String {
    let mut out = String::new();
    if report.claims.is_empty() {
        return out;
    }
    let _ = writeln!(
        out,
        "  by the versions that answers claim (a claim changes no finding):"
    );
    for claim in &report.claims {
        let _ = writeln!(
            out,
            "  {:<20} {} of {} pairs go back, {}",
            claim.part,
            grouped(claim.older.seen),
            grouped(claim.older.of),
            claim.older
        );
    }
    let first = report.claims.iter().find_map(|claim| claim.first.as_ref());
    let _ = writeln!(out);
    if let Some(first) = first {
        let _ = writeln!(out, "{}", indented(&first.explanation.render()));
    }
    out
}

fn sentence(report: &Report, style: Style) -> String {
    let count = |answer: Answer| {
        report
            .keys
            .iter()
            .filter(|key| key.answer == answer)
            .count() as u64
    };
    let keys = report.keys.len() as u64;
    // Where a model asks several things, a row is not a key.
    let has_parts = report.keys.iter().any(|key| key.part.is_some());
    let unit = if has_parts { "counts" } else { "keys" };
    let of_keys = |some: u64| match keys {
        1 => String::new(),
        _ => format!(" on {} of {} {unit}", grouped(some), grouped(keys)),
    };
    match report.answer {
        Answer::Kept => {
            format!(
                "{} {}{}",
                style.paint(Tone::Good, "kept:"),
                report.question,
                of_keys(count(Answer::Kept))
            )
        }
        Answer::Broken => format!(
            "{} not {}{}",
            style.paint(Tone::Bad, "BROKEN:"),
            report.question,
            of_keys(count(Answer::Broken))
        ),
        Answer::Undecided => format!(
            "{} nobody knows whether it is {}{}",
            style.paint(Tone::Unsure, "undecided:"),
            report.question,
            of_keys(count(Answer::Undecided))
        ),
    }
}
