//! Stamps that contradict the order of events, tie, or decide between concurrent writes.

use super::{Actor, Attribution, Basis, Cause, Clues};
use crate::explain::words::{duration, list};
use crate::exposure::Exposure;
use crate::guarantee::Guarantee;
use crate::history::{FaultKind, FaultWindow, Nanos, Stamp};
use crate::witness::Part;

impl<'a> Clues<'a> {
    /// Both stamps, when the wrong one of them is the larger.
    pub(super) fn stamps(&self, exposure: &Exposure) -> Option<Attribution> {
        let stamped = |part: Part| {
            let actor = self.actor(part)?;
            Some((actor, actor.stamp()?))
        };
        if self.is(Guarantee::NoLostUpdates) {
            return Some(overwritten());
        }
        let older = stamped(Part::Older).or_else(|| stamped(Part::OlderShown));
        let older = older.or_else(|| stamped(Part::Reader))?;
        let newer = stamped(Part::Newer).or_else(|| stamped(Part::NewerShown))?;
        if newer.1 >= older.1 {
            return None;
        }
        if older.1.wall_ns == newer.1.wall_ns {
            return Some(tie(&older, &newer));
        }
        let both = format!(
            "{a} has the stamp {} of {}, {b} has {} of {}: {b}'s is {} smaller, so {a} wins.",
            older.1.wall_ns,
            older.1.node,
            newer.1.wall_ns,
            newer.1.node,
            duration(older.1.wall_ns.abs_diff(newer.1.wall_ns)),
            a = older.0.letter,
            b = newer.0.letter,
        );
        if self.is(Guarantee::NoConcurrentLoss) {
            let rule = "Of concurrent writes this store keeps the one with the larger stamp, and tells nobody.";
            return Some(Attribution::inferred(
                Cause::LastWriteWins,
                vec![both, rule.to_owned()],
            ));
        }
        let mut sentences = vec![both];
        sentences.extend(apart(&older, &newer));
        let Some(fault) = self.clock_fault(&older.1, &newer) else {
            sentences.push(if exposure.is_synchronised() {
                "No fault touched a clock: the store made its stamps wrongly, or its clocks differ of themselves."
                    .to_owned()
            } else {
                let nodes = list(&nodes(&older.1, &newer.1));
                format!("No fault is recorded that touched the clocks of {nodes}.")
            });
            return Some(Attribution::inferred(Cause::SkewedStamp, sentences));
        };
        sentences.push(super::faults::tell(fault));
        Some(Attribution::inferred(Cause::SkewedStamp, sentences).naming(fault))
    }

    /// The latest fault of the clocks that made the stamps, up to the end of the newer write. What came before it may still show:
    /// stamps never go back.
    fn clock_fault(&self, older: &Stamp, newer: &(Actor<'a>, Stamp)) -> Option<&'a FaultWindow> {
        let until = newer.0.operation.completed().unwrap_or(Nanos::NEVER);
        self.history.faults.iter().rfind(|fault| {
            let nodes = &fault.nodes;
            let is_clock = match fault.kind {
                FaultKind::Clock => nodes.contains(&older.node) || nodes.contains(&newer.1.node),
                FaultKind::HostClock | FaultKind::Drift => true,
                _ => false,
            };
            is_clock && fault.may_have_taken() && fault.injected <= until
        })
    }
}

/// Why sets lose elements, whatever the stamps are.
fn overwritten() -> Attribution {
    let rule = "Of sets that were made from the same version this store keeps the one with the larger stamp, whole, and tells nobody.";
    Attribution {
        basis: Basis::Settings,
        ..Attribution::inferred(Cause::LastWriteWins, vec![rule.to_owned()])
    }
}

/// How far the stamps are from the real order of the two operations, at least.
fn apart(older: &(Actor<'_>, Stamp), newer: &(Actor<'_>, Stamp)) -> Option<String> {
    let (first, second) = (older.0.operation, newer.0.operation);
    if !first.is_write() || !second.is_write() || !first.precedes(second) {
        return None;
    }
    let between = second.call.since(first.ret).0;
    let apart = older.1.wall_ns.abs_diff(newer.1.wall_ns);
    let whose = if older.1.node == newer.1.node {
        format!("the clock of {} went back", older.1.node)
    } else {
        format!(
            "the clocks of {} disagreed",
            list(&nodes(&older.1, &newer.1))
        )
    };
    Some(format!(
        "Yet {} began {} after {} had ended: {whose} by at least {}.",
        newer.0.letter,
        duration(between),
        older.0.letter,
        duration(apart.saturating_add(between)),
    ))
}

fn nodes(older: &Stamp, newer: &Stamp) -> Vec<String> {
    let mut nodes = vec![older.node.clone(), newer.node.clone()];
    nodes.dedup();
    nodes
}

fn tie(older: &(Actor<'_>, Stamp), newer: &(Actor<'_>, Stamp)) -> Attribution {
    let (a, b) = (older.0.letter, newer.0.letter);
    let time = older.1.wall_ns;
    let sentences = vec![
        format!("{a} and {b} have the same time in their stamps, {time}."),
        format!(
            "The tie goes to the larger node, {} over {}, which knows nothing of what came first: {a} wins.",
            older.1.node, newer.1.node
        ),
    ];
    Attribution::inferred(Cause::TimestampTie, sentences)
}
