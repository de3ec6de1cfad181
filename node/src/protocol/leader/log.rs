//! The log that one node holds, and what reads see of it.
//!
//! Everything written is kept: a key's value is its last entry up to the limit that the reader may see, so that truncating the log also
//! takes back what was visible. It sends and persists nothing itself.

use std::collections::BTreeMap;

use crate::protocol::version::Key;

use super::record::{Change, Entry, LeaderRecord};
use super::term::{Position, Term};

/// Most entries in one message.
const BATCH_ENTRIES_MAX: usize = 1_024;

/// No further entry is put into a message of this size, bytes. With a last entry of the largest size it still fits a frame.
const BATCH_BYTES_MAX: usize = 1 << 18;

/// What an entry adds to a message besides its key and value, bytes.
const ENTRY_OVERHEAD_BYTES: usize = 64;

#[derive(Debug)]
struct Slot {
    entry: Entry,
    /// Whether this node told a client that it is written.
    acknowledged: bool,
}

/// What a truncation took away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) entries: u64,
    /// Those among them that this node had acknowledged as a leader.
    pub(super) acknowledged: u64,
}

/// The entries 1 to `last().index`.
#[derive(Debug, Default)]
pub(super) struct Log {
    slots: Vec<Slot>,
    durable: u64,
    /// Per key the indices of its entries, ascending.
    by_key: BTreeMap<Key, Vec<u64>>,
}

impl Log {
    /// The place of the last entry.
    pub(super) fn last(&self) -> Position {
        self.slots
            .last()
            .map_or_else(Position::default, |slot| slot.entry.position)
    }

    /// The last index up to which everything is durable.
    pub(super) fn durable(&self) -> u64 {
        self.durable
    }

    fn slot(&self, index: u64) -> Option<&Slot> {
        let offset = usize::try_from(index.checked_sub(1)?).ok()?;
        self.slots.get(offset)
    }

    /// The place of the entry with this index; the one before all entries for 0.
    pub(super) fn position(&self, index: u64) -> Option<Position> {
        if index == 0 {
            return Some(Position::default());
        }
        self.slot(index).map(|slot| slot.entry.position)
    }

    /// Whether this very entry is in the log. The place before all entries is in every log.
    pub(super) fn holds(&self, position: Position) -> bool {
        self.position(position.index) == Some(position)
    }

    /// Puts an entry at the end. It must be the next one; another is not taken.
    pub(super) fn append(&mut self, entry: Entry) -> bool {
        let index = entry.position.index;
        if Some(index) != self.last().index.checked_add(1) {
            return false;
        }
        if let Some(Change { key, .. }) = &entry.change {
            self.by_key.entry(key.clone()).or_default().push(index);
        }
        self.slots.push(Slot {
            entry,
            acknowledged: false,
        });
        true
    }

    /// Takes away this index and everything after it.
    pub(super) fn truncate(&mut self, from: u64) -> Cut {
        let kept = usize::try_from(from.saturating_sub(1)).unwrap_or(usize::MAX);
        let mut cut = Cut::default();
        while self.slots.len() > kept {
            let Some(slot) = self.slots.pop() else { break };
            cut.entries += 1;
            cut.acknowledged += u64::from(slot.acknowledged);
            if let Some(Change { key, .. }) = &slot.entry.change
                && let Some(indices) = self.by_key.get_mut(key)
            {
                indices.pop();
                if indices.is_empty() {
                    self.by_key.remove(key);
                }
            }
        }
        self.durable = self.durable.min(self.last().index);
        cut
    }

    /// Everything up to this entry is on the disk, if it is still in the log.
    pub(super) fn mark_durable(&mut self, position: Position) {
        if self.holds(position) {
            self.durable = self.durable.max(position.index);
        }
    }

    /// A client was told that this entry is written.
    pub(super) fn mark_acknowledged(&mut self, index: u64) {
        let offset = index.checked_sub(1).map(usize::try_from);
        if let Some(Ok(offset)) = offset
            && let Some(slot) = self.slots.get_mut(offset)
        {
            slot.acknowledged = true;
        }
    }

    /// What follows an index, as much as one message carries.
    pub(super) fn batch(&self, after: u64) -> Vec<Entry> {
        let skipped = usize::try_from(after).unwrap_or(usize::MAX);
        let mut bytes = 0;
        let slots = self.slots.iter().skip(skipped).take(BATCH_ENTRIES_MAX);
        slots
            .map(|slot| slot.entry.clone())
            .take_while(|entry| {
                let fits = bytes < BATCH_BYTES_MAX;
                bytes += size_bytes(entry);
                fits
            })
            .collect()
    }

    /// Where a leader should look for the last common entry, when this log has another entry than `before` there: before the whole term
    /// that is wrong (Raft, section 5.3).
    pub(super) fn hint(&self, before: Position) -> u64 {
        let Some(wrong) = self.slot(before.index) else {
            return self.last().index;
        };
        let term: Term = wrong.entry.position.term;
        let reach = usize::try_from(before.index).unwrap_or(usize::MAX);
        let older = self.slots.iter().take(reach).rev();
        let same = older.take_while(|slot| slot.entry.position.term == term);
        before.index.saturating_sub(same.count() as u64)
    }

    /// The last entry of a key up to a limit.
    pub(super) fn visible(&self, key: &Key, limit: u64) -> Option<&Entry> {
        let indices = self.by_key.get(key)?;
        let seen = indices.partition_point(|index| *index <= limit);
        let index = indices.get(seen.checked_sub(1)?)?;
        self.slot(*index).map(|slot| &slot.entry)
    }

