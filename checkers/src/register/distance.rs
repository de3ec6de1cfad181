//! How far a register with unique values is from linearizable: in time, and in versions for each read.
//!
//! * *Gamma* (Golab and others, ICDCS 2014): by how much all operations must be widened, half of it at
//!   each end, for the trace to become linearizable.
//! * *Delta* (Golab, Li and Shah, PODC 2011): by how much all reads must begin earlier.
//! * For each read, how many versions it lagged behind at least, and for how long a better value had been acknowledged (the *t* of
//!   probabilistically bounded staleness; Bailis and others, VLDB 2012).
//!
//! A trace that is linearizable has Gamma and Delta 0. Reads of values that nobody wrote are no matter of time: they are counted and left out.

use super::trace::{Action, RegisterOp, Trace, ValueId};
use crate::fenwick::Counter;
use crate::history::Status;

/// No value.
const NONE: u32 = u32::MAX;

/// The distances of a trace from linearizability, ns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distance {
    /// Gamma.
    pub gamma: u64,
    /// Delta; none if no such number suffices because some read ended before the write of its value began.
    pub delta: Option<u64>,
    /// Reads of values that no write can have given them.
    pub unmapped: u64,
}

/// How old what a read returned was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age {
    /// The place of the read in [`Trace::ops`].
    pub at: u32,
    /// It was at least the so manieth newest version: 1 if it may have been the newest.
    pub versions: u64,
    /// For so long a newer version had been acknowledged when it began, ns; 0 if none had.
    pub late: u64,
}

/// How far a trace is from linearizable; none if values repeat or there are compare-and-sets.
pub fn distance(trace: &Trace) -> Option<Distance> {
    let mapped = Mapped::of(trace)?;
    let clusters = Clusters::of(trace, &mapped);
    Some(Distance {
        gamma: clusters.gamma(),
        delta: clusters.delta(),
        unmapped: mapped.unmapped,
    })
}

/// Who wrote which value.
struct Mapped {
    /// For each value, the place of the write that may have given it.
    writes: Vec<u32>,
    unmapped: u64,
}

impl Mapped {
    fn of(trace: &Trace) -> Option<Mapped> {
        let mut writes = vec![NONE; trace.values.max(1) as usize];
        for (place, op) in (0_u32..).zip(&trace.ops) {
            match op.action {
                Action::Cas { .. } => return None,
                Action::Write(value) if op.status != Status::Fail => {
                    let write = writes.get_mut(value.0 as usize)?;
                    if *write != NONE || value == ValueId::INITIAL {
                        return None;
                    }
                    *write = place;
                }
                Action::Read(_) | Action::Write(_) => {}
            }
        }
        let mut mapped = Mapped {
            writes,
            unmapped: 0,
        };
        mapped.unmapped = trace.ops.iter().filter(|op| mapped.is_unmapped(op)).count() as u64;
        Some(mapped)
    }

    fn write(&self, value: ValueId) -> Option<u32> {
        let write = *self.writes.get(value.0 as usize)?;
        (write != NONE).then_some(write)
    }

    fn is_unmapped(&self, op: &RegisterOp) -> bool {
        match op.action {
            Action::Read(value) => {
                op.is_ok() && value != ValueId::INITIAL && self.write(value).is_none()
            }
            _ => false,
        }
    }
}

/// The write of a value and the reads that returned it.
#[derive(Clone, Copy)]
struct Cluster {
    first_end: u64,
    write_call: u64,
    last_read_call: u64,
}

impl Cluster {
    fn last_call(&self) -> u64 {
        self.write_call.max(self.last_read_call)
    }
}

/// The clusters of written values in the order of their first ends, and what else counts.
struct Clusters {
    sorted: Vec<Cluster>,
    /// The last beginning of a read of the initial value.
    initial_last_call: u64,
    /// By how much a read ended too early for its write, at worst.
    future: u64,
}

