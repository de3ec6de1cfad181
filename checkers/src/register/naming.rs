//! Names for what is wrong with a trace of unique values: which reads are phantoms, from failed writes, from the future or
//! stale, and which values conflict although none of their reads is.
//!
//! It runs only once `zones.rs` or `chains.rs` has found that something is wrong. A compare-and-set that succeeded counts as a
//! write here; what it expected is a matter for `chains.rs`. A read that cannot have seen its value at all takes no
//! part in questions of order, and a value with a stale read is told by that read alone.
//! A trace is mostly right even then, so what it takes to name a culprit is looked for only where there is one.

use super::trace::{Action, RegisterOp, Trace, ValueId};
use super::violation::{Before, Kind, Proof, Violations};
use super::zones::{NONE, Zone};
use crate::history::Status;

/// Names all violations of a trace whose values are unique.
pub(super) fn name(trace: &Trace) -> Violations {
    let mut violations = Violations::default();
    let zones = sound_zones(trace, &mut violations);
    name_order(trace, &zones, violations)
}

/// Names all violations of a trace in which every read returned what it may have seen, as [`name`] does. The zones are
/// those of all operations that may have happened.
pub(super) fn name_sound(trace: &Trace, zones: &[Zone]) -> Violations {
    name_order(trace, zones, Violations::default())
}

/// The zones of the writes and the sound reads. Names the other reads.
fn sound_zones(trace: &Trace, violations: &mut Violations) -> Vec<Zone> {
    let mut zones = vec![Zone::EMPTY; (trace.values as usize).max(1)];
    let mut failed = vec![NONE; zones.len()];
    for (at, op) in (0..).zip(&trace.ops) {
        if let Action::Write(value) | Action::Cas { new: value, .. } = op.action {
            match op.status {
                Status::Fail => failed[value.0 as usize] = at,
                _ => zones[value.0 as usize].write = at,
            }
        }
    }
    for (at, op) in (0..).zip(&trace.ops) {
        let value = match op.action {
            Action::Read(value) if op.is_ok() => value,
            Action::Write(value) | Action::Cas { new: value, .. } if op.status != Status::Fail => {
                value
            }
            _ => continue,
        };
        let zone = &mut zones[value.0 as usize];
        if let Action::Read(_) = op.action
            && value != ValueId::INITIAL
        {
            let write = zone.write;
            if write == NONE {
                let (kind, proof) = match failed[value.0 as usize] {
                    NONE => (Kind::Phantom, Proof::Phantom { read: at }),
                    write => (Kind::FailedWrite, Proof::FailedWrite { write, read: at }),
                };
                violations.see(op.call, kind, || proof);
                continue;
            }
            if op.precedes(&trace.ops[write as usize]) {
                let proof = || Proof::Future { write, read: at };
                violations.see(op.call, Kind::Future, proof);
                continue;
            }
        }
        zone.add(at, op);
    }
    zones
}

/// Names the stale reads and the inversions.
fn name_order(trace: &Trace, zones: &[Zone], violations: Violations) -> Violations {
    let mut named = Naming {
        trace,
        zones,
        newer: newer(trace, zones),
        violations,
    };
    named.stale_reads();
    named.inversions();
    named.violations
}

/// For each value with a stale read, the write that replaced it first: of the acknowledged ones that began after its own
/// write had ended, the one that ended first.
fn newer(trace: &Trace, zones: &[Zone]) -> Vec<u32> {
    let acked = Acked::of(trace);
    let mut newer = vec![NONE; zones.len()];
    for (newer, zone) in newer.iter_mut().zip(zones) {
        let start = match trace.ops.get(zone.write as usize) {
            None => 0,
            // A read cannot be stale that began before the write of its value had ended.
            Some(write) if write.end() >= zone.last_call => continue,
            Some(write) => begun(&trace.ops, zone.write as usize, write.end()),
        };
        *newer = acked.first_to_end(start, zone.last_call);
    }
    newer
}