    /// Replays one record of the disk. Not [`LeaderRecord::Promised`], which is no part of the log.
    pub(super) fn replay(&mut self, record: LeaderRecord) {
        match record {
            LeaderRecord::Promised(_) => {}
            LeaderRecord::Appended(entry) => {
                self.truncate(entry.position.index.max(1));
                self.append(entry);
                self.durable = self.last().index;
            }
            LeaderRecord::Truncated { from } => _ = self.truncate(from),
            LeaderRecord::Acknowledged(indices) => {
                for index in indices {
                    self.mark_acknowledged(index);
                }
            }
        }
    }

    /// Records that replay to this log.
    pub(super) fn records(&self) -> impl Iterator<Item = LeaderRecord> {
        let entries = self.slots.iter().map(|slot| slot.entry.clone());
        let acknowledged = self.slots.iter().filter(|slot| slot.acknowledged);
        let acknowledged: Vec<u64> = acknowledged.map(|slot| slot.entry.position.index).collect();
        let acknowledged = (!acknowledged.is_empty()).then_some(acknowledged);
        entries
            .map(LeaderRecord::Appended)
            .chain(acknowledged.map(LeaderRecord::Acknowledged))
    }

    /// All entries, oldest first.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.slots.iter().map(|slot| &slot.entry)
    }
}

/// About what an entry takes in a message, bytes.
fn size_bytes(entry: &Entry) -> usize {
    let change = entry.change.as_ref().map_or(0, |change| {
        let value = change.value.as_ref().map_or(0, |value| value.len());
        change.key.as_str().len() + value
    });
    change + ENTRY_OVERHEAD_BYTES
}

#[cfg(test)]
mod tests {
    use crate::config::NodeId;

    use super::*;

    fn entry(counter: u64, index: u64, key: &str, value: Option<&str>) -> Entry {
        let term = Term {
            counter,
            node: NodeId(1),
            epoch: 1,
        };
        Entry {
            position: Position { term, index },
            change: Some(Change {
                key: key.into(),
                value: value.map(|text| text.as_bytes().into()),
            }),
        }
    }

    fn log(terms: &[u64]) -> Log {
        let mut log = Log::default();
        for (index, counter) in (1..).zip(terms) {
            assert!(log.append(entry(*counter, index, "k", Some(&index.to_string()))));
        }
        log
    }

    #[test]
    fn only_the_next_entry_is_taken() {
        let mut log = log(&[1, 1]);
        assert!(!log.append(entry(1, 2, "k", None)));
        assert!(!log.append(entry(1, 4, "k", None)));
        assert!(!log.append(entry(1, 0, "k", None)));
        assert_eq!(log.last().index, 2);
    }

    #[test]
    fn reads_see_up_to_their_limit_and_truncation_takes_it_back() {
        let mut log = log(&[1, 1, 1]);
        let key = Key::from("k");
        let seen = |log: &Log, limit| log.visible(&key, limit).map(|entry| entry.position.index);
        assert_eq!(seen(&log, 0), None);
        assert_eq!(seen(&log, 2), Some(2));
        assert_eq!(seen(&log, u64::MAX), Some(3));
        log.mark_acknowledged(3);
        let cut = Cut {
            entries: 2,
            acknowledged: 1,
        };
        assert_eq!(log.truncate(2), cut);
        assert_eq!(seen(&log, 9), Some(1));
        log.truncate(0);
        assert_eq!(seen(&log, 9), None);
    }

    #[test]
    fn truncated_entries_are_durable_no_more() {
        let mut log = log(&[1, 1, 1]);
        let third = log.last();
        log.mark_durable(third);
        log.truncate(3);
        assert_eq!(log.durable(), 2);
        log.append(entry(2, 3, "k", None));
        log.mark_durable(third);
        assert_eq!(log.durable(), 2, "another entry has that index now");
    }

    #[test]
    fn a_hint_skips_the_wrong_term() {
        let log = log(&[1, 1, 3, 3, 3]);
        let before = |counter, index| entry(counter, index, "k", None).position;
        assert_eq!(log.hint(before(4, 9)), 5, "nothing there: the end");
        assert_eq!(log.hint(before(2, 5)), 2);
        assert_eq!(log.hint(before(2, 4)), 2);
        assert_eq!(log.hint(before(2, 2)), 0);
    }

    #[test]
    fn a_message_carries_one_large_entry_or_many_small_ones() {
        let mut log = Log::default();
        let large = "v".repeat(1 << 19);
        for index in 1..4 {
            log.append(entry(1, index, "k", Some(&large)));
        }
        assert_eq!(log.batch(0).len(), 1);
        for index in 4..2_000 {
            log.append(entry(1, index, "k", None));
        }
        assert_eq!(log.batch(3).len(), BATCH_ENTRIES_MAX);
        assert_eq!(log.batch(1_998).len(), 1);
        assert!(log.batch(u64::MAX).is_empty());
    }

    #[test]
    fn records_replay_to_the_same() {
        let mut first = log(&[1, 1, 2]);
        first.mark_acknowledged(2);
        let mut second = Log::default();
        let longer = log(&[1, 1, 1, 1]);
        longer.records().for_each(|record| second.replay(record));
        second.replay(LeaderRecord::Truncated { from: 3 });
        first.records().for_each(|record| second.replay(record));
        assert!(first.entries().eq(second.entries()));
        assert_eq!(second.durable(), 3);
        assert_eq!(second.truncate(1).acknowledged, 1);
    }
}
