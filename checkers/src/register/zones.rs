//! Linearizability of a register whose values are all different, by zones: O(n), no search, no sort.
//!
//! Gibbons and Korach, "Testing Shared Memories", SIAM J. Comput. 26(4), 1997. The write of a value and the reads that returned
//! it are its *zone*, from the first end of one of them (`f`) to the last beginning (`s`). One value must come before another
//! iff the `f` of the first is less than the `s` of the second; a trace is wrong iff two values must each come before the
//! other, or a read returned what it cannot have seen. Operations come in the order of their invocations, so one walk backwards
//! meets the zones in falling order of `s`, which is all that the pairwise test and the order of proof need.
//! What exactly is wrong is named in `naming.rs`, only once something is.

use super::certificate::Order;
use super::naming;
use super::trace::{Action, RegisterOp, Trace, ValueId};
use super::violation::Violations;
use crate::history::Status;

/// No operation, and no value.
pub(super) const NONE: u32 = u32::MAX;

/// So many zones are made at once: few enough to stay in the nearest memory.
const ZONES_AT_ONCE: usize = 512;

/// What a judge says of a trace that it can judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is linearizable in this order.
    Linearizable(Order),
    /// It is not.
    Violated(Violations),
}

impl Answer {
    /// Whether the trace is linearizable.
    pub fn is_linearizable(&self) -> bool {
        matches!(self, Answer::Linearizable(_))
    }
}

/// Why a judge cannot judge a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Some value was written twice, or the initial value was written.
    ValuesRepeat,
    /// It has compare-and-sets, and the judge knows only reads and writes.
    CompareAndSet,
    /// Failed compare-and-sets that only say that another value was there need a search.
    FailedCas,
    /// Operations are not in the order of their invocations, end before they begin, or name values beyond the last.
    Malformed,
}

/// The zone of one value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Zone {
    /// `f`: the first end of one of its operations.
    pub(super) first_end: u64,
    /// `s`: the last beginning of one of its operations.
    pub(super) last_call: u64,
    /// The write, unless it failed.
    pub(super) write: u32,
    /// The operation that began last.
    pub(super) last: u32,
    /// How many operations it has.
    pub(super) count: u32,
}

impl Zone {
    pub(super) const EMPTY: Zone = Zone {
        first_end: Trace::NEVER,
        last_call: 0,
        write: NONE,
        last: NONE,
        count: 0,
    };

    pub(super) fn add(&mut self, at: u32, op: &RegisterOp) {
        self.first_end = self.first_end.min(op.end());
        self.last_call = op.call;
        self.last = at;
        self.count += 1;
    }

    /// Whether each of two zones must come before the other.
    pub(super) fn conflicts(&self, other: &Zone) -> bool {
        self.first_end < other.last_call && other.first_end < self.last_call
    }
}

/// Judges a trace.
///
/// # Errors
/// [`Unfit`] if values repeat, if there are compare-and-sets, or if it is no trace at all.
pub fn judge(trace: &Trace) -> Result<Answer, Unfit> {
    let survey = Survey::of(trace)?;
    let line = if survey.is_sound { survey.line() } else { None };
    Ok(match line {
        Some(line) => Answer::Linearizable(survey.order(trace, &line)),
        None if survey.is_sound => Answer::Violated(naming::name_sound(trace, &survey.zones)),
        None => Answer::Violated(naming::name(trace)),
    })
}

/// Whether operations come as a trace must have them.
pub(super) struct Chronology {
    call_last: u64,
}

impl Chronology {
    pub(super) fn of(trace: &Trace) -> Result<Chronology, Unfit> {
        match u32::try_from(trace.ops.len()) {
            Ok(count) if count != NONE => Ok(Chronology { call_last: 0 }),
            _ => Err(Unfit::Malformed),
        }
    }

