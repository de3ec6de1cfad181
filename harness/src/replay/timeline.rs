//! The faults of a history as a timeline: what their first lines say was planned, or else what was seen of them.
//!
//! What is not ours (a crash, a stepped clock of the host) and what never took cannot be done again, and is named instead.

use std::collections::BTreeMap;

use quorate_checkers::history::{Effect, FaultKind, FaultWindow, History, Nanos, Value};

use super::load::{began, round_ms};
use super::rebuild::Notes;
use crate::conductor::Phase;
use crate::fault::{Cut, Fault, Link};
use crate::plan::{Planned, Scheduled};

/// The name of a partition whose shape nobody told.
const SHAPE: &str = "recorded";
/// How late a slow link is, ms, if nobody told.
const DELAY_MS: u64 = 100;
/// How unevenly late, ms.
const JITTER_MS: u64 = 50;

/// The faults of a history, in order of time.
pub(super) fn timeline(history: &History, storm_ms: u64, notes: &mut Notes) -> Vec<Scheduled> {
    let planned = planned(history);
    let storm_began = began(history, Phase::Storm).unwrap_or_default();
    let mut timeline: Vec<Scheduled> = Vec::new();
    let mut seen = 0;
    for window in &history.faults {
        if let Some(planned) = planned.get(&window.id) {
            timeline.push(planned.clone().scheduled(&window.id));
            continue;
        }
        match recorded(window, storm_began, storm_ms, notes) {
            Ok(scheduled) => {
                seen += 1;
                timeline.push(scheduled);
            }
            Err(why) => {
                let kind = window.kind.as_str();
                notes.left_out.push(format!("{kind} {}: {why}", window.id));
            }
        }
    }
    if seen > 0 {
        notes
            .inferred
            .push(format!("when {seen} faults began and ended, to the ms"));
    }
    if let Some(why) = ended_early(history) {
        notes.left_out.push(format!(
            "whatever was planned for after the load had ended: {why}"
        ));
    }
    timeline.sort_by_key(|scheduled| scheduled.at_ms);
    timeline
}

/// What the history says of why its load ended before its time: a note right before the phase in which all is healed.
pub(super) fn ended_early(history: &History) -> Option<&str> {
    let heal = began(history, Phase::Heal)?;
    let mut pairs = history.nemesis.windows(2);
    pairs.find_map(|pair| {
        let [note, phase] = pair else { return None };
        let (Value::Json(words), Value::Json(name)) = (&note.value, &phase.value) else {
            return None;
        };
        let is_it = note.f.as_str() == "note"
            && phase.time == heal
            && name.as_str() == Some(Phase::Heal.name());
        is_it.then(|| words.as_str()).flatten()
    })
}

/// What the first lines of faults say was planned, by their ids.
fn planned(history: &History) -> BTreeMap<String, Planned> {
    let of_line = |value: &Value| {
        let Value::Json(body) = value else {
            return None;
        };
        let id = body.get("id")?.as_str()?.to_owned();
        let planned = serde_json::from_value(body.get("planned")?.clone()).ok()?;
        Some((id, planned))
    };
    let lines = history.nemesis.iter();
    lines.filter_map(|event| of_line(&event.value)).collect()
}

/// A fault as it was seen; or why it cannot be done again.
fn recorded(
    window: &FaultWindow,
    storm_began: Nanos,
    storm_ms: u64,
    notes: &mut Notes,
) -> Result<Scheduled, String> {
    if let Some((_, Effect::Skipped)) = window.effect {
        let why = window.why.as_deref().unwrap_or("nobody knows why");
        return Err(format!("it was skipped: {why}"));
    }
    let fault = fault(window, notes)?;
    let ms = |from: Nanos, to: Nanos| to.since(from).0 / 1_000_000;
    let at_ms = ms(storm_began, window.injected);
    if at_ms >= storm_ms {
        return Err("it began after the storm".to_owned());
    }
    // What lasts until the end of the storm is healed a little after it.
    let for_ms = window
        .heal_began
        .map_or(u64::MAX, |healed| round_ms(window.injected, healed));
    Ok(Scheduled {
        id: window.id.clone(),
        at_ms,
        for_ms: for_ms.min(storm_ms - at_ms),
        fault,
        cue: None,
    })
}

fn fault(window: &FaultWindow, notes: &mut Notes) -> Result<Fault, String> {
    let touched = || -> Result<Vec<u16>, String> { window.nodes.iter().map(number).collect() };
    let links = || -> Result<Vec<Link>, String> {
        let link = |(from, to): &(String, String)| {
            Ok(Link {
                from: number(from)?,
                to: number(to)?,
            })
        };
        window.links.iter().map(link).collect()
    };
    match &window.kind {
        FaultKind::Kill => Ok(Fault::Kill { nodes: touched()? }),
        FaultKind::Pause => Ok(Fault::Pause { nodes: touched()? }),
        FaultKind::Partition => {
            let id = &window.id;
            notes
                .guessed
                .push(format!("partition {id} resets connections, not holds them"));
            Ok(Fault::Partition {
                shape: SHAPE.to_owned(),
                cut: Cut::Reset,
                links: links()?,
            })
        }
        FaultKind::Slow => {
            let id = &window.id;
            notes.guessed.push(format!(
                "slow {id} is late by {DELAY_MS} ms and up to {JITTER_MS} ms more"
            ));
            Ok(Fault::Slow {
                links: links()?,
                delay_ms: DELAY_MS,
                jitter_ms: JITTER_MS,
            })
        }
        FaultKind::Clock => {
            let offsets = window.offsets_ns.iter().map(|ns| ns / 1_000_000);
            Ok(Fault::Clock {
                offsets_ms: touched()?.into_iter().zip(offsets).collect(),
            })
        }
        FaultKind::Ring => Err(
            "only its line in a history of quorate's own says which way the ring changed"
                .to_owned(),
        ),
        FaultKind::Crash | FaultKind::HostClock => {
            Err("it happened by itself, and nobody can do it again".to_owned())
        }
        FaultKind::Lossy | FaultKind::Drift => {
            Err("it is part of the weather, not of the timeline".to_owned())
        }
        FaultKind::Other(name) => Err(format!("this quorate knows no fault `{name}`")),
    }
}

fn number(name: &String) -> Result<u16, String> {
    let digits = name.strip_prefix('n');
    let number = digits.and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| format!("it touches `{name}`, which is no node of quorate's"))
}