struct Naming<'a> {
    trace: &'a Trace,
    /// For each value, its write and its sound reads.
    zones: &'a [Zone],
    /// For each value with a stale read, the write that replaced it first.
    newer: Vec<u32>,
    violations: Violations,
}

impl Naming<'_> {
    fn stale_reads(&mut self) {
        for (at, op) in (0..).zip(&self.trace.ops) {
            let Action::Read(value) = op.action else {
                continue;
            };
            let newer = self.newer[value.0 as usize];
            let replacement = self.trace.ops.get(newer as usize);
            if !op.is_ok() || !replacement.is_some_and(|write| write.precedes(op)) {
                continue;
            }
            let write = self.zones[value.0 as usize].write;
            let proof = || Proof::StaleRead {
                older: (write != NONE).then_some(write),
                newer,
                read: at,
            };
            self.violations.see(op.call, Kind::StaleRead, proof);
        }
    }

    /// Whether a value has operations, none of which is a stale read.
    fn is_open(&self, id: u32) -> bool {
        self.newer[id as usize] == NONE && self.zone(id).count > 0
    }

    /// Names the values that conflict with another although none of their reads is stale, each with the partner that
    /// reaches furthest.
    fn inversions(&mut self) {
        if !self.has_inversion() {
            return;
        }
        let mut by_end: Vec<(u64, u32)> = (1..self.trace.values)
            .filter(|&id| self.is_open(id) && self.zone(id).first_end < Trace::NEVER)
            .map(|id| (self.zone(id).first_end, id))
            .collect();
        by_end.sort_unstable();
        let furthest = self.furthest(&by_end);
        let initial = self.is_open(0).then(|| self.zone(0).last_call);
        let mut pairs = Vec::new();
        for &(_, id) in &by_end {
            let zone = self.zone(id);
            if initial.is_some_and(|last_call| zone.first_end < last_call) {
                pairs.push((0, id));
                continue;
            }
            let begun = by_end.partition_point(|&(end, _)| end < zone.last_call);
            let Some(&[best, second]) = begun.checked_sub(1).map(|last| &furthest[last]) else {
                continue;
            };
            let partner = if best == id { second } else { best };
            if partner != NONE && self.zone(partner).last_call > zone.first_end {
                pairs.push((id.min(partner), id.max(partner)));
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        let first = self.first();
        for (one, other) in pairs {
            let (at, proof) = self.conflict(one, other, &first);
            self.violations.see(at, Kind::Inversion, || proof);
        }
    }

    /// Whether any two values without stale reads conflict: the walk of `zones.rs`, which needs no sort.
    fn has_inversion(&self) -> bool {
        let until = if self.is_open(0) {
            self.zone(0).last_call
        } else {
            0
        };
        let mut soonest = Zone::EMPTY;
        let count = u32::try_from(self.trace.ops.len()).unwrap_or(NONE);
        for (at, op) in (0..count).zip(&self.trace.ops).rev() {
            let ValueId(id) = subject(op);
            let zone = self.zone(id);
            if id == ValueId::INITIAL.0 || zone.last != at || self.newer[id as usize] != NONE {
                continue;
            }
            if zone.first_end < until || zone.conflicts(&soonest) {
                return true;
            }
            if zone.first_end < soonest.first_end {
                soonest = *zone;
            }
        }
        false
    }

    fn zone(&self, id: u32) -> &Zone {
        &self.zones[id as usize]
    }

    /// For each value, the operation that ended first.
    fn first(&self) -> Vec<u32> {
        let mut firsts = vec![NONE; self.zones.len()];
        for (at, op) in (0..).zip(&self.trace.ops) {
            let ValueId(id) = subject(op);
            let first = &mut firsts[id as usize];
            // Nothing that is not in the zone ended then: a read from the future ended before the write began.
            if *first == NONE && op.is_ok() && op.end() == self.zone(id).first_end {
                *first = at;
            }
        }
        firsts
    }

    /// For each place in a list of values, the two with the last beginnings up to there.
    fn furthest(&self, by_end: &[(u64, u32)]) -> Vec<[u32; 2]> {
        let reach = |id: u32| (id != NONE).then(|| self.zone(id).last_call);
        let mut top = [NONE; 2];
        let steps = by_end.iter().map(|&(_, id)| {
            if reach(id) > reach(top[0]) {
                top = [id, top[0]];
            } else if reach(id) > reach(top[1]) {
                top[1] = id;
            }
            top
        });
        steps.collect()
    }

    /// The proof that two values conflict, and when it showed.
    fn conflict(&self, one: u32, other: u32, first: &[u32]) -> (u64, Proof) {
        let there = self.before(one, other, first);
        let back = self.before(other, one, first);
        let write = |id: u32| Some(self.zone(id).write).filter(|&at| at != NONE);
        // The initial value needs no proof that it came before another.
        let shown = |before: Before| {
            let call = self.trace.ops[before.then as usize].call;
            before.first.map(|_| call)
        };
        let at = shown(there).max(shown(back)).unwrap_or_default();
        let writes = [write(one), write(other)];
        (
            at,
            Proof::Inversion {
                writes,
                there,
                back,
            },
        )
    }

    /// The proof that one value came before another: their writes, if these will do.
    fn before(&self, one: u32, other: u32, first: &[u32]) -> Before {
        let ops = &self.trace.ops;
        let soonest = first[one as usize];
        let (one, other) = (self.zone(one), self.zone(other));
        if one.write == NONE {
            return Before {
                first: None,
                then: other.write,
            };
        }
        let then = match ops.get(other.write as usize) {
            Some(write) if one.first_end < write.call => other.write,
            _ => other.last,
        };
        let is_enough = ops[one.write as usize].precedes(&ops[then as usize]);
        let first = Some(if is_enough { one.write } else { soonest });
        Before { first, then }
    }
}

/// The value that an operation is about: the one that it read, or would leave behind.
fn subject(op: &RegisterOp) -> ValueId {
    let (Action::Read(value) | Action::Write(value) | Action::Cas { new: value, .. }) = op.action;
    value
}

/// Acknowledged writes.
struct Acked<'a> {
    ops: &'a [RegisterOp],
    /// For each block of operations, the acknowledged write from there on that ended first, and when it did.
    blocks: Vec<(u64, u32)>,
}

