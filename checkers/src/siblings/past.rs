//! Which values have been replaced by what is known so far, while time goes on.
//!
//! Every value is taken out at most once, so that a history costs little more than the contexts in it are long. It reports what
//! reads return against that; what the end must hold is in `mod.rs`.

use crate::history::Status;

use super::{Action, Kind, SiblingOp, Violation, is_write};

/// The contexts of all writes, as positions of the writes of the values in them.
pub(super) struct Past {
    /// Values with the positions of their writes, sorted.
    writers: Vec<(u32, u32)>,
    contexts: Vec<Vec<u32>>,
}

impl Past {
    pub(super) fn of(ops: &[SiblingOp]) -> Past {
        let mut writers: Vec<(u32, u32)> = (0..)
            .zip(ops)
            .filter(|(_, op)| op.status != Status::Fail)
            .filter_map(|(at, op)| match op.action {
                Action::Write {
                    value: Some(value), ..
                } => Some((value, at)),
                _ => None,
            })
            .collect();
        writers.sort_unstable();
        writers.dedup_by_key(|(value, _)| *value);
        let mut past = Past {
            writers,
            contexts: Vec::with_capacity(ops.len()),
        };
        let mut last_read: Vec<(u32, &[u32])> = Vec::new();
        for (at, op) in (0_u32..).zip(ops) {
            let said = match &op.action {
                Action::Read(values) => {
                    if op.status == Status::Ok {
                        last_read.retain(|(process, _)| *process != op.process);
                        last_read.push((op.process, values));
                    }
                    None
                }
                Action::Write { context, .. } => context.as_deref().or_else(|| {
                    let own = last_read.iter().find(|(process, _)| *process == op.process);
                    own.map(|&(_, values)| values)
                }),
            };
            let known = said
                .unwrap_or_default()
                .iter()
                .filter_map(|&value| past.writer(value));
            past.contexts
                .push(known.filter(|&other| other != at).collect());
        }
        past
    }

    /// The position of the write of a value, if it may have happened.
    pub(super) fn writer(&self, value: u32) -> Option<u32> {
        let found = self
            .writers
            .binary_search_by_key(&value, |&(value, _)| value)
            .ok()?;
        Some(self.writers[found].1)
    }

    /// Visits everything that some writes replaced, in any number of steps, unless `enter` says not to go on from there.
    fn walk(&self, from: &[u32], mut enter: impl FnMut(u32) -> bool) {
        let mut open: Vec<u32> = from
            .iter()
            .flat_map(|&at| &self.contexts[at as usize])
            .copied()
            .collect();
        while let Some(at) = open.pop() {
            if enter(at) {
                open.extend(&self.contexts[at as usize]);
            }
        }
    }

    /// Which writes were replaced by anything that may have happened.
    pub(super) fn ever_replaced(&self, ops: &[SiblingOp]) -> Vec<bool> {
        let mut replaced = vec![false; ops.len()];
        let happened = (0..)
            .zip(ops)
            .filter(|(_, op)| is_write(op) && op.status != Status::Fail);
        let happened: Vec<u32> = happened.map(|(at, _)| at).collect();
        self.walk(&happened, |at| {
            !std::mem::replace(&mut replaced[at as usize], true)
        });
        replaced
    }

    /// Whether values that were read, or deletes, are or replace a write. Nothing behind `dead` writes can.
    fn covers(&self, shown: &[u32], wanted: u32, dead: &[Option<u32>]) -> bool {
        let mut found = shown.contains(&wanted);
        let mut visited = Vec::new();
        self.walk(shown, |at| {
            found |= at == wanted;
            let fresh = !visited.contains(&at) && dead[at as usize].is_none() && !found;
            visited.push(at);
            fresh
        });
        found
    }
}

/// What must be shown by now, or something that replaced it.
struct Known<'a> {
    past: &'a Past,
    /// Writes that must be shown, each with what made it known.
    live: Vec<(u32, u32)>,
    /// For each write that was replaced by something known, what replaced it.
    dead: Vec<Option<u32>>,
}

