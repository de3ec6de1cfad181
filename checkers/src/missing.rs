//! Why a guarantee is undecided, in words that say what is missing and what to do.
//!
//! It decides nothing: which rows are undecided is the verdict's business, and what was passed over the finding's.

use crate::finding::Finding;
use crate::guarantee::Guarantee;
use crate::stream::key::{DELETES, FOREIGN, NO_REGISTER, NOT_ASCENDING, TOO_LONG};
use crate::verdict::Ruling;

/// Keys that no judge can take: their writes are no integers.
pub(crate) const NO_INTEGER: &str = "keys with a written value that is no integer";
/// Keys of a store with siblings that no judge can take: a write wrote nothing.
pub(crate) const NOTHING_WRITTEN: &str = "keys with a write of nothing";
/// Keys of a store with siblings whose reads do not return them.
pub(crate) const NO_LIST: &str = "keys with a read that returned no list of siblings";
/// Keys of clients that write sets, and wrote something else.
pub(crate) const NO_SET: &str = "keys with a written or held value that is no set of integers";
/// Keys that something else than reads, writes and deletes may have changed.
pub(crate) const OTHER_KIND: &str = "keys that operations of another kind may have changed";
/// Keys of either kind.
pub(crate) const NOT_OURS: &str =
    "keys with values that are no integers, or operations of another kind";
/// Keys whose reads cannot be mapped to writes.
pub(crate) const WRITTEN_TWICE: &str = "keys on which a value was written twice";
/// Keys that the search gave up.
pub(crate) const TOO_REPETITIVE: &str = "keys whose values repeat too much for the search";
/// Keys that no judge of registers can take: their times make no sense.
pub(crate) const OUT_OF_ORDER: &str = "keys whose operations are out of order";
/// Keys of which not every replica said what it holds.
pub(crate) const INCOMPLETE: &str = "keys whose census lacks the answer of a replica";
/// Histories that causality is not judged of.
pub(crate) const TOO_MANY: &str =
    "histories with too many sessions to compare them with each other";

/// What to do about things that could not be judged; nothing where the reason says it.
fn remedy(why: &str) -> &'static str {
    match why {
        NO_INTEGER => "; let clients write integers",
        NOTHING_WRITTEN => "; let clients delete instead",
        NO_LIST => "; write the values of a read as a list, in ascending order",
        NO_SET => "; let clients write ascending lists of integers",
        OTHER_KIND => {
            "; judge them with `check --model`, or let clients read, write and delete only"
        }
        NOT_OURS => {
            "; let clients write integers, and read, write and delete only, or judge with `check --model`"
        }
        WRITTEN_TWICE => "; let clients write values that never repeat",
        NOT_ASCENDING | FOREIGN | TOO_LONG | DELETES | NO_REGISTER => {
            "; judge the saved history as a whole, not as a stream"
        }
        OUT_OF_ORDER => {
            "; each must end after it began, and they are told in the order in which they began"
        }
        INCOMPLETE => {
            "; all replicas must answer the final reads, so heal all faults and ask again"
        }
        TOO_MANY => "; let fewer clients run, or judge shorter spans",
        // Among them what a judge gives up in words of its own, which are told as well.
        _ => "",
    }
}

