//! Linearizability of a register with compare-and-sets whose new values are all different: O(n), no search.
//!
//! A compare-and-set that succeeded is the write of its new value, and follows at once on the value that it expected. So values
//! hang together in chains, a chain is what a single value is in `zones.rs`, and the same walk puts the chains into an
//! order. One of unknown outcome happened iff somebody saw its value, be it another one that happened.
//! One that failed, and says no more than that another value was there, is not a matter of chains: it is found a place in
//! the order if there is one ([`Unfit::FailedCas`] if not), except where the expected value was certainly there all the time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::certificate::{Order, verify};
use super::naming;
use super::trace::{Action, RegisterOp, Trace, ValueId};
use super::violation::{Before, Proof, Violations};
use super::zones::{Answer, Chronology, NONE, Survey, Unfit, Zone};
use crate::history::Status;

/// Judges a trace.
///
/// # Errors
/// [`Unfit`] if values repeat, if it is no trace at all, or if failed compare-and-sets need a search.
pub fn judge(trace: &Trace) -> Result<Answer, Unfit> {
    let writers = writers(trace)?;
    let chains = Chains::of(trace, effective(trace, &writers));
    let line = if chains.survey.is_sound {
        chains.line()
    } else {
        None
    };
    let Some(line) = line else {
        return Ok(Answer::Violated(chains.name()));
    };
    let failed = failed(trace);
    if failed.iter().any(|&at| chains.false_failure(at).is_some()) {
        return Ok(Answer::Violated(chains.name()));
    }
    let order = chains.survey.order(trace, &line);
    if failed.is_empty() {
        return Ok(Answer::Linearizable(order));
    }
    let order = with_failed(trace, &order, &failed);
    match verify(trace, &order) {
        Ok(()) => Ok(Answer::Linearizable(order)),
        Err(_) => Err(Unfit::FailedCas),
    }
}

/// The one operation that may have written each value.
fn writers(trace: &Trace) -> Result<Vec<u32>, Unfit> {
    let mut writers = vec![NONE; (trace.values as usize).max(1)];
    let mut order = Chronology::of(trace)?;
    for (at, op) in (0..).zip(&trace.ops) {
        order.next(op)?;
        let (value, other) = match op.action {
            Action::Read(value) | Action::Write(value) => (value, value),
            Action::Cas { expected, new } => (new, expected),
        };
        if value.0.max(other.0) as usize >= writers.len() {
            return Err(Unfit::Malformed);
        }
        let Some(value) = op.written() else { continue };
        let writer = &mut writers[value.0 as usize];
        if *writer != NONE || value == ValueId::INITIAL {
            return Err(Unfit::ValuesRepeat);
        }
        *writer = at;
    }
    Ok(writers)
}

/// Compare-and-sets that failed.
fn failed(trace: &Trace) -> Vec<u32> {
    let is_failed =
        |op: &RegisterOp| matches!(op.action, Action::Cas { .. }) && op.status == Status::Fail;
    let all = (0..).zip(&trace.ops).filter(|(_, op)| is_failed(op));
    all.map(|(at, _)| at).collect()
}

/// The value of each operation that happened or has to be assumed to; a value that was seen was written.
fn effective(trace: &Trace, writers: &[u32]) -> Vec<u32> {
    let mut values = vec![NONE; trace.ops.len()];
    let mut wanted = Vec::new();
    for (op, value) in trace.ops.iter().zip(&mut values) {
        if op.is_ok() {
            *value = match op.action {
                Action::Read(value) | Action::Write(value) => value.0,
                Action::Cas { new, .. } => new.0,
            };
            match op.action {
                Action::Read(value) => wanted.push(value.0),
                Action::Cas { expected, .. } => wanted.push(expected.0),
                Action::Write(_) => {}
            }
        }
    }
    while let Some(value) = wanted.pop() {
        let writer = writers[value as usize];
        if writer == NONE || values[writer as usize] != NONE {
            continue;
        }
        values[writer as usize] = value;
        if let Action::Cas { expected, .. } = trace.ops[writer as usize].action {
            wanted.push(expected.0);
        }
    }
    values
}

