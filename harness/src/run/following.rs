//! Judges a run while it lasts, and tells the first anomalies at once.
//!
//! The verdict is not its business: that comes from the saved history, whole.

use quorate_checkers::history::{Event, Header};
use quorate_checkers::stream::Follower;

use crate::report::progress::Progress;
use crate::report::stream;
use crate::streaming::First;

/// The live judge of one run.
pub(super) struct Following {
    /// None once there is nothing more to tell.
    follower: Option<Follower>,
    first: First,
}

impl Following {
    pub(super) fn new(header: Header) -> Following {
        Following {
            follower: Some(Follower::new(header)),
            first: First::default(),
        }
    }

    /// Takes the next event.
    pub(super) fn push(&mut self, event: &Event) {
        // What the judge of a stream does not understand, the judge of the whole will refuse.
        if let Some(follower) = &mut self.follower
            && follower.push(event).is_err()
        {
            self.follower = None;
        }
    }

    /// Tells the first anomaly, and the first that breaks a promise. The words of the latter, once.
    pub(super) fn heed(&mut self, progress: &Progress) -> Option<String> {
        while let Some(alarm) = self.follower.as_mut().and_then(Follower::next_alarm) {
            let judged = self
                .follower
                .as_ref()
                .map(|follower| follower.is_promised(&alarm));
            let is_promised = matches!(judged, Some(Ok(true)));
            if !self.first.tells(is_promised) {
                continue;
            }
            let words = stream::alarm(&alarm, is_promised);
            progress.say(&format!("  {words}"));
            if is_promised {
                // There is nothing more to tell, so nothing more to judge before the end.
                self.follower = None;
                return Some(words);
            }
        }
        None
    }
}

/// What the history says about a load that ended at a broken promise.
pub(super) fn stopped_at(words: &str) -> String {
    format!("stopped at the first broken promise: {words}")
}
