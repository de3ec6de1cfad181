//! What is wrong about a history of requests. Brute force: every pair is looked at. It believes clients, and the log in the end; of what
//! nodes claim it uses the term of an acknowledged write only.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::NodeId;
use crate::protocol::leader::{Entry, LeaderReply, Term};

use super::world::{Op, text};

/// How often each anomaly was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Acknowledged writes that are not in the log in the end.
    pub(super) lost: usize,
    /// Those among them that the leader did not acknowledge alone because it was degraded.
    pub(super) lost_although_copied: usize,
    /// Reads that returned what was overwritten before they began (or nothing), by a write that was acknowledged before they began.
    pub(super) stale: usize,
    /// Acknowledged writes that began after a leader of a later term had acknowledged one.
    pub(super) split: usize,
    /// Reads that returned less than an earlier one, whoever answered.
    pub(super) backwards: usize,
    /// The same, where one node answered both.
    pub(super) backwards_sticky: usize,
    /// Refused writes that are in the log, or were read.
    pub(super) ghosts: usize,
    /// Writes that are in the log more than once.
    pub(super) doubled: usize,
    /// What there was to judge.
    pub(super) acknowledged: usize,
    pub(super) reads: usize,
}

struct Write<'a> {
    op: &'a Op,
    value: &'a str,
    /// When it was acknowledged.
    acked: Option<u64>,
    term: Option<Term>,
    degraded: bool,
    refused: bool,
}

struct Read<'a> {
    op: &'a Op,
    value: Option<String>,
    completed: u64,
    served_by: NodeId,
}

pub(super) fn judge(ops: &[Op], log: &[Entry]) -> Found {
    let writes: Vec<_> = ops.iter().filter_map(write).collect();
    let reads: Vec<_> = ops.iter().filter_map(read).collect();
    let in_log: Vec<String> = log.iter().filter_map(value_of).collect();
    let held: BTreeSet<&str> = in_log.iter().map(String::as_str).collect();
    let returned: BTreeSet<&str> = reads
        .iter()
        .filter_map(|read| read.value.as_deref())
        .collect();
    let lost = |write: &&Write<'_>| write.acked.is_some() && !held.contains(write.value);
    let ghost = |write: &&Write<'_>| {
        write.refused && (held.contains(write.value) || returned.contains(write.value))
    };
    let by_value: BTreeMap<_, _> = writes.iter().map(|write| (write.value, write)).collect();
    let sticky = |a: &Read<'_>, b: &Read<'_>| a.served_by == b.served_by;
    Found {
        lost: writes.iter().filter(lost).count(),
        lost_although_copied: writes
            .iter()
            .filter(lost)
            .filter(|write| !write.degraded)
            .count(),
        stale: reads
            .iter()
            .filter(|read| is_stale(read, &writes, &by_value))
            .count(),
        split: writes
            .iter()
            .filter(|write| is_split(write, &writes))
            .count(),
        backwards: backwards(&reads, &by_value, |_, _| true),
        backwards_sticky: backwards(&reads, &by_value, sticky),
        ghosts: writes.iter().filter(ghost).count(),
        doubled: in_log.len() - held.len(),
        acknowledged: writes.iter().filter(|write| write.acked.is_some()).count(),
        reads: reads.len(),
    }
}

fn value_of(entry: &Entry) -> Option<String> {
    let change = entry.change.as_ref()?;
    change.value.as_deref().map(text)
}

fn write(op: &Op) -> Option<Write<'_>> {
    let value = op.value.as_deref()?;
    let (acked, grounds) = match &op.completed {
        Some((at, LeaderReply::Written { grounds })) => (Some(*at), Some(grounds)),
        _ => (None, None),
    };
    let position = grounds.and_then(|grounds| grounds.position);
    Some(Write {
        op,
        value,
        acked,
        term: position.map(|position| position.term),
        degraded: grounds.is_some_and(|grounds| grounds.degraded),
        refused: matches!(op.completed, Some((_, LeaderReply::Refused { .. }))),
    })
}

fn read(op: &Op) -> Option<Read<'_>> {
    let Some((completed, LeaderReply::Value { value, grounds })) = &op.completed else {
        return None;
    };
    Some(Read {
        op,
        value: value.as_deref().map(text),
        completed: *completed,
        served_by: grounds.served_by,
    })
}

/// Whether the value was overwritten in real time: by a write that began after it was acknowledged. Nothing was, by any write.
fn precedes(value: Option<&str>, write: &Write<'_>, by_value: &BTreeMap<&str, &Write<'_>>) -> bool {
    match value {
        None => true,
        Some(value) => by_value[value]
            .acked
            .is_some_and(|acked| acked < write.op.invoked),
    }
}

