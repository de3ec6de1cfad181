//! A verdict for people, on a terminal or in a file: what was done, promised against found, and the words behind what broke.

use std::fmt::Write;

use quorate_checkers::finding::Finding;
use quorate_checkers::history::operation::Status;
use quorate_checkers::history::{Effect, Function, Header, History, Versions};
use quorate_checkers::verdict::{Outcome, Row, Ruling, Verdict};
use quorate_checkers::witness::Amount;

use super::remarks::below_table;
use super::style::{Style, Tone};
use crate::plan::World;
use crate::run::{Ran, Times};

/// How many anomalies of a broken promise are explained in full.
const EXPLAINED_MAX: usize = 1;
/// How the names of rates end that have a place of their own in the line.
const UNDER_FAULT: &str = " under fault";
/// How many guarantees the last sentence calls by name.
const TITLES_MAX: usize = 3;

/// Where the time went that was not the load's.
fn around_the_load(ran: &Ran) -> String {
    let Times { load, whole } = ran.times;
    match ran.world {
        World::Live => format!(
            "and {:.1}s to start, heal, read, stop and judge",
            whole.saturating_sub(load).as_secs_f64()
        ),
        World::Sim(_) => format!(
            "of virtual time; {:.2}s to simulate and judge",
            whole.as_secs_f64()
        ),
    }
}

/// The whole report of a run.
pub fn run(ran: &Ran, style: Style) -> String {
    let mut out = String::new();
    let header = &ran.history.header;
    let id = style.paint(Tone::Strong, &format!("run {}", ran.directory.id()));
    let sabotage = match header.sabotage.as_slice() {
        [] => String::new(),
        names => format!("  sabotage {}", names.join(", ")),
    };
    let q = header.quorum;
    let _ = writeln!(
        out,
        "{id}  {}  {} nodes  N={} R={} W={}{}  {}  seed {}{sabotage}",
        header.workload,
        header.nodes.len(),
        q.n,
        q.r,
        q.w,
        siblings(header),
        ran.world.name(),
        header.seed
    );
    let _ = writeln!(out, "  faults  {}", faults(&ran.history));
    let _ = writeln!(
        out,
        "  load    {:.1}s  {}  ({})",
        ran.times.load.as_secs_f64(),
        operations(&ran.history),
        around_the_load(ran)
    );
    let _ = writeln!(out);
    out.push_str(&judgement(&ran.verdict, style));
    if let Some(first) = &ran.stopped {
        let _ = writeln!(out, "  stopped at the first broken promise: {first}");
    }
    if let Some(failure) = &ran.failure {
        let title = style.paint(Tone::Bad, "harness failure:");
        let _ = writeln!(out, "  {title} {failure}");
        let _ = writeln!(
            out,
            "  the run was ended early for it; the verdict above is of what had happened until then"
        );
    }
    let _ = writeln!(out, "  saved  {}", ran.directory.display());
    let _ = writeln!(
        out,
        "  again  quorate run {}/plan.json",
        ran.directory.display()
    );
    out
}

/// What is to be said of a store that keeps siblings.
fn siblings(header: &Header) -> &'static str {
    match header.versions {
        Versions::Lww => "",
        Versions::Dvv => "  siblings",
    }
}

/// The report of a judged history.
pub fn check(reference: &str, history: &History, verdict: &Verdict, style: Style) -> String {
    let mut out = String::new();
    let title = style.paint(Tone::Strong, &format!("check {reference}"));
    let _ = writeln!(
        out,
        "{title}  {}, {} keys  {}",
        operations(history),
        grouped(verdict.keys),
        history.header.workload
    );
    if history.torn_tail {
        let _ = writeln!(
            out,
            "  the last line is torn: the history ends where its writer died"
        );
    }
    let _ = writeln!(out);
    out.push_str(&judgement(verdict, style));
    out
}

/// The table, the explanations of what broke, and the sentence.
pub(super) fn judgement(verdict: &Verdict, style: Style) -> String {
    let mut out = String::new();
    let heading = format!(
        "  {:<20} {:<9} {:<13} {}",
        "guarantee", "promised", "found", "judged"
    );
    let _ = writeln!(out, "{}", style.paint(Tone::Faint, heading.trim_end()));
    for row in &verdict.rows {
        let _ = writeln!(out, "{}", line(row, style));
    }
    let _ = writeln!(out);
    out.push_str(&below_table(verdict, style));
    for row in verdict
        .rows
        .iter()
        .filter(|row| row.ruling == Ruling::Broken)
    {
        let title = format!("BROKEN {}", row.promise.guarantee.title());
        let why = &row.promise.reason;
        let _ = writeln!(
            out,
            "  {} promised because {why}\n",
            style.paint(Tone::Bad, &title)
        );
        for explanation in row.explanations.iter().take(EXPLAINED_MAX) {
            let _ = writeln!(out, "{}", indented(&explanation.render()));
        }
    }
    let _ = writeln!(out, "  {}", sentence(verdict, style));
    out
}

