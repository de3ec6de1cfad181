//! Registers whose values repeat: a search over all ways in which things may stand, kept narrow.
//!
//! When two writes carry the same value, nobody can tell which of them a read saw, and the question becomes a search (Gibbons and Korach, SIAM J.
//! Comput. 1997: NP-complete in general). This one walks through the events in the order of time and keeps a frontier of
//! configurations: what the register holds, and which operations in flight have taken effect (Lowe's just-in-time linearization,
//! 2017). Three observations keep it narrow:
//!
//! * **Hiding.** A write that nobody needs may have taken effect right before any blind write that overlapped it. So a
//!   blind write marks all writes in flight as *hidden*: they may return without a step of their own, and may still be used visibly until then.
//!   So may writes of a value that the register holds anyway.
//! * **Laziness.** Operations take effect when one of them returns, and then only steps that help somebody are tried. Equal writes are used
//!   in the order of their returns, and those of unknown outcome, which never return, last.
//! * **Covering.** A configuration goes when another one with the same value can do all that it can: it has satisfied no fewer reads, has
//!   spent no more operations of unknown outcome, and its writes are hidden where they differ. Values that nobody asks about any more count as one.
//!
//! Why nothing is lost: take any linearization, and whenever an operation returns follow it up to that operation. A blind write on that way may
//! be left out if the next change is a blind write, too, because that one hides it; and so may a write of what the register holds anyway,
//! unless it is the one that hides others before a compare-and-set. What remains are the steps that the search tries.
//!
//! Failed compare-and-sets that only say "the value was not the expected one" take part as reads that are content with any other value.
//! Work is counted in steps and memory in bytes, never in seconds: equal traces get equal answers.

mod configuration;
mod lanes;
mod mask;
mod order;
mod rules;
mod search;
mod timetable;
mod trail;

#[cfg(test)]
pub(crate) mod tests;

use super::certificate::Order;
use super::trace::Trace;
use rules::{Exact, Rules};
use search::End;
use timetable::Timetable;

/// How much a search may spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Configurations made, and 16 words of configurations compared or copied, each. A word is 64 operations in flight.
    pub steps: u64,
    /// Memory for configurations and how they came about, bytes; what is linear in the trace is not counted.
    pub bytes: usize,
}

impl Default for Budget {
    /// A few seconds, and 256 MB.
    fn default() -> Budget {
        Budget {
            steps: 50_000_000,
            bytes: 256 << 20,
        }
    }
}

/// What a search has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Steps spent.
    pub steps: u64,
    /// The most configurations kept between two events.
    pub widest: usize,
    /// Operations whose return was passed.
    pub returned: usize,
}

/// Which limit ended a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// [`Budget::steps`].
    Steps,
    /// [`Budget::bytes`].
    Bytes,
    /// More operations in flight at once, or in all, than the search can number.
    Width,
}

/// Why a search says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecided {
    /// Which limit.
    pub limit: Limit,
    /// The place in [`Trace::ops`] of the operation whose return it could not pass; none if it did not begin.
    pub place: Option<usize>,
    /// What it had spent.
    pub effort: Effort,
}

impl Undecided {
    /// The reason in words, and what to do.
    pub fn why(&self) -> String {
        let Effort {
            steps,
            widest,
            returned,
        } = self.effort;
        let advice = "let clients write values that never repeat, or judge shorter spans";
        match self.limit {
            Limit::Steps => format!(
                "values repeat, and {steps} steps did not suffice: {returned} operations were passed, with up to {widest} ways in which \
                 things may stand; allow more steps, {advice}"
            ),
            Limit::Bytes => format!(
                "values repeat, and the memory did not suffice: {returned} operations were passed, with up to {widest} ways in which \
                 things may stand; {advice}"
            ),
            Limit::Width => format!(
                "values repeat, and more operations are in flight at once than a search can follow; {advice}"
            ),
        }
    }
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An order of all operations that happened; [`verify`](super::verify) accepts it.
    Linearizable(Order),
    /// There is no order. No configuration passes the return of the operation at this place in [`Trace::ops`].
    Violated(usize),
    /// Not known.
    Undecided(Undecided),
}

/// Searches for an order in which the operations of a register may have taken effect.
pub fn search(trace: &Trace, budget: Budget) -> (Answer, Effort) {
    search_by::<Exact>(trace, budget)
}

fn search_by<R: Rules>(trace: &Trace, budget: Budget) -> (Answer, Effort) {
    let too_wide = (
        Answer::Undecided(Undecided {
            limit: Limit::Width,
            place: None,
            effort: Effort::default(),
        }),
        Effort::default(),
    );
    if trace.ops.len() > timetable::OPERATIONS_MAX {
        return too_wide;
    }
    let table = Timetable::of(trace);
    let (end, effort) = match table.slots.div_ceil(64) {
        0 | 1 => search::run::<1, R>(&table, budget),
        2 => search::run::<2, R>(&table, budget),
        3 | 4 => search::run::<4, R>(&table, budget),
        5..=8 => search::run::<8, R>(&table, budget),
        9..=32 => search::run::<32, R>(&table, budget),
        33..=128 => search::run::<128, R>(&table, budget),
        _ => return too_wide,
    };
    let place = |number: u32| table.parts[number as usize].place as usize;
    let answer = match end {
        End::Alive(steps) => Answer::Linearizable(order::build(&table, &steps)),
        End::Dead(number) => Answer::Violated(place(number)),
        End::Stopped(limit, number) => Answer::Undecided(Undecided {
            limit,
            place: Some(place(number)),
            effort,
        }),
    };
    (answer, effort)
}
