//! The anomalies of a verdict in words: Let, Then, However and Why of the first of each kind, or of all that were kept.

use std::fmt::Write;

use quorate_checkers::verdict::{Row, Ruling, Verdict};
use quorate_checkers::{Anomaly, Explanation};
use serde::Serialize;

use super::style::{Style, Tone};
use super::text::indented;

/// One anomaly for machines.
#[derive(Serialize)]
struct Explained<'a> {
    anomaly: &'static str,
    guarantee: &'static str,
    promised: bool,
    at_ns: u64,
    explanation: &'a Explanation,
}

/// How many of a kind are explained.
fn limit(all: bool) -> usize {
    if all { usize::MAX } else { 1 }
}

fn shown(verdict: &Verdict) -> impl Iterator<Item = &Row> {
    verdict
        .rows
        .iter()
        .filter(|row| !row.explanations.is_empty())
}

/// The anomalies that are told, with their explanations.
pub fn told(verdict: &Verdict, all: bool) -> impl Iterator<Item = (&Anomaly, &Explanation)> {
    shown(verdict).flat_map(move |row| {
        let each = row.finding.anomalies.iter().zip(&row.explanations);
        each.take(limit(all))
    })
}

/// What to say where there is nothing to tell.
pub fn nothing(name: &str) -> String {
    format!("{name}: no anomaly was seen, so there is nothing to explain\n")
}

/// The explanations for people. `name` is what the run was called.
pub fn text(name: &str, verdict: &Verdict, all: bool, style: Style) -> String {
    let mut out = String::new();
    for row in shown(verdict) {
        let guarantee = row.promise.guarantee;
        let (tone, word) = match row.ruling {
            Ruling::Broken => (Tone::Bad, "BROKEN"),
            _ => (Tone::Noted, "never promised"),
        };
        let told = row.explanations.len().min(limit(all));
        let count = match (row.finding.seen, told) {
            (1, _) => "seen once".to_owned(),
            (seen, 1) => format!("seen {seen} times, the first of them"),
            (seen, told) if seen > told as u64 => {
                format!("seen {seen} times, the first {told} of them")
            }
            (seen, _) => format!("seen {seen} times"),
        };
        let title = format!("{}: {count}", guarantee.anomaly_name());
        let _ = writeln!(out, "{}", style.paint(Tone::Strong, &title));
        let _ = writeln!(
            out,
            "  {} {}: {}\n",
            style.paint(tone, word),
            guarantee.title(),
            row.promise.reason
        );
        for explanation in row.explanations.iter().take(told) {
            let _ = writeln!(out, "{}", indented(&explanation.render()));
        }
    }
    if out.is_empty() {
        return nothing(name);
    }
    out.push_str(
        "Let, Then and However follow from the history alone. Why is attribution, never proof: it names causes that fit, the best\n\
         supported first, and what each rests on. `quorate explain NAME` tells what a guarantee, a fault or a sabotage is.\n",
    );
    out
}

/// The explanations as one JSON array.
#[expect(
    clippy::missing_panics_doc,
    reason = "the document has string keys only: it always serialises"
)]
pub fn json(verdict: &Verdict, all: bool) -> String {
    let mut explained = Vec::new();
    for row in shown(verdict) {
        let each = row.explanations.iter().zip(&row.finding.anomalies);
        explained.extend(
            each.take(limit(all))
                .map(|(explanation, anomaly)| Explained {
                    anomaly: anomaly.name(),
                    guarantee: row.promise.guarantee.name(),
                    promised: row.promise.promised,
                    at_ns: anomaly.at.0,
                    explanation,
                }),
        );
    }
    let text = serde_json::to_string_pretty(&explained);
    text.expect("the document has string keys only") + "\n"
}