impl<'a> Known<'a> {
    fn new(past: &'a Past, ops: &[SiblingOp]) -> Known<'a> {
        Known {
            past,
            live: Vec::new(),
            dead: vec![None; ops.len()],
        }
    }

    /// Learns of a write by way of an operation: all that it replaced is dead.
    fn learn(&mut self, write: u32, by: u32, is_delete: bool) {
        let dead = &mut self.dead;
        self.past.walk(&[write], |at| {
            let fresh = dead[at as usize].is_none();
            dead[at as usize].get_or_insert(write);
            fresh
        });
        self.live.retain(|&(at, _)| dead[at as usize].is_none());
        let is_new = self.live.iter().all(|&(at, _)| at != write);
        if !is_delete && is_new && self.dead[write as usize].is_none() {
            self.live.push((write, by));
        }
    }
}

/// What happens, in the order of time: at equal times reads begin before anything ends, for then they are concurrent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    ReadBegins,
    Ends,
}

/// What is wrong with the reads.
pub(super) fn in_time(ops: &[SiblingOp], past: &Past) -> Vec<Violation> {
    let mut moments: Vec<(u64, Moment, u32)> = Vec::new();
    for (at, op) in (0..).zip(ops).filter(|(_, op)| op.status == Status::Ok) {
        moments.push((op.ret, Moment::Ends, at));
        if !is_write(op) {
            moments.push((op.call, Moment::ReadBegins, at));
        }
    }
    moments.sort_unstable();
    let mut acked = Known::new(past, ops);
    let mut shown = Known::new(past, ops);
    let mut buried: Vec<Option<u32>> = vec![None; ops.len()];
    let mut found = Vec::new();
    for (_, moment, at) in moments {
        let op = &ops[at as usize];
        match (&op.action, moment) {
            (Action::Read(values), Moment::ReadBegins) => {
                let read = Judged {
                    ops,
                    past,
                    at,
                    values,
                };
                found.extend(read.missing(&acked, Kind::StaleRead));
                found.extend(read.missing(&shown, Kind::Inversion));
                found.extend(read.back(&buried, &acked.dead));
            }
            (Action::Read(values), Moment::Ends) => {
                for write in values.iter().filter_map(|&value| past.writer(value)) {
                    shown.learn(write, at, false);
                }
            }
            (Action::Write { value, .. }, _) => {
                acked.learn(at, at, value.is_none());
                if value.is_none() {
                    past.walk(&[at], |other| {
                        let fresh = buried[other as usize].is_none();
                        buried[other as usize].get_or_insert(at);
                        fresh
                    });
                }
            }
        }
    }
    found
}

/// A read, when it begins.
struct Judged<'a> {
    ops: &'a [SiblingOp],
    past: &'a Past,
    at: u32,
    values: &'a [u32],
}

impl Judged<'_> {
    fn writes(&self) -> impl Iterator<Item = u32> + '_ {
        self.values
            .iter()
            .filter_map(|&value| self.past.writer(value))
    }

    /// What should be there and is not, the first only.
    fn missing(&self, known: &Known<'_>, kind: Kind) -> Option<Violation> {
        let read = &self.ops[self.at as usize];
        let mut shown: Vec<u32> = self.writes().collect();
        // Deletes that may have happened by now hide what they replaced.
        let deletes = (0..).zip(self.ops).filter(|(_, op)| {
            let is_delete = matches!(op.action, Action::Write { value: None, .. });
            is_delete && op.status != Status::Fail && op.call <= read.ret
        });
        shown.extend(deletes.map(|(at, _)| at));
        let missed = known
            .live
            .iter()
            .filter(|&&(write, _)| !self.past.covers(&shown, write, &known.dead))
            .min()?;
        Some(Violation {
            kind,
            read: Some(self.at),
            write: missed.0,
            because: (kind == Kind::Inversion).then_some(missed.1),
        })
    }

    /// What should be gone and is there, the first only.
    fn back(&self, buried: &[Option<u32>], dead: &[Option<u32>]) -> Option<Violation> {
        let first = |gone: &[Option<u32>], kind| {
            let back = self
                .writes()
                .filter_map(|write| Some((write, gone[write as usize]?)))
                .min();
            back.map(|(write, by)| Violation {
                kind,
                read: Some(self.at),
                write,
                because: Some(by),
            })
        };
        first(buried, Kind::ResurrectedDelete).or_else(|| first(dead, Kind::SiblingExplosion))
    }
}
