//! Reads that miss what they know of: causal consistency of keys with siblings.
//!
//! An operation knows those before it in its session, the writes that it read from, and whatever those know, on any key. A read must not miss what
//! its session knew when it began; what the writers of its own values knew besides is not asked of it, because a write replaces what its
//! context names and no more. All that was acknowledged or shown by when the read began, so only the reads that miss
//! something of that are looked at. Sessions agree on no order of siblings, because there is none.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::explain::words;
use crate::finding::{Checker, Finding};
use crate::guarantee::Guarantee;
use crate::history::{History, Index, Nanos};
use crate::witness::{Anomaly, Part};

use super::cast::{Cast, Words};
use super::keys::{Key, Keys, Read};
use super::sweep::Wrong;

/// The judge of [`Guarantee::CausalConsistency`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Causal;

impl Checker for Causal {
    fn guarantee(&self) -> Guarantee {
        Guarantee::CausalConsistency
    }

    fn check(&self, history: &History, index: &Index) -> Finding {
        let mut finding = Finding::new(self.guarantee(), "reads");
        let keys = Keys::get(history, index);
        keys.skip_unmapped(&mut finding);
        let mut knowledge = None;
        for (key, sweep) in keys.mapped_for_sessions() {
            for (read, wrong) in key.reads.iter().zip(&sweep.wrong) {
                if !read.is_sound() {
                    continue;
                }
                finding.judged += 1;
                let owed = owed(key, read, wrong);
                if owed.is_empty() {
                    continue;
                }
                let knowledge = knowledge.get_or_insert_with(|| Knowledge::of(history, keys));
                let Some((write, way)) = knowledge.way(history, key, read, &owed) else {
                    continue;
                };
                finding.see(read.call, || tell(history, key, read, write, &way));
            }
        }
        finding
    }
}

/// What a read should have shown if it knew of it: writes that it misses, and deletes whose work it undoes.
fn owed(key: &Key, read: &Read, wrong: &Wrong) -> BTreeSet<u32> {
    let mut owed: BTreeSet<u32> = wrong.missing.iter().copied().collect();
    // Whoever shows the newer shows the older, so what else is missing is behind what is missing.
    key.walk(&wrong.missing, |at| {
        let is_new = !owed.contains(&at) && !key.explains(read, at);
        is_new && owed.insert(at)
    });
    owed.retain(|&at| key.write(at).may_be());
    if wrong.back.is_some() {
        let deletes = (0..).zip(&key.writes);
        let deletes = deletes.filter(|(_, write)| write.is_delete && write.is_acked());
        let undone = deletes
            .filter(|&(at, write)| write.ret <= read.call && key.brought_back(at, read).is_some());
        owed.extend(undone.map(|(at, _)| at));
    }
    owed
}

/// Who knows of what, one step back.
struct Knowledge {
    /// For each operation the one before it in its session that counts.
    before: Vec<Option<usize>>,
    /// For reads the writes that they read from.
    read_from: BTreeMap<usize, Vec<usize>>,
}

impl Knowledge {
    fn of(history: &History, keys: &Keys) -> Knowledge {
        let mut last: BTreeMap<u64, usize> = BTreeMap::new();
        let mut before = Vec::with_capacity(history.operations.len());
        for (at, operation) in history.operations.iter().enumerate() {
            before.push(last.get(&operation.process).copied());
            if operation.is_ok() {
                last.insert(operation.process, at);
            }
        }
        let mut read_from = BTreeMap::new();
        for (key, _) in keys.mapped() {
            for read in key.reads.iter().filter(|read| read.is_sound()) {
                let writes = read.writes().map(|at| key.write(at).operation);
                read_from.insert(read.operation, writes.collect());
            }
        }
        Knowledge { before, read_from }
    }

    /// A write that a read owes and knows of, and the operations between the two by way of which it does, from the write on.
    fn way(
        &self,
        history: &History,
        key: &Key,
        read: &Read,
        owed: &BTreeSet<u32>,
    ) -> Option<(u32, Vec<usize>)> {
        let places = owed.iter().map(|&at| (key.write(at).operation, at));
        let owed: BTreeMap<usize, u32> = places.collect();
        let calls = owed.keys().map(|&at| history.operations[at].call);
        let least = calls.min().unwrap_or(Nanos::NEVER);
        let mut came_from = BTreeMap::new();
        let mut open = VecDeque::from([read.operation]);
        while let Some(at) = open.pop_front() {
            let direct = self.read_from.get(&at).into_iter().flatten().copied();
            let direct = direct.filter(|_| at != read.operation);
            let session = self.before.get(at).copied().flatten();
            for next in session.into_iter().chain(direct) {
                // Whatever ended before a write was asked for knows nothing of it.
                if came_from.contains_key(&next) || history.operations[next].ret < least {
                    continue;
                }
                came_from.insert(next, at);
                if let Some(&write) = owed.get(&next) {
                    let way = std::iter::successors(came_from.get(&next), |at| came_from.get(at));
                    let way = way.copied().take_while(|&at| at != read.operation);
                    let way: Vec<usize> = way.collect();
                    return Some((write, shortened(history, next, &way, read.operation)));
                }
                open.push_back(next);
            }
        }
        None
    }
}

/// Leaves out what lies between two operations of one session.
fn shortened(history: &History, from: usize, way: &[usize], to: usize) -> Vec<usize> {
    let process = |at: usize| history.operations[at].process;
    let mut kept = Vec::new();
    let mut last = from;
    let nexts = way.iter().copied().skip(1).chain([to]);
    for (&here, next) in way.iter().zip(nexts) {
        let is_between = process(last) == process(here) && process(here) == process(next);
        if !is_between {
            kept.push(here);
            last = here;
        }
    }
    kept
}

fn tell(history: &History, key: &Key, read: &Read, write: u32, way: &[usize]) -> Anomaly {
    let back = if key.write(write).is_delete {
        key.brought_back(write, read)
    } else {
        None
    };
    let mut cast = Cast::new(history, key)
        .with(Part::Reader, read.operation)
        .write(Part::Newer, write);
    for &step in way {
        cast = cast.with(Part::Step, step);
    }
    if let Some(value) = back {
        cast = cast.write(Part::Older, value).way(write, value);
    }
    let (a, r) = (cast.of(write), cast.letter(read.operation));
    let steps: Vec<String> = way.iter().map(|&at| cast.letter(at).to_string()).collect();
    let knows = if steps.is_empty() {
        format!("{r} knows of {a}, which its session had done before.")
    } else {
        format!("{r} knows of {a} by way of {}.", words::list(&steps))
    };
    let found = cast.value(read.operation);
    let (then, however) = if let Some(value) = back {
        let then = vec![cast.replaced(write, value), knows];
        let value = cast.written(value);
        (
            then,
            format!("However, {r} returned {found}: {value} is back."),
        )
    } else {
        let wanted = cast.written(write);
        let then = format!("So {r} had to return {wanted}, or something whose writer had read it.");
        let however = format!("However, {r} returned {found}: neither is there.");
        (vec![knows, then], however)
    };
    cast.anomaly(
        Guarantee::CausalConsistency,
        read.call,
        Vec::new(),
        Words { then, however },
    )
}
