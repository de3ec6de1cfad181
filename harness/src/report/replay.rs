//! A replay for people: what is run again and how that is known, each run in a line, and how often it showed. And the same as JSON.
//!
//! It counts nothing itself and runs nothing.

use std::collections::BTreeMap;
use std::fmt::Write;

use quorate_checkers::verdict::Outcome;
use serde_json::{Value as Json, json};

use super::style::{Style, Tone};
use super::text::grouped;
use crate::plan::World;
use crate::replay::{Attempt, Basis, Manner, Notes, Original, Replay, Sameness, Sighting};
use crate::target::Target;

/// How many simulated runs that show it have a line each.
const LINES_MAX: u64 = 10;
/// How many faults a line has room for.
const FAULTS_MAX: usize = 3;
/// How many simulated runs to try where none was tried yet.
const SEEDS: u64 = 1_000;

/// What is about to be run again, and how that is known.
pub fn opening(original: &Original, target: Target, is_asked_for: bool, style: Style) -> String {
    let mut out = String::new();
    let plan = &original.plan;
    let store = &plan.store;
    let sabotage: Vec<&str> = store.sabotage.iter().map(|one| one.name()).collect();
    let sabotage = match sabotage.as_slice() {
        [] => String::new(),
        names => format!("  sabotage {}", names.join(", ")),
    };
    let title = style.paint(Tone::Strong, &format!("replay {}", original.name));
    let _ = writeln!(
        out,
        "{title}  {}  {} nodes  N={} R={} W={}  {}  seed {}{sabotage}",
        plan.load.workload,
        store.nodes,
        store.n,
        store.r,
        store.w,
        plan.world.name(),
        plan.seed
    );
    match &original.basis {
        Basis::Saved => out.push_str("  plan      saved with the run\n"),
        Basis::Rebuilt { is_exact: true, .. } => {
            out.push_str(
                "  plan      made of the history; it is the very one, as its digest tells\n",
            );
        }
        Basis::Rebuilt { notes, .. } => {
            out.push_str("  plan      made of the history; not quite the one that made it\n");
            out.push_str(&noted(notes));
        }
    }
    let sought = match target {
        Target::AnyBreach => format!("any {target}"),
        Target::Breach(_) | Target::Anomaly(_) => target.to_string(),
    };
    let why = match (is_asked_for, target) {
        (true, _) => "",
        (false, Target::AnyBreach) if original.saved.is_none() => {
            ", as no history says what it showed"
        }
        (false, Target::AnyBreach) => ", as the run showed no anomaly",
        (false, _) => ", which the run showed",
    };
    let _ = writeln!(out, "  look for  {sought}{why}");
    out
}

fn noted(notes: &Notes) -> String {
    let mut out = String::new();
    let lists = [
        ("inferred", &notes.inferred),
        ("guessed", &notes.guessed),
        ("left out", &notes.left_out),
    ];
    for (name, list) in lists {
        for words in list {
            let _ = writeln!(out, "  {name:<9} {words}");
        }
    }
    out
}

/// Tells runs, each in a line, as far as they have something new to say.
#[derive(Debug, Default)]
pub struct Lines {
    told: u64,
    last: Option<u64>,
}

impl Lines {
    /// The line of a run; none if it says nothing new.
    pub fn tell(&mut self, attempt: &Attempt, style: Style) -> Option<String> {
        if let Some(digest) = attempt.digest {
            let is_again = self.last.replace(digest) == Some(digest);
            if is_again || (attempt.sighting.is_none() && attempt.sameness.is_none()) {
                return None;
            }
            self.told += 1;
            if self.told > LINES_MAX {
                return (self.told == LINES_MAX + 1).then(|| "        and so on\n".to_owned());
            }
        }
        let words = match (&attempt.sighting, attempt.outcome) {
            (Some(sighting), outcome) => {
                let tone = if outcome == Outcome::Broken {
                    Tone::Bad
                } else {
                    Tone::Noted
                };
                let shown = style.paint(tone, &format!("{:<10}", "shown"));
                format!("{shown} {}", sighted(sighting))
            }
            (None, Outcome::Kept) => format!("{:<10} every promise kept", "not shown"),
            (None, Outcome::Broken) => format!("{:<10} another promise broken", "not shown"),
            (None, Outcome::Undecided) => format!("{:<10} too little evidence", "not shown"),
        };
        let seed = attempt.digest.map(|_| format!("seed {}  ", attempt.seed));
        let seed = seed.unwrap_or_default();
        Some(format!(
            "  {:>6}  {seed}{}\n",
            attempt.number,
            words.trim_end()
        ))
    }
}