fn line(row: &Row, style: Style) -> String {
    let (tone, word) = match row.ruling {
        Ruling::Kept => (Tone::Good, "kept"),
        Ruling::Broken => (Tone::Bad, "BROKEN"),
        Ruling::Allowed => (Tone::Noted, "seen"),
        Ruling::NotSeen => (Tone::Good, "not seen"),
        Ruling::Undecided => (Tone::Unsure, "undecided"),
    };
    let promised = if row.promise.promised { "yes" } else { "no" };
    let found = format!("{:<13}", format!("{} {word}", style.symbol(tone)));
    format!(
        "  {:<20} {promised:<9} {} {}",
        row.promise.guarantee.title(),
        style.paint(tone, &found),
        evidence(row)
    )
}

/// How much was judged and what was seen, in a few words.
fn evidence(row: &Row) -> String {
    let finding = &row.finding;
    let mut words = format!("{} {}", grouped(finding.judged), finding.unit);
    if finding.seen > 0 {
        let _ = write!(words, ", {} seen", grouped(finding.seen));
    }
    // Figures of single fault windows (`reads during f1 (kill): ..`) are for the verdict file; a line has room for the worst.
    for measure in finding
        .measures
        .iter()
        .filter(|measure| !measure.name.contains(':') && !is_told_below(finding, &measure.name))
    {
        let amount = match &measure.amount {
            Amount::Count(0)
            | Amount::Ns(0)
            | Amount::Outcomes { .. }
            | Amount::Histogram(_)
            | Amount::Quantiles(_)
            | Amount::EightLines(_)
            | Amount::Contention(_) => continue,
            Amount::Rate(rate) if rate.seen == 0 => continue,
            Amount::Rate(_) if measure.name.ends_with(UNDER_FAULT) => continue,
            Amount::Rate(rate) => rate.to_string(),
            Amount::Count(count) => grouped(*count),
            Amount::Ns(ns) => duration(*ns),
        };
        let _ = write!(words, ", {} {amount}", measure.name);
    }
    if let Some(summary) = under_fault(finding) {
        let _ = write!(words, ", {summary}");
    }
    let of_undecided = row.ruling == Ruling::Undecided;
    // The reasons of an undecided row stand below the table, with what to do.
    for skipped in finding.skipped.iter().filter(|_| !of_undecided) {
        let _ = write!(
            words,
            ", {} skipped: {}",
            grouped(skipped.count),
            skipped.why
        );
    }
    words
}

/// Whether the lines below the table tell a number better.
fn is_told_below(finding: &Finding, name: &str) -> bool {
    let is_share = |by: &str| finding.decided.iter().any(|share| share.algorithm == by);
    name.split_once(" by ").is_some_and(|(_, by)| is_share(by))
}

/// `under fault reads 99.1 % (95 %: 98.3 to 99.5), writes 98.7 % (95 %: 97.9 to 99.2) ok`, of the operations that a fault touched.
fn under_fault(finding: &Finding) -> Option<String> {
    let parts: Vec<String> = finding
        .measures
        .iter()
        .filter_map(|measure| match &measure.amount {
            Amount::Rate(rate) if rate.of > 0 => {
                let what = measure.name.strip_suffix(UNDER_FAULT)?;
                Some(format!("{what} {rate}"))
            }
            _ => None,
        })
        .collect();
    (!parts.is_empty()).then(|| format!("under fault {} ok", parts.join(", ")))
}