impl Clusters {
    fn of(trace: &Trace, mapped: &Mapped) -> Clusters {
        let cluster = |write: &u32| {
            let op = trace.ops.get(*write as usize);
            op.map(|op| Cluster {
                first_end: op.end(),
                write_call: op.call,
                last_read_call: 0,
            })
        };
        let mut all: Vec<Option<Cluster>> = mapped.writes.iter().map(cluster).collect();
        let (mut initial_last_call, mut future) = (0, 0);
        for op in trace.ops.iter().filter(|op| op.is_ok()) {
            let Action::Read(value) = op.action else {
                continue;
            };
            if value == ValueId::INITIAL {
                initial_last_call = op.call.max(initial_last_call);
            } else if let Some(Some(cluster)) = all.get_mut(value.0 as usize) {
                cluster.first_end = cluster.first_end.min(op.ret);
                cluster.last_read_call = cluster.last_read_call.max(op.call);
                future = future.max(cluster.write_call.saturating_sub(op.ret));
            }
        }
        let in_effect = |cluster: &Cluster| cluster.first_end != Trace::NEVER;
        let mut sorted: Vec<Cluster> = all.into_iter().flatten().filter(in_effect).collect();
        sorted.sort_unstable_by_key(|cluster| (cluster.first_end, cluster.last_call()));
        Clusters {
            sorted,
            initial_last_call,
            future,
        }
    }

    /// By how much a read of the initial value began after something else had been in effect.
    fn initial(&self) -> u64 {
        let first = self.sorted.first().map(|cluster| cluster.first_end);
        first.map_or(0, |first| self.initial_last_call.saturating_sub(first))
    }

    /// max(reads: write.call - ret; pairs: min(B.s - A.f, A.s - B.f)), where the pairs are found by bisection: see [`conflict`].
    fn gamma(&self) -> u64 {
        let widened = least(|gamma| !conflict(&self.sorted, gamma, Cluster::last_call));
        widened.max(self.future).max(self.initial())
    }

    fn delta(&self) -> Option<u64> {
        if self.future > 0 {
            return None;
        }
        let moved = |delta: u64| {
            move |cluster: &Cluster| {
                let read = cluster.last_read_call.saturating_sub(delta);
                cluster.write_call.max(read)
            }
        };
        let earlier = least(|delta| !conflict(&self.sorted, 0, moved(delta)));
        Some(earlier.max(self.initial()))
    }
}

/// Whether two clusters conflict by more than `slack`: `A.f + slack < B.s` and `B.f + slack < A.s`. One pass in the order of `f` that
/// remembers the largest `s` so far, as in the linear test for zones; widening by `slack` moves all `f` and `s` alike, so their orders stay.
fn conflict(sorted: &[Cluster], slack: u64, last_call: impl Fn(&Cluster) -> u64) -> bool {
    let (mut latest, mut its_end) = (0, 0);
    for cluster in sorted {
        let (end, call) = (cluster.first_end, last_call(cluster));
        if latest > end.saturating_add(slack) && call > u64::saturating_add(its_end, slack) {
            return true;
        }
        if call > latest {
            (latest, its_end) = (call, end);
        }
    }
    false
}

