//! The two times that the protocol is told. It never asks for one: it has no clock.

use std::time::Duration;

/// A moment on the node's monotonic clock, ns since some fixed start. Timers use it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nanos(pub u64);

impl Nanos {
    /// The moment that is `later` after this one; the end of time if there is none.
    #[must_use]
    pub fn after(self, later: Duration) -> Nanos {
        let later_ns = u64::try_from(later.as_nanos()).unwrap_or(u64::MAX);
        Nanos(self.0.saturating_add(later_ns))
    }
}

/// A moment on the node's wall clock, ns since the Unix epoch. Last-write-wins stamps use it; it may jump.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallNanos(pub i64);

/// The time of one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// For timers. Never runs backwards from one step to the next.
    pub monotonic: Nanos,
    /// For stamps.
    pub wall: WallNanos,
}
