//! The node's two clocks. The only place where it reads time for the protocol, and the only one that knows of an offset.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::protocol::{Nanos, Now, WallNanos};

/// The host's clocks, the wall clock with an offset.
#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
    /// Added to the host's wall clock, ns.
    pub(super) offset_ns: i64,
}

impl Clock {
    pub(super) fn new(offset_ns: i64) -> Clock {
        let start = Instant::now();
        Clock { start, offset_ns }
    }

    pub(super) fn now(&self) -> Now {
        Now {
            monotonic: self.nanos_at(Instant::now()),
            wall: WallNanos(host_wall_ns().saturating_add(self.offset_ns)),
        }
    }

    /// The host's moment that the protocol calls `nanos`.
    pub(super) fn instant_at(&self, nanos: Nanos) -> Instant {
        self.start + std::time::Duration::from_nanos(nanos.0)
    }

    fn nanos_at(&self, instant: Instant) -> Nanos {
        Nanos(0).after(instant.saturating_duration_since(self.start))
    }
}

/// Ns since the Unix epoch; before 1970 and after 2262 the nearest that can be said.
fn host_wall_ns() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |ns| -ns),
    }
}
