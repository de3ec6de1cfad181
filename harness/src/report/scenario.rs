//! A scenario as it was played, for people and as JSON.
//!
//! What is told was decided by `scenario::judge`; here it is only laid out.

use std::fmt::Write;

use serde_json::json;

use super::style::{Style, Tone};
use crate::scenario::{Check, Line, Performance, Played};

/// Width of a line of text, columns.
const WIDTH: usize = 118;
/// Where the words of a line begin, columns.
const INDENT: usize = 13;

/// The story, with its numbers in, and what came of it.
pub fn story(performance: &Performance, style: Style) -> String {
    let scenario = performance.scenario;
    let mut out = String::new();
    let world = performance.world.name();
    let name = style.paint(Tone::Strong, scenario.name);
    let _ = writeln!(out, "{name}  {world}");
    wrapped(&mut out, scenario.shows, 2, 2);
    for act in &performance.acts {
        told(&mut out, act, style);
    }
    if let Some(why) = performance.skipped {
        let mark = style.paint(Tone::Unsure, style.symbol(Tone::Unsure));
        let _ = writeln!(out, "  {mark} not played in the {world} world: {why}");
        return out;
    }
    out.push('\n');
    let (checks, met) = performance.checks();
    let outcome = if checks == met {
        style.paint(Tone::Good, "as expected")
    } else {
        style.paint(Tone::Bad, "NOT AS EXPECTED")
    };
    let _ = writeln!(out, "  {outcome}: {met} of {checks} expectations");
    let ids = [
        ("shows", scenario.requirements),
        ("corrects", scenario.corrections),
    ];
    for (what, ids) in ids.into_iter().filter(|(_, ids)| !ids.is_empty()) {
        let _ = writeln!(out, "  {what:<8} {}", ids.join(" "));
    }
    for act in &performance.acts {
        let _ = writeln!(out, "  saved    {}", act.run);
    }
    out
}

fn told(out: &mut String, act: &Played, style: Style) {
    out.push('\n');
    if !act.title.is_empty() {
        let _ = writeln!(out, "  {}", style.paint(Tone::Strong, &act.title));
    }
    for line in &act.lines {
        let at = line.at.map_or_else(String::new, |at| {
            let ms = at.0 / 1_000_000;
            format!("{}.{:03}s", ms / 1_000, ms % 1_000)
        });
        let tone = match line.check {
            None => Tone::Faint,
            Some(Check::Met) => Tone::Good,
            Some(Check::Unlike(_)) => Tone::Bad,
        };
        let mark = match line.check {
            None => " ",
            Some(_) => style.symbol(tone),
        };
        let mark = style.paint(tone, mark);
        let _ = write!(out, "  {at:>8} {mark} ");
        wrapped(out, &line.words, 0, INDENT);
        if let Some(Check::Unlike(expected)) = &line.check {
            let expected = format!("expected: {expected}");
            let _ = writeln!(out, "{:INDENT$}{}", "", style.paint(Tone::Bad, &expected));
        }
    }
    if let Some(why) = &act.failure {
        let _ = writeln!(out, "  our own failure: {why}");
    }
}

/// Text in lines; the first one begins after `first` columns, the others after `indent`.
fn wrapped(out: &mut String, text: &str, first: usize, indent: usize) {
    let mut line = " ".repeat(first);
    let mut room = WIDTH - indent;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if length + 1 > room && !line.trim().is_empty() {
            out.push_str(line.trim_end());
            out.push('\n');
            line = " ".repeat(indent);
            room = WIDTH - indent;
        }
        line.push_str(word);
        line.push(' ');
        room = room.saturating_sub(length + 1);
    }
    out.push_str(line.trim_end());
    out.push('\n');
}

/// One line for each of many.
pub fn table(performances: &[Performance], style: Style) -> String {
    let mut out = String::new();
    let width = performances.iter().map(|one| one.scenario.name.len());
    let width = width.max().unwrap_or(0);
    for one in performances {
        let (checks, met) = one.checks();
        let (tone, word) = match one.skipped {
            Some(_) => (Tone::Unsure, "not played"),
            None if checks == met && checks > 0 => (Tone::Good, "as expected"),
            None => (Tone::Bad, "NOT AS EXPECTED"),
        };
        let mark = style.paint(tone, style.symbol(tone));
        let _ = writeln!(
            out,
            "  {mark} {:<width$}  {word}  {met} of {checks}  {}",
            one.scenario.name,
            one.scenario.requirements.join(" ")
        );
    }
    let played = performances.iter().filter(|one| one.skipped.is_none());
    let unlike = played.clone().filter(|one| {
        let (checks, met) = one.checks();
        checks != met || checks == 0
    });
    let skipped = performances.len() - played.clone().count();
    let _ = writeln!(
        out,
        "  {} scenarios: {} played, {} not as expected, {skipped} not played in this world",
        performances.len(),
        played.count(),
        unlike.count()
    );
    out
}

/// All of it as one document.
pub fn json(performances: &[Performance]) -> String {
    let line = |line: &Line| {
        json!({
            "at_ns": line.at.map(|at| at.0),
            "words": line.words,
            "as_expected": line.check.as_ref().map(|check| *check == Check::Met),
            "expected": match &line.check {
                Some(Check::Unlike(expected)) => Some(expected),
                _ => None,
            },
        })
    };
    let act = |act: &Played| {
        json!({
            "title": act.title,
            "run": act.run,
            "failure": act.failure,
            "lines": act.lines.iter().map(line).collect::<Vec<_>>(),
        })
    };
    let one = |one: &Performance| {
        let (checks, met) = one.checks();
        json!({
            "name": one.scenario.name,
            "world": one.world.name(),
            "requirements": one.scenario.requirements,
            "corrections": one.scenario.corrections,
            "not_played": one.skipped,
            "expectations": checks,
            "met": met,
            "acts": one.acts.iter().map(act).collect::<Vec<_>>(),
        })
    };
    let all: Vec<_> = performances.iter().map(one).collect();
    let mut text = serde_json::to_string_pretty(&json!({ "scenarios": all })).unwrap_or_default();
    text.push('\n');
    text
}
