//! A search, told to people and machines: how far it is, on stderr, and what it came to.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use quorate_checkers::guarantee::Guarantee;
use serde_json::{Map, Value, json};

use super::progress::ProgressMode;
use super::style::{Style, Tone};
use super::text::grouped;
use crate::search::{Explored, Hunt, Tally};
use crate::target::Target;

/// Off a terminal, a search that lasts is reported this often.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The version of the document that [`json`] makes.
const FORMAT: u32 = 1;

/// Shows a search that is under way.
pub struct Searching {
    look: Look,
    began: Instant,
}

enum Look {
    Bar(ProgressBar),
    Lines { told: Instant },
    None,
}

impl Searching {
    /// Shows progress in this mode.
    pub fn new(mode: ProgressMode, hunt: &Hunt) -> Searching {
        let is_bar = match mode {
            ProgressMode::Auto => std::io::stderr().is_terminal(),
            ProgressMode::Bar => true,
            ProgressMode::Lines | ProgressMode::None => false,
        };
        let look = match mode {
            ProgressMode::None => Look::None,
            _ if is_bar => Look::Bar(bar(hunt)),
            _ => {
                line(&range(hunt));
                Look::Lines {
                    told: Instant::now(),
                }
            }
        };
        Searching {
            look,
            began: Instant::now(),
        }
    }

    /// Shows how things are now.
    pub fn look(&mut self, tally: &Tally) {
        let mut words = pace(tally, self.began.elapsed());
        if let Some(seen) = seen(tally) {
            let _ = write!(words, "  seen: {seen}");
        }
        match &mut self.look {
            Look::Bar(bar) => {
                bar.set_position(tally.seeds());
                bar.set_message(words);
            }
            Look::Lines { told } if told.elapsed() >= LINE_EVERY => {
                *told = Instant::now();
                line(&words);
            }
            Look::Lines { .. } | Look::None => {}
        }
    }

    /// The search is over: the bar goes away.
    pub fn end(&mut self) {
        if let Look::Bar(bar) = &self.look {
            bar.finish_and_clear();
        }
    }
}

fn bar(hunt: &Hunt) -> ProgressBar {
    let target = ProgressDrawTarget::stderr_with_hz(10);
    let seeds = hunt.seeds.end - hunt.seeds.start;
    let (bar, template) = if is_endless(hunt) {
        let bar = ProgressBar::with_draw_target(None, target);
        (bar, "{prefix:>7} {spinner} {wide_msg}")
    } else {
        let bar = ProgressBar::with_draw_target(Some(seeds), target);
        (bar, "{prefix:>7} {bar:30} {wide_msg}")
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸ "));
    }
    bar.set_prefix("search");
    bar
}

fn line(words: &str) {
    let _ = writeln!(std::io::stderr().lock(), "  search  {words}");
}

/// Which seeds, and what for.
fn range(hunt: &Hunt) -> String {
    let end = if is_endless(hunt) {
        String::new()
    } else {
        hunt.seeds.end.to_string()
    };
    format!("seeds {}..{end} for a {}", hunt.seeds.start, hunt.target)
}

fn is_endless(hunt: &Hunt) -> bool {
    hunt.seeds.end == u64::MAX
}

/// The report of a search.
pub fn text(explored: &Explored, hunt: &Hunt, style: Style) -> String {
    let tally = &explored.tally;
    let mut out = String::new();
    let title = style.paint(Tone::Strong, "search");
    let _ = writeln!(out, "{title}  {}", range(hunt));
    let _ = writeln!(out, "  tried  {}", pace(tally, explored.took));
    if tally.passed_over > 0 {
        let _ = writeln!(
            out,
            "         {} more drew a load that gives no evidence of it",
            grouped(tally.passed_over)
        );
    }
    if let Some(seen) = seen(tally) {
        let _ = writeln!(out, "  seen   {seen}");
    }
    let _ = writeln!(out, "  {}", outcome(explored, hunt, style));
    out
}

fn outcome(explored: &Explored, hunt: &Hunt, style: Style) -> String {
    if let Some(found) = &explored.found {
        let title = style.paint(Tone::Strong, "found:");
        return format!("{title} {} with seed {}\n", hunt.target, found.seed);
    }
    if explored.interrupted {
        return "interrupted: nothing was found until then".to_owned();
    }
    let undecided: Vec<&str> = explored.tally.undecided().map(Guarantee::title).collect();
    match hunt.target {
        Target::AnyBreach if undecided.is_empty() => {
            let title = style.paint(Tone::Good, "kept:");
            format!("{title} no seed broke a promise")
        }
        Target::AnyBreach => format!(
            "undecided: no seed broke a promise, but none gave enough evidence of {}",
            undecided.join(", ")
        ),
        Target::Breach(_) | Target::Anomaly(_) => {
            "not found, which proves nothing: try more seeds, or say less of the load, so that seeds can draw it"
                .to_owned()
        }
    }
}

/// How many seeds in how much time.
fn pace(tally: &Tally, took: Duration) -> String {
    let nanos = took.as_nanos().max(1);
    let whole = |number: u128| grouped(u64::try_from(number).unwrap_or(u64::MAX));
    let per_s = |count: u64| whole(u128::from(count) * 1_000_000_000 / nanos);
    format!(
        "{} seeds in {:.1}s: {} seeds/s, {} ops/s, {} times as fast as real time",
        grouped(tally.tried),
        took.as_secs_f64(),
        per_s(tally.tried),
        per_s(tally.operations),
        whole(tally.virtual_ns / nanos),
    )
}

/// Each anomaly with the number of seeds that show it; none if nothing was seen.
fn seen(tally: &Tally) -> Option<String> {
    let seen: Vec<String> = tally
        .seen()
        .map(|(guarantee, seeds)| format!("{} {}", guarantee.anomaly_name(), grouped(seeds)))
        .collect();
    (!seen.is_empty()).then(|| format!("{} (seeds with it)", seen.join(", ")))
}

/// The document of a search that found nothing.
pub fn json(explored: &Explored, hunt: &Hunt) -> String {
    let tally = &explored.tally;
    let guarantees: Map<String, Value> = tally
        .counts
        .iter()
        .map(|(guarantee, counts)| {
            let seeds = json!({
                "kept": counts.kept,
                "broken": counts.broken,
                "allowed": counts.allowed,
                "undecided": counts.undecided,
            });
            (guarantee.name().to_owned(), seeds)
        })
        .collect();
    let document = json!({
        "format": FORMAT,
        "target": hunt.target.to_string(),
        "first_seed": hunt.seeds.start,
        "seeds_tried": tally.tried,
        "seeds_passed_over": tally.passed_over,
        "operations": tally.operations,
        "interrupted": explored.interrupted,
        "found": null,
        "guarantees": guarantees,
    });
    format!("{document:#}\n")
}