/// The values of a trace, and how compare-and-sets chain them.
struct Chains<'a> {
    trace: &'a Trace,
    /// The zones of single values.
    survey: Survey,
    /// For each value, the compare-and-set that replaced it.
    replaced_by: Vec<u32>,
    /// For each value, the one that its chain begins with; none for what hangs together with nothing.
    roots: Vec<u32>,
    /// What is wrong already. It is told only if the zones have nothing to say.
    faults: Vec<Proof>,
}

impl<'a> Chains<'a> {
    fn of(trace: &'a Trace, values: Vec<u32>) -> Chains<'a> {
        let count = (trace.values as usize).max(1);
        let mut chains = Chains {
            trace,
            survey: Survey {
                zones: vec![Zone::EMPTY; count],
                values,
                is_sound: true,
                drops_unseen: false,
            },
            replaced_by: vec![NONE; count],
            roots: vec![NONE; count],
            faults: Vec::new(),
        };
        chains.collect();
        chains.link();
        chains.follow();
        chains.survey.is_sound &= chains.faults.is_empty();
        chains
    }

    /// Gathers the zones of single values.
    fn collect(&mut self) {
        let survey = &mut self.survey;
        for (at, (op, &value)) in (0..).zip(self.trace.ops.iter().zip(&survey.values)) {
            if value == NONE {
                continue;
            }
            let zone = &mut survey.zones[value as usize];
            if op.written().is_some() {
                survey.is_sound &= zone.first_end >= op.call;
                zone.write = at;
            }
            zone.add(at, op);
        }
        let unwritten = |zone: &Zone| zone.write == NONE && zone.count > 0;
        survey.is_sound &= !survey.zones[1..].iter().any(unwritten);
    }

    /// Finds out which compare-and-set replaced which value.
    fn link(&mut self) {
        for (at, (op, &value)) in (0..).zip(self.trace.ops.iter().zip(&self.survey.values)) {
            let Action::Cas { expected, .. } = op.action else {
                continue;
            };
            if value == NONE {
                continue;
            }
            let write = self.survey.zones[expected.0 as usize].write;
            let by = &mut self.replaced_by[expected.0 as usize];
            if write == NONE && expected != ValueId::INITIAL {
                self.faults.push(Proof::Phantom { read: at });
            } else if *by == NONE {
                *by = at;
            } else {
                let (write, sets) = (some(write), [*by, at]);
                self.faults.push(Proof::DoubleSuccess { write, sets });
            }
        }
    }

    /// Follows each chain from its first value to its last. Within a chain no value may be seen for the last time after a later one was
    /// seen for the first time.
    fn follow(&mut self) {
        let zones = &self.survey.zones;
        for root in (0..).take(zones.len()) {
            let is_root = root == 0 || self.is_blind(zones[root as usize].write);
            let mut latest = NONE;
            let mut value = if is_root { root } else { NONE };
            while value != NONE {
                self.roots[value as usize] = root;
                let zone = &zones[value as usize];
                let reach = zones.get(latest as usize).map(|earlier| earlier.last_call);
                if reach.is_some_and(|last_call| zone.first_end < last_call) {
                    let broken = self.broken(latest, value);
                    self.faults.extend(broken);
                }
                if zone.count > 0 && reach.is_none_or(|last_call| last_call < zone.last_call) {
                    latest = value;
                }
                value = self.next(value);
            }
        }
        for value in (1..).take(self.roots.len() - 1) {
            let write = self.zone(value).write;
            if self.roots[value as usize] == NONE && !self.is_blind(write) {
                self.circle(value);
            }
        }
    }

    /// Whether an operation is a write and no compare-and-set.
    fn is_blind(&self, at: u32) -> bool {
        let op = self.trace.ops.get(at as usize);
        op.is_some_and(|op| matches!(op.action, Action::Write(_)))
    }

    /// The value that replaced another by compare-and-set.
    fn next(&self, value: u32) -> u32 {
        let set = self.replaced_by[value as usize];
        let op = self.trace.ops.get(set as usize);
        op.and_then(RegisterOp::written)
            .map_or(NONE, |value| value.0)
    }

    /// Walks from a value without a root: if it comes back, the compare-and-sets on the way form a circle.
    fn circle(&mut self, from: u32) {
        let mut sets = Vec::new();
        let mut value = from;
        // What was walked once belongs to this walk and to no other root.
        while value != NONE && self.roots[value as usize] == NONE {
            self.roots[value as usize] = from;
            sets.push(self.replaced_by[value as usize]);
            value = self.next(value);
        }
        if value == from {
            self.faults.push(Proof::Circle { sets });
        }
    }

    /// The compare-and-sets from one value of a chain to a later one.
    fn between(&self, mut value: u32, to: u32) -> Vec<u32> {
        let mut sets = Vec::new();
        while value != to && value != NONE {
            sets.push(self.replaced_by[value as usize]);
            value = self.next(value);
        }
        sets
    }

    fn zone(&self, value: u32) -> &Zone {
        &self.survey.zones[value as usize]
    }

    /// The operation of a value that ended first.
    fn first(&self, value: u32) -> Option<u32> {
        let end = self.zone(value).first_end;
        let mut all = (0..).zip(&self.survey.values).zip(&self.trace.ops);
        let found = all.find(|((_, of), op)| **of == value && op.end() == end);
        found.map(|((at, _), _)| at)
    }

    /// The proof that a value was seen for the first time before an earlier one of its chain was seen for the last time.
    /// Only the first is told: looking for it takes a walk over all operations.
    fn broken(&self, earlier: u32, later: u32) -> Option<Proof> {
        if !self.faults.is_empty() {
            return None;
        }
        let before = Before {
            first: Some(self.first(later)?),
            then: self.zone(earlier).last,
        };
        Some(Proof::Chain {
            writes: some(self.zone(earlier).write).into_iter().collect(),
            sets: self.between(earlier, later),
            seen: vec![before],
        })
    }

    /// The values in an order that is chain by chain; none if there is none.
    fn line(&self) -> Option<Vec<u32>> {
        let blocks = self.blocks();
        let mut line = Vec::with_capacity(self.survey.zones.len());
        for root in blocks.line()? {
            let mut value = root;
            while value != NONE {
                line.push(value);
                value = self.next(value);
            }
        }
        Some(line)
    }

    /// The zones of whole chains.
    fn blocks(&self) -> Survey {
        let root = |&value: &u32| self.roots.get(value as usize).copied().unwrap_or(NONE);
        let mut blocks = Survey {
            zones: vec![Zone::EMPTY; self.survey.zones.len()],
            values: self.survey.values.iter().map(root).collect(),
            is_sound: true,
            drops_unseen: false,
        };
        for (at, (op, &root)) in (0..).zip(self.trace.ops.iter().zip(&blocks.values)) {
            if root != NONE {
                blocks.zones[root as usize].add(at, op);
            }
        }
        blocks
    }

    /// Says what is wrong.
    fn name(&self) -> Violations {
        let mut violations = naming::name(self.trace);
        let is_unnamed = violations.kept.is_empty();
        let mut faults = self.faults.clone();
        if is_unnamed && faults.is_empty() {
            faults.extend(self.conflict());
        }
        let failed = failed(self.trace);
        faults.extend(failed.iter().filter_map(|&at| self.false_failure(at)));
        for proof in faults {
            let kind = proof.kind();
            let calls = proof.operations().into_iter();
            let at = calls.map(|at| self.trace.ops[at as usize].call).max();
            violations.see(at.unwrap_or(0), kind, || proof);
        }
        violations
    }

    /// The proof that two chains must each come before the other.
    fn conflict(&self) -> Option<Proof> {
        let blocks = self.blocks().zones;
        let mut by_end: Vec<u32> = (1..)
            .zip(&blocks[1..])
            .filter(|(_, block)| block.first_end < Trace::NEVER)
            .map(|(root, _)| root)
            .collect();
        by_end.sort_unstable_by_key(|&root| blocks[root as usize].first_end);
        let initial = &blocks[0];
        let mut furthest = NONE;
        for &root in &by_end {
            let block = &blocks[root as usize];
            if initial.count > 0 && block.first_end < initial.last_call {
                return Some(self.overlap(None, root));
            }
            if let Some(far) = blocks.get(furthest as usize)
                && far.last_call > block.first_end
                && far.first_end < block.last_call
            {
                return Some(self.overlap(Some(furthest), root));
            }
            if blocks
                .get(furthest as usize)
                .is_none_or(|far| far.last_call < block.last_call)
            {
                furthest = root;
            }
        }
        None
    }

    /// The proof that two chains overlap; the first is that of the initial value if it has no root.
    fn overlap(&self, one: Option<u32>, other: u32) -> Proof {
        let (first, last) = self.ends(one.unwrap_or(0));
        let (other_first, other_last) = self.ends(other);
        let mut seen = Vec::new();
        let mut sets = Vec::new();
        if one.is_some() {
            seen.push(Before {
                first: self.first(first),
                then: self.zone(other_last).last,
            });
            sets.extend(self.path(first, last));
        } else {
            sets.extend(self.between(0, last));
        }
        seen.push(Before {
            first: self.first(other_first),
            then: self.zone(last).last,
        });
        sets.extend(self.path(other_first, other_last));
        let ends = [first, last, other_first, other_last];
        let writes = ends
            .into_iter()
            .filter_map(|value| some(self.zone(value).write));
        Proof::Chain {
            writes: writes.collect(),
            sets,
            seen,
        }
    }

    /// The values of a chain of which one was complete first, and one began last.
    fn ends(&self, root: u32) -> (u32, u32) {
        let (mut first, mut last, mut value) = (root, root, root);
        while value != NONE {
            if self.zone(value).first_end < self.zone(first).first_end {
                first = value;
            }
            if self.zone(value).last_call > self.zone(last).last_call {
                last = value;
            }
            value = self.next(value);
        }
        (first, last)
    }

    /// The compare-and-sets between two values of a chain, whichever comes first.
    fn path(&self, one: u32, other: u32) -> Vec<u32> {
        let ahead = self.between(one, other);
        if ahead.last() == Some(&self.zone(other).write) || one == other {
            ahead
        } else {
            self.between(other, one)
        }
    }

    /// The proof that a compare-and-set failed although what it expected was there all the time.
    fn false_failure(&self, at: u32) -> Option<Proof> {
        let set = &self.trace.ops[at as usize];
        let Action::Cas { expected, .. } = set.action else {
            return None;
        };
        let zone = self.zone(expected.0);
        let is_initial = expected == ValueId::INITIAL;
        if !is_initial && (zone.write == NONE || zone.first_end >= set.call) {
            return None;
        }
        let after = [zone.last, self.replaced_by[expected.0 as usize]];
        let is_after = |other: &u32| {
            let op = self.trace.ops.get(*other as usize);
            op.is_some_and(|op| set.end() < op.call)
        };
        let until = after.into_iter().find(is_after)?;
        Some(Proof::FalseFailure {
            write: some(zone.write),
            since: if is_initial {
                None
            } else {
                self.first(expected.0)
            },
            set: at,
            until,
        })
    }
}

fn some(at: u32) -> Option<u32> {
    (at != NONE).then_some(at)
}

/// The order with every failed compare-and-set at the first place where time allows it and another value is there.
fn with_failed(trace: &Trace, order: &Order, failed: &[u32]) -> Order {
    // Where the value changes, and to what: a place is the number of operations ahead.
    let mut stretches = vec![(0, ValueId::INITIAL)];
    let mut ended = BinaryHeap::with_capacity(order.0.len());
    for (place, &at) in (1..).zip(&order.0) {
        let op = &trace.ops[at as usize];
        if let Some(value) = op.written() {
            stretches.push((place, value));
        }
        ended.push(Reverse((op.end(), place)));
    }
    let mut earliest = 0;
    let mut placed = Vec::with_capacity(failed.len());
    for &at in failed {
        let op = &trace.ops[at as usize];
        while let Some(&Reverse((end, place))) = ended.peek()
            && end < op.call
        {
            earliest = earliest.max(place);
            ended.pop();
        }
        let within = stretches.partition_point(|&(from, _)| from <= earliest) - 1;
        let expected = match op.action {
            Action::Cas { expected, .. } => expected,
            _ => stretches[within].1,
        };
        let place = if stretches[within].1 == expected {
            let next = stretches.get(within + 1);
            next.map_or(order.0.len(), |next| next.0)
        } else {
            earliest
        };
        ended.push(Reverse((op.end(), place)));
        placed.push((place, at));
    }
    placed.sort_unstable();
    let mut placed = placed.into_iter().peekable();
    let mut all = Vec::with_capacity(order.0.len() + failed.len());
    for place in 0..=order.0.len() {
        while let Some((_, at)) = placed.next_if(|&(here, _)| here == place) {
            all.push(at);
        }
        all.extend(order.0.get(place));
    }
    Order(all)
}