    pub(super) fn next(&mut self, op: &RegisterOp) -> Result<(), Unfit> {
        if op.call < self.call_last || op.end() < op.call {
            return Err(Unfit::Malformed);
        }
        self.call_last = op.call;
        Ok(())
    }
}

/// The zones of a trace.
pub(super) struct Survey {
    /// One per value.
    pub(super) zones: Vec<Zone>,
    /// The value of each operation that may have happened.
    pub(super) values: Vec<u32>,
    /// Whether every read returned something that had been asked for by then.
    pub(super) is_sound: bool,
    /// Whether a write of unknown outcome that is alone in its zone did not happen.
    pub(super) drops_unseen: bool,
}

impl Survey {
    fn of(trace: &Trace) -> Result<Survey, Unfit> {
        let count = (trace.values as usize).max(1);
        let mut survey = Survey {
            zones: Vec::with_capacity(count),
            values: Vec::with_capacity(trace.ops.len()),
            is_sound: true,
            drops_unseen: true,
        };
        let mut order = Chronology::of(trace)?;
        for (at, op) in (0..).zip(&trace.ops) {
            order.next(op)?;
            let (Action::Read(value) | Action::Write(value)) = op.action else {
                return Err(Unfit::CompareAndSet);
            };
            if value.0 as usize >= survey.zones.len() {
                survey.make_room(value, count)?;
            }
            let value = survey.add(at, op, value)?;
            survey.values.push(value);
        }
        survey.zones.resize(count, Zone::EMPTY);
        let unwritten = |zone: &Zone| zone.write == NONE && zone.count > 0;
        survey.is_sound &= !survey.zones[1..].iter().any(unwritten);
        Ok(survey)
    }

    /// Makes zones up to that of a value, of so many in all, and some more. Values mostly come in the order of their ids, so that
    /// a zone is still at hand when it is needed.
    #[cold]
    fn make_room(&mut self, value: ValueId, count: usize) -> Result<(), Unfit> {
        let needed = value.0 as usize + 1;
        if needed > count {
            return Err(Unfit::Malformed);
        }
        let room = needed.saturating_add(ZONES_AT_ONCE).min(count);
        self.zones.resize(room, Zone::EMPTY);
        Ok(())
    }

