//! Names for what is wrong with a trace of unique values: which reads are phantoms, from failed writes, from the future or
//! stale, and which values conflict although none of their reads is.
//!
//! It runs only once `zones.rs` or `chains.rs` has found that something is wrong. A compare-and-set that succeeded counts as a
//! write here; what it expected is a matter for `chains.rs`. A read that cannot have seen its value at all takes no
//! part in questions of order, and a value with a stale read is told by that read alone.

use super::trace::{Action, RegisterOp, Trace, ValueId};
use super::violation::{Before, Kind, Proof, Violations};
use super::zones::{NONE, Zone};
use crate::history::Status;

/// Names all violations of a trace whose values are unique.
pub(super) fn name(trace: &Trace) -> Violations {
    let mut named = Naming::of(trace);
    named.reads();
    named.inversions();
    named.violations
}

struct Naming<'a> {
    trace: &'a Trace,
    values: Vec<Value>,
    acked: Acked,
    violations: Violations,
}

/// What is known of one value.
#[derive(Clone, Copy)]
struct Value {
    /// Its write and its sound reads.
    zone: Zone,
    /// The operation that ended first.
    first: u32,
    /// A failed write of it.
    failed: u32,
    /// The write that ended first of the acknowledged ones that began after the write of this value had ended.
    newer: u32,
    is_stale: bool,
}

