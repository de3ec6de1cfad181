//! Snapshots that are taken piece by piece, so that a node with a million keys does not stand still for all of them at once.
//!
//! What is visible of each key is taken when its turn comes; a key may change before and after. That does no harm: whatever changes it is
//! in the log after the snapshot's beginning, and is taken again when that is read. All else (what was on its way to the log, hints)
//! is taken at the beginning. Where a snapshot is kept, and which part of the log it replaces, is for the shell.

use super::record::Record;
use super::replica::Replica;
use super::version::Key;

/// Most records in a piece; few in tests, so that there are several.
const PIECE_RECORDS: usize = if cfg!(test) { 3 } else { 1_024 };

/// A piece ends when the values in it are larger than this together, bytes.
const PIECE_BYTES: u64 = 1 << 20;

/// A snapshot that is being taken.
#[derive(Debug)]
pub struct Snapshot {
    visible: Visible,
    rest: std::vec::IntoIter<Record>,
}

/// How far it has come with what is visible.
#[derive(Debug)]
enum Visible {
    Untouched,
    Through(Key),
    Done,
}

impl Snapshot {
    /// Of these records, which were taken at once.
    pub(super) fn of_all(records: Vec<Record>) -> Snapshot {
        Snapshot {
            visible: Visible::Done,
            rest: records.into_iter(),
        }
    }

    /// The next piece of what was taken at once.
    pub(super) fn next_of_rest(&mut self) -> Vec<Record> {
        self.rest.by_ref().take(PIECE_RECORDS).collect()
    }
}

impl Replica {
    /// Begins a snapshot: what is persisted from now on belongs to the log after it.
    pub fn begin_snapshot(&self) -> Snapshot {
        Snapshot {
            visible: Visible::Untouched,
            rest: self.not_visible().collect::<Vec<_>>().into_iter(),
        }
    }

    /// The next piece of a snapshot; no records after the last.
    pub fn next_piece(&self, snapshot: &mut Snapshot) -> Vec<Record> {
        let after = match &snapshot.visible {
            Visible::Untouched => None,
            Visible::Through(key) => Some(key),
            Visible::Done => return snapshot.next_of_rest(),
        };
        let mut piece = Vec::with_capacity(PIECE_RECORDS);
        let mut bytes = 0;
        for (key, content) in self.store.contents_after(after) {
            bytes += content.value_bytes();
            let (key, content) = (key.clone(), content.clone());
            piece.push(Record::Held { key, content });
            if piece.len() == PIECE_RECORDS || bytes > PIECE_BYTES {
                break;
            }
        }
        let Some(last) = piece.last().and_then(Record::key) else {
            snapshot.visible = Visible::Done;
            return snapshot.next_of_rest();
        };
        snapshot.visible = Visible::Through(last.clone());
        piece
    }
}
