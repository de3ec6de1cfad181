//! What waits to be sent over one connection: bounded in number and in bytes, for a thousand large values are a thousand times more than a
//! thousand small ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::protocol::{Content, PeerMessage};

use super::links::Parcel;

/// What anything takes at least, bytes.
const LEAST_BYTES: u64 = 64;

/// Something that can be sent, and knows about how much that is.
pub(super) trait Bulk {
    /// Its bytes, as far as they matter: values and texts, and a little for the rest.
    fn bulk(&self) -> u64;
}

impl Bulk for Parcel {
    fn bulk(&self) -> u64 {
        let Parcel::Message(message) = self else {
            return LEAST_BYTES;
        };
        let content = match message {
            PeerMessage::Write { content, .. }
            | PeerMessage::Repair { content, .. }
            | PeerMessage::Handoff { content, .. }
            | PeerMessage::Minted { content, .. } => content.weight(),
            PeerMessage::Answer { content, .. } => content.as_ref().map_or(0, Content::weight),
            PeerMessage::Mint { version, .. } => {
                version.value.as_ref().map_or(0, |value| value.len() as u64)
            }
            _ => 0,
        };
        LEAST_BYTES + content
    }
}

/// The end that fills it.
#[derive(Debug)]
pub(super) struct Outbox<T> {
    queue: Sender<T>,
    bytes: Arc<AtomicU64>,
    bytes_max: u64,
}

/// The end that empties it.
#[derive(Debug)]
pub(super) struct Outgoing<T> {
    pub(super) queue: Receiver<T>,
    bytes: Arc<AtomicU64>,
}

/// Room for so many of them, and for so many bytes.
pub(super) fn outbox<T: Bulk>(count_max: usize, bytes_max: u64) -> (Outbox<T>, Outgoing<T>) {
    let (sender, receiver) = channel(count_max);
    let bytes = Arc::new(AtomicU64::new(0));
    let outbox = Outbox {
        queue: sender,
        bytes: bytes.clone(),
        bytes_max,
    };
    let outgoing = Outgoing {
        queue: receiver,
        bytes,
    };
    (outbox, outgoing)
}

impl<T: Bulk> Outbox<T> {
    /// Puts one in; false if there is no room, or nobody to empty it.
    pub(super) fn put(&self, one: T) -> bool {
        let bulk = one.bulk();
        let waiting = self.bytes.fetch_add(bulk, Ordering::Relaxed);
        // One that is larger than all the room there is passes alone, or it never would.
        let fits = waiting == 0 || waiting.saturating_add(bulk) <= self.bytes_max;
        if fits && self.queue.try_send(one).is_ok() {
            return true;
        }
        self.bytes.fetch_sub(bulk, Ordering::Relaxed);
        false
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> u64 {
        (self.queue.max_capacity() - self.queue.capacity()) as u64
    }
}

impl<T: Bulk> Outgoing<T> {
    /// One was sent, or given up.
    pub(super) fn gone(&self, bulk: u64) {
        self.bytes.fetch_sub(bulk, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Bulk for u64 {
        fn bulk(&self) -> u64 {
            *self
        }
    }

    #[test]
    fn there_is_room_for_a_number_and_for_bytes() {
        let (outbox, mut outgoing) = outbox::<u64>(3, 100);
        assert!(outbox.put(60) && outbox.put(40));
        assert!(!outbox.put(1), "no bytes are left");
        assert_eq!(outbox.waiting(), 2);
        let sent = outgoing.queue.try_recv().expect("the first");
        assert!(!outbox.put(1), "it is not gone yet");
        outgoing.gone(sent);
        assert!(outbox.put(10) && outbox.put(10));
        assert!(!outbox.put(1), "three wait");
    }

    #[test]
    fn what_is_larger_than_all_room_passes_alone() {
        let (outbox, mut outgoing) = outbox::<u64>(3, 100);
        assert!(outbox.put(1_000));
        assert!(!outbox.put(1));
        let sent = outgoing.queue.try_recv().expect("the first");
        outgoing.gone(sent);
        assert!(outbox.put(1));
        drop(outgoing);
        assert!(!outbox.put(1), "nobody is there");
    }
}
