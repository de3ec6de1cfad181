//! What clients are answered.
//!
//! "Refused" is definite: it is only said before anything was put into a log. From then on a write that does not find its copies in time is
//! "unknown": it is in the leader's log, and may be committed later, or truncated.

use std::time::Duration;

use crate::config::NodeId;
use crate::protocol::interface::Tag;
use crate::protocol::time::Now;
use crate::protocol::version::Key;
use crate::wire::{KEY_BYTES_MAX, VALUE_BYTES_MAX};

use super::config::{Reads, Redirect, Replication};
use super::forward::Asker;
use super::interface::{Ask, Grounds, LeaderOutput, LeaderReply};
use super::lead::Pending;
use super::message::LeaderMessage;
use super::node::{LeaderNode, Part};
use super::record::{Change, Entry};

/// Most writes that wait for copies at a time, and most requests forwarded at a time; more are refused.
pub(super) const REQUESTS_MAX: usize = 1 << 16;

impl LeaderNode {
    /// A client asked this node.
    pub(super) fn serve(&mut self, now: Now, tag: Tag, ask: Ask, out: &mut Vec<LeaderOutput>) {
        let asker = Asker::Client(tag);
        let served = match check_size(&ask) {
            Err(why) => Err(why),
            Ok(()) if self.is_local(&ask) => self.read_here(ask.key()),
            Ok(()) => match &self.part {
                Part::Leader(_) => {
                    self.serve_as_leader(now, asker, ask, out);
                    return;
                }
                _ if self.config.redirect == Redirect::Refuse => Err(self.name_the_leader()),
                _ => match self.forward(now, tag, ask, out) {
                    Ok(()) => return,
                    Err(why) => Err(why),
                },
            },
        };
        let reply = served.unwrap_or_else(|why| LeaderReply::Refused { why });
        answer(asker, reply, out);
    }

    /// Whether this node answers by itself, whoever leads.
    fn is_local(&self, ask: &Ask) -> bool {
        match ask {
            Ask::Inspect { .. } => true,
            Ask::Get { from, .. } => from.unwrap_or(self.config.reads) == Reads::Any,
            Ask::Put { .. } | Ask::Delete { .. } => false,
        }
    }

    /// What this node alone holds, as far as it may show it.
    fn read_here(&self, key: &Key) -> Result<LeaderReply, String> {
        if self.config.replication == Replication::Majority && self.commit == 0 {
            let me = self.me;
            return Err(format!("{me} has not heard yet what is committed"));
        }
        Ok(self.value(key))
    }

    /// The entry that reads of this node alone see of a key now; none if nothing. It may be a delete.
    pub fn visible(&self, key: &Key) -> Option<&Entry> {
        let leads = matches!(self.part, Part::Leader(_));
        // A follower of a majority log waits for the word of the leader. Others replay what they receive.
        let limit = if leads || self.config.replication == Replication::Majority {
            self.commit
        } else {
            self.log.durable()
        };
        self.log.visible(key, limit)
    }

    fn value(&self, key: &Key) -> LeaderReply {
        let entry = self.visible(key);
        let change = entry.and_then(|entry| entry.change.as_ref());
        LeaderReply::Value {
            value: change.and_then(|change| change.value.clone()),
            grounds: Grounds {
                position: entry.map(|entry| entry.position),
                ..self.grounds()
            },
        }
    }

    fn grounds(&self) -> Grounds {
        let degraded = match &self.part {
            Part::Leader(leadership) => leadership.degraded,
            _ => false,
        };
        Grounds {
            served_by: self.me,
            position: None,
            acked_by: Vec::new(),
            degraded,
        }
    }

    pub(super) fn name_the_leader(&self) -> String {
        let me = self.me;
        match self.leader() {
            Some(leader) if leader != me => format!("{me} is not the leader, {leader} is"),
            _ => format!("{me} is not the leader and knows of none: ask again after the election"),
        }
    }

    /// Whether this node may serve writes now; if not, why.
    fn may_serve_writes(&self, now: Now) -> Result<(), String> {
        let me = self.me;
        let Part::Leader(leadership) = &self.part else {
            return Err(self.name_the_leader());
        };
        if leadership.serves_from > now.monotonic {
            return Err(format!(
                "{me} leads, but its predecessor may still hold a lease"
            ));
        }
        if !leadership.lease.holds(now) {
            return Err(format!("{me} leads, but holds no lease at the moment"));
        }
        Ok(())
    }

    /// Whether this node may serve reads now; if not, why.
    pub(super) fn may_serve_reads(&self, now: Now) -> Result<(), String> {
        self.may_serve_writes(now)?;
        match &self.part {
            Part::Leader(leadership) if leadership.first > self.commit && self.holds_back() => {
                let me = self.me;
                Err(format!(
                    "{me} leads, and does not know yet what is committed"
                ))
            }
            _ => Ok(()),
        }
    }

