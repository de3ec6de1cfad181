//! Why: what the nodes' evidence and the fault windows suggest about the cause.
//!
//! Inference, not proof: nodes may be wrong about themselves. Nothing here decides whether there is an anomaly.

use std::collections::BTreeSet;

use super::words::{duration, list, moment, plural, value};
use crate::exposure::Exposure;
use crate::guarantee::Guarantee;
use crate::history::{Evidence, FaultKind, FaultWindow, Function, History, Operation, Stamp};
use crate::witness::{Anomaly, Part};

/// Faults that an explanation names at most.
const FAULTS_NAMED_MAX: usize = 6;

/// What marks sentences that lean on what nodes say about themselves.
const INFERRED: &str = "(inferred from node evidence) ";

/// Infers a cause, sentence by sentence.
pub(super) fn infer(history: &History, exposure: &Exposure, anomaly: &Anomaly) -> Vec<String> {
    let clues = Clues { history, anomaly };
    let mut why = Vec::new();
    if anomaly.guarantee != Guarantee::Availability {
        why.extend(clues.quorums());
        why.extend(clues.stamps());
        why.extend(clues.held_stamps());
        if let Some(first) = why.first_mut() {
            first.insert_str(0, INFERRED);
        } else {
            why.push(
                "No evidence was recorded that tells which part each replica played.".to_owned(),
            );
        }
    }
    why.extend(clues.other_key());
    why.extend(clues.faults(exposure));
    let sabotage = &history.header.sabotage;
    if !sabotage.is_empty() {
        let defects = list(sabotage);
        why.push(format!(
            "The nodes ran with a defect built in on purpose: {defects}."
        ));
    }
    why
}

struct Clues<'a> {
    history: &'a History,
    anomaly: &'a Anomaly,
}

/// An operation of the witness with its letter.
type Actor<'a> = (char, &'a Operation);

