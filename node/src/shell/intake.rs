//! How what connections hear comes to the node: one queue for all, with room for so many events and for so many bytes of large ones. Whoever
//! has more waits, and so does its peer or client, by TCP.

use std::sync::Arc;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Limits;

use super::node::Event;

/// Most events that wait for the node.
const EVENTS_MAX: usize = 4_096;

/// A frame that is not longer than this needs no room of its own: as many as there can be events are little, bytes.
const SMALL_BYTES_MAX: usize = 4 << 10;

/// Room that one large frame takes until the node has handled it.
#[derive(Debug)]
pub(super) struct Room(
    #[expect(dead_code, reason = "held, and given back by its end")] Option<OwnedSemaphorePermit>,
);

/// The way in. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Intake {
    events: Sender<Event>,
    bytes: Arc<Semaphore>,
    pub(super) limits: Limits,
}

impl Intake {
    /// A way in, and where it comes out.
    pub(super) fn new(limits: Limits) -> (Intake, Receiver<Event>) {
        let (events, inbox) = channel(EVENTS_MAX);
        let room = usize::try_from(limits.inbox_bytes_max).unwrap_or(usize::MAX);
        let intake = Intake {
            events,
            bytes: Arc::new(Semaphore::new(room.min(Semaphore::MAX_PERMITS))),
            limits,
        };
        (intake, inbox)
    }

    /// Waits until there is room for a frame.
    pub(super) async fn room_for(&self, frame_bytes: usize) -> Room {
        if frame_bytes <= SMALL_BYTES_MAX {
            return Room(None);
        }
        let bytes = u32::try_from(frame_bytes).unwrap_or(u32::MAX);
        let bytes = bytes.min(self.limits.inbox_bytes_max);
        // The semaphore is never closed.
        Room(self.bytes.clone().acquire_many_owned(bytes).await.ok())
    }

    /// Tells the node; false if it does not listen any more.
    pub(super) async fn tell(&self, event: Event) -> bool {
        self.events.send(event).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn large_frames_wait_for_room_and_small_ones_do_not() {
        let limits = Limits {
            inbox_bytes_max: 10_000,
            ..Limits::default()
        };
        let (intake, _inbox) = Intake::new(limits);
        let first = intake.room_for(6_000).await;
        assert!(intake.room_for(6_000).now_or_never().is_none());
        assert!(intake.room_for(SMALL_BYTES_MAX).now_or_never().is_some());
        drop(first);
        let all = intake.room_for(usize::MAX).now_or_never();
        assert!(all.is_some(), "what is larger than all room passes alone");
    }
}
