//! The records on their way to the disk, and what waits for them. It knows no file.

use std::collections::VecDeque;

use crate::config::NodeId;
use crate::protocol::store::Token;

use super::message::LeaderMessage;
use super::term::{Position, Term};

/// Something that is due once all records so far are durable.
#[derive(Debug)]
pub(super) enum Then {
    /// The log is durable up to this entry.
    Durable(Position),
    /// Ask for votes.
    Canvass(Term),
    /// Send a message, if the promise is still this one.
    Send(Term, NodeId, LeaderMessage),
    /// Tell a leader that its log is copied up to this entry.
    Copied {
        to: NodeId,
        term: Term,
        sent_ns: u64,
        agreed: Position,
    },
}

/// What waits, in the order of the records.
#[derive(Debug, Default)]
pub(super) struct Journal {
    /// Records handed out so far; the next token.
    next: u64,
    /// Records known to be durable: all tokens below.
    synced: u64,
    waiting: VecDeque<(u64, Then)>,
}

impl Journal {
    /// The token of a new record.
    pub(super) fn token(&mut self) -> Token {
        let token = Token(self.next);
        self.next += 1;
        token
    }

    /// Keeps something until all records so far are durable; gives it back if they are.
    pub(super) fn after_all(&mut self, then: Then) -> Option<Then> {
        if self.synced == self.next {
            return Some(then);
        }
        self.waiting.push_back((self.next, then));
        None
    }

    /// This record, and all before it, are durable. A token that was never handed out says nothing.
    pub(super) fn persisted(&mut self, token: Token) {
        if token.0 < self.next {
            self.synced = self.synced.max(token.0 + 1);
        }
    }

    /// The next thing that is due.
    pub(super) fn pop_due(&mut self) -> Option<Then> {
        let (needs, _) = self.waiting.front()?;
        if *needs > self.synced {
            return None;
        }
        self.waiting.pop_front().map(|(_, then)| then)
    }

    /// Records not known to be durable.
    pub(super) fn unsynced(&self) -> u64 {
        self.next - self.synced
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_due_before_its_record() {
        let mut journal = Journal::default();
        assert!(journal.after_all(Then::Canvass(Term::default())).is_some());
        let first = journal.token();
        assert!(journal.after_all(Then::Canvass(Term::default())).is_none());
        let second = journal.token();
        assert!(journal.after_all(Then::Canvass(Term::default())).is_none());
        journal.persisted(Token(99));
        assert!(journal.pop_due().is_none());
        journal.persisted(first);
        assert!(journal.pop_due().is_some());
        assert!(journal.pop_due().is_none());
        assert_eq!(journal.unsynced(), 1);
        journal.persisted(second);
        assert!(journal.pop_due().is_some());
        journal.persisted(first);
        assert_eq!(journal.unsynced(), 0);
    }
}