impl<'a> Clues<'a> {
    fn actor(&self, part: Part) -> Option<Actor<'a>> {
        let role = self.anomaly.witness.role(part)?;
        Some((role.letter, self.history.operations.get(role.operation)?))
    }

    fn all_operations(&self) -> impl Iterator<Item = &'a Operation> {
        let operations = &self.history.operations;
        self.anomaly
            .witness
            .operations()
            .into_iter()
            .filter_map(|at| operations.get(at))
    }

    /// For a value from nowhere: the other key that it was written to.
    fn other_key(&self) -> Option<String> {
        if self.anomaly.guarantee != Guarantee::NoPhantoms || self.actor(Part::Newer).is_some() {
            return None;
        }
        let (_, reader) = self.actor(Part::Reader)?;
        let mut operations = self.history.operations.iter();
        let write = operations.find(|op| op.f == Function::Write && op.value == reader.value)?;
        Some(format!(
            "c{} wrote {} to {}: the store may have taken one key for another.",
            write.process,
            value(reader),
            self.history.key_name(write.key)
        ))
    }

    /// For replicas that differ: the stamp of what each of them holds.
    fn held_stamps(&self) -> Option<String> {
        if self.anomaly.guarantee != Guarantee::Convergence {
            return None;
        }
        let held: Vec<String> = self
            .all_operations()
            .filter_map(|answer| {
                let stamp = answer.evidence()?.version?;
                let replica = self.history.node_name(answer.node()?);
                Some(format!("{replica} {} of {}", stamp.wall_ns, stamp.node))
            })
            .collect();
        (!held.is_empty()).then(|| format!("The stamps they hold: {}.", list(&held)))
    }

    /// Who held the newer value, and who answered the read that missed it.
    fn quorums(&self) -> Vec<String> {
        let Some((letter, reader)) = self.actor(Part::Reader) else {
            return self.holders();
        };
        let Some(answers) = reader.evidence().filter(|e| !e.answered_by.is_empty()) else {
            return Vec::new();
        };
        let answered: Vec<String> = answers.answered_by.iter().map(|a| a.node.clone()).collect();
        let answered_by = format!("{letter} was answered by {}.", list(&answered));
        let Some((newer, holders, write)) = self.held_by() else {
            return vec![answered_by];
        };
        let both: Vec<&String> = answered
            .iter()
            .filter(|&node| holders.contains(node))
            .collect();
        let mut why = vec![format!(
            "{newer} {}; {answered_by}",
            holding(write, &holders)
        )];
        if both.is_empty() {
            why.push(self.no_overlap(write, reader, holders.len(), answered.len()));
        }
        for node in both {
            why.push(self.in_both(node, &answers));
        }
        why
    }

    /// For anomalies of the census: who had acknowledged the write that is gone.
    fn holders(&self) -> Vec<String> {
        let Some((newer, holders, write)) = self.held_by() else {
            return Vec::new();
        };
        vec![format!("{newer} {}.", holding(write, &holders))]
    }

    /// The newer value's letter, the replicas known to have held it, and whether its write says so.
    fn held_by(&self) -> Option<(char, Vec<String>, bool)> {
        let evidence = |part| {
            self.actor(part)
                .and_then(|(c, op)| Some((c, op.evidence()?)))
        };
        let by_a_read = match self.anomaly.guarantee {
            Guarantee::NoInversion => true,
            Guarantee::Linearizability => self.actor(Part::NewerShown).is_some(),
            _ => false,
        };
        if by_a_read {
            let (letter, shown) = evidence(Part::NewerShown)?;
            let holds = |stamp: &Option<Stamp>| stamp.is_some() && *stamp == shown.version;
            let holders = shown
                .answered_by
                .iter()
                .filter(|answer| holds(&answer.version));
            let holders: Vec<String> = holders.map(|answer| answer.node.clone()).collect();
            return (!holders.is_empty()).then_some((letter, holders, false));
        }
        let (letter, newer) = evidence(Part::Newer)?;
        (!newer.acked_by.is_empty()).then_some((letter, newer.acked_by, true))
    }

    fn no_overlap(&self, write: bool, reader: &Operation, held: usize, answered: usize) -> String {
        let n = self.history.header.quorum.n;
        let r = reader.level().unwrap_or(self.history.header.quorum.r);
        let newer = self
            .actor(Part::Newer)
            .and_then(|(_, operation)| operation.level());
        let w = newer.unwrap_or(self.history.header.quorum.w);
        let sum = u64::from(r) + u64::from(w);
        if !write {
            return "No replica is in both: one that held the newer value was not asked."
                .to_owned();
        }
        if sum <= u64::from(n) {
            return format!(
                "No replica is in both: R + W = {sum} is not more than N = {n}, so that may happen."
            );
        }
        format!(
            "No replica is in both, although R + W = {sum} is more than N = {n}: {held} acknowledged and {answered} \
             answered, so one of the quorums was too small or not of this key's replicas."
        )
    }

    /// What a replica that is in both quorums says for itself.
    fn in_both(&self, node: &str, answers: &Evidence) -> String {
        let held = answers
            .answered_by
            .iter()
            .find(|answer| answer.node == node);
        let held = held.and_then(|answer| answer.version.as_ref());
        let newer = self.actor(Part::Newer);
        let newer = newer.and_then(|(_, op)| op.evidence()?.version);
        match (held, newer.as_ref()) {
            (None, _) => format!(
                "{node} is in both, and answered with nothing: it did not keep what it had held."
            ),
            (Some(held), Some(newer)) if held < newer => {
                format!(
                    "{node} is in both, and answered with an older version: it did not keep what it had held."
                )
            }
            (Some(held), Some(newer)) if held == newer => {
                format!(
                    "{node} is in both, and answered with the newer version, which another answer beat."
                )
            }
            (Some(_), _) => format!("{node} is in both, and answered with a version of its own."),
        }
    }

    /// Both stamps, when they contradict real time.
    fn stamps(&self) -> Option<String> {
        let stamp = |part: Part| {
            let (letter, operation) = self.actor(part)?;
            Some((letter, operation.evidence()?.version?))
        };
        let older = stamp(Part::Older).or_else(|| stamp(Part::OlderShown));
        let (a, older) = older.or_else(|| stamp(Part::Reader))?;
        let (b, newer) = stamp(Part::Newer).or_else(|| stamp(Part::NewerShown))?;
        if newer >= older {
            return None;
        }
        let apart = duration(older.wall_ns.abs_diff(newer.wall_ns));
        Some(format!(
            "{a} has the stamp {} of {}, {b} has {} of {}: {b}'s is {apart} smaller, so {a} wins.",
            older.wall_ns, older.node, newer.wall_ns, newer.node
        ))
    }

    /// Faults near the witness that touched a node that plays a part in it.
    fn faults(&self, exposure: &Exposure) -> Vec<String> {
        let from = self
            .all_operations()
            .map(|op| op.call)
            .min()
            .unwrap_or_default();
        let end = |op: &Operation| op.completed().unwrap_or(op.call);
        let to = self.all_operations().map(end).max().unwrap_or_default();
        // Stamps are made when clients write; what befalls a clock after that, before the census, explains nothing.
        let roles = &self.anomaly.witness.roles;
        let acted = roles
            .iter()
            .filter_map(|role| self.history.operations.get(role.operation));
        let acted_to = acted.map(end).max().unwrap_or(to);
        let nodes = self.nodes();
        let about_clocks = self.anomaly.guarantee == Guarantee::NoClockLoss;
        let near = |fault: &&FaultWindow| {
            let (began, healed) = fault.span();
            let touches = nodes.is_empty()
                || fault.nodes.is_empty()
                || fault.nodes.iter().any(|node| nodes.contains(node));
            let to = match fault.kind {
                FaultKind::Clock => acted_to,
                _ => to,
            };
            fault.may_have_taken() && began <= to && healed >= from && touches
        };
        let mut faults: Vec<&FaultWindow> = self.history.faults.iter().filter(near).collect();
        if about_clocks {
            faults.sort_by_key(|fault| fault.kind != FaultKind::Clock);
        }
        let mut why: Vec<String> = faults
            .iter()
            .take(FAULTS_NAMED_MAX)
            .map(|fault| tell(fault))
            .collect();
        match faults.len().saturating_sub(FAULTS_NAMED_MAX) {
            0 => {}
            more => why.push(format!(
                "{more} more {} in the same time.",
                plural(more, "fault falls", "faults fall")
            )),
        }
        if about_clocks && exposure.is_synchronised() {
            why.push("No fault touched a clock: the store made its stamps wrongly.".to_owned());
        }
        why
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

fn holding(write: bool, nodes: &[String]) -> String {
    if write {
        format!("was acknowledged by {}", list(nodes))
    } else {
        format!("found the newer value at {}", list(nodes))
    }
}

/// One fault in a sentence.
fn tell(fault: &FaultWindow) -> String {
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