    /// The value of an operation, or none if it did not happen. Reads and writes come in no order that a processor could
    /// foresee, so what they do differently is chosen without a branch.
    #[expect(
        clippy::needless_bitwise_bool,
        reason = "a branch that cannot be foreseen costs more than both sides"
    )]
    fn add(&mut self, at: u32, op: &RegisterOp, value: ValueId) -> Result<u32, Unfit> {
        let writes = matches!(op.action, Action::Write(_));
        if (op.status == Status::Fail) | (!writes & (op.status == Status::Info)) {
            return Ok(NONE);
        }
        let zone = &mut self.zones[value.0 as usize];
        if writes & ((zone.write != NONE) | (value == ValueId::INITIAL)) {
            return Err(Unfit::ValuesRepeat);
        }
        // Whatever came before the write in the zone is a read, and may have ended too soon.
        self.is_sound &= !writes | (zone.first_end >= op.call);
        zone.write = if writes { at } else { zone.write };
        zone.add(at, op);
        Ok(value.0)
    }

    /// The values in an order in which none stands ahead of one that must come first; none if there is no such order.
    ///
    /// Zones are met in falling order of `s`, and line up from the last to the first. A zone that is longer than a moment
    /// waits until all that began within it have lined up behind it. No two such zones overlap in a sound trace, so
    /// one place to wait is enough.
    #[expect(
        clippy::needless_bitwise_bool,
        reason = "a branch that cannot be foreseen costs more than both sides"
    )]
    pub(super) fn line(&self) -> Option<Vec<u32>> {
        let initial = &self.zones[0];
        let by_last_call = self.by_last_call();
        // In the places behind those that are taken stands what may yet be overwritten.
        let mut line = vec![NONE; by_last_call.len() + 2];
        let mut taken = 0;
        let mut soonest = Zone::EMPTY;
        let (mut waiting, mut waiting_end) = (NONE, Trace::NEVER);
        for &value in by_last_call.iter().rev() {
            let zone = &self.zones[value as usize];
            if value == ValueId::INITIAL.0 {
                continue;
            }
            // The initial value must come before all others.
            let ahead_of_initial = (initial.count > 0) & (zone.first_end < initial.last_call);
            if ahead_of_initial | zone.conflicts(&soonest) {
                return None;
            }
            if zone.first_end < soonest.first_end {
                soonest = *zone;
            }
            let is_within = zone.last_call > waiting_end;
            let is_long = zone.first_end < zone.last_call;
            line[taken] = waiting;
            taken += usize::from(!is_within & (waiting != NONE));
            line[taken] = value;
            taken += usize::from(is_within | !is_long);
            if !is_within {
                (waiting, waiting_end) = if is_long {
                    (value, zone.first_end)
                } else {
                    (NONE, Trace::NEVER)
                };
            }
        }
        line.truncate(taken);
        line.extend((waiting != NONE).then_some(waiting));
        line.push(ValueId::INITIAL.0);
        line.reverse();
        Some(line)
    }

    /// The values that have a zone, in rising order of `s`.
    fn by_last_call(&self) -> Vec<u32> {
        let mut values = vec![NONE; self.zones.len() + 1];
        let mut taken = 0;
        for (at, &value) in (0_u32..).zip(&self.values) {
            if let Some(zone) = self.zones.get(value as usize) {
                values[taken] = value;
                taken += usize::from(zone.last == at);
            }
        }
        values.truncate(taken);
        values
    }

    /// All operations in the order of their values: first the write, then the reads as they began. A write of unknown
    /// outcome that nobody saw is left out.
    pub(super) fn order(mut self, trace: &Trace, line: &[u32]) -> Order {
        // What has its place already, or none, goes to the last one, which is one more than there can be.
        let nowhere = u32::try_from(self.zones.len()).unwrap_or(NONE);
        let mut order = vec![0; self.values.len() + 1];
        let mut next_read = vec![0_u32; self.zones.len() + 1];
        let mut total = 0;
        for &value in line {
            let zone = &self.zones[value as usize];
            let is_alone = self.drops_unseen && zone.count == 1 && zone.write != NONE;
            let is_dropped = is_alone
                && zone.first_end == Trace::NEVER
                && trace.ops[zone.write as usize].status == Status::Info;
            // If it has no write, or none that counts, something else takes the place.
            order[total as usize] = zone.write;
            if let Some(value) = self.values.get_mut(zone.write as usize) {
                *value = nowhere;
            }
            next_read[value as usize] = total + u32::from(zone.write != NONE);
            total += if is_dropped { 0 } else { zone.count };
        }
        next_read[nowhere as usize] = total;
        for (at, &value) in (0..).zip(&self.values) {
            let value = value.min(nowhere);
            let place = &mut next_read[value as usize];
            order[*place as usize] = at;
            *place += u32::from(value != nowhere);
        }
        order.truncate(total as usize);
        Order(order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::certificate::verify;
    use crate::register::testing::{TraceBuilder, brute};
    use crate::register::violation::{Kind, Violation};

    fn seen(trace: &Trace) -> Vec<Violation> {
        let answer = judge(trace).expect("unique values");
        match answer {
            Answer::Linearizable(order) => {
                assert_eq!(verify(trace, &order), Ok(()));
                assert!(brute::is_linearizable(trace));
                Vec::new()
            }
            Answer::Violated(violations) => {
                assert!(!brute::is_linearizable(trace));
                violations.kept
            }
        }
    }

    fn kinds(trace: &Trace) -> Vec<Kind> {
        seen(trace).iter().map(Violation::kind).collect()
    }

    #[test]
    fn nothing_at_all() {
        assert_eq!(kinds(&Trace::default()), []);
    }

    #[test]
    fn each_kind_by_its_name() {
        let trace = |text| TraceBuilder::parse(text);
        assert_eq!(kinds(&trace("w1[0,1] r1[2,3]")), []);
        assert_eq!(kinds(&trace("w1[0,1] r2[2,3]")), [Kind::Phantom]);
        assert_eq!(kinds(&trace("w1[0,1]! r1[2,3]")), [Kind::FailedWrite]);
        assert_eq!(kinds(&trace("r1[0,1] w1[2,3]")), [Kind::Future]);
        assert_eq!(kinds(&trace("w1[0,1] w2[2,3] r1[4,5]")), [Kind::StaleRead]);
        assert_eq!(kinds(&trace("w1[0,1] r0[2,3]")), [Kind::StaleRead]);
        // 2 is being written; one reader sees it, and a later one does not.
        let inversion = "w1[0,1] w2[2,9] r2[3,4] r1[5,6]";
        assert_eq!(kinds(&trace(inversion)), [Kind::Inversion]);
        assert_eq!(kinds(&trace("w1[0,9] r1[1,2] r0[3,4]")), [Kind::Inversion]);
    }

    #[test]
    fn equal_times_are_concurrent() {
        let trace = |text| TraceBuilder::parse(text);
        assert_eq!(kinds(&trace("w1[0,1] w2[1,2] r1[3,4]")), []);
        assert_eq!(kinds(&trace("w1[0,1] w2[2,3] r1[3,4]")), []);
        assert_eq!(kinds(&trace("r1[0,1] w1[1,3]")), []);
    }

    #[test]
    fn a_write_of_unknown_outcome_may_happen_late_or_never() {
        let trace = |text| TraceBuilder::parse(text);
        assert_eq!(kinds(&trace("w1[0,1]? w2[2,3] r2[4,5] r1[6,7]")), []);
        assert_eq!(kinds(&trace("w1[0,1]? w2[2,3] r2[4,5] r2[6,7]")), []);
        let again = "w1[0,1]? r1[2,3] w2[4,5] r1[6,7]";
        assert_eq!(kinds(&trace(again)), [Kind::Inversion]);
    }

    #[test]
    fn six_operations_of_two_values() {
        let trace = TraceBuilder::parse("w1[0,9] w2[1,9] r1[2,3] r2[2,3] r1[4,5] r2[4,5]");
        let seen = seen(&trace);
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].operations(), [0, 1, 2, 3, 4, 5]);
        let tale = seen[0].tell(&trace, &|place| format!("v{}", place % 2 + 1));
        assert_eq!(
            (tale.then.join(" "), tale.however.as_str()),
            (
                "v1 and v2 were each written only once, so the key held each of them during one stretch of time. \
                 C returned v1 and finished before F, which returned v2, began, so v1 came before v2."
                    .to_owned(),
                "However, D returned v2 and finished before E, which returned v1, began, so v2 came before v1: \
                 a contradiction."
            )
        );
    }

    #[test]
    fn what_it_cannot_judge_it_says() {
        let unfit = |text| judge(&TraceBuilder::parse(text)).expect_err("unfit");
        assert_eq!(unfit("w1[0,1] w1[2,3]"), Unfit::ValuesRepeat);
        assert_eq!(unfit("w0[0,1]"), Unfit::ValuesRepeat);
        assert_eq!(unfit("c0>1[0,1]"), Unfit::CompareAndSet);
        let mut trace = TraceBuilder::parse("w1[0,1] w2[2,3]");
        trace.ops.swap(0, 1);
        assert_eq!(judge(&trace), Err(Unfit::Malformed));
        trace.ops.swap(0, 1);
        trace.values = 2;
        assert_eq!(judge(&trace), Err(Unfit::Malformed));
        trace.values = 3;
        trace.ops[1].ret = 0;
        assert_eq!(judge(&trace), Err(Unfit::Malformed));
    }
}
