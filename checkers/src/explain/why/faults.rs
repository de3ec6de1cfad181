//! Faults in the time of a witness that touched a node which plays a part in it, in sentences.

use std::collections::BTreeSet;

use super::{Attribution, Cause, Clues};
use crate::explain::words::{duration, list, moment, plural};
use crate::guarantee::Guarantee;
use crate::history::{FaultKind, FaultWindow, Operation};

/// Faults that an explanation names at most.
const FAULTS_NAMED_MAX: usize = 6;

impl Clues<'_> {
    /// Faults near the witness that touched a node that plays a part in it, but those that are told already.
    pub(super) fn faults(&self, why: &[Attribution]) -> Option<Attribution> {
        let from = self
            .all_operations()
            .map(|op| op.call)
            .min()
            .unwrap_or_default();
        let end = |op: &Operation| op.completed().unwrap_or(op.call);
        let to = self.all_operations().map(end).max().unwrap_or_default();
        // Stamps are made when clients write; what befalls a clock after that, before the census, explains nothing.
        let acted_to = self.actors().map(|actor| end(actor.operation)).max();
        let acted_to = acted_to.unwrap_or(to);
        let nodes = self.nodes();
        let about_clocks = self.is(Guarantee::NoClockLoss);
        let near = |fault: &&FaultWindow| {
            let (began, healed) = fault.span();
            let touches = nodes.is_empty()
                || fault.nodes.is_empty()
                || fault.nodes.iter().any(|node| nodes.contains(node));
            let to = match fault.kind {
                FaultKind::Clock | FaultKind::Drift => acted_to,
                _ => to,
            };
            fault.may_have_taken() && began <= to && healed >= from && touches
        };
        let mut faults: Vec<&FaultWindow> = self.history.faults.iter().filter(near).collect();
        if about_clocks {
            faults.sort_by_key(|fault| !matches!(fault.kind, FaultKind::Clock | FaultKind::Drift));
        }
        let told = why.iter().flat_map(|attribution| &attribution.faults);
        faults.retain(|fault| !told.clone().any(|id| *id == fault.id));
        let named = faults.iter().take(FAULTS_NAMED_MAX);
        let mut sentences: Vec<String> = named.map(|fault| tell(fault)).collect();
        match faults.len().saturating_sub(FAULTS_NAMED_MAX) {
            0 => {}
            more => sentences.push(format!(
                "{more} more {} in the same time.",
                plural(more, "fault falls", "faults fall")
            )),
        }
        let attribution = Attribution::recorded(Cause::Faults, sentences);
        let named = faults.iter().take(FAULTS_NAMED_MAX);
        (!faults.is_empty()).then(|| named.fold(attribution, |a, fault| a.naming(fault)))
    }

    /// Nodes that play a part; empty if nobody knows.
    fn nodes(&self) -> BTreeSet<String> {
        let mut nodes = BTreeSet::new();
        let mut claimed = false;
        for operation in self.all_operations() {
            let named = operation.node();
            nodes.extend(named.map(|node| self.history.node_name(node).to_owned()));
            let Some(evidence) = operation.evidence() else {
                continue;
            };
            claimed = true;
            nodes.extend(evidence.acked_by);
            nodes.extend(evidence.answered_by.into_iter().map(|answer| answer.node));
        }
        if claimed { nodes } else { BTreeSet::new() }
    }
}

/// One fault in a sentence.
pub(super) fn tell(fault: &FaultWindow) -> String {
    let nodes = list(&fault.nodes);
    let (was, at) = (
        plural(fault.nodes.len(), "was", "were"),
        moment(fault.injected),
    );
    let id = &fault.id;
    let (what, healed) = match &fault.kind {
        FaultKind::Kill => (
            format!("{nodes} {was} killed at {at} (fault {id})"),
            "restarted",
        ),
        FaultKind::Pause => (
            format!("{nodes} {was} paused at {at} (fault {id})"),
            "resumed",
        ),
        FaultKind::Partition => (
            format!("{} cut at {at} (fault {id})", links(fault)),
            "healed",
        ),
        FaultKind::Slow => (
            format!("{} slowed at {at} (fault {id})", links(fault)),
            "healed",
        ),
        FaultKind::Clock => (
            format!("{} at {at} (fault {id})", offsets(fault)),
            "set right",
        ),
        FaultKind::Crash => (
            format!("{nodes} died by itself at {at} ({id})"),
            "restarted",
        ),
        FaultKind::Lossy => {
            return format!("Messages between {nodes} got lost now and then, all the time ({id}).");
        }
        FaultKind::Drift => {
            return format!("The clocks of {nodes} drifted, all the time ({id}).");
        }
        FaultKind::Ring if !fault.gone.is_empty() => (
            format!(
                "The ring began to change at {at} (fault {id}): {} died for good and was to be replaced",
                list(&fault.gone)
            ),
            "finished",
        ),
        FaultKind::Ring => (
            format!("The ring began to change at {at} (fault {id}): {nodes} came or went"),
            "finished",
        ),
        FaultKind::HostClock => {
            return format!("The clock of the whole machine was stepped at {at} ({id}).");
        }
        FaultKind::Other(kind) => (format!("Fault {id}, a {kind}, began at {at}"), "healed"),
    };
    match fault.healed {
        Some(time) => format!("{what}, {healed} at {}.", moment(time)),
        None => format!("{what}, never {healed}."),
    }
}

fn links(fault: &FaultWindow) -> String {
    let count = fault.links.len();
    match fault.links.first() {
        Some((from, to)) if count == 1 => format!("The link from {from} to {to} was"),
        None => format!("The links of {} were", list(&fault.nodes)),
        _ => format!("{count} links among {} were", list(&fault.nodes)),
    }
}

fn offsets(fault: &FaultWindow) -> String {
    let signed = |ns: i64| {
        let sign = if ns < 0 { "-" } else { "+" };
        format!("{sign}{}", duration(ns.unsigned_abs()))
    };
    if let ([node], [ns]) = (fault.nodes.as_slice(), fault.offsets_ns.as_slice()) {
        return format!("The clock of {node} was offset by {}", signed(*ns));
    }
    let clocks = fault.nodes.iter().zip(&fault.offsets_ns);
    let clocks: Vec<String> = clocks
        .map(|(node, ns)| format!("{node} ({})", signed(*ns)))
        .collect();
    format!("The clocks of {} were offset", list(&clocks))
}