fn sighted(sighting: &Sighting) -> String {
    let mut words = sighting.anomaly.to_owned();
    if let Some(key) = &sighting.key {
        let _ = write!(words, " of {key}");
    }
    if let (Some(since), Some(at)) = (sighting.since_storm_ms, sighting.storm_ms) {
        let _ = write!(
            words,
            "  {} to {} of the storm ({})",
            seconds(since),
            seconds(at),
            sighting.phase
        );
    }
    let faults = sighting.faults.iter().take(FAULTS_MAX);
    let faults: Vec<&str> = faults.map(String::as_str).collect();
    let more = sighting.faults.len() - faults.len();
    match (faults.as_slice(), more) {
        ([], _) => words.push_str("  no fault meanwhile"),
        (some, 0) => {
            let _ = write!(words, "  meanwhile {}", some.join(", "));
        }
        (some, more) => {
            let _ = write!(words, "  meanwhile {} and {more} more", some.join(", "));
        }
    }
    if sighting.seen > 1 {
        let _ = write!(words, "  {} in all", grouped(sighting.seen));
    }
    words
}

#[expect(clippy::cast_precision_loss, reason = "for display only")]
fn seconds(ms: i64) -> String {
    format!("{:.3}s", ms as f64 / 1e3)
}

/// What came of all runs.
pub fn closing(original: &Original, replay: &Replay, style: Style) -> String {
    let mut out = String::from("\n");
    if let Some(bytes) = bytes(original, replay) {
        let _ = writeln!(out, "  {bytes}");
    }
    let rate = replay.rate();
    let (of, asked) = (grouped(rate.of), grouped(replay.times));
    let of = if rate.of < replay.times {
        format!("{of} runs ({asked} were asked for)")
    } else {
        format!("{of} runs")
    };
    let shown = style.paint(
        if rate.seen > 0 {
            Tone::Strong
        } else {
            Tone::Unsure
        },
        &format!("{} in {} of {of}", replay.target, grouped(rate.seen)),
    );
    let how_often = match replay.manner {
        Manner::Exact => "one run, repeated: there is nothing to estimate".to_owned(),
        Manner::Live | Manner::Seeds => rate.to_string(),
    };
    let _ = writeln!(out, "  {shown}: {how_often}");
    let sightings: Vec<&Sighting> = replay
        .attempts
        .iter()
        .filter_map(|attempt| attempt.sighting.as_ref())
        .collect();
    if sightings.len() > 1 && replay.manner != Manner::Exact {
        let _ = writeln!(out, "  where  {}", where_in_runs(&sightings));
    }
    for attempt in &replay.attempts {
        if let Some(saved) = &attempt.saved {
            let _ = writeln!(out, "  saved  {saved} (run {})", attempt.number);
        }
    }
    if let Some(failure) = &replay.failure {
        let title = style.paint(Tone::Bad, "harness failure:");
        let _ = writeln!(out, "  {title} {failure}");
    }
    if replay.interrupted {
        out.push_str("  interrupted: only runs that came to their end are counted\n");
    }
    out.push_str(&advice(original, replay));
    out
}

/// How the bytes of simulated runs compare; none for others.
fn bytes(original: &Original, replay: &Replay) -> Option<String> {
    if replay.manner != Manner::Exact || replay.attempts.is_empty() {
        return None;
    }
    let all = replay.attempts.len() as u64;
    if replay.is_at_odds() {
        return Some(
            "the runs differ from each other: a bug of the simulator, which must be a function of the plan".to_owned(),
        );
    }
    let Some(same) = replay.same() else {
        let why = match &original.saved {
            None => "no saved history to compare with",
            Some(_) => "not compared with the saved history, which another plan made",
        };
        return Some(format!(
            "byte-identical with each other: {} of {}; {why}",
            grouped(all),
            grouped(all)
        ));
    };
    let counted = format!("{} of {}", grouped(same), grouped(all));
    let ended = original
        .saved
        .as_ref()
        .and_then(|saved| saved.ended_early.as_deref());
    Some(match replay.attempts[0].sameness {
        Some(Sameness::Differs { line }) => format!(
            "byte-identical with the saved history: {counted}; line {line} is the first to differ: another version of quorate made it, or it was changed"
        ),
        Some(Sameness::UntilItEnded { line }) => format!(
            "byte-identical with the saved history up to line {line}, where that was ended ({}): {counted}",
            ended.unwrap_or("nobody knows why")
        ),
        Some(Sameness::Identical) | None => {
            format!("byte-identical with the saved history: {counted}")
        }
    })
}

