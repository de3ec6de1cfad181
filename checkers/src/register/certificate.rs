//! Proof that a trace is linearizable: one order of its operations in which each of them could have happened at once.
//!
//! [`verify`] shares no code with the judges that find such orders, so that a mistake of theirs cannot hide here.

use thiserror::Error;

use super::trace::{Action, RegisterOp, Trace, ValueId};
use crate::history::Status;

/// An order of operations, as places in [`Trace::ops`]. Operations that certainly did not happen, and those of unknown
/// outcome that need not have, are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order(pub Vec<u32>);

/// Why an order proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Flaw {
    /// A place without an operation.
    #[error("the trace has no operation {0}")]
    Stranger(u32),
    /// An operation that is there twice.
    #[error("operation {0} is there twice")]
    Twice(u32),
    /// An operation that did not happen.
    #[error("operation {0} did not happen")]
    Failed(u32),
    /// An operation that had ended before one began that stands ahead of it.
    #[error("operation {0} had ended before one began that stands ahead of it")]
    TooLate(u32),
    /// An operation that saw another value than the one that the register holds by then.
    #[error("operation {0} saw another value than the register holds by then")]
    Contradicted(u32),
    /// Operations that happened for certain and are not there.
    #[error("{0} operations that happened are missing")]
    Missing(usize),
}

/// Walks an order and holds every operation against the register. O(n).
///
/// # Errors
/// The first flaw, if the order does not prove that the trace is linearizable.
pub fn verify(trace: &Trace, order: &Order) -> Result<(), Flaw> {
    let mut there = vec![false; trace.ops.len()];
    let mut state = ValueId::INITIAL;
    let mut call_max = 0;
    let mut required = trace.ops.iter().filter(|op| is_required(op)).count();
    for &place in &order.0 {
        let at = place as usize;
        let Some(op) = trace.ops.get(at) else {
            return Err(Flaw::Stranger(place));
        };
        if std::mem::replace(&mut there[at], true) {
            return Err(Flaw::Twice(place));
        }
        if op.end() < call_max {
            return Err(Flaw::TooLate(place));
        }
        call_max = call_max.max(op.call);
        state = step(state, op, place)?;
        required -= usize::from(is_required(op));
    }
    if required > 0 {
        return Err(Flaw::Missing(required));
    }
    Ok(())
}

/// Whether an order has to account for an operation. A compare-and-set that found another value did so at some moment.
fn is_required(op: &RegisterOp) -> bool {
    match (op.action, op.status) {
        (_, Status::Ok) | (Action::Cas { .. }, Status::Fail) => true,
        (Action::Read(_) | Action::Write(_), Status::Fail) | (_, Status::Info) => false,
    }
}

/// What the register holds after an operation.
fn step(state: ValueId, op: &RegisterOp, place: u32) -> Result<ValueId, Flaw> {
    let (holds, next) = match (op.action, op.status) {
        (Action::Cas { expected, .. }, Status::Fail) => (state != expected, state),
        (_, Status::Fail) => return Err(Flaw::Failed(place)),
        (Action::Read(value), _) => (state == value, state),
        (Action::Write(value), _) => (true, value),
        (Action::Cas { expected, new }, _) => (state == expected, new),
    };
    holds.then_some(next).ok_or(Flaw::Contradicted(place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::testing::TraceBuilder;

    fn check(text: &str, order: &[u32]) -> Result<(), Flaw> {
        verify(&TraceBuilder::parse(text), &Order(order.to_vec()))
    }

    #[test]
    fn every_flaw_is_found() {
        let text = "w1[0,9] r1[1,9] w2[2,3]! w3[4,9]? r1[20,21]";
        assert_eq!(check(text, &[0, 1, 4]), Ok(()));
        assert_eq!(check(text, &[0, 1, 4, 3]), Ok(()));
        assert_eq!(check(text, &[0, 1, 7, 4]), Err(Flaw::Stranger(7)));
        assert_eq!(check(text, &[0, 1, 1, 4]), Err(Flaw::Twice(1)));
        assert_eq!(check(text, &[0, 2, 1, 4]), Err(Flaw::Failed(2)));
        assert_eq!(check(text, &[0, 4, 1]), Err(Flaw::TooLate(1)));
        assert_eq!(check(text, &[1, 0, 4]), Err(Flaw::Contradicted(1)));
        assert_eq!(check(text, &[0, 3, 1, 4]), Err(Flaw::Contradicted(1)));
        assert_eq!(check(text, &[0, 4]), Err(Flaw::Missing(1)));
    }

    #[test]
    fn compare_and_sets_see_what_they_must() {
        let text = "w1[0,1] c1>2[2,3] c1>3[4,5]! c2>4[6,9]? r4[7,8]";
        assert_eq!(check(text, &[0, 1, 2, 3, 4]), Ok(()));
        assert_eq!(check(text, &[0, 2, 1, 3, 4]), Err(Flaw::Contradicted(2)));
        let missed = "w1[0,1] c1>3[0,5]! r1[6,7]";
        assert_eq!(check(missed, &[0, 1, 2]), Err(Flaw::Contradicted(1)));
        assert_eq!(check(missed, &[1, 0, 2]), Ok(()));
        assert_eq!(check(missed, &[0, 2]), Err(Flaw::Missing(1)));
    }
}
