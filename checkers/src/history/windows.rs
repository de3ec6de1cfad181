//! Nemesis lines to fault windows. It does not decide what a fault means for the promises: that is `exposure.rs`.
//!
//! Strict on purpose: a fault that was overlooked would make the promises too strong, and so raise false alarms.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::event::{Event, Nanos, Value};
use super::fault::{Effect, FaultKind, FaultWindow};

/// The `f` of nemesis lines that are only remarks.
const NOTE: &str = "note";

/// Gathers the lines of each fault, by its id.
#[derive(Default)]
pub(super) struct Windows {
    faults: Vec<FaultWindow>,
    places: BTreeMap<String, usize>,
}

impl Windows {
    /// Takes one nemesis line that is not a phase.
    pub(super) fn tell(&mut self, event: &Event) -> Result<(), String> {
        let word = event.f.as_str();
        if word == NOTE {
            return Ok(());
        }
        let Value::Json(body) = &event.value else {
            return Err(format!(
                "a {word} without a body: give `value` an id and a step"
            ));
        };
        let text = |name: &str| body.get(name).and_then(Json::as_str);
        let (Some(id), Some(step)) = (text("id"), text("step")) else {
            return Err(format!(
                "a {word} without id and step: give both in `value`"
            ));
        };
        let place = *self.places.entry(id.to_owned()).or_insert_with(|| {
            self.faults
                .push(opened(id, FaultKind::from(word), event.time));
            self.faults.len() - 1
        });
        let fault = &mut self.faults[place];
        if fault.kind.as_str() != word {
            let kind = fault.kind.as_str();
            return Err(format!(
                "fault {id} is a {kind}, then a {word}: use one id per fault"
            ));
        }
        take_step(fault, step, event.time)?;
        take_targets(fault, body)?;
        if let Some(why) = text("why") {
            fault.why = Some(why.to_owned());
        }
        Ok(())
    }

    pub(super) fn into_faults(self) -> Vec<FaultWindow> {
        self.faults
    }
}

fn opened(id: &str, kind: FaultKind, injected: Nanos) -> FaultWindow {
    FaultWindow {
        id: id.to_owned(),
        kind,
        nodes: Vec::new(),
        gone: Vec::new(),
        links: Vec::new(),
        offsets_ns: Vec::new(),
        injected,
        effect: None,
        heal_began: None,
        healed: None,
        why: None,
    }
}

fn take_step(fault: &mut FaultWindow, step: &str, time: Nanos) -> Result<(), String> {
    match step {
        "inject" | "unhealed" => {}
        "installed" => fault.effect = Some((time, Effect::Installed)),
        "skipped" => fault.effect = Some((time, Effect::Skipped)),
        "indeterminate" => fault.effect = Some((time, Effect::Indeterminate)),
        "heal" => fault.heal_began = Some(time),
        "healed" => fault.healed = Some(time),
        other => {
            return Err(format!(
                "unknown step `{other}`: use inject, installed, skipped, indeterminate, heal, healed or unhealed"
            ));
        }
    }
    Ok(())
}

fn take_targets(fault: &mut FaultWindow, body: &Json) -> Result<(), String> {
    if let Some(nodes) = body.get("nodes") {
        fault.nodes = names(nodes).ok_or("`nodes` is not a list of names: write [\"n1\", ..]")?;
    }
    if let Some(gone) = body.get("gone") {
        fault.gone = names(gone).ok_or("`gone` is not a list of names: write [\"n1\", ..]")?;
    }
    if let Some(links) = body.get("links") {
        let pairs: Option<Vec<(String, String)>> = links
            .as_array()
            .and_then(|list| list.iter().map(link).collect());
        fault.links =
            pairs.ok_or("`links` is not a list of pairs: write [[\"n1\", \"n2\"], ..]")?;
    }
    if let Some(offset) = body.get("offset_ns") {
        let offset = offset
            .as_i64()
            .ok_or("`offset_ns` is not an integer: give nanoseconds")?;
        fault.offsets_ns = vec![offset; fault.nodes.len().max(1)];
    }
    if let Some(offsets) = body.get("offsets_ns") {
        let list: Option<Vec<i64>> = offsets
            .as_array()
            .and_then(|list| list.iter().map(Json::as_i64).collect());
        fault.offsets_ns = list.ok_or("`offsets_ns` is not a list of integers: one per node")?;
    }
    Ok(())
}

fn names(list: &Json) -> Option<Vec<String>> {
    let names = list.as_array()?.iter();
    names.map(|name| name.as_str().map(str::to_owned)).collect()
}

fn link(pair: &Json) -> Option<(String, String)> {
    let [from, to] = pair.as_array()?.as_slice() else {
        return None;
    };
    Some((from.as_str()?.to_owned(), to.as_str()?.to_owned()))
}
