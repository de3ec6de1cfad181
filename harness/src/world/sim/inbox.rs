//! What waits for a process that stands still: in the buffers of its sockets, and in the queues of those who send to it.
//!
//! Those queues are bounded, so that the newest messages of a busy link are lost if the process stands still for long. It does nothing
//! with what it keeps.

use std::collections::BTreeMap;

use quorate_node::shell::QUEUE_MESSAGES_MAX;

use super::node::Stimulus;

/// What waits, in the order in which it came.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    stimuli: Vec<Stimulus>,
    /// Messages among them, by their senders.
    messages: BTreeMap<u16, usize>,
}

impl Inbox {
    /// Keeps something, unless it is a message of which there are too many: that is handed back.
    pub(super) fn put(&mut self, stimulus: Stimulus) -> Option<Stimulus> {
        if let Stimulus::Message { link, .. } = &stimulus {
            let waiting = self.messages.entry(link.from).or_default();
            if *waiting >= QUEUE_MESSAGES_MAX {
                return Some(stimulus);
            }
            *waiting += 1;
        }
        self.stimuli.push(stimulus);
        None
    }
}

impl IntoIterator for Inbox {
    type Item = Stimulus;
    type IntoIter = std::vec::IntoIter<Stimulus>;

    fn into_iter(self) -> Self::IntoIter {
        self.stimuli.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use quorate_node::protocol::{PeerMessage, RequestId};

    use super::super::network::Parcel;
    use super::*;
    use crate::fault::Link;

    fn message(from: u16, number: u64) -> Stimulus {
        let (epoch, counter) = (1, number);
        let id = RequestId { epoch, counter };
        let message = PeerMessage::Held { id };
        Stimulus::Message {
            link: Link { from, to: 1 },
            parcel: Parcel { number, message },
        }
    }

    #[test]
    fn the_newest_messages_of_a_busy_link_are_lost_and_nothing_else() {
        let mut inbox = Inbox::default();
        let many = QUEUE_MESSAGES_MAX as u64 + 3;
        let refused = (0..many).filter(|&number| inbox.put(message(2, number)).is_some());
        assert_eq!(refused.count(), 3);
        assert!(inbox.put(message(3, 0)).is_none(), "another link has room");
        assert!(inbox.put(Stimulus::SyncDue).is_none(), "disks do not queue");
        assert_eq!(inbox.into_iter().count(), QUEUE_MESSAGES_MAX + 2);
    }
}
