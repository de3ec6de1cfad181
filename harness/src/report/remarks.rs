//! The lines below the table of a verdict: who decided which keys, how stale reads were, and why a row says nothing.
//!
//! The words of the reasons are the judges' own; here they are put together.

use std::fmt::Write;

use quorate_checkers::Guarantee;
use quorate_checkers::finding::Share;
use quorate_checkers::statistics::Bucket;
use quorate_checkers::verdict::Verdict;
use quorate_checkers::witness::Amount;

use super::style::{Style, Tone};
use super::text::{duration, grouped};

/// Keys of one algorithm that are called by name.
const NAMES_MAX: usize = 12;
/// The name of the histogram that has a place of its own.
const VERSIONS: &str = "versions behind";

/// All of them, with an empty line after them if there is anything.
pub(super) fn below_table(verdict: &Verdict, style: Style) -> String {
    let mut out = String::new();
    let shares = verdict.rows.iter().flat_map(|row| &row.finding.decided);
    for (place, share) in shares.enumerate() {
        let label = if place == 0 { "decided" } else { "" };
        let label = style.paint(Tone::Faint, &format!("{label:<10}"));
        let _ = writeln!(out, "  {label} {}", decided(share));
    }
    if let Some(words) = staleness(verdict) {
        let label = style.paint(Tone::Faint, &format!("{:<10}", "staleness"));
        let _ = writeln!(out, "  {label} {words}");
    }
    out.push_str(&sets(verdict, style));
    for (titles, note) in notes(verdict) {
        let label = style.paint(Tone::Unsure, &format!("{:<10}", "undecided"));
        let _ = writeln!(out, "  {label} {}: {note}", titles.join(", "));
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// `zones: k0 k1 k2 (3 keys, 1,204 operations)`. Steps are told where they are not one for each operation.
pub(super) fn decided(share: &Share) -> String {
    let names = share.each.iter().take(NAMES_MAX);
    let names: Vec<&str> = names.map(|one| one.key.as_str()).collect();
    let mut words = format!("{}: {}", share.algorithm, names.join(" "));
    let more = share.keys.saturating_sub(names.len() as u64);
    if more > 0 {
        let _ = write!(words, " and {} more", grouped(more));
    }
    let unit = if share.keys == 1 { "key" } else { "keys" };
    let _ = write!(
        words,
        " ({} {unit}, {} operations",
        grouped(share.keys),
        grouped(share.operations)
    );
    if share.steps != share.operations {
        let _ = write!(words, ", {} steps", grouped(share.steps));
    }
    words + ")"
}

/// How stale the stale reads are, in versions and in time: `versions behind 1: 40, 2 to 3: 7; time behind 50 %: 1.2ms, ...`. The verdict
/// file has the same as histograms.
fn staleness(verdict: &Verdict) -> Option<String> {
    let row = verdict.row(Guarantee::FreshReads)?;
    let mut parts = Vec::new();
    for measure in &row.finding.measures {
        match &measure.amount {
            Amount::Histogram(buckets) if measure.name == VERSIONS => {
                parts.push(format!("{VERSIONS} {}", ranges(buckets)));
            }
            Amount::Quantiles(times) => parts.push(format!(
                "{} 50 %: {}, 90 %: {}, 99 %: {}, all: {} or less",
                measure.name,
                duration(times.p50),
                duration(times.p90),
                duration(times.p99),
                duration(times.max)
            )),
            _ => {}
        }
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// What became of the sets, in the classic eight lines and one about what explains the loss.
fn sets(verdict: &Verdict, style: Style) -> String {
    let row = verdict.row(Guarantee::NoLostUpdates);
    let measures = row.map_or(&[][..], |row| &row.finding.measures);
    let mut lines = Vec::new();
    for measure in measures {
        match &measure.amount {
            Amount::EightLines(eight) => lines.extend(eight.to_string().lines().map(str::to_owned)),
            Amount::Contention(contention) => lines.push(contention.to_string()),
            _ => {}
        }
    }
    let mut out = String::new();
    for (place, line) in lines.iter().enumerate() {
        let label = if place == 0 { "sets" } else { "" };
        let label = style.paint(Tone::Faint, &format!("{label:<10}"));
        let _ = writeln!(out, "  {label} {line}");
    }
    out
}

/// `1: 40, 2 to 3: 7`.
fn ranges(buckets: &[Bucket]) -> String {
    let told = buckets.iter().map(|bucket| {
        let range = if bucket.from == bucket.to {
            bucket.from.to_string()
        } else {
            format!("{} to {}", bucket.from, bucket.to)
        };
        format!("{range}: {}", grouped(bucket.count))
    });
    told.collect::<Vec<_>>().join(", ")
}

/// Every reason once, with the titles of all rows that it holds for.
fn notes(verdict: &Verdict) -> Vec<(Vec<&'static str>, &str)> {
    let mut all: Vec<(Vec<&'static str>, &str)> = Vec::new();
    for row in &verdict.rows {
        let title = row.promise.guarantee.title();
        for note in &row.notes {
            match all.iter_mut().find(|(_, other)| other == note) {
                Some((titles, _)) => titles.push(title),
                None => all.push((vec![title], note)),
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_named_up_to_a_dozen_and_counted_beyond() {
        let mut share = Share::new("frontier");
        share.add("k0", 1_200, 5_000);
        assert_eq!(
            decided(&share),
            "frontier: k0 (1 key, 1,200 operations, 5,000 steps)"
        );
        let mut share = Share::new("zones");
        for number in 0..150 {
            share.add(&format!("k{number}"), 10, 10);
        }
        assert_eq!(
            decided(&share),
            "zones: k0 k1 k2 k3 k4 k5 k6 k7 k8 k9 k10 k11 and 138 more (150 keys, 1,500 operations)"
        );
        assert_eq!(share.each.len(), 100);
    }
}
