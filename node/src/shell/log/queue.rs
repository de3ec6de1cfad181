//! What the node hands to the log's thread, in order. It writes nothing: that is `writer.rs`.
//!
//! Records are encoded here, by the node, into the bytes that the thread will write: it is given few large pieces instead of many small
//! ones, and it sleeps until there is something that it must do now. Under `EveryMs` that is once in a period, not once for each record.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::config::SyncPolicy;
use crate::protocol::{Record, Token};

use super::entry::{self, Entry};

/// Under `EachWrite`, a batch is closed when it is larger than this: about as much is written between two syncs, bytes.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// Under `EveryMs`, a batch does not wait for its period to end when it is larger than this: so much is lost at most, and a node that is
/// written to fast does not need memory without bound.
const RIPE_BYTES: usize = 16 << 20;
pub(super) const RIPE_RECORDS: usize = 1 << 16;

/// Records to be written and synced at once.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Their entries.
    pub(super) bytes: Vec<u8>,
    pub(super) tokens: Vec<Token>,
}

/// What the log's thread is told to do.
#[derive(Debug)]
pub(super) enum Command {
    /// Make these durable.
    Append(Batch),
    /// Begin a snapshot of all that was appended before, with these records.
    Begin(Vec<Record>),
    /// Go on with the snapshot, with these records. The last piece has none.
    GoOn(Vec<Record>),
    /// A record that fits no entry: nothing that follows may be called durable.
    Fail(postcard::Error),
    /// Sync everything, and end.
    Stop,
}

#[derive(Debug, Default)]
struct State {
    commands: VecDeque<Command>,
    /// The next piece of the snapshot that has begun. It has no place among the records: those that it may not have are in the log.
    piece: Option<Vec<Record>>,
    /// The bytes of a batch that was written, to be used again.
    spare: Vec<u8>,
    /// The node has gone without a word.
    abandoned: bool,
}

/// The queue, with the node at one end and the log's thread at the other.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    sync: SyncPolicy,
}

impl Queue {
    pub(super) fn new(sync: SyncPolicy) -> Queue {
        Queue {
            state: Mutex::default(),
            changed: Condvar::new(),
            sync,
        }
    }

    /// Appends a record.
    pub(super) fn append(&self, token: Token, record: &Record) {
        let mut state = self.state();
        let state = &mut *state;
        let open = match state.commands.back_mut() {
            Some(Command::Append(batch)) if self.takes_more(batch) => Some(batch),
            _ => None,
        };
        let opens = open.is_none();
        let mut fresh = Batch::default();
        let batch = open.unwrap_or_else(|| {
            fresh.bytes = std::mem::take(&mut state.spare);
            &mut fresh
        });
        let was_large = batch.is_large();
        let appended = entry::append(&Entry::Record(record), &mut batch.bytes);
        if appended.is_ok() {
            batch.tokens.push(token);
        }
        // While a batch is open the thread knows of it.
        let is_news = opens || batch.is_large() != was_large;
        if opens {
            state.commands.push_back(Command::Append(fresh));
        }
        if is_news {
            self.changed.notify_one();
        }
        if let Err(error) = appended {
            state.commands.push_back(Command::Fail(error));
            self.changed.notify_one();
        }
    }

    /// Tells the thread something that it does at once.
    pub(super) fn push(&self, command: Command) {
        self.state().commands.push_back(command);
        self.changed.notify_one();
    }

    /// Hands over the next piece of the snapshot that has begun. The one before must have been taken.
    pub(super) fn push_piece(&self, piece: Vec<Record>) {
        self.state().piece = Some(piece);
        self.changed.notify_one();
    }

    /// The node is gone: the thread shall end and leave everything as it is.
    pub(super) fn abandon(&self) {
        self.state().abandoned = true;
        self.changed.notify_one();
    }

    /// What the thread does next; none if it is abandoned. Waits until there is something.
    ///
    /// Under `EveryMs` records ripen: they are handed out when the first of them has waited for a period, when there are many, or when
    /// something behind them cannot wait.
    pub(super) fn next(&self) -> Option<Command> {
        let mut state = self.state();
        let mut due: Option<Instant> = None;
        loop {
            if state.abandoned {
                return None;
            }
            if let Some(piece) = state.piece.take() {
                return Some(Command::GoOn(piece));
            }
            let left = match state.commands.front() {
                None => None,
                Some(Command::Append(batch)) if !batch.is_large() && !state.cannot_wait() => {
                    match self.sync {
                        SyncPolicy::EachWrite => Some(Duration::ZERO),
                        SyncPolicy::EveryMs(period_ms) => {
                            let now = Instant::now();
                            let due = due.get_or_insert(now + Duration::from_millis(period_ms));
                            Some(due.saturating_duration_since(now))
                        }
                    }
                }
                Some(_) => Some(Duration::ZERO),
            };
            state = match left {
                Some(Duration::ZERO) => return state.commands.pop_front(),
                Some(left) => self
                    .changed
                    .wait_timeout(state, left)
                    .map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state),
                None => self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Hands back the bytes of a batch that was written.
    pub(super) fn give_back(&self, mut bytes: Vec<u8>) {
        bytes.clear();
        if bytes.capacity() <= 2 * BATCH_BYTES_MAX {
            self.state().spare = bytes;
        }
    }

    /// What ripens is written at once.
    fn takes_more(&self, batch: &Batch) -> bool {
        self.sync != SyncPolicy::EachWrite || batch.bytes.len() < BATCH_BYTES_MAX
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panicked in here would have left whole commands, or none.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Batch {
    fn is_large(&self) -> bool {
        self.bytes.len() >= RIPE_BYTES || self.tokens.len() >= RIPE_RECORDS
    }
}

impl State {
    /// Whether something is behind the records that cannot wait for them to ripen.
    fn cannot_wait(&self) -> bool {
        let mut commands = self.commands.iter();
        commands.any(|command| !matches!(command, Command::Append(_)))
    }
}
