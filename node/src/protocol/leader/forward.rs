//! Requests that reach a node which does not lead: passed on to the leader, and the answer back.
//!
//! Each is passed on once, to one leader in one term, and named, so that a message that comes twice is served once. A node remembers the
//! names that it saw for as long as it lives; what was meant for a term of an earlier life it serves no more, and cannot call refused.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::config::NodeId;
use crate::protocol::interface::Tag;
use crate::protocol::message::RequestId;
use crate::protocol::time::{Nanos, Now};

use super::interface::{Ask, LeaderOutput, LeaderReply};
use super::message::LeaderMessage;
use super::node::{LeaderNode, Part};
use super::serve::{REQUESTS_MAX, answer, check_size};
use super::term::Term;

/// How many of a node's latest requests are told apart. A request that is overtaken by more is taken for one that came before.
const SEEN_SPAN: u64 = 1 << 16;

/// Who waits for an answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asker {
    /// A client of this node.
    Client(Tag),
    /// Another node, for a client of its own.
    Node { node: NodeId, id: RequestId },
}

/// A request that another node serves.
#[derive(Debug)]
pub(super) struct Forwarding {
    tag: Tag,
    pub(super) expiry: Nanos,
    leader: NodeId,
}

/// Which requests of one node are known.
#[derive(Debug, Default)]
pub(super) struct Seen {
    epoch: u64,
    latest: u64,
    recent: BTreeSet<u64>,
}

impl Seen {
    /// Whether this one is new. From then on it is not.
    fn is_new(&mut self, id: RequestId) -> bool {
        if id.epoch > self.epoch {
            *self = Seen {
                epoch: id.epoch,
                ..Seen::default()
            };
        }
        self.latest = self.latest.max(id.counter);
        let oldest = self.latest.saturating_sub(SEEN_SPAN);
        if id.epoch < self.epoch || id.counter < oldest {
            return false;
        }
        while self.recent.first().is_some_and(|first| *first < oldest) {
            self.recent.pop_first();
        }
        self.recent.insert(id.counter)
    }
}

impl LeaderNode {
    /// Passes a request on.
    pub(super) fn forward(
        &mut self,
        now: Now,
        tag: Tag,
        ask: Ask,
        out: &mut Vec<LeaderOutput>,
    ) -> Result<(), String> {
        let Some(leader) = self.leader().filter(|leader| *leader != self.me) else {
            return Err(self.name_the_leader());
        };
        if !self.connected.contains(&leader) {
            let me = self.me;
            return Err(format!("{leader} leads, and {me} cannot reach it"));
        }
        if self.forwarded.len() >= REQUESTS_MAX {
            return Err(format!(
                "{REQUESTS_MAX} requests are under way: try again later"
            ));
        }
        let timeout = Duration::from_millis(self.config.request_timeout_ms);
        let expiry = now.monotonic.after(timeout);
        let id = self.next_id();
        let forwarding = Forwarding {
            tag,
            expiry,
            leader,
        };
        self.forwarded.insert(id.counter, forwarding);
        let term = self.term;
        let message = LeaderMessage::Forward { id, term, ask };
        out.push(LeaderOutput::Send {
            to: leader,
            message,
        });
        Ok(())
    }

    /// A name for something that this node asks others.
    pub(super) fn next_id(&mut self) -> RequestId {
        self.counter += 1;
        RequestId {
            epoch: self.epoch,
            counter: self.counter,
        }
    }

    /// Another node passed a request on to this one.
    pub(super) fn hear_forward(
        &mut self,
        now: Now,
        from: NodeId,
        id: RequestId,
        term: Term,
        ask: Ask,
        out: &mut Vec<LeaderOutput>,
    ) {
        let asker = Asker::Node { node: from, id };
        if term.node == self.me && term.epoch < self.epoch {
            // It may have served this in its earlier life, and would not know.
            let why = format!("{} was started anew since it led", self.me);
            let position = None;
            answer(asker, LeaderReply::Unknown { why, position }, out);
            return;
        }
        if !self.seen.entry(from).or_default().is_new(id) {
            return;
        }
        let leads = term == self.term && matches!(self.part, Part::Leader(_));
        let refused = if leads {
            check_size(&ask)
        } else {
            Err(self.name_the_leader())
        };
        match refused {
            Ok(()) => self.serve_as_leader(now, asker, ask, out),
            Err(why) => answer(asker, LeaderReply::Refused { why }, out),
        }
    }

    /// The answer to a request that was passed on.
    pub(super) fn hear_forwarded(
        &mut self,
        id: RequestId,
        reply: LeaderReply,
        out: &mut Vec<LeaderOutput>,
    ) {
        if id.epoch == self.epoch
            && let Some(Forwarding { tag, .. }) = self.forwarded.remove(&id.counter)
        {
            out.push(LeaderOutput::Reply { tag, reply });
        }
    }

    /// Ends requests for which no answer came in time.
    pub(super) fn expire_forwarded(&mut self, now: Now, out: &mut Vec<LeaderOutput>) {
        while let Some(first) = self.forwarded.first_entry() {
            if first.get().expiry > now.monotonic {
                return;
            }
            let Forwarding { tag, leader, .. } = first.remove();
            let why = format!("no answer from {leader} in time");
            let reply = LeaderReply::Unknown {
                why,
                position: None,
            };
            out.push(LeaderOutput::Reply { tag, reply });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(epoch: u64, counter: u64) -> RequestId {
        RequestId { epoch, counter }
    }

    #[test]
    fn each_request_is_new_once() {
        let mut seen = Seen::default();
        for (id, is_new) in [
            (id(1, 5), true),
            (id(1, 5), false),
            (id(1, 3), true),
            (id(1, 3), false),
            (id(2, 3), true),
            (id(1, 9), false),
            (id(2, 3), false),
        ] {
            assert_eq!(seen.is_new(id), is_new, "{id:?}");
        }
    }

    #[test]
    fn what_comes_far_too_late_is_not_new_and_old_names_are_forgotten() {
        let mut seen = Seen::default();
        for counter in 1..=2 * SEEN_SPAN {
            assert!(seen.is_new(id(1, counter)));
        }
        assert!(!seen.is_new(id(1, 1)));
        assert!(seen.recent.len() as u64 <= SEEN_SPAN + 1);
    }
}