fn sentence(verdict: &Verdict, style: Style) -> String {
    let q = verdict.quorum;
    let of = format!("N={} R={} W={}", q.n, q.r, q.w);
    let count = |ruling: Ruling| {
        verdict
            .rows
            .iter()
            .filter(|row| row.ruling == ruling)
            .count()
    };
    // A history may name any numbers: their sum need not fit where they do.
    let sum = u64::from(q.r) + u64::from(q.w);
    let overlap = sum.saturating_sub(u64::from(q.n));
    match verdict.outcome {
        Outcome::Kept => format!(
            "{} every promise of {of} (R + W = {sum}, overlap {overlap}{})",
            style.paint(Tone::Good, "kept:"),
            never_promised(verdict)
        ),
        Outcome::Broken => format!(
            "{} {} of {} promises of {of}",
            style.paint(Tone::Bad, "BROKEN:"),
            count(Ruling::Broken),
            verdict
                .rows
                .iter()
                .filter(|row| row.promise.promised)
                .count()
        ),
        Outcome::Undecided => format!(
            "{} nothing broken, but too little evidence for a promise of {of}",
            style.paint(Tone::Unsure, "undecided:")
        ),
    }
}

/// What was seen and nobody had promised not to happen.
fn never_promised(verdict: &Verdict) -> String {
    let allowed = verdict
        .rows
        .iter()
        .filter(|row| row.ruling == Ruling::Allowed);
    let titles: Vec<&str> = allowed.map(|row| row.promise.guarantee.title()).collect();
    match titles.as_slice() {
        [] => String::new(),
        [one] => format!("; {one} was never promised"),
        many if many.len() > TITLES_MAX => {
            format!("; the {} marked `seen` were never promised", many.len())
        }
        [most @ .., last] => format!("; {} and {last} were never promised", most.join(", ")),
    }
}

fn faults(history: &History) -> String {
    let mut kinds: Vec<(&str, usize, usize)> = Vec::new();
    for window in &history.faults {
        let took = usize::from(window.may_have_taken());
        let name = window.kind.as_str();
        match kinds.iter_mut().find(|(kind, ..)| *kind == name) {
            Some((_, count, skipped)) => {
                *count += took;
                *skipped += 1 - took;
            }
            None => kinds.push((name, took, 1 - took)),
        }
    }
    if kinds.is_empty() {
        return "none".to_owned();
    }
    let mut words: Vec<String> = kinds
        .iter()
        .map(|(kind, count, _)| format!("{count} {kind}"))
        .collect();
    let skipped: usize = kinds.iter().map(|(.., skipped)| skipped).sum();
    if skipped > 0 {
        words.push(format!("{skipped} skipped"));
    }
    let unsure = history
        .faults
        .iter()
        .filter(|window| matches!(window.effect, None | Some((_, Effect::Indeterminate))))
        .count();
    if unsure > 0 {
        words.push(format!("{unsure} of unknown effect"));
    }
    words.join(", ")
}

fn operations(history: &History) -> String {
    let (mut done, mut refused, mut unknown) = (0, 0, 0);
    for operation in history
        .operations
        .iter()
        .filter(|operation| operation.f != Function::Census)
    {
        match operation.status {
            Status::Ok => done += 1,
            Status::Fail => refused += 1,
            Status::Info => unknown += 1,
        }
    }
    format!(
        "{} ops: {} done, {} failed, {} unknown",
        grouped(done + refused + unknown),
        grouped(done),
        grouped(refused),
        grouped(unknown)
    )
}

/// `1234567` as `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[expect(clippy::cast_precision_loss, reason = "for display only")]
pub(super) fn duration(ns: u64) -> String {
    if ns >= 1_000_000_000 {
        format!("{:.1}s", ns as f64 / 1e9)
    } else {
        format!("{:.1}ms", ns as f64 / 1e6)
    }
}

pub(super) fn indented(text: &str) -> String {
    text.lines()
        .map(|line| {
            if line.is_empty() {
                "\n".to_owned()
            } else {
                format!("    {line}\n")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use quorate_checkers::history::Quorum;

    use super::{check, grouped};
    use crate::judging::{Watch, judge_file};
    use crate::report::style::Style;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(grouped),
            ["0", "999", "1,000", "1,234,567"]
        );
    }

    /// A run of real processes as a person sees it, by its own promise and by one that it cannot keep.
    #[test]
    fn the_whole_report_of_a_history() {
        let histories = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/histories");
        let path = format!("{histories}/stale-reads-at-1-1.jsonl");
        let majority = Quorum { n: 3, r: 2, w: 2 };
        for (name, claim) in [("allowed", None), ("broken", Some(majority))] {
            let (history, verdict) =
                judge_file(path.as_ref(), claim, &Watch::default()).expect("a history");
            let report = check("stale-read-at-1-1", &history, &verdict, Style::plain());
            insta::assert_snapshot!(name, report);
        }
    }
}