/// The least number that suffices, if every larger one does, too.
fn least(suffices: impl Fn(u64) -> bool) -> u64 {
    if suffices(0) {
        return 0;
    }
    // Doubling first: most distances are far less than the times are large.
    let mut high = 1_u64;
    while high < u64::MAX && !suffices(high) {
        high = high.saturating_mul(2);
    }
    let mut low = high / 2;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if suffices(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

/// The age of what each ok read returned, in the order of their calls, without those that cannot be mapped; none if values repeat or there
/// are compare-and-sets.
pub fn ages(trace: &Trace) -> Option<Vec<Age>> {
    let mapped = Mapped::of(trace)?;
    let acked: Vec<&RegisterOp> = trace
        .ops
        .iter()
        .filter(|op| op.is_ok() && matches!(op.action, Action::Write(_)))
        .collect();
    let mut soonest: Vec<u64> = acked.iter().map(|write| write.ret).collect();
    for place in (1..soonest.len()).rev() {
        soonest[place - 1] = soonest[place - 1].min(soonest[place]);
    }
    let mut by_ret: Vec<usize> = (0..acked.len()).collect();
    by_ret.sort_by_key(|&place| acked[place].ret);
    let mut returned = by_ret.into_iter().peekable();
    let mut counter = Counter::new(acked.len());
    let mut ages = Vec::new();
    for (at, read) in (0_u32..).zip(&trace.ops) {
        let Action::Read(value) = read.action else {
            continue;
        };
        if !read.is_ok() || mapped.is_unmapped(read) {
            continue;
        }
        while let Some(place) = returned.next_if(|&place| acked[place].ret < read.call) {
            counter.add(place);
        }
        let newer = match mapped.write(value) {
            Some(write) => {
                let end = trace.ops[write as usize].end();
                acked.partition_point(|other| other.call <= end)
            }
            None => 0,
        };
        let soonest = soonest.get(newer).copied().unwrap_or(Trace::NEVER);
        ages.push(Age {
            at,
            versions: 1 + counter.count_from(newer),
            late: read.call.saturating_sub(soonest),
        });
    }
    Some(ages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::testing::{Dice, TraceBuilder, brute, cases, random};

    const OFFSET: u64 = 1_000;

    /// The trace with all spans changed; times are doubled so that halves are whole.
    fn changed(trace: &Trace, change: impl Fn(&RegisterOp) -> (u64, u64)) -> Trace {
        let ops = trace.ops.iter().map(|op| {
            let (call, ret) = change(op);
            RegisterOp {
                call: OFFSET + 2 * op.call - call,
                ret: match op.status {
                    Status::Info => Trace::NEVER,
                    _ => OFFSET + 2 * op.ret + ret,
                },
                ..*op
            }
        });
        let values = trace.values;
        Trace {
            values,
            ..Trace::of(ops.collect())
        }
    }

    fn widened(trace: &Trace, gamma: u64) -> bool {
        brute::is_linearizable(&changed(trace, |_| (gamma, gamma)))
    }

    fn moved(trace: &Trace, delta: u64) -> bool {
        let earlier = |op: &RegisterOp| match op.action {
            Action::Read(_) => (2 * delta, 0),
            _ => (0, 0),
        };
        brute::is_linearizable(&changed(trace, earlier))
    }

    fn mapped(mut trace: Trace) -> Trace {
        let mapped = Mapped::of(&trace).expect("unique values");
        trace.ops.retain(|op| !mapped.is_unmapped(op));
        trace
    }

    #[test]
    fn distances_are_the_least_that_suffice() {
        let mut dice = Dice(4);
        let (mut far, mut never) = (0, 0);
        for case in 0..cases(10_000) {
            let trace = mapped(random::trace(&mut dice));
            let Distance { gamma, delta, .. } = distance(&trace).expect("unique values");
            assert!(widened(&trace, gamma), "case {case}: {gamma} {trace:?}");
            assert!(
                gamma == 0 || !widened(&trace, gamma - 1),
                "case {case}: {gamma} {trace:?}"
            );
            match delta {
                Some(delta) => {
                    assert!(moved(&trace, delta), "case {case}: {delta} {trace:?}");
                    assert!(
                        delta == 0 || !moved(&trace, delta - 1),
                        "case {case}: {delta} {trace:?}"
                    );
                }
                None => assert!(!moved(&trace, OFFSET / 2), "case {case}: {trace:?}"),
            }
            far += u64::from(gamma > 0);
            never += u64::from(delta.is_none());
        }
        assert!(far > 1_000 && never > 100, "{far} {never}");
    }

    #[test]
    fn ages_are_as_defined() {
        let mut dice = Dice(5);
        let mut old = 0;
        for _ in 0..cases(10_000) {
            let trace = mapped(random::trace(&mut dice));
            for age in ages(&trace).expect("unique values") {
                let read = &trace.ops[age.at as usize];
                let write = trace.ops.iter().find(|op| match (op.action, read.action) {
                    (Action::Write(a), Action::Read(b)) => a == b && op.status != Status::Fail,
                    _ => false,
                });
                let acked = trace
                    .ops
                    .iter()
                    .filter(|op| op.is_ok() && matches!(op.action, Action::Write(_)));
                let newer: Vec<_> = acked
                    .filter(|other| write.is_none_or(|w| w.precedes(other)))
                    .collect();
                let behind = newer.iter().filter(|other| other.precedes(read)).count() as u64;
                let late = newer
                    .iter()
                    .map(|other| read.call.saturating_sub(other.ret))
                    .max();
                assert_eq!(
                    (age.versions, age.late),
                    (1 + behind, late.unwrap_or(0)),
                    "{trace:?}"
                );
                old += u64::from(behind > 0);
            }
        }
        assert!(old > 1_000, "{old}");
    }

    #[test]
    fn what_cannot_be_measured_is_said() {
        let of = |text: &str| distance(&TraceBuilder::parse(text));
        assert_eq!(of("w1[0,1] w1[2,3]"), None);
        assert_eq!(of("w1[0,1] c1>2[2,3]"), None);
        let phantom = of("w1[0,1] r7[2,3] r8[2,3] w8[4,5]!").expect("unique values");
        assert_eq!((phantom.gamma, phantom.unmapped), (0, 2));
        let max = u64::MAX - 1;
        let edge = of(&format!("w1[0,1] w2[2,3] r1[{max},{max}] r0[{max},{max}]"));
        let edge = edge.expect("unique values");
        assert_eq!((edge.gamma, edge.delta), (max - 1, Some(max - 1)));
    }
}