/// `begins at 0.4s to 0.9s of the storm, shows at 1.2s to 6.2s in census 7, storm 1; meanwhile kill 7, pause 2`.
fn where_in_runs(sightings: &[&Sighting]) -> String {
    let span = |times: Vec<i64>| -> Option<String> {
        let (first, last) = (times.iter().min()?, times.iter().max()?);
        Some(format!("{} to {}", seconds(*first), seconds(*last)))
    };
    let begins = sightings
        .iter()
        .filter_map(|sighting| sighting.since_storm_ms);
    let shows = sightings.iter().filter_map(|sighting| sighting.storm_ms);
    let mut words = match (span(begins.collect()), span(shows.collect())) {
        (Some(begins), Some(shows)) => {
            let phases = sightings.iter().map(|sighting| sighting.phase.as_str());
            format!(
                "begins at {begins} of the storm, shows at {shows} in {}",
                counted(phases)
            )
        }
        _ => "the history has no phases".to_owned(),
    };
    // Each kind once per run: how many windows of it there were says nothing about the anomaly.
    let kinds = sightings.iter().flat_map(|sighting| {
        let kinds = sighting
            .faults
            .iter()
            .filter_map(|fault| fault.split(' ').nth(1));
        let mut kinds: Vec<&str> = kinds.collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    });
    let kinds = counted(kinds);
    if kinds.is_empty() {
        words.push_str("; no fault meanwhile");
    } else {
        let _ = write!(words, "; meanwhile {kinds}");
    }
    words
}

/// `census 7, storm 1`, the most frequent first.
fn counted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let mut counts: Vec<(&str, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|&(name, count)| (std::cmp::Reverse(count), name));
    let words = counts.iter().map(|(name, count)| format!("{name} {count}"));
    words.collect::<Vec<_>>().join(", ")
}

/// What to do next.
fn advice(original: &Original, replay: &Replay) -> String {
    let reference = &original.name;
    let saved = replay
        .attempts
        .iter()
        .find_map(|attempt| attempt.saved.as_deref());
    match (replay.manner, saved) {
        (Manner::Live, _) if original.plan.world == World::Live => format!(
            "  live interleavings never repeat, so this is a rate; for a copy that repeats to the byte:\n    quorate replay {reference} --world sim --times {SEEDS}\n"
        ),
        (Manner::Seeds, Some(saved)) => {
            format!("  this copy repeats to the byte:\n    quorate replay {saved}\n")
        }
        (Manner::Seeds, None) if replay.rate().seen == 0 => format!(
            "  none of these seeds shows it in the simulated world; for more of them:\n    quorate replay {reference} --world sim --times {}\n",
            replay.times.saturating_mul(10)
        ),
        (Manner::Live | Manner::Seeds | Manner::Exact, _) => String::new(),
    }
}

/// The same as one JSON document.
pub fn document(original: &Original, replay: &Replay) -> String {
    let plan = match &original.basis {
        Basis::Saved => json!({ "from": "plan" }),
        Basis::Rebuilt { is_exact, notes } => json!({
            "from": "history",
            "exact": is_exact,
            "inferred": notes.inferred,
            "guessed": notes.guessed,
            "left_out": notes.left_out,
        }),
    };
    let document = json!({
        "replay": original.name,
        "world": replay.plan.world.name(),
        "manner": replay.manner,
        "target": replay.target.to_string(),
        "plan": plan,
        "times": replay.times,
        "shown": replay.rate(),
        "byte_identical": replay.same(),
        "failure": replay.failure,
        "interrupted": replay.interrupted,
        "runs": replay.attempts,
    });
    pretty(&document)
}

fn pretty(document: &Json) -> String {
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}