impl<'a> Acked<'a> {
    /// Operations of a block: enough that what is known of blocks is small, and few enough to be looked at one by one.
    const BLOCK: usize = 64;

    fn of(trace: &'a Trace) -> Acked<'a> {
        let ops = &trace.ops;
        let starts = (0..).step_by(Acked::BLOCK);
        let mut blocks: Vec<(u64, u32)> = starts
            .zip(ops.chunks(Acked::BLOCK))
            .map(|(start, block)| soonest(start, block))
            .collect();
        for block in (1..blocks.len()).rev() {
            blocks[block - 1] = blocks[block - 1].min(blocks[block]);
        }
        Acked { ops, blocks }
    }

    /// Of the acknowledged writes from a place on, the one that ended first, if that was before a time.
    fn first_to_end(&self, start: usize, before: u64) -> u32 {
        let next = start / Acked::BLOCK + 1;
        let end = (next * Acked::BLOCK).min(self.ops.len());
        let rest = &self.ops[start..end];
        // What begins too late ends too late, and so does all that follows.
        let until = rest.iter().position(|op| op.call >= before);
        let here = soonest(start, &rest[..until.unwrap_or(rest.len())]);
        let later = match self.blocks.get(next) {
            Some(&later) if until.is_none() => later,
            _ => (Trace::NEVER, NONE),
        };
        let (end, at) = here.min(later);
        if end < before { at } else { NONE }
    }
}

/// Of the acknowledged writes among operations that begin at a place, the one that ended first, and when it did.
fn soonest(start: usize, ops: &[RegisterOp]) -> (u64, u32) {
    let nothing = (Trace::NEVER, NONE);
    let start = u32::try_from(start).unwrap_or(NONE);
    (start..).zip(ops).fold(nothing, |first, (at, op)| {
        if op.is_ok() && !matches!(op.action, Action::Read(_)) {
            first.min((op.ret, at))
        } else {
            first
        }
    })
}

/// How many operations began no later than a time, of which the one at a place is known to be one.
fn begun(ops: &[RegisterOp], known: usize, time: u64) -> usize {
    let mut low = known + 1;
    let mut high = low;
    let mut step = 1;
    while high < ops.len() && ops[high].call <= time {
        low = high + 1;
        high = high.saturating_add(step).min(ops.len());
        step *= 2;
    }
    low + ops[low..high].partition_point(|op| op.call <= time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::testing::Dice;
    use crate::register::zones::{Answer, judge};

    /// A trace of many blocks: five clients, and now and then a read of something old.
    fn long(dice: &mut Dice) -> Trace {
        let mut free = [0; 5];
        let mut steps: Vec<(u64, u64, u64)> = Vec::new();
        for turn in 0..60 + dice.below(400) {
            let client = &mut free[usize::try_from(turn % 5).expect("small")];
            let call = *client + dice.below(10);
            let moment = call + dice.below(30);
            let ret = moment + dice.below(30);
            *client = ret + 1;
            steps.push((moment, call, ret));
        }
        steps.sort_unstable();
        let mut states = vec![ValueId::INITIAL];
        let mut ops = Vec::new();
        for (place, (_, call, ret)) in (0..).zip(steps) {
            let is_write = dice.percent(50);
            if is_write {
                states.push(ValueId(u32::try_from(states.len()).expect("small")));
            }
            let is_stale = !is_write && dice.percent(2);
            let back = 1 + if is_stale { dice.below(200) } else { 0 };
            let back = usize::try_from(back).expect("small");
            let value = states[states.len().saturating_sub(back)];
            let is_unknown = is_write && dice.percent(5);
            ops.push(RegisterOp {
                call,
                ret: if is_unknown { Trace::NEVER } else { ret },
                action: if is_write {
                    Action::Write(value)
                } else {
                    Action::Read(value)
                },
                status: if is_unknown { Status::Info } else { Status::Ok },
                place,
            });
        }
        Trace::of(ops)
    }

    /// All stale reads, by what a stale read is.
    fn stale_reads(trace: &Trace) -> Violations {
        let writers = trace.writers();
        let mut found = Violations::default();
        for (at, op) in (0..).zip(&trace.ops) {
            let Action::Read(value) = op.action else {
                continue;
            };
            let older = writers[value.0 as usize];
            let replaces = |write: &RegisterOp| {
                let after = older.is_none_or(|at| trace.ops[at as usize].precedes(write));
                write.is_ok() && write.written().is_some() && after && write.precedes(op)
            };
            let all = (0..).zip(&trace.ops).filter(|(_, write)| replaces(write));
            if let Some((_, newer)) = all.map(|(at, write)| (write.end(), at)).min() {
                let read = at;
                let proof = || Proof::StaleRead { older, newer, read };
                found.see(op.call, Kind::StaleRead, proof);
            }
        }
        found
    }

    #[test]
    fn stale_reads_of_long_traces() {
        let mut dice = Dice(3);
        let mut stale = 0;
        for _ in 0..200 {
            let trace = long(&mut dice);
            let expected = stale_reads(&trace);
            let found = match judge(&trace).expect("values are unique") {
                Answer::Violated(found) => found,
                Answer::Linearizable(_) => Violations::default(),
            };
            let count = expected.count(Kind::StaleRead);
            assert_eq!(found.count(Kind::StaleRead), count, "{trace:?}");
            if found.count(Kind::Inversion) == 0 {
                assert_eq!(found, expected, "{trace:?}");
                stale += count;
            }
        }
        assert!(stale > 100, "{stale}");
    }
}
