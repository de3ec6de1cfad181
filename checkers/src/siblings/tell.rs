//! Violations of stores that keep siblings, as sentences. It knows no names: places and letters only.

use crate::tale::Tale;

use super::{Kind, SiblingOp, Violation};

/// Tells a violation. `value` says what the operation at a place wrote or read.
pub fn tell(ops: &[SiblingOp], violation: &Violation, value: &dyn Fn(usize) -> String) -> Tale {
    let mut positions: Vec<u32> = [Some(violation.write), violation.because, violation.read]
        .into_iter()
        .flatten()
        .collect();
    positions.sort_unstable();
    positions.dedup();
    let letter = |at: u32| Tale::letter(positions.partition_point(|&other| other < at));
    let place = |at: u32| ops.get(at as usize).map_or(0, |op| op.place as usize);
    let text = |at: u32| value(place(at));
    let (a, lost) = (letter(violation.write), text(violation.write));
    let read = violation.read.map(|read| (letter(read), text(read)));
    let because = violation.because.map_or(a, letter);
    let (r, found) = read.clone().unwrap_or_default();
    let end = match read {
        Some((read, found)) => format!(
            "However, {read} came after everything else and returned {found}: {lost} is gone."
        ),
        None => {
            format!("However, in the end no replica holds {lost} or anything that replaced it.")
        }
    };
    let (then, however) = match violation.kind {
        Kind::AcknowledgedValueDropped => (
            format!(
                "{a} was acknowledged, and nobody who wrote later had read {lost}, so nothing replaced it."
            ),
            end,
        ),
        Kind::StaleRead => (
            format!(
                "{a} was acknowledged before {r} began, so {r} had to return {lost} or something whose writer had read it."
            ),
            format!("However, {r} returned {found}: neither is there."),
        ),
        Kind::Inversion => (
            format!(
                "{because} had returned {lost} before {r} began, so {r} had to return {lost} or something whose writer had read it."
            ),
            format!("However, {r} returned {found}: it went back in time."),
        ),
        Kind::ResurrectedDelete => (
            format!(
                "{because} deleted {lost}, which its client had read, and was acknowledged before {r} began."
            ),
            format!("However, {r} returned {found}: what was deleted is back."),
        ),
        Kind::SiblingExplosion => (
            format!(
                "{because} was written by a client that had read {lost}, and was acknowledged before {r} began, so it replaced {lost}."
            ),
            format!("However, {r} returned {found}: {lost} is still kept as a sibling."),
        ),
    };
    Tale {
        lets: positions.iter().map(|&at| place(at)).collect(),
        then: vec![then],
        however,
    }
}