impl<'a> Naming<'a> {
    fn of(trace: &'a Trace) -> Naming<'a> {
        let nothing = Value {
            zone: Zone::EMPTY,
            first: NONE,
            failed: NONE,
            newer: NONE,
            is_stale: false,
        };
        let mut named = Naming {
            trace,
            values: vec![nothing; (trace.values as usize).max(1)],
            acked: Acked::default(),
            violations: Violations::default(),
        };
        for (at, op) in (0..).zip(&trace.ops) {
            let (Action::Write(value) | Action::Cas { new: value, .. }) = op.action else {
                continue;
            };
            let known = &mut named.values[value.0 as usize];
            if op.status == Status::Fail {
                known.failed = at;
            } else {
                known.zone.write = at;
            }
            if op.is_ok() {
                named.acked.push(at, op);
            }
        }
        named.acked.settle();
        let mut hint = 0;
        for value in &mut named.values {
            let end = trace
                .ops
                .get(value.zone.write as usize)
                .map(RegisterOp::end);
            value.newer = named.acked.first_to_end_after(end, &mut hint);
        }
        named
    }

    /// Sorts the reads into sound ones and others, and names the others and the stale ones.
    fn reads(&mut self) {
        for (at, op) in (0..).zip(&self.trace.ops) {
            let value = match op.action {
                Action::Read(value) if op.is_ok() => value,
                Action::Write(value) | Action::Cas { new: value, .. }
                    if op.status != Status::Fail =>
                {
                    value
                }
                _ => continue,
            };
            let known = &mut self.values[value.0 as usize];
            let (failed, write) = (known.failed, known.zone.write);
            if let Action::Read(_) = op.action
                && value != ValueId::INITIAL
            {
                if write == NONE {
                    let (kind, proof) = match failed {
                        NONE => (Kind::Phantom, Proof::Phantom { read: at }),
                        write => (Kind::FailedWrite, Proof::FailedWrite { write, read: at }),
                    };
                    self.violations.see(op.call, kind, || proof);
                    continue;
                }
                if op.precedes(&self.trace.ops[write as usize]) {
                    let proof = Proof::Future { write, read: at };
                    self.violations.see(op.call, Kind::Future, || proof);
                    continue;
                }
            }
            if op.end() < known.zone.first_end {
                known.first = at;
            }
            known.zone.add(at, op);
            let newer = self.trace.ops.get(known.newer as usize);
            if let (Action::Read(_), Some(replacement)) = (op.action, newer)
                && replacement.precedes(op)
            {
                known.is_stale = true;
                let proof = Proof::StaleRead {
                    older: (write != NONE).then_some(write),
                    newer: known.newer,
                    read: at,
                };
                self.violations.see(op.call, Kind::StaleRead, || proof);
            }
        }
    }

    /// Names the values that conflict with another although none of their reads is stale, each with the partner that
    /// reaches furthest.
    fn inversions(&mut self) {
        if !self.has_inversion() {
            return;
        }
        let is_open = |value: &Value| !value.is_stale && value.zone.count > 0;
        let mut by_end: Vec<u32> = (1..)
            .zip(&self.values[1..])
            .filter(|(_, value)| is_open(value) && value.zone.first_end < Trace::NEVER)
            .map(|(id, _)| id)
            .collect();
        by_end.sort_unstable_by_key(|&id| (self.zone(id).first_end, id));
        let furthest = self.furthest(&by_end);
        let initial = is_open(&self.values[0]).then(|| self.zone(0).last_call);
        let mut pairs = Vec::new();
        for &id in &by_end {
            let zone = self.zone(id);
            if initial.is_some_and(|last_call| zone.first_end < last_call) {
                pairs.push((0, id));
                continue;
            }
            let begun =
                by_end.partition_point(|&other| self.zone(other).first_end < zone.last_call);
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
        for (one, other) in pairs {
            let (at, proof) = self.conflict(one, other);
            self.violations.see(at, Kind::Inversion, || proof);
        }
    }

    /// Whether any two values without stale reads conflict: the walk of `zones.rs`, which needs no sort.
    fn has_inversion(&self) -> bool {
        let initial = &self.values[0];
        let until = if initial.is_stale {
            0
        } else {
            initial.zone.last_call
        };
        let mut soonest = Zone::EMPTY;
        let count = u32::try_from(self.trace.ops.len()).unwrap_or(NONE);
        for (at, op) in (0..count).zip(&self.trace.ops).rev() {
            let (Action::Read(id) | Action::Write(id) | Action::Cas { new: id, .. }) = op.action;
            let value = &self.values[id.0 as usize];
            if id == ValueId::INITIAL || value.zone.last != at || value.is_stale {
                continue;
            }
            if value.zone.first_end < until || value.zone.conflicts(&soonest) {
                return true;
            }
            if value.zone.first_end < soonest.first_end {
                soonest = value.zone;
            }
        }
        false
    }

    fn zone(&self, id: u32) -> &Zone {
        &self.values[id as usize].zone
    }

    /// For each place in a list of values, the two with the last beginnings up to there.
    fn furthest(&self, by_end: &[u32]) -> Vec<[u32; 2]> {
        let reach = |id: u32| (id != NONE).then(|| self.zone(id).last_call);
        let mut top = [NONE; 2];
        let steps = by_end.iter().map(|&id| {
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
    fn conflict(&self, one: u32, other: u32) -> (u64, Proof) {
        let there = self.before(one, other);
        let back = self.before(other, one);
        let write = |id: u32| Some(self.zone(id).write).filter(|&at| at != NONE);
        // The initial value needs no proof that it came before another.
        let shown = |before: Before| {
            before
                .first
                .map(|_| self.trace.ops[before.then as usize].call)
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
    fn before(&self, one: u32, other: u32) -> Before {
        let ops = &self.trace.ops;
        let (one, other) = (&self.values[one as usize], &self.values[other as usize]);
        if one.zone.write == NONE {
            return Before {
                first: None,
                then: other.zone.write,
            };
        }
        let then = match ops.get(other.zone.write as usize) {
            Some(write) if one.zone.first_end < write.call => other.zone.write,
            _ => other.zone.last,
        };
        let write = one.zone.write;
        let is_enough = ops[write as usize].precedes(&ops[then as usize]);
        let first = Some(if is_enough { write } else { one.first });
        Before { first, then }
    }
}

/// Acknowledged writes in the order of their invocations.
#[derive(Default)]
struct Acked {
    calls: Vec<u64>,
    /// For each, the one from there on that ended first, and when it did.
    first_to_end: Vec<(u64, u32)>,
}

impl Acked {
    fn push(&mut self, at: u32, op: &RegisterOp) {
        self.calls.push(op.call);
        self.first_to_end.push((op.end(), at));
    }

    fn settle(&mut self) {
        for place in (1..self.first_to_end.len()).rev() {
            let later = self.first_to_end[place];
            let first = &mut self.first_to_end[place - 1];
            *first = later.min(*first);
        }
    }

    /// Of the writes that began after a time, the one that ended first. The hint is where the last search ended:
    /// values are mostly asked for in the order of their writes.
    fn first_to_end_after(&self, time: Option<u64>, hint: &mut usize) -> u32 {
        let place = match time {
            None => 0,
            Some(time) => gallop(&self.calls, *hint, time),
        };
        *hint = place;
        self.first_to_end.get(place).map_or(NONE, |&(_, at)| at)
    }
}

/// The number of sorted times that are no later than a time, looked for around a hint.
fn gallop(times: &[u64], hint: usize, time: u64) -> usize {
    let mut step = 1;
    let mut low = hint.min(times.len());
    let mut high = low;
    while low > 0 && times[low - 1] > time {
        high = low - 1;
        low = low.saturating_sub(step);
        step *= 2;
    }
    while high < times.len() && times[high] <= time {
        low = high + 1;
        high = high.saturating_add(step).min(times.len());
        step *= 2;
    }
    low + times[low..high].partition_point(|&other| other <= time)
}
