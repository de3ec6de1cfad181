//! The proof that a grow-only set is linearizable: an order of its operations, which anybody can verify in one pass.
//!
//! The verification shares nothing with the judge that made the order.

use std::fmt;

use super::history::SetHistory;
use crate::history::Status;

/// Operations in an order that explains a history: adds by their number, then reads by theirs, counted on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order(pub Vec<u32>);

/// Why an order explains nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// An operation is not part of the history, or comes twice, or was refused.
    Foreign(u32),
    /// An operation that happened is missing.
    Missing(u32),
    /// An operation comes before one that had returned before it began.
    BackInTime(u32),
    /// A read returned something else than what had been added by then.
    WrongReply(u32),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flaw::Foreign(op) => write!(f, "operation {op} cannot be part of the order"),
            Flaw::Missing(op) => write!(f, "operation {op} is missing from the order"),
            Flaw::BackInTime(op) => write!(f, "operation {op} comes too late in the order"),
            Flaw::WrongReply(op) => write!(f, "read {op} returned another set than the order says"),
        }
    }
}

/// Carries out the operations one after the other.
///
/// # Errors
///
/// The first flaw, if the order does not explain the history. Repetitions in a reply count once.
pub fn verify(history: &SetHistory, order: &Order) -> Result<(), Flaw> {
    let (adds, reads) = (history.adds(), history.reads());
    let mut done = vec![false; adds.len() + reads.len()];
    let mut present = vec![false; history.universe() as usize];
    let mut last_met = vec![usize::MAX; history.universe() as usize];
    let (mut size, mut latest_call) = (0_usize, 0);
    for (step, &op) in order.0.iter().enumerate() {
        let number = op as usize;
        if done.get(number) != Some(&false) {
            return Err(Flaw::Foreign(op));
        }
        done[number] = true;
        let (call, ret) = match adds.get(number) {
            Some(add) if add.status == Status::Fail => return Err(Flaw::Foreign(op)),
            Some(add) => {
                let there = &mut present[add.element as usize];
                size += usize::from(!std::mem::replace(there, true));
                (add.call, add.ret)
            }
            None => {
                let read = &reads[number - adds.len()];
                let mut met = 0;
                for &element in history.elements(read) {
                    let element = element as usize;
                    if !present[element] {
                        return Err(Flaw::WrongReply(op));
                    }
                    met += usize::from(std::mem::replace(&mut last_met[element], step) != step);
                }
                if met != size {
                    return Err(Flaw::WrongReply(op));
                }
                (read.call, read.ret)
            }
        };
        if ret < latest_call {
            return Err(Flaw::BackInTime(op));
        }
        latest_call = latest_call.max(call);
    }
    let happened = |op: usize| adds.get(op).is_none_or(|add| add.status == Status::Ok);
    match (0..)
        .zip(&done)
        .find(|(op, done)| !**done && happened(*op as usize))
    {
        Some((op, _)) => Err(Flaw::Missing(op)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::builder::SetOp;

    /// Adds 1 from 0 to 1 and 2 from 2 to 3, perhaps 3; reads {1} from 1 to 2.
    fn history() -> SetHistory {
        let mut builder = SetHistory::builder();
        builder.add(SetOp::new(Status::Ok, 1, 0, 0, 1), 1_i64);
        builder.add(SetOp::new(Status::Ok, 1, 1, 2, 3), 2_i64);
        builder.add(SetOp::new(Status::Info, 2, 2, 5, 9), 3_i64);
        builder.add(SetOp::new(Status::Fail, 3, 3, 5, 9), 4_i64);
        builder.read(SetOp::new(Status::Ok, 4, 4, 1, 2), [1_i64, 1]);
        builder.finish()
    }

    #[test]
    fn every_flaw_is_found() {
        let check = |order: &[u32]| verify(&history(), &Order(order.to_vec()));
        assert_eq!(check(&[0, 4, 1]), Ok(()));
        assert_eq!(check(&[0, 4, 1, 2]), Ok(()));
        assert_eq!(check(&[0, 4, 1, 3]), Err(Flaw::Foreign(3)));
        assert_eq!(check(&[0, 4, 1, 5]), Err(Flaw::Foreign(5)));
        assert_eq!(check(&[0, 4, 0]), Err(Flaw::Foreign(0)));
        assert_eq!(check(&[0, 1, 4]), Err(Flaw::WrongReply(4)));
        assert_eq!(check(&[4, 0, 1]), Err(Flaw::WrongReply(4)));
        assert_eq!(check(&[1, 0, 4]), Err(Flaw::BackInTime(0)));
        assert_eq!(check(&[0, 4]), Err(Flaw::Missing(1)));
        assert_eq!(check(&[0, 1]), Err(Flaw::Missing(4)));
    }
}
