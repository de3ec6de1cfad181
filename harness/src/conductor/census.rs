//! The final reads: every key at every replica, each until it is answered or has been tried often enough.

use std::collections::BTreeMap;

use quorate_checkers::history::Nanos;

use super::{Due, later};

/// How often one replica is asked for one key.
const TRIES_MAX: u32 = 5;
/// How long to wait before asking again, ms.
const RETRY_MS: u64 = 100;

#[derive(Default)]
pub(super) struct Census {
    waiting: Due<(String, u16)>,
    /// Asked and not yet answered, with the number of tries.
    asked: BTreeMap<(String, u16), u32>,
    tries: BTreeMap<(String, u16), u32>,
}

impl Census {
    pub(super) fn new(reads: impl Iterator<Item = (String, u16)>) -> Census {
        Census {
            waiting: reads.map(|read| (Nanos(0), read)).collect(),
            ..Census::default()
        }
    }

    /// The next read, if one is due. Retries wait at the back of the queue, in order of their time.
    pub(super) fn next(&mut self, now: Nanos) -> Option<(String, u16)> {
        if self.waiting.front()?.0 > now {
            return None;
        }
        let (_, read) = self.waiting.pop_front()?;
        let tries = self.tries.remove(&read).unwrap_or(0) + 1;
        self.asked.insert(read.clone(), tries);
        Some(read)
    }

    pub(super) fn next_due(&self, now: Nanos) -> Nanos {
        self.waiting
            .front()
            .map_or(later(now, 1_000), |&(due, _)| due)
    }

    pub(super) fn finish(&mut self, key: &str, node: u16, answered: bool, now: Nanos) {
        let read = (key.to_owned(), node);
        let tries = self.asked.remove(&read).unwrap_or(TRIES_MAX);
        if !answered && tries < TRIES_MAX {
            self.tries.insert(read.clone(), tries);
            self.waiting.push_back((later(now, RETRY_MS), read));
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.asked.is_empty()
    }
}