/// What nothing can be said without, if nothing at all gave evidence.
fn absent(guarantee: Guarantee, has_census: bool) -> &'static str {
    match guarantee {
        Guarantee::NoPhantoms
        | Guarantee::NoFailedWrites
        | Guarantee::CausalConsistency
        | Guarantee::CausalConvergence => "no read was answered; let clients read what they write",
        Guarantee::Linearizability => {
            "no key has a read that was answered; let clients read what they write"
        }
        Guarantee::FreshReads => {
            "no read began after a write of its key was acknowledged; let clients read what they have written"
        }
        Guarantee::NoInversion => {
            "no read began after another of its key had ended; let clients read each key more than once"
        }
        Guarantee::ReadYourWrites => {
            "no session read a key after it had written it; let clients both read and write"
        }
        Guarantee::MonotonicReads => {
            "no session read a key twice; let each client read its keys more than once"
        }
        Guarantee::MonotonicWrites => {
            "no session wrote a key twice so that somebody read it; let each client write its keys more than once, and read them"
        }
        Guarantee::WritesFollowReads => {
            "no session wrote a key after reading it so that somebody read that; let clients both read and write"
        }
        Guarantee::NoLostWrites
        | Guarantee::NoClockLoss
        | Guarantee::NoConcurrentLoss
        | Guarantee::NoLostUpdates
        | Guarantee::Convergence
            if !has_census =>
        {
            "no census in this history: final reads of each key at each replica are missing; let the run read all replicas \
             after all faults are healed"
        }
        Guarantee::NoLostWrites => {
            "no write of a key in the census was acknowledged; let clients write"
        }
        Guarantee::NoClockLoss => {
            "no write of a key in the census was acknowledged after another; let clients write each key more than once"
        }
        Guarantee::NoConcurrentLoss => {
            "no acknowledged write of a key in the census was the last of its key; let clients write each key at the same time"
        }
        Guarantee::NoLostUpdates => {
            "no element of a set in the census was added by an acknowledged write; let clients read sets and add to them"
        }
        Guarantee::NoSiblingExplosion => {
            "no read returned a value whose writer had read another one; let clients write with the context of what they read"
        }
        Guarantee::Convergence => {
            "no key has a census that all its replicas answered; heal all faults and ask again"
        }
        Guarantee::NoResurrection => {
            "no key was read after one of its deletes was acknowledged; let clients delete, and read what they deleted"
        }
        Guarantee::Availability => {
            "no operation was asked of a node that faults left alone and that could reach enough others; let the load \
             go on longer, also outside faults"
        }
    }
}

/// What is missing, one sentence each, and what judges said when they gave up.
///
/// Of rows that are decided only the latter is told: it says what the finding is not about.
pub(crate) fn notes(finding: &Finding, ruling: Ruling, has_census: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if ruling == Ruling::Undecided {
        for skipped in &finding.skipped {
            let (count, why) = (skipped.count, skipped.why);
            notes.push(format!("{count} skipped: {why}{}", remedy(why)));
        }
        if finding.skipped.is_empty() {
            notes.push(absent(finding.guarantee, has_census).to_owned());
        }
    }
    notes.extend(finding.notes.iter().cloned());
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::draw;
    use crate::verdict::judge;

    fn told(drawing: &str, guarantee: Guarantee) -> Vec<String> {
        let verdict = judge(&draw(drawing));
        let row = verdict.row(guarantee).expect("all are judged");
        row.notes.clone()
    }

    #[test]
    fn every_row_that_is_undecided_says_why_and_what_to_do() {
        for drawing in [
            "",
            "c1: |--w k 1--|",
            "c1: |--w k 1--| |--w k 1--| |--r k 1--|",
        ] {
            for row in judge(&draw(drawing)).rows {
                let is_undecided = row.ruling == Ruling::Undecided;
                assert_eq!(!row.notes.is_empty(), is_undecided, "{row:?}");
                assert!(row.notes.iter().all(|note| note.contains("; ")), "{row:?}");
            }
        }
    }

    #[test]
    fn what_is_missing_is_called_by_name() {
        let written = "c1: |--w k 1--|  |--r k 1--|";
        let [note] = &told(written, Guarantee::NoLostWrites)[..] else {
            panic!("one reason")
        };
        assert!(note.starts_with("no census in this history"), "{note}");
        assert!(told(written, Guarantee::FreshReads).is_empty());
        let repeated = "c1: |--w k 1--| |--w k 1--|  |--r k 1--|";
        assert_eq!(
            told(repeated, Guarantee::FreshReads),
            [
                "1 skipped: keys on which a value was written twice; let clients write values that never repeat"
            ]
        );
        let unread = "c1: |--w k 1--|";
        let [note] = &told(unread, Guarantee::FreshReads)[..] else {
            panic!("one reason")
        };
        assert!(note.starts_with("no read began after"), "{note}");
    }
}