fn is_stale(read: &Read<'_>, writes: &[Write<'_>], by_value: &BTreeMap<&str, &Write<'_>>) -> bool {
    writes.iter().any(|write| {
        write.op.key == read.op.key
            && write.acked.is_some_and(|acked| acked < read.op.invoked)
            && precedes(read.value.as_deref(), write, by_value)
    })
}

fn is_split(write: &Write<'_>, writes: &[Write<'_>]) -> bool {
    let began = write.op.invoked;
    writes.iter().any(|other| {
        other.acked.is_some_and(|acked| acked < began)
            && write.term.is_some()
            && other.term > write.term
    })
}

fn backwards(
    reads: &[Read<'_>],
    by_value: &BTreeMap<&str, &Write<'_>>,
    related: impl Fn(&Read<'_>, &Read<'_>) -> bool,
) -> usize {
    let is_backwards = |later: &&Read<'_>| {
        reads.iter().any(|earlier| {
            earlier.completed < later.op.invoked
                && earlier.op.key == later.op.key
                && related(earlier, later)
                && earlier.value.as_deref().is_some_and(|newer| {
                    precedes(later.value.as_deref(), by_value[newer], by_value)
                })
        })
    };
    reads.iter().filter(is_backwards).count()
}

mod tests {
    use crate::protocol::leader::{Grounds, Position};

    use super::*;

    fn position(counter: u64, index: u64) -> Position {
        let term = Term {
            counter,
            ..Term::default()
        };
        Position { term, index }
    }

    fn grounds(counter: u64) -> Grounds {
        Grounds {
            served_by: NodeId(1),
            position: Some(position(counter, 1)),
            acked_by: Vec::new(),
            degraded: false,
        }
    }

    fn op(value: Option<&str>, invoked: u64, completed: Option<(u64, LeaderReply)>) -> Op {
        Op {
            key: "k".to_owned(),
            value: value.map(str::to_owned),
            invoked,
            completed,
        }
    }

    fn written(value: &str, from: u64, to: u64, counter: u64) -> Op {
        let grounds = grounds(counter);
        op(
            Some(value),
            from,
            Some((to, LeaderReply::Written { grounds })),
        )
    }

    fn returned(value: Option<&str>, from: u64, to: u64) -> Op {
        let grounds = grounds(1);
        let value = value.map(|text| text.as_bytes().into());
        op(
            None,
            from,
            Some((to, LeaderReply::Value { value, grounds })),
        )
    }

    fn log(values: &[&str]) -> Vec<Entry> {
        let change = |value: &&str| crate::protocol::leader::Change {
            key: "k".into(),
            value: Some(value.as_bytes().into()),
        };
        let entry = |value| Entry {
            position: position(1, 1),
            change: Some(change(value)),
        };
        values.iter().map(entry).collect()
    }

    /// `w 1`, `w 2`, and then reads of each.
    #[test]
    fn of_two_reads_one_is_stale_and_backwards() {
        let ops = [
            written("1", 0, 1, 1),
            written("2", 2, 3, 1),
            returned(Some("2"), 4, 5),
            returned(Some("1"), 6, 7),
            returned(None, 2, 8),
        ];
        let found = judge(&ops, &log(&["1", "2"]));
        let expected = Found {
            stale: 2,
            backwards: 1,
            backwards_sticky: 1,
            acknowledged: 2,
            reads: 3,
            ..Found::default()
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn concurrent_operations_prove_nothing() {
        let ops = [
            written("1", 0, 10, 2),
            written("2", 5, 20, 1),
            returned(Some("1"), 15, 30),
            returned(Some("2"), 16, 25),
            returned(Some("1"), 26, 27),
        ];
        let found = judge(&ops, &log(&["2", "1"]));
        assert_eq!(
            (found.stale, found.split, found.backwards, found.lost),
            (0, 0, 0, 0)
        );
    }

    #[test]
    fn lost_split_ghost_and_doubled() {
        let refused = LeaderReply::Refused { why: String::new() };
        let ops = [
            written("1", 0, 1, 2),
            written("2", 2, 3, 1),
            op(Some("3"), 4, Some((5, refused))),
            op(Some("4"), 6, None),
        ];
        let found = judge(&ops, &log(&["2", "2", "3"]));
        let numbers = (found.lost, found.split, found.ghosts, found.doubled);
        assert_eq!(numbers, (1, 1, 1, 1));
    }
}