    /// Whether a new leader must commit something before it knows what was committed before it.
    fn holds_back(&self) -> bool {
        self.config.replication == Replication::Majority
    }

    /// A request that only the leader may serve, at a node that believes to be it.
    pub(super) fn serve_as_leader(
        &mut self,
        now: Now,
        asker: Asker,
        ask: Ask,
        out: &mut Vec<LeaderOutput>,
    ) {
        let refused = match ask {
            Ask::Get { key, .. } | Ask::Inspect { key } => match self.may_serve_reads(now) {
                Ok(()) => {
                    let reply = self.value(&key);
                    answer(asker, reply, out);
                    return;
                }
                Err(why) => Err(why),
            },
            Ask::Put { key, value } => {
                let value = Some(value);
                self.write(now, asker, Change { key, value }, out)
            }
            Ask::Delete { key } => self.write(now, asker, Change { key, value: None }, out),
        };
        if let Err(why) = refused {
            answer(asker, LeaderReply::Refused { why }, out);
        }
    }

    fn write(
        &mut self,
        now: Now,
        asker: Asker,
        change: Change,
        out: &mut Vec<LeaderOutput>,
    ) -> Result<(), String> {
        self.may_serve_writes(now)?;
        if let Part::Leader(leadership) = &self.part
            && leadership.pending.len() >= REQUESTS_MAX
        {
            return Err(format!(
                "{REQUESTS_MAX} writes wait for copies: try again later"
            ));
        }
        let entries_max = self.config.log_entries_max;
        if self.log.last().index >= entries_max {
            return Err(format!(
                "the log has {entries_max} entries, as many as it may: raise log_entries_max"
            ));
        }
        let timeout = Duration::from_millis(self.config.request_timeout_ms);
        let expiry = now.monotonic.after(timeout);
        let position = self.put_in(now, Some(change), out);
        let position = position.ok_or_else(|| "there is no index left in the log".to_owned())?;
        if let Part::Leader(leadership) = &mut self.part {
            let pending = Pending { asker, expiry };
            leadership.pending.insert(position.index, pending);
        }
        Ok(())
    }

    /// A write has its copies.
    pub(super) fn answer_written(&mut self, asker: Asker, index: u64, out: &mut Vec<LeaderOutput>) {
        let Part::Leader(leadership) = &self.part else {
            return;
        };
        let here = (self.log.durable() >= index).then_some(self.me);
        let followers = leadership.followers.iter();
        let copies = followers.filter(|(_, progress)| progress.matched >= index);
        let acked_by: Vec<NodeId> = here.into_iter().chain(copies.map(|(id, _)| *id)).collect();
        let grounds = Grounds {
            position: self.log.position(index),
            acked_by,
            ..self.grounds()
        };
        self.tally.acknowledged += 1;
        self.tally.acknowledged_degraded += u64::from(grounds.degraded);
        self.log.mark_acknowledged(index);
        answer(asker, LeaderReply::Written { grounds }, out);
    }

    /// A write did not find its copies in time.
    pub(super) fn expire_pending(&mut self, index: u64, out: &mut Vec<LeaderOutput>) {
        if let Part::Leader(leadership) = &mut self.part
            && let Some(Pending { asker, .. }) = leadership.pending.remove(&index)
        {
            self.answer_unknown(asker, index, "too few copies in time".to_owned(), out);
        }
    }

    /// Nobody knows what becomes of a write.
    pub(super) fn answer_unknown(
        &mut self,
        asker: Asker,
        index: u64,
        why: String,
        out: &mut Vec<LeaderOutput>,
    ) {
        let position = self.log.position(index);
        answer(asker, LeaderReply::Unknown { why, position }, out);
    }
}

impl Ask {
    /// What it is about.
    pub fn key(&self) -> &Key {
        match self {
            Ask::Get { key, .. }
            | Ask::Put { key, .. }
            | Ask::Delete { key }
            | Ask::Inspect { key } => key,
        }
    }
}

/// Brings an answer on its way to the client.
pub(super) fn answer(asker: Asker, reply: LeaderReply, out: &mut Vec<LeaderOutput>) {
    out.push(match asker {
        Asker::Client(tag) => LeaderOutput::Reply { tag, reply },
        Asker::Node { node, id } => LeaderOutput::Send {
            to: node,
            message: LeaderMessage::Forwarded { id, reply },
        },
    });
}

/// Refuses what would not fit a frame.
pub(super) fn check_size(ask: &Ask) -> Result<(), String> {
    let bytes = ask.key().as_str().len();
    if bytes > KEY_BYTES_MAX {
        return Err(format!(
            "a key of {bytes} bytes: at most {KEY_BYTES_MAX} are held"
        ));
    }
    match ask {
        Ask::Put { value, .. } if value.len() > VALUE_BYTES_MAX => {
            let bytes = value.len();
            Err(format!(
                "a value of {bytes} bytes: at most {VALUE_BYTES_MAX} are held"
            ))
        }
        _ => Ok(()),
    }
}
